"""Google Analytics 4: what becomes of every line of an export, sound or faulty."""

# ruff: noqa: E501 (a line of a log is a line here)

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from messy_logs import fix_of, read_log, told

from wares.domain.event import Event, EventKind
from wares.feeds.dialects.ga4 import KINDS, LEFT_OUT
from wares.feeds.event_feed import read_event_feed

EXPORT = """
{"event_date":"20260131","event_timestamp":"1769860800000000","event_name":"session_start","user_pseudo_id":"c1"}
{"event_timestamp":"1769860801000000","event_name":"view_item","user_pseudo_id":"c1","items":[{"item_id":"mug","item_name":"Mug","price":8.5}]}
{"event_timestamp":"1769860802000000","event_name":"add_to_cart","user_id":"anna","user_pseudo_id":"c1","items":[{"item_id":"mug","quantity":"2"}]}
{"event_timestamp":"1769860803000000","event_name":"view_search_results","user_pseudo_id":"c1","event_params":[{"key":"page","value":{"string_value":"/s"}},{"key":"search_term","value":{"string_value":"tea pot","int_value":null}}],"items":[{"item_id":"pot"},{"item_id":"mug"}]}
{"event_timestamp":"1769860804000000","event_name":"purchase","user_id":"anna","user_pseudo_id":"c1","event_params":[{"key":"currency","value":{"string_value":"JPY"}},{"key":"value","value":{"double_value":2100.0}}],"ecommerce":{"transaction_id":"T1","purchase_revenue":2100},"items":[{"item_id":"mug","quantity":2,"price":800},{"item_id":"pot","quantity":null,"price":500}]}
{"event_timestamp":"1769860805000000","event_name":"scroll","user_pseudo_id":"c2"}
{"event_timestamp":"1769860805000000","event_name":"scroll","user_pseudo_id":"c1"}
{"event_timestamp":"1769860806000000","event_name":"newsletter_joy","user_pseudo_id":"c1"}
"""
# One fault a line, but for line 1, which is sound.
FAULTS = """
{"event_timestamp":"1769860801000000","event_name":"view_item","user_pseudo_id":"c1","items":[{"item_id":"mug"}]}
{"event_timestamp":"1769860802000000","event_name":"add_to_card","user_pseudo_id":"c1","items":[{"item_id":"mug"}]}
{"event_timestamp":"1769860803000000","event_name":"view_item","user_pseudo_id":"c1","items":[{"item_id":"(not set)","item_name":"Mug"},{"item_id":"pot"}]}
{"event_timestamp":"yesterday","event_name":"view_item","user_pseudo_id":"c1","items":[{"item_id":"mug"}]}
{"event_timestamp":"1869860804000000","event_name":"view_item","user_pseudo_id":"c1","items":[{"item_id":"mug"}]}
{"event_timestamp":"1769860805000000","event_name":"purchase","user_pseudo_id":"c1","ecommerce":{"transaction_id":"T2"},"items":[{"item_id":"mug","quantity":"two","price":"free"}]}
{"event_timestamp":"1769860806000000","event_name":"purchase","user_pseudo_id":"c1","ecommerce":{"transaction_id":"T3"},"items":[]}
{"event_timestamp":"1769860807000000","event_name":"view_search_results","user_pseudo_id":"c1","event_params":[]}
{"event_timestamp":"1769860808000000","event_name":"view_item","user_pseudo_id":"c1","items":["mug"]}
{"event_timestamp":"1769860809000000","event_name":"view_item","items":[{"item_id":"mug"}
{"event_timestamp":"1769860810000000","event_name":"purchase","user_pseudo_id":"c1","items":[{"item_id":"mug","quantity":5000,"price":1}]}
{"event_timestamp":"1769860811000000","event_name":"view_item","user_agent":"Googlebot/2.1","items":[{"item_id":"mug"}]}
{"event_timestamp":"1769860812000000","event_name":"refund","ecommerce":{"transaction_id":"T99"}}
"""
FLAT = """
Event Name,event_timestamp,user_pseudo_id,item_id,quantity,price,transaction_id,currency
purchase,1769860800000000,c1,mug,2,8.50,T1,EUR
purchase,1769860800000000,c1,mug,2,8.50,T1,EUR
purchase,1769860800000000,c1,(not set),1,1.00,T1,EUR
view_item,1769860801000000,,pot,,,,
scroll,1769860801000000,c1,,,,,
view_item,,c1,pot,,,,
"""


def test_an_export_is_read_item_by_item(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "events.json", EXPORT)
    kinds = [(e.kind, e.shopper_id, e.product_id, e.quantity, e.value_minor, e.query, e.basket_id) for e in events]
    assert kinds == [
        (EventKind.VIEW, "c1", "mug", 1.0, 850, "", ""),
        (EventKind.CART, "anna", "mug", 2.0, None, "", ""),
        (EventKind.SEARCH, "c1", None, 1.0, None, "tea pot", ""),
        (EventKind.PURCHASE, "anna", "mug", 2.0, 1600, "", "T1"),
        (EventKind.PURCHASE, "anna", "pot", 1.0, 500, "", "T1"),
    ]
    assert events[0].time_ms == 1_769_860_801_000
    assert report.rejected_by_reason == {
        "left out: scroll": 2,
        "left out: session_start": 1,
        "left out: newsletter_joy": 1,
    }
    assert not report.repairs


