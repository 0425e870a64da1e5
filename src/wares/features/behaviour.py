"""Counts that fade: how often each product is bought, old purchases weighing less. Learns from events, answers a value.

The same code learns from the whole log at training and from each new event while serving.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State

_DAY_MS = 86_400_000
_MOST_CHANGED = 1_024  # rows that differ from a shared array
_NO_ROWS, _NOTHING = np.empty(0, np.int32), np.empty(0, np.float64)


class FadingCounts:
    """One count per product row; an event `half_life_days` ago counts half. Grows when rows are appended.

    Each purchase makes a copy while old ones are in use. So copies share one array, and each has its own counts of the
    few rows that were changed since.
    """

    def __init__(self, n: int, half_life_days: float = 60.0, reference_ms: int = 0) -> None:
        self.half_life_days = half_life_days
        self._reference_ms = reference_ms  # counts are kept as they would stand at this moment
        self._counts, self._is_shared = np.zeros(n, np.float64), False
        self._rows, self._own = _NO_ROWS, _NOTHING  # (m,) growing, and their counts instead of those in `_counts`

    def learn(self, rows: NDArray[np.int32], times_ms: NDArray[np.int64], amounts: NDArray[np.float32]) -> None:
        """Add events (k,) on these rows; negative amounts take back (a refund)."""
        if not len(rows):
            return
        latest = int(times_ms.max())
        if latest - self._reference_ms > 100 * self.half_life_days * _DAY_MS:  # before a weight could overflow
            self._part_with_copies()
            self._counts *= self._fade(latest - self._reference_ms)
            self._reference_ms = latest
        self._add(rows, amounts * self._fade(self._reference_ms - times_ms))

    def _add(self, rows: NDArray[np.int32], more: NDArray[np.float64]) -> None:
        changed = np.union1d(self._rows, rows) if self._is_shared else _NO_ROWS
        if len(changed) > _MOST_CHANGED:
            self._part_with_copies()
        if not self._is_shared:
            np.add.at(self._counts, rows, more)
            return
        counts = self._at(changed)
        np.add.at(counts, np.searchsorted(changed, rows), more)
        self._rows, self._own = changed, counts

    def grow(self, n: int) -> None:
        """Room for n rows in all."""
        self._part_with_copies()
        self._counts = np.concatenate([self._counts, np.zeros(n - len(self._counts))])

    def move(self, row: int, to: int) -> None:
        """A product got a new row: its count goes with it."""
        self._part_with_copies()
        self._counts[to], self._counts[row] = self._counts[row], 0.0

    def values(self, now_ms: int, rows: NDArray[np.integer[Any]] | slice = slice(None)) -> NDArray[np.float32]:
        """(n,) the counts as they stand now, at least 0; or those of `rows` alone."""
        counts = self._all()[rows] if isinstance(rows, slice) else self._at(rows)
        faded = counts * self._fade(now_ms - self._reference_ms)
        positive: NDArray[np.float64] = np.maximum(faded, 0)
        return positive.astype(np.float32)

    def copy(self) -> "FadingCounts":
        twin = FadingCounts(0, self.half_life_days, self._reference_ms)
        self._is_shared = twin._is_shared = True
        twin._counts, twin._rows, twin._own = self._counts, self._rows, self._own
        return twin

    @property
    def own_nbytes(self) -> int:
        """The memory that it takes beside the copies that it shares with."""
        return self._rows.nbytes + self._own.nbytes + (0 if self._is_shared else self._counts.nbytes)

    def state(self) -> State:
        return {
            "counts": self._all(),
            "half_life_days": np.array(self.half_life_days),
            "reference_ms": np.array(self._reference_ms),
        }

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "FadingCounts":
        counts = FadingCounts(0, float(state["half_life_days"]), int(state["reference_ms"]))
        counts._counts = state["counts"].astype(np.float64)
        return counts

    def _all(self) -> NDArray[np.float64]:
        """(n,) as of the reference; not to be changed."""
        if not len(self._rows):
            return self._counts
        counts = self._counts.copy()
        counts[self._rows] = self._own
        return counts

    def _at(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """(len(rows),) the same of these rows."""
        counts: NDArray[np.float64] = self._counts[rows]
        if len(self._rows):
            place = np.minimum(np.searchsorted(self._rows, rows), len(self._rows) - 1)
            changed = self._rows[place] == rows
            counts[changed] = self._own[place[changed]]
        return counts

    def _part_with_copies(self) -> None:
        """From now on with an array of its own."""
        if self._is_shared:
            counts = self._counts.copy()
            counts[self._rows] = self._own
            self._counts, self._is_shared, self._rows, self._own = counts, False, _NO_ROWS, _NOTHING

    def _fade(self, age_ms: Any) -> Any:
        return np.exp2(-np.asarray(age_ms, np.float64) / (self.half_life_days * _DAY_MS))
