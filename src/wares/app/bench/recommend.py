"""`wares bench recommend`: who foresees the next item best, leave-one-out on any file of sequences.

Each user's last item is the test, the one before it the validation. Two tables: every row fitted on train, and every
row fitted on train + validation with what it chose before. The whole catalogue is ranked, seen items out, ties at half.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.app.bench.recommend_cache import At, KeptRows, Measured, code_digest, learning, lesson_digest, row_key
from wares.app.bench.recommend_cost import Cost, Stopwatch, peak_above, start_peak, with_parts
from wares.app.bench.recommend_data import (
    Cut,
    Questions,
    Ranked,
    cut,
    events_of,
    measure,
    share_in_order,
    with_runs_shuffled,
)
from wares.app.bench.recommend_rows import Fitted, Items, Lesson, Row, needed
from wares.domain.interactions import Interactions
from wares.errors import InputError
from wares.evaluation.intervals import Interval, mean_intervals
from wares.feeds.sequences import ItemTexts, Sequences, read_item_texts, read_sequences
from wares.models.encoder import TextEncoder
from wares.store.vector_cache import CachedEncoder
from wares.training.progress import Tell

TRAIN, BOTH = "train", "train+validation"
METRICS = ("recall@10", "ndcg@10")
_RUN_DEPTH = 20
_Pair = tuple[Interval, Interval]  # of METRICS
_NO_DATES = (
    "The file has no dates: which items a user met on one day is not known, and neither are figures with those in "
    "random order. Where the file sorts the items of a day by a column of the items file, --ties COLUMN gives a bound."
)
_BOUND = (
    "The file has no dates. Items of one day are taken to be sorted by {key!r}, and every run in that order is "
    "shuffled: all that the order within a day gives away is gone, and some of the true order, too."
)
_KEPT = (
    "{n:,} of {of:,} rows were measured by an earlier run of the same code, data and seed ({folder}), and so were "
    "their seconds and megabytes."
)
_NOT_LATELY = "Without dates, what is popular in the last days is not known: there is no such row."


def recommend_figures(
    data: Path,
    *,
    items: Path | None,
    rows: Sequence[Row],
    seeds: int,
    seed: int,
    ties: str,
    run: Path | None,
    cache: Path,
    train_only: bool = False,
    tell: Tell,
) -> dict[str, Any]:
    """`items` has item_id, text and attributes; `ties` names its column by which events of one day are sorted ("" =
    unknown); `run`: where to write what the row "wares" (else the first one) ranked; `cache`: where vectors are kept,
    and the rows that are done, so that a run that was cut goes on; `train_only`: without the second table.

    Rows come in an order in which each stands behind those that it needs. Raises DataError, InputError for files that
    cannot be used.
    """
    sequences = read_sequences(data)
    known = read_item_texts(items, sequences.items, key=ties) if items is not None else None
    if ties and known is None:
        raise InputError(f"--ties {ties} names a column of an items file; give that file with --items.")
    given = events_of(sequences)
    parts = cut(given)
    about, encoded = _about(known, len(sequences.items), cache, tell)
    without_texts = [row for row in rows if row.needs_texts and about.vectors is None]
    without_torch = [row for row in rows if row.needs_torch and find_spec("torch") is None]
    fair = [row for row in rows if row not in without_texts and row not in without_torch]
    notes = [f"The row {row.name!r} needs texts: give an items file." for row in without_texts]
    notes += [f"The row {row.name!r} needs torch: pip install 'wares[train]'." for row in without_torch]
    if known is not None and known.unknown:
        notes.append(f"{known.unknown:,} of the items are not in {items}; they have no text and no attributes.")
    ranked = _ranked(given.n_products, seed) if run is not None else None
    trial = Trial(fair, about, range(seed, seed + seeds), KeptRows(cache), code_digest(), tell)
    figures: dict[str, Any] = {
        "data": str(data),
        "users": len(sequences.users),
        "asked": len(parts.users),
        "items": len(sequences.items),
        "events": len(sequences.rows),
        "seeds": seeds,
        "fits": trial.fits(parts, ranked, train_only=train_only),
    }
    if run is not None and ranked is not None:
        write_run(run, sequences, parts.users, ranked)
    if encoded is not None:
        figures["texts"] = encoded
    if known is not None and ties and not all(row.one_table for row in fair):
        share = share_in_order(given, known.keys)
        shuffled = cut(with_runs_shuffled(given, known.keys, np.random.default_rng(seed)))
        fits = {TRAIN: trial.fit(shuffled, "shuffled, ")}
        figures["shuffled_ties"] = {"by": ties, "in_order": round(share, 4), "fits": fits}
    if trial.n_kept:
        notes.append(_KEPT.format(n=trial.n_kept, of=trial.n_kept + trial.n_measured, folder=cache))
    figures["notes"] = [*notes, _BOUND.format(key=ties) if ties else _NO_DATES, _NOT_LATELY]
    return figures


@dataclass
class Trial:
    """Rows that learn from the same data and are asked the same; what was measured before is taken as it was."""

    rows: Sequence[Row]
    items: Items
    seeds: range
    kept: KeptRows
    code: str  # see `code_digest`
    tell: Tell
    n_kept: int = 0  # of an earlier run
    n_measured: int = 0
    _chosen: dict[At, Mapping[str, Any]] = field(default_factory=dict)

    def fits(self, parts: Cut, ranked: Ranked | None, *, train_only: bool = False) -> dict[str, Any]:
        """Both tables. What a row chose with the validation holds for its second fit."""
        self._chosen = {}
        tables = {TRAIN: self._table(TRAIN, self.rows, parts.train, parts.validation, parts.test, ranked)}
        if not train_only and (rows := self._lasting()):
            tables[BOTH] = self._table(BOTH, rows, parts.train_and_validation, None, parts.test, None)
        return tables

    def fit(self, parts: Cut, prefix: str) -> dict[str, Any]:
        """The table of the rows fitted on train, which choose with the validation, without those of one table."""
        self._chosen = {}
        return self._table(prefix + TRAIN, self._lasting(), parts.train, parts.validation, parts.test, None)

    def _lasting(self) -> list[Row]:
        return [row for row in self.rows if not row.one_table]

    def _table(
        self,
        name: str,
        rows: Sequence[Row],
        train: Interactions,
        validation: Questions | None,
        test: Questions,
        ranked: Ranked | None,
    ) -> dict[str, Any]:
        reference, first = reference_of(rows), self.seeds[0]
        digest = lesson_digest(train, validation, test, self.items)
        there = [row.name for row in rows]
        keys = {  # what a row that is not random learnt from the first seed holds for all
            (row.name, seed): row_key(self.code, digest, row, there, seed, self._chosen.get((row.name, seed), {}))
            for seed in self.seeds
            for row in rows
            if row.random or seed == first
        }
        done = {at: kept for at, key in keys.items() if (kept := self.kept.read(key)) is not None}
        if ranked is not None and (reference, first) in done and done[reference, first].ranked is None:
            del done[reference, first]
        self.n_kept += len(done)
        self.n_measured += len(keys) - len(done)
        learners = learning(rows, self.seeds, keys.keys() - done.keys())
        fitted: dict[str, Fitted] = {}
        for seed in self.seeds:
            for row in rows:
                at = (row.name, seed)
                if at not in learners:
                    continue
                stage = f"Rows, {name}"
                self.tell(stage, len(done), len(keys))
                chosen = self._chosen.get(at, {})
                lesson = Lesson(train, validation, self.items, seed, chosen, dict(fitted), self.tell)
                level = start_peak()
                begun = time.process_time()
                learnt = fitted[row.name] = row.fit(lesson)
                fit_cpu_s = time.process_time() - begun
                if at in done:
                    continue  # learnt again for others alone
                taken = ranked if at == (reference, first) else None
                asked = Stopwatch(learnt.score)
                values = measure(asked, test, on_ranked=taken)
                own = Cost(fit_cpu_s, asked.cpu_s, peak_above(level))
                parts = [done.get((part, seed)) or done[part, first] for part in learnt.parts]
                chosen_by = None if learnt.parts else validation  # weights of a blend were learnt there
                done[at] = Measured(
                    values,
                    measure(learnt.score, chosen_by) if chosen_by is not None else None,
                    with_parts(own, [part.cost for part in parts]),
                    learnt.chosen,
                    (taken.rows, taken.scores) if taken is not None else None,
                )
                self.kept.keep(keys[at], done[at])
                self.tell(stage, len(done), len(keys))
        self._chosen |= {at: one.chosen for at, one in done.items()}
        if ranked is not None and not ranked.rows and (found := done[reference, first].ranked) is not None:
            ranked.rows, ranked.scores = found
        by_row = {row: [done[at] for at in keys if at[0] == row] for row in there}
        return _plain(by_row, reference, first)


def reference_of(rows: Sequence[Row]) -> str:
    """The row that the others are compared with: "wares", else the first one."""
    names = [row.name for row in rows]
    return "wares" if "wares" in names else names[0]


def chosen_rows(rows: Sequence[Row], only: Sequence[str]) -> list[Row]:
    """The rows of these names, and those that they need; all where `only` is empty. Raises UnknownName."""
    return [row for row in rows if row.name in needed(rows, only)] if only else list(rows)


def write_run(path: Path, sequences: Sequences, users: NDArray[np.int32], ranked: Ranked) -> None:
    """user, item, rank (from 1), score: CSV, or Parquet by the file's name."""
    import polars as pl

    lengths = [len(rows) for rows in ranked.rows]
    names = np.array(sequences.items)
    frame = pl.DataFrame(
        {
            "user": np.repeat(np.array(sequences.users)[users], lengths),
            "item": names[np.concatenate(ranked.rows)],
            "rank": np.concatenate([np.arange(1, length + 1) for length in lengths]),
            "score": np.concatenate(ranked.scores),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)


def _about(known: ItemTexts | None, n_items: int, cache: Path, tell: Tell) -> tuple[Items, dict[str, float] | None]:
    """What is known of the items, their texts as vectors of the packaged encoder, and what encoding them took."""
    if known is None or not any(known.texts):
        return Items(("",) * n_items, known.attributes if known else ((),) * n_items, None), None
    begun = time.process_time()
    told = np.flatnonzero([bool(text) for text in known.texts])
    encoder = TextEncoder.load(threads=0)
    vectors = np.zeros((n_items, encoder.dimension), np.float32)
    done = 0

    def on_progress(more: int) -> None:
        nonlocal done
        done += more
        tell("Encoding texts", done, len(told))

    cache.mkdir(parents=True, exist_ok=True)
    with CachedEncoder(encoder, cache) as cached:
        vectors[told] = cached.encode([known.texts[i] for i in told], "passage", on_progress)
    took = {"encoded": float(len(told)), "cpu_s": round(time.process_time() - begun, 1)}
    return Items(known.texts, known.attributes, vectors), took


def _plain(by_row: Mapping[str, Sequence[Measured]], reference: str, seed: int) -> dict[str, Any]:
    """One table in plain values. One bootstrap for all of it: the same draws of users everywhere."""
    intervals, differences = _compared(
        {row: [one.values for one in each] for row, each in by_row.items()}, reference, seed
    )
    valid = {row: [one.valid for one in each if one.valid is not None] for row, each in by_row.items()}
    of_validation, chosen_by = _compared({row: each for row, each in valid.items() if each}, reference, seed)
    rows: dict[str, Any] = {}
    for name, each in by_row.items():
        recall, ndcg = intervals[name]
        costs = [one.cost for one in each]
        memory = [cost.memory_mb for cost in costs if cost.memory_mb is not None]
        rows[name] = {
            METRICS[0]: _rounded(recall.mean),
            METRICS[1]: _rounded(ndcg.mean),
            "low": _rounded(recall.low),
            "high": _rounded(recall.high),
            "fit_cpu_s": round(float(np.mean([cost.fit_cpu_s for cost in costs])), 2),
            "ask_cpu_s": round(float(np.mean([cost.ask_cpu_s for cost in costs])), 2),
            "memory_mb": round(max(memory), 1) if memory else None,
        }
        if name in of_validation:
            pairs = zip(METRICS, of_validation[name], strict=True)
            rows[name]["validation"] = {metric: _rounded(one.mean) for metric, one in pairs}
    minus = {row: _minus(pair, rows[row]) for row, pair in differences.items()}
    for row, pair in chosen_by.items():
        minus[row]["validation"] = _minus(pair, rows[row]["validation"])
    return {"rows": rows, "reference": reference, "reference_minus": minus}


def _compared(
    values: Mapping[str, Sequence[NDArray[np.float64]]], reference: str, seed: int
) -> tuple[dict[str, _Pair], dict[str, _Pair]]:
    """Recall and nDCG of each row, and of the reference minus each other one, where it is there."""
    if not values:
        return {}, {}
    means = {row: np.mean(each, axis=0) for row, each in values.items()}
    others = [row for row in means if row != reference and reference in means]
    columns = np.hstack([*means.values(), *(means[reference] - means[row] for row in others)])
    intervals = mean_intervals(columns, np.random.default_rng(seed))
    pairs = [(intervals[i], intervals[i + 1]) for i in range(0, len(intervals), 2)]
    n = len(means)
    return dict(zip(means, pairs[:n], strict=True)), dict(zip(others, pairs[n:], strict=True))


def _minus(pair: _Pair, row: Mapping[str, float]) -> dict[str, Any]:
    return {metric: _difference(one, row[metric]) for metric, one in zip(METRICS, pair, strict=True)}


def _difference(paired: Interval, other: float) -> dict[str, float | None]:
    return {
        "difference": _rounded(paired.mean),
        "low": _rounded(paired.low),
        "high": _rounded(paired.high),
        "relative": round(paired.mean / other, 4) if other else None,
    }


def _ranked(n_products: int, seed: int) -> Ranked:
    return Ranked(_RUN_DEPTH, np.random.default_rng(seed).permutation(n_products), [], [])


def _rounded(value: float) -> float:
    return round(float(value), 5)
