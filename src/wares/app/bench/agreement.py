"""Do totals, facets and pages agree? Asked with random questions; every disagreement is kept with its question."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wares.app.bench.queries import draw_query, titles_of
from wares.domain.catalogue import Columns
from wares.domain.result import Page
from wares.shop import Shop

_EMPTY, _BROWSED = 0.1, 0.15  # shares of questions without words, and on a category's page
_MOST_CHOSEN = 3  # values of a facet that are counted again
_MOST_PAGES = 8
_MOST_KEPT = 20


@dataclass
class Agreement:
    """`disagreements` tells the first ones in words; `count` is how many there were."""

    questions: int = 0
    pages: int = 0
    facet_values: int = 0
    count: int = 0
    disagreements: list[str] = field(default_factory=list)

    def against(self, question: dict[str, Any], what: str) -> None:
        self.count += 1
        if len(self.disagreements) < _MOST_KEPT:
            self.disagreements.append(f"{question}: {what}")


def check_agreement(
    shop: Shop, n: int, rng: np.random.Generator, tell: Callable[[str, int, int], None] | None = None
) -> Agreement:
    """Ask `n` random questions with random filters and facets.

    For each: the total is the number of distinct hits over all pages (of an answer of more than 8 pages: the first 8
    are full); no hit comes twice; a facet value's count is the total of the same question with that value chosen in
    place of what was chosen of that field.
    """
    found, columns = Agreement(), shop.engine.live.state.columns
    titles = titles_of(shop.store, columns, rng)
    names = sorted(name for name, labels in columns.labels.items() if labels.values)
    for i in range(n):
        question = _question(titles, columns, names, rng)
        _check(shop, question, rng, found)
        found.questions += 1
        if tell and (i % 20 == 19 or i == n - 1):
            tell("Agreement", i + 1, n)
    return found


def _question(titles: list[str], columns: Columns, names: list[str], rng: np.random.Generator) -> dict[str, Any]:
    """What `Shop.ask` takes."""
    browsing = not titles or rng.random() < _BROWSED
    query = "" if browsing or rng.random() < _EMPTY else draw_query(titles, rng)
    filters: dict[str, Any] = {}
    for name in rng.permutation(names)[: rng.integers(0, 3)].tolist():
        values = columns.labels[name].values
        chosen = [values[i] for i in rng.integers(0, len(values), rng.integers(1, 4)).tolist()]
        filters[name] = {"not": chosen} if rng.random() < 0.2 else chosen
    if rng.random() < 0.25:
        low = round(float(rng.exponential(3)), 2)
        filters["price"] = {"low": low, "high": round(low + float(rng.exponential(8)), 2)}
    facets = rng.permutation(names)[: rng.integers(0, 3)].tolist()
    sort = ["relevance", "relevance", "price", "-price", "newest", "best_selling"][rng.integers(6)]
    k = int(rng.choice([1, 5, 24, 100, 1000], p=[0.2, 0.25, 0.25, 0.25, 0.05]))
    surface = "browse" if browsing else "search"
    return {"surface": surface, "query": query, "filters": filters, "facets": facets, "sort": sort, "k": k}


def _check(shop: Shop, question: dict[str, Any], rng: np.random.Generator, found: Agreement) -> None:
    first = shop.ask(**question)
    _check_pages(shop, question, first, found)
    for facet in first.facets:
        if not facet.values:
            continue
        places = rng.permutation(len(facet.values))[:_MOST_CHOSEN].tolist()
        for value in (facet.values[place] for place in places):
            told = question["filters"].get(facet.field)
            kept = {"not": told["not"]} if isinstance(told, dict) and "not" in told else {}
            filters = {**question["filters"], facet.field: {"any": [value.value], **kept}}
            total = shop.ask(**{**question, "filters": filters, "facets": [], "k": 1}).total
            found.facet_values += 1
            if total != value.count:
                what = f"{facet.field}={value.value!r} says {value.count}, choosing it gives {total}"
                found.against(question, what)


def _check_pages(shop: Shop, question: dict[str, Any], first: Page, found: Agreement) -> None:
    """All pages of an answer that has few; of a longer one the first ones, which must be full."""
    pages, ids = [first], [hit.product.id for hit in first.hits]
    while pages[-1].cursor and len(pages) < _MOST_PAGES:
        pages.append(shop.ask(**{**question, "cursor": pages[-1].cursor}))
        ids += [hit.product.id for hit in pages[-1].hits]
    found.pages += len(pages)
    if len(set(ids)) != len(ids):
        found.against(question, f"{len(ids) - len(set(ids))} hits come twice")
    expected = min(first.total, question["k"] * len(pages))
    if len(ids) != expected or bool(pages[-1].cursor) != (expected < first.total):
        found.against(question, f"the total is {first.total}, {len(pages)} pages hold {len(ids)} hits")
    if any(page.total != first.total for page in pages):
        found.against(question, f"the pages' totals differ: {sorted({page.total for page in pages})}")
