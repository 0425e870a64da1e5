"""What an experiment has shown so far: each variant's figures, what differs from control, and whether that is certain.

Answers count from the start for the planned number of days, whenever one looks: the horizon is fixed, and before it is
over nothing is called a winner. A shopper who was met under two ids, and so in two variants, counts for the first. The
guardrails are looked at all the time; their bounds hold at all moments, for all guardrails and variants together.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.shopper import KIND_CODES
from wares.engine.experiments.book import Experiment
from wares.engine.experiments.settings import CONTROL, INTERLEAVE, MEASURES
from wares.evaluation.interleaved import Preference, credits_of, preference_of
from wares.evaluation.intervals import Floats, Interval
from wares.evaluation.satisfaction import BOUGHT_MS, DAY_MS, LEAST, asks_of, outcomes
from wares.evaluation.variants import Difference, Group, compared, mismatch

Longs = NDArray[np.int64]
LATENCY = "latency"  # mean ms of an answer
FIGURES = (*MEASURES, LATENCY)
LOWER_IS_BETTER = ("abandoned", "empty", "seconds", LATENCY)
PAST_DAYS = 28  # before the start: what shoppers did then foretells some of what they do now
SURE_MISMATCH = 0.001
LEAST_GUARDED = 100  # shoppers of each variant before a guardrail can be surely broken


@dataclass(frozen=True)
class Outcome:
    """One variant: its shoppers and answers, its figures and what differs from control ({} for control itself)."""

    name: str
    share: float
    shoppers: int
    asks: int
    figures: Mapping[str, Interval]
    differences: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """`broken` says in a sentence which guardrail is surely broken, "" = none. `level` is that of each interval, so
    that all variants together are wrong in 5 of 100 experiments. `met_two` shoppers were met in several variants."""

    experiment: Experiment
    outcomes: tuple[Outcome, ...]
    mismatch: float
    verdict: str
    says: str
    broken: str = ""
    level: float = 0.95
    met_two: int = 0
    preference: Preference | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values; nan as None."""
        told = self.experiment.to_dict() | {
            "verdict": self.verdict,
            "says": self.says,
            "broken": self.broken,
            "mismatch_p": _plain(self.mismatch),
            "shoppers_in_two": self.met_two,
            "level": round(self.level, 6),
            "variants": [
                {
                    "name": each.name,
                    "share": round(each.share, 6),
                    "shoppers": each.shoppers,
                    "answers": each.asks,
                    "figures": {name: _three(value) for name, value in each.figures.items()},
                    "differences": {name: _three(value) for name, value in each.differences.items()},
                }
                for each in self.outcomes
            ],
        }
        if (found := self.preference) is not None:
            told["preference"] = {
                "wins": found.wins,
                "losses": found.losses,
                "ties": found.ties,
                "share": _three(found.share),
                "p": _plain(found.p),
                "clicks": _three(found.clicks),
            }
        return told


@dataclass(frozen=True)
class Table:
    """s shoppers of one experiment: which variant (an index, control = 0), and of each figure their sum and count."""

    variants: tuple[str, ...]
    of: Floats  # (s,)
    sums: Floats  # (s, figures)
    counts: Floats
    past: Floats  # (s,) of the time before the experiment
    asks: Floats  # (s,)
    met_two: int = 0

    def group(self, variant: int, figure: str) -> Group:
        own, j = self.of == variant, FIGURES.index(figure)
        return Group.of(self.sums[own, j], self.counts[own, j])

    def differs(self, variant: int, figure: str, factor: float = 1.0) -> Difference:
        """This variant's figure less `factor` times control's, freed of what the past foretells."""
        past = self.past[self.of == 0], self.past[self.of == variant]
        return compared(self.group(0, figure), self.group(variant, figure), past, factor=factor)


