"""What the home page would have proposed some weeks ago, what its sources said of it, and what was bought then."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.request import Request
from wares.domain.rule import NOTHING
from wares.engine.assembly import Engine
from wares.engine.learnt import current_snapshot, new_model
from wares.engine.settings import Settings
from wares.errors import InputError, TrainingError
from wares.evaluation.splits import DAY_MS, split_next_basket
from wares.store.sqlite import Store
from wares.training.models import as_of, fit
from wares.training.progress import Tell, silent

SURFACE = "home"


@dataclass(frozen=True, slots=True)
class Candidates:
    """n candidates of s shoppers: what is known of each at the cut (n, f), whether it was in the next basket, and
    whether the shopper had bought it in the window before the cut."""

    names: tuple[str, ...]  # (f,)
    features: NDArray[np.float64]  # (n, f)
    bought: NDArray[np.bool_]  # (n,)
    bought_before: NDArray[np.bool_]  # (n,)
    shoppers: NDArray[np.int64]  # (n,)
    cut_ms: int


def gather_candidates(
    folder: Path,
    store: Store,
    settings: Settings,
    *,
    days: float = 28,
    earlier: int = 1,
    n_shoppers: int = 300,
    others: int = 60,
    seed: int = 0,
    tell: Tell = silent,
) -> Candidates:
    """Everything that is learnt comes from before the cut, `earlier` windows before the last, which stays untouched.

    At most `n_shoppers`, drawn evenly; of each, the candidates that were bought then or before and `others` more.
    Raises TrainingError without a snapshot, InputError where nobody with a history bought in the window.
    """
    snapshot, _ = current_snapshot(folder, settings)
    if not snapshot.name:
        raise TrainingError("Nothing is learnt yet. Run `wares train` first.")
    split = split_next_basket(snapshot.interactions, days, earlier)
    if not len(split):
        raise InputError(f"No known shopper with a history bought anything in the {days:g} days after the cut.")
    rng = np.random.default_rng(seed)
    split = split.take(np.sort(rng.permutation(len(split))[:n_shoppers]))
    models = fit(
        {str(name): new_model(name, settings) for name in settings.models.train}, split.train, split.cut_ms, tell
    )
    past = as_of(split.train, snapshot, models)
    engine = Engine(folder, _plainly(settings), store, None, past)
    names: tuple[str, ...] = ()
    features, bought, before, shoppers = [], [], [], []
    for i, (shopper, wanted, history) in enumerate(zip(split.shoppers, split.targets, split.histories, strict=True)):
        found = engine.answer(Request(SURFACE, split.cut_ms), history, actions=NOTHING)
        names = found.features.names
        own = history.of(EventKind.PURCHASE)
        lately = own.rows[own.times_ms >= split.cut_ms - round(days * DAY_MS)]
        was, will = np.isin(found.slate.rows, lately), np.isin(found.slate.rows, wanted)
        neither = np.flatnonzero(~(was | will))
        kept = np.sort(np.concatenate([np.flatnonzero(was | will), rng.permutation(neither)[:others]]))
        features.append(found.features.values[kept].astype(np.float64))
        bought.append(will[kept])
        before.append(was[kept])
        shoppers.append(np.full(len(kept), shopper, np.int64))
        tell("Asking", i + 1, len(split))
    joined = (np.concatenate(features), np.concatenate(bought), np.concatenate(before), np.concatenate(shoppers))
    return Candidates(names, *joined, split.cut_ms)


def _plainly(settings: Settings) -> Settings:
    """The home page's candidates product by product, before any policy."""
    profile = settings.profile(SURFACE).model_copy(update={"fold_variants": False, "policies": ()})
    return settings.model_copy(update={"profiles": {**settings.profiles, SURFACE: profile}})
