"""How sure is it? Percentile bootstrap of means: draw as many shoppers again, with repeats, and see how the mean moves.

Source: Efron (1979). Values of one shopper stay together, so that a paired difference cancels what makes some shoppers
easier than others. nan = not defined for this shopper: such values take part in no mean.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
AT_ONCE = 4_000_000  # drawn indices held in memory at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the interval that holds it; `low` and `high` are nan where there is none."""

    mean: float
    low: float = math.nan
    high: float = math.nan

    @property
    def above_zero(self) -> bool:
        return self.low > 0

    @property
    def below_zero(self) -> bool:
        return self.high < 0


def mean_intervals(
    values: Floats, rng: np.random.Generator, *, resamples: int = 1000, level: float = 0.95
) -> list[Interval]:
    """The mean of each column with its bootstrap interval. (n, m) -> m intervals

    All columns share the draws. A column without any value is nan.

    >>> values = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, np.nan], [1.0, 1.0]])
    >>> [round(i.mean, 3) for i in mean_intervals(values, np.random.default_rng(0))]
    [1.0, 0.667]
    """
    defined = ~np.isnan(values)
    return ratio_intervals(np.where(defined, values, 0.0), defined.astype(np.float64), rng, resamples, level)


def ratio_intervals(
    sums: Floats, counts: Floats, rng: np.random.Generator, resamples: int = 1000, level: float = 0.95
) -> list[Interval]:
    """sum / count of each column with its bootstrap interval, where each of n shoppers brings a sum of several values
    and how many those are: (n, m), (n, m) -> m intervals

    Shoppers are drawn, not values, because those of one shopper are alike.

    >>> ratio_intervals(np.array([[3.0], [1.0]]), np.array([[4.0], [4.0]]), np.random.default_rng(0))[0].mean
    0.5
    """
    both = np.hstack([sums, counts])  # (n, 2 m)
    n, m = sums.shape
    if not n:
        return [Interval(math.nan)] * m
    blocks = []
    for size in _blocks(resamples, max(1, AT_ONCE // n)):
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        blocks.append(times.astype(np.float64) @ both)  # (size, n) @ (n, 2 m) -> (size, 2 m)
    totals = np.vstack(blocks)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = totals[:, :m] / totals[:, m:]  # (resamples, m)
        point = sums.sum(axis=0) / counts.sum(axis=0)
    tail = (1 - level) / 2
    found = []
    for mean, column in zip(point, means.T, strict=True):
        known = column[~np.isnan(column)]
        low, high = np.quantile(known, [tail, 1 - tail]) if len(known) else (math.nan, math.nan)
        # (rounding may put the bounds of a constant a hair beside its mean)
        found.append(Interval(float(mean), float(min(low, mean)), float(max(high, mean))))
    return found


def mean_interval(values: Floats, rng: np.random.Generator, *, resamples: int = 1000, level: float = 0.95) -> Interval:
    """The mean of values with its bootstrap interval. (n,) -> interval

    >>> found = mean_interval(np.array([0.0, 1.0] * 50), np.random.default_rng(0))
    >>> found.mean, round(found.low, 1), round(found.high, 1)
    (0.5, 0.4, 0.6)
    """
    return mean_intervals(values[:, None], rng, resamples=resamples, level=level)[0]


def paired_difference(
    a: Floats, b: Floats, rng: np.random.Generator, *, resamples: int = 1000, level: float = 0.95
) -> Interval:
    """The mean of a - b over the shoppers of both, with its interval; above 0 = a is better. (n,), (n,) -> interval

    >>> paired_difference(np.array([0.4, 0.6, 0.9]), np.array([0.3, 0.5, 0.8]), np.random.default_rng(0)).above_zero
    True
    """
    return mean_interval(a - b, rng, resamples=resamples, level=level)


def _blocks(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]
