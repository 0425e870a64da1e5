"""Orders by score, best first, and distinct numbers, by sorts that numpy has vectorised."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Integer = TypeVar("Integer", bound=np.integer[Any])
_MANY = 64  # an n-th of what rows lie below


def best_first(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """The places of `scores` (n,), none of them nan, highest first; of equal ones the earlier place. Scores of other
    types, as a plugin may give them, are compared as 32-bit floats.

    Score and place are sorted as one integer, for which numpy has a vectorised sort: of 10,000 scores in a fifteenth of
    the time of a stable argsort.

    >>> best_first(np.array([0.5, -1, 0.5, 2], np.float32)).tolist()
    [3, 0, 2, 1]
    """
    bits = (scores.astype(np.float32, copy=False) + np.float32(0)).view(np.int32)  # -0.0 becomes 0.0
    growing = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))  # the bits of numbers below 0 run backwards
    keys = (~growing).astype(np.int64)
    keys <<= 32
    keys |= np.arange(len(scores))
    keys.sort()
    keys &= 0xFFFFFFFF
    return keys


def distinct(values: NDArray[Integer]) -> NDArray[Integer]:
    """The distinct ones, growing: `np.unique`, which of 3,000 rows takes forty times as long.

    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    growing = np.sort(values)
    return growing[_first_of_equals(growing)]


def numbered(rows: NDArray[np.int32], below: int | None = None) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The distinct ones of `rows` (n,), none below 0, growing, and the place (n,) of each row among them. `below`: what
    all rows lie below, where that is known; then many of few are marked in a table instead of being sorted.

    >>> [found.tolist() for found in numbered(np.array([3, 1, 3], np.int32))]
    [[1, 3], [1, 0, 1]]
    """
    if below is not None and len(rows) > below // _MANY:
        return _marked(rows, below)
    keys = rows.astype(np.int64)
    keys <<= 32
    keys |= np.arange(len(rows))
    keys.sort()
    growing = (keys >> 32).astype(np.int32)
    keys &= 0xFFFFFFFF
    first = _first_of_equals(growing)
    places = np.empty(len(rows), np.intp)
    places[keys] = np.cumsum(first) - 1
    return growing[first], places


def _marked(rows: NDArray[np.int32], below: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """`numbered` without a sort."""
    there = np.zeros(below, np.bool_)
    there[rows] = True
    growing = np.flatnonzero(there).astype(np.int32)
    place = np.empty(below, np.int32)  # only what is touched costs anything
    place[growing] = np.arange(len(growing), dtype=np.int32)
    return growing, place[rows].astype(np.intp)


def _first_of_equals(growing: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    first = np.ones(len(growing), np.bool_)
    np.not_equal(growing[1:], growing[:-1], out=first[1:])
    return first
