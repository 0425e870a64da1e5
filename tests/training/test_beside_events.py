"""The shopper model reads what shoppers searched for, and, where it may, what they told about themselves."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from habit_shop import DAY_MS, END_MS
from numpy.typing import NDArray

from wares.contracts import Progress
from wares.domain.catalogue import Columns
from wares.domain.event import Event, EventKind
from wares.domain.interactions import NO_SEARCHES, Interactions, Searches
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.shopper import History, Searched, Shopper
from wares.engine.answers import Question
from wares.engine.assembly import Engine
from wares.engine.learnt import new_model
from wares.engine.settings import SequenceSettings, load_settings
from wares.engine.shelf import kept_snapshots
from wares.engine.snapshot import load_snapshot, write_snapshot
from wares.errors import SettingsError
from wares.models.attributes import Bands, words_of
from wares.models.sequence import SequenceModel, in_turn
from wares.retrieval.vector_index import VectorIndex
from wares.store.sqlite import Store
from wares.training.build import build_snapshot
from wares.training.child import train_here
from wares.training.lessons import Lessons, windows_of
from wares.training.model_file import write_model
from wares.training.progress import silent
from wares.training.shopper_model import shopper_lessons, shopper_model
from wares.training.shopper_model import with_attributes as coded

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="trains, which takes torch")
AISLES = ("tea", "milk", "bread", "soap")
PER_AISLE, WIDTH = 10, 8
N = len(AISLES) * PER_AISLE
QUICK = SequenceSettings(
    size="tiny", dimension=16, epochs=12, batch=32, rate=1e-2, dropout=0.0, input_dropout=0.0, device="cpu", warm=False
)
TOML = """[models]
train = ["popular", "sequence"]
[models.sequence]
size = "tiny"
dimension = 16
epochs = 10
batch = 32
rate = 1e-2
dropout = 0.0
input_dropout = 0.0
device = "cpu"
"""
HOME = '[profiles.home]\nsources = ["sequence", "popular"]\nformula = { sequence = 1 }\nranker = "formula"\n'


class AisleEncoder:
    """The vector of a text is that of the aisle that it names, a little beside it, queries somewhere else than
    products; counts what it was asked."""

    fingerprint, dimension = "aisles", WIDTH

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        self.asked += texts
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        for text, vector in zip(texts, vectors, strict=True):
            vector[:] = np.random.default_rng(len(text) + sum(map(ord, text))).normal(0, 0.01, WIDTH)
            vector[[aisle in text for aisle in AISLES].index(True)] += 1
            vector[-1] += kind == "query"
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def goods() -> list[Product]:
    """Product i is of the aisle i % 4, which only its words tell."""
    return [Product(f"p{i}", f"{AISLES[i % len(AISLES)]} no {i}", currency="USD") for i in range(N)]


def columns() -> Columns:
    return Columns.of(goods(), range(N))


def vectors() -> VectorIndex:
    encoder = AisleEncoder()
    return VectorIndex.of(encoder.encode([one.title for one in goods()], "passage"), np.arange(N, dtype=np.int32))


def searching(shoppers: int = 60, visits: int = 6, seed: int = 0) -> Interactions:
    """Every day a shopper looks for an aisle that chance draws, and buys something of it: nothing else foretells it."""
    rng = np.random.default_rng(seed)
    aisles = rng.integers(0, len(AISLES), (shoppers, visits))
    rows = (aisles + len(AISLES) * rng.integers(0, PER_AISLE, aisles.shape)).astype(np.int32).ravel()
    owner = np.repeat(np.arange(shoppers), visits)
    times_ms = np.tile(END_MS + np.arange(visits) * DAY_MS, shoppers)
    ones = np.ones(len(rows), np.float32)
    events = History(rows, times_ms, np.full(len(rows), _PURCHASE, np.int8), ones)
    queries = AisleEncoder().encode([f"some {aisle}" for aisle in AISLES], "query").astype(np.float16)
    searches = Searches(owner.astype(np.int32), times_ms - 60_000, aisles.ravel().astype(np.int32), queries)
    alone = Interactions.of(owner, events, np.full(len(rows), -1, np.int64), shoppers, N)
    return replace(alone, searches=searches)


_PURCHASE = list(EventKind).index(EventKind.PURCHASE)


def found(model: SequenceModel, asked: Interactions) -> float:
    """The share of shoppers whose last product is among the ten that the model foresees best."""
    hits = 0
    for shopper in range(asked.n_shoppers):
        history = asked.history(shopper)
        before = replace(history.take(slice(0, -1)))
        best = np.argsort(-model.score(before, 0))[:PER_AISLE]
        hits += int(history.rows[-1] in best)
    return hits / asked.n_shoppers


def fitted(told: Interactions, settings: SequenceSettings, folder: Path) -> SequenceModel:
    model = shopper_model(told, columns(), vectors(), settings, folder).model
    assert model is not None
    return model


# -- searches ----------------------------------------------------------------------------------------------------------


@needs_torch
def test_what_only_the_last_search_foretells_is_found_by_a_model_that_reads_searches(tmp_path: Path) -> None:
    asked = searching(seed=1)
    reads = fitted(searching(), QUICK, tmp_path)
    blind = fitted(searching(), QUICK.model_copy(update={"searches": False}), tmp_path)
    assert reads.reads_searches and not blind.reads_searches
    assert found(reads, asked) > 0.9
    assert found(blind, asked) < 0.5  # a quarter by chance
    forgetful = replace(asked, searches=asked.searches.take(asked.searches.times_ms < 0))
    assert found(reads, forgetful) < 0.5  # it is the searches that tell


@needs_torch
def test_a_search_alone_says_what_somebody_wants_who_never_did_anything(tmp_path: Path) -> None:
    model = fitted(searching(), QUICK, tmp_path)
    assert model.embed(History.empty()) is None
    for place, aisle in enumerate(AISLES):
        vector = AisleEncoder().encode([f"good {aisle}"], "query")  # words that nobody used before
        history = replace(History.empty(), searched=Searched(np.array([END_MS]), vector))
        best = np.argsort(-model.score(history, 0))[:PER_AISLE]
        assert np.mean(best % len(AISLES) == place) >= 0.7


@needs_torch
def test_a_shop_without_searches_gets_the_very_same_model(tmp_path: Path) -> None:
    silent = replace(searching(), searches=NO_SEARCHES)
    models = [
        fitted(silent, QUICK.model_copy(update={"searches": wanted, "epochs": 2}), tmp_path)
        for wanted in (None, True, False)
    ]
    for other in models[1:]:
        assert other.arrays.keys() == models[0].arrays.keys()
        for name, array in models[0].arrays.items():
            assert np.array_equal(array, other.arrays[name]), name
    lessons, _ = shopper_lessons(silent, columns(), vectors())
    assert lessons.searched is None and lessons.queries is None


@needs_torch
def test_serving_computes_what_training_did_with_searches_and_attributes() -> None:
    from wares.training.recipe import Recipe
    from wares.training.sequence import fit_sequence

    told = searching(30, 5)
    told = replace(told, attributes={s: (("age", "young" if s % 3 else "old"), ("pet", "cat")) for s in range(25)})
    lessons, _ = shopper_lessons(told, columns(), vectors())
    assert lessons.searched is not None
    lessons, words, bands = coded(lessons, told)
    assert words == ("pet=cat",)  # of the ages, "young" was told by 16 and "old" by 9
    recipe = Recipe(dimension=16, blocks=2, epochs=2, batch=16, rate=1e-2, dropout=0.0, input_dropout=0.0, hold_out=1.0)
    fit = fit_sequence(lessons, recipe)
    model = SequenceModel({**fit.model.arrays, "shopper_words": np.array(words), **bands.state()})
    losses, met = [], np.unique(told.events.rows)
    for shopper in range(told.n_shoppers):  # the last product is asked for after the search that foretells it
        history = told.history(shopper)
        scores = model.score(history.take(slice(0, -1)), 0).astype(np.float64)
        losses.append(np.log(np.exp(scores[met]).sum()) - scores[history.rows[-1]])
    assert np.mean(losses) == pytest.approx(fit.losses[-1][1], abs=1e-4)
    together = model.embed_all(told)
    alone = [model.embed(told.history(shopper)) for shopper in range(told.n_shoppers)]
    np.testing.assert_allclose(together, np.stack([u for u in alone if u is not None]), atol=1e-6)


def test_a_search_asks_for_the_next_product_and_nothing_asks_for_a_search() -> None:
    #                 s   p  s   s   p  s | p   s   p
    rows = np.array([-1, 3, -1, -1, 4, -1, 5, -1, 3], np.int32)
    lessons = Lessons(rows, np.array([0, 6, 9]), 6, searched=np.where(rows < 0, 0, -1).astype(np.int32))
    low, high, events = lessons.what_follows()
    asked = [events[first:stop].tolist() for first, stop in zip(low, high, strict=True)]
    assert asked == [[1], [4], [4], [4], [], [], [8], [8], []]


def test_in_a_shop_of_baskets_a_search_asks_for_what_is_nearest_to_its_words() -> None:
    #                p  p   s  p  p  p | s  p   s | p   s  p  p
    rows = np.array([0, 1, -1, 4, 2, 3, -1, 3, -1, 5, -1, 5, 1], np.int32)
    visits = np.array([7, 7, -1, 7, 7, 7, -1, 8, -1, 9, -1, 10, 10])
    searched = np.where(rows < 0, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0], -1).astype(np.int32)
    text = np.eye(6, dtype=np.float32)
    queries = (text[[3, 2, 5]] + 0.1).astype(np.float32)
    lessons = Lessons(rows, np.array([0, 6, 9, 13]), 6, visits=visits, text=text, searched=searched, queries=queries)
    low, high, events = lessons.what_follows()
    asked = [events[first:stop].tolist() for first, stop in zip(low, high, strict=True)]
    assert asked[2] == [4]  # of its own visit, and neither the next thing nor all that follows
    assert asked[6] == [7] and asked[8] == []  # nothing follows the second shopper's last search
    assert asked[10] == []  # what the third wanted they had met before
    assert [asked[i] for i in (0, 1, 3, 4, 5, 7, 9)] == [[]] * 6 + [[12]]
    windows = windows_of(lessons, 50, 0.0, np.random.default_rng(0))  # a history of which only the search asks teaches
    assert sorted(zip(windows.start.tolist(), windows.stop.tolist(), strict=True)) == [(0, 6), (6, 9), (9, 13)]


@needs_torch
def test_a_search_among_whole_baskets_finds_what_it_was_for(tmp_path: Path) -> None:
    """Of the four products in a basket one is of the aisle that was searched for, the others never are."""
    rng = np.random.default_rng(0)
    shoppers, visits = 80, 2
    aisles = rng.integers(0, len(AISLES), (shoppers, visits))
    others = (aisles[..., None] + rng.integers(1, len(AISLES), (shoppers, visits, 3))) % len(AISLES)
    basket = np.concatenate([others[..., :2], aisles[..., None], others[..., 2:]], axis=-1)  # (s, v, 4)
    rows = basket + len(AISLES) * rng.permuted(np.tile(np.arange(PER_AISLE), (*aisles.shape, 1)), axis=-1)[..., :4]
    days = np.tile(END_MS + np.arange(visits) * DAY_MS, shoppers)
    owner, times_ms = np.repeat(np.arange(shoppers), 4 * visits), np.repeat(days, 4)
    ones = np.ones(rows.size, np.float32)
    events = History(rows.astype(np.int32).ravel(), times_ms, np.full(rows.size, _PURCHASE, np.int8), ones)
    queries = AisleEncoder().encode([f"some {aisle}" for aisle in AISLES], "query").astype(np.float16)
    searchers = np.repeat(np.arange(shoppers, dtype=np.int32), visits)
    searches = Searches(searchers, days - 60_000, aisles.ravel().astype(np.int32), queries)
    told = Interactions.of(owner, events, np.repeat(np.arange(shoppers * visits), 4), shoppers, N)
    told = replace(told, searches=searches)
    assert shopper_lessons(told, columns(), vectors())[0].visits is not None
    model = fitted(told, QUICK, tmp_path)
    for place, aisle in enumerate(AISLES):
        later = Searched(days[-1:] + DAY_MS, queries[[place]].astype(np.float32))
        history = replace(told.history(0), searched=told.history(0).searched.then(later))
        best = np.argsort(-model.score(history, 0))[:PER_AISLE]
        assert np.mean(best % len(AISLES) == place) >= 0.7, aisle


# -- attributes --------------------------------------------------------------------------------------------------------


def by_age(shoppers: int = 120, seed: int = 0) -> Interactions:
    """Each age buys of its own aisle, after a first purchase that says nothing."""
    rng = np.random.default_rng(seed)
    aisles = np.arange(shoppers) % len(AISLES)
    rows = aisles[:, None] + len(AISLES) * rng.integers(0, PER_AISLE, (shoppers, 3))
    rows[:, 0] = rng.integers(0, N, shoppers)
    owner, times_ms = np.repeat(np.arange(shoppers), 3), np.tile(END_MS + np.arange(3) * DAY_MS, shoppers)
    events = History(
        rows.astype(np.int32).ravel(), times_ms, np.full(rows.size, _PURCHASE, np.int8), np.ones(rows.size, np.float32)
    )
    ages = {shopper: (("age", f"{20 + 10 * aisle}s"),) for shopper, aisle in enumerate(aisles.tolist())}
    return replace(Interactions.of(owner, events, np.full(rows.size, -1), shoppers, N), attributes=ages)


@needs_torch
def test_what_only_the_age_foretells_is_found_by_a_model_that_may_read_it(tmp_path: Path) -> None:
    asked = by_age(seed=1)
    second = asked.take(np.tile(np.array([True, True, False]), 120))  # nothing but the first purchase, and the age
    reads = fitted(by_age(), QUICK.model_copy(update={"attributes": ("age",)}), tmp_path)
    blind = fitted(by_age(), QUICK, tmp_path)
    assert reads.reads_attributes and not blind.reads_attributes
    assert found(reads, second) > 0.9
    assert found(blind, second) < 0.5


def test_values_that_few_told_and_what_is_unknown_say_nothing() -> None:
    told = by_age(80)
    few = {**told.attributes, 0: (("age", "100s"),)}
    lessons = Lessons(told.events.rows, told.indptr, N)
    coded_, words, _ = coded(lessons, replace(told, attributes=few))
    assert coded_.told is not None and coded_.told[0].tolist() == [-1]
    assert words == ("age=30s", "age=40s", "age=50s")  # of the twenties only 19 are left
    assert coded(lessons, replace(told, attributes={}))[0] is lessons


def test_many_different_numbers_count_in_bands_that_the_model_keeps() -> None:
    shoppers = [(("income", str(1000 * i)), ("home", "own")) for i in range(100)]
    bands = Bands.of(shoppers)
    again = Bands.restore(bands.state())
    for told in (shoppers[0], shoppers[55], (("income", "1e9"),)):
        assert words_of(told, again) == words_of(told, bands)
    assert words_of(shoppers[0], again) == ["income=0", "home=own"]
    assert words_of((("income", "much"),), again) == []
    counts = np.bincount([int(words_of(told, bands)[0].removeprefix("income=")) for told in shoppers])
    assert len(counts) == 10 and counts.min() >= 9
    assert not Bands.of([(("age", "30"),), (("age", "40"),)]).edges  # few different numbers are words


# -- a shop ------------------------------------------------------------------------------------------------------------


def events_of(told: Interactions) -> list[Event]:
    """The same as a log."""
    done = [
        Event(EventKind.PURCHASE, int(at), f"s{shopper}", f"p{row}")
        for shopper, at, row in zip(told.shoppers, told.events.times_ms, told.events.rows, strict=True)
    ]
    searches = told.searches
    said = [
        Event(EventKind.SEARCH, int(at), f"s{shopper}", query=f"some {AISLES[place]} {shopper % 3}")
        for shopper, at, place in zip(searches.shoppers, searches.times_ms, searches.places, strict=True)
    ]
    return done + said


NEXT = '[profiles.next]\nsources = ["sequence"]\nformula = { sequence = 1.0 }\npolicies = []\n'


def shop(folder: Path, told: Interactions, more: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wares.toml").write_text(TOML + more)
    with Store.open(folder, "write") as store:
        store.catalogue.put(goods())
        store.events.append(events_of(told))
        store.shoppers.put(
            [Shopper(f"s{shopper}", {"age": "20s" if shopper % 2 else "30s"}) for shopper in range(told.n_shoppers)]
        )
    return folder


def trained(folder: Path, encoder: AisleEncoder | None) -> Any:
    with Store.open(folder, "read") as store:
        snapshot = build_snapshot(store, load_settings(folder), encoder, folder / "snapshots", END_MS)
    write_snapshot(snapshot, folder / "snapshots")
    return snapshot


@needs_torch
def test_the_next_home_page_knows_what_was_just_searched_for(tmp_path: Path) -> None:
    folder, encoder = shop(tmp_path / "shop", searching(), 'attributes = ["age"]\n' + NEXT), AisleEncoder()
    made = trained(folder, encoder)
    assert len(made.interactions.searches) == 360 and len(made.interactions.searches.vectors) == 12
    assert ", 360 searches, 2 values of attributes" in made.facts["shopper_model"]
    settings = load_settings(folder)
    kept = load_snapshot(folder / "snapshots" / made.name, lambda name: new_model(name, settings), {})
    np.testing.assert_array_equal(kept.history(1).searched.vectors, made.history(1).searched.vectors)
    with Store.open(folder, "write") as store:
        engine, now_ms = Engine(folder, settings, store, encoder), END_MS + 30 * DAY_MS
        model = engine.live.snapshot.models["sequence"]
        for aisle, place in (("soap", 3), ("tea", 0)):
            store.events.append([Event(EventKind.SEARCH, now_ms + place, "s1", query=f"fine {aisle}")])
            engine.serving.catch_up()
            encoder.asked.clear()
            history, _ = engine.history("s1")
            assert encoder.asked == [f"fine {aisle}"]  # what was searched before is not encoded again
            assert history.attributes == (("age", "20s"),)
            best = np.argsort(-model.score(history, now_ms))[:PER_AISLE]
            assert np.mean(best % len(AISLES) == place) >= 0.7
            now_ms += DAY_MS
        store.events.append([Event(EventKind.SEARCH, now_ms + i, "new", query=f"{i} tea") for i in range(30)])
        engine.serving.catch_up()
        encoder.asked.clear()
        assert len(engine.history("new")[0].searched) == len(encoder.asked) == 8  # the last ones alone
        engine.history("new")
        assert len(encoder.asked) == 8
        page = engine.ask(Request("next", now_ms + 60_000, shopper_id="new", k=PER_AISLE))  # who did nothing else
        assert np.mean([int(hit.product.id[1:]) % len(AISLES) == 0 for hit in page.hits]) >= 0.7
        assert not engine.ask(Request("next", now_ms + 60_000, shopper_id="nobody")).hits
        engine.live.forget(store.shoppers.keys_of("new"))  # erased, they are not remembered until the next training
        assert engine.history("new")[0].says_nothing
        store.events.erase("s1")
        assert engine.history("s1")[0].says_nothing


@needs_torch
@pytest.mark.parametrize(
    ("more", "shoppers", "encodes", "reads"),
    [("", 60, True, True), ("", 20, True, False), ("searches = true\n", 20, True, True),
     ("searches = false\n", 60, True, False), ("", 60, False, False)],
)  # fmt: skip
def test_searches_are_read_where_there_are_enough_or_the_settings_say_so(
    tmp_path: Path, more: str, shoppers: int, encodes: bool, reads: bool
) -> None:
    more += "epochs = 1\n"
    told = searching(shoppers)
    folder = shop(tmp_path / "shop", told)
    (folder / "wares.toml").write_text(TOML.replace("epochs = 10\n", "") + more)
    made = trained(folder, AisleEncoder() if encodes else None)
    assert made.models["sequence"].reads_searches is reads
    assert bool(len(made.interactions.searches)) is reads


def test_an_attribute_that_no_shopper_has_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop", searching(5), 'attributes = ["agee"]\n')
    with pytest.raises(SettingsError, match=r"models\.sequence\.attributes: .*'agee'\. Known: age\."):
        trained(folder, None)


def test_what_came_after_a_cut_was_not_searched_for_before_it() -> None:
    told = searching(3, 4)
    cut = END_MS + 2 * DAY_MS - 30_000  # between the third search and the purchase that followed
    before = told.before(cut)
    assert len(before.events) == 6 and len(before.searches) == 9
    assert before.history(1).searched.times_ms.tolist() == [END_MS + i * DAY_MS - 60_000 for i in range(3)]
    kept = told.take(told.events.times_ms < cut)  # why events were taken away is not told: the third may be foresight
    assert len(kept.events) == 6 and len(kept.searches) == 6
    some = told.take(np.arange(12) != 3)  # of the first shopper the last event: what the others searched for stays
    assert [len(some.history(shopper).searched) for shopper in range(3)] == [3, 4, 4]
    assert len(told.known().searches) == 12


# -- the next training -------------------------------------------------------------------------------------------------


def both(shoppers: int = 60) -> tuple[Lessons, tuple[str, ...]]:
    told = searching(shoppers)
    told = replace(told, attributes={s: (("age", "young" if s % 2 else "old"),) for s in range(shoppers)})
    lessons, words, _ = coded(shopper_lessons(told, columns(), vectors())[0], told)
    return lessons, words


@needs_torch
def test_a_warm_start_keeps_what_was_known_of_searches_and_attributes() -> None:
    from wares.training.recipe import Recipe
    from wares.training.sequence import fit_sequence
    from wares.training.warm import Earlier, fits

    lessons, words = both()
    recipe = Recipe(dimension=16, blocks=1, epochs=2, batch=32, rate=1e-2, dropout=0.0, input_dropout=0.0)
    ids = [f"p{i}" for i in range(N)]
    product_words = ("no word",)  # of these products there is none
    known = SequenceModel(
        {
            **fit_sequence(lessons, recipe).model.arrays,
            "words": np.array(product_words),
            "shopper_words": np.array(words),
        }
    )
    earlier = Earlier("000001", tuple(ids), known).of(ids, product_words, words[::-1])
    assert fits(earlier, lessons, recipe)
    np.testing.assert_array_equal(earlier.arrays["shoppers"][::-1], known.arrays["shoppers"])
    same = Earlier("000001", tuple(ids), known).of(ids, product_words, words)
    still = replace(recipe, epochs=1, rate=1e-12, weight_decay=0.0)
    again = SequenceModel(
        {**fit_sequence(lessons, still, start_from=same).model.arrays, "shopper_words": np.array(words)}
    )
    history = replace(searching(60).history(3), attributes=(("age", "old"),))
    np.testing.assert_allclose(again.score(history, 0), known.score(history, 0), atol=1e-4)
    silent = replace(lessons, told=None)
    assert not fits(same, silent, recipe)  # who may no longer read attributes begins anew
    assert not fits(same, replace(lessons, queries=None), recipe)


@needs_torch
def test_a_training_with_searches_that_was_stopped_goes_on_bit_for_bit(tmp_path: Path) -> None:
    from wares.training.recipe import Recipe
    from wares.training.sequence import fit_sequence, goes_on

    lessons, _ = both()
    recipe = Recipe(dimension=16, blocks=1, epochs=2, batch=32, rate=1e-2, hold_out=0.2)
    straight, checkpoint = fit_sequence(lessons, recipe), tmp_path / "shopper.npz"

    def stop(stage: str, done: int, total: int) -> None:
        if done == total // 2 + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_sequence(lessons, recipe, stop, checkpoint)
    assert goes_on(checkpoint, lessons, recipe)
    assert lessons.told is not None
    assert not goes_on(checkpoint, replace(lessons, told=1 - lessons.told), recipe)
    resumed = fit_sequence(lessons, recipe, checkpoint=checkpoint)
    assert resumed.losses == straight.losses
    for name, array in straight.model.arrays.items():
        assert np.array_equal(array, resumed.model.arrays[name]), name


@needs_torch
def test_a_model_that_reads_more_is_compared_with_one_that_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = searching(visits=40)
    folder = shop(tmp_path / "shop", told, "searches = false\n")
    monkeypatch.setattr("wares.training.child.new_encoder", lambda settings, folder: AisleEncoder())
    monkeypatch.setattr("wares.training.beside_events.LEAST_SEARCHES", 100)
    reads: list[bool] = []

    def heard(*asked: Any, **more: Any) -> Any:
        made = shopper_model(*asked, **more)
        assert made.model is not None
        reads.append(made.model.reads_searches)
        return made

    train_here(folder, silent)
    (folder / "wares.toml").write_text(TOML + HOME)
    monkeypatch.setattr("wares.training.refit.shopper_model", heard)
    train_here(folder, silent)
    report = kept_snapshots(folder / "snapshots")[-1].report
    assert report["compared"] and report["left_out"] == []
    assert sorted(reads) == [False, True]  # each as its own recipe has it


@needs_torch
def test_a_model_file_keeps_what_it_reads_and_serves_another_shop(tmp_path: Path) -> None:
    ages = {shopper: (("age", str(shopper)),) for shopper in range(240)}  # many numbers: bands of 24
    told = replace(by_age(240), attributes=ages, searches=searching(240, 1).searches)
    model = fitted(told, QUICK.model_copy(update={"attributes": ("age",), "epochs": 1}), tmp_path)
    write_model(tmp_path / "model.npz", [f"p{i}" for i in range(N)], model)
    taken = fitted(told, SequenceSettings(fitted="model.npz"), tmp_path)
    assert taken.reads_searches and taken.reads_attributes
    assert model.shopper_codes(ages[50]).tolist() == taken.shopper_codes(ages[50]).tolist() != []
    got, wanted = (one.score(told.history(50), 0) for one in (taken, model))
    assert np.corrcoef(got, wanted)[0, 1] > 0.999


# -- the order of events and searches ----------------------------------------------------------------------------------


def test_a_search_stands_before_an_event_of_its_moment_and_only_the_last_of_a_row_count() -> None:
    order = in_turn(np.array([10, 20, 20]), np.array([1, 2, 3, 4, 10, 15, 20, 30]))
    assert order.tolist() == [5, 6, 7, 0, 8, 9, 1, 2, 10]  # of 1, 2, 3, 4 and 10 the last three
    whose = in_turn(np.array([10, 10]), np.array([5, 5, 5, 5]), np.array([0, 1]), np.array([0, 1, 1, 1]))
    assert whose.tolist() == [2, 0, 3, 4, 5, 1]  # one shopper's row does not go on with another's


def test_who_searched_for_something_else_asks_another_question(tmp_path: Path) -> None:
    from wares.domain.rule import NOTHING

    tea, soap = (
        replace(History.empty(), searched=Searched(np.array([1]), AisleEncoder().encode([words], "query")))
        for words in ("tea", "soap")
    )
    told = replace(History.empty(), attributes=(("age", "20s"),))
    questions = [
        Question.of(Request("home", 0), history, NOTHING, None)  # type: ignore[arg-type]
        for history in (tea, soap, told, History.empty())
    ]
    assert len(set(questions)) == 4
