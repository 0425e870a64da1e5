"""How long answers take in process: one question after the other, each asked for the first time."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wares.app.bench.queries import draw_query, titles_of
from wares.shop import Shop

_WARM_UP = 20
_K = 24


def search_times(shop: Shop, rng: np.random.Generator, n: int = 500) -> dict[str, Any]:
    """Distinct queries with the shop's own facets; the encoder has seen none of them."""
    titles = titles_of(shop.store, shop.engine.live.state.columns, rng)
    queries: dict[str, None] = {}
    for _ in range(20 * (n + _WARM_UP)):
        if len(queries) == n + _WARM_UP:
            break
        queries.setdefault(draw_query(titles, rng))
    facets = shop.settings.shop.facets
    return _timed(lambda query: shop.search(query, facets=facets, k=_K), list(queries))


def recommend_times(shop: Shop, shoppers: Sequence[str]) -> dict[str, Any]:
    """The home page of each of these shoppers."""
    return _timed(lambda shopper: shop.recommend(shopper, k=_K), list(shoppers))


def _timed(ask: Callable[[str], object], questions: list[str]) -> dict[str, Any]:
    """p50, p95, p99 and mean in ms. Some questions come first and do not count."""
    ahead = min(_WARM_UP, len(questions) // 2)
    for question in questions[:ahead]:
        ask(question)
    took_ms = []
    for question in questions[ahead:]:
        started = time.perf_counter()
        ask(question)
        took_ms.append((time.perf_counter() - started) * 1000)
    p50, p95, p99 = (round(float(p), 2) for p in np.percentile(took_ms, (50, 95, 99)))
    return {
        "asked": len(took_ms),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "mean_ms": round(float(np.mean(took_ms)), 2),
    }
