"""New products get a measured share of the places, so that what nobody has seen yet can show what it is worth.

Each of the chosen places is given to a new product with a stated chance; which one is drawn by Thompson sampling
(Thompson 1933; Chapelle and Li, NIPS 2011) from what is known of its rate of useful clicks. Every chance is a number
before anything is drawn: the draw follows the numbers, so that what the log says of a hit is exactly true.
"""

import math
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
MOST = 12  # products in question for one page; of more those of which most can be hoped
_ROOM = 0.25  # places that one stretch of places is to give away on average
_MOST_CHANCE = 0.45  # that it does: most pages are as they would be there
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
        if not new[self.last :].any():
            return slate
        free = self._movable(slate, intent, view)
        slots = np.flatnonzero((free & ~new)[: self.last])
        slots = slots[slots >= self.first - 1]
        below = np.flatnonzero(free & new)
        below = below[below >= self.last]
        if not len(slots) or not len(below):
            return slate
        asked, posteriors = _in_question(below, slate, exposures, view.columns)
        stretches = np.array_split(slots, min(math.ceil(self.share * len(slots) / _ROOM), len(slots)))
        likely = thompson_chances(posteriors)  # (m,)
        comes = _coming(likely, len(stretches), self.share * len(slots))  # (stretches, m)
        moves = list[tuple[Places, int]]()
        taken, rng = set[int](), generator_of(request)
        draws = zip(stretches, rng.random((len(stretches), 2)).tolist(), strict=True)
        chance = float(comes[0].sum())
        for stretch, (which, at) in draws:
            if which < chance:
                old = int(asked[min(int(np.searchsorted(np.cumsum(comes[0]), which, side="right")), len(asked) - 1)])
                if old not in taken:  # of two stretches that draw the same, the first has it
                    taken.add(old)
                    moves.append((stretch[int(at * len(stretch)) :], old))
        order, moved = np.arange(len(slate)), np.zeros(len(slate), np.bool_)
        for behind, old in moves:
            order[behind[0]], order[behind[1:]], order[old] = old, behind[:-1], behind[-1]
            moved[[behind[0], old]] = True
        arranged = placed(slate, order, moved, self.name, "explore")
        told = _told(len(slate), stretches, asked, comes)
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
        """(n,) which hits nobody has put where they stand or pays for, and can be bought."""
        free = view.columns.sellable[slate.rows]
        if intent.actions.pins:
            free = free & ~np.isin(slate.rows, list(pinned_rows(intent.actions, intent.request.filter, view.columns)))
        rules = Rules.name
        ruled = [bool(of_hit) and any(one.policy == rules for one in of_hit) for of_hit in slate.adjustments]
        if slate.sponsored:
            free = free & ~np.isin(slate.rows, list(slate.sponsored))
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
    unseen = {name: exposures.posterior("", name) for name in set(categories)}  # the same for all of a category
    ids, shown = columns.ids, exposures.of
    known = [
        exposures.posterior(product_id, name) if (product_id := ids[row]) in shown else unseen[name]
        for row, name in zip(rows.tolist(), categories, strict=True)
    ]
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


def _coming(likely: Floats, stretches: int, wanted: float) -> Floats:
    """(stretches, m) how likely each stretch gives a place to each product, `wanted` places in all as far as that can
    be. Every stretch draws one of them, or none, with the same chances; what an earlier one has drawn is left out."""
    low, high = wanted / stretches, _MOST_CHANCE
    for _ in range(12):  # more than wanted / stretches, for those that are drawn twice
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - (1 - middle * likely) ** stretches).sum() < wanted else (low, middle)
    own = low * likely
    coming: Floats = own * (1 - own) ** np.arange(stretches)[:, None]
    return coming


def _told(n: int, stretches: list[Places], asked: Places, comes: Floats) -> list[dict[int, float]]:
    """(n,) by the places that hits have by themselves, which come first in each: the chances of all places that the hit
    could come to. Each hit's sum to 1; {} = surely its own."""
    told: list[dict[int, float]] = [{} for _ in range(n)]
    for old, stays in zip(asked.tolist(), (1 - comes.sum(axis=0)).tolist(), strict=True):
        told[old][old] = stays
    for stretch, coming in zip(stretches, comes, strict=True):
        slots, many = stretch.tolist(), len(stretch)
        chance = float(coming.sum())
        for i, slot in enumerate(slots):
            pushed = chance * (i + 1) / many  # somebody came in here or before
            told[slot][slot] = 1 - pushed
            if i + 1 < many:
                told[slot][slots[i + 1]] = pushed
        for old, own in zip(asked.tolist(), coming.tolist(), strict=True):
            told[slots[-1]][old] = own
            told[old].update(dict.fromkeys(slots, own / many))
    return told
