"""Algolia Insights: click, view and conversion events, one JSON object per line.

Each of the `objectIDs` is an entry. A conversion tells by `eventSubtype` whether it is a purchase or an addition to
the cart. A view of several objects is a list that was shown, and left out, as is one that calls itself "Hits Viewed",
however short; so is a click on filters. `objectData` and `positions` are lists parallel to the objects. `queryID` names
the answer in which they were met. `price` is one unit's, discount taken.
"""

from collections.abc import Mapping, Sequence

from wares.domain.event import EventKind
from wares.feeds.dialects.entry import Dialect, Entry, first_of, folded, is_absent, list_of, read_kind, stable_id
from wares.feeds.readers import Row
from wares.feeds.report import LeftOut, RowFault
from wares.feeds.values import read_text

KINDS: dict[str, EventKind] = {
    "view": EventKind.VIEW,
    "click": EventKind.CLICK,
    "conversion": EventKind.PURCHASE,  # if its subtype says so
}
SUBTYPES: dict[str, EventKind] = {"addtocart": EventKind.CART, "purchase": EventKind.PURCHASE}
NAMES = {
    "kind": "eventType",
    "time": "timestamp",
    "shopper_id": "authenticatedUserToken",
    "product_id": "objectIDs[#]",
    "quantity": "objectData[#].quantity",
    "price": "objectData[#].price",
    "value": "value",
    "query": "query",
    "currency": "currency",
    "user agent": "userAgent",
    "impression_id": "queryID",
    "position": "positions[#]",
}
_LISTS = frozenset(("hits viewed",))  # what front-end libraries call a view of whatever is in sight
_FIX = "Give the products as objectIDs, with the ids of your product feed."
_NOTHING = "Nothing to do: such events choose no product."


def recognises(row: Row) -> bool:
    """A row with `eventType` and a user token or object ids."""
    return "eventType" in row and not {"userToken", "objectIDs", "authenticatedUserToken", "objectID"}.isdisjoint(row)


def entries(row: Row) -> Sequence[Entry | RowFault]:
    """Raises LeftOut, RowFault for a row without any entry."""
    kind = read_kind(row.get("eventType"), "eventType", KINDS, frozenset())
    objects = list_of(row.get("objectIDs")) or list_of(row.get("objectID"))
    if not objects and list_of(row.get("filters")):
        raise LeftOut(f"{read_text(row['eventType'])} of filters", "filters", row["filters"], _NOTHING)
    if kind is EventKind.PURCHASE:
        kind = _of_subtype(row)
    if not objects:
        raise RowFault("no product", "objectIDs", row.get("objectIDs"), _FIX)
    if kind is EventKind.VIEW and (len(objects) > 1 or folded(read_text(row.get("eventName"), 200)) in _LISTS):
        raise LeftOut("view of several objects", "objectIDs", objects, f"{_NOTHING[:-1]}; a list was shown.")
    shopper = "userToken" if is_absent(row.get("authenticatedUserToken")) else "authenticatedUserToken"
    given = (kind, row.get("timestamp"), row.get(shopper), row.get("queryID"), row.get("eventName"))
    common: Row = {
        "kind": kind.value,
        "time": row.get("timestamp"),
        "shopper_id": first_of(row, shopper),
        "product_id": None,
        "quantity": None,
        "price": None,
        "value": None,
        # Algolia has no order number: what was bought in one event was bought together.
        "basket_id": stable_id("algolia", *given, *objects) if kind is EventKind.PURCHASE else None,
        "query": first_of(row, "query"),
        "currency": first_of(row, "currency"),
        "id": None,
        "impression_id": first_of(row, "queryID"),
        "position": None,
    }
    positions = list_of(row.get("positions"))
    data = list_of(row.get("objectData"))
    repairs: tuple[tuple[str, str, object, str], ...] = ()
    if data and len(data) != len(objects):
        fix = "Give one entry of objectData per entry of objectIDs."
        repairs, data = (("objectData does not fit objectIDs: not used", "objectData", data, fix),), []
    names = NAMES | {"shopper_id": shopper}
    agent = read_text(first_of(row, "userAgent", "user_agent"), 1000)
    found: list[Entry | RowFault] = []
    for place, product in enumerate(objects):
        if is_absent(product) or isinstance(product, Mapping | list):
            found.append(RowFault("no product", f"objectIDs[{place}]", product, _FIX))
            continue
        said = data[place] if data and isinstance(data[place], Mapping) else {}
        chosen = {
            "product_id": product,
            "quantity": said.get("quantity"),
            "price": said.get("price"),
            "value": row.get("value") if len(objects) == 1 and is_absent(said.get("price")) else None,
            "id": stable_id("algolia", *given, place, product),
            "impression_id": first_of(said, "queryID") or common["impression_id"],
            "position": positions[place] if len(positions) == len(objects) else None,
        }
        found.append(Entry(common | chosen, names, place, agent, repairs))
        repairs = ()  # told once per row
    return found


def _of_subtype(row: Row) -> EventKind:
    raw = row.get("eventSubtype")
    subtype = read_text(raw, 100) if isinstance(raw, str) else ""
    if kind := SUBTYPES.get(subtype.lower().replace("_", "").replace("-", "").replace(" ", "")):
        return kind
    fix = "Set eventSubtype to 'purchase' or 'addToCart'; what else was converted cannot be known."
    raise RowFault("conversion of no known kind", "eventSubtype", raw, fix)


def login(row: Row) -> tuple[object, object]:
    """Of an event of somebody who is signed in."""
    return row.get("userToken"), row.get("authenticatedUserToken")


ALGOLIA = Dialect("algolia", "Algolia Insights", recognises, entries, login)
