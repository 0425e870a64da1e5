"""Other engines asked the same queries in the same process."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from wares.app.bench.engines.all import ENGINES
from wares.app.bench.engines.contract import Engine, MissingPackage
from wares.app.bench.engines.rrf import Rrf
from wares.app.bench.trial import Ranking, Tell, Trial
from wares.engine.assembly import new_encoder

_DEPTH = 100
_BY_MEANING = ("dense", "rrf")


def rival_rows(trial: Trial, names: Sequence[str], missing: list[str], tell: Tell) -> dict[str, Ranking]:
    """A row per engine; one whose package is missing is told in `missing`. Dense and rrf include the encoder's time."""
    columns = trial.snapshot.columns
    products = trial.store.catalogue.get(columns.ids)
    titles = [products[product_id].title for product_id in columns.ids]
    vectors = trial.snapshot.vectors.vectors(np.arange(len(titles), dtype=np.int32))
    made: dict[str, Engine] = {}
    for name in ENGINES:
        if name in names or ("rrf" in names and name in ("tantivy", "bm25", "dense")):
            tell(f"Building {name}", 0, 1)
            try:
                if name == "rrf":
                    made[name] = Rrf(made.get("tantivy") or made["bm25"], made["dense"])
                else:
                    made[name] = ENGINES[name].of(titles, vectors)
            except MissingPackage as error:
                missing.append(str(error))
            tell(f"Building {name}", 1, 1)
    asked, encode_ms = _encoded(trial)
    rows: dict[str, Ranking] = {}
    for name, engine in made.items():
        if name not in names:
            continue
        found: tuple[list[Any], list[Any], list[float]] = ([], [], [])
        for place, query in enumerate(trial.asked.queries):
            started = time.perf_counter()
            best, scores = engine.rank(query, asked[place], _DEPTH)
            took_ms = (time.perf_counter() - started) * 1000
            found[0].append(best)
            found[1].append(scores)
            found[2].append(took_ms + (encode_ms[place] if name in _BY_MEANING else 0.0))
            if place % 50 == 49 or place == len(trial.asked) - 1:
                tell(f"Asking {name}", place + 1, len(trial.asked))
        rows[name] = Ranking(*found)
    return rows


def _encoded(trial: Trial) -> tuple[Any, list[float]]:
    """(q, d) vectors of the queries as typed, and the milliseconds of each."""
    encoder = new_encoder(trial.settings, trial.folder)
    assert encoder is not None  # the packaged one: the bench's shop has no settings of its own
    vectors, took_ms = [], []
    for query in trial.asked.queries:
        started = time.perf_counter()
        vectors.append(encoder.encode([query], "query")[0])
        took_ms.append((time.perf_counter() - started) * 1000)
    return np.stack(vectors), took_ms
