"""Reasons in English: a code with its facts -> a phrase for a person. Storefronts have their own, per language."""

from collections.abc import Callable

from wares.domain.result import Reason

_LONGEST = 44  # characters of a title within a phrase


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
    "popular": lambda _: "popular",
    "popular_lately": lambda _: "popular lately",
    "new": lambda _: "new in the shop",
    "pinned": lambda _: "put here by the shop",
    "boosted": lambda _: "promoted by the shop",
}


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
