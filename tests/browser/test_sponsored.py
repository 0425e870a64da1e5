"""What somebody pays for says so, and by whom, and a click on it is told as one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import wares

from .conftest import served, visitor
from .test_storefront import CARDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

CAMPAIGN = 'name = "spring"\nlabel = "Leaf <b>"\nproducts = ["t15"]\nbid = 5\nbudget = 50\n'


@pytest.fixture
def visited(browser: "Browser", tmp_path: Path) -> "Iterator[Page]":
    """A visitor of a shop with a campaign."""
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n', encoding="utf-8")
    with wares.open(tmp_path) as shop:
        shop.put(
            {"id": f"t{i}", "title": f"Green tea {i}", "price": 4, "brand": ("Bay", "Leaf")[i % 2]} for i in range(20)
        )
        shop.campaigns.add(CAMPAIGN, "Anna", now=datetime.now(UTC))
    with served(tmp_path) as address:
        yield from visitor(browser, address + "/", width=1280, height=900)


def test_a_paid_place_is_marked_and_its_click_names_the_answer(visited: "Page") -> None:
    visited.goto("")
    visited.locator("#q").fill("green tea")
    with visited.expect_response(lambda response: response.url.endswith("/events")):  # now the shop has heard of them
        visited.keyboard.press("Enter")
    visited.locator(CARDS).first.wait_for()
    visited.reload()
    paid = visited.locator(f"{CARDS}:has(.sponsored)")
    paid.first.wait_for()
    assert paid.count() == 1
    assert paid.locator(".sponsored").inner_text() == "Sponsored · Leaf <b>"
    with visited.expect_request(
        lambda request: request.url.endswith("/events") and "click" in (request.post_data or "")
    ) as sent:
        paid.locator("h3 a").click()
    told: Any = sent.value.post_data_json
    (click,) = [event for event in told["events"] if event["kind"] == "click"]
    assert click["product_id"] == "t15" and click["impression_id"]
