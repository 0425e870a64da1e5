"""A made-up shop with known habits, as events and as histories."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wares.domain.event import Event, EventKind
from wares.domain.interactions import Interactions
from wares.domain.product import Product
from wares.engine.settings import load_settings
from wares.engine.snapshot import write_snapshot
from wares.store.sqlite import Store
from wares.training.build import build_snapshot, known

DAY_MS = 86_400_000
END_MS = 1_790_000_000_000
TASTES, PER_TASTE = 4, 15
TOML = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "popular_lately", "buy_again", "item_knn", "ease"]\n'


def goods(n: int = TASTES * PER_TASTE) -> list[Product]:
    """Product p{i} belongs to taste i % 4; every third has a description."""
    return [
        Product(
            f"p{i}", f"Thing {i}", "Good." if i % 3 == 0 else "", f"Maker {i % TASTES}", ("Food", f"Kind {i % TASTES}"),
            100 + i, "USD", attributes={"colour": ("red",)} if i % 2 else {},
        )
        for i in range(n)
    ]  # fmt: skip


def habits(n_shoppers: int = 60, weeks: int = 20, *, loyal: bool = True, seed: int = 0) -> list[Event]:
    """Every week each shopper buys three products: of their own taste and mostly of their own four, if they are
    `loyal`; else three that chance draws, the same chance for all."""
    rng = np.random.default_rng(seed)
    chance = 1 / (1 + np.arange(TASTES * PER_TASTE))
    events = []
    for shopper in range(n_shoppers):
        mine = TASTES * rng.permutation(PER_TASTE) + shopper % TASTES
        for week in range(weeks):
            if loyal:
                basket: Sequence[int] = [*rng.choice(mine[:4], 2, replace=False).tolist(), int(rng.choice(mine))]
            else:
                basket = rng.choice(len(chance), 3, replace=False, p=chance / chance.sum()).tolist()
            at = END_MS - (7 * (weeks - 1 - week) + shopper % 5) * DAY_MS
            events += [
                Event(EventKind.PURCHASE, at, f"s{shopper}", f"p{row}", basket_id=f"{shopper}-{week}")
                for row in dict.fromkeys(basket)
            ]
    return events


def made_shop(
    folder: Path,
    events: Sequence[Event],
    products: Sequence[Product] | None = None,
    more: str = "",
    trained: bool = False,
) -> Path:
    """A shop in a folder; with `trained`, one with a snapshot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wares.toml").write_text(TOML + more)
    with Store.open(folder, "write") as store:
        store.catalogue.put(goods() if products is None else products)
        store.events.append(events)
        if trained:
            snapshots = folder / "snapshots"
            write_snapshot(build_snapshot(store, load_settings(folder), None, snapshots, END_MS), snapshots)
    return folder


def seen(folder: Path) -> tuple[list[Product], Interactions]:
    """What `wares.training.build.known` reads there."""
    with Store.open(folder, "read") as store:
        products, _, interactions = known(store)
    return products, interactions
