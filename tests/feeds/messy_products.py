"""Product feeds written by hand, with faults in them, and what a reader said of each."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wares.domain.product import Product
from wares.feeds.products import read_products
from wares.feeds.report import Finding, ImportReport

NOW_MS = 1_780_000_000_000


def read_feed(folder: Path, name: str, text: str | bytes, **options: Any) -> tuple[dict[str, Product], ImportReport]:
    """Products by id and the report of a feed written to a file of this name; the invariants hold."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.lstrip("\n").encode("utf-8"))
    reading = read_products(path, **{"now_ms": NOW_MS, "currency": "EUR", **options})
    products = list(reading)
    report = reading.report
    assert report.read == report.kept + report.rejected
    for finding in (*report.rejections, *report.repairs, *report.remarks):
        for example in finding.examples:
            assert example.file == str(path) and example.fix, example
    return {product.id: product for product in products}, report


def told(findings: Iterable[Finding]) -> dict[str, list[tuple[int, str, str]]]:
    """Rule -> (line, field, value) of every example."""
    return {finding.rule: [(e.line, e.field, e.value) for e in finding.examples] for finding in findings}


def fix_of(findings: Iterable[Finding], rule: str) -> str:
    (finding,) = [finding for finding in findings if finding.rule == rule]
    return finding.examples[0].fix


def noted(report: ImportReport, words: str) -> bool:
    """Whether a note of the report has these words in it."""
    return any(words in note for note in report.notes)


def midnight(day: str) -> int:
    """The first moment of a day in UTC, Unix ms."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
