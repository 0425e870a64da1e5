"""Has the data moved since the last import? The population stability index of each distribution, beside chance.

PSI = sum over bins of (now - before) ln(now / before), of shares. From 0.1 on something moved, from 0.25 on much:
Siddiqi, Credit Risk Scorecards (2006). Were both imports drawn from one source, PSI / (1/n + 1/m) would be nearly
chi-squared with one degree of freedom less than there are bins: Yurdakul (2018). Below its 99% point lies chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wares.feeds.counts import Spread, quantile_bin
from wares.feeds.profile import Profile

SOME, MUCH = 0.1, 0.25
NAMES = 20  # most frequent names of the earlier import that have a bin of their own
DECILES = tuple(i / 10 for i in range(1, 10))
_Z_99 = 2.3263478740408408  # of the normal distribution


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one distribution moved; `by_chance` is what its index may be where nothing has changed.

    `before` and `now` say it in words: a median, a share.
    """

    what: str
    psi: float
    by_chance: float
    before: str
    now: str

    @property
    def verdict(self) -> Literal["steady", "moved", "moved much"]:
        if self.psi < SOME or self.psi <= self.by_chance:
            return "steady"
        return "moved" if self.psi < MUCH else "moved much"


def drifts(before: Profile, now: Profile) -> tuple[Drift, ...]:
    """Of everything that both profiles have, the farthest moved first. Days are not compared: they always move on."""
    found = [_of_missing(name, before, now) for name in now.missing if name in before.missing]
    for name, spread in now.spreads.items():
        earlier = before.spreads.get(name)
        if earlier is not None and earlier.scale == spread.scale != "day" and earlier.total and spread.total:
            found.append(_of_spread(name, earlier, spread))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.psi))


def stability_index(before: Sequence[int], now: Sequence[int]) -> float:
    """Of counts in the same bins, (b,) each. Half a row is added to each, so that an empty bin is not infinitely far.

    >>> round(stability_index([50, 50], [50, 50]), 6)
    0.0
    """
    whole_before, whole_now = sum(before) + len(before) / 2, sum(now) + len(now) / 2
    shares = [((b + 0.5) / whole_before, (n + 0.5) / whole_now) for b, n in zip(before, now, strict=True)]
    return sum((n - b) * math.log(n / b) for b, n in shares)


def by_chance(rows_before: int, rows_now: int, bins: int) -> float:
    """What the index stays below in 99 of 100 imports of one source (chi-squared by Wilson and Hilferty, 1931)."""
    free = bins - 1
    if free < 1 or not rows_before or not rows_now:
        return math.inf
    part = 2 / (9 * free)
    chi_squared = free * (1 - part + _Z_99 * math.sqrt(part)) ** 3
    return (1 / rows_before + 1 / rows_now) * chi_squared


def _of_missing(name: str, before: Profile, now: Profile) -> Drift | None:
    (missed, rows_before), (misses, rows_now) = before.missing[name], now.missing[name]
    if not rows_before or not rows_now:
        return None
    index = stability_index([missed, rows_before - missed], [misses, rows_now - misses])
    shares = f"{missed / rows_before:.1%}", f"{misses / rows_now:.1%}"
    return Drift(f"missing: {name}", index, by_chance(rows_before, rows_now, 2), *shares)


def _of_spread(name: str, before: Spread, now: Spread) -> Drift:
    if before.scale == "size":
        edges = sorted({quantile_bin(before.counts, share) for share in DECILES})
        counted = [_in_bins(spread.counts, edges) for spread in (before, now)]
        told = [f"median {spread.quantile(0.5):,.{2 if spread.unit else 0}f}" for spread in (before, now)]
    else:
        names = sorted(before.counts, key=lambda one: (-before.counts[one], one))[:NAMES]
        own = [[spread.counts.get(one, 0) for one in names] for spread in (before, now)]
        rest = [spread.total - sum(counts) for spread, counts in zip((before, now), own, strict=True)]
        counted = [[*counts, others] if any(rest) else counts for counts, others in zip(own, rest, strict=True)]
        told = [_first_of(spread) for spread in (before, now)]
    chance = by_chance(before.total, now.total, len(counted[0]))
    return Drift(name, stability_index(*counted), chance, *told)


def _in_bins(counts: Mapping[int, int], edges: Sequence[int]) -> list[int]:
    """(edges + 1,): how many sizes lie at or below each edge and above the one before; the last: above all."""
    found = [0] * (len(edges) + 1)
    for place, n in counts.items():
        found[next((i for i, edge in enumerate(edges) if place <= edge), len(edges))] += n
    return found


def _first_of(spread: Spread) -> str:
    """The most frequent name and its share."""
    name = min(spread.counts, key=lambda one: (-spread.counts[one], one), default="")
    return f"{name}: {spread.counts.get(name, 0) / spread.total:.1%}"
