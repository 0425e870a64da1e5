"""A product added after training is shown to those whose taste it fits, by its words alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from live_shop import NOW_MS, bought, product, settings_of
from numpy.typing import NDArray
from scipy.sparse import csr_array

from wares.contracts import Progress
from wares.domain.event import EventKind
from wares.domain.request import Request
from wares.domain.shopper import KIND_CODES, History
from wares.engine.assembly import Engine
from wares.engine.snapshot import write_snapshot
from wares.engine.view import ShopView
from wares.models.ease import EASE
from wares.models.sequence import SequenceModel, unit
from wares.store.sqlite import Store
from wares.training.build import build_snapshot

HOME = '[profiles.home]\nsources = ["sequence"]\nformula = { sequence = 1.0 }\npolicies = []\n'
TASTES = ("coffee", "tea")
PURCHASE = KIND_CODES[EventKind.PURCHASE]
SAYS = np.array([[1, -1, 0, 0], [0, 0, 1, -1]], np.float32)  # what coffee and tea say: (2, d)


class TasteEncoder:
    """Knows two words."""

    fingerprint, dimension = "taste", 2

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        return unit(np.array([[word in text for word in TASTES] for text in texts], np.float32))


def after_training(n_products: int) -> SequenceModel:
    """Even products are coffee, odd ones tea; who bought one wants more of it. A network without a block."""
    inputs = SAYS[np.arange(n_products) % 2]
    return SequenceModel(
        {
            "inputs": inputs, "products": unit(inputs), "biases": np.zeros(n_products, np.float32),
            "near": np.zeros((1, 20), np.float32), "heads": np.array(1), "scale": np.array([2.0], np.float32),
            "norm.weight": np.ones(4, np.float32), "norm.bias": np.zeros(4, np.float32),
            "out": np.eye(4, dtype=np.float32), "text": SAYS, "text.centre": np.zeros(2, np.float32),
            "text.turn": np.eye(2, dtype=np.float32),
        }
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    settings_of(tmp_path, HOME)
    with Store.open(tmp_path, "write") as opened:
        opened.catalogue.put([product(f"p{i}", f"{TASTES[i % 2]} number {i}") for i in range(8)])
        opened.events.append([bought("ann", "p0", 3), bought("ann", "p2", 2), bought("bob", "p1", 3)])
        yield opened


def engine_of(folder: Path, store: Store, encoder: TasteEncoder | None) -> Engine:
    settings = settings_of(folder, HOME)
    snapshot = build_snapshot(store, settings, encoder, folder / "snapshots", NOW_MS)
    return Engine(folder, settings, store, encoder, replace(snapshot, models={"sequence": after_training(8)}))


def places(engine: Engine, store: Store, shopper: str) -> dict[str, int]:
    """Where each product stands on this shopper's home page."""
    engine.live.catch_up(store.catalogue, store.events)
    history, _ = engine.history(shopper, engine.live)
    order = engine.answer(Request("home", NOW_MS), history).order
    return {engine.live.state.columns.ids[row]: place for place, row in enumerate(order.tolist())}


def test_a_product_added_after_training_is_recommended_to_those_whose_taste_it_fits(
    tmp_path: Path, store: Store
) -> None:
    engine = engine_of(tmp_path, store, TasteEncoder())
    store.catalogue.put([product("new", "coffee of a new kind")])
    for_ann, for_bob = places(engine, store, "ann"), places(engine, store, "bob")
    assert "new" in for_ann and for_ann["new"] < min(for_ann.get(f"p{i}", 99) for i in (1, 3, 5, 7))
    assert for_bob.get("new", 99) > max(for_bob.get(f"p{i}", 99) for i in (1, 3, 5, 7))


def test_without_an_encoder_a_new_product_is_no_more_than_average_to_the_model(tmp_path: Path, store: Store) -> None:
    engine = engine_of(tmp_path, store, None)
    store.catalogue.put([product("new", "coffee of a new kind")])
    assert "new" not in places(engine, store, "ann")