def read_experiment_log(
    experiment: Experiment,
    shown: Iterable[tuple[int, Mapping[str, Any]]],
    block: EventBlock,
    columns: Columns,
    now: datetime,
    named: Mapping[int, str] | None = None,
    scale: int = 100,
) -> Reading:
    """From impressions with their shoppers' keys, in order of time, and all events. `scale`: how many of the currency's
    smallest units make one."""
    own = _own(experiment, shown)
    if experiment.file.kind == INTERLEAVE:
        return _interleaved(experiment, own, block, columns, now, named)
    return reading_of(experiment, table_of(experiment, own, block, columns, named, scale), now)


def table_of(
    experiment: Experiment,
    own: Iterable[tuple[int, Mapping[str, Any]]],
    block: EventBlock,
    columns: Columns,
    named: Mapping[int, str] | None = None,
    scale: int = 100,
) -> Table:
    """What became of the experiment's answers, by shopper."""
    variants = tuple(experiment.file.shares)
    first, since, two = dict[int, int](), dict[int, int](), set[int]()
    waited = dict[int, list[float]]()

    def noted() -> Iterator[tuple[int, Mapping[str, Any]]]:
        for shopper, impression in own:
            variant = variants.index(impression["variant"])
            if first.setdefault(shopper, variant) != variant:
                two.add(shopper)
            since.setdefault(shopper, int(impression["time_ms"]))
            waited.setdefault(shopper, []).append(float(impression.get("took_ms", math.nan)))
            yield shopper, impression

    asks = asks_of(noted(), columns)
    found = dict(outcomes(asks, block, columns, named))
    looked = _only(block, (EventKind.CLICK, EventKind.VIEW))
    found["clicked"] = outcomes(asks, looked, columns, named)["success"]
    found["empty"] = asks.empty.astype(np.float64)
    found["abandoned"] = np.where(asks.empty, np.nan, 1 - found["success"])
    shoppers, place = np.unique(asks.shoppers, return_inverse=True)
    s = len(shoppers)
    sums, counts = np.zeros((s, len(FIGURES))), np.zeros((s, len(FIGURES)))
    for j, name in enumerate(FIGURES):
        if name in found:
            known = ~np.isnan(found[name])
            sums[:, j] = np.bincount(place[known], found[name][known], minlength=s)
            counts[:, j] = np.bincount(place[known], minlength=s)
    took = [np.array(waited[shopper]) for shopper in shoppers.tolist()]
    sums[:, FIGURES.index(LATENCY)] = [np.nansum(times) for times in took]
    counts[:, FIGURES.index(LATENCY)] = [np.sum(~np.isnan(times)) for times in took]
    begins = np.array([since[shopper] for shopper in shoppers.tolist()], np.int64)
    sums[:, FIGURES.index("revenue")] = _revenue(shoppers, begins, _ms(experiment.ends) + BOUGHT_MS, block) / scale
    counts[:, FIGURES.index("revenue")] = 1
    of = np.array([first[shopper] for shopper in shoppers.tolist()], np.float64)
    past = _past(shoppers, _ms(experiment.started), block)
    return Table(variants, of, sums, counts, past, np.bincount(place, minlength=s).astype(np.float64), len(two))


def reading_of(experiment: Experiment, table: Table, now: datetime) -> Reading:
    """The figures, and what they say."""
    n_variants = len(table.variants)
    level = 1 - 0.05 / (n_variants - 1)
    found = list[Outcome]()
    shares = experiment.file.shares
    for variant, name in enumerate(table.variants):
        own = table.of == variant
        enough = own.sum() >= LEAST and (table.of == 0).sum() >= LEAST
        figures = {one: _if(enough, table.group(variant, one).interval(level)) for one in FIGURES}
        differences = {}
        if variant:
            differences = {one: _if(enough, table.differs(variant, one).interval(level)) for one in FIGURES}
        found.append(Outcome(name, shares[name], int(own.sum()), int(table.asks[own].sum()), figures, differences))
    p = mismatch(np.array([one.shoppers for one in found]), np.array([one.share for one in found]))
    broken = broken_guardrail(experiment, table)
    reading = Reading(experiment, tuple(found), p, "", "", broken, level, table.met_two)
    verdict, says = _verdict(reading, now)
    return replace(reading, verdict=verdict, says=says)


