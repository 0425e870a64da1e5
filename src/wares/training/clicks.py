"""Clicks as judgements: what was shown and what shoppers then did -> gains of products for queries, without the bias
of places.

An event belongs to the impression that it names, if that was its shopper's, else to the latest that showed its product
to the same shopper in the `WINDOW_MS` before it. What shoppers without any id do belongs to none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.judgement import Judgement
from wares.domain.log import EventBlock
from wares.domain.request import Sort
from wares.domain.shopper import KIND_CODES
from wares.domain.text import normalise
from wares.evaluation.attribution import attributed
from wares.evaluation.examination import (
    Examination,
    Shown,
    examination_by_em,
    examination_from_swaps,
    relevance_of,
)
from wares.store.impressions import read_known_impressions
from wares.store.sqlite import Store

WINDOW_MS = 30 * 60_000
SURFACE = "search"
DEPTH = 10  # places that exchanges can reach
LEAST_LOOKS = 5.0  # looks that a product must have had, counted in looks at the first place
LEAST_SHOWS = 20  # times it must have been shown for the query
STRENGTH = 5.0  # looks' worth of the mean that every product starts with
# Whoever does one of these chose the product: it was looked at, and wanted.
CHOSEN = (EventKind.CLICK, EventKind.VIEW, EventKind.CART, EventKind.WISH, EventKind.LIKE, EventKind.PURCHASE)

Impression = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exposures:
    """What was shown for queries, line by line, and what the p pairs stand for."""

    shown: Shown
    queries: tuple[str, ...]  # (p,) as first typed; case, accents and blanks make no other query
    products: tuple[str, ...]  # (p,) ids
    impressions: int

    @property
    def clicks(self) -> int:
        return int(self.shown.clicked.sum())


@dataclass(frozen=True, slots=True)
class Lessons:
    """What clicks taught. `examination` None: too few clicks to tell places from products, so no judgements."""

    judgements: tuple[Judgement, ...]
    examination: Examination | None
    impressions: int
    clicks: int


def learn_from_clicks(
    impressions: Iterable[tuple[int, Impression]],
    block: EventBlock,
    columns: Columns,
    *,
    highest: float = 1.0,
    guess: bool = False,
    named: Mapping[int, str] | None = None,
) -> Lessons:
    """Impressions, each with the key of its shopper (`keyed`), and all events -> judgements with gains to `highest`.
    `named` as in `join`.

    The bias of places comes from the exchanges of the policy "swaps". `guess`: without enough of them take it from the
    regression EM, which needs no exchange and is less to be trusted.
    """
    exposures = join(impressions, block, columns, named)
    examination = examination_from_swaps(exposures.shown)
    if examination is None and guess:
        examination = examination_by_em(exposures.shown)
    judgements = gains(exposures, examination, highest) if examination is not None else ()
    return Lessons(judgements, examination, exposures.impressions, exposures.clicks)


def clicks_of(store: Store, folder: Path, block: EventBlock, columns: Columns, highest: float = 1.0) -> Lessons:
    """What the clicks of the shop in `folder` teach. Raises StoreError for impressions that cannot be read."""
    shown = keyed(read_known_impressions(folder), store.shoppers.keys())
    named = {seq: name for seq, (name, _) in store.events.shown().items()}
    return learn_from_clicks(shown, block, columns, highest=highest, named=named)


def keyed(
    impressions: Iterable[tuple[bytes, Impression]], key_of: Mapping[bytes, int]
) -> Iterator[tuple[int, Impression]]:
    """Impressions with the shopper's key in the event log instead of the hash; shoppers without events have -1."""
    return ((key_of.get(whose, -1), impression) for whose, impression in impressions)


def join(
    impressions: Iterable[tuple[int, Impression]],
    block: EventBlock,
    columns: Columns,
    named: Mapping[int, str] | None = None,
) -> Exposures:
    """The hits of searches in order of relevance, each with whether its shopper then chose it or a variant of it.

    `named`: sequence numbers of events -> the impression that they name.
    """
    lines = _Lines()
    for shopper, impression in impressions:
        if impression["surface"] == SURFACE and impression["query"] and impression["sort"] == Sort.RELEVANCE:
            lines.add(shopper, impression, columns)
    groups = columns.groups[np.array(lines.rows, np.int64)].astype(np.int64)
    clicked = _chosen(lines, groups, block, columns, named or {})
    pair_keys = np.array(lines.query_of, np.int64) * max(columns.n_groups, 1) + groups
    _, first, pairs = np.unique(pair_keys, return_index=True, return_inverse=True)
    typed = list(lines.typed.values())
    return Exposures(
        Shown(pairs.astype(np.int64), np.array(lines.positions, np.int64), clicked, lines.chances(), lines.features()),
        tuple(typed[lines.query_of[i]] for i in first.tolist()),
        tuple(columns.ids[lines.rows[i]] for i in first.tolist()),
        lines.count,
    )


