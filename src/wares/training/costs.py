"""How long and how much memory each part of a training takes, by stated rates. Pure: figures of a shop in, costs out.

The rates are seconds of one core, read off from fitting each model on two made-up shops (200,000 events of 5,000
shoppers and products; 1,000,000 events of 5,000 shoppers and 30,000 products), where every estimate of more than a
second was within a factor of two. For the 363,923 events of Online Retail they were one to four times what was needed
(buy again 5.6 s for 1.5, bought together 3.6 for 0.9, ItemKNN 1.3 for 0.7, EASE 2.7 for 2.6). `Machine.speed` scales
them to the machine at hand, as busy as it is in that moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wares.domain.interactions import Interactions
from wares.domain.product import Product
from wares.evaluation.splits import PURCHASE
from wares.training.lessons import Lessons
from wares.training.machine import Machine
from wares.training.readiness import repeat_share
from wares.training.recipe import Recipe, memory_bytes

TEXT_DIMENSION = 384
_MOST_WINDOWS = 20  # of one shopper that the shopper model learns from
_BLOCK_BYTES = 250_000_000  # what the products of pairs take that are worked on at once


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the clock and bytes beside what is there anyway."""

    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan needs to know of a shop."""

    products: int
    products_met: int  # with an event
    events: int
    purchases: int
    shoppers: int
    learners: int  # shoppers with three events or more
    longest: int  # events of the busiest shopper
    liked: int  # pairs of shopper and product
    shopper_pairs: int  # sum over shoppers of distinct products squared
    basket_pairs: int  # the same over baskets
    shared_baskets: int  # with two products or more
    repeats: float  # share of later purchases that were bought before; nan = nobody came twice
    texts: int  # distinct
    texts_waiting: int  # of them without a vector


def facts_of(products: Sequence[Product], interactions: Interactions, vectors_known: int | None = None) -> Facts:
    """`vectors_known`: how many texts have vectors already; None = the shop goes by words alone."""
    known, width = interactions.known(), max(interactions.n_products, 1)
    lengths = np.diff(known.indptr)
    pairs = np.unique(known.shoppers.astype(np.int64) * width + known.events.rows)
    distinct = np.bincount(pairs // width, minlength=known.n_shoppers).astype(np.float64)
    bought = (interactions.events.kinds == PURCHASE) & (interactions.baskets >= 0)
    baskets, place = np.unique(interactions.baskets[bought], return_inverse=True)
    lines = np.unique(place * width + interactions.events.rows[bought])
    sizes = np.bincount(lines // width, minlength=len(baskets)).astype(np.float64)
    texts = len({product.passage for product in products}) if vectors_known is not None else 0
    return Facts(
        products=len(products),
        products_met=int(np.count_nonzero(np.bincount(interactions.events.rows, minlength=width))),
        events=len(interactions.events),
        purchases=int((interactions.events.kinds == PURCHASE).sum()),
        shoppers=interactions.n_shoppers,
        learners=int((lengths >= 3).sum()),
        longest=int(lengths.max(initial=0)),
        liked=len(pairs),
        shopper_pairs=int((distinct**2).sum()),
        basket_pairs=int((sizes[sizes <= 200] ** 2).sum()),
        shared_baskets=int((sizes >= 2).sum()),
        repeats=repeat_share(interactions),
        texts=texts,
        texts_waiting=max(0, texts - (vectors_known or 0)),
    )


def base_cost(facts: Facts, machine: Machine) -> Cost:
    """Reading, indexing the words, encoding the texts that are new, popular products, and writing."""
    texts = facts.texts_waiting * 2.2e-3 / max(machine.cores, 1)
    seconds = (facts.products * 1.5e-4 + facts.events * 6e-6 + texts) / machine.speed + 1
    size = facts.products * 6_000 + facts.events * 150 + facts.texts * TEXT_DIMENSION * 8
    return Cost(seconds, size + 300_000_000)


def model_cost(name: str, facts: Facts, numbers: dict[str, Any], machine: Machine) -> Cost:
    """Of one behaviour model with these numbers (all of its constructor's). The shopper model: `sequence_cost`."""
    seconds, size = 0.0, facts.liked * 40
    if name == "buy_again":
        visits = min(numbers["max_examples"], numbers["visits"] * facts.shoppers)
        each = facts.events / max(facts.shoppers, 1)
        seconds = visits * (2.9e-4 + 2.5e-6 * each) + facts.purchases * 5e-7
        size += int(visits * min(each, 500) * 8 * 8 * 3)
    elif name == "co_bought":
        seconds = facts.basket_pairs * 2e-7 + facts.purchases * 1e-6
        size += facts.purchases * 48 + _BLOCK_BYTES + facts.products_met * numbers["k"] * 12
    elif name == "item_knn":
        seconds = facts.shopper_pairs * 3e-8 + facts.events * 1e-6
        size += _BLOCK_BYTES + facts.products_met * numbers["k"] * 12
    elif name == "ease":
        m = min(numbers["max_products"], facts.products_met)
        seconds = m**3 * 3.5e-11 + facts.shopper_pairs * 2e-8 + facts.events * 1e-6
        size += ease_bytes(m)
    elif name == "als":
        f, rows = numbers["factors"], facts.shoppers + facts.products_met
        seconds = numbers["rounds"] * (4 * facts.liked * f**2 + rows * f**3) / 1.7e9
        size += facts.liked * 32 + rows * f * 12 + 4 * 4_096 * f * f * 3 + 200_000 * f * 12
    elif name == "transitions":
        seconds = facts.events * numbers["window"] * 3.5e-7
        size += facts.events * numbers["window"] * 40 + facts.products_met * numbers["k"] * 12
    elif name == "graph":
        d = min(numbers["dimension"], facts.products_met) + 32
        seconds = facts.events * numbers["window"] * 3.5e-7 + facts.products_met * d**2 * 3.7e-8
        size += facts.events * numbers["window"] * 56 + facts.products_met * d * 4 * 8 + facts.products * d * 8
    else:
        seconds = facts.events * 5e-8
    return Cost(seconds / machine.speed + 0.05, size)


def ease_bytes(m: int) -> int:
    """Memory of fitting EASE on m products: nine matrices of 4-byte numbers, as measured.

    >>> round(ease_bytes(5_000) / 1e9, 1)
    0.9
    """
    return 36 * m * m


def lightest_lessons(facts: Facts, with_texts: bool) -> Lessons:
    """Lessons that hold nothing and have the sizes of the shop's, for `recipe.memory_bytes`."""
    text = np.broadcast_to(np.float32(0), (facts.products, TEXT_DIMENSION)) if with_texts else None
    nothing, none = np.empty(0, np.int32), np.empty(0, np.int64)
    return Lessons(nothing, none, facts.products, times_ms=none, text=text, codes=np.full((1, 1), 2_000, np.int32))


def sequence_cost(facts: Facts, recipe: Recipe, machine: Machine, with_texts: bool) -> Cost:
    """Of the shopper model. On a CPU: 45 microseconds and 20 GFLOP/s for each event and epoch, more cores helping by
    their root; on a GPU 4 microseconds and 5 TFLOP/s, which is a guess."""
    events = min(facts.events, facts.learners * _MOST_WINDOWS * recipe.max_history)
    told_from = min(recipe.negatives, facts.products_met)
    work = 6 * (12 * recipe.blocks * recipe.dimension**2 + told_from * recipe.dimension)
    each = 4e-6 + work / 5e12 if machine.gpu else (45e-6 + work / 20e9) / machine.speed / machine.cores**0.5
    start = facts.products * recipe.dimension * 5e-8 + 5  # loading torch, exporting
    return Cost(events * recipe.epochs * each + start, memory_bytes(lightest_lessons(facts, with_texts), recipe))
