"""`wares bench cold`: who finds the buyers of products that nobody has touched yet?

The log is cut; each purchase, after the cut, of a product that nobody touched before it is one question, and only such
products are ranked (`evaluation/splits.py:split_cold_products`). Every row learns from what lay before the cut.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from wares.app.bench.cold_rows import PLACES as K
from wares.app.bench.cold_rows import WARES, ColdLesson, ColdRow, Rated
from wares.app.commands.tables import new_table
from wares.contracts import Floats
from wares.domain.shopper import History
from wares.engine.learnt import current_snapshot
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.errors import InputError, TrainingError, UnknownName
from wares.evaluation.intervals import mean_intervals
from wares.evaluation.replay import cold_product_table
from wares.evaluation.splits import ColdProducts, split_cold_products
from wares.training.progress import Tell

METRICS = (f"recall@{K}", "mrr")
_RESAMPLES = 1_000
Values = NDArray[np.float64]  # (purchases, 2), a column per metric


def cold_figures(
    folder: Path,
    settings: Settings,
    *,
    days: int,
    earlier: int,
    rows: Sequence[ColdRow],
    seeds: int,
    seed: int,
    run: Path | None,
    tell: Tell,
) -> dict[str, Any]:
    """One line per row, and the paired difference of "wares" (else the first row) to each of the others.

    Rows come in an order in which each stands behind those that it needs. `run`: where to write the 20 products that
    the reference ranked highest for each shopper, with the first seed. Raises TrainingError without a snapshot,
    InputError where no cold product was bought by somebody with a history.
    """
    snapshot, _ = current_snapshot(folder, settings)
    if not snapshot.name:
        raise TrainingError("Nothing is learnt yet. Run `wares train` first.")
    split = split_cold_products(snapshot.interactions, days, earlier)
    if not len(split):
        raise InputError(f"No known shopper with a history bought a product that is new in the {days} days.")
    fair, notes = fit_to_use(rows, snapshot)
    reference = next((row.name for row in fair if row.name == WARES), fair[0].name)
    measured = _measured(ColdLesson(split, snapshot.columns, snapshot.vectors, days, seed, {}, tell), fair, seeds)
    if run is not None:
        write_run(run, snapshot, split, measured.ranked[reference])
    means = {name: np.mean(each, axis=0) for name, each in measured.found.items()}
    return {
        "data": str(folder),
        "days": days,
        "earlier": earlier,
        "purchases": len(split),
        "shoppers": len(np.unique(split.shoppers)),
        "cold_products": len(split.products),
        "seeds": seeds,
        **compared(means, measured.costs, reference, split.shoppers, np.random.default_rng(seed)),
        "notes": notes,
    }


def fit_to_use(rows: Sequence[ColdRow], snapshot: Snapshot) -> tuple[list[ColdRow], list[str]]:
    """The rows that this shop and this machine allow, and what is to be said of the others."""
    has_texts, has_torch = snapshot.vectors.background.size > 0, find_spec("torch") is not None
    fair, notes = [], []
    for row in rows:
        if row.needs_texts and not has_texts:
            notes.append(f"The row {row.name!r} needs texts as vectors: train the shop with an encoder.")
        elif row.needs_torch and not has_torch:
            notes.append(f"The row {row.name!r} needs torch: pip install 'wares[train]'.")
        else:
            fair.append(row)
    if not fair:
        raise InputError(" ".join(notes) or "Name at least one row.")
    return fair, notes


def chosen_rows(rows: Sequence[ColdRow], only: Sequence[str]) -> list[ColdRow]:
    """The rows of these names, and those that they need; all where `only` is empty. Raises UnknownName."""
    by_name = {row.name: row for row in rows}
    wanted = set[str]()
    for name in only:
        if name not in by_name:
            raise UnknownName("row", name, by_name)
        wanted |= {name, *by_name[name].needs}
    return [row for row in rows if row.name in wanted] if only else list(rows)


@dataclass(frozen=True)
class Measured:
    """By row: what was found, once per seed; what it scored for whom with the first; and what it took."""

    found: dict[str, list[Values]] = field(default_factory=dict)
    ranked: dict[str, dict[int, Floats]] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)


def _measured(lesson: ColdLesson, rows: Sequence[ColdRow], seeds: int) -> Measured:
    measured = Measured()
    steps = sum(seeds if row.random else 1 for row in rows)
    fitted: dict[str, Rated] = {}
    for place in range(seeds):
        for row in rows:
            if place and not row.random:
                continue  # what it learnt with the first seed holds for all
            lesson.tell("Rows", sum(map(len, measured.found.values())), steps)
            begun = time.process_time()
            fitted[row.name] = row.fit(replace(lesson, seed=lesson.seed + place, fitted=dict(fitted)))
            cost = measured.costs.setdefault(row.name, {"fit_cpu_s": 0.0, "ask_cpu_s": 0.0})
            cost["fit_cpu_s"] += (time.process_time() - begun) / (seeds if row.random else 1)
            begun = time.process_time()
            system = fitted[row.name]
            if not place:
                system = _remembered(system, measured.ranked.setdefault(row.name, {}), lesson.split)
            table = cold_product_table({row.name: system}, lesson.split, np.random.default_rng(lesson.seed), k=K)
            cost["ask_cpu_s"] += (time.process_time() - begun) / (seeds if row.random else 1)
            measured.found.setdefault(row.name, []).append(table.values[row.name])
            lesson.tell("Rows", sum(map(len, measured.found.values())), steps)
    return measured


def _remembered(system: Rated, told: dict[int, Floats], split: ColdProducts) -> Rated:
    """The same; what it says of the cold products is kept by shopper."""

    def score(shopper: int, history: History) -> Floats:
        scores = system(shopper, history)
        told[shopper] = scores[split.products]
        return scores

    return score


def compared(
    means: Mapping[str, Values],
    costs: Mapping[str, Mapping[str, float]],
    reference: str,
    shoppers: NDArray[np.int32],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Each row with intervals over purchases, and the paired differences of the reference to it: over purchases, and
    over shoppers, whose purchases stay together and do not count as so many witnesses."""
    rows: dict[str, Any] = {}
    minus: dict[str, Any] = {}
    for name, found in means.items():
        intervals = mean_intervals(found, rng)
        rows[name] = {
            metric: {"mean": _rounded(one.mean), "low": _rounded(one.low), "high": _rounded(one.high)}
            for metric, one in zip(METRICS, intervals, strict=True)
        } | {part: round(cost, 2) for part, cost in costs[name].items()}
    for name in [name for name in means if name != reference]:
        away = means[reference] - means[name]
        low, high = bounds_by_shopper(away, shoppers, rng)
        minus[name] = {
            metric: {
                "difference": _rounded(one.mean),
                "low": _rounded(one.low),
                "high": _rounded(one.high),
                "low_by_shopper": _rounded(low[i]),
                "high_by_shopper": _rounded(high[i]),
            }
            for i, (metric, one) in enumerate(zip(METRICS, mean_intervals(away, rng), strict=True))
        }
    return {"rows": rows, "reference": reference, "reference_minus": minus}


