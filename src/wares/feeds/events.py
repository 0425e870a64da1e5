"""Rows -> events: wares' own names and Google Analytics 4's. Purchases below zero are refunds."""

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from wares.domain.event import Event, EventKind
from wares.domain.money import scale_of
from wares.domain.text import MAX_QUERY
from wares.feeds.readers import Row, Source, name_of, read_rows
from wares.feeds.report import Reading, RowFault, Tally
from wares.feeds.values import (
    DAY_MS,
    EARLIEST_MS,
    clock,
    is_missing,
    is_missing_cell,
    read_minor,
    read_number,
    read_text,
)

# What each field of an event may be called, best name first.
NAMES: dict[str, tuple[str, ...]] = {
    "kind": ("kind", "event_name"),
    "time": ("time", "event_timestamp", "timestamp"),
    "shopper_id": ("shopper_id", "user_id", "user_pseudo_id"),
    "product_id": ("product_id", "item_id"),
    "quantity": ("quantity",),
    "value": ("value",),
    "price": ("price",),
    "basket_id": ("basket_id", "transaction_id"),
    "query": ("query", "search_term"),
    "id": ("id", "event_id"),
    "currency": ("currency",),
    "impression_id": ("impression_id",),
    "position": ("position",),
    "rating": ("rating",),
    "simulated": ("simulated",),
}
NESTED = ("items", "event_params", "ecommerce")  # GA4's own structures
_USED = {name for names in NAMES.values() for name in names} | set(NESTED)
GA4_KINDS = {
    "view_item": EventKind.VIEW,
    "select_item": EventKind.CLICK,
    "add_to_cart": EventKind.CART,
    "remove_from_cart": EventKind.UNCART,
    "add_to_wishlist": EventKind.WISH,
    "view_search_results": EventKind.SEARCH,
}
KINDS: dict[str, EventKind] = {**{kind.value: kind for kind in EventKind}, **GA4_KINDS}
# GA4 events that say nothing of one shopper and one product; a list that was shown is an impression, not a view.
SKIPPED = frozenset(
    (
        *("begin_checkout", "add_payment_info", "add_shipping_info", "view_cart", "view_item_list", "view_promotion"),
        *("select_promotion", "page_view", "session_start", "first_visit", "user_engagement", "scroll", "login"),
        *("sign_up", "form_start", "form_submit"),
    )
)
MAX_ID = 500  # characters
_OF_ITEM = ("quantity", "price", "value", "item_id", "product_id")
_PURCHASE, _REFUND, _SEARCH, _RATE = EventKind.PURCHASE, EventKind.REFUND, EventKind.SEARCH, EventKind.RATE
_YES, _NO = frozenset(("true", "1", "yes", "y")), frozenset(("false", "0", "no", "n"))
_MAX_LAYOUTS = 1000
_USUAL_NAMES = 1000  # characters of all columns together
_FEW = {"": 1.0, **{str(n): float(n) for n in range(100)}}  # quantities as files mostly have them
MAX_PLAIN = 1e12
HALF = 0.5 + 1e-7


def read_events(
    source: Source,
    *,
    now_ms: int,
    currency: str = "",
    timezone: str = "UTC",
    rejects: Path | None = None,
    examples: int = 5,
) -> Reading[Event]:
    """Events of a path, table or iterable of dicts, in the order of the source, as a stream.

    `value` is the whole line's and `price` one unit's, both in major units of the row's `currency` or the one given.
    `timezone` counts for times without one. `rejects` names a JSONL file for rejected rows. A row of GA4 with
    several items counts as that many. Raises InputError for a source that cannot be read at all.
    """
    tally = Tally(name_of(source), rejects, examples)
    maker = Maker(tally, now_ms + DAY_MS, currency.upper(), clock(timezone))
    return Reading(events_of(read_rows(source, tally), maker, tally), tally)


