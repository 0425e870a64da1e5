"""A shop made of judged products, in a folder that goes away, and what it can be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wares.domain.judgement import Judgement
from wares.engine.assembly import Engine, new_encoder
from wares.engine.settings import FILE_NAME, Settings, load_settings
from wares.engine.snapshot import Snapshot
from wares.engine.stages import Answer
from wares.errors import InputError
from wares.evaluation.judgements import Judged, Measured, measure
from wares.feeds.judgements import read_judgements
from wares.feeds.products import read_products
from wares.store.sqlite import Store
from wares.store.vector_cache import CachedEncoder
from wares.training.build import build_snapshot

Tell = Callable[[str, int, int], None]
NOW_MS = 0
DEPTH = 100  # products of a ranking that are looked at


@dataclass(frozen=True)
class Ranking:
    """What one system answered: a ranking (rows, scores) per query, and how long each took."""

    rows: list[NDArray[np.int32]]
    scores: list[NDArray[np.float32]]
    took_ms: list[float]


@dataclass(frozen=True)
class Trial:
    """A shop of the judged products, and what it can be asked."""

    folder: Path
    settings: Settings
    store: Store
    engine: Engine  # without a learned order
    judged: Judged
    asked: Judged  # the queries that are reported: `judged`, or those of another file
    relevant_from: float
    seed: int

    @property
    def snapshot(self) -> Snapshot:
        return self.engine.live.snapshot

    def with_snapshot(self, snapshot: Snapshot) -> Engine:
        """A fresh engine, which has seen no query."""
        encoder = new_encoder(self.settings, self.folder)
        return Engine(self.folder, self.settings, self.store, encoder, snapshot)

    @property
    def places(self) -> NDArray[np.intp]:
        """Of all queries that are asked."""
        return np.arange(len(self.asked))

    def measured(self, ranking: Ranking) -> Measured:
        return measure(self.asked, ranking.rows, relevant_from=self.relevant_from)


def make_trial(
    data: Path,
    test: Path | None,
    lowest: float,
    cache: Path,
    given: Path | None,
    folder: Path,
    store: Store,
    seed: int,
    tell: Tell,
) -> Trial:
    """`lowest`: the relevance that is worth nothing; `cache`: where vectors are kept between runs; `given`: a file of
    settings; `folder`: an empty one for the shop."""
    for name in ("products.parquet", "judgements.parquet"):
        if not (data / name).exists():
            raise InputError(f"{data} has no {name}. It needs products.parquet and judgements.parquet.")
    (folder / FILE_NAME).write_text(given.read_text(encoding="utf-8") if given else "", encoding="utf-8")
    settings = load_settings(folder)
    store.catalogue.put(read_products(data / "products.parquet", now_ms=NOW_MS, currency=settings.shop.currency))
    cache.mkdir(parents=True, exist_ok=True)
    encoder = new_encoder(settings, folder)
    cached = CachedEncoder(encoder, cache) if encoder is not None else None
    try:
        snapshot = build_snapshot(store, settings, cached, folder / "snapshots", NOW_MS, tell)
    finally:
        if cached is not None:
            cached.close()
    row_of = snapshot.columns.row_of
    judged = Judged.of(_judgements(data / "judgements.parquet", lowest), row_of)
    asked = judged if test is None else Judged.of(_judgements(test, lowest), row_of)
    engine = Engine(folder, settings, store, encoder, snapshot)
    return Trial(folder, settings, store, engine, judged, asked, judged.relevant_from, seed)


def _judgements(path: Path, lowest: float) -> list[Judgement]:
    return list(read_judgements(path, lowest=lowest))


def unfolded(found: Answer) -> NDArray[np.int32]:
    """Every product of the first hits in order: an answer lists variants with their hit, judgements know no hits."""
    groups = found.view.columns.groups
    first = found.order[:DEPTH]
    place = np.full(found.view.columns.n_groups, -1, np.int32)
    place[groups[first]] = np.arange(len(first))
    rows = np.flatnonzero(place[groups] >= 0).astype(np.int32)
    if found.shown is not None:
        rows = rows[found.shown.has(rows)]
    is_variant = first[place[groups[rows]]] != rows
    return rows[np.lexsort((rows, is_variant, place[groups[rows]]))]
