"""`wares bench search`: how good and how fast a search is on judged queries, beside other engines in the same run.

Queries are parted into folds; those of one fold are answered by a shop that learnt from the others. Everything asks
through the engine that serves shoppers. Vectors of the products are kept between runs.
"""

import hashlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.app.bench.misspelt import spelling_figures
from wares.app.bench.overhead import overhead_figures
from wares.app.bench.rivals import rival_rows
from wares.app.bench.trial import DEPTH, NOW_MS, Ranking, Tell, Trial, make_trial, unfolded
from wares.domain.request import Request
from wares.domain.shopper import History
from wares.engine.page import present
from wares.engine.snapshot import Snapshot
from wares.evaluation.judgements import Measured, differences, folds, summary
from wares.store.sqlite import Store
from wares.training.ranker import Examples, fit_ranker, gather_examples, remember, with_order

Part = tuple[NDArray[np.intp], NDArray[np.intp]]
_PAGE = 24
_TIMED = 500  # queries whose answers are timed part by part


def search_figures(
    data: Path,
    *,
    test: Path | None,
    lowest: float,
    n_folds: int,
    ask_folds: int,
    settings: Path | None,
    rivals: Sequence[str],
    cache: Path,
    run: Path | None,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """`data` holds products.parquet and judgements.parquet; `test` other judgements, which are then all that is
    reported. `lowest`: the relevance that is worth nothing. `ask_folds`: of the folds only so many are asked, 0 = all.
    `settings`: a shop's settings to try instead of the defaults. `run`: where to write what was ranked."""
    with tempfile.TemporaryDirectory(prefix="wares-bench-") as scratch, Store.open(Path(scratch), "write") as store:
        trial = make_trial(data, test, lowest, cache, settings, Path(scratch), store, seed, tell)
        trial, parts = parts_of(trial, n_folds, ask_folds)
        untuned = answers(trial, [(trial.snapshot, trial.places)], "Asking, untuned", tell)
        examples = gather_examples(
            trial.engine, trial.judged, NOW_MS, seed, lambda done, n: tell("Gathering examples", done, n)
        )
        shops = learned_shops(trial, examples, parts, tell)
        learned = answers(trial, shops, "Asking, learned", tell)
        spelling = spelling_figures(data, trial, shops, learned, tell)
        rows = {"wares": learned, "wares-untuned": untuned}
        asked = [trial.asked.queries[place] for place in shops[0][1][:_TIMED].tolist()]
        overhead = overhead_figures(trial, shops[0][0], asked, tell)
        missing: list[str] = []
        if rivals:
            rows |= rival_rows(trial, rivals, missing, tell)
        if run is not None:
            write_run(run, trial, learned)
        measured = {name: trial.measured(ranking) for name, ranking in rows.items()}
        rng = np.random.default_rng(seed)
        return {
            "products": len(trial.snapshot.columns),
            "queries": len(trial.asked),
            "folds": len(parts),
            "rows": {name: _row(measured[name], ranking.took_ms, rng) for name, ranking in rows.items()},
            "wares_minus": {
                name: {key: rounded(value) for key, value in differences(measured["wares"], other, rng).items()}
                for name, other in measured.items()
                if name != "wares"
            },
            "spelling": spelling,
            "overhead_ms": overhead,
            "left_out": missing,
        }


def parts_of(trial: Trial, n_folds: int, ask_folds: int) -> tuple[Trial, list[Part]]:
    """(places of the queries to learn from, places of the queries to ask) of each fold, and the trial that asks just
    these."""
    if trial.asked is not trial.judged:
        return trial, [(np.arange(len(trial.judged)), trial.places)]
    fold = folds(trial.judged.queries, n_folds, trial.seed)
    asked = np.concatenate([np.flatnonzero(fold == i) for i in range(ask_folds or n_folds)])
    starts = np.cumsum([0, *(int((fold == i).sum()) for i in range(n_folds))])
    parts = [(np.flatnonzero(fold != i), np.arange(starts[i], starts[i + 1])) for i in range(ask_folds or n_folds)]
    return replace(trial, asked=trial.judged.take(asked)), parts


def learned_shops(
    trial: Trial, examples: Examples, parts: Sequence[Part], tell: Tell, *, remember_queries: bool = True
) -> list[tuple[Snapshot, NDArray[np.intp]]]:
    """The snapshot that answers the queries of each fold."""
    memory = remember(examples, trial.judged, trial.snapshot) if remember_queries else None
    found = []
    for i, (learn, ask) in enumerate(parts):
        tell("Learning the order", i, len(parts))
        known = memory.take(learn) if memory is not None else None
        ranker = fit_ranker(examples, learn.tolist(), known, trial.snapshot, seed=trial.seed)
        found.append((with_order(trial.snapshot, ranker, known), ask))
        tell("Learning the order", i + 1, len(parts))
    return found


def answers(trial: Trial, parts: Sequence[tuple[Snapshot, NDArray[np.intp]]], stage: str, tell: Tell) -> Ranking:
    """Each query once, by the snapshot of its fold: the first `DEPTH` products, and the time of a whole page."""
    n = len(trial.asked)
    rows = [np.empty(0, np.int32)] * n
    scores = [np.empty(0, np.float32)] * n
    took_ms = [0.0] * n
    done = 0
    for snapshot, places in parts:
        engine = trial.with_snapshot(snapshot)
        engine.answer(Request("search", NOW_MS, query="warm up"), History.empty())
        for place in places.tolist():
            started = time.perf_counter()
            found = engine.answer(Request("search", NOW_MS, query=trial.asked.queries[place]), History.empty())
            present(found, 0, _PAGE, trial.store.catalogue)
            took_ms[place] = (time.perf_counter() - started) * 1000
            rows[place] = unfolded(found)[:DEPTH]
            scores[place] = 1 / np.arange(1, len(rows[place]) + 1, dtype=np.float32)
            done += 1
            if done % 50 == 0 or done == n:
                tell(stage, done, n)
    return Ranking(rows, scores, took_ms)


def _row(measured: Measured, took_ms: Sequence[float], rng: np.random.Generator) -> dict[str, Any]:
    """The means with their intervals, and percentiles of the time of one answer."""
    means = summary(measured, rng)
    p50, p95, p99 = np.percentile(took_ms, (50, 95, 99))
    return {
        **{name: round(interval.mean, 4) for name, interval in means.items()},
        "intervals": {name: rounded(interval)[1:] for name, interval in means.items()},
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p99_ms": round(float(p99), 2),
    }


def rounded(interval: Any) -> list[float]:
    return [round(float(value), 4) for value in (interval.mean, interval.low, interval.high)]


def write_run(path: Path, trial: Trial, ranking: Ranking) -> None:
    """query, product_id, rank (from 1), score (1 / rank): CSV, or Parquet by the file's name."""
    import polars as pl

    ids = trial.snapshot.columns.ids
    rows: Mapping[str, list[Any]] = {"query": [], "product_id": [], "rank": [], "score": []}
    for query, found, scores in zip(trial.asked.queries, ranking.rows, ranking.scores, strict=True):
        rows["query"] += [query] * len(found)
        rows["product_id"] += [ids[row] for row in found]
        rows["rank"] += range(1, len(found) + 1)
        rows["score"] += scores.tolist()
    frame = pl.DataFrame(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)


def cache_folder(data: Path) -> Path:
    """Where vectors of this data are kept between runs."""
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
    return Path.home() / ".cache" / "wares" / "bench" / name
