"""Event logs written by hand, with faults in them, and what a reader said of each."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wares.domain.event import Event
from wares.feeds.event_feed import read_event_feed
from wares.feeds.report import Finding, ImportReport

NOW_MS = 1_780_000_000_000


def read_log(folder: Path, name: str, text: str, **options: Any) -> tuple[list[Event], ImportReport]:
    """Events and report of a log written to a file of this name; the invariants hold."""
    path = folder / name
    path.write_text(text.lstrip("\n"), encoding="utf-8")
    reading = read_event_feed(path, **{"now_ms": NOW_MS, "currency": "EUR", **options})
    events = list(reading)
    report = reading.report
    assert report.read == report.kept + report.rejected
    assert report.kept == len(events)
    for finding in (*report.rejections, *report.repairs, *report.remarks):
        for example in finding.examples:
            assert example.file == str(path) and example.line and example.fix, example
    return events, report


def told(findings: Iterable[Finding]) -> dict[str, list[tuple[int, str, str]]]:
    """Rule -> (line, field, value) of every example."""
    return {finding.rule: [(e.line, e.field, e.value) for e in finding.examples] for finding in findings}


def fix_of(findings: Iterable[Finding], rule: str) -> str:
    (finding,) = [finding for finding in findings if finding.rule == rule]
    return finding.examples[0].fix
