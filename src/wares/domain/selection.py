"""Which rows of the catalogue meet a filter: for all rows or for a few, one reading of what a clause means."""

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns, Labels
from wares.domain.filter import AnyOf, Between, Clause, Either, Filter

Rows = NDArray[np.int32]
Bools = NDArray[np.bool_]
_FEW = 8  # values up to which each is looked for by itself, which compiled code does


def passing(wanted: Filter, columns: Columns, rows: Rows | None = None) -> Bools:
    """(n,) which of `rows` (all if None) meet every clause.

    The field "id" means the product itself; nothing has an unknown field. A missing number lies in no range.
    """
    passes = np.ones(len(columns) if rows is None else len(rows), np.bool_)
    for clause in wanted.clauses:
        passes &= _meets(clause, columns, rows)
    return passes


def known_rows(ids: tuple[str, ...] | frozenset[str], columns: Columns) -> Rows:
    """The living rows of these ids; unknown ids are left out."""
    return np.array([row for row in map(columns.row_of.get, ids) if row is not None], np.int32)


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


def _meets(clause: Clause, columns: Columns, rows: Rows | None) -> Bools:
    if isinstance(clause, Either):
        met = np.zeros(len(columns) if rows is None else len(rows), np.bool_)
        for one in clause.clauses:
            met |= _meets(one, columns, rows)
        return met
    if isinstance(clause, Between):
        if (numbers := columns.numbers.get(clause.field)) is None:
            return np.zeros(len(columns) if rows is None else len(rows), np.bool_)
        low = -np.inf if clause.low is None else clause.low
        high = np.inf if clause.high is None else clause.high
        asked = numbers if rows is None else numbers[rows]
        return (asked >= low) & (asked <= high)  # nan fails both
    has = _has_any(clause.field, frozenset(clause.values), columns, rows)
    return has if isinstance(clause, AnyOf) else ~has


def _has_any(field: str, values: frozenset[str], columns: Columns, rows: Rows | None) -> Bools:
    has = np.zeros(len(columns) if rows is None else len(rows), np.bool_)
    if field == "id":
        if rows is not None:
            return np.isin(rows, known_rows(values, columns))
        has[known_rows(values, columns)] = True
        return has
    if (labels := columns.labels.get(field)) is None:
        return has
    meant = np.zeros(len(labels.values), np.bool_)
    meant[_codes(values, labels)] = True
    if rows is None:
        entries = np.flatnonzero(meant[labels.codes])
        has[np.searchsorted(labels.indptr, entries, side="right") - 1] = True
    else:
        places, codes = codes_of(labels, rows)
        has[places[meant[codes]]] = True
    return has


def _codes(values: frozenset[str], labels: Labels) -> list[int]:
    """The codes of those of these values that a row can have."""
    if len(values) > _FEW:
        return [code for code, value in enumerate(labels.values) if value in values]
    return [labels.values.index(value) for value in values if value in labels.values]
