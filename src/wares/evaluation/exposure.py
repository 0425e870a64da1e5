"""How new products fare on a surface that explores: what they were shown, what came of it, and what it cost.

The log says of every hit how likely it was to stand where it stood. So it can be told what the same pages would have
brought without exploration (inverse propensity scoring of each place; Horvitz and Thompson 1952): hits in the place
that they have by themselves count 1 / their chance, all others not at all.
"""

import math
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.log import EventBlock
from wares.evaluation.attribution import chosen_lines
from wares.evaluation.examination import Shown, examination_from_swaps
from wares.evaluation.intervals import Floats, Interval
from wares.evaluation.satisfaction import CHOSEN, DAY_MS, LEAST, WINDOW_MS
from wares.evaluation.variants import Group
from wares.policies.exploration import Exposures, deepest_categories

DEPTH = 24  # places whose chance of being looked at is estimated
_CATEGORY_LOOKS = 50.0  # looks' worth of the shop's rate that every category's rate starts with
_LEAST_RATE = 0.001

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lines:
    """n hits as they were shown on one surface, by a shopper each. `staying` (n,): how likely the hit was to stand in
    the place that it has by itself, 0 = it stands in another one."""

    surface: str
    products: tuple[str, ...]  # (n,)
    shoppers: NDArray[np.int64]
    pages: NDArray[np.int64]  # the impression of each, from 0
    positions: NDArray[np.int64]  # from 0
    explored: Bools
    staying: Floats
    chosen: Bools
    looks: Floats  # how likely the place was looked at; 1 where that is not known
    curve_known: bool = False

    def __len__(self) -> int:
        return len(self.products)


@dataclass(frozen=True)
class Exposed:
    """One surface. `slots` are the hits at the places that exploration may give away, `new` those of new products.
    The rates are useful clicks per hit: of what exploration brought up, and of what else stood at these places, weighed
    alike. `clicks`: useful clicks of a page as it was, and as it would have been without exploration."""

    surface: str
    pages: int
    shoppers: int
    slots: int
    new: int
    explored: int
    products: int  # new ones that were shown
    wanted: float  # the setting: share
    explored_rate: Interval
    other_rate: Interval
    clicks: Interval
    clicks_without: Interval
    curve_known: bool

    @property
    def share(self) -> float:
        return self.new / self.slots if self.slots else math.nan

    def to_dict(self) -> dict[str, Any]:
        """Plain values; nan as None."""
        return {
            "surface": self.surface,
            "pages": self.pages,
            "shoppers": self.shoppers,
            "slots": self.slots,
            "new": self.new,
            "explored": self.explored,
            "new_products": self.products,
            "share_wanted": self.wanted,
            "share": _plain(self.share),
            "explored_share": _plain(self.explored / self.slots if self.slots else math.nan),
            "clicks_per_explored_hit": _three(self.explored_rate),
            "clicks_per_other_hit": _three(self.other_rate),
            "clicks_per_page": _three(self.clicks),
            "clicks_per_page_without": _three(self.clicks_without),
            "places_are_known": self.curve_known,
        }


def lines_of(
    surface: str,
    answers: Iterable[tuple[int, Mapping[str, Any]]],
    block: EventBlock,
    columns: Columns,
    named: Mapping[int, str] | None = None,
) -> Lines:
    """The hits of one surface's answers to shoppers with an id, each with whether it was chosen."""
    known, products, names = dict[str, str](), list[str](), list[str]()  # known: each id once in memory
    numbers, staying, explored = array("q"), array("d"), array("b")
    of_line, places, likely = array("q"), array("q"), array("d")  # the chances, one by one
    pages = 0
    for shopper, impression in answers:
        if impression["surface"] != surface or shopper < 0:
            continue
        name = str(impression.get("id", ""))
        for hit in impression["hits"]:
            if (row := columns.row_of.get(hit["product"])) is None or hit.get("team"):
                continue
            position, chances = int(hit["position"]), hit.get("chances", {})
            own = next(iter(chances), str(position))  # the place that it has by itself comes first
            staying.append(float(chances.get(own, 1.0)) if int(own) == position else 0.0)
            for place, chance in chances.items():
                of_line.append(len(products))
                places.append(int(place))
                likely.append(chance)
            products.append(known.setdefault(hit["product"], hit["product"]))
            names.append(name)
            explored.append(bool(hit.get("explored")))
            numbers.extend((shopper, int(columns.groups[row]), int(impression["time_ms"]), position, pages))
        pages += 1
    table = np.array(numbers, np.int64).reshape(-1, 5)
    shown = table[:, 0], table[:, 1], table[:, 2]
    chosen = chosen_lines(shown, names, block, columns, kinds=CHOSEN, window_ms=WINDOW_MS, named=named)
    drawn = np.array(of_line, np.int64), np.array(places, np.int64), np.array(likely)
    looks, is_known = _looks(drawn, table[:, 1], table[:, 3], chosen)
    return Lines(
        surface, tuple(products), table[:, 0], table[:, 4], table[:, 3],
        np.array(explored, np.bool_), np.array(staying), chosen, looks, is_known,
    )  # fmt: skip


