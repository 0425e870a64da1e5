"""Reasons and wishes in English: values -> a phrase for a person. Storefronts have their own, per language."""

from collections.abc import Callable

from wares.domain.filter import Between, NoneOf
from wares.domain.money import scale_of
from wares.domain.result import Reason
from wares.domain.wish import Wish, WishKind

_LONGEST = 44  # characters of a title within a phrase
_VALUES = 3  # of a wish that are named


def phrase(reason: Reason) -> str:
    """
    >>> phrase(Reason("bought_before", about=("a",), shown=("12",)))
    'bought 12 times before'
    >>> phrase(Reason("my_plugin", shown=("Bread",)))
    'my plugin: Bread'
    """
    told = ", ".join(_shortened(text) for text in reason.shown if text) or ", ".join(reason.about)
    if make := _PHRASES.get(reason.code):
        return make(told)
    named = reason.code.replace("_", " ")
    return f"{named}: {told}" if told else named


def wish_phrase(wish: Wish, currency: str) -> str:
    """
    >>> wish_phrase(Wish(WishKind.PRICE, "under $50", Between("price", None, 5000), strict=True), "USD")
    'price at most 50.00'
    >>> from wares.domain.filter import AnyOf
    >>> wish_phrase(Wish(WishKind.COLOUR, "red", AnyOf("colour", ("Red", "Dark red"))), "USD")
    'colour Red or Dark red, preferred'
    """
    clause = wish.clause
    if isinstance(clause, Between):
        told = f"price {_bounds(price_text(clause.low, currency), price_text(clause.high, currency))}"
    elif clause is not None:
        named = " or ".join(clause.values[:_VALUES]) + (" or ..." if len(clause.values) > _VALUES else "")
        told = f"{clause.field} {'not ' if isinstance(clause, NoneOf) else ''}{named}"
    elif wish.kind is WishKind.EXCLUSION:
        told = f"without {' '.join(wish.excluded)}"
    elif wish.kind is WishKind.PRICE:
        return f"a price in another currency ({wish.said}), which is not followed"
    else:
        told = "a low price"
    return told if wish.strict or wish.kind is WishKind.EXCLUSION else f"{told}, preferred"


def price_text(minor: float | None, currency: str) -> str:
    """An amount of the smallest unit in whole ones; "" where there is none."""
    if minor is None:
        return ""
    scale = scale_of(currency)
    return f"{minor / scale:,.{len(str(scale)) - 1}f}"


def _bounds(low: str, high: str) -> str:
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"


def _bought_before(times: str) -> str:
    return {"": "bought before", "1": "bought once before", "2": "bought twice before"}.get(
        times, f"bought {times} times before"
    )


def _about(before: str, otherwise: str) -> Callable[[str], str]:
    """A phrase that ends with what it is about, and one for when that is gone from the shop."""
    return lambda told: f"{before} {told}" if told else otherwise


_PHRASES: dict[str, Callable[[str], str]] = {
    "matches_words": _about("has the words:", "has your words"),
    "similar_meaning": _about("close in meaning to:", "close in meaning"),
    "bought_before": _bought_before,
    "bought_together": _about("often bought with", "often bought together"),
    "like_your_purchases": _about("because you bought", "fits what you bought"),
    "like_this": _about("similar to", "similar"),
    "taste": _about("to your taste, like", "to your taste"),
    "your_interest": _about("an interest of yours:", "fits your interests"),
    "popular": lambda _: "popular",
    "popular_lately": lambda _: "popular lately",
    "new": lambda _: "new in the shop",
    "recently_viewed": lambda _: "viewed lately",
    "wish_listed": lambda _: "on the wish list",
    "pinned": lambda _: "put here by the shop",
    "boosted": lambda _: "promoted by the shop",
}


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