def broken_guardrail(experiment: Experiment, table: Table) -> str:
    """Which guardrail a variant has surely broken, in a sentence; "" = none. Holds however often one looks."""
    rails, alpha = experiment.file.guardrails, guard_alpha(experiment)
    for variant, name in enumerate(table.variants):
        if not variant or min((table.of == 0).sum(), (table.of == variant).sum()) < LEAST_GUARDED:
            continue
        control = {one: table.group(0, one).mean for one in FIGURES}
        own = {one: table.group(variant, one).mean for one in FIGURES}
        if rails.success < 1:
            fell = table.differs(variant, "success", 1 - rails.success)
            if fell.value + fell.reach(alpha) < 0:
                return (
                    f"success of {name} fell by more than {rails.success:.0%}: {own['success']:.1%} against "
                    f"{control['success']:.1%} of control"
                )
        if rails.empty < 1:
            rose = table.differs(variant, "empty")
            if rose.value - rose.reach(alpha) > rails.empty:
                return (
                    f"answers without a hit of {name} rose by more than {rails.empty:.1%} of all: {own['empty']:.1%} "
                    f"against {control['empty']:.1%} of control"
                )
        slower = table.differs(variant, LATENCY, 1 + rails.latency)
        if slower.value - slower.reach(alpha) > 0:
            return (
                f"answers of {name} take over {rails.latency:.0%} longer: {own[LATENCY]:.1f} ms against "
                f"{control[LATENCY]:.1f} ms of control"
            )
    return ""


def guard_alpha(experiment: Experiment) -> float:
    """How often one guardrail of one variant may be called broken where it is not, so that all of them together stop
    a harmless experiment in at most 5 of 100 (Bonferroni)."""
    rails = experiment.file.guardrails
    bounds = 1 + (rails.success < 1) + (rails.empty < 1)  # the time of an answer always has one
    return 0.05 / (bounds * len(experiment.file.others))


def _interleaved(
    experiment: Experiment,
    own: Iterable[tuple[int, Mapping[str, Any]]],
    block: EventBlock,
    columns: Columns,
    now: datetime,
    named: Mapping[int, str] | None,
) -> Reading:
    whose, found, pages = credits_of(own, block, columns, CONTROL, named)
    preference = preference_of(found)
    outcome = Outcome("interleaved", 1.0, len(whose), pages, {})
    reading = Reading(experiment, (outcome,), 1.0, "", "", preference=preference)
    verdict, says = _verdict(reading, now)
    return replace(reading, verdict=verdict, says=says)


def _verdict(reading: Reading, now: datetime) -> tuple[str, str]:
    """(a word, a sentence)"""
    one, found = reading.experiment, reading.outcomes
    if reading.mismatch < SURE_MISMATCH:
        return "mismatch", (
            f"Do not trust these figures: shoppers were not parted as planned (p = {reading.mismatch:.1g}). Something "
            "keeps some of one variant out of the log."
        )
    if not one.is_whole:
        said = f"It was stopped by {one.stopped_by} before its time, so nothing is called a winner. {one.why}"
        return "stopped", said.strip()
    if now < ripe(one):
        left = (ripe(one) - now).total_seconds() / 86_400
        return "too early", (
            f"Answers count until {one.ends:%Y-%m-%d %H:%M} UTC, and a day later it is known what came of them: in "
            f"{left:.1f} days. Before that nothing is called a winner."
        )
    if one.file.kind == INTERLEAVE:
        return _preferred(reading)
    if min(outcome.shoppers for outcome in found) < LEAST:
        return "too few", f"Fewer than {LEAST} shoppers in a variant: nothing can be said."
    measure, sign = one.file.measure, -1 if one.file.measure in LOWER_IS_BETTER else 1
    worth_of = {
        outcome.name: sign * (1 if gain.above_zero else -1 if gain.below_zero else 0)
        for outcome in found[1:]
        for gain in [outcome.differences[measure]]
    }
    better = [name for name, worth in worth_of.items() if worth > 0]
    if better:
        best = max(better, key=lambda name: sign * _of(found, name).differences[measure].mean)
        return "better", f"{best} is better than control in {measure}."
    worse = [name for name, worth in worth_of.items() if worth < 0]
    if len(worse) == len(worth_of):
        return "worse", f"{', '.join(worse)}: worse than control in {measure}."
    return "no difference", f"No difference in {measure} was found; a smaller one than the interval may be there."


