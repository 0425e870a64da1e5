"""What the catalogue says of some rows: the cost goes with their number, so that no policy scans the whole shop."""

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns, Labels
from wares.domain.filter import AnyOf, Between, Clause, Filter

Rows = NDArray[np.int32]
Bools = NDArray[np.bool_]


def codes_of(labels: Labels, rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The labels of `rows` (n,) as parallel arrays (m,): place in `rows`, code."""
    starts = labels.indptr[rows]
    counts = labels.indptr[rows + 1] - starts
    places = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    return places, labels.codes[starts[places] + within]


def first_code_of(labels: Labels, rows: Rows) -> NDArray[np.int32]:
    """(n,) the first code of each of `rows`; -1 where it has none."""
    places, codes = codes_of(labels, rows)
    first = np.full(len(rows), -1, np.int32)
    first[places[::-1]] = codes[::-1]
    return first


def passing(wanted: Filter, rows: Rows, columns: Columns) -> Bools:
    """(n,) which of `rows` meet every clause. The field "id" means the product; nothing has an unknown field."""
    passes = np.ones(len(rows), np.bool_)
    for clause in wanted.clauses:
        passes &= _meets(clause, rows, columns)
    return passes


def _meets(clause: Clause, rows: Rows, columns: Columns) -> Bools:
    if isinstance(clause, Between):
        if (numbers := columns.numbers.get(clause.field)) is None:
            return np.zeros(len(rows), np.bool_)
        low = -np.inf if clause.low is None else clause.low
        high = np.inf if clause.high is None else clause.high
        return (numbers[rows] >= low) & (numbers[rows] <= high)  # nan fails both
    has = _has_any(clause.field, frozenset(clause.values), rows, columns)
    return has if isinstance(clause, AnyOf) else ~has


def _has_any(field: str, values: frozenset[str], rows: Rows, columns: Columns) -> Bools:
    has = np.zeros(len(rows), np.bool_)
    if field == "id":
        return np.isin(rows, known_rows(values, columns))
    if (labels := columns.labels.get(field)) is not None:
        places, codes = codes_of(labels, rows)
        if len(codes) < len(labels.values):  # a few rows of a large shop
            wanted = np.array([labels.values[code] in values for code in codes.tolist()], np.bool_)
        else:
            wanted = np.array([value in values for value in labels.values], np.bool_)[codes]
        has[places[wanted]] = True
    return has


def known_rows(ids: tuple[str, ...] | frozenset[str], columns: Columns) -> Rows:
    """The living rows of these ids; unknown ids are left out."""
    return np.array([row for row in map(columns.row_of.get, ids) if row is not None], np.int32)
