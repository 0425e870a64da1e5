"""Were shoppers served? What they did with the answers they were shown, in shares of answers with 95% intervals.

An *ask* is one question of one shopper on one surface; further pages of it are the same ask. It was a *success* where
the shopper then chose a product that it showed (clicked, viewed, put into the cart or on the wish list, liked, bought)
within half an hour. A search that was no success was *reworded* (another search within two minutes), *empty* (no hit),
or *abandoned*. These four are measures of satisfaction in Hassan et al., "Beyond clicks: query reformulation as a
predictor of search satisfaction" (CIKM 2013), and Su et al., "User intent, behaviour, and perceived satisfaction in
product search" (WSDM 2018).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.shopper import KIND_CODES
from wares.domain.text import normalise
from wares.evaluation.attribution import attributed
from wares.evaluation.intervals import Floats, Interval, ratio_intervals

WINDOW_MS = 30 * 60_000  # in which a choice belongs to what was shown
BOUGHT_MS = 24 * 3_600_000  # in which a purchase does
RATED_MS = 30 * 24 * 3_600_000  # in which a rating does
REWORDED_MS = 2 * 60_000
DAY_MS = 86_400_000
CHOSEN = (EventKind.CLICK, EventKind.VIEW, EventKind.CART, EventKind.WISH, EventKind.LIKE, EventKind.PURCHASE)
LEAST = 30  # shoppers below whom an interval means nothing
SHARES = ("success", "reworded", "abandoned", "empty", "cart", "bought", "liked", "hidden")
SECONDS = "seconds"  # from the answer to the first choice, of successes
STARS = "stars"  # the mean rating of what was chosen, of asks after which something was rated
FIGURES = (*SHARES, SECONDS, STARS)
ALL = "all"

Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Asks:
    """a asks in order of time, and the n hits that they showed: hit i is a product of group `groups[i]`, of ask
    `ask_of[i]`. `others` are asks of nobody in particular, of whom it cannot be told what they did."""

    shoppers: Longs  # (a,) keys
    times_ms: Longs  # (a,)
    surfaces: tuple[str, ...]  # (a,)
    queries: tuple[str, ...]  # (a,) as read, "" = no search
    empty: Bools  # (a,)
    ask_of: Longs  # (n,)
    groups: Longs  # (n,)
    shown_ms: Longs  # (n,)
    named: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # id of an impression -> (its ask, shown at ms)
    others: int = 0

    def __len__(self) -> int:
        return len(self.shoppers)


@dataclass(frozen=True, slots=True)
class Line:
    """One group of asks. `figures`: a share of the asks each, the mean seconds and the mean stars."""

    label: str
    asks: int
    shoppers: int
    figures: Mapping[str, Interval]


@dataclass(frozen=True)
class Satisfaction:
    """All asks, those of each surface, and those of each group of shoppers; success by day."""

    lines: tuple[Line, ...]
    groups: tuple[Line, ...] = ()
    days: tuple[tuple[int, int, float], ...] = ()  # (first ms of the day in UTC, asks, share of successes)
    others: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; nan as None."""
        return {
            "lines": [_line_dict(line) for line in self.lines],
            "groups": [_line_dict(line) for line in self.groups],
            "days": [{"day_ms": day, "asks": asks, "success": round(share, 6)} for day, asks, share in self.days],
            "asks_of_nobody": self.others,
            **self.facts,
        }


