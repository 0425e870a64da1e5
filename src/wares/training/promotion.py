"""Is what a training made to serve? Only if it is whole and about as good as what serves; else it is kept aside.

`decide` is the rule, pure: figures in, reasons against it out. `consider` gets the figures and writes the report.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wares.contracts import Encoder
from wares.engine.learnt import SNAPSHOTS, current_snapshot
from wares.engine.settings import Settings
from wares.engine.shelf import held_at
from wares.engine.snapshot import Snapshot
from wares.errors import WaresError
from wares.evaluation.intervals import Interval, paired_difference
from wares.store.sqlite import Store
from wares.training.comparison import (
    COLD_K,
    LEAST,
    Both,
    Comparison,
    K,
    Pair,
    Refit,
    compare,
    few_histories,
    fitted_anew,
    goes_dark,
)
from wares.training.progress import Tell, silent

_SEED = 0
_DAMAGED_BELOW = 0.5  # of what its own recipe reaches without the answers that it has seen


@dataclass(frozen=True, slots=True)
class Guard:
    """A figure that must not get much worse, whatever recall says."""

    name: str
    figures: Pair
    unit: str = ""
    more_is_better: bool = True

    @property
    def change(self) -> float:
        """How much better the new snapshot is, as a share of the old figure; below 0 = worse."""
        old, new = self.figures.serving, self.figures.candidate
        if old == new:
            return 0.0
        change = (new - old) / old if old else math.inf
        return change if self.more_is_better else -change


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why`: what speaks against the new snapshot where it is kept aside, else why it serves. `report`: plain values
    for JSON."""

    promoted: bool
    why: tuple[str, ...]
    report: Mapping[str, Any]

    def against(self, reason: str) -> "Verdict":
        """The same, kept aside for one more reason."""
        why = (reason,) if self.promoted else (*self.why, reason)
        return replace(self, promoted=False, why=why, report={**self.report, "promoted": False, "why": list(why)})


def decide(
    difference: Interval, serving: float, guards: Sequence[Guard], margin: float, guardrail: float
) -> tuple[str, ...]:
    """What speaks against a snapshot; () = nothing. `difference` is its recall less that of the serving one, paired.

    >>> decide(Interval(0.0, -0.0004, 0.0004), 0.05, [Guard("coverage", Pair(100, 96))], 0.01, 0.05)
    ()
    >>> decide(Interval(0.0, -0.0006, 0.0006), 0.05, [Guard("coverage", Pair(100, 94))], 0.01, 0.05)[1]
    'coverage gets 6.0% worse (from 100 to 94; 5% are allowed)'
    """
    against = []
    allowed = -margin * serving
    if not difference.low >= allowed:  # nan is no proof
        against.append(
            f"recall@{K} may be too much worse: the difference is {difference.mean:+.4f} with a 95% interval from "
            f"{difference.low:+.4f} to {difference.high:+.4f}; down to {allowed:+.4f} is allowed"
        )
    for guard in guards:
        if not guard.change >= -guardrail:
            old, new = (f"{figure:.4g}{guard.unit}" for figure in (guard.figures.serving, guard.figures.candidate))
            against.append(
                f"{guard.name} gets {-guard.change:.1%} worse (from {old} to {new}; {guardrail:.0%} are allowed)"
            )
    return tuple(against)


def consider(
    candidate: Snapshot,
    folder: Path,
    store: Store,
    settings: Settings,
    encoder: Encoder | None,
    tell: Tell = silent,
    *,
    refit: Refit = fitted_anew,
) -> Verdict:
    """Compare a new snapshot with the one that serves, where there is one, and decide."""
    started = time.perf_counter()
    report: dict[str, Any] = {"snapshot": candidate.name, "serving": "", "compared": False}
    against, good = faults(candidate), ""
    if held := held_at(folder / SNAPSHOTS):
        against.append(f"the shop went back to {held} by hand, and stays there until a snapshot is promoted by hand")
    try:
        serving, _ = current_snapshot(folder, settings)
        report["serving"] = serving.name
        if not against and not (good := _spared(serving, settings)):
            both = Both(serving, candidate, folder, store, settings, encoder)
            if found := compare(both, tell=tell, refit=refit, seed=_SEED):
                good = f"about as good as {serving.name} or better"
                figures, against = _judged(found, settings)
                report |= {"compared": True, **figures}
            elif goes_dark(both):
                against.append(f"its home page is empty where that of {serving.name} is not")
            else:
                good = f"not compared with {serving.name}: fewer than {LEAST} shoppers could be asked"
    except WaresError as error:
        against.append(f"it could not be compared: {error}")
    why = tuple(against) if against else (good,)
    report |= {"promoted": not against, "why": list(why), "seconds": round(time.perf_counter() - started, 1)}
    return Verdict(not against, why, report)


def faults(snapshot: Snapshot) -> list[str]:
    """What is broken in what was learnt: scores that are no numbers, for nobody or for the busiest shoppers."""
    asked = few_histories(snapshot)
    now_ms = int(snapshot.facts.get("made_ms", 0))
    found = []
    for name, model in snapshot.models.items():
        if not all(np.isfinite(model.score(history, now_ms)).all() for history in asked):
            found.append(f"the model {name} is damaged: some of its scores are no numbers")
    return found


def _spared(serving: Snapshot, settings: Settings) -> str:
    """Why a new snapshot serves without a comparison; "" = it does not."""
    if not serving.name:
        return "the first snapshot of this shop"
    if not serving.models or not len(serving.interactions.events):
        return f"not compared: {serving.name} had learnt nothing from behaviour"
    return "" if settings.promotion.compare else "not compared: the settings say so"


def _judged(found: Comparison, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """The report's figures, and what speaks against the new snapshot."""
    margin, guardrail = settings.promotion.margin, settings.promotion.guardrail
    difference = paired_difference(found.candidate, found.serving, np.random.default_rng(_SEED))
    recall = Pair(float(found.serving.mean()), float(found.candidate.mean()))
    guards = [
        Guard("coverage", found.coverage, " hits"),
        Guard("time of a page", found.latency_ms, " ms", more_is_better=False),
    ]
    if found.cold is not None:
        guards.append(Guard("recall of new products", found.cold))
    against = list(decide(difference, recall.serving, guards, margin, guardrail))
    made, same = float(found.made.mean()), float(found.candidate[: len(found.made)].mean())
    if made < _DAMAGED_BELOW * same:
        against.append(
            f"it is damaged: as it was made it answers less than half as well as the same models fitted anew "
            f"(recall@{K} {made:.4f} against {same:.4f}), although it has seen these answers"
        )
    figures = {
        "how": found.how,
        "cut_ms": found.cut_ms,
        "questions": len(found.serving),
        "seed": _SEED,
        "margin": margin,
        "guardrail": guardrail,
        f"recall@{K}": _plain(recall) | {"difference": difference.mean, "low": difference.low, "high": difference.high},
        f"recall@{K} as made": made,
        "guardrails": {
            guard.name: _plain(guard.figures) | {"unit": guard.unit.strip(), "change": guard.change} for guard in guards
        },
        "cold_questions": found.cold_questions,
        "cold_k": COLD_K,
        "left_out": list(found.left_out),
    }
    return _finite(figures), against


def _plain(pair: Pair) -> dict[str, float]:
    return {"serving": pair.serving, "candidate": pair.candidate}


def _finite(value: Any) -> Any:
    """The same with None for what JSON cannot say."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
