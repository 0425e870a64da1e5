"""How soon an answer shows what has changed, in a shop that has learnt and answers: prices, stock, new products.

`python -m wares.app.bench.feed_changes FOLDER PRODUCTS CHANGES SEED` builds the shop and measures, in a process of its
own. Vectors of its texts are those of their phrases, varied (`made_up.PhraseVectors`); new products and queries are
really encoded.
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from wares.app.bench.made_up import PhraseVectors, made_up_products
from wares.app.bench.made_up_feeds import write_events
from wares.domain.product import Product
from wares.domain.result import Page
from wares.engine.assembly import new_encoder
from wares.engine.learnt import SNAPSHOTS
from wares.engine.snapshot import write_snapshot
from wares.shop import Shop, open_shop
from wares.training.build import build_snapshot

_BATCH = 5_000  # products of one transaction; changes of one call, as `wares update` does
_SHOWN = 50  # changes that are waited for
_PATIENCE_S = 5.0
_LETTERS = "abcdefghijklmnopqrst"  # of the new products' brands
_WARM_UP, _K = 5, 24
_DEPTH = 100  # places among which a new product counts as recommended


def build(folder: Path, n: int, seed: int) -> None:
    """A shop of `n` products and as many events, learnt."""
    with open_shop(folder) as shop:
        store, products = shop.writer(), made_up_products(n, seed)
        while some := list(islice(products, _BATCH)):
            store.catalogue.put(some)
        write_events(folder / "events.csv", n, n, seed)
        shop.record(folder / "events.csv")
        encoder = new_encoder(shop.settings, folder)
        meant = PhraseVectors(encoder, seed) if encoder is not None else None
        snapshot = build_snapshot(store, shop.settings, meant, folder / SNAPSHOTS, int(time.time() * 1000))
        write_snapshot(snapshot, folder / SNAPSHOTS)


def measure(folder: Path, n: int, changes: int, seed: int) -> dict[str, Any]:
    """Changes of price and stock per second, ms until an answer shows one, s until a new product is found and shown."""
    rng = np.random.default_rng(seed)
    with open_shop(folder, create=False) as shop:
        sold = list(islice(made_up_products(n, seed), max(changes, _SHOWN)))
        for product in sold[:_WARM_UP]:
            shop.search(product.title, k=_K)
            shop.similar(product.id, k=_K)
        return {
            "products": n,
            **_bulk(shop, [product.id for product in sold[:changes]], rng),
            "shown_after_ms": _percentiles([_until_shown(shop, one, rng) for one in sold[:_SHOWN]], 1000),
            "new_product_s": _new_products(shop, sold[: len(_LETTERS)]),
        }


def _bulk(shop: Shop, ids: list[str], rng: np.random.Generator) -> dict[str, Any]:
    prices, stocks = rng.integers(100, 9_000, len(ids)).tolist(), rng.integers(1, 99, len(ids)).tolist()
    rows = [
        {"id": one, "price": price / 100, "stock": stock} for one, price, stock in zip(ids, prices, stocks, strict=True)
    ]
    started, began = time.perf_counter(), time.process_time()
    for start in range(0, len(rows), _BATCH):
        shop.update(rows[start : start + _BATCH])
    clock_s, processor_s = time.perf_counter() - started, time.process_time() - began
    told = {"changes": len(rows), "changes_per_s": round(len(rows) / clock_s)}
    return {**told, "changes_per_cpu_s": round(len(rows) / processor_s)}


def _until_shown(shop: Shop, product: Product, rng: np.random.Generator) -> float | None:
    """Seconds from the change of a price to an answer that shows it; None = never."""
    price = int(rng.integers(10_000, 90_000))
    started = time.perf_counter()
    shop.update([{"id": product.id, "price": price / 100, "stock": 7}])

    def shown() -> bool:
        hits = shop.search(product.title, k=_K).hits
        return any((hit.product.id, hit.product.price_minor) == (product.id, price) for hit in hits)

    return _until(shown, started)


def _new_products(shop: Shop, kin: list[Product]) -> dict[str, Any]:
    """Each new product is like one that is sold, of a brand of its own. Times count from the call that puts it."""
    took = [_new_product(shop, like, f"Zq{_LETTERS[i]}vo") for i, like in enumerate(kin)]
    names = ("found_by_search", "has_recommendations", "is_recommended")
    return {name: _percentiles([one[place] for one in took], 1) for place, name in enumerate(names)}


def _new_product(shop: Shop, like: Product, brand: str) -> tuple[float | None, float | None, float | None]:
    """Seconds until a search for it finds it, until it has similar ones, until it is among those similar to its kin."""
    title = like.title.replace(like.brand, brand)
    started = time.perf_counter()
    shop.put([{"id": brand, "title": title, "brand": brand, "price": 5.0, "category": list(like.category)}])
    return (
        _until(lambda: _holds(shop.search(f"{brand} {like.category[-1]}", k=_K), brand), started),
        _until(lambda: bool(shop.similar(brand, k=_K).hits), started),
        _until(lambda: _holds(shop.similar(like.id, k=_DEPTH), brand), started),
    )


def _holds(page: Page, product_id: str) -> bool:
    return any(hit.product.id == product_id for hit in page.hits)


def _until(done: Callable[[], bool], started: float) -> float | None:
    while not done():
        if time.perf_counter() - started > _PATIENCE_S:
            return None
    return time.perf_counter() - started


def _percentiles(seconds: list[float | None], times: int) -> dict[str, Any]:
    """Of those that came, and how many never did."""
    came = [one * times for one in seconds if one is not None]
    p50, p95, most = np.percentile(came, (50, 95, 100)).round(3).tolist() if came else (None, None, None)
    return {"p50": p50, "p95": p95, "max": most, "never": len(seconds) - len(came)}


if __name__ == "__main__":
    where, products, changes, seed = Path(sys.argv[1]), *map(int, sys.argv[2:])
    build(where, products, seed)
    print(json.dumps(measure(where, products, changes, seed)))