def test_what_neighbours_say_of_a_new_product_is_what_they_say_of_its_kin(tmp_path: Path, store: Store) -> None:
    (tmp_path / "wares.toml").unlink()
    settings = settings_of(tmp_path, HOME.replace("sequence", "ease"))
    store.catalogue.put([product(f"q{i}", f"{TASTES[i % 2]} of sort {i}") for i in range(32)])
    store.events.append([bought("cy", f"q{i}", 9) for i in range(32)])
    encoder = TasteEncoder()
    snapshot = build_snapshot(store, settings, encoder, tmp_path / "snapshots", NOW_MS)
    n = len(snapshot.columns)
    kind_of = np.array([int(one[1:]) % 2 for one in snapshot.columns.ids])  # as the titles say
    ease = EASE()
    ease.links = csr_array((kind_of[:, None] == kind_of[None, :]).astype(np.float32))
    engine = Engine(tmp_path, settings, store, encoder, replace(snapshot, models={"ease": ease}))
    store.catalogue.put([product("new", "coffee of a new kind"), product("unlike", "tea of a new kind")])
    found = places(engine, store, "ann")
    assert "new" in found and "unlike" not in found
    view = ShopView(engine.live, NOW_MS)
    assert len(view.columns) == n + 2
    history, _ = engine.history("ann", engine.live)
    scores = view.model_scores("ease", history, NOW_MS)
    assert scores[n] == pytest.approx(scores[:n].max(), rel=1e-5) and scores[n + 1] == 0


def test_a_product_whose_title_changes_keeps_what_was_learnt_of_it(tmp_path: Path, store: Store) -> None:
    engine = engine_of(tmp_path, store, TasteEncoder())
    store.catalogue.put([product("p4", "now called tea")])
    found = places(engine, store, "ann")
    assert found["p4"] < min(found.get(f"p{i}", 99) for i in (1, 3, 5, 7))


def test_the_score_of_a_new_product_is_that_of_a_known_one_that_says_the_same() -> None:
    model, encoder = after_training(8), TasteEncoder()
    n = 2
    history = History(np.array([0, 2], np.int32), np.arange(n), np.full(n, PURCHASE, np.int8), np.ones(n, np.float32))
    text = np.append(encoder.encode(["coffee", "tea"], "passage"), np.zeros((1, 2), np.float32), axis=0)
    known = model.score(history, NOW_MS)
    assert known[4] > known[5]
    np.testing.assert_allclose(model.score_new(history, text), [known[4], known[5], 0], atol=1e-5)
    assert not model.score_new(History.empty(), text).any()
    assert not model.score_new(history, np.ones((3, 7), np.float32)).any()  # vectors of another encoder say nothing


def test_a_new_product_that_nobody_touched_goes_on_borrowing_after_the_next_training(
    tmp_path: Path, store: Store
) -> None:
    (tmp_path / "wares.toml").unlink()
    settings = settings_of(tmp_path, HOME.replace("sequence", "ease"))
    encoder, folder = TasteEncoder(), tmp_path / "snapshots"
    store.catalogue.put([product(f"q{i}", f"{TASTES[i % 2]} of sort {i}") for i in range(32)])
    store.events.append([bought(f"{TASTES[i % 2]} lover {j}", f"q{i}", 9) for i in range(32) for j in range(3)])
    store.events.append([bought("ann", f"q{i}", 2) for i in (0, 2, 4, 6)])

    def trained() -> Engine:
        write_snapshot(build_snapshot(store, settings, encoder, folder, NOW_MS), folder)
        return Engine(tmp_path, settings, store, encoder)

    def score(engine: Engine, product_id: str) -> float:
        view = ShopView(engine.live, NOW_MS)
        history, _ = engine.history("ann", engine.live)
        return float(view.model_scores("ease", history, NOW_MS)[view.columns.row_of[product_id]])

    trained()
    store.catalogue.put([product("new", "coffee of a new kind"), product("unlike", "tea of a new kind")])
    for engine in (trained(), trained()):  # new to the one before, and still new to the next
        assert engine.live.state.n_learnt == len(engine.live.state.columns)
        assert score(engine, "new") > 0.01 > abs(score(engine, "unlike"))
        found = places(engine, store, "ann")
        assert "new" in found and "unlike" not in found
    store.events.append([bought("cy", "new", 1)])
    assert "new" not in np.array(trained().live.snapshot.columns.ids)[trained().live.snapshot.newcomers]
