"""Returns and cancellations -> the purchases that they take back.

A refund belongs to the latest earlier purchases of its product: in the order that it names, or, where the feed has no
such order, by the same shopper. Each purchase is taken back at most as often as it was made.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from wares.domain.event import Event, EventKind
from wares.feeds.report import Tally

BULK = 1000  # units; a line of so many is named in the report
_LEAST = 1e-9  # units; less is nothing
_PURCHASE, _REFUND = EventKind.PURCHASE, EventKind.REFUND


def settled(events: Iterator[Event], tally: Tally) -> Iterator[Event]:
    """The same events. At their end the tally knows of how many refunds the purchase was found, and which lack one.

    Lines of `BULK` units and more are named, too, and kept as they are.
    """
    returns = Returns()
    for event in events:
        if event.quantity >= BULK:
            fix = "Kept as it is. If nobody ordered so many, correct the line and the refund that took it back."
            tally.remark(f"bulk line of {BULK:,} units or more", "quantity", event.quantity, fix)
        if event.kind is _PURCHASE:
            returns.buy(event)
        elif event.kind is _REFUND:
            returns.give_back(event, tally)
        yield event
    returns.settle(tally)


@dataclass(slots=True)
class _Refund:
    """A refund and where it stands."""

    event: Event
    line: int
    names: Mapping[str, str]
    place: int


@dataclass(slots=True)
class Returns:
    """Purchases and refunds of one feed, in any order: 40 bytes per purchase, so that millions can be heard."""

    _by_order: "array[int]" = field(default_factory=lambda: array("q"))  # of order and product; 0 = no order
    _by_shopper: "array[int]" = field(default_factory=lambda: array("q"))  # of shopper and product; 0 = anonymous
    _ids: "array[int]" = field(default_factory=lambda: array("q"))  # 0 = no id
    _times: "array[int]" = field(default_factory=lambda: array("q"))  # Unix ms
    _units: "array[float]" = field(default_factory=lambda: array("d"))
    _refunds: list[_Refund] = field(default_factory=list)

    def buy(self, event: Event) -> None:
        order, shopper = _keys(event)
        self._by_order.append(order)
        self._by_shopper.append(shopper)
        self._ids.append(hash(event.id) if event.id else 0)
        self._times.append(event.time_ms)
        self._units.append(event.quantity)

    def give_back(self, event: Event, tally: Tally) -> None:
        self._refunds.append(_Refund(event, tally.line, tally.names, tally.place))

    def settle(self, tally: Tally) -> None:
        """Match everything heard; write figures, remarks and a sentence into the tally."""
        told = {"refunds": 0, "matched": 0, "by_order": 0, "in_part": 0, "unmatched": 0}
        purchases = self._wanted()
        orders = {order for order, _, _, _ in purchases}
        left = [units for _, _, _, units in purchases]
        of_order: dict[int, list[int]] = {}  # the purchases so far, latest last
        of_shopper: dict[int, list[int]] = {}
        known: set[str] = set()
        place = 0
        for refund in sorted(self._refunds, key=lambda one: one.event.time_ms):
            event = refund.event
            if event.id and event.id in known:
                continue  # counts once, as in the store
            known.add(event.id)
            while place < len(purchases) and purchases[place][2] <= event.time_ms:
                of_order.setdefault(purchases[place][0], []).append(place)
                of_shopper.setdefault(purchases[place][1], []).append(place)
                place += 1
            order, shopper = _keys(event)
            named = bool(order) and order in orders
            stack = of_order.get(order) if named else of_shopper.get(shopper) if shopper else None
            missing = _take(stack or [], left, event.quantity)
            told["refunds"] += 1
            if missing <= _LEAST:
                told["matched"] += 1
                told["by_order"] += named
                continue
            in_part = event.quantity - missing > _LEAST
            told["in_part" if in_part else "unmatched"] += 1
            tally.line, tally.names, tally.place = refund.line, refund.names, refund.place
            if in_part:
                fix = f"{missing:g} of them were not bought in this feed. Import the earlier purchases, too."
                tally.remark("refund of more than was bought", "quantity", event.quantity, fix)
            elif not named and not shopper:
                fix = "Give the shopper or the order: without them nobody knows what was returned."
                tally.remark("refund that names neither a shopper nor a known order", "shopper_id", None, fix)
            else:
                fix = "No earlier purchase of this product by this shopper or in this order. Import it, too."
                tally.remark("refund without a purchase in this feed", "product_id", event.product_id, fix)
        if told["refunds"]:
            tally.returns.update(told)
            tally.note(_sentence(told))

    def _wanted(self) -> list[tuple[int, int, int, float]]:
        """(order, shopper, time, units) of the purchases that a refund may mean, oldest first."""
        if not self._refunds:
            return []
        keys = [_keys(refund.event) for refund in self._refunds]
        order, shopper = np.array(self._by_order, np.int64), np.array(self._by_shopper, np.int64)
        meant = np.isin(order, [key for key, _ in keys if key]) | np.isin(shopper, [key for _, key in keys if key])
        ids = np.array(self._ids, np.int64)
        first = np.zeros(len(ids), bool)
        first[np.unique(ids, return_index=True)[1]] = True
        chosen = np.flatnonzero(meant & (first | (ids == 0)))
        times, units = np.array(self._times, np.int64), np.array(self._units)
        chosen = chosen[np.argsort(times[chosen], kind="stable")]
        columns = (order[chosen], shopper[chosen], times[chosen], units[chosen])
        return list(zip(*(column.tolist() for column in columns), strict=True))


def _take(stack: list[int], left: list[float], units: float) -> float:
    """Take units from the latest purchases; the units that were not there. Used up purchases leave the stack."""
    while stack and units > _LEAST:
        latest = stack[-1]
        taken = min(left[latest], units)
        left[latest] -= taken
        units -= taken
        if left[latest] <= _LEAST:
            stack.pop()
    return units


def _keys(event: Event) -> tuple[int, int]:
    """What order and product, and what shopper and product, this is; 0 = none."""
    order = hash((event.basket_id, event.product_id)) if event.basket_id else 0
    return order, hash((event.shopper_id, event.product_id)) if event.shopper_id else 0


def _sentence(told: Mapping[str, int]) -> str:
    by_shopper = told["matched"] - told["by_order"]
    return (
        f"Refunds: {told['refunds']:,}. Their purchase was found by order: {told['by_order']:,}; "
        f"by shopper and product: {by_shopper:,}; only in part: {told['in_part']:,}; "
        f"not in this feed: {told['unmatched']:,}."
    )
