"""The bench of personal search, on a shop whose shoppers are as faithful as can be."""

from pathlib import Path
from typing import Any

import pytest

from wares.app.bench.personal import personal_figures
from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.engine.settings import load_settings
from wares.engine.snapshot import write_snapshot
from wares.errors import TrainingError
from wares.evaluation.personal import PERSONAL, PLAIN
from wares.shop import open_shop
from wares.store.sqlite import Store
from wares.training.build import build_snapshot

DAY_MS = 86_400_000
END_MS = 1_790_000_000_000
MAKERS = ("Acme", "Bolta", "Kestrel", "Marlow", "Orbis", "Quill")
TOML = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "buy_again", "item_knn", "ease"]\n'


def goods() -> list[Product]:
    """Six teas and six breads that differ in their maker alone; two of another kind share one title."""
    alike = [
        Product(f"{maker}-{kind}", f"Fresh {kind.lower()}, {maker}, large", category=("Food", kind), currency="USD")
        for kind in ("Tea", "Bread")
        for maker in MAKERS
    ]
    twins = [
        Product(f"twin-{i}", "Plain rice, Zenith, large", category=(f"Shelf {i}",), currency="USD") for i in (1, 2)
    ]
    return [*alike, *twins]


def habits() -> list[Event]:
    """Each of twelve shoppers buys the tea and the bread of one maker, and a twin, every ten days."""
    return [
        Event(EventKind.PURCHASE, END_MS - day * DAY_MS, f"s{shopper}", product_id, basket_id=f"{shopper}-{day}")
        for shopper in range(12)
        for day in range(0, 100, 10)
        for product_id in (f"{MAKERS[shopper % 6]}-Tea", f"{MAKERS[shopper % 6]}-Bread", "twin-1")
    ]


def figures_of(folder: Path, *, trained: bool = True) -> dict[str, Any]:
    folder.mkdir()
    (folder / "wares.toml").write_text(TOML)
    with Store.open(folder, "write") as store:
        store.catalogue.put(goods())
        store.events.append(habits())
        if trained:
            snapshots = folder / "snapshots"
            write_snapshot(build_snapshot(store, load_settings(folder), None, snapshots, END_MS), snapshots)
    with open_shop(folder, create=False) as shop:
        return personal_figures(
            shop, days=28, earlier=0, n_shoppers=9, per_shopper=3, seed=0, tell=lambda what, done, total: None
        )


def test_faithful_shoppers_find_their_own_maker_first_and_strangers_are_told_nothing_of_it(tmp_path: Path) -> None:
    figures = figures_of(tmp_path / "shop")
    assert figures["shoppers"] == 9
    for kind in ("category", "kind"):
        mrr = figures[kind]["all"]["mrr"]
        assert mrr[PERSONAL] == 1
        assert mrr["low"] > 0
    assert figures["kind"]["never bought before"]["shoppers"] == 0
    unknown = figures["unknown shopper"]
    assert unknown["asked"] > 0
    assert unknown["answered otherwise than by a search that knows nobody"] == 0
    assert figures["time"][PLAIN]["asked"] == figures["time"][PERSONAL]["asked"]


def test_whole_titles_are_asked_for_only_where_they_name_one_hit(tmp_path: Path) -> None:
    title = figures_of(tmp_path / "shop")["title"]
    assert title["questions"] == 18  # of three products in each of nine baskets the twin is left out
    assert title["all"]["mrr"][PERSONAL] == title["all"]["mrr"][PLAIN] == 1


def test_a_shop_that_has_learnt_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="wares train"):
        figures_of(tmp_path / "shop", trained=False)
