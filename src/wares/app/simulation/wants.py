"""What simulated shoppers want: the next baskets of the shop's own shoppers; without a log, some of what they like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wares.domain.event import EventKind
from wares.domain.product import Product
from wares.domain.shopper import KIND_CODES
from wares.store.sqlite import Store
from wares.training.build import known

WEEK_MS = 7 * 86_400_000
MOST_OF_A_BASKET = 6  # that one visit looks for: nobody searches for forty things
REMEMBERED = 30  # earlier purchases that a shopper tells the server about, so that it knows them
_LIKED, _FAVOURITES = 2, 12  # departments of a planted shopper, products that they come back for
_PURCHASE = KIND_CODES[EventKind.PURCHASE]


@dataclass(frozen=True, slots=True)
class Want:
    """A product that a shopper looks for, as its own page describes it."""

    product: str
    title: str
    category: tuple[str, ...] = ()
    brand: str = ""

    @staticmethod
    def of_json(product: Mapping[str, Any]) -> "Want":
        return Want(product["id"], product["title"], tuple(product["category"]), product["brand"])

    @staticmethod
    def of(product: Product) -> "Want":
        return Want(product.id, product.title, tuple(product.category), product.brand)


@dataclass(frozen=True, slots=True)
class Life:
    """What one shopper wants at each visit, over and over; `before` is what they bought earlier: (product id, ms)."""

    visits: tuple[tuple[Want, ...], ...]
    before: tuple[tuple[str, int], ...] = ()


def lives_of_log(store: Store, weeks: float, n: int, rng: np.random.Generator) -> list[Life]:
    """The lives of `n` shoppers of the log, drawn at random, in its last `weeks`; [] where nobody bought anything then.

    More shoppers than the log has begin anew with the first.
    """
    products, columns, interactions = known(store)
    known_ones, events = interactions.known(), interactions.known().events
    if not len(events):
        return []
    cut_ms = int(events.times_ms.max() - weeks * WEEK_MS)
    bought = events.kinds == _PURCHASE
    held_back = bought & (events.times_ms > cut_ms) & columns.sellable[events.rows] & columns.alive[events.rows]
    owners = np.unique(known_ones.shoppers[held_back])
    if not len(owners):
        return []
    drawn = rng.permutation(owners)[:n].tolist()
    lives = []
    for owner in drawn:
        span = slice(int(known_ones.indptr[owner]), int(known_ones.indptr[owner + 1]))
        rows, times_ms = events.rows[span], events.times_ms[span]
        later, earlier = held_back[span], bought[span] & (events.times_ms[span] <= cut_ms)
        days = times_ms[later] // 86_400_000
        visits = []
        for day in np.unique(days).tolist():
            basket = rng.permutation(np.unique(rows[later][days == day]))[:MOST_OF_A_BASKET]
            visits.append(tuple(Want.of(products[int(row)]) for row in basket))
        told = zip(rows[earlier][-REMEMBERED:].tolist(), times_ms[earlier][-REMEMBERED:].tolist(), strict=True)
        lives.append(Life(tuple(visits), tuple((columns.ids[row], time_ms) for row, time_ms in told)))
    return [lives[i % len(lives)] for i in range(n)]


def planted_life(shelves: Sequence[Sequence[Want]], rng: np.random.Generator) -> Life:
    """A shopper who likes two of these shelves (products of a category each), and some products on them most of all."""
    liked = rng.permutation(len(shelves))[:_LIKED]
    on_them = [want for shelf in liked.tolist() for want in shelves[shelf]]
    favourites = [on_them[int(i)] for i in rng.permutation(len(on_them))[:_FAVOURITES]]
    visits = []
    for _ in range(8):
        many = int(rng.integers(1, 4))
        visits.append(tuple(favourites[int(i)] for i in rng.permutation(len(favourites))[:many]))
    return Life(tuple(visits))
