"""What shoppers like, in numbers: how much each event still counts, and how much each shopper likes each product."""

import numpy as np
from numpy.typing import NDArray

from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.domain.sorting import numbered
from wares.models.memory import Sparse, sparse

DAY_MS = 86_400_000


def fading(times_ms: NDArray[np.int64], now_ms: int, half_life_days: float) -> NDArray[np.float32]:
    """(n,) in (0, 1]: a half per `half_life_days` of age; 1 for the future and for an infinite half-life."""
    faded: NDArray[np.float32] = np.exp2(ages_days(times_ms, now_ms) * np.float32(-1 / half_life_days))
    return faded


def ages_days(times_ms: NDArray[np.int64], now_ms: int) -> NDArray[np.float32]:
    """(n,) from 0, which is also the age of what is to come."""
    ages: NDArray[np.float32] = np.maximum(now_ms - times_ms, 0).astype(np.float32) / np.float32(DAY_MS)
    return ages


def taste(history: History, now_ms: int, half_life_days: float) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The distinct products (m,) that a history speaks for, ascending, with log(1 + sum of faded interest) (m,)."""
    weight = history.interest * fading(history.times_ms, now_ms, half_life_days)
    speaks = weight > 0
    products, place = numbered(history.rows[speaks])
    return products, np.log1p(np.bincount(place, weight[speaks], len(products))).astype(np.float32)


def preferences(interactions: Interactions, now_ms: int, half_life_days: float) -> Sparse:
    """`taste` of every known shopper: (n_shoppers, n_products), each row's columns ascending."""
    known = interactions.known()
    events, width = known.events, max(known.n_products, 1)
    weight = events.interest * fading(events.times_ms, now_ms, half_life_days)
    pair = known.shoppers.astype(np.int64) * width + events.rows
    pairs, place = np.unique(pair[weight > 0], return_inverse=True)
    liking = np.log1p(np.bincount(place, weight[weight > 0], len(pairs)))
    indptr = np.searchsorted(pairs, np.arange(known.n_shoppers + 1, dtype=np.int64) * width)
    return sparse(liking, pairs % width, indptr, (known.n_shoppers, known.n_products))
