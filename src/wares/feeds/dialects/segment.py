"""Segment's e-commerce events: `track` calls, one JSON object per line, as its archives and warehouses keep them.

The products of an order are an entry each; `messageId` is the event's id. `price` is one unit's. An order that is
refunded or cancelled without naming products is refunded as a whole.
"""

from collections.abc import Mapping, Sequence

from wares.domain.event import EventKind
from wares.feeds.dialects.entry import Dialect, Entry, first_of, is_absent, list_of, mapping_of, read_kind, stable_id
from wares.feeds.readers import Row
from wares.feeds.report import LeftOut, RowFault
from wares.feeds.values import read_text

# Names as of version 2 of the specification and, after them, of version 1; folded.
KINDS: dict[str, EventKind] = {
    "product viewed": EventKind.VIEW,
    "product clicked": EventKind.CLICK,
    "products searched": EventKind.SEARCH,
    "product added": EventKind.CART,
    "product removed": EventKind.UNCART,
    "product added to wishlist": EventKind.WISH,
    "wishlist product added to cart": EventKind.CART,
    "order completed": EventKind.PURCHASE,
    "order refunded": EventKind.REFUND,
    "order cancelled": EventKind.REFUND,
    "order canceled": EventKind.REFUND,
    "viewed product": EventKind.VIEW,
    "added product": EventKind.CART,
    "removed product": EventKind.UNCART,
    "completed order": EventKind.PURCHASE,
    "product reviewed": EventKind.RATE,  # where it tells a rating
}
LEFT_OUT = frozenset(
    (
        *("product list viewed", "product list filtered", "promotion viewed", "promotion clicked", "cart viewed"),
        *("checkout started", "checkout step viewed", "checkout step completed", "payment info entered"),
        *("order updated", "coupon entered", "coupon applied", "coupon denied", "coupon removed"),
        *("product removed from wishlist", "product shared", "cart shared"),
        *("viewed product category", "viewed promotion", "clicked promotion"),
    )
)
CALLS = ("page", "screen", "identify", "group", "alias")  # left out: they are no acts on products
TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")  # the first that is there
NAMES = {
    "kind": "event",
    "time": "timestamp",
    "shopper_id": "userId",
    "product_id": "properties.products[#].product_id",
    "quantity": "properties.products[#].quantity",
    "price": "properties.products[#].price",
    "basket_id": "properties.order_id",
    "query": "properties.query",
    "id": "messageId",
    "currency": "properties.currency",
    "rating": "properties.rating",
    "user agent": "context.userAgent",
}
_SINGLE = NAMES | {
    "product_id": "properties.product_id",
    "quantity": "properties.quantity",
    "price": "properties.price",
}
_FIX = "Give the product's id, as in your product feed, as 'product_id'."


def recognises(row: Row) -> bool:
    """A call: it has a message id or a shopper, and an event with properties, or a type."""
    known = not {"messageId", "anonymousId", "userId"}.isdisjoint(row)
    return known and (("event" in row and "properties" in row) or row.get("type") in ("track", *CALLS))


def entries(row: Row) -> Sequence[Entry | RowFault]:
    """Raises LeftOut, RowFault for a row without any entry."""
    call = read_text(row.get("type"), 100) if isinstance(row.get("type"), str) else ""
    if call in CALLS:
        raise LeftOut(f"{call} calls", "type", call, "Nothing to do: only track calls are acts on products.")
    kind = read_kind(row.get("event"), "event", KINDS, LEFT_OUT)
    said = mapping_of(row.get("properties"))
    if kind is EventKind.RATE and is_absent(said.get("rating")):
        raise LeftOut(
            "review without a rating", "properties.rating", said.get("rating"), "Nothing to do: it has no stars."
        )
    message = first_of(row, "messageId")
    time = next((name for name in TIMES if not is_absent(row.get(name))), TIMES[0])
    shopper = "userId" if not is_absent(row.get("userId")) else "anonymousId"
    common: Row = {
        "kind": kind.value,
        "time": row.get(time),
        "shopper_id": first_of(row, shopper),
        "product_id": None,
        "quantity": None,
        "price": None,
        "basket_id": first_of(said, "order_id", "orderId"),
        "query": None,
        "currency": first_of(said, "currency"),
        "rating": first_of(said, "rating"),
        "id": message,
    }
    told = {"time": time, "shopper_id": shopper}
    agent = read_text(first_of(mapping_of(row.get("context")), "userAgent"), 1000)
    if kind is EventKind.SEARCH:
        return [Entry(common | {"query": first_of(said, "query")}, _SINGLE | told, agent=agent)]
    products = list_of(said.get("products"))
    if products:
        return [_entry(common, NAMES | told, place, one, agent) for place, one in enumerate(products)]
    if kind is EventKind.REFUND and common["basket_id"] is not None and _product(said)[0] is None:
        return [Entry(common, _SINGLE | told, agent=agent, whole_order=True)]
    if kind in (EventKind.PURCHASE, EventKind.REFUND) and _product(said)[0] is None:
        raise RowFault("no products", "properties.products", said.get("products"), f"List what was ordered. {_FIX}")
    return [_entry(common, _SINGLE | told, None, said, agent)]


def _entry(common: Row, names: Mapping[str, str], place: int | None, one: object, agent: str) -> Entry | RowFault:
    """`place` None = the product's fields are the call's own properties."""
    path = "properties" if place is None else f"properties.products[{place}]"
    if not isinstance(one, Mapping):
        return RowFault("not a product", path, one, 'Give each product as an object: {"product_id": ...}.')
    product, name = _product(one)
    if product is None:
        return RowFault("no product", f"{path}.product_id", one.get("product_id", one.get("name")), _FIX)
    repairs: tuple[tuple[str, str, object, str], ...] = ()
    if name != "product_id":
        repairs = ((f"no product_id: the {name}", f"{path}.{name}", product, _FIX),)
    id_ = common["id"]
    if id_ is not None and place is not None:
        id_ = stable_id("segment", id_, place)
    chosen = {"product_id": product, "quantity": one.get("quantity"), "price": one.get("price"), "id": id_}
    return Entry(common | chosen, names, place or 0, agent, repairs)


def _product(one: Mapping[object, object]) -> tuple[object, str]:
    """The product's id and under which name it stands; version 1 called it `id`."""
    for name in ("product_id", "productId", "sku", "id"):
        if not is_absent(one.get(name)):
            return one[name], "product_id" if name in ("productId", "id") else name
    return None, ""


def login(row: Row) -> tuple[object, object]:
    """Of any call that names both, `identify` above all; `alias` calls the earlier id `previousId`."""
    return row.get("previousId" if row.get("type") == "alias" else "anonymousId"), row.get("userId")


SEGMENT = Dialect("segment", "Segment e-commerce", recognises, entries, login)
