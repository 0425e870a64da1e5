"""What a shop has learnt, as it is loaded: the current snapshot, its models by name, and the shop's own words."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from wares.contracts import BehaviourModel
from wares.engine.settings import FILE_NAME, Settings
from wares.engine.shelf import current_name, snapshot_names
from wares.engine.snapshot import Snapshot, load_snapshot
from wares.errors import DataError, SettingsError, SnapshotError, UnknownName
from wares.models.als import ALS
from wares.models.buy_again import BuyAgain
from wares.models.collaborative import CoBought, ItemKNN
from wares.models.ease import EASE
from wares.models.graph import Graph
from wares.models.popular import Popular, PopularLately
from wares.models.sequence import SequenceModel
from wares.models.transitions import Transitions
from wares.retrieval.language.shop_language import Language

SNAPSHOTS = "snapshots"
SYNONYMS = "synonyms.txt"

MODELS: Mapping[str, Callable[..., BehaviourModel]] = {
    "popular": Popular,
    "popular_lately": PopularLately,
    "buy_again": BuyAgain,
    "co_bought": CoBought,
    "item_knn": ItemKNN,
    "ease": EASE,
    "als": ALS,
    "transitions": Transitions,
    "graph": Graph,
    "sequence": SequenceModel,
}


def new_model(name: str, settings: Settings) -> BehaviourModel:
    """An unfitted model with the shop's hyper-parameters. SettingsError names one that the model does not have."""
    model, given = MODELS[name], settings.models.parameters(name)
    known = inspect.signature(model).parameters
    for parameter in given:
        if parameter not in known:
            raise SettingsError(f"{FILE_NAME}: models.{name}: {UnknownName('number', parameter, known)}")
    return model(**given)


def current_snapshot(folder: Path, settings: Settings) -> tuple[Snapshot, list[str]]:
    """The current snapshot; if it is damaged, the newest older one that is whole, and warnings. Empty = none yet."""
    snapshots, search = folder / SNAPSHOTS, settings.search
    boosts, warnings = search.boosts.model_dump(), list[str]()
    current = current_name(snapshots)
    older = [name for name in reversed(snapshot_names(snapshots)) if name != current]
    if older and not current:
        warnings.append(f"{snapshots} does not say which snapshot is current: the newest whole one serves.")
    for name in [current, *older] if current else older:
        try:
            new = functools.partial(new_model, settings=settings)
            snapshot = load_snapshot(snapshots / name, new, boosts)
            language = snapshot.language.with_synonyms(own_synonyms(folder))
            language.warm_up()
            return replace(snapshot, language=language), warnings
        except SnapshotError as error:
            warnings.append(str(error))
    return Snapshot.empty(boosts, Language.empty(settings.shop.language)), warnings


def own_synonyms(folder: Path) -> tuple[str, ...]:
    """The lines of the shop's own synonyms; () without the file. DataError names the line that cannot be read."""
    path = folder / SYNONYMS
    try:
        return tuple(path.read_text(encoding="utf-8-sig").splitlines()) if path.exists() else ()
    except UnicodeDecodeError as error:
        raise DataError(f"must be UTF-8 text; byte {error.start} is not", file=str(path)) from None
