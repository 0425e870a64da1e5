"""What a system answers, read as a ranking of the catalogue: scores of all products, or a slate of some.

Both forms answer the same four questions, so that a replay does not care which one it was given.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from wares.errors import InputError
from wares.evaluation.ties import (
    Places,
    Rows,
    Scores,
    ordered_top,
    places_among_others,
    places_in_list,
    places_of,
)

Answer = NDArray[np.floating] | NDArray[np.signedinteger]


class Ranking(Protocol):
    """The order of the catalogue in one answer."""

    def places(self, targets: Rows) -> Places:
        """Among all products. (t,) -> t places"""

    def places_without(self, targets: Rows, out: Rows) -> Places:
        """Once the distinct products `out`, none of them a target, are taken out. (t,), (m,) -> t places"""

    def places_among(self, targets: Rows, only: Rows) -> Places:
        """Among the products `only` (growing), which hold every target. (t,), (c,) -> t places"""

    def top(self, k: int, tie_order: Rows) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """What is shown: at most k rows with their scores, best first."""


@dataclass(frozen=True)
class Scored:
    """A score for every product; equal scores stand in random order."""

    scores: Scores  # (n_products,)

    @cached_property
    def growing(self) -> Scores:
        return np.sort(self.scores)

    def places(self, targets: Rows) -> Places:
        return places_of(self.scores, targets, self.growing)

    def places_without(self, targets: Rows, out: Rows) -> Places:
        return places_among_others(self.scores, targets, out, self.growing)

    def places_among(self, targets: Rows, only: Rows) -> Places:
        return places_of(self.scores[only], np.searchsorted(only, targets))

    def top(self, k: int, tie_order: Rows) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        rows = ordered_top(self.scores, k, tie_order, self.growing)
        return rows, self.scores[rows].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Listed:
    """A slate: distinct products, best first. Whatever is not in it is missed."""

    rows: Rows  # (m,)

    def places(self, targets: Rows) -> Places:
        return places_in_list(self.rows, targets)

    def places_without(self, targets: Rows, out: Rows) -> Places:
        return places_in_list(self.rows[~np.isin(self.rows, out)], targets)

    def places_among(self, targets: Rows, only: Rows) -> Places:
        return places_in_list(self.rows[np.isin(self.rows, only)], targets)

    def top(self, k: int, tie_order: Rows) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        rows = self.rows[:k].astype(np.int64)
        return rows, np.arange(len(rows), 0, -1, dtype=np.float64)  # falling numbers stand for the order


def read(answer: Answer, system: str, n_products: int) -> Ranking:
    """Floats are scores, integers a slate; anything else, and any answer that cannot be ranked, is an error.

    >>> read(np.array([4, 2]), "by hand", n_products=5)
    Listed(rows=array([4, 2]))
    """
    if np.issubdtype(answer.dtype, np.floating):
        scores = cast(Scores, answer)
        if scores.shape != (n_products,) or np.isnan(scores).any():
            raise InputError(f"{system!r} gave scores of shape {scores.shape}. Valid is ({n_products},) without nan.")
        return Scored(scores)
    if not np.issubdtype(answer.dtype, np.integer):
        raise InputError(f"{system!r} answered {answer.dtype}. Valid are scores (floats) and product rows (integers).")
    rows = answer.astype(np.int64, copy=False)
    if rows.ndim != 1 or len(np.unique(rows)) < len(rows):
        raise InputError(f"{system!r} gave a slate of shape {rows.shape} or with a product twice. Valid is (m,).")
    if len(rows) and (rows.min() < 0 or rows.max() >= n_products):
        raise InputError(f"{system!r} gave rows {rows.min()}..{rows.max()}. Valid is 0..{n_products - 1}.")
    return Listed(rows)
