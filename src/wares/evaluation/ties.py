"""Where do the targets stand when the whole catalogue is ranked and scores tie?

A model that says "no opinion" of 60,000 products must not profit from the order in which they happen to be stored. So
equal scores count as being in random order, and every figure here is the exact expectation over all such orders: no
draw, no noise. A lone target tied with e - 1 others has the expected rank `above + (1 + e) / 2`: a tie counts half.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.errors import InputError
from wares.evaluation.metrics import discounts

Scores = NDArray[np.floating]
Rows = NDArray[np.signedinteger]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Places:
    """Of t targets: how many products score `above` each, and with how many it is `tied`, itself included (>= 1).

    Its rank lies anywhere in above + 1 .. above + tied, each equally likely. A target that is not ranked at all
    (not in a list, or with a score of -inf) has `above` = `NOWHERE`.
    """

    above: NDArray[np.int64]  # (t,)
    tied: NDArray[np.int64]  # (t,)

    def __len__(self) -> int:
        return len(self.above)


NOWHERE = np.int64(2**62)


def places_of(scores: Scores, targets: Rows, growing: Scores | None = None) -> Places:
    """The places of some products in the ranking of all, higher scores first. (n,), (t,) -> t places

    `growing` (n,) are the scores sorted, where they are at hand.

    >>> places_of(np.array([0.5, 0.9, 0.5, 0.1]), np.array([0, 1]))
    Places(above=array([1, 0]), tied=array([2, 1]))
    """
    if scores.ndim != 1 or np.isnan(scores).any():
        raise InputError(f"Scores must be one row of numbers without nan, got shape {scores.shape}.")
    order = np.sort(scores) if growing is None else growing
    own = scores[targets]
    above = len(order) - np.searchsorted(order, own, side="right")
    tied = len(order) - above - np.searchsorted(order, own, side="left")
    return Places(np.where(np.isneginf(own), NOWHERE, above).astype(np.int64), tied.astype(np.int64))


def places_among_others(scores: Scores, targets: Rows, without: Rows, growing: Scores | None = None) -> Places:
    """The places of `targets` (t,) when the distinct products `without` (m,), which hold no target, are left out.

    The ranking of the rest is the ranking of all less what the m scores add to it. `growing`: see `places_of`.

    >>> places_among_others(np.array([0.5, 0.9, 0.5, 0.1]), targets=np.array([0]), without=np.array([1]))
    Places(above=array([0]), tied=array([2]))
    """
    whole = places_of(scores, targets, growing)
    gone, own = np.sort(scores[without]), scores[targets]
    right, left = np.searchsorted(gone, own, side="right"), np.searchsorted(gone, own, side="left")
    return Places(whole.above - (len(gone) - right), whole.tied - (right - left))


def places_in_rows(scores: Scores, targets: Rows) -> Places:
    """One target per row of scores: leave-one-out in blocks of shoppers. (s, n), (s,) -> s places

    >>> places_in_rows(np.array([[0.1, 0.2], [0.3, 0.3]]), np.array([0, 0]))
    Places(above=array([1, 0]), tied=array([1, 2]))
    """
    if np.isnan(scores).any():
        raise InputError("A score is nan: say 0 for no opinion and -inf for a product that must not be ranked.")
    own = np.take_along_axis(scores, targets[:, None].astype(np.intp), axis=1)
    above = np.where(np.isneginf(own[:, 0]), NOWHERE, np.count_nonzero(scores > own, axis=1))
    return Places(above.astype(np.int64), np.count_nonzero(scores == own, axis=1).astype(np.int64))


def places_in_list(ranked: Rows, targets: Rows) -> Places:
    """The places in a list of products, best first, which may leave products out. (m,), (t,) -> t places

    >>> places_in_list(np.array([7, 3, 5]), np.array([5, 4])).above[0]
    np.int64(2)
    """
    match = ranked[None, :] == targets[:, None]  # (t, m)
    found = match.any(axis=1)
    above = np.where(found, match.argmax(axis=1) if match.size else 0, NOWHERE)
    return Places(above.astype(np.int64), np.ones(len(targets), np.int64))


def ranks_of(scores: Scores, targets: Rows) -> Floats:
    """The expected rank of each target, 1 = first, ties counted at half; inf = not ranked. (n,), (t,) -> (t,)

    >>> ranks_of(np.array([0.5, 0.9, 0.5, 0.1]), np.array([0, 1, 2])).tolist()
    [2.5, 1.0, 2.5]
    """
    places = places_of(scores, targets)
    return np.where(places.above == NOWHERE, np.inf, places.above + (1 + places.tied) / 2)


def credit(places: Places, k: int) -> Floats:
    """The chance that each target stands in the first k: clip((k - above) / tied, 0, 1). t places -> (t,)

    Its sum over a basket is the expected number of hits; of a single target it is recall@k and hit rate.

    >>> credit(Places(above=np.array([0, 9, 10]), tied=np.array([1, 4, 1])), k=10).tolist()
    [1.0, 0.25, 0.0]
    """
    return np.clip((k - places.above) / places.tied, 0, 1)


def gain(places: Places, k: int) -> Floats:
    """The expected 1 / log2(rank + 1) of each target, 0 beyond k. t places -> (t,)

    Of a single target it is nDCG@k; divide the sum over a basket by `ideal_gain`.

    >>> gain(Places(above=np.array([0, 1]), tied=np.array([1, 2])), k=2).round(4).tolist()
    [1.0, 0.3155]
    """
    return _mean_over_ranks(places, discounts(k))


def reciprocal(places: Places, k: int) -> Floats:
    """The expected 1 / rank of each target by itself, 0 beyond k: MRR@k of single targets. t places -> (t,)

    >>> reciprocal(Places(above=np.array([0, 1]), tied=np.array([1, 2])), k=10).round(4).tolist()
    [1.0, 0.4167]
    """
    return _mean_over_ranks(places, 1 / np.arange(1, k + 1))


def expected_recall(places: Places, k: int) -> float:
    """Expected share of the targets in the first k, in [0, 1]. t places -> number

    >>> expected_recall(Places(above=np.array([0, 9]), tied=np.array([1, 4])), k=10)
    0.625
    """
    return float(credit(places, k).mean()) if len(places) else math.nan


def expected_ndcg(places: Places, k: int) -> float:
    """Expected nDCG@k of a basket whose products are all worth 1, in [0, 1]. t places -> number

    >>> round(expected_ndcg(Places(above=np.array([0, 2]), tied=np.array([1, 1])), k=10), 4)
    0.9197
    """
    return float(gain(places, k).sum() / discounts(min(k, len(places))).sum()) if len(places) else math.nan


def expected_hit(places: Places, k: int) -> float:
    """The chance that any target stands in the first k, in [0, 1]. t places -> number

    A group of `tied` products, m of them targets, fills the s places that remain without a target with chance
    C(tied - m, s) / C(tied, s).

    >>> expected_hit(Places(above=np.array([9, 9]), tied=np.array([4, 4])), k=10)
    0.5
    """
    return 1 - _chance_all_below(places, k) if len(places) else math.nan


def expected_reciprocal_rank(places: Places, k: int) -> float:
    """Expected 1 / rank of the first target, 0 beyond k, in [0, 1]. t places -> number

    Sum over ranks r <= k of P(first target at r) / r. In a tied group the r-th place is the first target's with
    chance m / (tied - i) once the i before it were none.

    >>> round(expected_reciprocal_rank(Places(above=np.array([0, 0]), tied=np.array([3, 3])), k=10), 4)
    0.8333
    """
    if not len(places):
        return math.nan
    first = int(places.above.argmin())
    above, tied = int(places.above[first]), int(places.tied[first])
    targets = int((places.above == above).sum())  # (all within one tied group)
    still_none, total = 1.0, 0.0
    for rank in range(above + 1, min(above + tied, k) + 1):
        chance = min(1.0, targets / (tied - (rank - above - 1)))
        total += still_none * chance / rank
        still_none *= 1 - chance
    return total


def ordered_top(scores: Scores, k: int, tie_order: Rows, growing: Scores | None = None) -> NDArray[np.int64]:
    """The k best products, best first; of equal scores the one earlier in `tie_order` wins. (n,), (n,) -> (k,)

    `tie_order` holds a distinct number per product, drawn once per table: the same scores give the same list, and
    where a product is stored gives it no advantage. Products that score -inf are never shown. `growing`: see
    `places_of`.

    >>> ordered_top(np.array([1.0, 3.0, 1.0, 1.0]), k=2, tie_order=np.array([2, 0, 3, 1])).tolist()
    [1, 3]
    """
    n = len(scores)
    k = min(k, n)
    if not k:
        return np.empty(0, np.int64)
    bound = (np.sort(scores) if growing is None else growing)[n - k]
    above = np.flatnonzero(scores > bound)
    tied = np.flatnonzero(scores == bound)
    room = k - len(above)
    if len(tied) > room:
        tied = tied[np.argpartition(tie_order[tied], room - 1)[:room]]
    chosen = np.concatenate([above, tied])
    chosen = chosen[~np.isneginf(scores[chosen])]
    best_first: NDArray[np.int64] = chosen[np.lexsort((tie_order[chosen], -scores[chosen]))].astype(np.int64)
    return best_first


def _mean_over_ranks(places: Places, worth: Floats) -> Floats:
    """The mean worth over the ranks above + 1 .. above + tied; `worth` (k,) is 0 beyond k."""
    k = len(worth)
    until = np.concatenate([[0.0], np.cumsum(worth)])  # until[p] = worth of the first p places
    above = np.minimum(places.above, k)
    total: Floats = (until[np.minimum(above + places.tied, k)] - until[above]) / places.tied
    return total


def _chance_all_below(places: Places, k: int) -> float:
    chance = 1.0
    for above in np.unique(places.above):
        group = places.above == above
        room, tied, targets = k - int(above), int(places.tied[group][0]), int(group.sum())
        if room <= 0:
            break
        if room > tied - targets:
            return 0.0
        for i in range(room):
            chance *= (tied - targets - i) / (tied - i)
    return chance
