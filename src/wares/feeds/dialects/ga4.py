"""Google Analytics 4: the BigQuery export, one JSON object (or Parquet row) per event, and flat tables of it.

An event's `items` are an entry each. `value` is the whole event's and not used: an item is worth price x quantity. A
refund without items is of the whole order. GA4 tells "(not set)" for nothing.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from wares.domain.event import EventKind
from wares.feeds.dialects.entry import (
    Dialect,
    Entry,
    first_of,
    folded,
    is_absent,
    list_of,
    mapping_of,
    read_kind,
    stable_id,
)
from wares.feeds.events import GA4_KINDS, SKIPPED
from wares.feeds.readers import Row
from wares.feeds.report import RowFault
from wares.feeds.values import read_text

KINDS: dict[str, EventKind] = {folded(name): kind for name, kind in GA4_KINDS.items()} | {
    "search": EventKind.SEARCH,
    "purchase": EventKind.PURCHASE,
    "ecommerce purchase": EventKind.PURCHASE,
    "refund": EventKind.REFUND,
}
LEFT_OUT = frozenset(
    (
        *map(folded, SKIPPED),
        *("click", "file download", "video start", "video progress", "video complete", "select content", "share"),
        *("generate lead", "app remove", "app update", "screen view", "in app purchase", "exception", "first open"),
        *("ad impression", "user properties", "view item variant", "add coupon"),
    )
)
NAMES = {
    "kind": "event_name",
    "time": "event_timestamp",
    "shopper_id": "user_id",
    "product_id": "items[#].item_id",
    "quantity": "items[#].quantity",
    "price": "items[#].price",
    "basket_id": "ecommerce.transaction_id",
    "query": "event_params.search_term",
    "currency": "event_params.currency",
    "user agent": "user_agent",
}
FLAT_NAMES = NAMES | {
    "product_id": "item_id",
    "quantity": "quantity",
    "price": "price",
    "basket_id": "transaction_id",
    "query": "search_term",
    "currency": "currency",
}
_PARAMS = ("search_term", "transaction_id", "currency", "user_agent")
_VALUES = ("string_value", "int_value", "float_value", "double_value")
_MARKS = frozenset(
    ("event timestamp", "event params", "user pseudo id", "items", "ecommerce", "event bundle sequence id")
)
# What flattened tables call an item's columns, folded.
_FLAT = {
    "product_id": ("item id", "items item id", "product id"),
    "quantity": ("quantity", "item quantity", "items quantity"),
    "price": ("price", "item price", "items price"),
    "basket_id": ("transaction id", "ecommerce transaction id"),
}
_NO_ITEM = "Give each item the item_id of your product feed; a name alone names no product."


def recognises(row: Row) -> bool:
    """A row with `event_name` and at least one more name of the export."""
    names = {folded(str(name)) for name in row}
    return "event name" in names and not names.isdisjoint(_MARKS)


def entries(row: Row) -> Sequence[Entry | RowFault]:
    """Raises LeftOut, RowFault for a row without any entry."""
    cells = {folded(str(name)): value for name, value in row.items()}
    kind = read_kind(cells.get("event name"), "event_name", KINDS, LEFT_OUT)
    params = _params(cells.get("event params"))
    items = list_of(cells.get("items"))
    flat = not items and any(name in cells for name in _FLAT["product_id"])
    basket = mapping_of(cells.get("ecommerce"))
    shopper = first_of(cells, "user id", "user pseudo id")
    common: Row = {
        "kind": kind.value,
        "time": first_of(cells, "event timestamp", "event time", "timestamp", "time"),
        "shopper_id": shopper,
        "product_id": None,
        "quantity": None,
        "price": None,
        "basket_id": first_of(basket, "transaction_id")
        or params.get("transaction_id")
        or first_of(cells, *_FLAT["basket_id"]),
        "query": None,
        "currency": params.get("currency") or first_of(cells, "currency"),
        "id": first_of(cells, "event id") if flat else None,
    }
    agent = read_text(first_of(cells, "user agent") or params.get("user_agent"), 1000)
    batch = [(name, cells[name]) for name in _BATCH if name in cells and not is_absent(cells[name])]
    given = (common["time"], kind.value, shopper, *chain.from_iterable(batch))
    if kind is EventKind.SEARCH:  # the items of a search were shown, not chosen
        query = params.get("search_term") or first_of(cells, "search term", "query")
        id_ = common["id"] or stable_id("ga4", *given, query)
        return [Entry(common | {"query": query, "id": id_}, FLAT_NAMES if flat else NAMES, agent=agent)]
    if flat:
        return [Entry(common | {name: first_of(cells, *_FLAT[name]) for name in _OF_ITEM}, FLAT_NAMES, agent=agent)]
    if not items:
        if kind is EventKind.REFUND and not is_absent(common["basket_id"]):
            id_ = stable_id("ga4", *given, common["basket_id"])
            return [Entry(common | {"id": id_}, NAMES, agent=agent, whole_order=True)]
        raise RowFault("no items", "items", cells.get("items"), f"Send {kind.value} events with items. {_NO_ITEM}")
    return [_entry(common, given, place, item, agent) for place, item in enumerate(items)]


def login(row: Row) -> tuple[object, object]:
    """Of an event of somebody who is signed in."""
    if "user_pseudo_id" not in row:
        row = {folded(str(name)).replace(" ", "_"): value for name, value in row.items()}
    return row.get("user_pseudo_id"), row.get("user_id")


_BATCH = ("event bundle sequence id", "batch page id", "batch ordering id", "batch event index")
_OF_ITEM = ("product_id", "quantity", "price")


def _entry(common: Row, given: tuple[object, ...], place: int, item: object, agent: str) -> Entry | RowFault:
    if not isinstance(item, Mapping):
        return RowFault("not an item", f"items[{place}]", item, 'Give each item as an object: {"item_id": ...}.')
    product = first_of(item, "item_id", "id", "product_id")
    if product is None:
        shown = first_of(item, "item_name")
        return RowFault("no product", f"items[{place}].item_id", shown or item.get("item_id"), _NO_ITEM)
    id_ = stable_id("ga4", *given, common["basket_id"], place, product)
    chosen = {"product_id": product, "quantity": item.get("quantity"), "price": item.get("price"), "id": id_}
    return Entry(common | chosen, NAMES, place, agent)


def _params(given: object) -> dict[str, Any]:
    """The event parameters that wares reads; each is a union of which one member is filled."""
    found: dict[str, Any] = {}
    for param in list_of(given):
        if isinstance(param, Mapping) and (key := param.get("key")) in _PARAMS:
            holder = param.get("value")
            value = first_of(holder, *_VALUES) if isinstance(holder, Mapping) else holder
            if not is_absent(value):
                found[str(key)] = value
    return found


GA4 = Dialect("ga4", "Google Analytics 4", recognises, entries, login)
