"""An event: one thing that one shopper did at one moment."""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What a shopper can do. The values are the names used in feeds, on the wire and in the store."""

    VIEW = "view"
    CLICK = "click"
    SEARCH = "search"
    CART = "cart"
    UNCART = "uncart"
    WISH = "wish"
    PURCHASE = "purchase"
    REFUND = "refund"
    LIKE = "like"
    HIDE = "hide"
    RATE = "rate"
    UNWISH = "unwish"
    UNHIDE = "unhide"


# How much one event of a kind says about a shopper's taste, relative to a purchase.
INTEREST: dict[EventKind, float] = {
    EventKind.VIEW: 0.2,
    EventKind.CLICK: 0.2,
    EventKind.SEARCH: 0.0,
    EventKind.CART: 0.5,
    EventKind.UNCART: 0.0,
    EventKind.WISH: 0.5,
    EventKind.PURCHASE: 1.0,
    EventKind.REFUND: 0.0,
    EventKind.LIKE: 0.8,
    EventKind.HIDE: 0.0,
    EventKind.RATE: 0.8,  # of five stars; of fewer less: see `History.interest`
    EventKind.UNWISH: 0.0,
    EventKind.UNHIDE: 0.0,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the event log. Times are Unix milliseconds, `value_minor` is the whole line's value in cents.

    `shopper_id` None = anonymous. `product_id` may name a product that the catalogue does not know yet.
    `id` "" = derive one from the content (see `store.events`). `impression_id` names the answer (`Page.impression_id`)
    in which the shopper met the product, at `position`, counted from 1; "" and None = not told. Of a rating `quantity`
    is the stars, 1 to 5. `simulated`: nobody did this; it plays a shopper, and nothing is learnt or measured from it.
    """

    kind: EventKind
    time_ms: int
    shopper_id: str | None = None
    product_id: str | None = None
    quantity: float = 1.0
    value_minor: int | None = None
    basket_id: str = ""
    query: str = ""
    id: str = ""
    impression_id: str = ""
    position: int | None = None
    simulated: bool = False
