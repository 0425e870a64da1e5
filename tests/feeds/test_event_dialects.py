"""Which dialect a log is read as, and what holds for every dialect: nothing is lost, nothing counts twice."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wares.domain.event import Event, EventKind
from wares.errors import UnknownName
from wares.feeds.dialects.entry import is_bot
from wares.feeds.event_feed import DIALECTS, read_event_feed, recognise
from wares.feeds.report import ImportReport
from wares.store.sqlite import Store

NOW_MS = 1_780_000_000_000
AT_US = 1_769_860_800_000_000
SAMPLES: dict[str, dict[str, Any]] = {
    "ga4": {
        "event_name": "purchase",
        "event_timestamp": AT_US,
        "user_pseudo_id": "c1",
        "ecommerce": {"transaction_id": "T1"},
        "items": [{"item_id": "a", "quantity": 2, "price": 3.5}, {"item_id": "a", "quantity": 2, "price": 3.5}],
    },
    "segment": {
        "type": "track",
        "event": "Order Completed",
        "messageId": "m1",
        "anonymousId": "c1",
        "timestamp": "2026-01-31T12:00:00Z",
        "properties": {
            "order_id": "T1",
            "products": [
                {"product_id": "a", "quantity": 2, "price": 3.5},
                {"product_id": "a", "quantity": 2, "price": 3.5},
            ],
        },
    },
    "google-retail": {
        "eventType": "purchase-complete",
        "visitorId": "c1",
        "eventTime": "2026-01-31T12:00:00Z",
        "productDetails": [{"product": {"id": "a"}, "quantity": 2}, {"product": {"id": "a"}, "quantity": 2}],
        "purchaseTransaction": {"id": "T1", "revenue": 14, "currencyCode": "EUR"},
    },
    "algolia": {
        "eventType": "conversion",
        "eventSubtype": "purchase",
        "eventName": "Order",
        "index": "products",
        "userToken": "c1",
        "timestamp": AT_US // 1000,
        "objectIDs": ["a", "a"],
        "objectData": [{"price": 3.5, "quantity": 2}, {"price": 3.5, "quantity": 2}],
    },
}


def read(source: Any, **options: Any) -> tuple[list[Event], ImportReport]:
    reading = read_event_feed(source, **{"now_ms": NOW_MS, **options})
    events = list(reading)
    report = reading.report
    assert report.read == report.kept + report.rejected
    assert report.kept == len(events)
    return events, report


@pytest.mark.parametrize("name", DIALECTS)
def test_the_dialect_is_recognised_from_the_first_rows(name: str) -> None:
    assert recognise([SAMPLES[name]]) is DIALECTS[name]
    _, report = read([{"broken": 1}, *[SAMPLES[name]] * 2])
    assert any(f"({name})" in note for note in report.notes)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_one_foreign_row_among_the_own_ones_does_not_make_them_foreign(name: str) -> None:
    own = {"kind": "view", "time": AT_US, "product_id": "a", "shopper_id": "c1"}
    assert recognise([own, SAMPLES[name], own]) is None
    assert recognise([own, SAMPLES[name], SAMPLES[name]]) is DIALECTS[name]


def test_wares_own_columns_are_no_foreign_dialect() -> None:
    own = {"kind": "view", "time": AT_US, "shopper_id": "s", "product_id": "p"}
    events, report = read([own])
    assert [event.product_id for event in events] == ["p"]
    assert not report.notes


def test_an_unknown_dialect_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"'segment'.* algolia, ga4, google-retail, segment, wares"):
        read_event_feed([], now_ms=NOW_MS, dialect="segmnt")


def test_a_named_dialect_is_taken_whatever_the_rows_look_like() -> None:
    events, report = read([SAMPLES["ga4"]], dialect="segment")
    assert not events
    assert report.rejected_by_reason == {"no kind": 1}


@pytest.mark.parametrize("name", DIALECTS)
def test_an_order_of_two_equal_lines_is_two_purchases_of_one_basket(name: str) -> None:
    events, _ = read([SAMPLES[name]])
    assert [(e.kind, e.product_id, e.quantity, e.shopper_id) for e in events] == [
        (EventKind.PURCHASE, "a", 2.0, "c1"),
    ] * 2
    assert len({event.basket_id for event in events}) == 1 and events[0].basket_id
    assert len({event.id for event in events}) == 2
    assert {event.time_ms for event in events} == {AT_US // 1000}


@pytest.mark.parametrize("name", DIALECTS)
def test_the_same_file_twice_and_a_file_that_overlaps_count_nothing_twice(name: str, tmp_path: Path) -> None:
    log = tmp_path / "log.json.gz"
    lines = [json.dumps(SAMPLES[name]), json.dumps(SAMPLES[name])]  # delivered twice
    log.write_bytes(gzip.compress("\n".join(lines).encode()))
    with Store.open(tmp_path / "shop", "write") as store:
        assert store.events.append(read_event_feed(log, now_ms=NOW_MS)) == (2, 2)
        assert store.events.append(read_event_feed(log, now_ms=NOW_MS)) == (0, 4)
        assert store.events.append(read_event_feed([SAMPLES[name]], now_ms=NOW_MS)) == (0, 2)


def test_programs_are_told_from_people_by_their_user_agent() -> None:
    assert is_bot("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)")
    assert is_bot("Mozilla/5.0 (X11; Linux) HeadlessChrome/120.0")
    assert is_bot("python-requests/2.31")
    assert not is_bot("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36")
    assert not is_bot("Mozilla/5.0 (Linux; Android 9; CUBOT_X20) AppleWebKit/537.36")
    assert not is_bot("")


def test_what_is_left_out_is_counted_by_name_and_not_written_among_the_rejected_rows(tmp_path: Path) -> None:
    rejects = tmp_path / "rejected.jsonl"
    rows = [{**SAMPLES["ga4"], "event_name": name} for name in ("scroll", "scroll", "our_own", "purchace")]
    _, report = read(rows, dialect="ga4", rejects=rejects)
    assert report.rejected_by_reason == {"left out: scroll": 2, "left out: our_own": 1, "unknown kind": 1}
    told = [json.loads(line) for line in rejects.read_text(encoding="utf-8").splitlines()]
    assert [(one["line"], one["field"], one["row"]["event_name"]) for one in told] == [(4, "event_name", "purchace")]


def test_a_thousand_kinds_of_a_shops_own_do_not_swell_the_report() -> None:
    _, report = read([{**SAMPLES["ga4"], "event_name": f"own_{n}"} for n in range(1000)])
    assert len(report.rejections) < 50
    assert report.rejected == 1000
    assert report.rejected_by_reason["left out: other kinds"] > 900


WORDS = st.sampled_from(
    (
        *("purchase", "refund", "Order Completed", "Order Refunded", "Products Searched", "search", "Googlebot/2"),
        *("purchase-complete", "detail-page-view", "view", "click", "conversion", "track", "page", "a", "scroll"),
        *("(not set)", ""),
    )
)
KEYS = st.sampled_from(
    (
        *("event_name", "event_timestamp", "items", "event_params", "ecommerce", "item_id", "quantity", "price", "key"),
        *("value", "string_value", "transaction_id", "search_term", "user_id", "user_pseudo_id", "list", "element"),
        *("type", "event", "messageId", "anonymousId", "userId", "properties", "products", "product_id", "order_id"),
        *("sku", "timestamp", "query", "context", "userAgent", "eventType", "visitorId", "userInfo", "eventTime"),
        *("productDetails", "product", "id", "name", "purchaseTransaction", "searchQuery", "priceInfo", "objectIDs"),
        *("objectData", "filters", "eventSubtype", "userToken", "authenticatedUserToken", "currency", "kind", "time"),
    )
)
CELLS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | WORDS
    | st.sampled_from([AT_US, NOW_MS, "2026-01-31T12:00:00Z", '[{"item_id": "a"}]', "{", "["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


def mostly(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A sound row of a dialect, of which some cells were replaced."""
    keys = st.sampled_from(sorted(SAMPLES[name]))
    return st.dictionaries(keys | KEYS, CELLS, max_size=3).map(lambda cells: {**SAMPLES[name], **cells})


@pytest.mark.parametrize("name", [*DIALECTS, "wares", ""])
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_no_row_stops_an_import_and_each_is_counted(name: str, data: st.DataObject) -> None:
    sound = [mostly(name)] if name in SAMPLES else []
    rows = data.draw(st.lists(st.one_of(st.dictionaries(KEYS, CELLS, max_size=6), *sound), max_size=5))
    events, report = read(rows, dialect=name)
    assert report.read >= len(rows)
    for event in events:
        assert event.quantity > 0
        assert event.product_id or event.kind is EventKind.SEARCH
    for finding in (*report.rejections, *report.repairs, *report.remarks):
        for example in finding.examples:
            assert example.fix
    assert read(rows, dialect=name)[0] == events