def asks_of(impressions: Iterable[tuple[int, Mapping[str, Any]]], columns: Columns, after_ms: int = 0) -> Asks:
    """Impressions in order of time, each with its shopper's key (-1 = not known), from `after_ms` on."""
    shoppers, times, surfaces, queries, empty = list[int](), list[int](), list[str](), list[str](), list[bool]()
    ask_of, groups, shown = list[int](), list[int](), list[int]()
    latest: dict[tuple[int, str, str], tuple[int, int]] = {}  # what was asked -> (ask, when it was last shown)
    named: dict[str, tuple[int, int]] = {}
    others = 0
    for shopper, impression in impressions:
        time_ms = int(impression["time_ms"])
        if time_ms < after_ms:
            continue
        if shopper < 0:
            others += 1
            continue
        query = " ".join(normalise(impression["query"]).split())
        asked = (shopper, impression["surface"], query)
        ask, last_ms = latest.get(asked, (-1, 0))
        if ask < 0 or time_ms - last_ms > WINDOW_MS or (not query and not _goes_on(impression)):
            ask = len(shoppers)
            shoppers.append(shopper)
            times.append(time_ms)
            surfaces.append(impression["surface"])
            queries.append(query)
            empty.append(int(impression["total"]) == 0)
        latest[asked] = (ask, time_ms)
        named[str(impression.get("id", ""))] = (ask, time_ms)
        for hit in impression["hits"]:
            if (row := columns.row_of.get(hit["product"])) is not None:
                ask_of.append(ask)
                groups.append(int(columns.groups[row]))
                shown.append(time_ms)
    return Asks(
        np.array(shoppers, np.int64), np.array(times, np.int64), tuple(surfaces), tuple(queries),
        np.array(empty, np.bool_), np.array(ask_of, np.int64), np.array(groups, np.int64), np.array(shown, np.int64),
        named, others,
    )  # fmt: skip


def outcomes(
    asks: Asks, block: EventBlock, columns: Columns, named: Mapping[int, str] | None = None
) -> dict[str, Floats]:
    """What became of each ask: figure -> (a,), 0 or 1, seconds or stars; nan = the figure is not of this ask. `named`
    tells of some events (by their number) which impression they follow from: such an event belongs to that, where it
    was shown to the same shopper, or to none."""
    row_of_key = np.full(int(max(columns.keys.max(initial=0), block.product_keys.max(initial=0))) + 1, -1, np.int64)
    row_of_key[columns.keys] = np.arange(len(columns))
    rows = np.where(block.product_keys >= 0, row_of_key[block.product_keys], -1)

    def following(kinds: Sequence[EventKind], window_ms: int) -> tuple[Longs, Longs]:
        """(events of these kinds, the ask that each belongs to)"""
        meant = np.isin(block.kinds, [KIND_CODES[kind] for kind in kinds])
        events = np.flatnonzero(meant & (block.shopper_keys >= 0) & (rows >= 0))
        done = (block.shopper_keys[events], columns.groups[rows[events]].astype(np.int64), block.times_ms[events])
        lines = attributed((asks.shoppers[asks.ask_of], asks.groups, asks.shown_ms), done, window_ms, columns.n_groups)
        ask = np.where(lines >= 0, asks.ask_of[lines], -1) if len(asks.ask_of) else np.full(len(events), -1)
        if named:
            for place, event in enumerate(events.tolist()):
                if name := named.get(int(block.seqs[event])):
                    met, shown_ms = asks.named.get(name, (-1, 0))
                    own = met >= 0 and asks.shoppers[met] == block.shopper_keys[event]
                    ask[place] = met if own and 0 <= block.times_ms[event] - shown_ms <= window_ms else -1
        return events[ask >= 0], ask[ask >= 0]

    def first(kinds: Sequence[EventKind], window_ms: int) -> Floats:
        """(a,) seconds to the first event of these kinds; nan = none."""
        events, ask = following(kinds, window_ms)
        found = np.full(len(asks), np.inf)
        np.minimum.at(found, ask, (block.times_ms[events] - asks.times_ms[ask]) / 1000)
        return np.where(np.isinf(found), np.nan, found)

    seconds = first(CHOSEN, WINDOW_MS)
    success = ~np.isnan(seconds)
    search = np.array([bool(query) for query in asks.queries], np.bool_)
    reworded = search & ~success & _reworded(asks)
    lost = search & ~success & ~reworded
    found = {
        "success": success,
        "reworded": np.where(search, reworded, np.nan),
        "abandoned": np.where(search, lost & ~asks.empty, np.nan),
        "empty": np.where(search, lost & asks.empty, np.nan),
        "cart": ~np.isnan(first((EventKind.CART,), WINDOW_MS)),
        "bought": ~np.isnan(first((EventKind.PURCHASE,), BOUGHT_MS)),
        "liked": ~np.isnan(first((EventKind.LIKE, EventKind.WISH), WINDOW_MS)),
        "hidden": ~np.isnan(first((EventKind.HIDE,), WINDOW_MS)),
        SECONDS: seconds,
        STARS: _means(*following((EventKind.RATE,), RATED_MS), block.quantities, len(asks)),
    }
    return {name: values.astype(np.float64) for name, values in found.items()}


