"""A trial: learn as if some weeks had not happened yet, then see how well they are foreseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wares.contracts import BehaviourModel
from wares.domain.request import Request
from wares.domain.shopper import History
from wares.engine.assembly import Engine
from wares.engine.learnt import current_snapshot, new_model
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.errors import InputError, TrainingError
from wares.evaluation.baselines import by_hand
from wares.evaluation.replay import OnRanked, System, asking, next_basket_table
from wares.evaluation.splits import NextBasket, split_next_basket
from wares.evaluation.table import EvaluationTable
from wares.models.tifu_knn import TifuKNN
from wares.store.sqlite import Store
from wares.training.beside_events import with_attributes
from wares.training.home_order import learn_home_order
from wares.training.models import as_of, fit, learn_models
from wares.training.progress import Tell, silent
from wares.training.shopper_model import NAME as SHOPPER

ROW = "wares"  # the shop's own home page, product by product like every other row
SERVED = "wares, as served"  # the same with variants folded into one hit, of which one counts
REFERENCE = "personal, fading + popular"
_DEEP = 1000  # hits of a slate that are looked at


@dataclass(frozen=True, slots=True)
class Past:
    """The shop as if nothing had happened since the cut: its snapshot, the models of the settings, and who bought what
    first after it."""

    snapshot: Snapshot
    models: Mapping[str, BehaviourModel]
    split: NextBasket


def past_of(
    folder: Path,
    store: Store,
    settings: Settings,
    *,
    days: float = 28,
    seed: int = 0,
    earlier: int = 0,
    tell: Tell = silent,
) -> Past:
    """Learn from what came before the cut. Where the snapshot serves a learnt order, the past learns one, too.

    Raises TrainingError without a snapshot, InputError where nobody with a history bought in the window.
    """
    snapshot, _ = current_snapshot(folder, settings)
    if not snapshot.name:
        raise TrainingError("Nothing is learnt yet. Run `wares train` first.")
    known = with_attributes(snapshot.interactions, snapshot.shopper_keys, settings, store.shoppers)
    split = split_next_basket(known, days, earlier)
    if not len(split):
        raise InputError(f"No known shopper with a history bought anything in the {days:g} days after the cut.")
    models, _ = learn_models(settings, split.train, snapshot.columns, snapshot.vectors, folder, split.cut_ms, tell)
    past = as_of(split.train, snapshot, {name: models[name] for name in settings.models.train if name in models})
    if snapshot.home_order is not None:  # a shop that serves the formula is measured with it
        past = learn_home_order(past, folder, settings, store, seed, tell)
    return Past(past, models, split)


def next_basket_trial(
    folder: Path,
    store: Store,
    settings: Settings,
    *,
    days: int = 28,
    k: int = 10,
    seed: int = 0,
    earlier: int = 0,
    tell: Tell = silent,
    on_ranked: OnRanked | None = None,
) -> EvaluationTable:
    """The home page and every row that it must beat, on each shopper's first basket after the cut.

    The cut lies `days` before the last event; `earlier=1` takes the window before that one, for choosing settings.
    Raises like `past_of`.
    """
    past = past_of(folder, store, settings, days=days, seed=seed, earlier=earlier, tell=tell)
    split, models = past.split, dict(past.models)
    missing = [name for name in _ROWS if name not in models and name != SHOPPER]
    models |= fit({name: new_model(name, settings) for name in missing}, split.train, split.cut_ms, tell)
    others = fit({**by_hand(), "TIFU-KNN": TifuKNN()}, split.train, split.cut_ms, tell)
    homes: dict[str, System] = {
        name: _home(Engine(folder, _folding(settings, fold), store, None, past.snapshot), split.cut_ms)
        for name, fold in ((ROW, False), (SERVED, True))
    }
    named = {**others, **{title: models[name] for name, title in _ROWS.items() if name in models}}
    systems: dict[str, System] = {title: asking(model, split.cut_ms) for title, model in named.items()}
    asked, total = 0, len(split) * (len(systems) + len(homes))

    def more(count: int) -> None:
        nonlocal asked
        asked += count
        tell("Replaying", asked, total)

    return next_basket_table(
        {**homes, **systems},
        split,
        np.random.default_rng(seed),
        k=k,
        reference=REFERENCE,
        categories=past.snapshot.columns.labels["category"].last(),
        on_progress=more,
        on_ranked=on_ranked,
        in_threads=True,
    )


def _home(engine: Engine, cut_ms: int) -> System:
    def home(shopper: int, history: History) -> NDArray[np.int32]:
        return engine.answer(Request("home", cut_ms), history).order[:_DEEP]

    return home


def _folding(settings: Settings, fold: bool) -> Settings:
    """The settings with the home page's variants folded, or each product for itself."""
    home = settings.profile("home").model_copy(update={"fold_variants": fold})
    return settings.model_copy(update={"profiles": {**settings.profiles, "home": home}})


# The models that stand in every table, and what the literature calls them.
_ROWS = {
    "buy_again": "buy again",
    "item_knn": "ItemKNN",
    "ease": "EASE",
    "als": "iALS",
    "sequence": "shopper model",
}
