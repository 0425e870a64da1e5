"""How the shop does: events by day, answers and what came of them, time of answers, and searches that went badly."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wares.app.commands.satisfying import shown_answers
from wares.app.web.console.weak_queries import weak_queries
from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.shopper import KIND_CODES
from wares.evaluation.satisfaction import DAY_MS, Asks, asks_of, outcomes, satisfaction
from wares.shop import Shop

_SEED = 0
_PAGE = Mapping[str, Any]


@dataclass
class _Shown:
    """Counts the answers that pass by, whoever they went to; further pages of an answer are no answers of their own."""

    after_ms: int
    answers: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    searches: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    empty: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    took_ms: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def watching(self, impressions: Iterator[tuple[int, _PAGE]]) -> Iterator[tuple[int, _PAGE]]:
        for whose, shown in impressions:
            time_ms = int(shown["time_ms"])
            hits = shown["hits"]
            if time_ms >= self.after_ms and not (hits and int(hits[0]["position"]) > 0):
                self._count(time_ms // DAY_MS, shown)
            yield whose, shown

    def _count(self, day: int, shown: _PAGE) -> None:
        self.answers[str(shown["surface"])][day] += 1
        if shown["query"]:
            self.searches[day] += 1
            self.empty[day] += int(shown["total"]) == 0
        if took_ms := float(shown.get("took_ms", 0.0)):  # logs of earlier versions do not tell
            self.took_ms[day].append(took_ms)


def overview(shop: Shop, now_ms: int, days: int) -> dict[str, Any]:
    """The last `days` days up to `now_ms`, by day of UTC, oldest first; every list has one entry a day.

    Shares are of the asks of shoppers who are known (`evaluation.satisfaction`), and null on days without any.
    """
    first = now_ms // DAY_MS - days + 1
    shown = _Shown(first * DAY_MS)
    columns, block = shop.engine.live.state.columns, shop.store.events.read()
    asks = asks_of(shown.watching(shown_answers(shop)), columns, first * DAY_MS)
    named = {seq: name for seq, (name, _) in shop.store.events.shown().items()}
    found = outcomes(asks, block, columns, named)
    whole = satisfaction(asks, found, np.random.default_rng(_SEED)).to_dict()["lines"] if len(asks) else []
    span = range(first, first + days)
    return {
        "days_ms": [day * DAY_MS for day in span],
        "events": _events(block, span),
        "answers": {surface: [by_day[day] for day in span] for surface, by_day in sorted(shown.answers.items())},
        "searches": [shown.searches[day] for day in span],
        "no_result": [_share(shown.empty[day], shown.searches[day]) for day in span],
        "outcomes": _by_day(asks, found, span),
        "took_ms": _times(shown.took_ms, span),
        "satisfaction": whole,
        "asks_of_nobody": asks.others,
        "counts": _counts(shop, columns, block, first * DAY_MS),
        "queries": weak_queries(asks, found),
    }


def _events(block: EventBlock, span: range) -> dict[str, list[int]]:
    """Kind -> events of each day; kinds of which there were none are left out."""
    at = block.times_ms // DAY_MS - span.start
    inside = (at >= 0) & (at < len(span))
    told = {}
    for kind in EventKind:
        own = inside & (block.kinds == KIND_CODES[kind])
        if own.any():
            told[kind.value] = np.bincount(at[own], minlength=len(span)).tolist()
    return told


def _by_day(asks: Asks, found: Mapping[str, Any], span: range) -> dict[str, list[float | None]]:
    """Figure -> its share of each day's asks."""
    days = asks.times_ms // DAY_MS
    told: dict[str, list[float | None]] = {}
    for name in ("success", "abandoned", "cart", "bought"):
        values, known = found[name], ~np.isnan(found[name])
        told[name] = [
            _share(float(values[own].sum()), int(own.sum())) for day in span for own in [known & (days == day)]
        ]
    return told


def _times(took_ms: Mapping[int, list[float]], span: range) -> dict[str, list[float | None]]:
    def quantile(q: float) -> list[float | None]:
        return [round(float(np.quantile(took_ms[day], q)), 2) if took_ms.get(day) else None for day in span]

    return {"p50": quantile(0.5), "p95": quantile(0.95)}


def _counts(shop: Shop, columns: Columns, block: EventBlock, after_ms: int) -> dict[str, int]:
    recent = block.times_ms >= after_ms
    return {
        "products": int(columns.alive.sum()),
        "events": len(block),
        "events_in_span": int(recent.sum()),
        "shoppers_in_span": len(np.unique(block.shopper_keys[recent & (block.shopper_keys >= 0)])),
    }


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
