"""What a shop's judgements teach: here, that a word in the brand means the brand."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from wares.domain.judgement import Judgement
from wares.domain.product import Product
from wares.domain.request import Request
from wares.engine.assembly import Engine
from wares.engine.learnt import SNAPSHOTS, new_model
from wares.engine.settings import Settings, load_settings
from wares.engine.snapshot import Snapshot, load_snapshot, write_snapshot
from wares.evaluation.judgements import Judged, measure
from wares.features.query_memory import QueryMemory
from wares.ranking.boosted import Boosted
from wares.shop import open_shop
from wares.store.sqlite import Store
from wares.training.build import build_snapshot
from wares.training.ranker import Examples, fit_ranker, gather_examples, order_by, remember, with_order

NOW_MS = 1_790_000_000_000
BRANDS = ("Northwind", "Bolta", "Acme", "Zenith", "Kestrel", "Marlow", "Orbis", "Quill")
THINGS = ("drill", "kettle", "lamp", "chair", "towel", "bottle", "jacket", "radio")
HELD_OUT = 16  # of the 64 queries
TOML = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'


def goods() -> list[Product]:
    """Of each brand and thing the real one, and one of another brand that only names the brand in its title."""
    real = [Product(f"{b}-{t}", f"{t} compact", brand=b) for b in BRANDS for t in THINGS]
    like = [Product(f"like-{b}-{t}", f"{b} style {t}", brand="Generic") for b in BRANDS for t in THINGS]
    return [*real, *like]


def judgements() -> list[Judgement]:
    return [
        judgement
        for b in BRANDS
        for t in THINGS
        for judgement in (
            Judgement(f"{b.lower()} {t}", f"{b}-{t}", 3.0),
            Judgement(f"{b.lower()} {t}", f"like-{b}-{t}", 0.0),
        )
    ]


@dataclass(frozen=True)
class Taught:
    folder: Path
    settings: Settings
    store: Store
    engine: Engine
    judged: Judged
    examples: Examples

    @property
    def snapshot(self) -> Snapshot:
        return self.engine.live.snapshot

    def places(self) -> tuple[list[int], list[int]]:
        """Queries to learn from, and others to ask."""
        mixed = np.random.default_rng(0).permutation(len(self.judged)).tolist()
        return sorted(mixed[HELD_OUT:]), sorted(mixed[:HELD_OUT])


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taught]:
    folder = tmp_path_factory.mktemp("taught") / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text(TOML)
    settings = load_settings(folder)
    with Store.open(folder, "write") as store:
        store.catalogue.put(goods())
        snapshot = build_snapshot(store, settings, None, folder / SNAPSHOTS, NOW_MS)
        engine = Engine(folder, settings, store, None, snapshot)
        judged = Judged.of(judgements(), snapshot.columns.row_of)
        yield Taught(folder, settings, store, engine, judged, gather_examples(engine, judged, NOW_MS))


@pytest.fixture(scope="module")
def ranker(taught: Taught) -> Boosted:
    """Grown on the queries to learn from."""
    return fit_ranker(taught.examples, taught.places()[0], None, taught.snapshot)


def serving(taught: Taught, snapshot: Snapshot) -> Engine:
    return Engine(taught.folder, taught.settings, taught.store, None, snapshot)


def first(engine: Engine, query: str) -> str:
    return engine.ask(Request("search", NOW_MS, query=query)).hits[0].product.id


# -- examples ----------------------------------------------------------------------------------------------------------


def test_every_judged_product_that_is_found_is_an_example_with_its_gain(taught: Taught) -> None:
    ends = np.cumsum(taught.examples.sizes)
    assert len(taught.examples.features) == len(taught.examples.rows) == len(taught.examples.gains) == ends[-1]
    for place, end in enumerate(ends.tolist()):
        mine = slice(end - int(taught.examples.sizes[place]), end)
        rows, gains = taught.examples.rows[mine].tolist(), taught.examples.gains[mine].tolist()
        judged = taught.judged.of_query(place)
        for row, gain in zip(taught.judged.rows[judged].tolist(), taught.judged.gains[judged].tolist(), strict=True):
            assert gains[rows.index(row)] == gain
        assert len(rows) == len(set(rows)) > 2  # unjudged ones are examples, too
        assert sum(gain > 0 for gain in gains) == 1


def test_the_examples_have_the_features_that_the_ranker_will_see(taught: Taught) -> None:
    _, _, table = taught.engine.retrieve(Request("search", 0, query="acme drill"))
    assert taught.examples.names == table.names
    assert taught.examples.features.shape[1] == len(table.names)


def test_the_same_judgements_give_the_same_examples(taught: Taught) -> None:
    again = gather_examples(taught.engine, taught.judged, NOW_MS)
    assert np.array_equal(again.rows, taught.examples.rows)
    assert np.array_equal(again.features, taught.examples.features)


def test_queries_that_find_nothing_or_have_no_words_are_no_examples_and_disturb_no_others(taught: Taught) -> None:
    odd = [Judgement("!!!", "Acme-drill", 3.0), Judgement("zzzzqq", "Acme-drill", 3.0)]
    some = [one for one in judgements() if one.query in ("acme drill", "zenith lamp")]
    told: list[tuple[int, int]] = []
    judged = Judged.of([*odd, *some], taught.snapshot.columns.row_of)
    found = gather_examples(taught.engine, judged, NOW_MS, done=lambda done, n: told.append((done, n)))
    assert dict(zip(found.queries, (found.sizes > 0).tolist(), strict=True)) == {
        "!!!": False, "acme drill": True, "zenith lamp": True, "zzzzqq": False,
    }  # fmt: skip
    assert len(found.features) == len(found.rows) == found.sizes.sum()
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_no_judgements_make_no_examples(taught: Taught) -> None:
    found = gather_examples(taught.engine, Judged.of([], {}), NOW_MS)
    assert (len(found.queries), len(found.rows), len(found.features)) == (0, 0, 0)


# -- the order ---------------------------------------------------------------------------------------------------------


def test_the_order_learnt_is_better_on_queries_that_it_did_not_learn_from(taught: Taught, ranker: Boosted) -> None:
    _, ask = taught.places()
    held_out = taught.judged.take(ask)
    places = np.array(ask)
    before = measure(held_out, order_by(taught.examples, places, None, None, taught.snapshot)).ndcg.mean()
    after = measure(held_out, order_by(taught.examples, places, ranker, None, taught.snapshot)).ndcg.mean()
    assert after > before + 0.1
    assert after > 0.95
    assert "bm25_brand" in list(ranker.importance())[:5]


def test_the_shop_answers_in_the_order_learnt(taught: Taught, ranker: Boosted) -> None:
    by_formula = serving(taught, taught.snapshot)
    learned = serving(taught, with_order(taught.snapshot, ranker, None))
    queries = [f"{b.lower()} {t}" for b in BRANDS for t in THINGS]
    wanted = [f"{b}-{t}" for b in BRANDS for t in THINGS]
    right = sum(first(learned, query) == product for query, product in zip(queries, wanted, strict=True))
    assert right > 60
    before, after = (engine.ask(Request("search", NOW_MS, query="acme drill")) for engine in (by_formula, learned))
    assert before.total == after.total  # the match set is the same
    assert [hit.score for hit in before.hits] != [hit.score for hit in after.hits]


def test_without_words_the_formula_goes_on_ranking(taught: Taught, ranker: Boosted) -> None:
    request = Request("search", NOW_MS)
    learned, plain = serving(taught, with_order(taught.snapshot, ranker, None)), serving(taught, taught.snapshot)
    assert [h.product.id for h in learned.ask(request).hits] == [h.product.id for h in plain.ask(request).hits]


def test_a_shop_that_wants_the_formula_keeps_it(taught: Taught, ranker: Boosted, tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text(TOML + '[profiles.search]\nranker = "formula"\n')
    engine = Engine(tmp_path, load_settings(tmp_path), taught.store, None, with_order(taught.snapshot, ranker, None))
    plain = serving(taught, taught.snapshot)
    for query in ("acme drill", "zenith lamp"):
        assert first(engine, query) == first(plain, query)


# -- the memory --------------------------------------------------------------------------------------------------------


def test_without_an_encoder_nothing_is_remembered(taught: Taught) -> None:
    assert remember(taught.examples, taught.judged, taught.snapshot) is None


def with_vectors(taught: Taught) -> tuple[Examples, QueryMemory]:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(taught.judged), 4)).astype(np.float32)
    products = rng.normal(size=(len(taught.snapshot.columns), 4)).astype(np.float32)
    examples = replace(taught.examples, vectors=vectors)
    judged = taught.judged
    return examples, QueryMemory.of(judged.queries, vectors, judged.starts, judged.rows, judged.gains, products)


# -- in a snapshot -----------------------------------------------------------------------------------------------------


def stored(taught: Taught, ranker: Boosted, folder: Path) -> tuple[Snapshot, Path]:
    _, memory = with_vectors(taught)
    snapshot = with_order(taught.snapshot, ranker, memory)
    return snapshot, write_snapshot(snapshot, folder)


def loaded(taught: Taught, place: Path) -> Snapshot:
    settings = taught.settings
    return load_snapshot(place, lambda name: new_model(name, settings), settings.search.boosts.model_dump())


def test_a_snapshot_keeps_the_order_and_the_memory(taught: Taught, ranker: Boosted, tmp_path: Path) -> None:
    snapshot, place = stored(taught, ranker, tmp_path)
    back = loaded(taught, place)
    assert back.ranker == snapshot.ranker
    assert back.memory is not None
    assert back.memory.queries == taught.judged.queries
    assert back.unavailable == ""
    assert first(serving(taught, back), "acme drill") == "Acme-drill"


def test_where_the_order_cannot_be_computed_the_formula_answers_and_the_shop_knows_why(
    taught: Taught, ranker: Boosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, place = stored(taught, ranker, tmp_path)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    back = loaded(taught, place)
    assert back.ranker is None
    assert "libgomp1" in back.unavailable
    assert first(serving(taught, back), "acme drill") == first(serving(taught, taught.snapshot), "acme drill")


def test_a_shop_that_has_sold_something_learns_from_judgements_with_its_sales_of_today(tmp_path: Path) -> None:
    now_ms = 1_790_000_000_000
    with open_shop(tmp_path / "shop") as shop:
        (shop.folder / "wares.toml").write_text('[encoder]\nsource = "none"\n', encoding="utf-8")
    with open_shop(tmp_path / "shop", create=False) as shop:
        shop.put([{"id": "a", "title": "oat milk"}, {"id": "b", "title": "rice milk"}])
        shop.record([{"kind": "purchase", "shopper_id": "s", "product_id": "a", "time": "2026-09-20T10:00:00Z"}])
        snapshot = build_snapshot(shop.store, shop.settings, None, tmp_path / "snapshots", now_ms)
        engine = Engine(tmp_path, shop.settings, shop.store, None, snapshot)
        judged = Judged.of([Judgement("milk", "a", 1.0)], snapshot.columns.row_of)
        found = gather_examples(engine, judged, now_ms)
    popularity = found.features[:, found.names.index("popularity")]
    assert np.isfinite(popularity).all()
    assert 0 < popularity.max() < 1
