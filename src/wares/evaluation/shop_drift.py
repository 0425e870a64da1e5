"""What of a shop is watched for drift: what comes in (events, products, words), and how good the answers are."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.shopper import KIND_CODES, KINDS
from wares.evaluation.attribution import chosen_lines
from wares.evaluation.moved import (
    Shift,
    by_name,
    count,
    deciles,
    distinct_among,
    distribution_shift,
    level_shift,
    share_shift,
)

# What is watched -> what it means; the first ten are what comes in, the others how good the answers are.
MEANING = {
    "events": "How many came.",
    "kinds of events": "Which kinds they are.",
    "unknown products": "Events on products that the catalogue does not have (yet, or any more).",
    "events without a shopper": "Nobody's events teach little.",
    "purchases without a value": "What was paid is not known.",
    "purchases without a basket": "What was bought together is not known.",
    "searches among events": "How much is searched.",
    "prices paid": "Of one piece, in tenths of the earlier periods.",
    "prices looked at": "Of products with other events than purchases, as they cost now.",
    "writing of queries": "Latin, Chinese characters, Cyrillic and so on.",
    "answers": "How many pages were shown.",
    "searches without a hit": "Of first pages of searches without filters.",
    "success": "Answers to known shoppers from which a product was chosen within half an hour.",
    "clicks on the first ten": "Of the first ten hits shown to known shoppers, those that were chosen.",
    "breadth of what is shown": "Share of the catalogue expected among equally many hits at random.",
}
INPUTS = tuple(MEANING)[:10]
SCORES = "Of the first ten hits, in tenths of the earlier periods; a training may move them."
PLACES = 10  # of a page whose clicks are counted
_WINDOW_MS = 30 * 60_000
_VOLUME = 0.3  # share by which the number of events or answers may change
_LEAST_HITS = 100  # of a period, below which its breadth means nothing
_CLICKS = (EventKind.CLICK, EventKind.VIEW, EventKind.CART, EventKind.WISH, EventKind.LIKE)
_SCRIPTS = {"CJK": "Chinese characters", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}


@dataclass(frozen=True)
class Periods:
    """`n` periods of `length_ms`, the last of which ends at `end_ms`."""

    end_ms: int
    length_ms: int
    n: int

    @property
    def start_ms(self) -> int:
        return self.end_ms - self.n * self.length_ms

    def of(self, times_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) the period of each moment, from 0; -1 = outside."""
        place = (times_ms - self.start_ms) // self.length_ms
        return np.where((place >= 0) & (place < self.n), place, -1).astype(np.int64)


@dataclass(frozen=True)
class Drifts:
    """All that was watched, and the share of clicks by place before and now, (places,) each."""

    shifts: tuple[Shift, ...]
    clicks_before: NDArray[np.float64]
    clicks_now: NDArray[np.float64]

    @property
    def alarms(self) -> tuple[Shift, ...]:
        return tuple(one for one in self.shifts if one.verdict in ("alarm", "moved"))


def shop_drift(
    block: EventBlock,
    columns: Columns,
    impressions: Iterable[tuple[int, Mapping[str, Any]]],
    periods: Periods,
    named: Mapping[int, str] | None = None,
    scale: int = 100,
) -> Drifts:
    """`impressions` with the shopper's key of each, -1 = nobody known; `named`: events that name their impression;
    `scale`: smallest units of the currency in a whole one."""
    shown = _Shown.of(impressions, columns, periods)
    clicked = _clicked(shown, block, columns, named)
    last = shown.hit_periods == periods.n - 1
    by_place = [_by_place(shown, clicked, own) for own in (~last, last)]
    shifts = (*_inputs(block, columns, periods, scale), *_quality(shown, clicked, columns, periods))
    return Drifts(shifts, *by_place)


