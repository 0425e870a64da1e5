"""Where a shop's shopper model comes from: a file, a training, or nowhere, and then it says why."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from habit_shop import DAY_MS, END_MS, habits, made_shop
from made_model import PURCHASE, N, bought, made

from wares.domain.catalogue import Columns
from wares.domain.interactions import Interactions
from wares.domain.product import Product
from wares.domain.shopper import History
from wares.engine.settings import SequenceSettings, load_settings
from wares.engine.shelf import kept_snapshots
from wares.errors import TrainingError
from wares.models.sequence import SequenceModel
from wares.retrieval.vector_index import VectorIndex
from wares.shop import open_shop
from wares.store.sqlite import Store
from wares.training.child import CHECKPOINT, train_here
from wares.training.model_file import write_model
from wares.training.models import learn_models
from wares.training.progress import silent
from wares.training.refit import refitting
from wares.training.shopper_model import earlier_model, product_words, shopper_lessons, shopper_model

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="trains, which takes torch")
TINY = '[models.sequence]\nsize = "tiny"\ndimension = 16\nepochs = 8\nbatch = 32\ndevice = "cpu"\n'
SHOP = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "buy_again", "sequence"]\n'


def columns(n: int = N, *, brands: Sequence[str] = ("Acme", "Other"), price: int | None = 100) -> Columns:
    goods = [
        Product(
            f"p{i}", f"thing {i}", brand=brands[i % len(brands)], category=("Food",), currency="USD",
            price_minor=None if price is None else price * (i + 1),
        )
        for i in range(n)
    ]  # fmt: skip
    return Columns.of(goods, range(n))


def interactions(
    *rows: Sequence[int], n: int = N, baskets: Sequence[Sequence[int]] = (), days: int = 1
) -> Interactions:
    """One shopper each, who bought these in turn, `days` apart."""
    owner = np.repeat(np.arange(len(rows)), [len(own) for own in rows])
    told = np.concatenate([np.asarray(own, np.int32) for own in rows])
    times_ms = np.concatenate([END_MS + np.arange(len(own)) * days * DAY_MS for own in rows]).astype(np.int64)
    events = History(told, times_ms, np.full(len(told), PURCHASE, np.int8), np.ones(len(told), np.float32))
    kept = np.concatenate([np.asarray(own) for own in baskets]) if baskets else np.full(len(told), -1)
    return Interactions.of(owner, events, kept.astype(np.int64), len(rows), n)


def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No torch on this machine."""
    monkeypatch.setattr("wares.training.shopper_model.find_spec", lambda name: None)


# -- from a file -------------------------------------------------------------------------------------------------------


def fitted_in(folder: Path, model: SequenceModel, ids: Sequence[str] = ()) -> SequenceSettings:
    write_model(folder / "model.npz", ids or [f"p{i}" for i in range(N)], model)
    return SequenceSettings(fitted="model.npz")


def test_a_fitted_model_is_used_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown(monkeypatch)
    model = made(until_ms=END_MS)
    settings = fitted_in(tmp_path, model)
    found = shopper_model(interactions([1, 2]), columns(), VectorIndex.empty(N), settings, tmp_path)
    assert found.model is not None and found.how == "from model.npz"
    got, wanted = found.model.score(bought(1, 2), 0), model.score(bought(1, 2), 0)
    assert np.corrcoef(got, wanted)[0, 1] > 0.999


def test_its_products_are_found_by_id_whatever_their_order(tmp_path: Path) -> None:
    ids = [f"p{i}" for i in reversed(range(N))]
    found = shopper_model(
        interactions([1, 2]), columns(), VectorIndex.empty(N), fitted_in(tmp_path, made(until_ms=0), ids), tmp_path
    ).model
    assert found is not None
    np.testing.assert_allclose(found.arrays["biases"], made().arrays["biases"][::-1])  # type: ignore[arg-type]


def test_a_product_that_it_never_met_is_known_by_its_words(tmp_path: Path) -> None:
    settings = fitted_in(tmp_path, made(until_ms=0), ["else", *(f"p{i}" for i in range(1, N))])
    found = shopper_model(interactions([1, 2]), columns(), VectorIndex.empty(N), settings, tmp_path).model
    assert found is not None
    of_words = np.asarray(made().arrays["attributes"])[[0, 2]].mean(axis=0)  # brand=Acme, category=Food; no price band
    np.testing.assert_allclose(found.arrays["products"][0], of_words / np.linalg.norm(of_words), atol=1e-5)
    assert found.arrays["biases"][0] == 0


def test_a_fitted_model_that_knows_what_came_later_is_not_used_in_a_trial(tmp_path: Path) -> None:
    past = interactions([1, 2])
    settings = fitted_in(tmp_path, made(until_ms=int(past.events.times_ms.max()) + 1))
    found = shopper_model(past, columns(), VectorIndex.empty(N), settings, tmp_path)
    assert found.model is None and found.how == "model.npz learnt from later events than these"