def exposures_of(several: Iterable[Lines], columns: Columns) -> Exposures:
    """What exploration goes by: times shown, looks and useful clicks of each product, and the rate of each category."""
    of = dict[str, tuple[float, float, float]]()
    for lines in several:
        for product, looks, chosen in zip(lines.products, lines.looks.tolist(), lines.chosen.tolist(), strict=True):
            shown, looked, clicked = of.get(product, (0.0, 0.0, 0.0))
            of[product] = (shown + 1, looked + looks, clicked + chosen)
    counts = np.array(list(of.values())).reshape(-1, 3)
    looks, clicks = float(counts[:, 1].sum()), float(counts[:, 2].sum())
    rate = max(clicks / looks, _LEAST_RATE) if looks else Exposures().rates[""]
    rates = {"": rate}
    rows = np.array([columns.row_of[product] for product in of], np.int32)
    names = np.array(deepest_categories(columns, rows), dtype=np.str_)
    for name in sorted(set(names.tolist()) - {""}):
        own = names == name
        rates[name] = (counts[own, 2].sum() + _CATEGORY_LOOKS * rate) / (counts[own, 1].sum() + _CATEGORY_LOOKS)
    return Exposures(of, {name: min(float(value), 0.9) for name, value in rates.items()})


def exposed(lines: Lines, is_new: Bools, first: int, last: int, wanted: float) -> Exposed:
    """The figures of a surface. `is_new` (n,) of each line; `first` .. `last` are exploration's places, from 1."""
    at = (lines.positions >= first - 1) & (lines.positions < last)
    brought, others = at & lines.explored, at & ~lines.explored
    weight = np.zeros(len(lines))
    weight[brought] = 1.0
    by_place = np.bincount(lines.positions[brought], minlength=last)[:last].astype(np.float64)
    stood = np.bincount(lines.positions[others], minlength=last)[:last]
    weight[others] = (by_place / np.maximum(stood, 1))[lines.positions[others]]
    whose = np.unique(lines.shoppers, return_inverse=True)[1]
    pages = np.unique(np.stack([whose, lines.pages]), axis=1)[0] if len(lines) else np.empty(0, np.intp)
    n = int(whose.max(initial=-1)) + 1
    of_shopper = np.bincount(pages, minlength=n).astype(np.float64)
    without = np.divide(lines.chosen, lines.staying, out=np.zeros(len(lines)), where=lines.staying > 0)

    def by_shopper(values: Floats, of: NDArray[np.intp]) -> Floats:
        return np.bincount(of, values, minlength=n).astype(np.float64)

    def rate(of: Bools) -> Interval:
        return _interval(by_shopper((weight * lines.chosen)[of], whose[of]), by_shopper(weight[of], whose[of]))

    return Exposed(
        lines.surface,
        len(pages),
        n,
        int(at.sum()),
        int((at & is_new).sum()),
        int(brought.sum()),
        len({lines.products[i] for i in np.flatnonzero(is_new).tolist()}),
        wanted,
        rate(brought),
        rate(others),
        _interval(by_shopper(lines.chosen.astype(np.float64), whose), of_shopper),
        _interval(by_shopper(without, whose), of_shopper),
        lines.curve_known,
    )


def new_lines(lines: Lines, columns: Columns, exposures: Exposures, now_ms: int, days: float, shown: int) -> Bools:
    """(n,) whether each line's product is new by these settings, as of now."""
    rows = np.array([columns.row_of[product] for product in lines.products], np.int32)
    published = columns.numbers["published"][rows]
    is_new: Bools = (published <= now_ms) & (published > now_ms - days * DAY_MS)
    if shown:
        times = np.array([exposures.of.get(product, (0.0,))[0] for product in lines.products])
        is_new = is_new | (times < shown)
    return is_new


def _looks(
    drawn: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
    groups: NDArray[np.int64],
    positions: NDArray[np.int64],
    chosen: Bools,
) -> tuple[Floats, bool]:
    """(n,) how likely each place was looked at against the first that chance gives away, from hits that it moved; 1 for
    all where these are too few. `drawn`: a line, a place and its chance each."""
    lines, places, likely = drawn
    near = places < DEPTH
    lines, places, likely = lines[near], places[near], likely[near]
    if not len(lines):
        return np.ones(len(positions)), False
    begins = int(places.min())
    at, line = np.unique(lines, return_inverse=True)
    chances = np.zeros((len(at), DEPTH - begins), np.float32)
    chances[line, places - begins] = likely
    stood = positions[at] - begins
    near = (stood >= 0) & (stood < DEPTH - begins)
    no_features = np.empty((int(near.sum()), 0), np.float32)
    shown = Shown(groups[at][near], stood[near], chosen[at][near], chances[near], no_features)
    if (examination := examination_from_swaps(shown)) is None:
        return np.ones(len(positions)), False
    return np.clip(examination.at(np.maximum(positions - begins, 0)), 0.01, 1.0), True


def _interval(sums: Floats, counts: Floats) -> Interval:
    """The ratio with its 95% interval by shopper, where enough took part."""
    own = counts > 0
    if not own.any():
        return Interval(math.nan)
    group = Group.of(sums[own], counts[own])
    return group.interval() if own.sum() >= LEAST else Interval(group.mean)


def _three(value: Interval) -> dict[str, float | None]:
    return {"mean": _plain(value.mean), "low": _plain(value.low), "high": _plain(value.high)}


def _plain(number: float) -> float | None:
    return round(number, 6) if math.isfinite(number) else None
