"""Counts that fade: how often each product is bought, old purchases weighing less. Learns from events, answers a value.

The same code learns from the whole log at training and from each new event while serving.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State

_DAY_MS = 86_400_000


class FadingCounts:
    """One count per product row; an event `half_life_days` ago counts half. Grows when rows are appended."""

    def __init__(self, n: int, half_life_days: float = 60.0, reference_ms: int = 0) -> None:
        self.half_life_days = half_life_days
        self._reference_ms = reference_ms  # counts are kept as they would stand at this moment
        self._counts = np.zeros(n, np.float64)

    def learn(self, rows: NDArray[np.int32], times_ms: NDArray[np.int64], amounts: NDArray[np.float32]) -> None:
        """Add events (k,) on these rows; negative amounts take back (a refund)."""
        if not len(rows):
            return
        latest = int(times_ms.max())
        if latest - self._reference_ms > 100 * self.half_life_days * _DAY_MS:  # before a weight could overflow
            self._counts *= self._fade(latest - self._reference_ms)
            self._reference_ms = latest
        np.add.at(self._counts, rows, amounts * self._fade(self._reference_ms - times_ms))

    def grow(self, n: int) -> None:
        """Room for n rows in all."""
        self._counts = np.concatenate([self._counts, np.zeros(n - len(self._counts))])

    def move(self, row: int, to: int) -> None:
        """A product got a new row: its count goes with it."""
        self._counts[to], self._counts[row] = self._counts[row], 0.0

    def values(self, now_ms: int, rows: NDArray[np.integer[Any]] | slice = slice(None)) -> NDArray[np.float32]:
        """(n,) the counts as they stand now, at least 0; or those of `rows` alone."""
        faded = self._counts[rows] * self._fade(now_ms - self._reference_ms)
        positive: NDArray[np.float64] = np.maximum(faded, 0)
        return positive.astype(np.float32)

    def copy(self) -> "FadingCounts":
        twin = FadingCounts(0, self.half_life_days, self._reference_ms)
        twin._counts = self._counts.copy()
        return twin

    def state(self) -> State:
        return {
            "counts": self._counts,
            "half_life_days": np.array(self.half_life_days),
            "reference_ms": np.array(self._reference_ms),
        }

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "FadingCounts":
        counts = FadingCounts(0, float(state["half_life_days"]), int(state["reference_ms"]))
        counts._counts = state["counts"].astype(np.float64)
        return counts

    def _fade(self, age_ms: Any) -> Any:
        return np.exp2(-np.asarray(age_ms, np.float64) / (self.half_life_days * _DAY_MS))
