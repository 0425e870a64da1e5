"""What happens to each line of an event log, sound or faulty."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wares.domain.event import Event, EventKind
from wares.errors import InputError
from wares.feeds.events import KINDS, NAMES, NESTED, SKIPPED, _layout_of, read_events
from wares.feeds.report import ImportReport

NOW_MS = 1_780_000_000_000
DAY_MS = 86_400_000
PURCHASE: dict[str, Any] = {
    "kind": "purchase",
    "time": "2026-01-31T12:00:00Z",
    "shopper_id": "s1",
    "product_id": "p1",
    "quantity": 2,
    "value": 5.0,
}


def read(*rows: dict[str, Any], **settings: Any) -> tuple[list[Event], ImportReport]:
    reading = read_events(rows, **{"now_ms": NOW_MS, **settings})
    events = list(reading)
    assert reading.report.read == reading.report.kept + reading.report.rejected
    assert len(events) == reading.report.kept
    return events, reading.report


def only(row: dict[str, Any], **settings: Any) -> Event:
    events, report = read(row, **settings)
    assert len(events) == 1, str(report)
    return events[0]


def reason(row: dict[str, Any]) -> str:
    events, report = read(row)
    assert not events
    return report.rejections[0].rule


def test_a_plain_purchase_is_kept_as_it_is() -> None:
    event = only({**PURCHASE, "basket_id": 77, "id": "e1"}, currency="eur")
    assert event == Event(EventKind.PURCHASE, 1_769_860_800_000, "s1", "p1", 2.0, 500, "77", "", "e1")


def test_a_unit_price_becomes_the_value_of_the_line() -> None:
    assert only({**PURCHASE, "value": None, "price": "1.99"}).value_minor == 398


def test_yen_have_no_cents_and_a_row_may_name_its_own_currency() -> None:
    assert only({**PURCHASE, "value": 1200}, currency="JPY").value_minor == 1200
    assert only({**PURCHASE, "value": 1200, "currency": "krw"}, currency="USD").value_minor == 1200
    assert only({**PURCHASE, "value": "1.5"}, currency="KWD").value_minor == 1500


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31 12:00:00",
        "1769860800",
        1_769_860_800,
        1_769_860_800.0,
        1_769_860_800_000,
        1_769_860_800_000_000,
        datetime(2026, 1, 31, 12),
        datetime(2026, 1, 31, 12, tzinfo=UTC),
    ],
)
def test_a_time_may_be_iso_text_a_datetime_or_unix_seconds_milliseconds_or_microseconds(time: object) -> None:
    assert only({**PURCHASE, "time": time}).time_ms == 1_769_860_800_000


def test_a_time_without_a_zone_is_wall_time_of_the_shop() -> None:
    there = only({**PURCHASE, "time": "2025-07-01T12:00:00"}, timezone="Europe/Berlin")
    assert there.time_ms == only({**PURCHASE, "time": "2025-07-01T10:00:00Z"}).time_ms


def test_an_unknown_time_zone_says_what_zones_look_like() -> None:
    with pytest.raises(InputError, match="Europe/Berlin"):
        read_events([PURCHASE], now_ms=NOW_MS, timezone="Mars/Base")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"time": NOW_MS + DAY_MS + 1}, "in the future"),
        ({"time": "1989-12-31"}, "before 1990"),
        ({"time": 0}, "before 1990"),
        ({"time": None}, "no time"),
        ({"time": "yesterday"}, "unreadable time"),
        ({"time": float("inf")}, "unreadable time"),
        ({"kind": "purchace"}, "unknown kind"),
        ({"kind": None}, "no kind"),
        ({"kind": ["purchase"]}, "unknown kind"),
        ({"product_id": None}, "no product"),
        ({"product_id": float("nan")}, "no product"),
        ({"product_id": "p" * 501}, "id too long"),
        ({"kind": "search", "product_id": None}, "no query"),
        ({"quantity": 0, "value": 0.0}, "nothing bought"),
        ({"quantity": 0, "value": None}, "nothing bought"),
    ],
)
def test_a_line_that_cannot_be_used_is_rejected_with_its_reason(change: dict[str, Any], expected: str) -> None:
    assert reason({**PURCHASE, **change}) == expected


def test_an_event_of_tomorrow_is_kept_because_clocks_differ() -> None:
    assert only({**PURCHASE, "time": NOW_MS + DAY_MS - 1}).time_ms > NOW_MS


def test_an_unknown_kind_is_told_the_nearest_known_one() -> None:
    _, report = read({**PURCHASE, "kind": "purchace"})
    example = report.rejections[0].examples[0]
    assert "'purchase'" in example.fix
    assert (example.line, example.field, example.value) == (1, "kind", "purchace")


def test_a_purchase_of_a_negative_quantity_is_a_refund() -> None:
    events, report = read({**PURCHASE, "quantity": -3, "value": -7.5})
    assert (events[0].kind, events[0].quantity, events[0].value_minor) == (EventKind.REFUND, 3.0, 750)
    assert report.repaired == {"negative purchase: refund": 1}


def test_a_quantity_that_is_no_number_counts_as_one() -> None:
    for quantity in (float("nan"), "many", float("inf"), "1e999"):
        events, report = read({**PURCHASE, "quantity": quantity})
        assert events[0].quantity == 1
        assert report.repaired == {"quantity is no number: 1": 1}


def test_a_missing_quantity_is_one_without_a_word() -> None:
    events, report = read({**PURCHASE, "quantity": None}, {**PURCHASE, "quantity": ""})
    assert [event.quantity for event in events] == [1, 1]
    assert not report.repairs


def test_a_purchase_of_nothing_that_was_paid_for_counts_as_one() -> None:
    events, report = read({**PURCHASE, "quantity": 0})
    assert events[0].quantity == 1
    assert report.repaired == {"quantity 0: 1": 1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "free", "1e30"])
def test_a_value_that_is_no_amount_is_unknown(value: object) -> None:
    events, report = read({**PURCHASE, "value": value})
    assert events[0].value_minor is None
    assert report.repaired == {"value is no amount: unknown": 1}


def test_someone_without_an_id_is_anonymous() -> None:
    assert only({**PURCHASE, "shopper_id": ""}).shopper_id is None
    assert only({**PURCHASE, "shopper_id": float("nan")}).shopper_id is None


def test_an_id_that_a_table_made_a_float_of_has_no_decimals() -> None:
    assert only({**PURCHASE, "shopper_id": 17850.0, "product_id": 42}).shopper_id == "17850"


def test_a_search_needs_words_and_no_product() -> None:
    event = only({"kind": "search", "time": NOW_MS, "shopper_id": "s", "query": " red shoes "})
    assert (event.kind, event.query, event.product_id) == (EventKind.SEARCH, "red shoes", None)


def test_a_column_that_is_no_part_of_an_event_is_noted_once() -> None:
    _, report = read(*[{**PURCHASE, "weather": "fine"}] * 3)
    assert report.notes == ("The column 'weather' is no part of an event and is not used.",)


@pytest.mark.parametrize("name", sorted(set(KINDS) - set(EventKind)))
def test_google_analytics_names_are_understood(name: str) -> None:
    row = {"event_name": name, "event_timestamp": 1_769_860_800_000_000, "item_id": "p", "search_term": "shoes"}
    assert only(row).kind is KINDS[name]


@pytest.mark.parametrize("name", sorted(SKIPPED))
def test_google_analytics_events_that_choose_no_product_are_left_out_with_a_note(name: str) -> None:
    events, report = read({"event_name": name, "event_timestamp": 1_769_860_800_000_000, "item_id": "p"})
    assert not events
    assert report.rejected_by_reason == {"not an act on a product": 1}
    assert name in report.notes[0]


def test_each_item_of_a_google_analytics_purchase_is_an_event() -> None:
    row = {
        "event_name": "purchase",
        "event_timestamp": 1_769_860_800_000_000,
        "user_id": None,
        "user_pseudo_id": "cookie.1",
        "value": 99.0,
        "ecommerce": {"transaction_id": "T1"},
        "items": [{"item_id": "a", "quantity": 2, "price": 3.5}, {"item_id": "b", "price": 1}, {"item_name": "?"}],
    }
    events, report = read(row)
    assert [(e.product_id, e.quantity, e.value_minor) for e in events] == [("a", 2.0, 700), ("b", 1.0, 100)]
    assert {(e.shopper_id, e.basket_id) for e in events} == {("cookie.1", "T1")}
    assert report.rejected_by_reason == {"no product": 1}
    assert read({**row, "items": json.dumps(row["items"])})[0] == events


def test_the_search_term_may_stand_among_google_analytics_event_parameters() -> None:
    params = [{"key": "page", "value": {"string_value": "x"}}, {"key": "search_term", "value": {"string_value": "mug"}}]
    row = {"event_name": "view_search_results", "event_timestamp": NOW_MS * 1000, "event_params": params}
    assert only(row).query == "mug"


def test_column_names_may_be_written_with_capitals_and_blanks() -> None:
    row = {"Kind": "Add To Cart", "Time": NOW_MS, "Product ID": 5, "User_ID": "u"}
    assert (only(row).kind, only(row).product_id) == (EventKind.CART, "5")


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["purchase", "view", NOW_MS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["item_id", "key", "x"]), inner),
    max_leaves=5,
)


@given(row=st.dictionaries(st.sampled_from([name for names in NAMES.values() for name in names] + [*NESTED]), CELLS))
@settings(deadline=None, max_examples=300)
def test_no_value_of_a_cell_stops_an_import(row: dict[str, Any]) -> None:
    for event in read(row)[0]:
        assert event.quantity > 0
        assert event.value_minor is None or event.value_minor >= 0


@pytest.fixture
def log(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_line_of_a_fault_is_the_line_in_the_file(log: Callable[[str, str], Path], tmp_path: Path) -> None:
    path = log("e.csv", "kind,time,product_id\nview,2026-01-01,a\nviw,2026-01-01,a\nview,2026-01-01,b\n")
    rejects = tmp_path / "rejected.jsonl"
    reading = read_events(path, now_ms=NOW_MS, rejects=rejects)
    assert [event.product_id for event in reading] == ["a", "b"]
    example = reading.report.rejections[0].examples[0]
    assert (example.file, example.line) == (str(path), 3)
    told = json.loads(rejects.read_text(encoding="utf-8"))
    assert (told["line"], told["reason"], told["row"]["kind"]) == (3, "unknown kind", "viw")


def test_each_feed_tells_of_columns_that_are_not_used_and_of_strange_ones_nothing_stays() -> None:
    strange = PURCHASE | {"x" * 5000: 1, "colour": "red"}
    kept = _layout_of.cache_info().currsize
    for _ in range(2):
        _, report = read(strange)
        assert sum("is no part of an event" in note for note in report.notes) == 2
    assert _layout_of.cache_info().currsize == kept
