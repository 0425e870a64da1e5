"""The learned order of what is recommended: trees on the home page's own candidates and features, kept only where they
foresee what shoppers bought next better than the formula.

What is learnt from comes before a cut, four weeks before the last event; what shoppers bought first after it is what
they wanted. No shopper is asked with trees that were grown on that shopper (two halves, each asked with the other's).
"""

from collections.abc import Mapping
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
from wares.ranking.boosted import Boosted
from wares.store.sqlite import Store
from wares.training.models import as_of, learn_models
from wares.training.progress import Tell, silent

SURFACE = "home"
DAYS = 28
LEAST_SHOPPERS = 100
_MOST_SHOPPERS = 1_000
_ROUNDS = 200
# Few leaves and a loss that looks at the first places: chosen on windows of the groceries shop before the last
# (docs/decisions/0016-the-order-of-the-home-page.md).
_TREES: Mapping[str, Any] = {
    "objective": "lambdarank", "lambdarank_truncation_level": 20, "num_leaves": 15, "min_data_in_leaf": 200,
}  # fmt: skip
_K = 10
_ASKING = "Asking past shoppers"

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

    def of(self, shoppers: NDArray[np.bool_]) -> "Examples":
        """Those of some shoppers (s,)."""
        kept = np.repeat(shoppers, self.sizes)
        return Examples(
            self.names, self.features[kept], self.bought[kept], self.formula[kept], self.sizes[shoppers],
            self.wanted[shoppers],
        )  # fmt: skip


def learn_home_order(
    snapshot: Snapshot, folder: Path, settings: Settings, store: Store, seed: int = 0, tell: Tell = silent
) -> Snapshot:
    """The snapshot with an order learnt from its own events, or without one; its facts say which and why."""
    if settings.profile(SURFACE).ranker != "learned":
        return replace(snapshot, home_order=None)
    try:
        split = split_next_basket(snapshot.interactions, DAYS)
    except InputError:
        return _told(snapshot, kept=False, why="no events")
    if len(split) < LEAST_SHOPPERS:
        return _told(snapshot, kept=False, why=f"fewer than {LEAST_SHOPPERS} shoppers came back", shoppers=len(split))
    rng = np.random.default_rng(seed)
    split = split.take(np.sort(rng.permutation(len(split))[:_MOST_SHOPPERS]))
    models, _ = learn_models(
        settings, split.train, snapshot.columns, snapshot.vectors, folder, split.cut_ms, _quietly(tell)
    )
    examples = gather(as_of(split.train, snapshot, models), split, folder, settings, store, tell)
    try:
        tell("Learning the home page", 0, 3)
        half = rng.permutation(len(examples.sizes)) % 2 == 0
        learned = np.zeros(len(examples.bought), np.float32)
        for done, part in enumerate((half, ~half)):
            grown = grow(examples.of(~part), seed)
            learned[np.repeat(part, examples.sizes)] = grown.score(examples.of(part).features, examples.names)
            tell("Learning the home page", done + 1, 3)
        before, after = (recall(examples, scores) for scores in (examples.formula, learned))
        gain = paired_difference(after, before, rng)
        figures: dict[str, Any] = {
            "shoppers": len(before),
            "recall_formula": round(float(before.mean()), 4),
            "recall_learned": round(float(after.mean()), 4),
            "gain": [round(float(value), 4) for value in (gain.mean, gain.low, gain.high)],
        }
        if not gain.low > 0:
            tell("Learning the home page", 3, 3)
            return _told(snapshot, kept=False, why="not surely better than the formula", **figures)
        order = grow(examples, seed)
        tell("Learning the home page", 3, 3)
    except RankerUnavailable as error:
        return _told(snapshot, kept=False, why=str(error))
    return replace(_told(snapshot, kept=True, **figures), home_order=order)


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


def grow(examples: Examples, seed: int) -> Boosted:
    """Trees on the candidates of shoppers who bought one of them. Raises RankerUnavailable."""
    owner = np.repeat(np.arange(len(examples.sizes)), examples.sizes)
    took = np.bincount(owner, examples.bought, len(examples.sizes)) > 0
    told = examples.of(took)
    gains = told.bought.astype(np.float32)
    return Boosted.fit(told.features, gains, told.sizes.tolist(), told.names, rounds=_ROUNDS, seed=seed, **_TREES)


def recall(examples: Examples, scores: Floats) -> NDArray[np.float64]:
    """(s,) the share of each basket among the first 10 candidates by these scores (n,)."""
    ends = np.cumsum(examples.sizes)
    found = np.zeros(len(ends))
    for i, (end, size) in enumerate(zip(ends.tolist(), examples.sizes.tolist(), strict=True)):
        own = slice(end - size, end)
        top = np.argsort(-scores[own], kind="stable")[:_K]
        found[i] = examples.bought[own][top].sum() / examples.wanted[i]
    return found


def _quietly(tell: Tell) -> Tell:
    """Stages of the models that only the examples need."""
    return lambda stage, done, total: tell(f"Past: {stage}", done, total)


def _told(snapshot: Snapshot, *, kept: bool, why: str = "", **figures: Any) -> Snapshot:
    order = {"kept": kept, **({"why": why} if why else {}), **figures}
    return replace(snapshot, facts={**snapshot.facts, "home_order": order}, home_order=None)
