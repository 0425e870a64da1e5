"""What the shop's rules say to a shopper: a banner above the goods, or another page."""

from typing import TYPE_CHECKING

import pytest

from .test_storefront import settled, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_banner_is_shown_as_text_and_leads_on(page: "Page") -> None:
    visit(page, "#/search?q=lemon+tart")
    settled(page)
    banner = page.locator("a.banner")
    assert banner.inner_text() == "<b>Tarts</b> & more"
    assert not banner.locator("b").count()
    banner.click()
    page.locator("h1", has_text="Bakery").wait_for()
    settled(page)
    assert not page.locator(".banner").count()


def test_a_redirect_leads_to_another_page_and_back_to_where_the_shopper_was(page: "Page") -> None:
    visit(page, "#/search?q=lemon+tart")
    settled(page)
    page.locator("#q").fill("opening hours")
    page.locator("#q").press("Enter")
    page.locator("h1", has_text="Bakery").wait_for()
    page.go_back()
    page.locator("a.banner").wait_for()
    assert page.url.endswith("q=lemon+tart")
