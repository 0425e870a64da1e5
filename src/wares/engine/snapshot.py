"""A snapshot: everything learnt at one moment, immutable, in a folder whose manifest names each file's SHA-256."""

import json
import os
import shutil
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from wares.contracts import BehaviourModel
from wares.domain.catalogue import Columns
from wares.domain.interactions import NO_SEARCHES, Interactions, Searches
from wares.domain.shopper import History
from wares.domain.strings import State
from wares.engine.durable import publish_folder
from wares.engine.manifest import sealed, sha256_of
from wares.engine.shelf import ASIDE, REPORT, make_current
from wares.engine.snapshot_manifest import FORMAT, MANIFEST, REMEDY, read_manifest
from wares.errors import RankerUnavailable, SnapshotError, WaresError
from wares.features.behaviour import FadingCounts
from wares.features.query_memory import QueryMemory
from wares.ranking.boosted import Boosted
from wares.ranking.corrected import Corrected
from wares.retrieval.kin import Kin
from wares.retrieval.language.shop_language import Language
from wares.retrieval.suggestions.index import Suggestions
from wares.retrieval.text_index import TextIndex
from wares.retrieval.vector_index import VectorIndex


@dataclass(frozen=True)
class Snapshot:
    """`last_event` and `last_change` are the last sequence numbers it contains; what came after is folded into Live.

    `shopper_keys` (s,) ascending: shopper i of `interactions` has the store's key `shopper_keys[i]`.
    """

    name: str
    columns: Columns
    language: Language
    text: TextIndex
    vectors: VectorIndex
    suggestions: Suggestions
    models: Mapping[str, BehaviourModel]
    interactions: Interactions
    shopper_keys: NDArray[np.int64]
    purchases: FadingCounts
    last_event: int = 0
    last_change: int = 0
    encoder: str = ""  # fingerprint of the encoder that made the vectors; "" = none
    facts: Mapping[str, Any] = field(default_factory=dict)  # when and from how much it was made
    ranker: Boosted | None = None  # the learned order of search results; None = nothing to learn it from yet
    home_order: Corrected | None = None  # the same of what is recommended to a shopper who is known
    memory: QueryMemory | None = None  # what was judged for earlier queries, which the ranker looks at
    newcomers: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))  # rows, new and still untouched
    kin: Kin = field(default_factory=Kin.none)  # of the newcomers
    unavailable: str = ""  # why a part of it cannot be used on this machine

    def history(self, shopper_key: int) -> History:
        place = int(np.searchsorted(self.shopper_keys, shopper_key))
        if place < len(self.shopper_keys) and self.shopper_keys[place] == shopper_key:
            return self.interactions.history(place)
        return History.empty()

    @staticmethod
    def empty(boosts: Mapping[str, float], language: Language) -> "Snapshot":
        """Of a shop that has not been trained yet."""
        nothing = Interactions(History.empty(), np.empty(0, np.int64), np.zeros(1, np.int64), 0)
        return Snapshot(
            "", Columns.of([], []), language, TextIndex.of([], boosts, language.analyser), VectorIndex.empty(0),
            Suggestions.of(()), {}, nothing, np.empty(0, np.int64), FadingCounts(0),
        )  # fmt: skip


