"""Where the time of an answer goes: each part timed by itself, for the same queries, in the same run."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.app.bench.trial import NOW_MS, Tell, Trial
from wares.domain.request import Request
from wares.domain.shopper import History
from wares.engine.assembly import new_encoder
from wares.engine.page import present
from wares.engine.snapshot import Snapshot
from wares.engine.stages import Answer, describe_rows
from wares.retrieval.match_set import SECOND

_ENGINES = ("encoder", "words", "letters", "vectors")  # what any such engine must spend
_PAGE = 24


def overhead_figures(trial: Trial, snapshot: Snapshot, queries: Sequence[str], tell: Tell) -> dict[str, Any]:
    """Medians in ms: the whole answer; the encoder and the searches of words, letters and vectors; and the rest of it
    by part. Nothing is asked twice of one engine, so nothing is remembered."""
    engine, encoder = trial.with_snapshot(snapshot), new_encoder(trial.settings, trial.folder)
    took: dict[str, list[float]] = {}
    for done, query in enumerate(queries, 1):
        request = Request("search", NOW_MS, query=query)
        answered_ms, found = _timed(engine.answer, request, History.empty())
        page_ms, _ = _timed(present, found, 0, _PAGE, trial.store.catalogue)
        intent, state = found.intent, engine.live.state
        vector = intent.vectors.get("text")
        described_ms, (_, table) = _timed(describe_rows, intent, found.walk, found.view, found.slate.rows)
        ranker = snapshot.ranker or found.walk.ranker
        parts = {
            "encoder": _timed(encoder.encode, [intent.text.strip()], "query")[0] if encoder else 0.0,
            "words": _timed(state.text.match, intent.terms)[0],
            "letters": _timed(state.text.letters, intent.text)[0],
            "vectors": 0.0 if vector is None else _timed(_both_rounds, found, vector)[0],
            "understanding": _timed(engine.understand, request)[0],
            "features": described_ms,
            "ranker": _timed(ranker.score, table.values, table.names)[0],
            "page": page_ms,
        }
        total = answered_ms + page_ms
        parts["other"] = total - sum(parts.values())
        overhead = total - sum(parts[name] for name in _ENGINES)
        for name, value in {"whole answer": total, "overhead": overhead, **parts}.items():
            took.setdefault(name, []).append(value)
        if done % 50 == 0 or done == len(queries):
            tell("Timing the parts", done, len(queries))
    return {name: round(float(np.median(values)), 2) for name, values in took.items()}


def _both_rounds(found: Answer, vector: NDArray[np.float32]) -> None:
    """The vector search of an answer: all products with the query, and the best of them with the refined one."""
    space = found.view.state.vectors
    space.scan(vector)
    space.cosines(found.order[:SECOND], vector)


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """(ms, what it gave)."""
    started = time.perf_counter()
    result = work(*arguments)
    return (time.perf_counter() - started) * 1000, result