def gains(
    exposures: Exposures,
    examination: Examination,
    highest: float = 1.0,
    *,
    strength: float = STRENGTH,
    least_looks: float = LEAST_LOOKS,
    least_shows: int = LEAST_SHOWS,
) -> tuple[Judgement, ...]:
    """A judgement of each pair that was shown often enough; a query's best product has the gain `highest`.

    Queries of which only one product is left tell no order and are left out.
    """
    shown = exposures.shown
    if not len(shown):
        return ()
    relevance, looks = relevance_of(shown, examination.at(shown.positions), strength)
    enough = (looks >= least_looks) & (np.bincount(shown.pairs) >= least_shows)
    by_query: dict[str, list[int]] = {}
    for pair in np.flatnonzero(enough).tolist():
        by_query.setdefault(exposures.queries[pair], []).append(pair)
    found = []
    for query, of_query in by_query.items():
        top = float(relevance[of_query].max())
        if len(of_query) > 1 and top > 0:
            worth = np.round(highest * relevance[of_query] / top, 4).tolist()
            found += [Judgement(query, exposures.products[i], g) for i, g in zip(of_query, worth, strict=True)]
    return tuple(found)


def beside(explicit: Iterable[Judgement], learnt: Iterable[Judgement]) -> list[Judgement]:
    """Both; what a person said of a query counts alone, because the two scales need not agree."""
    said = list(explicit)
    judged = {_read(one.query) for one in said}
    return said + [one for one in learnt if _read(one.query) not in judged]


class _Lines:
    """Hits of impressions, collected line by line."""

    def __init__(self) -> None:
        self.shoppers: list[int] = []
        self.times_ms: list[int] = []
        self.rows: list[int] = []
        self.positions: list[int] = []
        self.query_of: list[int] = []
        self.names: list[str] = []  # of the impressions
        self.typed: dict[str, str] = {}  # a query as read -> as first typed
        self._places: dict[str, int] = {}
        self.count = 0
        self._lines: list[int] = []  # of each chance, like the next two
        self._places_of: list[int] = []
        self._chances: list[float] = []
        self._names: tuple[str, ...] | None = None  # the features of the first impression; others must have the same
        self._values: list[list[float]] = []

    def add(self, shopper: int, impression: Impression, columns: Columns) -> None:
        read = _read(impression["query"])
        query = self._places.setdefault(read, len(self._places))
        self.typed.setdefault(read, impression["query"])
        names = tuple(impression["features"])
        if self._names is None:
            self._names = names
        self.count += 1
        for hit in impression["hits"]:
            row = columns.row_of.get(hit["product"])
            if row is None:
                continue
            for place, chance in hit.get("chances", {}).items():
                if int(place) < DEPTH:
                    self._lines.append(len(self.rows))
                    self._places_of.append(int(place))
                    self._chances.append(chance)
            self.shoppers.append(shopper)
            self.times_ms.append(int(impression["time_ms"]))
            self.rows.append(row)
            self.positions.append(int(hit["position"]))
            self.query_of.append(query)
            self.names.append(impression.get("id", ""))
            self._values.append(hit["values"] if names == self._names else [])

    def chances(self) -> NDArray[np.float32]:
        """(n, DEPTH)"""
        chances = np.zeros((len(self.rows), DEPTH), np.float32)
        chances[np.array(self._lines, np.intp), np.array(self._places_of, np.intp)] = self._chances
        return chances

    def features(self) -> NDArray[np.float32]:
        """(n, f); the mean of the others where a hit has none."""
        f = len(self._names or ())
        values = np.full((len(self.rows), f), np.nan, np.float32)
        known = [i for i, row in enumerate(self._values) if len(row) == f]
        if f and known:
            values[known] = [self._values[i] for i in known]
            means = np.nanmean(values, axis=0)
            values = np.where(np.isnan(values), means, values)
        return values


def _chosen(
    lines: _Lines, groups: NDArray[np.int64], block: EventBlock, columns: Columns, named: Mapping[int, str]
) -> NDArray[np.bool_]:
    """(n,) whether an event belongs to each line. One that names its impression belongs to that, where it was shown to
    the same shopper before, or to none; one that names another query than the impression's does not belong."""
    row_of_key = np.full(int(max(columns.keys.max(initial=0), block.product_keys.max(initial=0))) + 1, -1, np.int64)
    row_of_key[columns.keys] = np.arange(len(columns))
    rows = np.where(block.product_keys >= 0, row_of_key[block.product_keys], -1)
    kinds = np.isin(block.kinds, [KIND_CODES[kind] for kind in CHOSEN])
    events = np.flatnonzero(kinds & (block.shopper_keys >= 0) & (rows >= 0))
    event_groups = columns.groups[rows[events]].astype(np.int64)
    done = (block.shopper_keys[events], event_groups, block.times_ms[events])
    shown = (np.array(lines.shoppers, np.int64), groups, np.array(lines.times_ms, np.int64))
    latest = attributed(shown, done, WINDOW_MS, columns.n_groups)
    line_of = {met: at for at, met in enumerate(zip(lines.names, groups.tolist(), strict=True))} if named else {}
    queries, clicked = list(lines.typed), np.zeros(len(groups), np.bool_)
    for event, line, group in zip(events.tolist(), latest.tolist(), event_groups.tolist(), strict=True):
        if name := named.get(int(block.seqs[event])):
            met = line_of.get((name, group), -1)
            if met >= 0 and lines.shoppers[met] == block.shopper_keys[event]:
                clicked[met] |= lines.times_ms[met] <= block.times_ms[event]
        elif line >= 0:
            said = _read(block.queries.get(event, ""))
            clicked[line] |= not said or said == queries[lines.query_of[line]]
    return clicked


def _read(query: str) -> str:
    return " ".join(normalise(query).split())
