"""How likely is a place looked at? The position-bias curve, and what clicks say of products once it is known.

The model (position-based; Richardson, Dominowska and Ragno, WWW 2007): a click needs a look and a wish, and
P(click) = examination(place) x relevance(query, product). Only ratios can be learnt, so that examination(0) = 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

Floats = NDArray[np.float64]
LEAST_CLICKS = 20  # on each side of an exchange, before a pair of places tells anything
_ROUNDS, _TOLERANCE, _RIDGE = 500, 1e-6, 1e-3


@dataclass(frozen=True, slots=True)
class Shown:
    """n hits as they were shown, one line each.

    `pairs` number what is the same product for the same query, from 0. `chances` (n, d): how likely the hit was to come
    to each of the first d places; a line of zeros = chance had no part. `features` (n, f) are as served to the ranker.
    """

    pairs: NDArray[np.int64]  # (n,)
    positions: NDArray[np.int64]  # (n,) from 0
    clicked: NDArray[np.bool_]  # (n,)
    chances: NDArray[np.float32]  # (n, d)
    features: NDArray[np.float32]  # (n, f)

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, slots=True)
class Examination:
    """`curve` (k,): how likely each place is looked at, against the first. `errors` (k,): standard errors of log curve,
    nan = not known. `method`: "swaps" or "regression-em"."""

    curve: Floats
    errors: Floats
    method: str

    def at(self, positions: NDArray[np.int64]) -> Floats:
        """(n,) -> (n,). Places behind the curve follow a power of the place fitted to it: (place + 1) ** slope."""
        k = len(self.curve)
        logs, places = np.log(self.curve), np.log(np.arange(1, k + 1))
        slope = min(float(places @ logs) / float(places @ places), 0.0) if k > 1 else 0.0
        behind = self.curve[-1] * ((positions + 1) / k) ** slope
        return np.where(positions < k, self.curve[np.minimum(positions, k - 1)], behind)


def examination_from_swaps(shown: Shown) -> Examination | None:
    """The curve from hits that chance moved between places; None where too few of them were clicked.

    For two places take every hit that could stand at either, with chances p and q: its click at the one counts
    q / (p + q), at the other p / (p + q). Both sums then expect the same hits, and differ by examination alone: the
    intervention harvesting of Agarwal et al. (WSDM 2019) with overlap weights (Li, Morgan and Zaslavsky, JASA 2018)
    instead of 1 / p, which would let the few moved hits drown in their own variance. The logs of all ratios are
    solved together by weighted least squares; the curve ends before the first place that no ratio reaches. The errors
    know that a click counts in several ratios.
    """
    d = shown.chances.shape[1]
    drawn = shown.clicked & (shown.chances > 0).any(axis=1) & (shown.positions < d)
    chances, positions = shown.chances[drawn].astype(np.float64), shown.positions[drawn]
    lines, ratios, parts = [], [], []  # parts: what each click moves each log ratio by
    for a in range(d):
        for b in range(a + 1, d):
            both = (chances[:, a] > 0) & (chances[:, b] > 0)
            at_a, at_b = both & (positions == a), both & (positions == b)
            if min(at_a.sum(), at_b.sum()) < LEAST_CLICKS:
                continue
            together = chances[:, a] + chances[:, b] + ~both
            for_a, for_b = at_a * chances[:, b] / together, at_b * chances[:, a] / together
            lines.append(np.eye(d)[a] - np.eye(d)[b])
            ratios.append(np.log(for_a.sum() / for_b.sum()))
            parts.append(csr_array((for_a / for_a.sum() - for_b / for_b.sum())[None, :]))
    if not lines:
        return None
    design, moved = np.array(lines), vstack(parts)
    k = _reached(design)
    if k < 2:
        return None
    inside = ~design[:, k:].any(axis=1)
    spread = np.asarray((moved @ moved.T).toarray())[np.ix_(inside, inside)]  # (r, r) clicks are independent and rare
    design, observed = design[inside, 1:k], np.array(ratios)[inside]  # log curve(0) = 0
    weighted = design.T / np.diag(spread)
    solve = np.linalg.solve(weighted @ design, weighted)  # (k - 1, r)
    errors = np.sqrt(np.diag(solve @ spread @ solve.T))
    return Examination(np.concatenate([[1.0], np.exp(solve @ observed)]), np.concatenate([[0.0], errors]), "swaps")


def examination_by_em(shown: Shown, k: int = 10) -> Examination | None:
    """The curve without any exchange: expectation-maximisation with relevance as a logistic regression on `features`.

    Wang et al. (WSDM 2018), whose regression is boosted trees. It leans on the features telling relevance apart from
    the place; where the order follows from the same features it errs. None without features or clicks.
    """
    near = shown.positions < k
    if not shown.features.shape[1] or not shown.clicked[near].any():
        return None
    cells, cell_of = np.unique(shown.pairs[near] * k + shown.positions[near], return_inverse=True)
    shows = np.bincount(cell_of).astype(np.float64)  # (c,) hits of one pair at one place
    clicks = np.bincount(cell_of, shown.clicked[near].astype(np.float64))
    places = cells % k
    means = [np.bincount(cell_of, column) / shows for column in shown.features[near].T]
    x = np.column_stack([np.ones(len(cells)), *((mean - mean.mean()) / (mean.std() or 1.0) for mean in means)])
    curve, coefficients = np.linspace(0.9, 0.3, k), np.zeros(x.shape[1])
    at_place = np.bincount(places, shows, minlength=k)
    for _ in range(_ROUNDS):
        wish, look = _sigmoid(x @ coefficients), curve[places]
        unclicked = (shows - clicks) / (1 - wish * look)
        looked = clicks + unclicked * look * (1 - wish)
        wished = clicks + unclicked * wish * (1 - look)
        coefficients = _logistic_step(x, wished, shows, coefficients)
        before = curve
        curve = np.bincount(places, looked, minlength=k) / np.maximum(at_place, 1)
        curve = curve.clip(1e-6, 1 - 1e-6)
        if np.abs(curve - before).max() < _TOLERANCE:
            break
    seen = int((at_place > 0).cumprod().sum())  # places from the first on that were shown at all
    return Examination(curve[:seen] / curve[0], np.full(seen, np.nan), "regression-em") if seen > 1 else None


def relevance_of(shown: Shown, looks: Floats, strength: float) -> tuple[Floats, Floats]:
    """(relevance, looks) of each pair: clicks over expected looks, shrunk to the mean by `strength` looks' worth.

    `looks` (n,) are the examination of each line's place. clicks / sum of looks is the maximum of the likelihood of
    small click rates, and varies less than the mean of clicks / looks (Joachims et al. 2017) that expects the same:
    clicks over expected clicks (Zhang and Jones, WWW 2007). (p,), (p,)
    """
    clicks: Floats = np.bincount(shown.pairs, shown.clicked.astype(np.float64)).astype(np.float64)
    expected: Floats = np.bincount(shown.pairs, looks).astype(np.float64)
    mean = clicks.sum() / max(expected.sum(), 1e-12)
    return (clicks + strength * mean) / (expected + strength), expected


def _reached(design: Floats) -> int:
    """How many places from the first on hang together by ratios."""
    reached = np.zeros(design.shape[1], np.bool_)
    reached[0] = True
    while True:
        touching = (design[:, reached] != 0).any(axis=1)
        grown = reached | (design[touching] != 0).any(axis=0)
        if np.array_equal(grown, reached):
            return int(reached.cumprod().sum())
        reached = grown


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values.clip(-30, 30))), np.float64)


def _logistic_step(x: Floats, wished: Floats, shows: Floats, coefficients: Floats) -> Floats:
    """One Newton step of a logistic regression with fractional counts. (c, f), (c,), (c,), (f,) -> (f,)"""
    p = _sigmoid(x @ coefficients)
    slope = x.T @ (wished - shows * p) - _RIDGE * coefficients
    curvature = (x * (shows * p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(x.shape[1])
    return coefficients + np.linalg.solve(curvature, slope)