def events_of(rows: Iterator[tuple[int, Row]], maker: "Maker", tally: Tally) -> Iterator[Event]:
    """Events of rows with their line numbers; what cannot be used goes to the tally."""
    make = maker.make
    for line, row in rows:
        tally.line = line
        layout = maker.layout_of(row)
        for entry in _entries(row) if layout.nested else (row,):
            try:
                event = make(entry, maker.layout_of(entry) if layout.nested else layout)
            except RowFault as fault:
                tally.reject(fault, entry)
                continue
            tally.kept += 1
            yield event


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns rows of one shape have: `first` the best column of each field, `others` what else to look in."""

    first: tuple[str | None, ...]
    others: dict[str | None, tuple[str, ...]]
    nested: bool


class Maker:
    """Makes events of rows. A million rows pass here: the common cell takes a short way, the odd one a thorough one."""

    def __init__(self, tally: Tally, latest_ms: int, currency: str, time_of: Callable[[object], int | None]) -> None:
        self.tally, self.latest_ms, self.currency, self.time_of = tally, latest_ms, currency, time_of
        self.scale = scale_of(currency)
        self.layouts: dict[tuple[str, ...], _Layout] = {}

    def layout_of(self, row: Row) -> _Layout:
        shape = tuple(row)
        return self.layouts.get(shape) or self._layout(shape)

    def make(self, row: dict[Any, Any], layout: _Layout) -> Event:
        """Raises RowFault for a row that is no event."""
        get, others = row.get, layout.others
        (
            in_kind,
            in_time,
            in_shopper,
            in_product,
            in_quantity,
            in_value,
            in_price,
            in_basket,
            in_query,
            in_id,
            in_cur,
            in_shown,
            in_place,
            in_rating,
            in_simulated,
        ) = layout.first  # a field without a column is None, and so is what a row has there
        raw = get(in_kind)
        kind = KINDS.get(raw) if type(raw) is str else None
        if kind is None:
            kind = self._kind(self._or_other(row, raw, in_kind, layout))
        raw = get(in_time)
        time_ms = raw if type(raw) is int else 0
        if not EARLIEST_MS <= time_ms <= self.latest_ms:  # Unix ms as they should be
            time_ms = self._time(self._or_other(row, raw, in_time, layout))
        raw = get(in_product)
        if others:
            raw = self._or_other(row, raw, in_product, layout)
        product_id = str(raw) if type(raw) is int else read_text(raw)
        raw = get(in_shopper)
        if others:
            raw = self._or_other(row, raw, in_shopper, layout)
        shopper_id = str(raw) if type(raw) is int else read_text(raw)
        raw = get(in_basket)
        if others:
            raw = self._or_other(row, raw, in_basket, layout)
        basket_id = str(raw) if type(raw) is int else read_text(raw)
        query = read_text(self._or_other(row, get(in_query), in_query, layout), MAX_QUERY) if in_query else ""
        event_id = read_text(self._or_other(row, get(in_id), in_id, layout)) if in_id else ""
        if not product_id and (kind is not _SEARCH or not query):
            raise _missing_subject(kind)
        if len(product_id) + len(shopper_id) + len(basket_id) + len(event_id) > MAX_ID:
            _check_lengths(product_id, shopper_id, basket_id, event_id)

        scale = self.scale
        if in_cur and (code := read_text(get(in_cur)).upper()):
            scale = scale_of(code)
        raw = get(in_quantity)
        if type(raw) is str and raw in _FEW:
            quantity = _FEW[raw]
        else:
            quantity = float(raw) if type(raw) is int and -1e12 < raw < 1e12 else self._quantity(raw)
        raw = get(in_value)
        if type(raw) is float and 0 <= raw < MAX_PLAIN:
            value_minor: int | None = int(raw * scale + HALF)
        elif not is_missing_cell(raw):
            value_minor = self._value("value", raw, 1.0, scale, negative=quantity < 0 or kind is _REFUND)
        elif not is_missing_cell(raw := get(in_price)):
            value_minor = self._value("price", raw, abs(quantity), scale, negative=False)
        else:
            value_minor = None
        if kind is _RATE:
            quantity = _stars(get(in_rating))
        if quantity <= 0:
            kind, quantity = self._below_one(kind, quantity, value_minor)
        shown = read_text(get(in_shown)) if in_shown else ""
        place = self._place(get(in_place)) if in_place and shown else None
        if len(shown) > MAX_ID:
            _check_lengths(shown)
        return Event(
            kind, time_ms, shopper_id or None, product_id or None, quantity, value_minor, basket_id, query, event_id,
            shown, place, bool(in_simulated and self._flag(get(in_simulated))),
        )  # fmt: skip

    def _layout(self, shape: tuple[str, ...]) -> _Layout:
        if len(self.layouts) >= _MAX_LAYOUTS:
            self.layouts.clear()
        is_usual = sum(len(str(name)) for name in shape) <= _USUAL_NAMES  # so that no feed fills the memory
        layout, unknown = (_layout_of if is_usual else _layout_of.__wrapped__)(shape)
        for name in unknown:
            self.tally.note(f"The column {name[:80]!r} is no part of an event and is not used.")
        self.layouts[shape] = layout
        return layout

    def _or_other(self, row: Row, raw: object, column: str | None, layout: _Layout) -> object:
        """The value, or where it is missing that of the next column with this meaning."""
        if layout.others and is_missing(raw):
            return next((row[name] for name in layout.others.get(column, ()) if not is_missing(row[name])), raw)
        return raw

    def _kind(self, raw: object) -> EventKind:
        name = read_text(raw, 100).lower().replace(" ", "_")
        if kind := KINDS.get(name):
            return kind
        if name in SKIPPED:
            self.tally.note(f"{name} events name no product that a shopper chose; they are left out.")
            raise RowFault("not an act on a product", "kind", raw, "Nothing to do: such events are not needed.")
        nearest = difflib.get_close_matches(name, KINDS, n=1)
        hint = f"Did you mean {nearest[0]!r}? " if nearest else ""
        reason = "unknown kind" if name else "no kind"
        raise RowFault(reason, "kind", raw, f"{hint}Use one of {', '.join(EventKind)}, or GA4's names.")

    def _time(self, raw: object) -> int:
        time_ms = self.time_of(raw)
        if time_ms is None:
            fix = "Use ISO 8601 (2026-01-31T12:00:00Z) or Unix seconds, ms or µs."
            raise RowFault("no time" if is_missing(raw) else "unreadable time", "time", raw, fix)
        if time_ms > self.latest_ms:
            raise RowFault("in the future", "time", raw, "Check the clock, the unit and the time zone of the sender.")
        if time_ms < EARLIEST_MS:
            raise RowFault("before 1990", "time", raw, "Check the unit: seconds, ms and µs since 1970 are understood.")
        return time_ms

    def _quantity(self, raw: object) -> float:
        if is_missing_cell(raw):
            return 1.0
        quantity = read_number(raw)
        if abs(quantity) < MAX_PLAIN:  # false for nan
            return quantity
        self.tally.repair("quantity is no number: 1", "quantity", raw, "Give a number of units.")
        return 1.0

    def _place(self, raw: object) -> int | None:
        """A place in an answer, from 1."""
        if is_missing_cell(raw):
            return None
        place = read_number(raw)
        if 1 <= place <= 1e6 and place == int(place):  # false for nan
            return int(place)
        self.tally.repair("position is no place: unknown", "position", raw, "Give the place from 1.")
        return None

    def _flag(self, raw: object) -> bool:
        """Raises RowFault for what is neither yes nor no: a mark that is misread makes a played event a real one."""
        said = read_text(raw, 20).lower()
        if said in _YES:
            return True
        if said in _NO or is_missing_cell(raw):
            return False
        raise RowFault(
            "neither true nor false", "simulated", raw, "Give true for played events, and nothing for others."
        )

    def _value(self, field: str, raw: object, times: float, scale: int, *, negative: bool) -> int | None:
        amount = read_number(raw) * times
        minor = read_minor(abs(amount) if negative else amount, scale)
        if minor is None:
            self.tally.repair(f"{field} is no amount: unknown", field, raw, "Give an amount of at least 0.")
        return minor

    def _below_one(self, kind: EventKind, quantity: float, value_minor: int | None) -> tuple[EventKind, float]:
        if quantity < 0:
            if kind is _PURCHASE:
                self.tally.repair("negative purchase: refund", "quantity", quantity, "Give refunds as kind 'refund'.")
                return _REFUND, -quantity
            if kind is not _REFUND:
                self.tally.repair("negative quantity: its size", "quantity", quantity, "Give a quantity above 0.")
            return kind, -quantity
        if kind not in (_PURCHASE, _REFUND) or value_minor:
            self.tally.repair("quantity 0: 1", "quantity", quantity, "Give a quantity above 0.")
            return kind, 1.0
        raise RowFault("nothing bought", "quantity", quantity, "Leave out lines without quantity and value (coupons).")


@lru_cache(_MAX_LAYOUTS)
def _layout_of(shape: tuple[str, ...]) -> tuple[_Layout, tuple[str, ...]]:
    """The layout of rows of this shape, and the columns that are none of an event's."""
    folded = {str(name).strip().lower().replace(" ", "_"): name for name in shape}
    columns = [[folded[name] for name in names if name in folded] for names in NAMES.values()]
    layout = _Layout(
        tuple(names[0] if names else None for names in columns),
        {names[0]: tuple(names[1:]) for names in columns if len(names) > 1},
        not folded.keys().isdisjoint(NESTED),
    )
    return layout, tuple(folded.keys() - _USED)


