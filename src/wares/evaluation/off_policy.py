"""What would another policy have earned? Estimates from the log of the one that was at work, and how sure they are.

The log says of each round what was done, what came of it and how likely it was. `weights` are how much likelier the
other policy is to do the same. Every estimate is a mean of per-round parts, whose spread gives variance and interval
(normal, by the influence of each round; van der Vaart 1998, ch. 20). With few rewards or large weights
intervals are too short: look at `effective_rounds`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wares.errors import InputError

Floats = NDArray[np.float64]
_NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value per round with its standard error and 95% interval; nan = not known."""

    value: float
    error: float
    low: float
    high: float

    @staticmethod
    def of(parts: Floats) -> "Estimate":
        """From parts (n,) whose mean is the value.

        >>> Estimate.of(np.array([0.0, 1.0, 0.0, 1.0])).value
        0.5
        """
        n = len(parts)
        if not n:
            return Estimate(math.nan, math.nan, math.nan, math.nan)
        value = float(parts.mean())
        error = float(parts.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
        return Estimate(value, error, value - _NORMAL_95 * error, value + _NORMAL_95 * error)

    def holds(self, value: float) -> bool:
        """Whether the interval contains this value."""
        return self.low <= value <= self.high


def weights_of(target: ArrayLike, logged: ArrayLike) -> Floats:
    """target(action) / logged(action) of each round. (n,), (n,) -> (n,)

    Raises InputError for a logged probability that is not above 0: such a round could not have been.

    >>> weights_of([0.5, 0.1], [0.25, 0.2]).tolist()
    [2.0, 0.5]
    """
    wanted, had = _chances(target), _chances(logged)
    if wanted.shape != had.shape or (had <= 0).any():
        raise InputError("Each round needs a logged probability above 0 and one of the other policy, 0 to 1.")
    return wanted / had


def effective_rounds(weights: Floats) -> float:
    """How many rounds of the other policy these are worth: (sum w) ** 2 / sum w ** 2 (Kong 1992).

    >>> effective_rounds(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    total = float(weights @ weights)
    return float(weights.sum()) ** 2 / total if total > 0 else 0.0


def ips(rewards: ArrayLike, weights: Floats) -> Estimate:
    """Inverse propensity scoring, the mean of w r: unbiased, wide. Horvitz and Thompson (1952).

    >>> ips([1, 0], np.array([2.0, 0.5])).value
    1.0
    """
    return Estimate.of(weights * _rewards(rewards, weights))


def clipped_ips(rewards: ArrayLike, weights: Floats, most: float) -> Estimate:
    """The mean of min(w, most) r: narrower, too low for rewards of 0 and more. Ionides (2008).

    >>> clipped_ips([1, 0], np.array([2.0, 0.5]), most=1.0).value
    0.5
    """
    return ips(rewards, np.minimum(weights, most))


def self_normalised(rewards: ArrayLike, weights: Floats) -> Estimate:
    """sum w r / sum w: within the range of the rewards, biased by O(1 / n). Swaminathan and Joachims (NIPS 2015).

    >>> self_normalised([1, 0], np.array([2.0, 0.5])).value
    0.8
    """
    r, mean = _rewards(rewards, weights), float(weights.mean()) if len(weights) else 0.0
    if mean <= 0:
        return Estimate.of(np.empty(0))
    value = float(weights @ r) / float(weights.sum())
    return Estimate.of(value + weights * (r - value) / mean)  # the ratio's linearisation: its mean is the value


def direct(expected: ArrayLike) -> Estimate:
    """The mean of what a model expects of the other policy in each round: narrow, and as wrong as the model."""
    return Estimate.of(np.asarray(expected, np.float64))


def doubly_robust(rewards: ArrayLike, weights: Floats, fitted: ArrayLike, expected: ArrayLike) -> Estimate:
    """The model's expectation plus its weighted errors: right where the model or the propensities are.

    Dudík, Langford and Li (ICML 2011). `fitted` (n,) is the model's reward of what was done, `expected` (n,) that of
    the other policy in the same round; the model must not have learnt from that round (cross-fit it).

    >>> doubly_robust([1, 0], np.array([2.0, 0.5]), fitted=[1, 0], expected=[0.6, 0.4]).value
    0.5
    """
    r, guess = _rewards(rewards, weights), _rewards(fitted, weights)
    return Estimate.of(_rewards(expected, weights) + weights * (r - guess))


def _rewards(values: ArrayLike, weights: Floats) -> Floats:
    rewards = np.asarray(values, np.float64)
    if rewards.shape != weights.shape:
        raise InputError(f"{rewards.shape} rewards for {weights.shape} weights: one of each per round.")
    return rewards


def _chances(values: ArrayLike) -> Floats:
    chances = np.asarray(values, np.float64)
    if chances.ndim != 1 or not ((chances >= 0) & (chances <= 1)).all():
        raise InputError("A probability lies outside [0, 1], or is missing.")
    return chances
