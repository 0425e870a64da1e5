"""A table of results as one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from wares.evaluation.charts import Bar, Point, bars, differences, scatter
from wares.evaluation.intervals import Interval
from wares.evaluation.table import EvaluationTable, Line
from wares.evaluation.web_page import figure, side_by_side, web_page

NONE = Interval(float("nan"))
MEANING: Mapping[str, str] = {  # what stands before the @ of a metric's name
    "recall": "Share of what was bought that stands among the first k.",
    "ndcg": "The same, with early places worth more.",
    "hit": "Share of shoppers for whom at least one product was right.",
    "mrr": "One divided by the place of the first right product.",
    "new recall": "Recall of products that the shopper never bought before, among all such products.",
    "novelty": "How far from best-sellers the shown products are, in bits.",
    "category share": "Distinct categories per shown product: higher is more varied.",
    "coverage": "Share of the catalogue that somebody was shown.",
    "gini": "How unequally products are shown: 0 = all alike, 1 = one product takes all.",
}


def report_html(table: EvaluationTable, title: str, notes: Sequence[str] = (), command: str = "") -> str:
    """The whole page. `notes` say what data was used; `command` is the one that prints these figures."""
    first = table.metrics[0]
    measured = [name for name in table.metrics if any(_has_interval(line, name) for line in table.lines)]
    together = [name for name in table.metrics if name not in measured]
    compared = [line for line in table.lines if line.system != table.reference]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{len(table.lines)} systems, {table.asked:,} questions each, the first {table.k} places. Whiskers are 95% "
        f"bootstrap intervals; <strong>{escape(table.reference)}</strong> is the reference.</p>",
        f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else "",
        f"<pre><code>{escape(command)}</code></pre>" if command else "",
        "<h2>How good the answers are</h2>",
        side_by_side(
            figure(name, _meaning(name), bars(name, _lines(table, name), _digits(table, name))) for name in measured
        ),
    ]
    if compared:
        parts += [
            f"<h2>Against {escape(table.reference)}</h2>",
            '<p class="quiet">Paired differences, same questions. A filled dot: the interval does not hold 0.</p>',
            side_by_side(
                figure(
                    name,
                    "",
                    differences(
                        f"{name} against {table.reference}",
                        [Bar(line.system, line.differences.get(name, NONE)) for line in compared],
                        _digits(table, name),
                    ),
                )
                for name in measured
            ),
        ]
    parts += [
        "<h2>What it costs and what the shop shows</h2>",
        side_by_side(
            [
                figure(f"{first} against time", "Scoring only, on the machine that ran this.", _cost(table, first)),
                *(figure(name, _meaning(name), bars(name, _lines(table, name))) for name in together),
            ]
        ),
        "<h2>All figures</h2>",
        _numbers(table),
    ]
    return web_page(title, parts)


def write_report(path: Path, table: EvaluationTable, title: str, notes: Sequence[str] = (), command: str = "") -> None:
    """Write `report_html` to a file."""
    path.write_text(report_html(table, title, notes, command), encoding="utf-8")


def _lines(table: EvaluationTable, name: str) -> list[Bar]:
    return [Bar(line.system, line.metrics.get(name, NONE), line.system == table.reference) for line in table.lines]


def _cost(table: EvaluationTable, name: str) -> str:
    points = [
        Point(
            line.system,
            1000 * line.seconds / max(1, table.asked),
            line.metrics.get(name, NONE).mean,
            line.system == table.reference,
        )
        for line in table.lines
    ]
    return scatter(f"{name} against time", points, "milliseconds per question", name)


def _numbers(table: EvaluationTable) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (*table.metrics, "seconds"))
    body = []
    for line in table.lines:
        mark = " <small>reference</small>" if line.system == table.reference else ""
        cells = "".join(_cell(line.metrics.get(name, NONE), _digits(table, name)) for name in table.metrics)
        body.append(f'<tr><th scope="row">{escape(line.system)}{mark}</th>{cells}<td>{line.seconds:.2f}</td></tr>')
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="All figures"><table><thead><tr>'
        f'<th scope="col">system</th>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def _cell(value: Interval, digits: int) -> str:
    if math.isnan(value.mean):
        return "<td>–</td>"
    bounds = "" if math.isnan(value.low) else f"<small>{value.low:.{digits}f} to {value.high:.{digits}f}</small>"
    return f"<td>{value.mean:.{digits}f}{bounds}</td>"


def _digits(table: EvaluationTable, name: str) -> int:
    """Four digits after the point; two for a metric that goes beyond 1 (bits)."""
    return 2 if any(line.metrics.get(name, NONE).mean > 1 for line in table.lines) else 4


def _has_interval(line: Line, name: str) -> bool:
    return not math.isnan(line.metrics.get(name, NONE).low)


def _meaning(name: str) -> str:
    return MEANING.get(name.split("@")[0], "")