def script_of(query: str) -> str:
    """In which writing most letters of a query are.

    >>> script_of("milk 2l"), script_of("牛奶"), script_of("молоко"), script_of("42")
    ('Latin', 'Chinese characters', 'Cyrillic', 'no letters')
    """
    found = Counter(unicodedata.name(c, "?").split()[0] for c in query[:500] if c.isalpha())
    if not found:
        return "no letters"
    if found.keys() & {"HIRAGANA", "KATAKANA"}:
        return "Japanese"
    name = found.most_common(1)[0][0]
    return _SCRIPTS.get(name, name.capitalize())


def _inputs(block: EventBlock, columns: Columns, periods: Periods, scale: int) -> list[Shift]:
    when, n = periods.of(block.times_ms), periods.n
    inside, on_product, nobody = when >= 0, block.product_keys >= 0, block.shopper_keys < 0
    unknown = on_product & ~np.isin(block.product_keys, columns.keys)
    bought = np.asarray(block.kinds == KIND_CODES[EventKind.PURCHASE])
    search = np.asarray(block.kinds == KIND_CODES[EventKind.SEARCH])
    events, purchases = count(when, n), count(when, n, bought)
    names = [KINDS[code].value for code in block.kinds[inside].tolist()]
    paid = np.where(bought, block.values_minor / np.maximum(block.quantities, 1e-9) / scale, np.nan)
    looked = inside & on_product & ~unknown & ~bought
    row_of = {int(key): row for row, key in enumerate(columns.keys.tolist())}  # the latest row of each product
    rows = np.array([row_of[key] for key in block.product_keys[looked].tolist()], np.int64)
    prices = columns.numbers["price"][rows].astype(np.float64) / scale
    asked = [(int(when[place]), script_of(words)) for place, words in block.queries.items() if when[place] >= 0]
    scripts, asked_when = [name for _, name in asked], np.array([period for period, _ in asked], np.int64)
    return [
        level_shift("events", events.astype(np.float64), int(events[-1]), least_change=_VOLUME),
        distribution_shift("kinds of events", *by_name(names, when[inside], n)),
        share_shift("unknown products", count(when, n, unknown), count(when, n, on_product)),
        share_shift("events without a shopper", count(when, n, nobody), events),
        share_shift("purchases without a value", count(when, n, bought & np.isnan(block.values_minor)), purchases),
        share_shift("purchases without a basket", count(when, n, bought & (block.basket_keys < 0)), purchases),
        share_shift("searches among events", count(when, n, search), events),
        distribution_shift("prices paid", *deciles(paid[inside], when[inside], n), ordered=True),
        distribution_shift("prices looked at", *deciles(prices, when[looked], n), ordered=True),
        distribution_shift("writing of queries", *by_name(scripts, asked_when, n)),
    ]


def _quality(shown: "_Shown", clicked: NDArray[np.bool_], columns: Columns, periods: Periods) -> list[Shift]:
    n, when, hit_when = periods.n, shown.periods, shown.hit_periods
    known, search = shown.shoppers >= 0, shown.search
    success = np.zeros(len(when), np.bool_)
    success[shown.answer_of[clicked]] = True
    top, answers = shown.places < PLACES, count(when, n)
    seen = top & known[shown.answer_of]
    shifts = [
        level_shift("answers", answers.astype(np.float64), int(answers[-1]), least_change=_VOLUME),
        share_shift("searches without a hit", count(when, n, search & shown.empty), count(when, n, search)),
        share_shift("success", count(when, n, known & success), count(when, n, known)),
        share_shift("clicks on the first ten", count(hit_when, n, clicked & seen), count(hit_when, n, seen)),
        _breadth(shown, columns, periods),
    ]
    for surface in sorted(set(shown.surfaces)):
        own = top & np.array([one == surface for one in shown.surfaces], np.bool_)[shown.answer_of]
        if own.any():
            bins = deciles(shown.scores[own], hit_when[own], n)
            shifts.append(distribution_shift(f"scores on {surface}", *bins, ordered=True))
    return shifts


