"""The figures of `wares bench scale`: a table in the terminal, or one HTML file with charts."""

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
        "How long an answer takes",
        "One search with facets, 24 hits. By the clock: p50 and p95.",
        "milliseconds",
        {"p95": lambda one: one["search"]["p95_ms"], "p50": lambda one: one["search"]["p50_ms"]},
    ),
    (
        "How long an answer keeps the processor",
        "The same searches, p50 and p95.",
        "milliseconds",
        {"p95": lambda one: one["search"]["cpu_p95_ms"], "p50": lambda one: one["search"]["cpu_p50_ms"]},
    ),
    (
        "How much memory it takes",
        "The most that building and answering took.",
        "megabytes",
        {"building": lambda one: one["build_peak_mb"], "answering": lambda one: one["ask_peak_mb"]},
    ),
    (
        "How long building takes",
        "With every text encoded; estimated where their vectors were varied.",
        "seconds",
        {"building": lambda one: one["full_build_s"]},
    ),
    (
        "How much disk it takes",
        "The catalogue and the snapshot.",
        "megabytes",
        {"snapshot": lambda one: one["disk_mb"]["snapshot"], "catalogue": lambda one: one["disk_mb"]["catalogue"]},
    ),
)


def scale_html(measured: Mapping[str, Any]) -> str:
    """The whole page: a chart each over the number of products, and what was estimated."""
    charts = (_chart(measured["sizes"], *chart) for chart in _CHARTS)
    notes = "".join(f"<li>{escape(note)}</li>" for note in measured["notes"])
    machine = ", ".join(f"{name}: {value}" for name, value in measured["machine"].items())
    title = "How a shop grows"
    told = [f"<h1>{title}</h1>", f"<ul>{notes}</ul>", f'<p class="quiet">{escape(machine)}</p>']
    return web_page(title, [*told, side_by_side(charts)])


def print_scale(console: Console, figures: Mapping[str, Any]) -> None:
    """A column per size."""
    sizes = figures["sizes"]
    table = new_table("", *(f"{one['products']:,}" for one in sizes), right=range(1, len(sizes) + 1))
    for name, read in _LINES.items():
        table.add_row(name, *(f"{value:,}" if (value := read(one)) is not None else "–" for one in sizes))
    for step in dict.fromkeys(step for one in sizes for step in one["steps_s"]):
        table.add_row(f"  {step}, s", *(f"{one['steps_s'].get(step, 0):,}" for one in sizes))
    console.print(table)
    for note in figures["notes"]:
        console.print(note, style="dim")


_LINES: Mapping[str, _Read] = {
    "answer p50, ms": lambda one: one["search"]["p50_ms"],
    "answer p95, ms": lambda one: one["search"]["p95_ms"],
    "answer p99, ms": lambda one: one["search"]["p99_ms"],
    "  of the processor p50, ms": lambda one: one["search"]["cpu_p50_ms"],
    "  of the processor p95, ms": lambda one: one["search"]["cpu_p95_ms"],
    "  of the processor p99, ms": lambda one: one["search"]["cpu_p99_ms"],
    "first answer, s": lambda one: one["first_answer_s"],
    "memory answering, MB": lambda one: one["ask_peak_mb"],
    "memory building, MB": lambda one: one["build_peak_mb"],
    "catalogue on disk, MB": lambda one: one["disk_mb"]["catalogue"],
    "snapshot on disk, MB": lambda one: one["disk_mb"]["snapshot"],
    "encoding a text, ms": lambda one: one["encode_ms_per_text"],
    "building with every text encoded, s": lambda one: one["full_build_s"],
    "building as measured, s": lambda one: one["build_s"],
}


def _chart(sizes: Sequence[Mapping[str, Any]], title: str, meaning: str, unit: str, series: Mapping[str, _Read]) -> str:
    points = [
        Point(f"{name} {value:,.3g}", one["products"], value, other=place > 0)
        for place, (name, read) in enumerate(series.items())
        for one in sizes
        if (value := read(one)) is not None
    ]
    caption = f"<figcaption><strong>{escape(title)}</strong><span>{escape(meaning)}</span></figcaption>"
    return f"<figure>{caption}{scatter(title, points, 'products', unit)}</figure>"
