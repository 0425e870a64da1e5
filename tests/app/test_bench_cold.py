"""The bench of new products, on a shop whose shoppers keep to one kind of goods."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from wares.app.bench.cold import bounds_by_shopper, chosen_rows, cold_figures, print_cold
from wares.app.bench.cold_dropout import DropoutNet, contents_of
from wares.app.bench.cold_rows import ROWS, category_popularity
from wares.domain.event import Event, EventKind
from wares.domain.interactions import Interactions
from wares.domain.product import Product
from wares.domain.shopper import KIND_CODES, History
from wares.engine.settings import load_settings
from wares.engine.snapshot import write_snapshot
from wares.errors import InputError, TrainingError, UnknownName
from wares.store.sqlite import Store
from wares.training.build import build_snapshot

DAY_MS = 86_400_000
END_MS = 1_790_000_000_000
KINDS, SHOPPERS = 4, 24
TOML = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'


class Words:
    """An encoder in which texts of one first word lie together."""

    fingerprint, dimension = "words", 32

    def encode(self, texts: Any, kind: str, on_progress: Any = None) -> NDArray[np.float32]:
        found = []
        for text in texts:
            word, noise = (np.random.default_rng(list(part.encode())) for part in (text.split()[0], text))
            one = word.standard_normal(32) + 0.3 * noise.standard_normal(32)
            found.append(one / np.linalg.norm(one))
        return np.array(found, np.float32)


def goods() -> list[Product]:
    """Four kinds, each with ten old products and ten that come in the last weeks."""
    return [
        Product(f"{kind}-{i}", f"{'abcd'[kind] * 5} thing number {i}", category=(f"Kind {kind}",), currency="USD")
        for kind in range(KINDS)
        for i in range(20)
    ]


def habits() -> list[Event]:
    """Everybody buys one kind alone; a new product of it comes every six days from day 60 before the end on."""
    events = []
    for shopper in range(SHOPPERS):
        rng = np.random.default_rng(shopper)
        for day in range(150, -1, -6):
            old, new = rng.integers(10), 10 + (60 - day) // 6
            for i in {int(old), new if new >= 10 else int(old)}:
                at = END_MS - day * DAY_MS
                events.append(
                    Event(
                        EventKind.PURCHASE,
                        at,
                        f"s{shopper}",
                        f"{shopper % KINDS}-{min(i, 19)}",
                        basket_id=f"{shopper}-{day}",
                    )
                )
    return events


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cold") / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text(TOML)
    with Store.open(folder, "write") as store:
        store.catalogue.put(goods())
        store.events.append(habits())
        snapshots = folder / "snapshots"
        write_snapshot(build_snapshot(store, load_settings(folder), Words(), snapshots, END_MS), snapshots)
    return folder


def figures_of(folder: Path, *only: str, days: int = 28, run: Path | None = None) -> dict[str, Any]:
    return cold_figures(
        folder, load_settings(folder), days=days, earlier=0, rows=chosen_rows(ROWS, only), seeds=1, seed=0, run=run,
        tell=lambda what, done, total: None,
    )  # fmt: skip


def test_texts_and_their_neighbours_find_who_buys_a_kind_and_what_is_the_same_for_all_does_not(shop: Path) -> None:
    figures = figures_of(shop, "random", "category popularity", "text", "its likes", "interests")
    mrr = {name: row["mrr"]["mean"] for name, row in figures["rows"].items()}
    n = figures["cold_products"]
    assert mrr["random"] == pytest.approx(sum(1 / place for place in range(1, n + 1)) / n, rel=1e-3)
    best_guess = sum(1 / place for place in range(1, n // KINDS + 1)) / (n // KINDS)
    for name in ("text", "its likes", "interests"):
        assert mrr[name] == pytest.approx(best_guess, rel=0.15)  # its kind's products first, in no known order
    assert mrr["category popularity"] < 0.7 * best_guess


def test_the_blend_is_learnt_from_earlier_products_and_beats_chance_surely(shop: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "run.csv"
    figures = figures_of(shop, "random", "DropoutNet", "wares", run=path)
    assert figures["reference"] == "wares"
    assert figures["reference_minus"]["random"]["mrr"]["low"] > 0
    assert figures["reference_minus"]["random"]["mrr"]["low_by_shopper"] > 0
    assert figures["rows"]["DropoutNet"]["mrr"]["mean"] > 1.5 * figures["rows"]["random"]["mrr"]["mean"]
    assert path.read_text().startswith("shopper,product,rank,score\n0,0-")
    assert json.loads(json.dumps(figures)) == figures
    console = Console(width=200)
    with console.capture() as capture:
        print_cold(console, figures)
    assert "wares minus it" in capture.get()


def test_what_sells_in_a_category_speaks_for_its_new_products() -> None:
    bought = History(
        np.array([0, 0, 0, 1], np.int32),
        np.full(4, END_MS),
        np.full(4, KIND_CODES[EventKind.PURCHASE], np.int8),
        np.ones(4, np.float32),
    )
    train = Interactions(bought, np.full(4, -1), np.array([0, 4]), 5)
    words = [["category=a"], ["category=b"], ["category=a"], ["category=b"], []]
    scores = category_popularity(words, train, END_MS)
    assert scores[2] > scores[4] > scores[3]  # a new one without a category lies between


def test_a_shopper_with_many_purchases_is_one_witness() -> None:
    values, rng = np.array([[1.0]] * 98 + [[0.0]] * 2), np.random.default_rng(0)
    alone = bounds_by_shopper(values, np.arange(100, dtype=np.int32), rng)
    together = bounds_by_shopper(values, np.array([0] * 98 + [1, 2], np.int32), rng)
    assert alone[0][0] > 0.9
    assert together[0][0] < 0.1


def test_words_and_texts_stand_side_by_side_as_contents() -> None:
    texts = np.eye(4, 8, dtype=np.float32)
    found = contents_of(texts, np.array([[0, 1], [1, -1], [-1, -1], [0, -1]], np.int32))
    np.testing.assert_array_equal(found[:, -2:], [[1, 1], [0, 1], [0, 0], [1, 0]])
    assert found[:, :-2].std() == pytest.approx(1, rel=0.01)


def test_the_network_answers_a_shopper_of_whom_nothing_is_known(shop: Path) -> None:
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    rows = rng.integers(12, size=200).astype(np.int32)
    events = History(rows, np.sort(rng.integers(DAY_MS, size=200)), np.full(200, 6, np.int8), np.ones(200, np.float32))
    train = Interactions(events, np.full(200, -1), np.arange(0, 201, 10), 15)
    texts = rng.standard_normal((15, 6)).astype(np.float32)
    model = DropoutNet.fitted(train, DAY_MS, texts, np.zeros((15, 1), np.int32), seed=0)
    assert np.isfinite(model.score(History.empty())).all()
    assert model.score(train.history(0)).shape == (15,)


def test_rows_bring_those_that_they_need_and_unknown_ones_are_named() -> None:
    assert [row.name for row in chosen_rows(ROWS, ["wares"])][-1] == "wares"
    assert len(chosen_rows(ROWS, ["wares"])) > 3
    with pytest.raises(UnknownName, match="DropoutNet"):
        chosen_rows(ROWS, ["nonsense"])


def test_a_shop_without_new_products_or_without_a_snapshot_says_so(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="new in the 1 days"):
        figures_of(shop, "random", days=1)
    (tmp_path / "wares.toml").write_text(TOML)
    Store.open(tmp_path, "write").close()
    with pytest.raises(TrainingError, match="wares train"):
        figures_of(tmp_path, "random")