def satisfaction(
    asks: Asks, found: Mapping[str, Floats], rng: np.random.Generator, group_of: Mapping[int, str] | None = None
) -> Satisfaction:
    """The figures of all asks, of each surface, and, with `group_of` (shopper key -> label), of each group."""
    surfaces = np.array(asks.surfaces, dtype=object)
    lines = [_line(ALL, np.ones(len(asks), np.bool_), asks, found, rng)]
    lines += [_line(one, surfaces == one, asks, found, rng) for one in sorted(set(asks.surfaces))]
    groups = []
    if group_of is not None:
        labels = np.array([group_of.get(shopper, "") for shopper in asks.shoppers.tolist()], dtype=object)
        groups = [_line(one or "(not known)", labels == one, asks, found, rng) for one in sorted(set(labels.tolist()))]
    days = asks.times_ms // DAY_MS
    by_day = []
    for day in np.unique(days).tolist():
        own = days == day
        by_day.append((int(day) * DAY_MS, int(own.sum()), float(found["success"][own].mean())))
    return Satisfaction(tuple(lines), tuple(groups), tuple(by_day), asks.others)


def _line(label: str, own: Bools, asks: Asks, found: Mapping[str, Floats], rng: np.random.Generator) -> Line:
    shoppers, place = np.unique(asks.shoppers[own], return_inverse=True)
    n = len(shoppers)
    sums, counts = np.zeros((n, len(FIGURES))), np.zeros((n, len(FIGURES)))
    for j, name in enumerate(FIGURES):
        values = found[name][own]
        known = ~np.isnan(values)
        sums[:, j] = np.bincount(place[known], values[known], minlength=n)
        counts[:, j] = np.bincount(place[known], minlength=n)
    intervals = ratio_intervals(sums, counts, rng)
    if n < LEAST:
        intervals = [Interval(one.mean) for one in intervals]
    return Line(label, int(own.sum()), n, dict(zip(FIGURES, intervals, strict=True)))


def _means(events: Longs, asks: Longs, values: NDArray[np.float32], n: int) -> Floats:
    """(n,) the mean value of the events of each ask; nan = it has none."""
    sums, counts = np.bincount(asks, values[events], n), np.bincount(asks, minlength=n)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _reworded(asks: Asks) -> Bools:
    """(a,) whether the same shopper searched for something else within two minutes."""
    found = np.zeros(len(asks), np.bool_)
    last: dict[int, int] = {}  # shopper -> their last search
    for ask in np.argsort(asks.times_ms, kind="stable").tolist():
        if not asks.queries[ask]:
            continue
        shopper = int(asks.shoppers[ask])
        before = last.get(shopper)
        if before is not None and asks.queries[before] != asks.queries[ask]:
            found[before] = asks.times_ms[ask] - asks.times_ms[before] <= REWORDED_MS
        last[shopper] = ask
    return found


def _goes_on(impression: Mapping[str, Any]) -> bool:
    """Whether it is a further page."""
    hits = impression["hits"]
    return bool(hits) and int(hits[0]["position"]) > 0


def _line_dict(line: Line) -> dict[str, Any]:
    figures = {
        name: {key: _plain(value) for key, value in (("mean", i.mean), ("low", i.low), ("high", i.high))}
        for name, i in line.figures.items()
    }
    return {"label": line.label, "asks": line.asks, "shoppers": line.shoppers, **figures}


def _plain(number: float) -> float | None:
    return None if math.isnan(number) else round(number, 6)
