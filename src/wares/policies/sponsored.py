"""Sponsored hits: some places go to the highest bidders among what was found anyway and is nearly as relevant.

A generalised second-price auction, place by place (Edelman, Ostrovsky and Schwarz, "Internet advertising and the
generalized second-price auction", AER 2007; Varian, 2007): the highest bid x click rate wins the place, and a click
costs the least whole bid that would still have won it.

The floor bounds what it costs: a hit that enters at place p with at least the share f of the score of the one that
stood there lowers the discounted sum of scores by at most (1 - f) x that score x the discount of p; what moves down
only takes the place of something lower.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.intent import Intent
from wares.domain.result import Adjustment, Slate
from wares.domain.selection import first_code_of, known_rows, passing
from wares.domain.sponsored import Bid, Sponsored
from wares.policies.priority import ordered, placed
from wares.policies.rules import pinned_rows

NAME = "sponsored"
_WITHIN = 10  # places that a cap of brands is about, as of `brand_cap`

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SponsoredPlaces:
    """Gives each of the `places` (from 1) to the best bidder's best hit that was found further down, can be bought and
    has at least the share `floor` of the score of the hit that it displaces; that one and those behind move down.

    Scores are counted from 0, or from the lowest where some are negative. Pins stay where they are, and what a rule
    buries is not lifted. A brand gets one place, and no more hits of the first ten than `brand_cap` allows (0 = any).
    `only`: an ad slot: what nobody pays for is left out, and what stands at a place by itself may be paid for, too.
    """

    places: tuple[int, ...] = (3, 9)
    floor: float = 0.8
    only: bool = False
    reserve_minor: int = 1  # the least that a click costs
    brand_cap: int = 0
    name: str = NAME

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        auction = None
        if intent.bids and self.places and len(slate):
            slate = ordered(slate)
            auction = _Auction(slate, intent, view, self)
            for place in self.places:
                auction.sell(place - 1)
            slate = auction.arranged()
        if self.only:
            slate = slate.take(np.isin(slate.rows, list(slate.sponsored)))
        return slate


def price_of(winner: Bid, others: Iterable[Bid], reserve_minor: int = 1) -> int:
    """The least whole bid with which `winner` would still come before all `others`; at least the reserve, at most its
    own bid. Of equal values the name that comes first in the alphabet comes first.

    >>> price_of(Bid("a", "", 50, 0.1), [Bid("b", "", 40, 0.05)])
    20
    >>> price_of(Bid("b", "", 50, 0.1), [Bid("a", "", 40, 0.05)])
    21
    >>> price_of(Bid("a", "", 50, 0.1), [])
    1
    """
    best = min(others, key=_rank, default=None)
    price = reserve_minor
    if best is not None:
        price = max(price, math.floor(best.value / winner.rate))
        while price < winner.bid_minor and _rank(replace(winner, bid_minor=price)) > _rank(best):
            price += 1
    return min(price, winner.bid_minor)


def _rank(bid: Bid) -> tuple[float, str]:
    """Lower comes first."""
    return -bid.value, bid.campaign


class _Auction:
    """The places of one slate while they are sold. Hits are named by the places that they have by themselves."""

    def __init__(self, slate: Slate, intent: Intent, view: View, terms: SponsoredPlaces) -> None:
        rows, columns = slate.rows, view.columns
        self._slate, self._terms = slate, terms
        pins = list(pinned_rows(intent.actions, intent.request.filter, columns)) if intent.actions.pins else []
        pinned = np.isin(rows, pins)
        self._free = np.flatnonzero(~pinned)  # places that are not a pin's
        self._line: list[int] = self._free.tolist()  # the hits that stand there now
        worth = slate.scores.astype(np.float64)
        self._worth = worth - min(0.0, float(worth.min()))
        buried = np.fromiter((any(one.why == "bury" for one in of_hit) for of_hit in slate.adjustments), np.bool_)
        may_rise = columns.sellable[rows] & ~buried & ~pinned
        self._bids = [(bid, may_rise & _covered(bid, rows, columns)) for bid in sorted(intent.bids, key=_rank)]
        labels = columns.labels.get("brand")
        self._brands = np.full(len(rows), -1) if labels is None else first_code_of(labels, rows)
        self._left = {bid.campaign: bid.most for bid in intent.bids}
        self._won: dict[int, Sponsored] = {}

    def sell(self, place: int) -> None:
        """Give this place (from 0) to who bids most for it, if anybody does."""
        at = int(np.searchsorted(self._free, place))
        if at >= len(self._line) or self._free[at] != place:
            return  # nothing stands there, or a pin
        displaced = self._line[at]
        bidders = [
            (bid, hit) for bid, covered in self._bids if (hit := self._best(bid, covered, at, place)) is not None
        ]
        if not bidders:
            return
        (winner, hit), others = bidders[0], bidders[1:]
        price = price_of(winner, (bid for bid, _ in others), self._terms.reserve_minor)
        full = self._worth[displaced]
        lost = max(0.0, 1 - float(self._worth[hit] / full)) if full > 0 else 0.0
        self._line.remove(hit)
        self._line.insert(at, hit)
        self._won[hit] = Sponsored(winner.campaign, winner.label, price, lost)
        self._left[winner.campaign] -= 1

    def arranged(self) -> Slate:
        """The slate with what was sold."""
        if not self._won:
            return self._slate
        order = np.arange(len(self._slate))
        order[self._free] = self._line
        lifted = np.isin(order, list(self._won))
        arranged = placed(self._slate, order, lifted | _passed(order, np.setdiff1d(order, self._free)), NAME, NAME)
        told = [
            of_hit if paid else tuple(_as_displaced(one) for one in of_hit)
            for of_hit, paid in zip(arranged.adjustments, lifted.tolist(), strict=True)
        ]
        rows = self._slate.rows
        return replace(
            arranged, adjustments=tuple(told), sponsored={int(rows[hit]): one for hit, one in self._won.items()}
        )

    def _best(self, bid: Bid, covered: Bools, at: int, place: int) -> int | None:
        """The first of the campaign's hits that may have this place; None = it has none, or may not show any more."""
        if self._left[bid.campaign] <= 0 or bid.bid_minor < self._terms.reserve_minor:
            return None
        least = self._terms.floor * self._worth[self._line[at]]
        behind = self._line[at + (not self._terms.only) :]
        return next(
            (
                hit
                for hit in behind
                if covered[hit] and hit not in self._won and self._worth[hit] >= least and self._fits(hit, at, place)
            ),
            None,
        )

    def _fits(self, hit: int, at: int, place: int) -> bool:
        """Whether its brand has no paid place yet, and would not have more of the first hits than the cap allows."""
        brand, cap = self._brands[hit], self._terms.brand_cap
        if brand < 0 or self._terms.only:
            return True
        if any(self._brands[other] == brand for other in self._won):
            return False
        if not cap or place >= _WITHIN:
            return True
        pins = np.setdiff1d(np.arange(len(self._slate)), self._free)
        head = self._line[: int(np.searchsorted(self._free, _WITHIN))] + pins[pins < _WITHIN].tolist()
        return hit in head or int((self._brands[head] == brand).sum()) < cap


def _covered(bid: Bid, rows: NDArray[np.int32], columns: Columns) -> Bools:
    """(n,) which rows the campaign is for; a product's variants are one hit with it."""
    covered = passing(bid.where, columns, rows) if bid.where.clauses else np.zeros(len(rows), np.bool_)
    if bid.products:
        covered |= np.isin(columns.groups[rows], columns.groups[known_rows(bid.products, columns)])
    return covered


def _passed(order: NDArray[np.intp], pins: NDArray[np.intp]) -> Bools:
    """(n,) by new places: which hits moved from before a pin to behind it, as pins do not give way."""
    new, passed = np.arange(len(order)), np.zeros(len(order), np.bool_)
    for pin in pins.tolist():
        passed |= (order < pin) & (new > pin)
    return passed


def _as_displaced(one: Adjustment) -> Adjustment:
    return replace(one, why="displaced") if one.policy == NAME else one
