"""The whole of UCI's Online Retail, where the file is at hand."""

import os
from collections import Counter
from pathlib import Path

import pytest

from wares.domain.event import EventKind
from wares.feeds.dialects.online_retail import OnlineRetail

FILE = Path(os.environ.get("WARES_DATA", "../shared/data")) / "online-retail" / "online_retail.parquet"
NOW_MS = 1_400_000_000_000


@pytest.mark.skipif(not FILE.is_file(), reason=f"no {FILE}; WARES_DATA names the folder of data sets")
def test_a_real_shop_is_read_with_its_returns_and_its_unknown_customers() -> None:
    shop = OnlineRetail(FILE, now_ms=NOW_MS)
    reading = shop.events()
    kinds: Counter[EventKind] = Counter()
    anonymous = 0
    for event in reading:
        kinds[event.kind] += 1
        anonymous += event.shopper_id is None
    report = reading.report
    assert report.read == report.kept + report.rejected
    assert report.kept == sum(kinds.values()) > 360_000
    assert kinds[EventKind.REFUND] > 5_000
    assert anonymous > 90_000
    returns = report.returns
    assert returns["refunds"] == kinds[EventKind.REFUND] == sum(returns[k] for k in ("matched", "in_part", "unmatched"))
    assert returns["matched"] > 0.8 * returns["refunds"]
    products = {product.id: product for product in shop.products()}
    assert len(products) > 3_500
    assert "heart" in products["85123A"].title.lower()
