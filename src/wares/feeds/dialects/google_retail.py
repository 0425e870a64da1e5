"""Google Retail (Vertex AI Search for commerce): `UserEvent`, one JSON object per line, and its beta's few more kinds.

The products of an event are an entry each; a search's products were shown, not chosen, so a search is one entry.
`purchaseTransaction.revenue` is the whole order's and not used: a product is worth its price x quantity.
"""

from collections.abc import Mapping, Sequence

from wares.domain.event import EventKind
from wares.feeds.dialects.entry import Dialect, Entry, first_of, is_absent, list_of, mapping_of, read_kind, stable_id
from wares.feeds.readers import Row
from wares.feeds.report import LeftOut, RowFault
from wares.feeds.values import read_text

KINDS: dict[str, EventKind] = {
    "detail page view": EventKind.VIEW,
    "add to cart": EventKind.CART,
    "remove from cart": EventKind.UNCART,
    "add to list": EventKind.WISH,
    "purchase complete": EventKind.PURCHASE,
    "refund": EventKind.REFUND,
    "search": EventKind.SEARCH,
}
LEFT_OUT = frozenset(
    (
        *("home page view", "category page view", "shopping cart page view", "checkout start", "page visit"),
        *("promotion offered", "promotion not offered", "remove from list", "impression"),
    )
)
NAMES = {
    "kind": "eventType",
    "time": "eventTime",
    "shopper_id": "userInfo.userId",
    "product_id": "productDetails[#].product.id",
    "quantity": "productDetails[#].quantity",
    "price": "productDetails[#].product.priceInfo.price",
    "basket_id": "purchaseTransaction.id",
    "query": "searchQuery",
    "currency": "purchaseTransaction.currencyCode",
    "user agent": "userInfo.userAgent",
}
_FIX = "Give each product as productDetails[].product.id, as in your product feed."


def recognises(row: Row) -> bool:
    """A row with `eventType`, and `visitorId` or `productDetails`."""
    return "eventType" in row and not {"visitorId", "productDetails", "purchaseTransaction"}.isdisjoint(row)


def entries(row: Row) -> Sequence[Entry | RowFault]:
    """Raises LeftOut, RowFault for a row without any entry."""
    kind = read_kind(row.get("eventType"), "eventType", KINDS, LEFT_OUT)
    who, order = mapping_of(row.get("userInfo")), mapping_of(row.get("purchaseTransaction"))
    visitor = first_of(row, "visitorId")
    shopper = first_of(who, "userId")
    common: Row = {
        "kind": kind.value,
        "time": row.get("eventTime"),
        "shopper_id": visitor if shopper is None else shopper,
        "product_id": None,
        "quantity": None,
        "price": None,
        "basket_id": first_of(order, "id"),
        "query": None,
        "currency": first_of(order, "currencyCode"),
        "id": None,
    }
    names = NAMES if shopper is not None else NAMES | {"shopper_id": "visitorId"}
    agent = read_text(first_of(who, "userAgent"), 1000)
    given = (kind, row.get("eventTime"), visitor, shopper)
    if kind is EventKind.SEARCH:
        query = first_of(row, "searchQuery")
        if query is None and list_of(row.get("pageCategories")):
            raise LeftOut("search without words", "searchQuery", row.get("searchQuery"), "Nothing to do: browsing.")
        return [Entry(common | {"query": query, "id": stable_id("google-retail", *given, query)}, names, agent=agent)]
    details = list_of(row.get("productDetails"))
    if not details:
        if kind is EventKind.REFUND and common["basket_id"] is not None:
            id_ = stable_id("google-retail", *given, common["basket_id"])
            return [Entry(common | {"id": id_}, names, agent=agent, whole_order=True)]
        raise RowFault("no products", "productDetails", row.get("productDetails"), _FIX)
    return [_entry(common, names, given, place, one, agent) for place, one in enumerate(details)]


def _entry(
    common: Row, names: Mapping[str, str], given: tuple[object, ...], place: int, detail: object, agent: str
) -> Entry | RowFault:
    if not isinstance(detail, Mapping):
        return RowFault("not a product", f"productDetails[{place}]", detail, _FIX)
    said = mapping_of(detail.get("product"))
    product = first_of(said, "id")
    if product is None and not is_absent(said.get("name")):  # projects/.../branches/default_branch/products/ID
        product = read_text(said["name"]).rpartition("/")[2] or None
    if product is None:
        product = first_of(detail, "id")  # the beta's form
    if product is None:
        return RowFault("no product", f"productDetails[{place}].product.id", said.get("id", said.get("title")), _FIX)
    price = mapping_of(said.get("priceInfo"))
    chosen = {
        "product_id": product,
        "quantity": detail.get("quantity"),
        "price": price.get("price"),
        "currency": common["currency"] or first_of(price, "currencyCode"),
        "id": stable_id("google-retail", *given, common["basket_id"], place, product),
    }
    return Entry(common | chosen, names, place, agent)


def login(row: Row) -> tuple[object, object]:
    """Of an event of somebody who is signed in."""
    return row.get("visitorId"), mapping_of(row.get("userInfo")).get("userId")


GOOGLE_RETAIL = Dialect("google-retail", "Google Retail user events", recognises, entries, login)
