"""The panel that tells a shopper what the shop takes for their interests."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import pytest

from .test_storefront import choose_a_shopper, total, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

TAGS = ".interests .interest"


def test_a_known_shopper_sees_interests_that_lead_to_their_goods(page: "Page") -> None:
    visit(page)
    assert page.locator(TAGS).count() == 0  # nothing is known of a guest
    choose_a_shopper(page)
    page.locator(".interests h2", has_text="Your interests").wait_for()
    tag = page.locator("a.interest").first
    assert re.fullmatch(r"\d+% of what you choose, [\d.]+ times as much as usual", tag.get_attribute("title") or "")
    name = tag.inner_text()
    tag.click()
    page.locator(".listing").wait_for()
    assert name in unquote_plus(page.url)
    assert total(page) > 0


def test_interests_speak_chinese(page: "Page") -> None:
    visit(page)
    choose_a_shopper(page)
    page.locator(TAGS).first.wait_for()
    page.locator("#language").click()
    page.locator(".interests h2", has_text="您的兴趣").wait_for()
    assert "平均水平" in (page.locator(TAGS).first.get_attribute("title") or "")


def test_a_phone_shows_interests_without_scrolling_sideways(phone: "Page") -> None:
    visit(phone)
    choose_a_shopper(phone)
    phone.locator(TAGS).first.wait_for()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
