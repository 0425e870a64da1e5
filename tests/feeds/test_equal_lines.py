"""Lines that say what an earlier one said: told, kept, and dropped when that is asked for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.feeds import equal_lines
from wares.feeds.event_feed import read_event_feed

NOW_MS = 1_780_000_000_000
LINE = {"kind": "purchase", "time": NOW_MS - 10_000, "shopper_id": "u", "product_id": "bread", "basket_id": "b"}


def read(rows: list[dict[str, Any]], **options: Any) -> tuple[int, Any]:
    reading = read_event_feed(rows, now_ms=NOW_MS, dialect="wares", **options)
    return sum(1 for _ in reading), reading.report


def test_two_equal_lines_of_a_basket_stay_two_and_are_told() -> None:
    n, report = read([LINE, {**LINE, "product_id": "milk"}, LINE])
    assert (n, report.read, report.kept, report.rejected) == (3, 3, 3, 0)
    (finding,) = report.remarks
    assert (finding.rule, finding.count, finding.examples[0].line) == (equal_lines.RULE, 1, 3)


def test_on_request_only_the_first_counts_and_the_others_are_among_the_rejected() -> None:
    n, report = read([LINE, LINE, LINE, {**LINE, "time": NOW_MS - 9_000}], drop_equal_lines=True)
    assert (n, report.read, report.kept, report.rejected) == (2, 4, 2, 2)
    assert report.rejected_by_reason == {f"left out: {equal_lines.RULE}": 2} and report.unreadable == 0


def test_lines_with_ids_are_left_to_their_ids() -> None:
    assert read([{**LINE, "id": "1"}, {**LINE, "id": "2"}, {**LINE, "id": "2"}], drop_equal_lines=True)[0] == 3


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 5), st.booleans())
def test_however_the_log_is_cut_as_many_are_found(said: list[int], at_once: int, drop: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equal_lines, "_AT_ONCE", at_once)
        n, report = read([{**LINE, "product_id": f"p{i}"} for i in said], drop_equal_lines=drop)
    equal = len(said) - len(set(said))
    assert n == len(said) - (equal if drop else 0)
    assert report.read == report.kept + report.rejected == len(said)
    assert sum(finding.count for finding in (report.rejections if drop else report.remarks)) == equal
