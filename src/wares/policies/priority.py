"""The one way in which policies change an order: scores stay, every change of priority is recorded.

If a slate begins with its scores as priority, then at any time priority = score + the recorded amounts.
"""

import numpy as np
from numpy.typing import NDArray

from wares.domain.result import Adjustment, Candidates, Slate

Bools = NDArray[np.bool_]
Places = NDArray[np.intp]

_STEP = 1e-6  # of the span: what is added to tell equal priorities apart


def rescaled(priority: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """(n,) -> the same in [0, 1], and the span that one unit stands for (1 where all are equal)."""
    if not len(priority):
        return np.empty(0), 1.0
    low, high = float(priority.min()), float(priority.max())
    span = high - low if high > low else 1.0
    return (priority.astype(np.float64) - low) / span, span


def opened(candidates: Candidates, scores: NDArray[np.float32]) -> Slate:
    """How every slate begins: best score first, the scores (n,) being the priority."""
    return ordered(Slate(candidates, scores, scores.copy(), ((),) * len(scores)))


def ordered(slate: Slate) -> Slate:
    """By priority, higher first; equal ones by score, then the older row."""
    if _follows(slate.priority, slate).all():
        return slate
    return slate.take(np.lexsort((slate.rows, -slate.scores, -slate.priority)))


def changed(slate: Slate, priority: NDArray[np.float32], policy: str, why: str) -> Slate:
    """The slate with this priority (n,), each difference recorded; the order is left to `ordered`."""
    adjustments = list(slate.adjustments)
    for i in np.flatnonzero(priority != slate.priority).tolist():
        amount = float(priority[i]) - float(slate.priority[i])
        adjustments[i] = (*adjustments[i], Adjustment(policy, amount, why))
    return Slate(slate.candidates, slate.scores, priority, tuple(adjustments), sponsored=slate.sponsored)


def demoted(order: Places) -> Bools:
    """(n,) old places in the new order -> which hits now stand behind one that they used to precede."""
    return order < np.maximum.accumulate(order) if len(order) else np.zeros(0, np.bool_)


def placed(slate: Slate, order: Places, moved: Bools, policy: str, why: str) -> Slate:
    """Bring an ordered slate into another order; only the `moved` ones change their priority (but for ties).

    `order` (n,): the old place of the hit at each new place; `moved` (n,), too, goes by new places. The others must
    keep their order among themselves. Moved hits get priorities evenly between their new neighbours.
    """
    if not moved.any():
        return slate
    slate = slate.take(order)
    kept = np.flatnonzero(~moved)
    fixed = slate.priority[kept if len(kept) else slice(None)].astype(np.float64)
    margin = 0.01 * rescaled(slate.priority)[1]
    xs = np.concatenate([[-1], kept, [len(slate)]])
    ys = np.concatenate([[fixed.max() + margin], fixed if len(kept) else [], [fixed.min() - margin]])
    priority = slate.priority.copy()
    priority[moved] = np.interp(np.flatnonzero(moved), xs, ys)
    return changed(slate, _told_apart(priority, slate), policy, why)


def _told_apart(priority: NDArray[np.float32], slate: Slate) -> NDArray[np.float32]:
    """Raise priorities by a trace wherever the order of the slate would not follow from them."""
    follows = _follows(priority, slate)
    if follows.all():
        return priority
    wrong, wins_tie = np.flatnonzero(~follows), _wins_ties(slate)
    trace = np.float32(_STEP * rescaled(priority)[1])
    for i in range(int(wrong[-1]), -1, -1):
        next_one = priority[i + 1]
        if priority[i] < next_one or (priority[i] == next_one and not wins_tie[i]):
            priority[i] = max(next_one + trace, np.nextafter(next_one, np.float32(np.inf)))
        elif i < wrong[0]:
            break
    return priority


def _follows(priority: NDArray[np.float32], slate: Slate) -> Bools:
    """(n - 1,) whether each hit stands before the next one by this priority."""
    above, below = priority[:-1], priority[1:]
    follows: Bools = above > below
    return follows if follows.all() else follows | ((above == below) & _wins_ties(slate))


def _wins_ties(slate: Slate) -> Bools:
    """(n - 1,) whether each hit would stand before the next one if their priorities were equal."""
    above, below = slate.scores[:-1], slate.scores[1:]
    wins: Bools = (above > below) | ((above == below) & (slate.rows[:-1] < slate.rows[1:]))
    return wins
