"""What a shop can suggest: past queries, categories, brands, phrases of its titles, and the titles themselves."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import log1p

import numpy as np
from numpy.typing import NDArray

from wares.domain.product import PATH_SEPARATOR, Product
from wares.domain.suggestion import Suggestion, SuggestionKind
from wares.retrieval.suggestions.phrases import phrases_of
from wares.retrieval.suggestions.privacy import LEAST_SHOPPERS, is_showable

# Weight of the most wanted of each group; the least wanted has half of it. What people typed is the best guess of what
# people type; a single title the worst.
_QUERY, _CATEGORY, _BRAND, _PHRASE, _BRAND_OF_CATEGORY, _TITLE = 1.0, 0.9, 0.8, 0.6, 0.5, 0.4
_LEAST_PRODUCTS = 3  # that share a phrase, or that a brand has in a category
_TITLES_PER_PRODUCT = 1 / 10_000  # of the catalogue that must share a phrase, where that is more
_MOST_PAIRS = 20_000  # of brand and category
_LONGEST_TITLE = 150  # letters

Pair = tuple[str, str]


def entries_of(
    products: Sequence[Product], queries: Mapping[str, int], purchases: NDArray[np.floating]
) -> list[Suggestion]:
    """Everything that may be suggested; texts may repeat.

    `queries`: past query -> number of different shoppers who typed it; those of fewer than 5 and whatever could name
    a person are left out here. `purchases` (n,): how much each product is bought, in any unit.
    """
    sold = np.maximum(np.asarray(purchases, np.float64), 0.0)
    wanted = 1.0 + (sold / sold.mean() if sold.any() else sold)  # what nobody has bought yet still counts as one
    return list(
        chain(
            _typed(queries),
            _categories(products, wanted),
            _brands(products, wanted),
            _phrases(products),
            _titles(products, wanted),
        )
    )


def _typed(queries: Mapping[str, int]) -> Iterator[Suggestion]:
    shown = {" ".join(q.split()): n for q, n in queries.items() if n >= LEAST_SHOPPERS and is_showable(q)}
    yield from _weighed(shown, _QUERY)


def _categories(products: Sequence[Product], wanted: NDArray[np.floating]) -> Iterator[Suggestion]:
    """Each level of each path by its own name; names that several paths share stand behind their parent's."""
    sums: dict[str, float] = defaultdict(float)
    for product, amount in zip(products, wanted.tolist(), strict=True):
        for path in product.category_levels:
            sums[path] += amount
    names = Counter(path.split(PATH_SEPARATOR)[-1].casefold() for path in sums)
    for one in _weighed(sums, _CATEGORY, SuggestionKind.CATEGORY):
        *_, parent, name = ["", *one.text.split(PATH_SEPARATOR)]
        shared = parent and names[name.casefold()] > 1
        text = f"{parent}{PATH_SEPARATOR}{name}" if shared else name
        yield Suggestion(text, SuggestionKind.CATEGORY, one.weight, about=one.text)


def _brands(products: Sequence[Product], wanted: NDArray[np.floating]) -> Iterator[Suggestion]:
    """Brands, and with each the kinds of goods it has several of."""
    sums: dict[str, float] = defaultdict(float)
    pairs: dict[Pair, float] = defaultdict(float)
    counts: Counter[Pair] = Counter()
    for product, amount in zip(products, wanted.tolist(), strict=True):
        if not product.brand:
            continue
        sums[product.brand] += amount
        if product.category and product.brand.casefold() not in product.category[-1].casefold():
            pair = (product.brand, product.category[-1])
            pairs[pair] += amount
            counts[pair] += 1
    yield from _weighed(sums, _BRAND, SuggestionKind.BRAND)
    frequent = [pair for pair in pairs if counts[pair] >= _LEAST_PRODUCTS]
    best = sorted(frequent, key=lambda pair: (-pairs[pair], pair))[:_MOST_PAIRS]
    yield from _weighed({" ".join(pair).lower(): pairs[pair] for pair in best}, _BRAND_OF_CATEGORY)


def _phrases(products: Sequence[Product]) -> Iterator[Suggestion]:
    titles = dict.fromkeys(product.title for product in products)  # of variants that share one, once
    least = max(_LEAST_PRODUCTS, round(len(titles) * _TITLES_PER_PRODUCT))
    yield from _weighed(phrases_of(titles, least), _PHRASE)


def _titles(products: Sequence[Product], wanted: NDArray[np.floating]) -> Iterator[Suggestion]:
    """Each title once, for the product of it that is bought most."""
    sums: dict[str, float] = defaultdict(float)
    best: dict[str, tuple[float, str]] = {}
    for product, amount in zip(products, wanted.tolist(), strict=True):
        if 0 < len(product.title) <= _LONGEST_TITLE:
            sums[product.title] += amount
            if amount > best.get(product.title, (0.0, ""))[0]:
                best[product.title] = (amount, product.id)
    for one in _weighed(sums, _TITLE, SuggestionKind.PRODUCT):
        yield Suggestion(one.text, one.kind, one.weight, about=best[one.text][1])


def _weighed(
    amounts: Mapping[str, float], most: float, kind: SuggestionKind = SuggestionKind.QUERY
) -> Iterator[Suggestion]:
    """Each text with a weight from most / 2 to `most`, by the logarithm of its amount."""
    greatest = max(amounts.values(), default=1.0)
    for text, amount in amounts.items():
        yield Suggestion(text, kind, most * (0.5 + 0.5 * log1p(amount) / log1p(greatest)))