def write_snapshot(
    snapshot: Snapshot, folder: Path, *, report: Mapping[str, Any] | None = None, aside: str = ""
) -> Path:
    """Write below `folder` and make it the current one. All files are on disk before the name points to them.

    `report` is kept beside the manifest. `aside`, where not empty, says why the snapshot is not to serve: then the
    current one stays, and no later look takes this one by itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / snapshot.name
    draft = folder / f".{snapshot.name}.{os.getpid()}.part"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        files = {}
        for name, state in _parts(snapshot).items():
            with (draft / f"{name}.npz").open("wb") as file:
                np.savez(file, allow_pickle=False, **state)
            files[f"{name}.npz"] = sha256_of(draft / f"{name}.npz")
        manifest = {
            "format": FORMAT, "name": snapshot.name, "last_event": snapshot.last_event,
            "last_change": snapshot.last_change, "encoder": snapshot.encoder, "models": list(snapshot.models),
            "facts": dict(snapshot.facts), "files": files,
        }  # fmt: skip
        (draft / MANIFEST).write_text(sealed(manifest), encoding="utf-8")
        if report is not None:
            (draft / REPORT).write_text(json.dumps(report, indent=1, allow_nan=False), encoding="utf-8")
        if aside:
            (draft / ASIDE).write_text(aside, encoding="utf-8")
        publish_folder(draft, place)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    if not aside:
        make_current(folder, snapshot.name)
    return place


# -- reading -----------------------------------------------------------------------------------------------------------


def load_snapshot(place: Path, new_model: Callable[[str], BehaviourModel], boosts: Mapping[str, float]) -> Snapshot:
    """Read and verify. Raises SnapshotError that names the file when one is missing, cut or altered."""
    manifest = read_manifest(place)
    states = {Path(name).stem: _read_part(place, name, expected) for name, expected in manifest["files"].items()}
    try:
        return _assemble(manifest, states, new_model, boosts)
    except (WaresError, MemoryError):
        raise
    except Exception as error:  # arrays of another shape or kind fail wherever they are first used
        raise SnapshotError(
            f"Snapshot {place.name} does not hold what its manifest says ({error}). {REMEDY}"
        ) from error


def verify(place: Path) -> None:
    """Read all files of a snapshot without using them. SnapshotError as `load_snapshot`."""
    for name, expected in read_manifest(place)["files"].items():
        _verify_part(place, name, expected)


def load_parts(place: Path, names: Collection[str]) -> tuple[str, dict[str, State]]:
    """The encoder's fingerprint, and those of these parts that there are, as they were stored: "columns",
    "model-sequence". Verified as `load_snapshot` does."""
    manifest = read_manifest(place)
    files = {name: expected for name, expected in manifest["files"].items() if Path(name).stem in names}
    return manifest["encoder"], {Path(name).stem: _read_part(place, name, files[name]) for name in files}


def _read_part(place: Path, name: str, expected: str) -> State:
    path = _verify_part(place, name, expected)
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # NumPy leaves open what is no archive
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error, AttributeError, NotImplementedError) as error:
        raise SnapshotError(f"Snapshot {place.name}: file {name} cannot be read ({error}). {REMEDY}") from error


def _verify_part(place: Path, name: str, expected: str) -> Path:
    path = place / Path(name).name
    if not path.is_file():
        raise SnapshotError(f"Snapshot {place.name}: file {name} is missing. {REMEDY}")
    try:
        if sha256_of(path) != expected:
            raise SnapshotError(f"Snapshot {place.name}: file {name} was cut or altered. {REMEDY}")
    except OSError as error:
        raise SnapshotError(
            f"Snapshot {place.name}: file {name} cannot be read ({error.strerror}). {REMEDY}"
        ) from error
    return path


def _parts(snapshot: Snapshot) -> dict[str, State]:
    interactions, events = snapshot.interactions, snapshot.interactions.events
    parts = {
        "columns": snapshot.columns.state(),
        "language": snapshot.language.state(),
        "text": snapshot.text.state(),
        "vectors": snapshot.vectors.state(),
        "suggestions": snapshot.suggestions.state(),
        "purchases": snapshot.purchases.state(),
        "interactions": State(
            rows=events.rows, times_ms=events.times_ms, kinds=events.kinds, quantities=events.quantities,
            baskets=interactions.baskets, indptr=interactions.indptr, shopper_keys=snapshot.shopper_keys,
            n_products=np.array(interactions.n_products), has_anonymous=np.array(interactions.has_anonymous),
        ),
    }  # fmt: skip
    if len(interactions.searches):
        parts["searches"] = interactions.searches.state()
    if snapshot.ranker is not None:
        parts["ranker"] = snapshot.ranker.state()
    if snapshot.home_order is not None:
        parts["home_order"] = snapshot.home_order.state()
    if snapshot.memory is not None:
        parts["memory"] = snapshot.memory.state()
    if len(snapshot.newcomers):
        parts["kin"] = snapshot.kin.state() | {"newcomers": snapshot.newcomers}
    return parts | {f"model-{name}": model.state() for name, model in snapshot.models.items()}


def _assemble(
    manifest: Mapping[str, Any],
    states: Mapping[str, Mapping[str, NDArray[Any]]],
    new_model: Callable[[str], BehaviourModel],
    boosts: Mapping[str, float],
) -> Snapshot:
    models = {}
    for name in manifest["models"]:
        models[name] = new_model(name)
        models[name].restore(states[f"model-{name}"])
    ranker, home_order, unavailable = None, None, ""
    try:
        ranker = Boosted.restore(states["ranker"]) if "ranker" in states else None
        if "odds" in (trees := states.get("home_order", {})):  # older trees knew other features: the formula serves
            home_order = Corrected.restore(trees)
    except RankerUnavailable as error:
        unavailable = str(error)
    log = states["interactions"]
    language = Language.restore(states["language"])
    interactions = Interactions(
        History(log["rows"], log["times_ms"], log["kinds"], log["quantities"]), log["baskets"], log["indptr"],
        int(log["n_products"]), bool(log["has_anonymous"]), Searches(**states.get("searches", NO_SEARCHES.state())),
    )  # fmt: skip
    return Snapshot(
        name=manifest["name"],
        columns=Columns.restore(states["columns"]),
        language=language,
        text=TextIndex.restore(states["text"], boosts, language.analyser),
        vectors=VectorIndex.restore(states["vectors"]),
        suggestions=Suggestions.restore(states["suggestions"]),
        models=models,
        interactions=interactions,
        shopper_keys=log["shopper_keys"],
        purchases=FadingCounts.restore(states["purchases"]),
        last_event=manifest["last_event"],
        last_change=manifest["last_change"],
        encoder=manifest["encoder"],
        facts=manifest["facts"],
        ranker=ranker,
        home_order=home_order,
        **_newcomers(states.get("kin")),
        memory=QueryMemory.restore(states["memory"]) if "memory" in states else None,
        unavailable=unavailable,
    )


def _newcomers(state: Mapping[str, NDArray[Any]] | None) -> dict[str, Any]:
    return {} if state is None else {"newcomers": state["newcomers"], "kin": Kin.restore(state)}
