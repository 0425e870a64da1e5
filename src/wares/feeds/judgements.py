"""Rows -> judgements of search results. Several judgements of one product for one query become their mean."""

import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from wares.domain.judgement import Judgement
from wares.domain.text import MAX_QUERY
from wares.errors import InputError
from wares.feeds.readers import Row, Source, name_of, read_rows
from wares.feeds.report import Reading, RowFault, Tally
from wares.feeds.values import is_missing, read_number, read_text

# What each field of a judgement may be called, best name first.
NAMES: dict[str, tuple[str, ...]] = {
    "query": ("query", "search_term"),
    "product_id": ("product_id", "item_id"),
    "relevance": ("relevance", "label", "grade", "score"),
}
MAX_ID = 500  # characters
MAX_RELEVANCE = 1e6
_DIGITS = 9  # of a gain, so that 2.3 - 1 is 1.3


def read_judgements(
    source: Source, *, lowest: float = 0.0, rejects: Path | None = None, examples: int = 5
) -> Reading[Judgement]:
    """Judgements of a path, table or iterable of dicts, in the order in which each pair of query and product is met.

    `lowest` is the relevance that means "worth nothing" in this source; a judgement's relevance is what lies above
    it, so from 0 up. A pair that is judged several times gets the mean. All are held in memory until the source ends.
    `rejects` names a JSONL file for rejected rows. Raises InputError for a source that cannot be read at all.
    """
    if not math.isfinite(lowest):
        raise InputError(f"The lowest relevance is {lowest}. Give the number that means 'worth nothing', 0 or 1 say.")
    tally = Tally(name_of(source), rejects, examples)
    rows = read_rows(source, tally)

    def judgements() -> Iterator[Judgement]:
        sums: dict[tuple[str, str], tuple[float, int]] = {}
        least, most = math.inf, 0.0
        for line, row in rows:
            tally.line = line
            try:
                pair, gain = _judgement(row, lowest)
            except RowFault as fault:
                tally.reject(fault, row)
                continue
            tally.kept += 1
            least, most = min(least, gain), max(most, gain)
            total, times = sums.get(pair, (0.0, 0))
            if times:
                tally.repair("repeated pair: the mean counts", "product_id", pair[1], "Judge each pair once.")
            sums[pair] = (total + gain, times + 1)
        if 0 < least < most:
            tally.note(
                f"The lowest relevance is {least + lowest:g}, while {lowest:g} means 'worth nothing'. "
                f"If {least + lowest:g} does, read the file again with that as the lowest."
            )
        for (query, product_id), (total, times) in sums.items():
            yield Judgement(query, product_id, round(total / times, _DIGITS))

    return Reading(judgements(), tally)


def _judgement(row: Row, lowest: float) -> tuple[tuple[str, str], float]:
    """The pair and its gain. Raises RowFault for a row that is no judgement."""
    query_cell, product_cell, relevance_cell = (_first_known(row, names) for names in _columns_of(tuple(row)))
    query, product_id = read_text(query_cell, MAX_QUERY), read_text(product_cell)
    if not query:
        raise RowFault("no query", "query", query_cell, "Give the words of the search as 'query'.")
    if not product_id:
        raise RowFault("no product", "product_id", product_cell, "Give the product's id as 'product_id'.")
    if len(product_id) > MAX_ID:
        raise RowFault("id too long", "product_id", product_id, f"Use ids of at most {MAX_ID} characters.")
    if is_missing(relevance_cell):
        raise RowFault("no relevance", "relevance", relevance_cell, "Give a number as 'relevance' (or 'label').")
    relevance = read_number(relevance_cell)
    if not abs(relevance) <= MAX_RELEVANCE:  # also nan
        raise RowFault("relevance is no number", "relevance", relevance_cell, "Give a number, like 2 or 2.33.")
    if relevance < lowest:
        fix = f"Give {lowest:g} or more, or say which relevance means 'worth nothing' when you read the file."
        raise RowFault("relevance below the lowest", "relevance", relevance_cell, fix)
    return (query, product_id), relevance - lowest


@lru_cache(maxsize=1000)
def _columns_of(shape: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
    """For each field the columns of such a row that hold it, best name first."""
    folded = {str(name).strip().lower().replace(" ", "_"): name for name in shape}
    return tuple(tuple(folded[name] for name in names if name in folded) for names in NAMES.values())


def _first_known(row: Row, columns: tuple[Any, ...]) -> object:
    return next((row[name] for name in columns if not is_missing(row[name])), None)
