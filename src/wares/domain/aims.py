"""Business aims: what a shop may want of its order beside relevance, as numbers of its products, (n,) each.

- margin: (price paid now - cost) / price, at most 1.
- stock_cover: days that the stock lasts at the pace at which it sells. A purchase counts as one unit, and each product
  as if it had been bought once more than it was, so that what nobody buys has a number, too.
- stock_age: days since the stock at hand came, else since the product was published.

nan = not known. What is wanted is more of it: of two products the one with the higher margin, with the longer cover
(stock that should go), with the older stock.
"""

import math

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns

AIMS = ("margin", "stock_cover", "stock_age")
NEEDS = {"margin": "cost", "stock_cover": "stock", "stock_age": "stock_since"}  # of `Columns.trade`
DAY_MS = 86_400_000
_ONE_MORE = 1.0  # purchase
_MOST = 10_000  # products that a scale is made of
_DIGITS = 6  # numbers that differ by rounding alone are equal

Floats = NDArray[np.float64]


def aim_values(
    aim: str,
    columns: Columns,
    rows: NDArray[np.int32],
    purchases: NDArray[np.floating],
    half_life_days: float,
    now_ms: int,
) -> Floats:
    """(len(rows),) in the aim's unit. `purchases` (len(rows),) are fading counts with this half-life."""
    trade = columns.trade
    if aim == "margin":
        price, cost = columns.numbers["price"][rows], trade["cost"][rows]
        priced = np.where(price > 0, price, np.nan)
        return np.round((priced - cost) / priced, _DIGITS)
    if aim == "stock_cover":
        per_day = (np.asarray(purchases, np.float64) + _ONE_MORE) * math.log(2) / half_life_days
        return np.round(trade["stock"][rows] / per_day, _DIGITS)
    if aim == "stock_age":
        return np.round(np.maximum(now_ms - trade["stock_since"][rows], 0) / DAY_MS, _DIGITS)
    raise KeyError(aim)


def scale_of(values: Floats, counts: NDArray[np.bool_]) -> Floats:
    """(m,) growing: the known values (n,) of the products that `counts` (n,); evenly chosen ones of very many."""
    known = values[counts & ~np.isnan(values)]
    return np.sort(known[:: max(1, math.ceil(len(known) / _MOST))])


def standing(values: Floats, scale: Floats) -> NDArray[np.float32]:
    """(k,) -> (k,) in [-1, 1]: where each value stands in a scale; 0 = in its middle, or not known.

    >>> (100 * standing(np.array([10.0, 20.0, 30.0, np.nan]), scale=np.array([10.0, 20.0, 30.0]))).round().tolist()
    [-67.0, 0.0, 67.0, 0.0]
    """
    if not len(scale):
        return np.zeros(len(values), np.float32)
    places = np.searchsorted(scale, values, "left") + np.searchsorted(scale, values, "right")
    return np.where(np.isnan(values), 0.0, places / len(scale) - 1).astype(np.float32)
