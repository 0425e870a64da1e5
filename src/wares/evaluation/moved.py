"""Has a shop's world moved? The last period beside the ones before it: shares and levels, and whole distributions.

A *share* or a *level* has moved where it lies outside of what the earlier periods make likely: their mean, plus or
minus Student's t (99.9%, on either side) times their own standard deviation, widened for the mean's own error. So weeks
that always go up and down raise no alarm, nor do customers who come in crowds. Where the earlier periods of a share
differ no more than chance lets them (chi-squared), the binomial's standard deviation takes that place, and less is seen
sooner. A *distribution* has moved by its population stability index (Siddiqi 2006: from 0.1 on some, from 0.25 on
much), where that is half as much again as chance (99%, Yurdakul 2018), and as what any earlier period shows beside the
others. KS is the largest distance of both cumulated shares.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from wares.feeds.drift import MUCH, NAMES, SOME, by_chance, stability_index

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Verdict = Literal["steady", "moved", "alarm", "too few"]
LEAST_PERIODS = 4  # three that say what is usual, and the last
LEAST_ROWS = 50  # in a period, below which nothing is said of it
_SURE = 0.999  # some 15 things are watched at once, and one false alarm a season is enough
_LEAST_CHANGE = 0.1  # of the usual value: less is nobody's trouble, however sure it is
_LEAST_POINTS = 0.005  # of a share
_ALIKE = 0.2  # chance of such different periods, above which they differ by chance alone
_FAR = 1.5  # times what is usual of an index
_TWICE = 2.0  # a share that is so many times outside of what is usual is an alarm


@dataclass(frozen=True)
class Shift:
    """One thing watched: `values` (p,) by period, the last is now; nan = too few rows. What is usual lies between `low`
    and `high`. Of a distribution the values are stability indices, and `before` and `now` its shares by name."""

    what: str
    unit: Literal["share", "number", "index"]
    values: Floats
    low: float
    high: float
    verdict: Verdict
    rows: int
    ks: float = math.nan
    before: Mapping[str, float] = field(default_factory=dict)
    now: Mapping[str, float] = field(default_factory=dict)

    @property
    def usual(self) -> float:
        """The mean of the earlier periods."""
        known = self.values[:-1][~np.isnan(self.values[:-1])]
        return float(known.mean()) if len(known) else math.nan


def share_shift(what: str, hits: Longs, of: Longs) -> Shift:
    """Of `hits` (p,) among `of` (p,)."""
    values = np.where(of >= LEAST_ROWS, hits / np.maximum(of, 1), np.nan)
    known = ~np.isnan(values[:-1])
    whole = of[:-1][known].sum()
    rate = (hits[:-1][known].sum() + 0.5) / (whole + 1)  # never surely 0 or 1
    noise = math.sqrt(rate * (1 - rate) / max(of[-1], 1))
    return _judged(what, "share", values, noise, int(of[-1]))


def level_shift(what: str, values: Floats, rows: int, *, least_change: float = _LEAST_CHANGE) -> Shift:
    """Of a number by period (p,); nan = not known. A change below the share `least_change` of it is none."""
    return _judged(what, "number", values.astype(np.float64), 0.0, rows, least_change)


def distribution_shift(what: str, counts: Longs, names: Sequence[str], *, ordered: bool = False) -> Shift:
    """Of `counts` (p, b) in the same bins. `ordered`: the bins are sizes, growing, so that KS means something."""
    totals = counts.sum(axis=1)
    if len(names) > NAMES + 1 and not ordered:
        counts, names = _most_frequent(counts, names)
    whole = counts[:-1].sum(axis=0)
    values = np.array(
        [_index(whole - counts[i] if i < len(counts) - 1 else whole, counts[i]) for i in range(len(counts))]
    )
    values[totals < LEAST_ROWS] = np.nan
    earlier = values[:-1][~np.isnan(values[:-1])]
    chance = by_chance(int(whole.sum()), int(totals[-1]), int((counts.sum(axis=0) > 0).sum()))
    limit = max([SOME, *(_FAR * index for index in (chance, *earlier.tolist()) if math.isfinite(index))])
    verdict: Verdict = "steady"
    if len(earlier) < LEAST_PERIODS - 1 or math.isnan(values[-1]):
        verdict = "too few"
    elif values[-1] > limit:
        verdict = "alarm" if values[-1] >= max(MUCH, limit) else "moved"
    shares = [row / max(row.sum(), 1) for row in (whole, counts[-1])]
    ks = float(np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1])).max()) if ordered else math.nan
    named = [dict(zip(names, share.tolist(), strict=True)) for share in shares]
    return Shift(what, "index", values, 0.0, limit, verdict, int(totals[-1]), ks, *named)


def deciles(values: Floats, periods: Longs, n_periods: int) -> tuple[Longs, list[str]]:
    """(p, 10) counts of sizes between the deciles of all but the last period, and what to call them; fewer bins where
    deciles are equal."""
    known = ~np.isnan(values)
    values, periods = values[known], periods[known]
    earlier = values[periods < n_periods - 1]
    if not len(earlier):
        return np.zeros((n_periods, 1), np.int64), ["all"]
    edges = np.unique(np.quantile(earlier, np.arange(1, 10) / 10))
    place = np.searchsorted(edges, values, side="left")
    told = [f"{edge:,.3g}" for edge in edges]
    names = [
        f"to {told[0]}",
        *(f"{low} to {high}" for low, high in pairwise(told)),
        f"above {told[-1]}",
    ]
    return _table(periods, place, n_periods, len(edges) + 1), names


def by_name(names: Sequence[str], periods: Longs, n_periods: int) -> tuple[Longs, list[str]]:
    """(p, names) counts and the names in order."""
    order = sorted(set(names))
    place = {name: i for i, name in enumerate(order)}
    return _table(periods, np.array([place[name] for name in names], np.int64), n_periods, len(order)), order


def count(periods: Longs, n_periods: int, where: NDArray[np.bool_] | None = None) -> Longs:
    """(p,) rows in each period; those below 0 are in none."""
    own = periods >= 0 if where is None else (periods >= 0) & where
    return np.bincount(periods[own], minlength=n_periods).astype(np.int64)


def distinct_among(counts: Longs, draws: int) -> float:
    """How many different ones are expected among `draws` at random, with replacement, of rows with these counts: so
    that periods with many rows and with few can be compared (Hurlbert 1971).

    >>> round(distinct_among(np.array([50, 50]), 2), 2)
    1.5
    """
    total = counts.sum()
    return float((1 - (1 - counts / total) ** draws).sum()) if total and draws else math.nan


def _judged(
    what: str,
    unit: Literal["share", "number"],
    values: Floats,
    noise: float,
    rows: int,
    least_change: float = _LEAST_CHANGE,
) -> Shift:
    earlier, now = values[:-1][~np.isnan(values[:-1])], values[-1]
    if len(earlier) < LEAST_PERIODS - 1 or math.isnan(now):
        return Shift(what, unit, values, math.nan, math.nan, "too few", rows)
    mean, m = float(earlier.mean()), len(earlier)
    wide = math.sqrt(1 + 1 / m)
    spread = float(earlier.std(ddof=1))
    alike = noise > 0 and stats.chi2.sf((m - 1) * (spread / noise) ** 2, m - 1) > _ALIKE
    by_periods = 0.0 if alike else float(stats.t.ppf(_SURE, m - 1)) * spread * wide
    by_rows = float(stats.norm.ppf(_SURE)) * noise * wide
    margin = max(by_periods, by_rows, least_change * abs(mean), _LEAST_POINTS if unit == "share" else 0.0)
    low, high = max(0.0, mean - margin), mean + margin
    if unit == "share":
        high = min(1.0, high)
    outside = max(low - now, now - high)
    verdict: Verdict = "steady"
    if outside > 0:
        verdict = "alarm" if abs(now - mean) >= _TWICE * margin or now < low / 2 else "moved"
    return Shift(what, unit, values, low, high, verdict, rows)


def _index(before: Longs, now: Longs) -> float:
    used = (before + now) > 0
    return stability_index(before[used].tolist(), now[used].tolist()) if used.any() else 0.0


def _most_frequent(counts: Longs, names: Sequence[str]) -> tuple[Longs, list[str]]:
    first = np.argsort(-counts[:-1].sum(axis=0), kind="stable")[:NAMES]
    others = counts.sum(axis=1) - counts[:, first].sum(axis=1)
    return np.column_stack([counts[:, first], others]), [*(names[i] for i in first.tolist()), "all others"]


def _table(periods: Longs, places: Longs, n_periods: int, n_places: int) -> Longs:
    own = periods >= 0
    flat = np.bincount(periods[own] * n_places + places[own], minlength=n_periods * n_places)
    return flat.reshape(n_periods, n_places).astype(np.int64)
