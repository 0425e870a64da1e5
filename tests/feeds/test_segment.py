"""Segment's e-commerce events: what becomes of every line, sound or faulty."""

# ruff: noqa: E501 (a line of a log is a line here)

from pathlib import Path

from messy_logs import fix_of, read_log, told

from wares.feeds.dialects.segment import KINDS, LEFT_OUT

LOG = """
{"type":"identify","messageId":"m0","userId":"anna","traits":{}}
{"type":"track","event":"Product Viewed","messageId":"m1","anonymousId":"a1","timestamp":"2026-01-31T12:00:00.000Z","properties":{"product_id":"mug","price":8.5}}
{"type":"track","event":"Products Searched","messageId":"m2","anonymousId":"a1","timestamp":"2026-01-31T12:00:01Z","properties":{"query":"tea pot"}}
{"type":"track","event":"Product Added","messageId":"m3","anonymousId":"a1","userId":"anna","timestamp":"2026-01-31T12:00:02Z","properties":{"product_id":"mug","quantity":2,"price":8.5,"currency":"EUR"}}
{"type":"track","event":"Order Completed","messageId":"m4","userId":"anna","timestamp":"2026-01-31T12:00:03Z","properties":{"order_id":"o1","total":25.5,"products":[{"product_id":"mug","quantity":2,"price":8.5},{"product_id":"pot","price":8.5}]}}
{"type":"track","event":"Order Refunded","messageId":"m5","userId":"anna","timestamp":"2026-02-02T12:00:00Z","properties":{"order_id":"o1","products":[{"product_id":"mug","quantity":1,"price":8.5}]}}
{"type":"track","event":"Order Cancelled","messageId":"m6","userId":"anna","timestamp":"2026-02-03T12:00:00Z","properties":{"order_id":"o1"}}
{"type":"page","messageId":"m7","anonymousId":"a1"}
{"type":"track","event":"Cart Viewed","messageId":"m8","anonymousId":"a1","properties":{}}
{"event":"Viewed Product","messageId":"m9","anonymousId":"a1","sentAt":"2026-01-31T12:00:00Z","properties":{"id":"pot"}}
"""
FAULTS = """
{"type":"track","event":"Product Viewed","messageId":"m1","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{"product_id":"mug"}}
{"type":"track","event":"Produkt Viewed","messageId":"m2","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{"product_id":"mug"}}
{"type":"track","event":"Product Viewed","messageId":"m3","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{"name":"Mug"}}
{"type":"track","event":"Product Viewed","messageId":"m4","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{"sku":"SKU-1"}}
{"type":"track","event":"Order Completed","messageId":"m5","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{"order_id":"o1","products":[{"product_id":"mug"},{"name":"?"},7]}}
{"type":"track","event":"Order Completed","messageId":"m6","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{"order_id":"o2"}}
{"type":"track","event":"Product Viewed","messageId":"m7","anonymousId":"a1","properties":{"product_id":"mug"}}
{"type":"track","event":"Product Viewed","messageId":"m8","anonymousId":"a1","originalTimestamp":"31.01.26","properties":{"product_id":"mug"}}
{"type":"track","event":"Product Added","messageId":"m9","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{"product_id":"mug","quantity":-2,"price":-1}}
{"type":"track","event":"Products Searched","messageId":"m10","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","properties":{}}
{"type":"track","messageId":"m11","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z"}
{"type":"track","event":"Product Viewed","messageId":"m12","anonymousId":"a1","timestamp":"2026-01-31T12:00:00Z","context":{"userAgent":"AhrefsBot/7.0"},"properties":{"product_id":"mug"}}
{"type":"track","event":"Order Refunded","messageId":"m13","userId":"u9","timestamp":"2026-01-31T12:00:00Z","properties":{"order_id":"o9"}}
{"type":"track","event":"Order Refunded","messageId":"m14","userId":"u9","timestamp":"2026-01-31T12:00:00Z","properties":{"order_id":"o9","products":[{"product_id":"pot"}]}}
"""


def test_calls_are_read_product_by_product_and_returns_find_their_order(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "segment.jsonl", LOG)
    assert [(e.kind.value, e.shopper_id, e.product_id or e.query, e.quantity, e.value_minor) for e in events] == [
        ("view", "a1", "mug", 1.0, 850),
        ("search", "a1", "tea pot", 1.0, None),
        ("cart", "anna", "mug", 2.0, 1700),
        ("purchase", "anna", "mug", 2.0, 1700),
        ("purchase", "anna", "pot", 1.0, 850),
        ("refund", "anna", "mug", 1.0, 850),
        ("view", "a1", "pot", 1.0, None),
        ("refund", "anna", "mug", 1.0, 850),  # a cancelled order takes back what is left of it
        ("refund", "anna", "pot", 1.0, 850),
    ]
    assert events[0].id == "m1"
    assert len({event.id for event in events}) == len(events)
    assert report.rejected_by_reason == {
        "left out: identify calls": 1,
        "left out: page calls": 1,
        "left out: Cart Viewed": 1,
    }
    assert report.returns == {"refunds": 3, "matched": 3, "by_order": 3, "in_part": 0, "unmatched": 0}
    assert any("Refunds: 3. Their purchase was found by order: 3" in note for note in report.notes)


def test_every_fault_of_the_calls_is_named_and_every_good_one_kept(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "segment.jsonl", FAULTS)
    assert [(e.kind.value, e.product_id, e.quantity) for e in events] == [
        ("view", "mug", 1.0),
        ("view", "SKU-1", 1.0),
        ("purchase", "mug", 1.0),
        ("cart", "mug", 2.0),
        ("refund", "pot", 1.0),
    ]
    assert told(report.rejections) == {
        "unknown kind": [(2, "event", "Produkt Viewed")],
        "no product": [(3, "properties.product_id", "Mug"), (5, "properties.products[1].product_id", "?")],
        "not a product": [(5, "properties.products[2]", "7")],
        "no products": [(6, "properties.products", "None")],
        "no time": [(7, "timestamp", "None")],
        "unreadable time": [(8, "originalTimestamp", "31.01.26")],
        "no query": [(10, "properties.query", "None")],
        "no kind": [(11, "event", "None")],
        "left out: bots": [(12, "context.userAgent", "AhrefsBot/7.0")],
        "no such order left to refund": [(13, "properties.order_id", "o9")],
    }
    assert told(report.repairs) == {
        "no product_id: the sku": [(4, "properties.sku", "SKU-1")],
        "negative quantity: its size": [(9, "properties.quantity", "-2.0")],
        "price is no amount: unknown": [(9, "properties.price", "-1")],
    }
    assert told(report.remarks) == {
        "refund without a purchase in this feed": [(14, "properties.products[0].product_id", "pot")]
    }
    assert "'product viewed'" in fix_of(report.rejections, "unknown kind")


def test_no_kind_is_both_read_and_left_out() -> None:
    assert not LEFT_OUT & KINDS.keys()
