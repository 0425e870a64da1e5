"""What somebody says of all products, told by naming those of which they say something: most know only few."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.domain.sorting import best_first, distinct, numbered

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int32]
_FEW = 8  # an n-th of all products: of more it is quicker to say all
_AHEAD = 8  # times as many of a ranking are looked at as are wanted of it


@dataclass(frozen=True, slots=True)
class Scores:
    """Of n products: `values` (n,) of all, or (m,) of the `rows` (m,) alone, which grow; of every other one 0.

    `ranked`: of what is the same for all who ask, those of the first `n_ranked` rows whose score is above 0, best first
    and of equal ones the older one, so that nobody needs to sort them again.
    """

    n: int
    values: Floats
    rows: Rows | None = None
    ranked: Rows | None = None
    n_ranked: int = 0

    @staticmethod
    def of_all(values: Floats) -> "Scores":
        return Scores(len(values), values)

    @staticmethod
    def none(n: int) -> "Scores":
        """Nothing is said of any of n."""
        return Scores(n, np.empty(0, np.float32), np.empty(0, np.int32))

    @staticmethod
    def summed(n: int, rows: Rows, amounts: NDArray[np.floating]) -> "Scores":
        """The sums of `amounts` (h,) over the rows (h,) that they are for, which come in any order, some of them again
        and again."""
        if len(rows) > n // _FEW:
            return Scores(n, np.bincount(rows, amounts, n).astype(np.float32))
        few, places = numbered(rows, n)
        return Scores(n, np.bincount(places, amounts, len(few)).astype(np.float32), few)

    def all(self) -> Floats:
        """(n,), the asker's own."""
        if self.rows is None:
            return self.values if self.ranked is None else self.values.copy()  # what is ranked others get, too
        values = np.zeros(self.n, np.float32)
        values[self.rows] = self.values
        return values

    def at(self, rows: Rows) -> Floats:
        """(len(rows),) of these alone."""
        if self.rows is None:
            return self.values[rows]
        if len(rows) > self.n // _FEW:
            return self.all()[rows]
        if not len(self.rows):
            return np.zeros(len(rows), np.float32)
        at = np.searchsorted(self.rows, rows)
        at[at == len(self.rows)] = 0
        return np.where(self.rows[at] == rows, self.values[at], np.float32(0))

    def plus(self, rows: Rows, amounts: Floats) -> "Scores":
        """With something more said of these rows, each of which comes once."""
        some = np.flatnonzero(amounts)
        if not len(some):
            return self
        values = self.values.copy() if self.rows is None else self.all()
        values[rows[some]] += amounts[some]
        if self.rows is None:
            return Scores(self.n, values)
        named = distinct(np.concatenate([self.rows, rows[some]]))
        return Scores(self.n, values[named], named)

    def then(self, later: Floats) -> "Scores":
        """These, and what is said of as many products again as `later` (m,) has."""
        n = self.n + len(later)
        if self.rows is None:
            return Scores(n, np.concatenate([self.values, later]), None, self.ranked, self.n_ranked)
        named = np.flatnonzero(later)
        rows = np.concatenate([self.rows, (self.n + named).astype(np.int32)])
        return Scores(n, np.concatenate([self.values, later[named]]), rows)

    def best(self, allowed: Bools, k: int) -> Rows:
        """The k best of the allowed (n,) rows, best first; only those with a score above 0. Of equal scores the older
        row wins."""
        if self.rows is not None:
            kept = np.flatnonzero(allowed[self.rows] & (self.values > 0))
            return best_of(self.rows[kept], self.values[kept], k)
        if self.ranked is not None:
            first = self.ranked[: _AHEAD * k]
            first = first[allowed[first]][:k]
            if len(first) == k or len(self.ranked) <= _AHEAD * k:
                later = self.n_ranked + np.flatnonzero(allowed[self.n_ranked :] & (self.values[self.n_ranked :] > 0))
                if not len(later):
                    return first
                rows = np.concatenate([np.sort(first), later.astype(np.int32)])
                return best_of(rows, self.values[rows], k)
        return best(self.values, allowed, k)


def ranked(values: Floats) -> Rows:
    """The rows whose score is above 0, best first; of equal ones the older one."""
    rows = np.flatnonzero(values > 0).astype(np.int32)
    return rows[np.argsort(-values[rows], kind="stable")]


def best(values: Floats, allowed: Bools, k: int) -> Rows:
    """`Scores.best` of all `values` (n,)."""
    least = _surely_reached(values, allowed, k)
    rows = np.flatnonzero(allowed & ((values >= least) if least > 0 else (values > 0))).astype(np.int32)
    return best_of(rows, values[rows], k)


def best_of(rows: Rows, values: Floats, k: int) -> Rows:
    """The k best of these rows (m,), which grow, by their scores (m,), best first; of equal ones the older one."""
    if len(rows) > k:
        bound = np.partition(values, -k)[-k]
        better, equal = np.flatnonzero(values > bound), np.flatnonzero(values == bound)
        kept = np.concatenate([better, equal[: k - len(better)]])
        rows, values = rows[kept], values[kept]
    return rows[best_first(values)]


def _surely_reached(values: Floats, allowed: Bools, k: int) -> float:
    """A score that at least k allowed rows have: the k-th best of a sample of them; 0 = no such score above 0 is known.

    Most rows need not be looked at twice then. With every sqrt(n / k)-th row, sample and what it leaves are as long.
    """
    step = int(np.sqrt(len(values) / k))
    if step < 2:
        return 0.0
    some = values[::step]
    some = some[allowed[::step] & (some > 0)]
    return float(np.partition(some, -k)[-k]) if len(some) >= k else 0.0