def bounds_by_shopper(values: Values, shoppers: NDArray[np.int32], rng: np.random.Generator) -> tuple[Values, Values]:
    """The 95% bounds (m,) of the mean over purchases (n, m), shoppers drawn instead of purchases."""
    _, owner = np.unique(shoppers, return_inverse=True)
    s = int(owner.max(initial=-1)) + 1
    sums = np.zeros((s, values.shape[1]))
    np.add.at(sums, owner, values)
    counts = np.bincount(owner, minlength=s)
    times = rng.multinomial(s, np.full(s, 1 / s), _RESAMPLES)  # (resamples, s)
    drawn = (times @ sums) / (times @ counts)[:, None]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high


def write_run(path: Path, snapshot: Snapshot, split: ColdProducts, ranked: Mapping[int, Floats]) -> None:
    """shopper (a number of this snapshot), product, rank (from 1), score: CSV, or Parquet by the file's name."""
    import polars as pl

    ids = np.array(snapshot.columns.ids)[split.products]
    lines = []
    for shopper, scores in sorted(ranked.items()):
        best = np.argsort(-scores, kind="stable")[:K]
        lines += [(shopper, str(ids[at]), rank, float(scores[at])) for rank, at in enumerate(best.tolist(), 1)]
    frame = pl.DataFrame(lines, schema=["shopper", "product", "rank", "score"], orient="row")
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)


def print_cold(console: Console, figures: Mapping[str, Any]) -> None:
    """A line per row, the paired differences beside it."""
    told = (
        f"{figures['purchases']:,} purchases by {figures['shoppers']:,} shoppers, among {figures['cold_products']:,} "
        "products that nobody had touched"
    )
    console.print(told, style="bold")
    against = f"{figures['reference']} minus it"
    table = new_table("", *METRICS, against, f"{against}, mrr", "fit, s", "ask, s", right=range(1, 7))
    for name, row in figures["rows"].items():
        minus = figures["reference_minus"].get(name, {})
        cells = [f"{row[m]['mean']:.4f} ({row[m]['low']:.4f} to {row[m]['high']:.4f})" for m in METRICS]
        cells += [
            f"{minus[m]['difference']:+.4f} ({minus[m]['low']:+.4f} to {minus[m]['high']:+.4f})" if minus else ""
            for m in METRICS
        ]
        table.add_row(name, *cells, f"{row['fit_cpu_s']:,.1f}", f"{row['ask_cpu_s']:,.1f}")
    console.print(table)
    for note in figures["notes"]:
        console.print(note, style="dim")


def _rounded(value: float) -> float:
    return round(float(value), 5)
