"""New products get a measured share of the places, so that what nobody has seen yet can show what it is worth.

Each of the chosen places is given to a new product with a stated chance; which one is drawn by Thompson sampling
(Thompson 1933; Chapelle and Li, NIPS 2011) from what is known of its rate of useful clicks. Every chance is a number
before anything is drawn: the draw follows the numbers, so that what the log says of a hit is exactly true.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.intent import Intent
from wares.domain.request import Request
from wares.domain.result import Slate
from wares.policies.priority import ordered, placed
from wares.policies.rules import Rules, pinned_rows

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
NAME = "exploration"
FLOOR = 0.1  # of every draw is even among the products in question, so that no chance is nearly 0
MOST = 12  # products in question for one place; of more those of which most can be hoped
_MOST_CHANCE = 0.45  # that a stretch gives a place away: the likeliest place of every hit stays the one it had
_STRENGTH = 20.0  # looks' worth of the category's rate that every product starts with
_CELLS = 64
_EDGES: Floats = np.linspace(0.0, 1.0, _CELLS + 1) ** 2  # of the cells of a rate: most rates are low
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Exposures:
    """What is known of products that were shown: `of` maps an id to (times shown, looks it got, useful clicks).

    A look is worth how likely the place is looked at. `rates` maps a category to clicks per look, "" = all products.
    """

    of: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=lambda: {"": 0.05})

    def posterior(self, product_id: str, category: str) -> tuple[float, float]:
        """(alpha, beta) of the Beta distribution of a product's clicks per look; it starts as its category's."""
        _, looks, clicks = self.of.get(product_id, (0.0, 0.0, 0.0))
        rate = min(max(self.rates.get(category, self.rates.get("", 0.05)), 0.001), 0.999)
        misses = max(looks - clicks, 0.0)
        return round(_STRENGTH * rate + clicks, 2), round(_STRENGTH * (1 - rate) + misses, 2)


@dataclass(frozen=True, slots=True)
class Exploration:
    """Of the places `first` .. `last` (from 1) about the share `share` goes to new products that were found further
    down: published within `days`, or shown fewer than `impressions` times.

    The places are parted into stretches, each of which gives away one place at most, and moves what stood there and
    behind it within the stretch down by one; the last of the stretch takes the new product's old place. What the shop's
    rules put somewhere stays. It comes last, as what came after it would make the chances untrue.
    """

    share: float  # in [0, 0.4]; 0 = off
    exposures: Callable[[], Exposures] = Exposures
    first: int = 4
    last: int = 24
    days: float = 30.0
    impressions: int = 0
    name: str = NAME

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        request = intent.request
        if self.share <= 0 or request.offset or len(slate) <= self.last:
            return slate
        slate = ordered(slate)
        exposures = self.exposures()
        new = self._is_new(slate, exposures, view.columns, request.now_ms)
        free = self._movable(slate, intent, view)
        slots = np.flatnonzero((free & ~new)[: self.last])
        slots = slots[slots >= self.first - 1]
        below = np.flatnonzero(free & new)
        below = below[below >= self.last]
        if not len(slots) or not len(below):
            return slate
        rng = generator_of(request)
        stretches = min(int(np.ceil(self.share * len(slots) / _MOST_CHANCE)), len(slots))
        chance = self.share * len(slots) / stretches
        order = np.arange(len(slate))
        moved = np.zeros(len(slate), np.bool_)
        told: list[dict[int, float]] = [{} for _ in range(len(slate))]  # by old places
        for i, stretch in enumerate(np.array_split(slots, stretches)):
            asked, posteriors = _in_question(below[i::stretches], slate, exposures, view.columns)
            if not len(asked):
                continue
            likely = thompson_chances(posteriors)
            _tell(told, stretch, asked, likely, chance)
            explores, at = rng.random() < chance, int(rng.integers(len(stretch)))
            which = int(np.searchsorted(np.cumsum(likely), rng.random() * likely.sum(), side="right"))
            if explores:
                old = int(asked[min(which, len(asked) - 1)])
                behind = stretch[at:]
                order[behind[0]], order[behind[1:]], order[old] = old, behind[:-1], behind[-1]
                moved[[behind[0], old]] = True
        arranged = placed(slate, order, moved, self.name, "explore")
        return replace(arranged, chances=tuple(told[old] for old in order.tolist()))

    def _is_new(self, slate: Slate, exposures: Exposures, columns: Columns, now_ms: int) -> NDArray[np.bool_]:
        """(n,)"""
        published = columns.numbers["published"][slate.rows]
        is_new: NDArray[np.bool_] = (published <= now_ms) & (published > now_ms - self.days * _DAY_MS)
        if self.impressions:
            shown = [exposures.of.get(columns.ids[row], (0.0,))[0] for row in slate.rows.tolist()]
            is_new = is_new | (np.array(shown) < self.impressions)
        return is_new

    def _movable(self, slate: Slate, intent: Intent, view: View) -> NDArray[np.bool_]:
        """(n,) which hits nobody has put where they stand, and can be bought."""
        free = view.columns.sellable[slate.rows]
        if intent.actions.pins:
            free = free & ~np.isin(slate.rows, list(pinned_rows(intent.actions, intent.request.filter, view.columns)))
        ruled = [any(one.policy == Rules.name for one in of_hit) for of_hit in slate.adjustments]
        return free & ~np.array(ruled, np.bool_)


def generator_of(request: Request) -> np.random.Generator:
    """The same request at the same moment draws the same; any other draws anew."""
    said = f"{request.surface}\0{request.query}\0{request.shopper_id}\0{request.now_ms}\0{request.seeds}"
    digest = blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8, person=b"exploration").digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def thompson_chances(posteriors: list[tuple[float, float]]) -> Floats:
    """(m,) how likely each of these Beta distributions gives the highest of one draw each, mixed with the even chance
    by `FLOOR`. Computed over 64 cells of the rate, so within about .01 of Thompson sampling; the draw follows it.

    >>> thompson_chances([(2.0, 8.0), (2.0, 8.0)]).tolist()
    [0.5, 0.5]
    >>> bool(thompson_chances([(20.0, 80.0), (2.0, 98.0)])[0] > 0.9)
    True
    """
    m = len(posteriors)
    mass = np.stack([_masses(alpha, beta) for alpha, beta in posteriors])  # (m, cells)
    reached = np.cumsum(mass, axis=1) - mass / 2  # what draws less; of the own cell the half
    others = np.broadcast_to(reached, (m, *reached.shape)).copy()  # (m, m, cells)
    others[np.arange(m), np.arange(m)] = 1.0
    best = (mass * others.prod(axis=1)).sum(axis=1)
    chances: Floats = (1 - FLOOR) * best / best.sum() + FLOOR / m
    return chances


@lru_cache(16_384)
def _masses(alpha: float, beta: float) -> Floats:
    """(cells,) of a Beta distribution."""
    masses: Floats = np.diff(betainc(alpha, beta, _EDGES))
    masses.setflags(write=False)
    return masses


def _in_question(
    places: Places, slate: Slate, exposures: Exposures, columns: Columns
) -> tuple[Places, list[tuple[float, float]]]:
    """The places of at most `MOST` of these hits, those of which most can be hoped, in the order of the slate; and
    what is known of them."""
    rows = slate.rows[places]
    categories = deepest_categories(columns, rows)
    known = [exposures.posterior(columns.ids[row], name) for row, name in zip(rows.tolist(), categories, strict=True)]
    if len(known) > MOST:
        alpha, beta = np.array(known).T
        total = alpha + beta
        hope = alpha / total + 2 * np.sqrt(alpha * beta / (total**2 * (total + 1)))
        best = np.sort(np.argsort(-hope, kind="stable")[:MOST])
        places, known = places[best], [known[i] for i in best.tolist()]
    return places, known


def deepest_categories(columns: Columns, rows: NDArray[np.int32]) -> list[str]:
    """The deepest level of the category path of each row, "" = none."""
    labels = columns.labels.get("category")
    if labels is None:
        return [""] * len(rows)
    starts, ends = labels.indptr[rows], labels.indptr[rows + 1]
    return [
        labels.values[labels.codes[end - 1]] if end > start else ""
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _tell(told: list[dict[int, float]], stretch: Places, asked: Places, likely: Floats, chance: float) -> None:
    """The chances of all places that each of these hits could come to; each hit's sum to 1."""
    n, slots = len(stretch), stretch.tolist()
    for i, slot in enumerate(slots):
        pushed = chance * (i + 1) / n  # somebody came in here or before
        told[slot][slot] = 1 - pushed
        if i + 1 < n:
            told[slot][slots[i + 1]] = pushed
    for old, own in zip(asked.tolist(), (chance * likely).tolist(), strict=True):
        told[slots[-1]][old] = own
        told[old] = {**dict.fromkeys(slots, own / n), old: 1 - own}
