"""Small random exchanges near the top: they tell what a place is worth from what a product is worth.

A product in the first place is clicked more often than the same product in the fifth. How much more can only be seen
where chance decides which of two products stands where (Joachims, Swaminathan and Schnabel, WSDM 2017; Radlinski and
Joachims, AAAI 2006, for exchanging neighbours). Every hit keeps the chances of all places it could have stood at.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.intent import Intent
from wares.domain.request import Request
from wares.domain.result import Slate
from wares.policies.priority import ordered, placed
from wares.policies.rules import Rules, pinned_rows

Places = NDArray[np.intp]
NAME = "swaps"


@dataclass(frozen=True, slots=True)
class Swaps:
    """Exchanges hits of the first `depth` with others up to `reach` places away; about `probability` of them move.

    The last policy of a profile: what came after it would make the chances untrue. What the shop's rules pinned,
    boosted or buried stays where it is, as does what cannot be bought or is paid for; the first `depth` hits stay the
    same ones.
    """

    probability: float  # in [0, 1); 0 = off
    depth: int = 10
    reach: int = 3
    name: str = NAME

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        if self.probability <= 0:
            return slate
        slate = ordered(slate)
        free = self._free(slate, intent, view)
        m = len(free)
        if m < 2:
            return slate
        order = np.arange(len(slate))
        drawn = draw_order(m, self.probability, self.reach, generator_of(intent.request))
        order[free] = free[drawn]
        arranged = placed(slate, order, order != np.arange(len(slate)), self.name, "swap")
        chances = place_chances(m, self.probability, self.reach)[drawn]  # (m, m), by new places
        told: list[dict[int, float]] = [{} for _ in range(len(slate))]
        for place, row in zip(free.tolist(), chances, strict=True):
            told[place] = {int(free[i]): float(row[i]) for i in np.flatnonzero(row)}
        return replace(arranged, chances=tuple(told))

    def _free(self, slate: Slate, intent: Intent, view: View) -> Places:
        """(m,) the places whose hits may be exchanged."""
        rows = slate.rows[: self.depth]
        free = view.columns.sellable[rows]
        if intent.actions.pins:
            free = free & ~np.isin(rows, list(pinned_rows(intent.actions, intent.request.filter, view.columns)))
        if slate.sponsored:
            free = free & ~np.isin(rows, list(slate.sponsored))
        ruled = [any(one.policy == Rules.name for one in of_hit) for of_hit in slate.adjustments[: self.depth]]
        return np.flatnonzero(free & ~np.array(ruled, np.bool_))


def generator_of(request: Request) -> np.random.Generator:
    """The same request at the same moment draws the same; any other draws anew."""
    said = f"{request.surface}\0{request.query}\0{request.shopper_id}\0{request.now_ms}\0{request.seeds}"
    digest = blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8, person=b"swaps").digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def draw_order(m: int, probability: float, reach: int, rng: np.random.Generator) -> Places:
    """(m,) the old place of what stands at each new place.

    A distance and an offset are drawn, which part the places into pairs that do not touch each other; each pair is
    exchanged with the given probability.
    """
    tilings = _tilings(m, reach)
    share = np.array([weight for weight, _, _ in tilings])
    _, first, distance = tilings[int(np.searchsorted(np.cumsum(share), rng.random() * share.sum(), side="right"))]
    chosen = first[rng.random(len(first)) < probability]
    order = np.arange(m)
    order[chosen], order[chosen + distance] = chosen + distance, chosen
    return order


@lru_cache(256)
def place_chances(m: int, probability: float, reach: int) -> NDArray[np.float64]:
    """(m, m) the chance of each old place (row) to come to each new place (column) under `draw_order`; symmetric.

    >>> place_chances(3, 0.2, reach=1).tolist()
    [[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.1, 0.9]]
    """
    chances = np.zeros((m, m))
    for share, first, distance in _tilings(m, reach):
        chances[first, first + distance] += share * probability
    chances += chances.T
    chances[np.diag_indices(m)] = 1 - chances.sum(axis=1)
    chances.setflags(write=False)
    return chances


@lru_cache(256)
def _tilings(m: int, reach: int) -> tuple[tuple[float, Places, int], ...]:
    """(its chance, the first places of its pairs, their distance) of each way to part m places; chances sum to 1."""
    distances = range(1, min(reach, m - 1) + 1)
    places, found = np.arange(m), []
    for distance in distances:
        for offset in range(2 * distance):
            starts = ((places - offset) % (2 * distance) < distance) & (places + distance < m)
            found.append((1 / (len(distances) * 2 * distance), places[starts], distance))
    return tuple(found)