def _stars(raw: object) -> float:
    stars = read_number(raw)
    if 1 <= stars <= 5:  # false for nan
        return stars
    reason = "no rating" if is_missing_cell(raw) else "no rating of 1 to 5"
    raise RowFault(reason, "rating", raw, "Give the stars as 'rating', 1 to 5; scale other ratings to that.")


def _check_lengths(*ids: str) -> None:
    longest = max(ids, key=len)
    if len(longest) > MAX_ID:
        raise RowFault("id too long", "", longest, f"Use ids of at most {MAX_ID} characters.")


def _missing_subject(kind: EventKind) -> RowFault:
    if kind is _SEARCH:
        return RowFault("no query", "query", None, "Give the words of the search as 'query' (or 'search_term').")
    return RowFault("no product", "product_id", None, "Give the product's id as 'product_id' (or 'item_id').")


def _entries(row: Row) -> list[Row]:
    """A row of GA4 as flat rows, one per item. The value of the whole basket is not the value of an item."""
    flat = {name: value for name, value in row.items() if name not in NESTED}
    basket = row.get("ecommerce")
    if isinstance(basket, dict) and not is_missing(basket.get("transaction_id")):
        flat.setdefault("transaction_id", basket["transaction_id"])
    for param in _list(row.get("event_params")):
        if isinstance(param, dict) and param.get("key") in ("search_term", "transaction_id"):
            holder = param.get("value")
            value = holder.get("string_value") if isinstance(holder, dict) else holder
            if not is_missing(value):
                flat.setdefault(param["key"], value)
    items = _list(row.get("items"))
    if not items:
        return [flat]
    shared = {name: value for name, value in flat.items() if name not in _OF_ITEM}
    picked = ("item_id", "product_id", "quantity", "price", "value")
    return [
        shared | ({name: item[name] for name in picked if name in item} if isinstance(item, dict) else {})
        for item in items
    ]


def _list(value: object) -> list[Any]:
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if hasattr(value, "tolist"):  # numpy, as pandas holds lists
        value = value.tolist()
    return value if isinstance(value, list) else []
