"""A learnt shop of any size, made by rule, on disk: `python -m wares.app.bench.serving.made_up_shop FOLDER N SEED`."""

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from wares.app.bench.made_up import PhraseVectors, made_up_products
from wares.domain.event import Event, EventKind
from wares.engine.assembly import new_encoder
from wares.engine.learnt import SNAPSHOTS
from wares.engine.snapshot import write_snapshot
from wares.shop import open_shop
from wares.training.build import build_snapshot

EVENTS_PER_PRODUCT, EVENTS_PER_SHOPPER = 5, 50
_BATCH = 50_000
_DAY_MS = 86_400_000
_KINDS = (EventKind.VIEW, EventKind.CART, EventKind.PURCHASE)
_CHANCES = (0.75, 0.1, 0.15)


def shoppers_of(products: int) -> int:
    """How many shoppers such a shop has; their ids are u0, u1, ..."""
    return max(1, products * EVENTS_PER_PRODUCT // EVENTS_PER_SHOPPER)


def made_up_events(products: int, now_ms: int, rng: np.random.Generator) -> Iterator[Event]:
    """Ninety days up to now. Few products are wanted much, most little; a shopper keeps to one stretch of the
    catalogue for half of what they do."""
    n, shoppers = products * EVENTS_PER_PRODUCT, shoppers_of(products)
    homes = rng.integers(0, products, shoppers)
    whose = rng.integers(0, shoppers, n)
    anywhere = (products * rng.random(n) ** 3).astype(int)
    near = (homes[whose] + rng.integers(0, 200, n)) % products
    wanted = np.where(rng.random(n) < 0.5, near, anywhere).tolist()
    kinds = rng.choice(len(_KINDS), n, p=_CHANCES).tolist()
    for i, (shopper, product, kind) in enumerate(zip(whose.tolist(), wanted, kinds, strict=True)):
        time_ms = now_ms - (n - i) * 90 * _DAY_MS // n
        basket = f"b{i // 3}" if _KINDS[kind] is EventKind.PURCHASE else ""
        yield Event(_KINDS[kind], time_ms, f"u{shopper}", f"p{product}", basket_id=basket)


def build(folder: Path, n: int, seed: int) -> None:
    """Products, events, and a snapshot of all that a shop learns by default; vectors as in `wares bench scale`."""
    with open_shop(folder) as shop:
        store, settings, now_ms = shop.writer(), shop.settings, int(time.time() * 1000)
        products = made_up_products(n, seed)
        while some := list(islice(products, _BATCH)):
            store.catalogue.put(some)
        store.events.append(made_up_events(n, now_ms, np.random.default_rng(seed)))
        encoder = new_encoder(settings, folder)
        meant = PhraseVectors(encoder, seed) if encoder is not None else None
        snapshots = folder / SNAPSHOTS
        snapshot = build_snapshot(store, settings, meant, snapshots, now_ms)
        write_snapshot(snapshot, snapshots)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