def test_a_comparison_takes_a_fitted_model_as_it_is_unless_it_knows_the_answers(tmp_path: Path) -> None:
    made_shop(tmp_path, habits(4, 3))
    past = interactions([1, 2])
    for until_ms, left_out in ((int(past.events.times_ms.max()), False), (END_MS + 9 * DAY_MS, True)):
        fitted_in(tmp_path, made(until_ms=until_ms))
        (tmp_path / "wares.toml").write_text(SHOP + '[models.sequence]\nfitted = "model.npz"\n')
        snapshot, model = _Candidate({"sequence": made(until_ms=until_ms)}), made(until_ms=until_ms)
        refit = refitting(snapshot, load_settings(tmp_path), tmp_path, None)  # type: ignore[arg-type]
        if left_out:
            with pytest.raises(Exception, match=r"model\.npz learnt from later events"):
                refit(model, past, END_MS)
        else:
            assert refit(model, past, END_MS) is snapshot.models["sequence"]


class _Candidate:
    """As much of a snapshot as is looked at."""

    def __init__(self, models: dict[str, SequenceModel]) -> None:
        self.models, self.facts = models, {"shopper_model_s": 1.0}


# -- what is learnt from -----------------------------------------------------------------------------------------------


def test_a_product_has_words_for_its_brand_category_and_tenth_of_the_prices() -> None:
    words = product_words(columns(30))
    assert set(words[0]) == {"brand=Acme", "category=Food", "price=0"}
    assert set(words[29]) == {"brand=Other", "category=Food", "price=9"}
    bands = [int(word.removeprefix("price=")) for own in words for word in own if word.startswith("price=")]
    assert np.bincount(bands).tolist() == [3] * 10 and bands == sorted(bands)


def test_a_product_without_a_price_has_no_band_and_an_attribute_that_names_products_no_word() -> None:
    assert not any(word.startswith("price=") for own in product_words(columns(price=None)) for word in own)
    named = product_words(columns(2_001, brands=[f"brand {i}" for i in range(2_001)]))
    assert not any(word.startswith("brand=") for own in named for word in own)


def test_where_baskets_hold_several_products_the_next_visit_is_asked_for() -> None:
    whole = interactions([1, 2, 3, 4], [5, 6, 7, 8], baskets=[[1, 1, 2, 2], [3, 3, 4, 4]])
    lessons, _ = shopper_lessons(whole, columns(), VectorIndex.empty(N))
    assert lessons.visits is not None and lessons.visits.tolist() == [1, 1, 2, 2, 3, 3, 4, 4]


def test_where_one_thing_is_bought_at_a_time_the_next_event_is_asked_for() -> None:
    single = interactions([1, 2, 3, 4], [5, 6, 7, 8], baskets=[[1, 2, 3, 4], [5, 6, 7, 8]])
    assert shopper_lessons(single, columns(), VectorIndex.empty(N))[0].visits is None
    assert shopper_lessons(interactions([1, 2, 3], [4, 5]), columns(), VectorIndex.empty(N))[0].visits is None


def test_without_baskets_a_day_is_a_visit_and_two_shoppers_share_none() -> None:
    one_day = interactions([1, 2, 3], [4, 5, 6], days=0)
    assert shopper_lessons(one_day, columns(), VectorIndex.empty(N))[0].visits is not None
    apart = interactions([1], [2], [3], [4], days=0)  # all on one day, each alone
    assert shopper_lessons(apart, columns(), VectorIndex.empty(N))[0].visits is None


# -- trained -----------------------------------------------------------------------------------------------------------


def shop_settings(folder: Path, more: str = TINY) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wares.toml").write_text(SHOP + more)
    return load_settings(folder)


def test_without_torch_all_else_is_learnt_and_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown(monkeypatch)
    models, told = learn_models(
        shop_settings(tmp_path), interactions([1, 2]), columns(), VectorIndex.empty(N), tmp_path, END_MS
    )
    assert set(models) == {"popular", "buy_again"}
    assert told["shopper_model"] == "torch is not installed: pip install 'wares[train]'"


@needs_torch
def test_where_nobody_comes_twice_all_else_is_learnt_and_it_says_so(tmp_path: Path) -> None:
    models, told = learn_models(
        shop_settings(tmp_path), interactions([1], [2], [3]), columns(), VectorIndex.empty(N), tmp_path, END_MS
    )
    assert set(models) == {"popular", "buy_again"}
    assert told["shopper_model"] == "no shopper came twice: nothing follows anything"


