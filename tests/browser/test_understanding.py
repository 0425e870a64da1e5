"""How the storefront shows what the shop read in a shopper's words, and how they take it back."""

import json
import re
from typing import TYPE_CHECKING

import pytest

from .test_storefront import CARDS, prices, reach, settled, total, visit, widths

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

pytestmark = pytest.mark.browser

READING = ".reading"
WISHED = ".chip.wished"


def shown(page: "Page") -> list[str | None]:
    settled(page)
    return [card.get_attribute("data-id") for card in page.locator(CARDS).all()]


def asks_without(request: "Request") -> bool:
    asked = json.loads(request.post_data or "{}")
    return bool(asked["without_wishes"] == ["exclusion:without chocolate"])


def answered_as_typed(page: "Page") -> bool:
    settled(page)
    return not page.locator(f"{READING} strong").count()


def test_a_misspelt_word_is_corrected_with_a_way_back(page: "Page") -> None:
    visit(page, "#/search?q=choclate")
    assert page.locator(READING).inner_text() == "Showing results for chocolate. Search instead for choclate"
    assert page.locator("#q").input_value() == "choclate", "the shopper's words stay theirs"
    corrected = shown(page)
    assert corrected and all("chocolate" in str(product) for product in corrected[:3])
    page.get_by_role("link", name="Search instead for choclate").click()
    page.locator(f"{READING} strong").wait_for(state="detached")
    assert "typed=1" in page.url
    page.reload()
    page.locator(".listing:not([aria-busy]) .total strong").wait_for()
    assert answered_as_typed(page), "a reload keeps what was chosen"
    page.go_back()
    page.locator(f"{READING} strong").wait_for()
    assert shown(page) == corrected


def test_new_words_are_corrected_again(page: "Page") -> None:
    page.goto("#/search?q=choclate&typed=1")
    settled(page)
    assert answered_as_typed(page)
    page.locator("#q").fill("choclate milk")
    page.locator("#q").press("Enter")
    page.locator(f"{READING} strong", has_text="chocolate milk").wait_for()
    assert "typed" not in page.url


def test_a_price_in_words_is_a_chip_that_can_be_taken_away(page: "Page") -> None:
    visit(page, "#/search?q=chocolate+under+%249")
    chip = page.get_by_role("link", name="Remove up to $9.00")
    assert all(price <= 9 for price in prices(page))
    narrow = total(page)
    chip.click()
    chip.wait_for(state="detached")
    assert total(page) > narrow
    assert max(prices(page)) > 9
    page.reload()
    page.locator(CARDS).first.wait_for()
    assert page.get_by_role("link", name="Remove up to $9.00").count() == 0
    page.get_by_role("link", name="Read everything again").click()
    chip.wait_for()
    assert total(page) == narrow


def test_an_exclusion_is_a_chip_in_the_shoppers_own_words(page: "Page") -> None:
    visit(page, "#/search?q=milk+without+chocolate")
    assert not any("chocolate" in str(product) for product in shown(page))
    with page.expect_request(lambda request: request.url.endswith("/search") and asks_without(request)):
        page.get_by_role("link", name="Remove without chocolate").click()
    page.locator(WISHED, has_text="without").wait_for(state="detached")


def test_what_was_read_and_what_was_ticked_go_together(page: "Page") -> None:
    visit(page, "#/search?q=choclate+under+%249")
    page.locator('.facet[data-field="brand"] label input').first.check()
    page.locator(".chip:not(.wished)").first.wait_for()
    settled(page)
    page.get_by_role("link", name="Search instead for").click()
    page.wait_for_url(re.compile("typed=1"))
    assert "f.brand=" in page.url
    settled(page)
    assert page.locator(WISHED, has_text="up to $9.00").count() == 1


def test_a_preference_is_no_condition_and_says_so(page: "Page") -> None:
    visit(page, "#/search?q=goldfinch+bread")
    chip = page.locator(WISHED, has_text="Brand: goldfinch")
    assert chip.get_attribute("title") == "Preferred, not required"


def test_the_keyboard_takes_a_chip_away_and_keeps_its_place(page: "Page") -> None:
    visit(page, "#/search?q=milk+under+%249+without+chocolate")
    settled(page)
    reach(page, WISHED)
    before = page.locator(WISHED).count()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("without="))
    settled(page)
    assert page.locator(WISHED).count() == before - 1
    assert page.evaluate("document.activeElement.closest('.chips') !== null"), "the focus stays among the chips"


def test_what_was_typed_never_becomes_markup(page: "Page") -> None:
    visit(page, "#/search?q=choclate+%3Cimg+src=x+onerror=alert(1)%3E+without+%3Cb%3Ecaramel%3C/b%3E")
    settled(page)
    assert page.locator(f"{READING} img, {READING} b, .chips img, .chips b").count() == 0


def test_chinese_says_it_in_its_own_order(page: "Page") -> None:
    visit(page)
    page.locator("#language").click()
    visit(page, "#/search?q=choclate")
    page.locator(READING, has_text="已显示“chocolate”的结果。 仍然搜索“choclate”").wait_for()


def test_chips_fit_a_phone(phone: "Page") -> None:
    visit(phone, "#/search?q=choclate+under+%249+without+caramel")
    settled(phone)
    assert phone.locator(WISHED).count() == 2
    content, screen = widths(phone)
    assert content <= screen
