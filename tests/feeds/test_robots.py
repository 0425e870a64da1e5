"""Robots are found by what they do: the rule with its numbers, and who is none however much they buy."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from messy_logs import NOW_MS, read_log, told

import wares.feeds.robots
from wares.domain.event import Event, EventKind
from wares.feeds.dialects.online_retail import OnlineRetail
from wares.feeds.event_feed import read_event_feed
from wares.feeds.readers import Row
from wares.feeds.report import ImportReport
from wares.feeds.robots import HOUR_MS, PER_DAY, PER_HOUR
from wares.feeds.values import DAY_MS

MIDNIGHT_MS = NOW_MS // DAY_MS * DAY_MS - DAY_MS
HOURLY, DAILY = "left out: robots, more than 300 looks in an hour", "left out: robots, more than 1,500 looks in a day"
DOCS = Path(__file__).resolve().parents[2] / "docs"


def row(time_ms: int, shopper: str | None = "r", kind: str = "view", product: str = "mug") -> Row:
    return {"kind": kind, "time": time_ms, "shopper_id": shopper, "product_id": product, "query": "mug"}


def looks(n: int, every_ms: int, shopper: str | None = "r", start_ms: int = MIDNIGHT_MS) -> list[Row]:
    return [row(start_ms + i * every_ms, shopper) for i in range(n)]


def read(rows: list[Row], **options: Any) -> tuple[list[Event], ImportReport]:
    reading = read_event_feed(rows, now_ms=NOW_MS, dialect="wares", **options)
    events, report = list(reading), reading.report
    assert (report.read, report.kept) == (len(rows), len(events))
    assert report.read == report.kept + report.rejected
    return events, report


def test_three_hundred_looks_in_an_hour_are_a_persons_and_one_more_is_a_robots() -> None:
    assert read(looks(PER_HOUR, 1_000))[1].rejected == 0
    report = read(looks(PER_HOUR + 1, 1_000))[1]
    assert report.rejected_by_reason == {HOURLY: 1}
    assert report.robots == {"more than 300 looks in an hour": 1}


def test_fifteen_hundred_looks_in_a_day_are_a_persons_and_one_more_is_a_robots() -> None:
    pace_ms = DAY_MS // (PER_DAY + 1)
    assert read(looks(PER_DAY, pace_ms))[1].rejected == 0
    assert read(looks(PER_DAY + 1, pace_ms))[1].rejected_by_reason == {DAILY: 1}
    slow = looks(10_000, HOUR_MS // 50, start_ms=MIDNIGHT_MS - 20 * DAY_MS)
    assert read(slow)[1].rejected == 0, "50 an hour, however long"


def test_what_a_robot_does_later_is_left_out_but_what_it_buys_is_kept() -> None:
    later_ms = MIDNIGHT_MS + 20 * HOUR_MS
    after = [row(later_ms, kind=kind) for kind in ("search", "cart", "purchase", "refund")]
    events, report = read(looks(400, 1_000) + after + [row(later_ms, "anna")])
    assert report.rejected_by_reason == {HOURLY: 102}
    assert [(event.shopper_id, event.kind.value) for event in events[-3:]] == [
        ("r", "purchase"), ("r", "refund"), ("anna", "view"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["purchase", "cart", "wish", "like", "refund"])
def test_a_wholesale_buyer_with_hundreds_of_lines_at_once_is_no_robot(kind: str) -> None:
    assert read([row(MIDNIGHT_MS, "w", kind, f"p{i}") for i in range(2_000)])[1].rejected == 0


def test_nobody_is_no_robot() -> None:
    assert read(looks(2_000, 1_000, shopper=None))[1].rejected == 0


def test_the_order_of_the_lines_does_not_matter() -> None:
    rows = [one for n in range(20) for one in looks(320, 1_000, f"r{n}") + looks(290, 1_000, f"s{n}")]
    random.Random(7).shuffle(rows)
    report = read(rows)[1]
    assert report.rejected_by_reason == {HOURLY: 20 * 20}
    assert report.robots == {"more than 300 looks in an hour": 20}


def test_the_report_tells_how_many_where_first_and_how_to_keep_them() -> None:
    rows = [row(MIDNIGHT_MS, "anna"), *looks(310, 1_000), *looks(305, 1_000, "s")]
    _, report = read(rows)
    (finding,) = report.rejections
    assert (finding.count, finding.examples[0].line) == (15, 302)
    assert "--keep-robots" in finding.examples[0].fix
    (note,) = report.notes
    assert note.startswith("Robots: 2 shoppers with more than 300 looks in an hour, first in line 302.")
    assert "their first 300 looks had passed" in note and "--keep-robots" in note
    assert report.unreadable == 0


def test_robots_can_be_kept_and_are_still_counted() -> None:
    _, report = read(looks(310, 1_000), keep_robots=True)
    assert (report.kept, report.rejected) == (310, 0)
    assert told(report.remarks)["robots, more than 300 looks in an hour"][0][0] == 301
    assert report.robots == {"more than 300 looks in an hour": 1} and "They are kept." in report.notes[0]


def test_programs_that_say_so_can_be_kept_too(tmp_path: Path) -> None:
    line = (
        '{"type":"track","event":"Product Viewed","messageId":"m1","anonymousId":"a",'
        '"timestamp":"2026-01-31T12:00:00Z","properties":{"product_id":"mug"},"context":{"userAgent":"Googlebot/2.1"}}\n'
    )
    assert read_log(tmp_path, "log.jsonl", line)[1].rejected_by_reason == {"left out: bots": 1}
    _, report = read_log(tmp_path, "log.jsonl", line, keep_robots=True)
    assert report.rejected == 0 and list(told(report.remarks)) == ["bots"]


def test_a_row_with_several_items_is_one_look() -> None:
    def rows(n: int) -> Iterator[Row]:
        for i in range(n):
            items = [{"item_id": "mug"}, {"item_id": "pot"}, {"item_id": "jar"}]
            time = (MIDNIGHT_MS + i) * 1_000
            yield {"event_name": "view_item", "event_timestamp": time, "user_pseudo_id": "a", "items": items}

    for n, rejected in ((PER_HOUR, 0), (PER_HOUR + 2, 6)):
        reading = read_event_feed(rows(n), now_ms=NOW_MS, dialect="ga4")
        assert (len(list(reading)), reading.report.rejected) == (3 * n - rejected, rejected)


def test_however_many_shoppers_there_are_memory_is_bounded_and_nobody_is_taken_for_a_robot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wares.feeds.robots, "MOST_COUNTED", 1_000)
    robots = wares.feeds.robots.Robots()
    line = 0
    for hour in range(30):
        for n in range(200):
            for shopper in (f"s{hour}-{n}", "busy"):
                line += 1
                event = Event(EventKind.VIEW, MIDNIGHT_MS + hour * HOUR_MS + n, shopper, "mug")
                assert not robots.rule_of(event, line) or shopper == "busy"
                assert len(robots._looks) <= 1_001
    assert robots.rule_of(Event(EventKind.VIEW, MIDNIGHT_MS, "busy", "mug"), line + 1) != ""


@settings(max_examples=40, deadline=None)
@given(
    log=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.sampled_from(["view", "search", "purchase"])),
        max_size=60,
    )
)
def test_by_any_log_somebody_is_a_robot_exactly_if_an_hour_or_a_day_had_too_many_looks(
    log: list[tuple[str, int, str]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wares.feeds.robots, "PER_HOUR", 4)
        patch.setattr(wares.feeds.robots, "PER_DAY", 9)
        counts: dict[tuple[str, int], int] = {}
        expected = []
        robots: set[str] = set()
        for shopper, hour, kind in log:
            if kind != "purchase" and shopper not in robots:
                for span in (hour, -1):
                    counts[shopper, span] = counts.get((shopper, span), 0) + 1
                if counts[shopper, hour] > 4 or counts[shopper, -1] > 9:
                    robots.add(shopper)
            expected.append(kind == "purchase" or shopper not in robots)
        rows = [row(MIDNIGHT_MS + hour * HOUR_MS, shopper, kind) for shopper, hour, kind in log]
        events, _ = read(rows)
        assert len(events) == sum(expected)
        assert [event.shopper_id for event in events] == [
            one[0] for one, kept in zip(log, expected, strict=True) if kept
        ]


def test_the_docs_tell_the_rule_with_its_numbers() -> None:
    text = (DOCS / "how-to" / "import-your-data.md").read_text(encoding="utf-8")
    assert f"{PER_HOUR:,} looks" in text and f"{PER_DAY:,} looks" in text and "--keep-robots" in text


def test_no_customer_of_a_real_shop_is_a_robot(tmp_path: Path) -> None:
    """UCI's Online Retail, where one customer has 422 lines in an hour; here a cut of it written by hand."""
    lines = pl.DataFrame(
        {
            "InvoiceNo": ["580001"] * 422,
            "StockCode": [f"{20_000 + i}" for i in range(422)],
            "Description": ["MUG"] * 422,
            "Quantity": [1] * 422,
            "InvoiceDate": ["2011-09-30 15:00:00"] * 422,
            "UnitPrice": [1.0] * 422,
            "CustomerID": [18287] * 422,
            "Country": ["United Kingdom"] * 422,
        }
    )
    path = tmp_path / "retail.parquet"
    lines.write_parquet(path)
    reading = OnlineRetail(path, now_ms=NOW_MS).events()
    assert len(list(reading)) == 422 and not reading.report.robots