def facts(folder: Path) -> list[str]:
    """How the shopper model of each snapshot came about."""
    return [str(one.facts["shopper_model"]) for one in kept_snapshots(folder / "snapshots")]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that learnt from all but its last week."""
    folder = made_shop(tmp_path_factory.mktemp("warm") / "shop", [e for e in habits() if e.time_ms < LAST_WEEK_MS])
    (folder / "wares.toml").write_text(SHOP + TINY)
    train_here(folder, silent)
    return folder


LAST_WEEK_MS = END_MS - 7 * DAY_MS


@needs_torch
def test_a_second_training_begins_warm_and_is_compared_without_the_answers(
    before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refits: list[str] = []

    def heard(*told: Any, **more: Any) -> Any:
        found = shopper_model(*told, **more)
        refits.append(found.how)
        return found

    monkeypatch.setattr("wares.training.refit.shopper_model", heard)
    train_here(before, silent)  # on the same events: both sides are fitted anew, once, on what came before the answers
    assert [how.split(",")[0] for how in facts(before)] == ["trained", "warm start from 000001"]
    assert [how.split(",")[0] for how in refits] == ["trained"]
    with Store.open(before, "write") as store:
        store.events.append([event for event in habits() if event.time_ms >= LAST_WEEK_MS])
    served = earlier_model(before, load_settings(before), "")
    assert served is not None
    train_here(before, silent)  # what serves has not seen the last week: the new one may begin with it
    assert [how.split(",")[0] for how in refits[1:]] == [f"warm start from {served.name}"]
    report = kept_snapshots(before / "snapshots")[-1].report
    assert report["compared"] and report["how"] == "serving as it is" and report["left_out"] == []
    assert facts(before)[-1].startswith(f"warm start from {served.name}, ") and " 2 epochs" in facts(before)[-1]
    assert not (before / CHECKPOINT).exists()
    with open_shop(before, create=False) as shop:
        assert "sequence" in shop.engine.live.snapshot.models


@needs_torch
def test_other_settings_begin_anew(before: Path, tmp_path: Path) -> None:
    settings = shop_settings(tmp_path)
    served = earlier_model(before, settings, "")
    assert served is not None and served.model.n_products == len(served.ids) == 60
    told, hows = interactions([1, 2, 3], [4, 5, 6]), []
    for change in (dict[str, Any](), {"warm": False}, {"dimension": 32}):
        own = settings.models.sequence.model_copy(update=change)
        hows.append(shopper_model(told, columns(), VectorIndex.empty(N), own, tmp_path, earlier=served).how)
    assert [how.split(",")[0] for how in hows] == [f"warm start from {served.name}", "trained", "trained"]
    early = interactions([1, 2, 3], [4, 5, 6])
    early.events.times_ms[:] -= 400 * DAY_MS  # to begin with what came later would be foresight
    found = shopper_model(early, columns(), VectorIndex.empty(N), settings.models.sequence, tmp_path, earlier=served)
    assert found.how.startswith("trained, ")


@needs_torch
def test_the_earlier_model_is_only_looked_for_where_it_could_be_used(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = shop_settings(tmp_path)
    assert earlier_model(before, asked, "") is not None
    assert earlier_model(before, asked, "another encoder") is None
    assert earlier_model(tmp_path, asked, "") is None  # nothing serves yet
    assert earlier_model(before, shop_settings(tmp_path, TINY + "warm = false\n"), "") is None
    without = asked.model_copy(update={"models": asked.models.model_copy(update={"train": ("popular",)})})
    assert earlier_model(before, without, "") is None
    unknown(monkeypatch)
    assert earlier_model(before, asked, "") is None


@needs_torch
def test_a_cut_training_leaves_a_checkpoint_and_goes_on_from_it(tmp_path: Path) -> None:
    settings, checkpoint = shop_settings(tmp_path).models.sequence, tmp_path / CHECKPOINT
    told = interactions(*[[i % N, (i + 1) % N, (i + 2) % N] for i in range(64)])

    def stop(stage: str, done: int, total: int) -> None:
        if done == total - 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shopper_model(told, columns(), VectorIndex.empty(N), settings, tmp_path, stop, checkpoint=checkpoint)
    assert checkpoint.exists()
    steps: list[int] = []
    found = shopper_model(
        told, columns(), VectorIndex.empty(N), settings, tmp_path, lambda *heard: steps.append(heard[1]),
        checkpoint=checkpoint,
    )  # fmt: skip
    assert found.how.startswith("trained, ") and steps[0] > 1


@needs_torch
def test_a_checkpoint_of_something_else_is_replaced_with_a_note(tmp_path: Path) -> None:
    settings, checkpoint = shop_settings(tmp_path).models.sequence, tmp_path / CHECKPOINT
    told = interactions([1, 2, 3], [4, 5, 6])
    note = f"{CHECKPOINT} was of other events, products or settings and is replaced"
    shopper_model(told, columns(), VectorIndex.empty(N), settings, tmp_path, checkpoint=checkpoint)
    again = interactions([1, 2, 3], [4, 5, 7])
    found = shopper_model(again, columns(), VectorIndex.empty(N), settings, tmp_path, checkpoint=checkpoint)
    assert found.model is not None and found.how.startswith("trained, ") and note in found.how
    checkpoint.write_bytes(b"cut")
    found = shopper_model(again, columns(), VectorIndex.empty(N), settings, tmp_path, checkpoint=checkpoint)
    assert found.model is not None and note in found.how


@needs_torch
def test_a_training_is_refused_before_it_begins_where_memory_is_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.training.shopper_model.free_memory", lambda: 10**5)
    with pytest.raises(TrainingError, match=r"0 MB are free\. No smaller size fits"):
        shopper_model(interactions([1, 2]), columns(), VectorIndex.empty(N), SequenceSettings(device="cpu"), tmp_path)
