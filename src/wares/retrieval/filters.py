"""Filters as values -> the rows that pass, and the facets of what passed."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns, Labels
from wares.domain.filter import Between, Clause, Either, Filter
from wares.domain.result import Facet, FacetValue
from wares.domain.selection import passing
from wares.errors import InputError, UnknownName
from wares.retrieval.postings import Ragged

Rows = NDArray[np.bool_]
_SIDE_BY_SIDE = 8  # labels of a row at most that are kept as a table


@dataclass(frozen=True)
class Pairs:
    """The distinct (group, value) pairs of one label column, so that a facet counts groups without sorting."""

    pair_of: NDArray[np.int32]  # (nnz,) the pair of each label
    value_of: NDArray[np.int32]  # (pairs,) the value of each pair

    @staticmethod
    def of(labels: Labels, groups: NDArray[np.int32]) -> "Pairs":
        width = max(len(labels.values), 1)
        pairs, pair_of = np.unique(groups[labels.rows].astype(np.int64) * width + labels.codes, return_inverse=True)
        return Pairs(pair_of.astype(np.int32), (pairs % width).astype(np.int32))


@dataclass(frozen=True)
class FilterIndex:
    """Answers filters and facets for one state of the columns; cheap to make, fills itself when asked."""

    columns: Columns
    _pairs: dict[str, Pairs] = field(default_factory=dict, repr=False)
    _places: dict[str, NDArray[np.intp]] = field(default_factory=dict, repr=False)
    _tables: dict[str, NDArray[np.int32]] = field(default_factory=dict, repr=False)
    _groups: list[Ragged] = field(default_factory=list, repr=False)  # the rows of each, once they were asked for

    def moved_to(self, columns: Columns) -> "FilterIndex":
        """For new columns; what depends on labels alone is kept where these did not change."""
        same = columns.labels is self.columns.labels and columns.groups is self.columns.groups
        return replace(self, columns=columns) if same else FilterIndex(columns)

    def passing(self, wanted: Filter) -> Rows:
        """(n,) living rows for which every clause holds."""
        for clause in wanted.clauses:
            self._check(clause)
        return self.columns.alive & passing(wanted, self.columns)

    def total(self, rows: Rows) -> int:
        """The number of groups with at least one row."""
        seen = np.zeros(self.columns.n_groups, np.bool_)
        seen[self.columns.groups[rows]] = True
        return int(seen.sum())

    def rows_of(self, groups: NDArray[np.int32]) -> NDArray[np.int32]:
        """All rows of these groups, dead ones, too; of each group in growing order."""
        if not self._groups:
            by_group = self.columns.groups
            ends = np.cumsum(np.bincount(by_group, minlength=self.columns.n_groups))
            rows = np.argsort(by_group, kind="stable").astype(np.int32)
            self._groups.append(Ragged(np.append(0, ends).astype(np.int64), rows))
        return self._groups[0].take(groups)[1]

    def facets(self, names: tuple[str, ...], matched: Rows, wanted: Filter, most: int = 100) -> tuple[Facet, ...]:
        """One facet per name over `matched` (n,) (the match set before the filters).

        A value's count is the total of the same query with that value chosen: the other fields' filters hold, the
        field's own choice is left out, unless `wanted.narrows_facets`. `most` values are given, and those chosen.
        """
        passed: dict[Filter, NDArray[np.intp]] = {}  # fields without a choice of their own count the same rows
        found = []
        for name in names:
            if name not in self.columns.numbers:
                self._labels(name, "facet")
            if (others := wanted.without_choices_of(name)) not in passed:
                passed[others] = np.flatnonzero(matched & self.passing(others))
            found.append(self._facet(name, passed[others], wanted, most))
        return tuple(found)

    def _facet(self, name: str, rows: NDArray[np.intp], wanted: Filter, most: int) -> Facet:
        if (numbers := self.columns.numbers.get(name)) is not None:
            known = numbers[rows]
            known = known[~np.isnan(known)]
            if not len(known):
                return Facet(name)
            return Facet(name, low=float(known.min()), high=float(known.max()))
        labels = self.columns.labels[name]
        counts = self._counts(name, labels, rows)
        chosen = set(wanted.choices_of(name))
        present = np.flatnonzero(counts)
        present = present[np.lexsort((self._alphabetical(name, labels)[present], -counts[present]))]
        if len(present) > most:
            also = [code for code in present[most:].tolist() if labels.values[code] in chosen] if chosen else []
            present = np.append(present[:most], also).astype(np.intp)
        values = [
            FacetValue(value := labels.values[code], count, value in chosen)
            for code, count in zip(present.tolist(), counts[present].tolist(), strict=True)
        ]
        missing = sorted(chosen - {value.value for value in values})
        return Facet(name, (*values, *(FacetValue(value, 0, True) for value in missing)))

    def _counts(self, name: str, labels: Labels, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """(values,) the groups of `rows` with each value."""
        if self.columns.n_groups == len(self.columns):  # each row is a group
            told = self._told(name, labels, labels.codes, rows)
            return np.bincount(told, minlength=len(labels.values) + 1)[1:]
        pairs = self._pairs_of(name, labels)
        marked = np.zeros(len(pairs.value_of) + 1, np.bool_)
        marked[self._told(name, labels, pairs.pair_of, rows)] = True
        return np.bincount(pairs.value_of[np.flatnonzero(marked[1:])], minlength=len(labels.values))

    def _told(
        self, name: str, labels: Labels, codes: NDArray[np.int32], rows: NDArray[np.intp]
    ) -> NDArray[np.integer[Any]]:
        """What `codes` (nnz,) say of all labels of these rows, counted from 1, among which 0 says nothing."""
        if name not in self._tables:
            self._tables[name] = _table(labels, codes)
        table = self._tables[name]
        return table.take(rows, axis=0).ravel() if table.size else codes[_places_of(labels, rows)] + 1

    def _alphabetical(self, name: str, labels: Labels) -> NDArray[np.intp]:
        """The place of each value among all of its field in the order of the alphabet."""
        if name not in self._places:
            by_name = sorted(range(len(labels.values)), key=labels.values.__getitem__)
            places = self._places[name] = np.empty(len(by_name), np.intp)
            places[by_name] = np.arange(len(by_name))
        return self._places[name]

    def _pairs_of(self, name: str, labels: Labels) -> Pairs:
        if name not in self._pairs:
            self._pairs[name] = Pairs.of(labels, self.columns.groups)
        return self._pairs[name]

    def _check(self, clause: Clause) -> None:
        """Raise what a person should hear of a clause that can never be met."""
        if isinstance(clause, Either):
            for one in clause.clauses:
                self._check(one)
            return
        if not isinstance(clause, Between):
            if clause.field != "id":
                self._labels(clause.field, "filter")
            return
        if clause.field not in self.columns.numbers:
            raise UnknownName("number to filter by", clause.field, self.columns.numbers)
        if clause.low is not None and clause.high is not None and clause.low > clause.high:
            raise InputError(
                f"The filter on {clause.field!r} asks for at least {clause.low:g} and at most {clause.high:g}."
            )

    def _labels(self, name: str, what: str) -> Labels:
        if (labels := self.columns.labels.get(name)) is None:
            raise UnknownName(what, name, [*self.columns.labels, *self.columns.numbers])
        return labels


def _table(labels: Labels, codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """(n, most labels of a row) the code of each label of each row, counted from 1, side by side so that rows are read
    at once; 0 = it has not so many. Empty where some row has very many."""
    counts = np.diff(labels.indptr)
    n, most = len(counts), int(counts.max(initial=0))
    if most > _SIDE_BY_SIDE:
        return np.empty((n, 0), np.int32)
    table = np.zeros((n, most), np.int32)
    table[np.arange(most) < counts[:, None]] = codes + 1
    return table


def _places_of(labels: Labels, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """The places in `labels.codes` of all labels of these rows: work for the rows asked, not for all."""
    starts = labels.indptr[rows]
    counts = labels.indptr[rows + 1] - starts
    ends = np.cumsum(counts)
    places: NDArray[np.int64] = np.repeat(starts - (ends - counts), counts)
    places += np.arange(len(places))
    return places