def ripe(experiment: Experiment) -> datetime:
    """When it is known what came of its last answers."""
    return experiment.ends + timedelta(milliseconds=BOUGHT_MS)


def _preferred(reading: Reading) -> tuple[str, str]:
    found = reading.preference
    other = next(iter(reading.experiment.file.others))
    if found is None or found.wins + found.losses < LEAST:
        return "too few", f"Fewer than {LEAST} shoppers preferred one of the two: nothing can be said."
    if found.p >= 0.05:
        return "no difference", "Shoppers' clicks prefer neither of the two."
    if found.wins > found.losses:
        return "better", f"Shoppers' clicks prefer {other} to control."
    return "worse", f"Shoppers' clicks prefer control to {other}."


def _own(
    experiment: Experiment, shown: Iterable[tuple[int, Mapping[str, Any]]]
) -> Iterable[tuple[int, Mapping[str, Any]]]:
    ends_ms = _ms(experiment.ends)
    for shopper, impression in shown:
        if impression.get("experiment") == experiment.name and impression["time_ms"] < ends_ms and shopper >= 0:
            yield shopper, impression


def _revenue(shoppers: Longs, begins: Longs, ends_ms: int, block: EventBlock) -> Floats:
    """(s,) what each spent from their first answer on, in smallest units; refunds taken off."""
    signs = {KIND_CODES[EventKind.PURCHASE]: 1.0, KIND_CODES[EventKind.REFUND]: -1.0}
    paid = np.zeros(len(shoppers))
    meant = np.isin(block.kinds, list(signs)) & np.isin(block.shopper_keys, shoppers) & (block.times_ms < ends_ms)
    at = np.flatnonzero(meant & ~np.isnan(block.values_minor))
    whose = np.searchsorted(shoppers, block.shopper_keys[at])
    at, whose = at[block.times_ms[at] >= begins[whose]], whose[block.times_ms[at] >= begins[whose]]
    sign = np.array([signs[int(kind)] for kind in block.kinds[at]])
    np.add.at(paid, whose, sign * np.abs(block.values_minor[at]))
    return paid


def _past(shoppers: Longs, start_ms: int, block: EventBlock) -> Floats:
    """(s,) log of 1 + the events of each in the weeks before the start."""
    before = (block.times_ms < start_ms) & (block.times_ms >= start_ms - PAST_DAYS * DAY_MS)
    whose = block.shopper_keys[before & np.isin(block.shopper_keys, shoppers)]
    past: Floats = np.log1p(np.bincount(np.searchsorted(shoppers, whose), minlength=len(shoppers)))
    return past


def _only(block: EventBlock, kinds: tuple[EventKind, ...]) -> EventBlock:
    """The events of these kinds, without their words."""
    own = np.isin(block.kinds, [KIND_CODES[kind] for kind in kinds])
    arrays = {
        name: getattr(block, name)[own]
        for name in (
            *("seqs", "times_ms", "kinds", "shopper_keys"),
            *("product_keys", "quantities", "values_minor", "basket_keys"),
        )
    }
    return replace(block, **arrays, queries={})


def _of(found: tuple[Outcome, ...], name: str) -> Outcome:
    return next(one for one in found if one.name == name)


def _if(enough: bool, value: Interval) -> Interval:
    return value if enough else Interval(value.mean)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _three(value: Interval) -> dict[str, float | None]:
    return {"mean": _plain(value.mean), "low": _plain(value.low), "high": _plain(value.high)}


def _plain(number: float) -> float | None:
    return round(number, 6) if math.isfinite(number) else None