def _breadth(shown: "_Shown", columns: Columns, periods: Periods) -> Shift:
    """Among equally many hits of each period, so that busy weeks do not look broad."""
    products = [shown.rows[shown.hit_periods == period] for period in range(periods.n)]
    draws = min((len(rows) for rows in products if len(rows) >= _LEAST_HITS), default=0)
    alive = max(int(columns.alive.sum()), 1)
    counts = [np.unique(rows, return_counts=True)[1].astype(np.int64) for rows in products]
    values = [distinct_among(one, draws) / alive if one.sum() >= _LEAST_HITS else np.nan for one in counts]
    return level_shift("breadth of what is shown", np.array(values), len(products[-1]))


def _by_place(shown: "_Shown", clicked: NDArray[np.bool_], own: NDArray[np.bool_]) -> NDArray[np.float64]:
    own = own & (shown.shoppers >= 0)[shown.answer_of] & (shown.places < PLACES)
    seen = np.bincount(shown.places[own], minlength=PLACES)
    taken = np.bincount(shown.places[own & clicked], minlength=PLACES)
    return np.where(seen >= 20, taken / np.maximum(seen, 1), np.nan)


def _clicked(
    shown: "_Shown", block: EventBlock, columns: Columns, named: Mapping[int, str] | None
) -> NDArray[np.bool_]:
    lines = (
        shown.shoppers[shown.answer_of],
        columns.groups[shown.rows].astype(np.int64),
        shown.times_ms[shown.answer_of],
    )
    names = [shown.names[answer] for answer in shown.answer_of.tolist()]
    return chosen_lines(lines, names, block, columns, kinds=_CLICKS, window_ms=_WINDOW_MS, named=named)


@dataclass(frozen=True)
class _Shown:
    """a answers inside the periods, and the h hits that they showed."""

    shoppers: NDArray[np.int64]  # (a,)
    times_ms: NDArray[np.int64]  # (a,)
    periods: NDArray[np.int64]  # (a,)
    names: tuple[str, ...]
    surfaces: tuple[str, ...]
    search: NDArray[np.bool_]  # (a,) a first page for words, without filters
    empty: NDArray[np.bool_]  # (a,)
    answer_of: NDArray[np.int64]  # (h,)
    rows: NDArray[np.int64]  # (h,)
    places: NDArray[np.int64]  # (h,) from 0
    scores: NDArray[np.float64]  # (h,)

    @property
    def hit_periods(self) -> NDArray[np.int64]:
        return self.periods[self.answer_of]

    @staticmethod
    def of(impressions: Iterable[tuple[int, Mapping[str, Any]]], columns: Columns, periods: Periods) -> "_Shown":
        answers, hits = list[tuple[int, int, str, str, bool, bool]](), list[tuple[int, int, int, float]]()
        for shopper, told in impressions:
            time_ms = int(told["time_ms"])
            if not periods.start_ms <= time_ms < periods.end_ms:
                continue
            own = told["hits"]
            first = not own or int(own[0]["position"]) == 0
            search = bool(told["query"].strip()) and first and not told.get("filtered")
            for hit in own:
                if (row := columns.row_of.get(hit["product"])) is not None:
                    hits.append((len(answers), row, int(hit["position"]), float(hit["score"])))
            answers.append(
                (shopper, time_ms, str(told.get("id", "")), told["surface"], search, int(told["total"]) == 0)
            )
        times_ms = np.array([answer[1] for answer in answers], np.int64)
        return _Shown(
            np.array([answer[0] for answer in answers], np.int64), times_ms, periods.of(times_ms),
            tuple(answer[2] for answer in answers), tuple(answer[3] for answer in answers),
            np.array([answer[4] for answer in answers], np.bool_),
            np.array([answer[5] for answer in answers], np.bool_),
            np.array([hit[0] for hit in hits], np.int64), np.array([hit[1] for hit in hits], np.int64),
            np.array([hit[2] for hit in hits], np.int64), np.array([hit[3] for hit in hits], np.float64),
        )  # fmt: skip
