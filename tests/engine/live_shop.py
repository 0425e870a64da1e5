"""A shop of a few products for the tests of the engine, with no encoder unless one is asked for."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Progress
from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.engine.settings import Settings, load_settings
from wares.engine.snapshot import Snapshot
from wares.store.sqlite import Store
from wares.training.build import build_snapshot

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
NO_ENCODER = '[encoder]\nsource = "none"\n'
TITLES = ("whole milk", "skim milk", "rye bread", "white bread", "carrot cake", "green tea", "black tea", "oat drink")


class FakeEncoder:
    """Unit vectors drawn from a hash of the text; counts what it was asked."""

    fingerprint, dimension = "fake", 8

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        self.asked += texts
        seeds = [int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "little") for text in texts]
        drawn = np.stack([np.random.default_rng(seed).normal(size=8) for seed in seeds])
        unit: NDArray[np.float64] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit.astype(np.float32)


def product(product_id: str, title: str = "", **more: Any) -> Product:
    return Product(product_id, title=title or f"thing {product_id}", currency="USD", **more)


def products() -> list[Product]:
    """p0..p7, two brands, two categories, prices 1.00 to 8.00."""
    drinks = ("milk", "tea", "drink")
    return [
        product(
            f"p{i}",
            title,
            brand="AB"[i % 2],
            category=("Food", "Drinks" if title.endswith(drinks) else "Baked"),
            price_minor=100 * (i + 1),
        )
        for i, title in enumerate(TITLES)
    ]


def bought(shopper: str, product_id: str, day: float = 0, **more: Any) -> Event:
    """`day` days before now."""
    kind = more.pop("kind", EventKind.PURCHASE)
    return Event(kind, int(NOW_MS - day * DAY_MS), shopper, product_id, **more)


def baskets() -> list[Event]:
    """Four shoppers; p0 goes with p2, p4 with p5."""
    pairs = {"ann": ("p0", "p2"), "bob": ("p0", "p2"), "cleo": ("p4", "p5"), "dan": ("p4", "p5")}
    return [
        bought(shopper, product_id, day, basket_id=f"{shopper}-{day}")
        for shopper, pair in pairs.items()
        for day in (30, 20, 10)
        for product_id in pair
    ]


def settings_of(folder: Path, toml: str = NO_ENCODER) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wares.toml").write_text(toml)
    return load_settings(folder)


def learnt(store: Store, settings: Settings, folder: Path, encoder: FakeEncoder | None = None) -> Snapshot:
    return build_snapshot(store, settings, encoder, folder / "snapshots", NOW_MS)
