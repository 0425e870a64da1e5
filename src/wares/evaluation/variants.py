"""Two or more groups of shoppers side by side: means, differences and how sure they are. Maths alone, arrays in.

Whatever is measured is a ratio, the sum of something over its count (successes over answers), where one shopper brings
several; those of one shopper are alike, so shoppers are what varies. The error of a ratio is that of its linear part,
z = (sum - ratio x count) / mean count (the delta method; Deng, Knoblich and Lu, KDD 2018).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from wares.evaluation.intervals import Floats, Interval

TUNED_TO = 5_000  # shoppers at which an always-valid bound is nearest


@dataclass(frozen=True, slots=True)
class Group:
    """What one group of n shoppers says of one ratio. `linear` (n,) has the mean 0 and the ratio's own spread."""

    mean: float
    linear: Floats

    @staticmethod
    def of(sums: Floats, counts: Floats) -> "Group":
        """(n,), (n,) of each shopper.

        >>> Group.of(np.array([1.0, 1.0]), np.array([1.0, 3.0])).mean
        0.5
        """
        total = float(counts.sum())
        if not total:
            return Group(math.nan, np.zeros(len(sums)))
        ratio = float(sums.sum()) / total
        return Group(ratio, (sums - ratio * counts) / (total / len(counts)))

    @property
    def error(self) -> float:
        """The standard error of the mean; nan for fewer than two shoppers."""
        n = len(self.linear)
        return float(self.linear.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan

    def interval(self, level: float = 0.95) -> Interval:
        """At a moment that was fixed beforehand."""
        half = _normal(level) * self.error
        return Interval(self.mean, self.mean - half, self.mean + half)


@dataclass(frozen=True, slots=True)
class Difference:
    """The value of a comparison with its standard error; `n` shoppers took part."""

    value: float
    error: float
    n: int

    def interval(self, level: float = 0.95) -> Interval:
        """At a moment that was fixed beforehand. Looking every day until it excludes 0 finds what is not there."""
        half = _normal(level) * self.error
        return Interval(self.value, self.value - half, self.value + half)

    def reach(self, alpha: float) -> float:
        """How far beside the value the truth may lie to one side, at all moments together, so that one may look at any
        time and stop: wrong in `alpha` of all cases. The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha,
        Kennedy and Ramdas (Annals of Statistics, 2024) in its one-sided form, a mixture as in Robbins (1970).

        >>> found = Difference(1.0, 0.1, 5_000)
        >>> found.value - found.reach(0.025) < found.interval().low < 1
        True
        """
        r = self.n * (-2 * math.log(2 * alpha) + math.log(1 - 2 * math.log(2 * alpha))) / TUNED_TO
        if not r:
            return math.nan
        return self.error * math.sqrt((1 + r) / r * 2 * math.log1p(math.sqrt(1 + r) / (2 * alpha)))


def compared(
    control: Group, other: Group, past: tuple[Floats, Floats] | None = None, *, factor: float = 1.0
) -> Difference:
    """other - factor x control.

    `past` (n_control,), (n_other,): something of each shopper that was so before the groups were made. What of the
    result it foretells is taken off, which leaves the expectation and narrows the interval (CUPED; Deng, Xu, Kohavi and
    Walker, WSDM 2013).
    """
    a, b, value = control.linear, other.linear, other.mean - factor * control.mean
    n = len(a) + len(b)
    if past is not None and len(a) > 1 and len(b) > 1:
        x_a, x_b = past
        middle = float(np.concatenate(past).mean())
        spread = float(((x_a - x_a.mean()) ** 2).sum() + ((x_b - x_b.mean()) ** 2).sum())
        if spread > 0:
            slope = float((x_a - x_a.mean()) @ a + (x_b - x_b.mean()) @ b) / spread
            value -= slope * (float(x_b.mean()) - middle) - factor * slope * (float(x_a.mean()) - middle)
            a, b = a - slope * (x_a - x_a.mean()), b - slope * (x_b - x_b.mean())
    if len(a) < 2 or len(b) < 2:
        return Difference(value, math.nan, n)
    return Difference(value, math.sqrt(factor**2 * a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)), n)


def mismatch(counts: NDArray[np.int64], shares: Floats) -> float:
    """How likely chance alone would part shoppers this unlike the shares: the chi-square test of a sample ratio
    mismatch (Fabijan et al., KDD 2019). (v,), (v,) -> p; 1 where nobody came.

    >>> halves = np.array([0.5, 0.5])
    >>> mismatch(np.array([500, 500]), halves), mismatch(np.array([600, 400]), halves) < 1e-6
    (1.0, True)
    """
    expected = shares / shares.sum() * counts.sum()
    if not counts.sum():
        return 1.0
    return float(chdtrc(len(counts) - 1, float(((counts - expected) ** 2 / expected).sum())))


def _normal(level: float) -> float:
    """
    >>> round(_normal(0.95), 2)
    1.96
    """
    return float(ndtri(0.5 + level / 2))
