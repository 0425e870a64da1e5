"""A shopper model as a file that a shop may be judged with: it has not seen the last two windows of four weeks, neither
the one that `wares eval` asks about nor the one before, from which the order of the home page is learnt.

`python -m wares.training.early_model FOLDER FILE OPTIONS` makes one and tells its progress as JSON lines; OPTIONS are
`engine.settings.SequenceSettings` as JSON.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wares.domain.interactions import Interactions
from wares.engine.assembly import new_encoder
from wares.engine.settings import SequenceSettings, load_settings
from wares.errors import TrainingError, WaresError
from wares.evaluation.splits import cut_ms
from wares.models.sequence import SequenceModel
from wares.store.sqlite import Store
from wares.store.vector_cache import CachedEncoder
from wares.training.build import known, vectors_of
from wares.training.child import told_by_child
from wares.training.home_order import DAYS
from wares.training.model_file import write_model
from wares.training.progress import Tell, silent
from wares.training.shopper_model import shopper_model

WINDOWS = 2
_EXPORT_S = 10.0  # of the time given: kept for writing the model down


@dataclass(frozen=True)
class EarlyModel:
    """The model of products by id, how it came about, and from how many events."""

    ids: tuple[str, ...]
    model: SequenceModel
    how: str
    events: int


def before_windows(interactions: Interactions) -> Interactions:
    """What happened before the last windows, each counted back from the last event that is left, as whoever asks does.

    Raises TrainingError where nothing did.
    """
    for _ in range(WINDOWS):
        if len(interactions.events):
            interactions = interactions.before(cut_ms(interactions, DAYS))
    if not len(interactions.events):
        raise TrainingError(f"The log holds nothing before its last {WINDOWS} windows of {DAYS} days.")
    return interactions


def early_model(folder: Path, options: SequenceSettings, tell: Tell = silent) -> EarlyModel:
    """Train one on the shop in `folder`, within `options.seconds` where that is set, reading and encoding included.

    Raises TrainingError where torch is missing, and where there is nothing to learn from.
    """
    started = time.monotonic()
    settings = load_settings(folder)
    encoder = new_encoder(settings, folder)
    cached = CachedEncoder(encoder, folder) if encoder is not None else None
    try:
        with Store.open(folder, "read") as store:
            products, columns, interactions = known(store)
        past, vectors = before_windows(interactions), vectors_of(products, cached, tell)
    finally:
        if cached is not None:
            cached.close()
    if options.seconds:
        left = max(1.0, options.seconds - (time.monotonic() - started) - _EXPORT_S)
        options = options.model_copy(update={"seconds": left})
    found = shopper_model(past, columns, vectors, options.model_copy(update={"fitted": ""}), folder, tell)
    if found.model is None:
        raise TrainingError(found.how)
    return EarlyModel(tuple(columns.ids), found.model, found.how, len(past.events))


def write_early_model(
    folder: Path, path: Path, options: SequenceSettings, tell: Tell = silent, *, moved_ms: int = 0
) -> dict[str, Any]:
    """Train one and write it, with dates as they were before they were moved; figures for people."""
    started = time.monotonic()
    early = early_model(folder, options, tell)
    until_ms = early.model.until_ms - moved_ms
    write_model(path, early.ids, SequenceModel({**early.model.arrays, "until_ms": np.array(until_ms)}))
    return {
        "model": str(path),
        "how": early.how,
        "events": early.events,
        "products": len(early.ids),
        "until_ms": until_ms,
        "bytes": path.stat().st_size,
        "seconds": round(time.monotonic() - started, 1),
    }


def early_model_in_child(folder: Path, path: Path, options: SequenceSettings, tell: Tell = silent) -> dict[str, Any]:
    """The same in a process of its own, so that who serves afterwards has not loaded torch. Raises TrainingError."""
    command = [sys.executable, "-m", "wares.training.early_model", str(folder), str(path), options.model_dump_json()]
    return told_by_child(command, "model", tell)


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> int:
    """The child's side."""
    try:
        options = SequenceSettings.model_validate_json(sys.argv[3])
        figures = write_early_model(
            Path(sys.argv[1]), Path(sys.argv[2]), options,
            lambda stage, done, total: _say(stage=stage, done=done, total=total),
        )  # fmt: skip
    except (WaresError, OSError, MemoryError) as error:
        _say(problem=str(error) or type(error).__name__)
        return 1
    except KeyboardInterrupt:
        return 130
    _say(**figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
