"""The learned order of what is recommended: the declared formula, corrected by trees on the home page's own candidates
and features, kept only where it foresees what shoppers bought next better than the formula alone.

Two windows of four weeks are asked: what shoppers bought first in each is what they wanted, and what is known of them
comes before it. Trees grown on the earlier window are tried on the later one. On other shoppers of the window that they
were grown on they would look too good: they know what just then sold. Those that serve are grown on both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.cores import on_all_cores
from wares.domain.request import Request
from wares.engine.assembly import Engine
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.errors import InputError, RankerUnavailable
from wares.evaluation.intervals import paired_difference
from wares.evaluation.splits import NextBasket, split_next_basket
from wares.features.table import FeatureTable
from wares.ranking.corrected import Corrected
from wares.ranking.formula import Formula
from wares.retrieval.sources import built_in_sources
from wares.store.sqlite import Store
from wares.training.models import as_of, learn_models
from wares.training.progress import Tell, silent

SURFACE = "home"
DAYS = 28
WINDOWS = 2
LEAST_SHOPPERS = 100
_MOST_SHOPPERS = 2_500  # of a window
_ROUNDS = 200
# Chosen on windows of the groceries shop before the last (docs/decisions/0030-trees-correct-the-formula.md).
_TREES: Mapping[str, Any] = {"num_leaves": 15, "min_data_in_leaf": 200}
_SURE, _SHARE = 50, 8  # the formula's first places teach, and of the others one in so many, which stands for them all
_K = 10
_ASKING = "Asking past shoppers"
_LEARNING = "Learning the home page"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Examples:
    """The candidates of s shoppers one after the other, `sizes` (s,) of each: what the ranker sees of them (n, f), and
    which were in the basket; the baskets had `wanted` (s,) products, not all of them candidates."""

    names: tuple[str, ...]
    features: Floats
    bought: NDArray[np.bool_]
    formula: Floats  # (n,) the scores that the declared formula gives
    sizes: NDArray[np.int64]
    wanted: NDArray[np.int64]


def learn_home_order(
    snapshot: Snapshot, folder: Path, settings: Settings, store: Store, seed: int = 0, tell: Tell = silent
) -> Snapshot:
    """The snapshot with an order learnt from its own events, or without one; its facts say which and why."""
    if settings.profile(SURFACE).ranker != "learned":
        return replace(snapshot, home_order=None)
    rng = np.random.default_rng(seed)
    splits = []
    for earlier in reversed(range(WINDOWS)):
        try:
            split = split_next_basket(snapshot.interactions, DAYS, earlier)
        except InputError:
            return _told(snapshot, kept=False, why="no events")
        if len(split) < LEAST_SHOPPERS:
            few = f"fewer than {LEAST_SHOPPERS} shoppers came back in one of the last {WINDOWS} windows of {DAYS} days"
            return _told(snapshot, kept=False, why=few, shoppers=len(split))
        splits.append(split.take(np.sort(rng.permutation(len(split))[:_MOST_SHOPPERS])))
    windows = [_asked(snapshot, split, folder, settings, store, tell) for split in splits]
    formula, before = Engine(folder, settings, store, None, snapshot).formula(SURFACE), windows[:-1]
    try:
        tell(_LEARNING, 0, 2)
        tried, latest = grow(before, formula, seed), windows[-1]
        figures = _trial(latest, scored(tried, latest), rng)
        tell(_LEARNING, 1, 2)
        if not figures["gain"][1] > 0:
            tell(_LEARNING, 2, 2)
            return _told(snapshot, kept=False, why="not surely better than the formula", **figures)
        order = grow(windows, formula, seed)
        tell(_LEARNING, 2, 2)
    except RankerUnavailable as error:
        return _told(snapshot, kept=False, why=str(error))
    return replace(_told(snapshot, kept=True, **figures), home_order=order)


def _asked(
    snapshot: Snapshot, split: NextBasket, folder: Path, settings: Settings, store: Store, tell: Tell
) -> Examples:
    """What the home page would have proposed at the cut, everything learnt from what came before it."""
    models, _ = learn_models(
        _needed(settings), split.train, snapshot.columns, snapshot.vectors, folder, split.cut_ms, _quietly(tell)
    )
    return gather(as_of(split.train, snapshot, models), split, folder, settings, store, tell)


def _needed(settings: Settings) -> Settings:
    """With only those models that the home page asks; a plugin among its sources may ask any."""
    sources, models = settings.profile(SURFACE).sources, settings.models
    if set(sources) - set(built_in_sources()):
        return settings
    named = tuple(name for name in models.train if name in sources)
    return settings.model_copy(update={"models": models.model_copy(update={"train": named})})


def _trial(latest: Examples, learned: Floats, rng: np.random.Generator) -> dict[str, Any]:
    """Recall by the formula's order and by learnt scores (n,)."""
    before, after = recall(latest, latest.formula), recall(latest, learned)
    gain = paired_difference(after, before, rng)
    return {
        "shoppers": len(before),
        "recall_formula": round(float(before.mean()), 4),
        "recall_learned": round(float(after.mean()), 4),
        "gain": [round(float(value), 4) for value in (gain.mean, gain.low, gain.high)],
    }


