"""The figures of `wares bench sequence`: a table in the terminal, or one HTML file with charts."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from rich.console import Console

from wares.app.commands.tables import new_table
from wares.evaluation.charts import Point, scatter
from wares.evaluation.web_page import side_by_side, web_page

_Read = Callable[[Mapping[str, Any]], float | None]
# (title, what it says, unit, name -> what to read of one size); the second series has the second colour
_CHARTS: Sequence[tuple[str, str, str, Mapping[str, _Read]]] = (
    (
        "What a step of training takes",
        "256 histories of 16 events, 1,024 sampled products, one thread: the middle step by the clock and of the "
        "processor.",
        "milliseconds",
        {"clock": lambda one: one.get("step_ms"), "processor": lambda one: one.get("step_cpu_ms")},
    ),
    (
        "How much memory it takes",
        "The most that training and answering took.",
        "megabytes",
        {"training": lambda one: one.get("train_peak_mb"), "answering": lambda one: one["serve_peak_mb"]},
    ),
    (
        "How long scoring all products takes",
        "Of one shopper, one thread: p99 and p50.",
        "milliseconds",
        {
            "p99": lambda one: one["parts"]["score"]["p99_ms"],
            "p50": lambda one: one["parts"]["score"]["p50_ms"],
        },
    ),
    (
        "How long a whole answer takes",
        "50 events to u, all scores, the best 10; one thread: p99 and p50.",
        "milliseconds",
        {"p99": lambda one: one["p99_ms"], "p50": lambda one: one["p50_ms"]},
    ),
)
_LINES: Mapping[str, _Read] = {
    "parameters": lambda one: one.get("parameters"),
    "training step, ms": lambda one: one.get("step_ms"),
    "  of the processor, ms": lambda one: one.get("step_cpu_ms"),
    "steps timed": lambda one: one.get("steps"),
    "memory training, MB": lambda one: one.get("train_peak_mb"),
    "memory answering, MB": lambda one: one["serve_peak_mb"],
    "answer p50, ms": lambda one: one["p50_ms"],
    "answer p95, ms": lambda one: one["p95_ms"],
    "answer p99, ms": lambda one: one["p99_ms"],
    "  of the processor p50, ms": lambda one: one["cpu_p50_ms"],
    "  of the processor p99, ms": lambda one: one["cpu_p99_ms"],
    "  encoding p50, ms": lambda one: one["parts"]["encode"]["p50_ms"],
    "  scoring p50, ms": lambda one: one["parts"]["score"]["p50_ms"],
    "  the best 10 p50, ms": lambda one: one["parts"]["top"]["p50_ms"],
}


def sequence_html(measured: Mapping[str, Any]) -> str:
    """The whole page: a chart each over the number of products, and what was made up."""
    charts = (_chart(measured["sizes"], *chart) for chart in _CHARTS)
    notes = "".join(f"<li>{escape(note)}</li>" for note in measured["notes"])
    machine = ", ".join(f"{name}: {value}" for name, value in measured["machine"].items())
    title = "What the shopper model costs"
    told = [f"<h1>{title}</h1>", f"<p>{escape(_answer(measured))}</p>", f"<ul>{notes}</ul>"]
    return web_page(title, [*told, f'<p class="quiet">{escape(machine)}</p>', side_by_side(charts)])


def print_sequence(console: Console, figures: Mapping[str, Any]) -> None:
    """A column per size, and the answer that is to be fast."""
    sizes = figures["sizes"]
    table = new_table("", *(f"{one['products']:,}" for one in sizes), right=range(1, len(sizes) + 1))
    for name, read in _LINES.items():
        table.add_row(name, *(f"{value:,}" if (value := read(one)) is not None else "–" for one in sizes))
    console.print(table)
    console.print(_answer(figures), style="bold")
    for note in figures["notes"]:
        console.print(note, style="dim")


def _answer(figures: Mapping[str, Any]) -> str:
    one = figures["answer"]
    held = "within" if one["p99_ms"] <= one["target_p99_ms"] else "above"
    asked = f"{one['events']} events, {one['products']:,} products, the best {one['k']}"
    return (
        f"{asked}, {one['requests']:,} requests on one thread: p50 {one['p50_ms']} ms, p95 {one['p95_ms']} ms, p99 "
        f"{one['p99_ms']} ms, {held} the target of {one['target_p99_ms']:g} ms (of the processor: p99 "
        f"{one['cpu_p99_ms']} ms)."
    )


def _chart(sizes: Sequence[Mapping[str, Any]], title: str, meaning: str, unit: str, series: Mapping[str, _Read]) -> str:
    points = [
        Point(f"{name} {value:,.3g}", one["products"], value, other=place > 0)
        for place, (name, read) in enumerate(series.items())
        for one in sizes
        if (value := read(one)) is not None
    ]
    caption = f"<figcaption><strong>{escape(title)}</strong><span>{escape(meaning)}</span></figcaption>"
    return f"<figure>{caption}{scatter(title, points, 'products', unit)}</figure>"
