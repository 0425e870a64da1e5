"""Nearest neighbours for a table's missing cells: the rows most like this one say what it may hold.

A distance like Gower's (1971), in which each column weighs by what it tells of the one that is filled. How many
neighbours are asked, and how much what stands beside the table counts, is chosen on the known cells by leaving each
out, so that a column of which nothing tells anything comes close to its median or mode.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEIGHBOURS = (5, 10, 20, 40, 80, 160)
BESIDE = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # weight of what stands beside, where the columns together weigh 1
MAX_KNOWN = 2_000  # rows that are asked at most; of more, evenly spaced ones
_AT_ONCE = 1_000  # rows filled at a time
_GROUPS = 10  # parts of a column of numbers, for seeing what it tells


def nearest_values(table: Floats, words: Bools, beside: Floats | None = None) -> Floats:
    """Values for the gaps of the first column, from the top: (n, m), (m,), (n, d) -> (gaps,)

    nan = missing. Where `words` holds, values are codes without an order: the neighbours vote; else their weighted
    median counts. The first column needs one known value at least. No gap of the first column is ever read.
    """
    target, missing = table[:, 0], np.isnan(table)
    gaps, known = np.flatnonzero(missing[:, 0]), np.flatnonzero(~missing[:, 0])
    asked = known[np.linspace(0, len(known) - 1, min(len(known), MAX_KNOWN)).astype(np.intp)]
    answers = _Answers(target[asked], words=bool(words[0]))
    alone = missing[gaps, 1:].all(axis=1)  # only what stands beside the table can tell of these
    found = np.empty(len(gaps))
    for which, some in ((~alone, table), (alone, table[:, :1])):
        if which.any():
            found[which] = _found(gaps[which], _Measure(some, words[: some.shape[1]], beside, asked), answers)
    return found


def _found(rows: NDArray[np.intp], measure: "_Measure", answers: "_Answers") -> Floats:
    """(rows,) -> (rows,)"""
    k, weight = _chosen(measure, answers)
    found = []
    for start in range(0, len(rows), _AT_ONCE):
        distances = measure.between(rows[start : start + _AT_ONCE], weight)
        found.append(answers.of(distances, np.partition(distances, k - 1, axis=1)[:, k - 1]))
    return np.concatenate(found)


class _Measure:
    """How far any rows are from those that are asked."""

    def __init__(self, table: Floats, words: Bools, beside: Floats | None, asked: NDArray[np.intp]) -> None:
        self.asked, self.beside = asked, beside
        self.columns: list[tuple[Floats, bool, float, float]] = []  # values (n,), words, weight, mean distance
        target = _told(table[asked, 0], words=bool(words[0]))
        for column, is_words in zip(table.T[1:], words[1:].tolist(), strict=True):
            values = column if is_words else _places(column)
            weight = _tells(values[asked], target, words=is_words)
            if weight > 0:
                mean = float(np.nanmean(_apart(values[asked], values[asked], words=is_words)))
                self.columns.append((values, is_words, weight, mean or 1.0))
        self.beside_mean = 0.0
        if beside is not None and len(asked) > 1:
            self.beside_mean = float(_euclidean(beside[asked], beside[asked]).mean())
        self.weights = BESIDE if self.beside_mean > 0 and self.columns else (1.0,)

    def between(self, rows: NDArray[np.intp], weight: float) -> Floats:
        """(rows, asked). An unknown cell on either side is as far as two rows are on average."""
        return self.of_columns(rows) + weight * self.of_beside(rows)

    def of_columns(self, rows: NDArray[np.intp]) -> Floats:
        total = np.zeros((len(rows), len(self.asked)))
        for values, is_words, weight, mean in self.columns:
            apart = _apart(values[rows], values[self.asked], words=is_words) / mean
            total += weight * np.where(np.isnan(apart), 1.0, apart)
        return total / (sum(weight for _, _, weight, _ in self.columns) or 1.0)

    def of_beside(self, rows: NDArray[np.intp]) -> Floats:
        if self.beside is None or not self.beside_mean:
            return np.zeros((len(rows), len(self.asked)))
        return _euclidean(self.beside[rows], self.beside[self.asked]) / self.beside_mean


class _Answers:
    """What neighbours with these values (asked,) say together."""

    def __init__(self, values: Floats, *, words: bool) -> None:
        self.words = words
        self.levels, self.codes = np.unique(values, return_inverse=True)

    def of(self, distances: Floats, reach: Floats) -> Floats:
        """(rows, asked), and how far each row asks (rows,) -> (rows,)"""
        shares = self._shares(distances, reach)
        best = shares.argmax(axis=1) if self.words else (shares.cumsum(axis=1) >= 0.5).argmax(axis=1)
        found: Floats = self.levels[best]
        return found

    def error(self, distances: Floats, reach: Floats) -> float:
        """How wrong the neighbours of the asked rows themselves (asked, asked) are about them, on average.

        Brier's score (1950) of the votes; where values have an order, their continuous ranked probability score.
        Both see how sure the neighbours were, so they tell more of few rows than counting the faults would.
        """
        shares, at = self._shares(distances, reach), np.arange(len(self.levels))
        if self.words:
            return float(((shares - (at == self.codes[:, None])) ** 2).sum(axis=1).mean())
        steps = (shares.cumsum(axis=1) - (at >= self.codes[:, None])) ** 2  # (asked, levels)
        return float((steps[:, :-1] @ np.diff(self.levels)).mean())

    def _shares(self, distances: Floats, reach: Floats) -> Floats:
        """(rows, asked), (rows,) -> (rows, levels). All within reach vote, those as far as the farthest, too; nearer
        ones weigh more, by Epanechnikov's kernel and a little for the farthest."""
        far = np.maximum(reach, 1e-12)[:, None]
        weights = np.where(distances <= far * (1 + 1e-9), np.maximum(1.05 - (distances / far) ** 2, 0.0), 0.0)
        n, n_levels = len(distances), len(self.levels)
        cells = self.codes + n_levels * np.arange(n)[:, None]
        votes = np.bincount(cells.ravel(), weights.ravel(), minlength=n * n_levels).reshape(n, n_levels)
        shares: Floats = votes / votes.sum(axis=1, keepdims=True)
        return shares


