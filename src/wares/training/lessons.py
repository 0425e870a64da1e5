"""What the shopper model learns from, cut into stretches of histories, steps and samples of products."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wares.domain.shopper import INTEREST_BY_CODE
from wares.errors import TrainingError

_MOST_EVENTS = 4_096  # of one step, padding included
_MOST_WINDOWS = 20  # of one shopper: a robot's 50,000 events count as its last 20 stretches
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Shopper s did `rows[indptr[s]:indptr[s + 1]]`, oldest first. Kinds, times, texts and attribute codes (-1 = none)
    are used where they are given."""

    rows: NDArray[np.int32]  # (n_events,)
    indptr: NDArray[np.int64]  # (shoppers + 1,)
    n_products: int
    kinds: NDArray[np.int8] | None = None  # (n_events,)
    times_ms: NDArray[np.int64] | None = None  # (n_events,)
    text: NDArray[np.float32] | None = None  # (n_products, d_text)
    codes: NDArray[np.int32] | None = None  # (n_products, a)

    def speaking(self) -> "Lessons":
        """Only the events that speak for a product: a refund says nothing of what comes next."""
        if self.kinds is None:
            return self
        keep = INTEREST_BY_CODE[self.kinds] > 0
        indptr = np.concatenate([[0], np.cumsum(keep)])[self.indptr].astype(np.int64)
        times_ms = None if self.times_ms is None else self.times_ms[keep]
        return replace(self, rows=self.rows[keep], indptr=indptr, kinds=self.kinds[keep], times_ms=times_ms)


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches of histories: window w is the events `start[w]:stop[w]`, of which each but the first is asked for by
    those before it. Of the `held` ones only the last event is asked for, in validation."""

    start: Rows  # (w,)
    stop: Rows  # (w,)
    held: Rows  # (h, 2) start and stop

    def steps(self, batch: int, rng: np.random.Generator) -> list[Rows]:
        """One epoch: windows of about one length together, so that little is padding, in random order."""
        lengths = self.stop - self.start
        order = np.argsort(lengths + 2 * rng.random(len(lengths)), kind="stable")
        steps, at = [], 0
        while at < len(order):
            longest = np.maximum.accumulate(lengths[order[at : at + batch]])
            fits = int((longest * np.arange(1, len(longest) + 1) <= _MOST_EVENTS).sum())
            steps.append(order[at : at + max(fits, 1)])
            at += len(steps[-1])
        return [steps[i] for i in rng.permutation(len(steps))]


def windows_of(lessons: Lessons, max_history: int, hold_out: float, rng: np.random.Generator) -> Windows:
    """Each history in stretches of `max_history` events and one, from its end, 20 of them at most; of a share
    `hold_out` of the shoppers the last event is held out. Raises TrainingError where nothing follows anything."""
    first, end = lessons.indptr[:-1], lessons.indptr[1:].copy()
    asked = np.flatnonzero((end - first >= 3) & (rng.random(len(first)) < hold_out))
    held = np.stack([np.maximum(first[asked], end[asked] - max_history - 1), end[asked]], axis=1)
    end[asked] -= 1
    starts, stops = [], []
    for _ in range(_MOST_WINDOWS):
        first, end = first[end - first >= 2], end[end - first >= 2]
        starts.append(np.maximum(first, end - max_history - 1))
        stops.append(end)
        end = starts[-1] + 1
    windows = Windows(np.concatenate(starts), np.concatenate(stops), held)
    if not len(windows.start):
        raise TrainingError("No shopper has two events, so there is nothing that follows something to learn from.")
    return windows


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which products an event is told from: all with events where these are few, else a sample, half by popularity^0.75
    and half evenly."""

    products: Rows  # (k,) those with events
    sums: NDArray[np.float64]  # (k,) cumulative chances
    log_rate: NDArray[np.float32]  # (k,) log of how often a sample is expected to hold each; 0 where all are taken
    size: int

    @staticmethod
    def of(lessons: Lessons, size: int) -> "Sampling":
        met = np.bincount(lessons.rows, minlength=lessons.n_products)
        products = np.flatnonzero(met)
        if len(products) <= size:
            return Sampling(products, np.empty(0), np.zeros(len(products), np.float32), len(products))
        chance = met[products] ** 0.75
        chance = 0.5 * chance / chance.sum() + 0.5 / len(chance)
        return Sampling(products, np.cumsum(chance), np.log(chance * size).astype(np.float32), size)

    def draw(self, rng: np.random.Generator) -> tuple[Rows, NDArray[np.float32]]:
        """Product rows (size,) and their log rates."""
        if not len(self.sums):
            return self.products, self.log_rate
        at = np.searchsorted(self.sums, rng.random(self.size), side="right").clip(max=len(self.sums) - 1)
        return self.products[at], self.log_rate[at]
