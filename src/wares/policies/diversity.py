"""A page of different things: near-equal products and one brand's crowd make room for others."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.catalogue import Labels
from wares.domain.intent import Intent
from wares.domain.result import Slate
from wares.domain.selection import codes_of, first_code_of
from wares.domain.sorting import numbered
from wares.policies.priority import demoted, ordered, placed, rescaled

Rows = NDArray[np.int32]
Similarities = NDArray[np.float64]

_SHARES = {"category": 0.6, "brand": 0.4}
_AT_A_TIME = 64


def label_overlap(rows: Rows, view: View) -> Similarities:
    """(m,) -> (m, m) in [0, 1]: how many levels of the category path two products share (Jaccard), and the brand."""
    total = np.zeros((len(rows), len(rows)))
    for name, share in _SHARES.items():
        if (labels := view.columns.labels.get(name)) is not None:
            total += share * _jaccard(labels, rows)
    return total


def _jaccard(labels: Labels, rows: Rows) -> Similarities:
    places, codes = codes_of(labels, rows)
    if (places[1:] > places[:-1]).all():  # one each, or none
        only = np.full(len(rows), -1, codes.dtype)
        only[places] = codes
        same: Similarities = ((only[:, None] == only) & (only >= 0)).astype(np.float64)
        return same
    values, columns = numbered(codes)
    member = np.zeros((len(rows), len(values)), np.float32)
    member[places, columns] = 1
    shared = (member @ member.T).astype(np.float64)  # (m, u) @ (u, m) -> (m, m)
    sizes = np.diag(shared)
    overlap: Similarities = shared / np.maximum(sizes[:, None] + sizes[None, :] - shared, 1)
    return overlap


@dataclass(frozen=True, slots=True)
class Diversity:
    """Maximal marginal relevance over the first `depth` hits (Carbonell and Goldstein, SIGIR 1998).

    The next hit is the one with the highest (1 - strength) x priority - strength x similarity to the nearest hit
    above it, priority rescaled to [0, 1] over these hits. `strength` in [0, 1]; 0 = off. The hits that had to let
    others pass are the ones whose priority changes.
    """

    strength: float = 0.2
    depth: int = 50
    similarity: Callable[[Rows, View], Similarities] = label_overlap  # rows (m,) -> (m, m) in [0, 1]
    name: str = "diversity"

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        m = min(self.depth, len(slate))
        if self.strength <= 0 or m < 3:
            return slate
        slate = ordered(slate)
        worth = (1 - self.strength) * rescaled(slate.priority[:m])[0]
        penalties = self.strength * self.similarity(slate.rows[:m], view)
        order = np.arange(len(slate))
        order[:m] = _marginal_order(worth, penalties)
        return placed(slate, order, demoted(order), self.name, "diversity")


def _marginal_order(worth: NDArray[np.float64], penalties: Similarities) -> list[int]:
    """Greedy: worth (m,) less the highest penalty (m, m) towards anything chosen before; ties go to the earlier."""
    left, beside, order = worth.copy(), worth - penalties, list[int]()  # beside (m, m): next to each of the others
    for _ in range(len(worth)):
        best = int(left.argmax())
        order.append(best)
        np.minimum(left, beside[best], out=left)
        left[best] = -np.inf
    return order


@dataclass(frozen=True, slots=True)
class BrandCap:
    """At most `cap` hits of one brand among the first `within`; the others follow right after. `cap` 0 = off.

    Products without a brand are free. Where there are too few other hits, the cap gives way.
    """

    cap: int
    within: int = 10
    name: str = "brand_cap"

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        labels = view.columns.labels.get("brand")
        if self.cap <= 0 or labels is None:
            return slate
        slate = ordered(slate)
        seen: Counter[int] = Counter()
        first: list[int] = []
        for place, brand in enumerate(_brands(labels, slate.rows)):
            if len(first) == self.within:
                break
            if brand < 0 or seen[brand] < self.cap:
                seen[brand] += 1
                first.append(place)
        if first == list(range(len(first))):
            return slate
        behind = np.ones(len(slate), np.bool_)
        behind[first] = False
        order = np.concatenate([first, np.flatnonzero(behind)]).astype(np.intp)
        return placed(slate, order, demoted(order), self.name, "brand_cap")


def _brands(labels: Labels, rows: Rows) -> Iterator[int]:
    """The first code of each row, -1 = none; looked up some at a time, as few are asked for."""
    for start in range(0, len(rows), _AT_A_TIME):
        yield from first_code_of(labels, rows[start : start + _AT_A_TIME]).tolist()
