"""What the shopper will buy again: a logistic model of how often, how lately and how regularly they bought it.

In the next visit shopper s buys product p, bought before, with probability sigmoid(weights . x(s, p) + offset(p)). The
weights are shared by all, the offsets are the product's own (milk is bought again, a pan is not). Both are learnt from
the last visits of every shopper: what was known before the visit against what was bought in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.scores import Scores
from wares.domain.shopper import KIND_CODES, History
from wares.domain.sorting import distinct, numbered
from wares.models.memory import State, from_arrays, to_arrays
from wares.models.taste import DAY_MS, ages_days

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
HALF_LIVES_DAYS = (7.0, 30.0, 120.0)
# What stands before there is data: faded shares of visits (7, 30, 120 days), bought once, overdue, off its time, rate.
PRIOR = np.array([0.2, 0.1, 1.0, -0.5, 0.2, -0.2, 0.6, 0.0])
TYPICAL_GAP_DAYS = 30.0
_FADING = (-1 / np.array(HALF_LIVES_DAYS)).astype(np.float32)[:, None]
_LEAST_GAP_MS = DAY_MS // 2  # what is bought within half a day is one purchase


@dataclass(frozen=True, slots=True)
class Habit:
    """How products are bought again, over all shoppers: (n_products,) each."""

    log_gap: Floats  # mean log days between purchases
    log_rate: Floats  # log of repeat purchases per buyer

    @staticmethod
    def of(shoppers: NDArray[np.int64], bought: History, n_products: int, doubt: float) -> "Habit":
        """Shrunk towards the mean product as if `doubt` buyers had behaved like that."""
        pair = shoppers * max(n_products, 1) + bought.rows
        order = np.lexsort((bought.times_ms, pair))
        pair, product, times = pair[order], bought.rows[order], bought.times_ms[order]
        gap = np.diff(times)
        again = (pair[1:] == pair[:-1]) & (gap >= _LEAST_GAP_MS)
        log_gap = np.log(gap[again] / DAY_MS)
        repeats = np.bincount(product[1:][again], minlength=n_products)
        first = np.append(True, pair[1:] != pair[:-1])[: len(pair)]
        buyers = np.bincount(product[first], minlength=n_products)
        mean_gap = log_gap.mean() if len(log_gap) else np.log(TYPICAL_GAP_DAYS)
        mean_rate = (repeats.sum() + 1) / (buyers.sum() + 10)
        sums = np.bincount(product[1:][again], log_gap, n_products)
        return Habit(
            ((sums + doubt * mean_gap) / (repeats + doubt)).astype(np.float32),
            np.log((repeats + doubt * mean_rate) / (buyers + doubt)).astype(np.float32),
        )


def describe(bought: History, now_ms: int, habit: Habit) -> tuple[NDArray[np.int32], Doubles]:
    """The distinct products (m,) of purchases, oldest first, and the numbers x (m, 8) in the order of `PRIOR`."""
    products, place = numbered(bought.rows)
    m, times = len(products), bought.times_ms
    visits = distinct(times // DAY_MS) * DAY_MS + DAY_MS // 2
    moment = min(now_ms, int(visits[-1]) + DAY_MS)  # shares do not change with age, and an old log must not fade to 0
    first, last = np.empty(m, np.int64), np.empty(m, np.int64)
    first[place[::-1]] = times[::-1]  # of repeated places the last assignment stays
    last[place] = times
    repeats = np.bincount(place, minlength=m) - 1
    faded, faded_visits = (np.exp2(ages_days(when, moment) * _FADING) for when in (times, visits))  # (3, h), (3, v)
    met = np.stack([np.bincount(place, weights, m) for weights in faded])  # (3, m)
    x = np.empty((m, len(PRIOR)))
    x[:, :3] = np.log(met / faded_visits.sum(axis=1, keepdims=True) + 1e-3).T
    own_gap = np.log((last - first) / DAY_MS / np.maximum(repeats, 1) + 1)
    log_gap = (repeats * own_gap + 2 * habit.log_gap[products]) / (repeats + 2)  # as if two gaps were the product's own
    overdue = np.log(np.maximum(now_ms - last, 0) / DAY_MS + 1) - log_gap
    x[:, 3], x[:, 4], x[:, 5], x[:, 6], x[:, 7] = repeats == 0, overdue, np.abs(overdue), habit.log_rate[products], 1
    return products, x


def sigmoid(z: Doubles) -> Doubles:
    return 0.5 * (1 + np.tanh(z / 2))


def logistic(x: Doubles, y: Doubles, importance: Doubles, start: Doubles, ridge: float) -> Doubles:
    """Weights (f,) for examples x (n, f), y (n,) in {0, 1}, pulled towards `start`, by Newton's method."""
    weights = start.copy()
    for _ in range(15):
        p = sigmoid(x @ weights)  # (n, f) @ (f,) -> (n,)
        slope = x.T @ (importance * (y - p)) - ridge * (weights - start)  # (f, n) @ (n,) -> (f,)
        curve = (x * (importance * p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(weights))  # (f, f)
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-4:
            break
    return weights


@dataclass
class BuyAgain:
    """Scores the products the shopper has bought, 0 for all others; other kinds of events are not read.

    `visits`: how many of the last visits (days with purchases) of each shopper are learnt from, over at most
    `max_examples` visits of evenly chosen shoppers. A visit counts once, however much was bought in it. `doubt`: how
    many average buyers, and `doubt_offset` how many visits, a product must outweigh to be treated as special.
    """

    visits: int = 4
    max_examples: int = 10_000
    doubt: float = 10.0
    doubt_offset: float = 1.0
    ridge: float = 1.0
    weights: Doubles = field(init=False, default_factory=lambda: PRIOR.copy())
    offset: Floats = field(init=False, default_factory=lambda: np.empty(0, np.float32))
    log_gap: Floats = field(init=False, default_factory=lambda: np.empty(0, np.float32))
    log_rate: Floats = field(init=False, default_factory=lambda: np.empty(0, np.float32))

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        known = interactions.known()
        known = known.take(known.events.kinds == KIND_CODES[EventKind.PURCHASE])
        n = known.n_products
        habit = Habit.of(known.shoppers.astype(np.int64), known.events, n, self.doubt)
        self.log_gap, self.log_rate = habit.log_gap, habit.log_rate
        self.weights, self.offset = PRIOR.copy(), np.zeros(n, np.float32)
        products, x, y, importance = self._examples(known, habit)
        if not len(products):
            return
        self.weights = logistic(x, y, importance, PRIOR, self.ridge)
        expected = importance * sigmoid(x @ self.weights)
        seen = np.bincount(products, importance * y, n) + self.doubt_offset
        self.offset = np.log(seen / (np.bincount(products, expected, n) + self.doubt_offset)).astype(np.float32)

    def _examples(self, known: Interactions, habit: Habit) -> tuple[NDArray[np.int32], Doubles, Doubles, Doubles]:
        """Products (n,), x (n, 8), y (n,) and importance (n,): 1 / products bought in the visit."""
        active = np.flatnonzero(np.diff(known.indptr) > 1)
        wanted = max(self.max_examples // max(self.visits, 1), 1)
        chosen = active[np.unique(np.linspace(0, len(active) - 1, wanted).astype(np.int64))] if len(active) else active
        parts = [(np.empty(0, np.int32), np.empty((0, len(PRIOR))), np.empty(0), np.empty(0))]
        for shopper in chosen:
            history = known.history(int(shopper))
            days = history.times_ms // DAY_MS
            starts = np.flatnonzero(days[1:] != days[:-1]) + 1  # of all visits but the first
            ends = np.append(starts, len(days))[1:]
            for start, end in list(zip(starts, ends, strict=True))[-self.visits :]:
                products, x = describe(history.take(slice(0, start)), int(history.times_ms[start]), habit)
                basket = np.unique(history.rows[start:end])
                importance = np.full(len(products), 1 / len(basket))
                parts.append((products, x, np.isin(products, basket).astype(np.float64), importance))
        products, x, y, importance = (np.concatenate(column) for column in zip(*parts, strict=True))
        return products, x, y, importance

    def score(self, history: History, now_ms: int) -> Floats:
        """(n_products,) the probability in [0, 1] that a product bought before is bought in the next visit."""
        return self.says(history, now_ms).all()

    def says(self, history: History, now_ms: int) -> Scores:
        """The same by the products bought before."""
        n = len(self.offset)
        known = history.rows < n  # newer products are not known yet
        bought = history.take(known & (history.kinds == KIND_CODES[EventKind.PURCHASE]))
        if not len(bought):
            return Scores.none(n)
        products, x = describe(bought, now_ms, Habit(self.log_gap, self.log_rate))
        chances = sigmoid(x @ self.weights + self.offset[products])  # (m, 8) @ (8,) -> (m,)
        return Scores(n, chances.astype(np.float32), products)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)