def test_every_fault_of_an_export_is_named_and_every_good_line_kept(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "events.jsonl", FAULTS)
    assert [(event.kind.value, event.product_id, event.quantity) for event in events] == [
        ("view", "mug", 1.0),
        ("view", "pot", 1.0),
        ("purchase", "mug", 1.0),
        ("purchase", "mug", 5000.0),
    ]
    found = told(report.rejections)
    assert found.pop("broken JSON")[0][0] == 10
    assert found == {
        "unknown kind": [(2, "event_name", "add_to_card")],
        "no product": [(3, "items[0].item_id", "Mug")],
        "unreadable time": [(4, "event_timestamp", "yesterday")],
        "in the future": [(5, "event_timestamp", "1869860804000000")],
        "no items": [(7, "items", "a list of 0")],
        "no query": [(8, "event_params.search_term", "None")],
        "not an item": [(9, "items[0]", "mug")],
        "left out: bots": [(12, "user_agent", "Googlebot/2.1")],
        "no such order left to refund": [(13, "ecommerce.transaction_id", "T99")],
    }
    assert told(report.repairs) == {
        "quantity is no number: 1": [(6, "items[0].quantity", "two")],
        "price is no amount: unknown": [(6, "items[0].price", "free")],
    }
    assert told(report.remarks) == {"bulk line of 1,000 units or more": [(11, "items[0].quantity", "5000.0")]}
    assert "'add to cart'" in fix_of(report.rejections, "unknown kind")
    assert "item_id" in fix_of(report.rejections, "no product")


def test_a_flat_table_has_a_line_per_item_and_equal_lines_stay_two(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "ga4.csv", FLAT)
    assert [(e.kind.value, e.product_id, e.quantity, e.value_minor, e.basket_id) for e in events] == [
        ("purchase", "mug", 2.0, 1700, "T1"),
        ("purchase", "mug", 2.0, 1700, "T1"),
        ("view", "pot", 1.0, None, ""),
    ]
    assert events[2].shopper_id is None
    assert told(report.rejections) == {
        "no product": [(4, "item_id", "None")],
        "left out: scroll": [(6, "event_name", "scroll")],
        "no time": [(7, "event_timestamp", "None")],
    }


def test_columns_of_a_flattened_query_are_understood() -> None:
    row = {"event_name": "purchase", "event_timestamp": 1_769_860_800_000_000, "items.item_id": "mug"}
    row |= {"items_quantity": 3, "items.price": "2,50", "ecommerce.transaction_id": "T"}
    (event,) = read_event_feed([row], now_ms=1_780_000_000_000)
    assert (event.product_id, event.quantity, event.value_minor, event.basket_id) == ("mug", 3.0, 750, "T")


def test_a_refund_without_items_takes_back_what_is_left_of_the_order(tmp_path: Path) -> None:
    purchase = EXPORT.strip().splitlines()[4]
    later = '{"event_timestamp":"17698610%02d000000","event_name":"refund","ecommerce":{"transaction_id":"T1"}%s}'
    part = later % (5, ',"items":[{"item_id":"mug","quantity":1}]')
    events, report = read_log(tmp_path, "e.jsonl", "\n".join([later % (9, ""), purchase, part]))
    refunds = [(e.product_id, e.quantity, e.value_minor, e.shopper_id) for e in events if e.kind is EventKind.REFUND]
    assert refunds == [("mug", 1.0, None, None), ("mug", 1.0, 800, "anna"), ("pot", 1.0, 500, "anna")]
    assert report.returns == {"refunds": 3, "matched": 3, "by_order": 3, "in_part": 0, "unmatched": 0}


def test_a_parquet_export_wraps_its_lists(tmp_path: Path) -> None:
    items = {"list": [{"element": {"item_id": "mug", "quantity": 2, "price": 1.5}}]}
    row = {"event_name": "purchase", "event_timestamp": 1_769_860_800_000_000, "user_pseudo_id": "c", "items": items}
    pl.DataFrame([row]).write_parquet(tmp_path / "events.parquet")
    (event,) = read_event_feed(tmp_path / "events.parquet", now_ms=1_780_000_000_000)
    assert (event.product_id, event.quantity, event.value_minor) == ("mug", 2.0, 300)


def test_two_events_of_one_batch_differ_by_their_place_in_it() -> None:
    row = {"event_name": "add_to_cart", "event_timestamp": 1_769_860_800_000_000, "items": [{"item_id": "mug"}]}
    rows: list[dict[str, Any]] = [{**row, "batch_event_index": 1}, {**row, "batch_event_index": 2}, row, row]
    ids = [event.id for event in read_event_feed(rows, now_ms=1_780_000_000_000)]
    assert len(set(ids)) == 3 and ids[2] == ids[3]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_each_kind_that_wares_knows_is_read(name: str) -> None:
    row = {"event_name": name.replace(" ", "_"), "event_timestamp": 1_769_860_800_000_000, "items": [{"item_id": "p"}]}
    row["event_params"] = [{"key": "search_term", "value": {"string_value": "x"}}]
    (event,) = read_event_feed([row], now_ms=1_780_000_000_000)
    assert isinstance(event, Event) and event.kind is KINDS[name]


def test_no_kind_is_both_read_and_left_out() -> None:
    assert not LEFT_OUT & KINDS.keys()
