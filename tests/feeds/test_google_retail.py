"""Google Retail's user events: what becomes of every line, sound or faulty."""

# ruff: noqa: E501 (a line of a log is a line here)

from pathlib import Path

from messy_logs import fix_of, read_log, told

from wares.feeds.dialects.google_retail import KINDS, LEFT_OUT

LOG = """
{"eventType":"home-page-view","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z"}
{"eventType":"detail-page-view","visitorId":"v1","eventTime":"2026-01-31T12:00:01.5Z","productDetails":[{"product":{"id":"mug"}}]}
{"eventType":"search","visitorId":"v1","eventTime":"2026-01-31T12:00:02Z","searchQuery":"tea pot","productDetails":[{"product":{"id":"pot"}},{"product":{"id":"mug"}}]}
{"eventType":"search","visitorId":"v1","eventTime":"2026-01-31T12:00:03Z","pageCategories":["Kitchen > Tea"]}
{"eventType":"add-to-cart","visitorId":"v1","eventTime":"2026-01-31T13:00:04+01:00","userInfo":{"userId":"anna","userAgent":"Mozilla/5.0 Firefox/140.0"},"productDetails":[{"product":{"name":"projects/p/locations/global/catalogs/c/branches/b/products/mug"},"quantity":2}]}
{"eventType":"purchase-complete","visitorId":"v1","eventTime":"2026-01-31T12:00:05Z","userInfo":{"userId":"anna"},"productDetails":[{"product":{"id":"mug","priceInfo":{"price":800,"currencyCode":"JPY"}},"quantity":2},{"product":{"id":"pot"},"quantity":1}],"purchaseTransaction":{"id":"T1","revenue":2100,"currencyCode":"JPY"}}
"""
FAULTS = """
{"eventType":"detail-page-view","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z","productDetails":[{"product":{"id":"mug"}}]}
{"eventType":"detail-page-vew","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z","productDetails":[{"product":{"id":"mug"}}]}
{"eventType":"detail-page-view","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z","productDetails":[{"product":{"title":"Mug"}},{"product":{"id":"pot"}},"pot"]}
{"eventType":"add-to-cart","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z","productDetails":[]}
{"eventType":"detail-page-view","visitorId":"v1","productDetails":[{"product":{"id":"mug"}}]}
{"eventType":"detail-page-view","visitorId":"v1","eventTime":"1969-01-01T00:00:00Z","productDetails":[{"product":{"id":"mug"}}]}
{"eventType":"search","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z","searchQuery":"  "}
{"eventType":"purchase-complete","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z","productDetails":[{"product":{"id":"mug","priceInfo":{"price":"n/a"}},"quantity":0}],"purchaseTransaction":{"id":"T"}}
{"eventType":"purchase-complete","visitorId":"v1","eventTime":"2026-01-31T12:00:00Z","productDetails":[{"product":{"id":"mug"},"quantity":"lots"}],"purchaseTransaction":{"id":"T"}}
{"eventType":"detail-page-view","visitorId":"v2","eventTime":"2026-01-31T12:00:00Z","userInfo":{"userAgent":"curl/8.5.0"},"productDetails":[{"product":{"id":"mug"}}]}
{"eventType":"refund","visitorId":"v1","eventTime":"2026-02-01T12:00:00Z","productDetails":[{"product":{"id":"mug"},"quantity":3}],"purchaseTransaction":{"id":"T"}}
"""


def test_user_events_are_read_product_by_product(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "user_events.json", LOG)
    assert [(e.kind.value, e.shopper_id, e.product_id or e.query, e.quantity, e.value_minor) for e in events] == [
        ("view", "v1", "mug", 1.0, None),
        ("search", "v1", "tea pot", 1.0, None),
        ("cart", "anna", "mug", 2.0, None),
        ("purchase", "anna", "mug", 2.0, 1600),
        ("purchase", "anna", "pot", 1.0, None),
    ]
    assert events[0].time_ms == 1_769_860_801_500
    assert events[2].time_ms == 1_769_860_804_000
    assert {event.basket_id for event in events[3:]} == {"T1"}
    assert report.rejected_by_reason == {"left out: home-page-view": 1, "left out: search without words": 1}


def test_every_fault_of_the_user_events_is_named_and_every_good_one_kept(tmp_path: Path) -> None:
    events, report = read_log(tmp_path, "user_events.jsonl", FAULTS)
    assert [(e.kind.value, e.product_id, e.quantity) for e in events] == [
        ("view", "mug", 1.0),
        ("view", "pot", 1.0),
        ("purchase", "mug", 1.0),
        ("refund", "mug", 3.0),
    ]
    assert told(report.rejections) == {
        "unknown kind": [(2, "eventType", "detail-page-vew")],
        "no product": [(3, "productDetails[0].product.id", "Mug")],
        "not a product": [(3, "productDetails[2]", "pot")],
        "no products": [(4, "productDetails", "a list of 0")],
        "no time": [(5, "eventTime", "None")],
        "before 1990": [(6, "eventTime", "1969-01-01T00:00:00Z")],
        "no query": [(7, "searchQuery", "None")],
        "nothing bought": [(8, "productDetails[0].quantity", "0.0")],
        "left out: bots": [(10, "userInfo.userAgent", "curl/8.5.0")],
    }
    assert told(report.repairs) == {
        "price is no amount: unknown": [(8, "productDetails[0].product.priceInfo.price", "n/a")],
        "quantity is no number: 1": [(9, "productDetails[0].quantity", "lots")],
    }
    assert told(report.remarks) == {"refund of more than was bought": [(11, "productDetails[0].quantity", "3.0")]}
    assert "productDetails[].product.id" in fix_of(report.rejections, "no product")


def test_no_kind_is_both_read_and_left_out() -> None:
    assert not LEFT_OUT & KINDS.keys()