def gather(
    past: Snapshot, split: NextBasket, folder: Path, settings: Settings, store: Store, tell: Tell = silent
) -> Examples:
    """Ask the home page of `past` for every shopper of the split, as of the cut."""
    engine = Engine(folder, settings, store, None, past)
    formula = engine.formula(SURFACE)
    histories = split.histories

    def asked(i: int) -> tuple[FeatureTable, NDArray[np.bool_], Floats]:
        _, candidates, table = engine.retrieve(Request(SURFACE, split.cut_ms), histories[i])
        return table, np.isin(candidates.rows, split.targets[i]), formula.score(table.values, table.names)

    found = []
    for done, one in enumerate(on_all_cores(asked, len(split))):
        found.append(one)
        tell(_ASKING, done + 1, len(split))
    tables, bought, scores = zip(*found, strict=True)
    return Examples(
        tables[0].names, np.concatenate([table.values for table in tables]), np.concatenate(bought),
        np.concatenate(scores), np.array([len(one) for one in bought]), np.array([len(t) for t in split.targets]),
    )  # fmt: skip


def grow(windows: Sequence[Examples], formula: Formula, seed: int) -> Corrected:
    """The formula, corrected by trees on the candidates of these windows; each shopper's count as one over the size of
    the basket, as in recall. Raises RankerUnavailable."""
    rng = np.random.default_rng(seed)
    parts = []
    for told in windows:
        sure = told.bought | (_places(told, told.formula) < _SURE)
        kept = sure | (rng.integers(_SHARE, size=len(sure)) == 0)
        weights = np.where(sure, 1, _SHARE) / np.repeat(told.wanted, told.sizes)
        parts.append((told.features[kept], told.bought[kept], weights[kept], told.formula[kept]))
    features, bought, weights, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
    names = windows[0].names
    return Corrected.learn(formula, features, bought, weights, scores, names, rounds=_ROUNDS, seed=seed, **_TREES)


def scored(order: Corrected, examples: Examples) -> Floats:
    """(n,) what the order says, request by request as it is served."""
    ends = np.cumsum(examples.sizes)[:-1]
    each = [order.score(own, examples.names) for own in np.split(examples.features, ends)]
    return np.concatenate(each)


def _places(examples: Examples, scores: Floats) -> NDArray[np.int64]:
    """(n,) the place of each candidate among its shopper's, from 0, by these scores (n,)."""
    sizes = examples.sizes
    order = np.lexsort((-scores, np.repeat(np.arange(len(sizes)), sizes)))
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return places


def recall(examples: Examples, scores: Floats) -> NDArray[np.float64]:
    """(s,) the share of each basket among the first 10 candidates by these scores (n,)."""
    found = examples.bought & (_places(examples, scores) < _K)
    owner = np.repeat(np.arange(len(examples.sizes)), examples.sizes)
    return np.bincount(owner, found, len(examples.sizes)) / examples.wanted


def _quietly(tell: Tell) -> Tell:
    """Stages of the models that only the examples need."""
    return lambda stage, done, total: tell(f"Past: {stage}", done, total)


def _told(snapshot: Snapshot, *, kept: bool, why: str = "", **figures: Any) -> Snapshot:
    order = {"kept": kept, **({"why": why} if why else {}), **figures}
    return replace(snapshot, facts={**snapshot.facts, "home_order": order}, home_order=None)
