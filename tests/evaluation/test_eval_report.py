"""The report is one safe file that needs nothing else."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from wares.evaluation.charts import Point, scatter
from wares.evaluation.report import report_html, write_report
from wares.evaluation.table import EvaluationTable, table_of


class Tags(HTMLParser):
    """Follows the tags and fails where one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes.extend(attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def table() -> EvaluationTable:
    chance = np.random.default_rng(0)
    values = {name: chance.random((40, 2)) for name in ("popular", "<script>alert(1)</script>", "a & 'b' \"c\"")}
    values["popular"][:, 1] = np.nan
    return table_of(
        ["recall@10", "novelty"],
        values,
        chance,
        seconds=dict.fromkeys(values, 0.0),
        k=10,
        whole={name: {"coverage@10": 0.5} for name in values},
    )


def test_every_tag_is_closed_and_nothing_is_fetched(table: EvaluationTable) -> None:
    page = report_html(table, "Groceries", ["A note"], "wares eval")
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert not [a for a in tags.attributes if a[0] in ("src", "href") or a[0].startswith("on")]
    assert not re.search(r"https?://|url\(|@import", page)


def test_names_and_notes_are_escaped(table: EvaluationTable) -> None:
    page = report_html(table, "<b>bold</b>", ["1 < 2"], "wares eval > out && rm")
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "1 &lt; 2" in page
    assert "out &amp;&amp; rm" in page


def test_every_chart_can_be_heard_and_every_figure_read(table: EvaluationTable) -> None:
    page = report_html(table, "Groceries")
    assert page.count("<svg") == page.count('role="img"') == page.count("aria-label=") - 1
    assert "nan" not in page.lower()
    assert f"{table.line('popular').metrics['recall@10'].mean:.4f}" in page
    assert "prefers-color-scheme: dark" in page


def test_one_system_alone_has_a_report_without_differences() -> None:
    values = {"only": np.zeros((3, 1))}
    table = table_of(["recall@10"], values, np.random.default_rng(0), seconds={"only": 0.1}, k=10)
    assert "Against" not in report_html(table, "Alone")


def test_labels_of_points_in_one_place_do_not_lie_on_each_other() -> None:
    drawn = scatter("cost", [Point(f"system {i}", 1.0, 0.5) for i in range(6)], "ms", "recall")
    places = re.findall(r'class="label" x="([^"]+)" y="([^"]+)" text-anchor="([^"]+)"', drawn)
    assert len(places) == len(set(places)) == 6


def test_the_report_is_written_as_one_file(table: EvaluationTable, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", table, "Groceries – Übersicht")
    assert "Übersicht" in (tmp_path / "report.html").read_text(encoding="utf-8")
