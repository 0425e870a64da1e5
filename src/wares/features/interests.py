"""What a shopper is interested in, in words that people understand: departments, categories, brands and price bands.

An interest is what a shopper chooses clearly more often than everybody does; lately counts more than long ago
(`domain/traits.py` has the arithmetic). What everybody buys is no interest, however often it is bought.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wares.domain.shopper import KINDS, History, Shopper
from wares.domain.traits import Leaning, Leanings


@dataclass(frozen=True, slots=True)
class Tag:
    """One interest. `share` in (0, 1]: of all the shopper does, in faded purchases; `lift`: how many times as often
    as everybody; `last_ms`: when last."""

    value: str
    share: float
    lift: float
    last_ms: int


@dataclass(frozen=True, slots=True)
class Interests:
    """The most telling first. Categories are paths, "Food > Bread"; prices are "cheap", "middle" or "dear" for their
    category."""

    departments: tuple[Tag, ...] = ()
    categories: tuple[Tag, ...] = ()
    brands: tuple[Tag, ...] = ()
    prices: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class ShopperSummary:
    """What the shop knows of one shopper; times in Unix milliseconds, None = no event yet.

    Of somebody who is not `known`, or was erased, it knows nothing.
    """

    known: bool
    attributes: Mapping[str, str]
    events: int
    products: int
    by_kind: Mapping[str, int]
    first_ms: int | None
    last_ms: int | None
    interests: Interests


def interests_of(history: History, leanings: Leanings, most: int = 5) -> Interests:
    """At most `most` tags of each kind. `leanings` are those of this history."""

    told = history.interest > 0

    def tags(leaning: Leaning) -> tuple[Tag, ...]:
        values, codes = leaning.interests[:most], leaning.trait.codes[history.rows]
        return tuple(
            Tag(
                leaning.trait.values[value],
                share,
                float(leaning.lift[value]),
                int(history.times_ms[told & (codes == value)].max()),
            )
            for value, share in zip(values.tolist(), leaning.share(values).tolist(), strict=True)
        )

    return Interests(tags(leanings.department), tags(leanings.category), tags(leanings.brand), tags(leanings.price))


def summary_of(shopper: Shopper | None, history: History, leanings: Leanings) -> ShopperSummary:
    """`shopper` None = never heard of. `leanings` are those of the history."""
    counts = np.bincount(history.kinds, minlength=len(KINDS)).tolist()
    times_ms = history.times_ms
    return ShopperSummary(
        known=shopper is not None,
        attributes={} if shopper is None else shopper.attributes,
        events=len(history),
        products=len(np.unique(history.rows)),
        by_kind={kind.value: count for kind, count in zip(KINDS, counts, strict=True) if count},
        first_ms=int(times_ms.min()) if len(history) else None,
        last_ms=int(times_ms.max()) if len(history) else None,
        interests=interests_of(history, leanings),
    )
