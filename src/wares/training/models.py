"""The behaviour models of a shop, fitted on some of its events: all for serving, those of the past for a trial."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wares.contracts import BehaviourModel
from wares.domain.catalogue import Columns
from wares.domain.cores import on_all_cores
from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES
from wares.engine.learnt import new_model
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.features.behaviour import FadingCounts
from wares.retrieval.vector_index import VectorIndex
from wares.training.progress import Tell, silent
from wares.training.shopper_model import NAME as SHOPPER
from wares.training.shopper_model import shopper_model
from wares.training.warm import Earlier


def learn_models(
    settings: Settings,
    interactions: Interactions,
    columns: Columns,
    vectors: VectorIndex,
    shop: Path,
    now_ms: int,
    tell: Tell = silent,
    *,
    earlier: Earlier | None = None,
    checkpoint: Path | None = None,
) -> tuple[dict[str, BehaviourModel], dict[str, Any]]:
    """Every model that the settings name, learnt from these interactions, and what is to be said of the shopper model,
    which is left out where there is neither torch nor a fitted one. `earlier` and `checkpoint` are for that one."""
    names = settings.models.train
    models = dict(
        fit({str(name): new_model(name, settings) for name in names if name != SHOPPER}, interactions, now_ms, tell)
    )
    if SHOPPER not in names:
        return models, {}
    tell("Learning: shopper model", 0, 1)
    started = time.perf_counter()
    found = shopper_model(
        interactions, columns, vectors, settings.models.sequence, shop, _renamed("Learning: shopper model", tell),
        earlier=earlier, checkpoint=checkpoint,
    )  # fmt: skip
    tell("Learning: shopper model", 1, 1)
    if found.model is not None:
        models[SHOPPER] = found.model
    return models, {"shopper_model": found.how, "shopper_model_s": round(time.perf_counter() - started, 1)}


def _renamed(stage: str, tell: Tell) -> Tell:
    return lambda told, done, total: tell(f"{stage}{told.removeprefix('shopper model')}", done, total)


def fit(
    models: Mapping[str, BehaviourModel], interactions: Interactions, now_ms: int, tell: Tell = silent
) -> Mapping[str, BehaviourModel]:
    """The same models, fitted on all cores."""
    names = list(models)
    for name in names:
        tell(f"Learning: {name}", 0, 1)
    for done, _ in enumerate(on_all_cores(lambda i: models[names[i]].fit(interactions, now_ms), len(names))):
        tell(f"Learning: {names[done]}", 1, 1)
    return models


def count_purchases(interactions: Interactions) -> FadingCounts:
    """Fading sales of each product, refunds taken back."""
    events = interactions.events
    latest = int(events.times_ms.max()) if len(events) else 0
    counts = FadingCounts(interactions.n_products, reference_ms=latest)
    signs = np.zeros(256, np.float32)
    signs[KIND_CODES[EventKind.PURCHASE]] = 1
    signs[KIND_CODES[EventKind.REFUND]] = -1
    amounts = signs[events.kinds]
    counts.learn(events.rows[amounts != 0], events.times_ms[amounts != 0], amounts[amounts != 0])
    return counts


def as_of(train: Interactions, snapshot: Snapshot, models: Mapping[str, BehaviourModel]) -> Snapshot:
    """The snapshot as if nothing but these events had happened: `models` were fitted on them. Its catalogue stays; the
    order of its home page, which was learnt from what came later, does not."""
    return replace(snapshot, models=models, interactions=train, purchases=count_purchases(train), home_order=None)