def _chosen(measure: _Measure, answers: _Answers) -> tuple[int, float]:
    """(neighbours, weight of what stands beside) with the least error when each asked row is filled from the others;
    of equal ones the most neighbours."""
    rows = measure.asked
    if len(rows) < 3:
        return len(rows), measure.weights[0]
    columns, beside = measure.of_columns(rows), measure.of_beside(rows)
    tried = []
    for weight in measure.weights:
        distances = columns + weight * beside
        np.fill_diagonal(distances, np.inf)
        ordered = np.sort(distances, axis=1)
        tried += [
            (answers.error(distances, ordered[:, k - 1]), -k, weight)
            for k in {*(k for k in NEIGHBOURS if k < len(rows)), len(rows) - 1}
        ]
    _, k, weight = min(tried)
    return -k, weight


def _told(values: Floats, *, words: bool) -> Floats:
    """(asked,) -> (asked, t): what is to be told, one column per word, or the place in the order."""
    if not words:
        return _places(values)[:, None]
    levels, codes = np.unique(values, return_inverse=True)
    one_hot: Floats = np.eye(len(levels))[codes]
    return one_hot


def _tells(values: Floats, target: Floats, *, words: bool) -> float:
    """The share of the target's variance that groups of `values` explain, less what chance explains; 0 = nothing.

    Goodman and Kruskal's tau (1954) for words, the correlation ratio for what has an order.
    """
    known = ~np.isnan(values)
    values, target = values[known], target[known]
    if len(values) < 3 or not (whole := float(target.var(axis=0).sum())):
        return 0.0
    groups = values if words else np.floor(values * _GROUPS)
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        return 0.0
    within = 0.0
    for column in target.T:
        means = np.bincount(codes, column) / counts
        within += float(((column - means[codes]) ** 2).mean())
    return max(0.0, 1 - within / whole - (len(counts) - 1) / len(values))


def _places(values: Floats) -> Floats:
    """Values -> their places in the order, in (0, 1); equal ones share the middle of theirs. nan stays."""
    known = values[~np.isnan(values)]
    if not len(known):
        return values
    levels, counts = np.unique(known, return_counts=True)
    middles = (counts.cumsum() - counts / 2) / len(known)
    placed: Floats = np.where(np.isnan(values), np.nan, np.interp(values, levels, middles))
    return placed


def _apart(one: Floats, other: Floats, *, words: bool) -> Floats:
    """(a,), (b,) -> (a, b), nan where either is unknown."""
    if not words:
        return np.abs(one[:, None] - other[None])
    unknown = np.isnan(one)[:, None] | np.isnan(other)[None]
    return np.where(unknown, np.nan, (one[:, None] != other[None]).astype(np.float64))


def _euclidean(one: Floats, other: Floats) -> Floats:
    """(a, d), (b, d) -> (a, b)"""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None] - 2 * (one @ other.T)
    distances: Floats = np.sqrt(np.maximum(squares, 0.0))
    return distances
