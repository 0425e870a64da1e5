"""The figures of `wares bench recommend`: tables in the terminal, or one HTML file with what quality costs."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from rich.console import Console

from wares.app.commands.tables import new_table
from wares.evaluation.charts import Point, scatter
from wares.evaluation.web_page import side_by_side, web_page

_Read = Callable[[Mapping[str, Any]], float | None]
# (title, what it says, unit, what to read of one row)
_CHARTS: tuple[tuple[str, str, str, _Read], ...] = (
    ("What learning costs", "Seconds of the processor, all cores together.", "seconds", lambda row: row["fit_cpu_s"]),
    ("What asking costs", "The same, for one answer to each user.", "seconds", lambda row: row["ask_cpu_s"]),
    ("What it takes of memory", "Learning and asking, at most.", "megabytes", lambda row: row["memory_mb"]),
)
_LEAST = 0.01  # what costs nothing has no place on a logarithmic axis


def recommend_html(measured: Mapping[str, Any]) -> str:
    """The whole page: recall@10 of each row, fitted on train, over what it costs; the reference in the first colour."""
    fit = measured["fits"]["train"]
    charts = (_chart(fit["rows"], fit["reference"], *chart) for chart in _CHARTS)
    notes = "".join(f"<li>{escape(note)}</li>" for note in measured["notes"])
    about = f"{measured['data']}: {measured['asked']:,} users, {measured['items']:,} items, fitted on train"
    title = "Quality and cost"
    told = [f"<h1>{title}</h1>", f"<p>{escape(about)}</p>", f'<ul class="quiet">{notes}</ul>']
    return web_page(title, [*told, side_by_side(charts)])


def print_recommend(console: Console, figures: Mapping[str, Any]) -> None:
    """A table per fit, the shuffled ones last."""
    for name, fit in figures["fits"].items():
        _print_fit(console, f"Fitted on {name}", fit)
    if shuffled := figures.get("shuffled_ties"):
        share = f"{shuffled['in_order']:.0%} of neighbours are in order of {shuffled['by']}"
        for name, fit in shuffled["fits"].items():
            _print_fit(console, f"Fitted on {name}, those shuffled that may be of one day ({share})", fit)
    for note in figures["notes"]:
        console.print(note, style="dim")


def _print_fit(console: Console, title: str, fit: Mapping[str, Any]) -> None:
    against = f"{fit['reference']} minus it"
    console.print(title, style="bold")
    table = new_table("", "recall@10", "ndcg@10", against, "fit, s", "ask, s", "MB", right=range(1, 7))
    for name, row in fit["rows"].items():
        minus = fit["reference_minus"].get(name, {}).get("recall@10")
        paired = f"{minus['difference']:+.4f} ({minus['low']:+.4f} to {minus['high']:+.4f})" if minus else ""
        recall = f"{row['recall@10']:.4f} ({row['low']:.4f} to {row['high']:.4f})"
        memory = f"{row['memory_mb']:,.0f}" if row["memory_mb"] is not None else "–"
        took = (f"{row['fit_cpu_s']:,.1f}", f"{row['ask_cpu_s']:,.1f}")
        table.add_row(name, recall, f"{row['ndcg@10']:.4f}", paired, *took, memory)
    console.print(table)


def _chart(rows: Mapping[str, Any], reference: str, title: str, meaning: str, unit: str, read: _Read) -> str:
    points = [
        Point(f"{name} {row['recall@10']:.4f}", max(value, _LEAST), row["recall@10"], other=name != reference)
        for name, row in rows.items()
        if (value := read(row)) is not None
    ]
    caption = f"<figcaption><strong>{escape(title)}</strong><span>{escape(meaning)}</span></figcaption>"
    return f"<figure>{caption}{scatter(title, points, unit, 'recall@10')}</figure>"
