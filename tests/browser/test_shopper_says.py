"""What a shopper can say to the storefront, and what it remembers: why, not this, wishes, views, sets, alternatives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from . import axe
from .conftest import absent
from .test_storefront import CARDS, choose_a_shopper, sent, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PANEL = "#why"


def open_why(page: "Page", card: str = CARDS) -> str:
    """Ask of the first such card why it is there; the product's id."""
    product = page.locator(card).first.get_attribute("data-id")
    page.locator(f"{card} .why").first.click()
    page.locator(f"{PANEL}:popover-open").wait_for()
    assert product
    return str(product)


def ask(page: "Page", path: str, body: dict[str, Any]) -> Any:
    """What the shop answers, by its public API."""
    return page.request.post(f"v1/{path}", data=body).json()


def buyable(page: "Page", surface: str, code: str) -> str:
    """A product for which this surface names others for this reason."""
    everything = ask(page, "browse", {"k": 200})["hits"]
    for hit in everything:
        product = hit["product"]["id"]
        others = ask(page, "similar", {"product": product, "surface": surface, "k": 12})["hits"]
        if any(reason["code"] == code for other in others for reason in other["reasons"]):
            return str(product)
    pytest.fail(f"nothing has hits on {surface}")


@contextmanager
def sold_out(page: "Page", product: str) -> Iterator[None]:
    def now(available: bool) -> None:
        assert page.request.patch("v1/products", data=[{"id": product, "available": available}]).ok

    now(False)
    try:
        yield
    finally:
        now(True)


def forget_wishes(page: "Page", shopper: str) -> None:
    """Take back what other tests of the same shop have wished for this shopper."""
    wished = ask(page, "recommend", {"surface": "wish_list", "shopper": shopper, "k": 200})["hits"]
    back = [{"kind": "unwish", "shopper_id": shopper, "product_id": hit["product"]["id"]} for hit in wished]
    ask(page, "events", {"events": back})


def test_why_tells_the_reasons_and_the_keyboard_is_enough(page: "Page") -> None:
    visit(page)
    choose_a_shopper(page)
    card = f"{CARDS}:has(.reason)"
    line = page.locator(f"{card} .reason").first.inner_text()
    button = page.locator(f"{card} .why").first
    button.focus()
    page.keyboard.press("Enter")
    page.locator(f"{PANEL}:popover-open").wait_for()
    assert line in page.locator(f"{PANEL} li").all_inner_texts()
    assert page.evaluate("document.getElementById('why').contains(document.activeElement)")
    assert button.get_attribute("aria-expanded") == "true"
    assert not axe.LIBRARY.exists() or axe.findings(page) == []
    page.keyboard.press("Escape")
    page.locator(f"{PANEL}:popover-open").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.className") == "why"
    assert button.get_attribute("aria-expanded") == "false"


def test_a_found_product_tells_why_too(page: "Page") -> None:
    visit(page, "#/search?q=milk")
    open_why(page)
    assert page.locator(f"{PANEL} li").first.inner_text() == "Matches “milk”"
    page.locator("#q").click()
    page.locator(f"{PANEL}:popover-open").wait_for(state="hidden")


def test_not_this_is_gone_at_once_and_undo_brings_it_back(page: "Page") -> None:
    visit(page, "#/search?q=milk")
    before = page.locator(CARDS).count()
    product = open_why(page)
    shown = f'{CARDS}[data-id="{product}"]'
    with sent(page, "hide"):
        page.locator(f"{PANEL} .not-this").click()
    assert page.locator(shown).count() == 0
    page.reload()
    page.locator(CARDS).first.wait_for()
    assert page.locator(shown).count() == 0, "the next answer leaves it out, too"
    assert page.locator(".note", has_text="hid it").count() == 1

    page.goto("#/wishes")
    with sent(page, "unhide"):
        page.locator(".hidden-goods button").click()
    visit(page, "#/search?q=milk")
    page.locator(shown).wait_for()
    assert page.locator(CARDS).count() == before

    open_why(page, shown)
    with sent(page, "hide"):
        page.locator(f"{PANEL} .not-this").click()
    assert page.evaluate("document.activeElement.textContent") == "Undo"
    with sent(page, "unhide"):
        page.keyboard.press("Enter")
    page.locator(shown).wait_for()
    assert page.evaluate("document.activeElement.closest('.card').dataset.id") == product


def test_a_like_is_told_once(page: "Page") -> None:
    visit(page)
    open_why(page)
    with sent(page, "like"):
        page.locator(f"{PANEL} .like").click()
    assert page.locator(f"{PANEL} .like").get_attribute("aria-pressed") == "true"


def test_a_wish_outlives_a_reload_and_another_device(page: "Page", browser: "Browser", shop_url: str) -> None:
    visit(page)
    forget_wishes(page, shopper := str(page.locator("#shopper option").nth(1).get_attribute("value")))
    assert choose_a_shopper(page) == shopper
    card = page.locator(f'section:not(.shelf) {CARDS}:has(.heart[aria-pressed="false"])').first
    product = card.get_attribute("data-id")
    with sent(page, "wish"):
        page.locator(f'{CARDS}[data-id="{product}"] .heart').first.click()
    assert page.locator(".wish-count").inner_text() == "1"
    page.reload()
    page.locator(f'{CARDS}[data-id="{product}"] .heart[aria-pressed="true"]').first.wait_for()

    with browser.new_context(base_url=shop_url, locale="en-US") as elsewhere:
        other = elsewhere.new_page()
        visit(other)
        other.select_option("#shopper", shopper)
        other.locator(".wish-count", has_text="1").wait_for()
        other.locator("#wishes").click()
        other.locator("h1", has_text="Your wish list").wait_for()
        listed = other.locator(f'{CARDS}[data-id="{product}"]')
        listed.wait_for()
        with sent(other, "unwish"):
            listed.locator(".heart").click()
    page.goto("#/wishes")
    page.locator("h2", has_text="No wishes yet").wait_for()
    assert not page.locator(".wish-count").is_visible()


def test_a_guest_meets_again_what_they_viewed(page: "Page") -> None:
    visit(page)
    assert page.locator("h2", has_text="Recently viewed").count() == 0
    first, second = [page.locator(CARDS).nth(n).get_attribute("data-id") for n in (0, 1)]
    for product in (first, second):
        with sent(page, "view"):
            page.goto(f"#/product/{product}")
    shelf = page.locator(".shelf", has=page.locator("h2", has_text="Recently viewed"))
    page.goto("#/")
    shelf.locator(CARDS).first.wait_for()
    ids = shelf.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.id)")
    assert ids == [second, first]
    page.goto(f"#/product/{first}")
    shelf.locator(CARDS).first.wait_for()
    assert shelf.locator(CARDS).count() == 1, "the page's own product is no news"


def test_what_goes_together_is_bought_as_a_set(page: "Page") -> None:
    page.goto(f"#/product/{buyable(page, 'bought_together', 'bought_together')}")
    page.locator(".set").wait_for()
    items = page.locator(".set-item")
    assert 2 <= items.count() <= 4

    def total() -> float:
        return float(page.locator(".set-total strong").inner_text().strip("$"))

    costs = [float(text.strip("$")) for text in page.locator(".set-facts > span").all_inner_texts()]
    assert total() == pytest.approx(sum(costs))
    items.last.locator("input").uncheck()
    assert total() == pytest.approx(sum(costs[:-1]))
    items.last.locator("input").check()
    with sent(page, "cart"):
        page.locator(".set-buy .button", has_text=f"Add all {len(costs)}").click()
    assert page.locator(".cart-count").inner_text() == str(len(costs))


def test_a_sold_out_product_shows_what_comes_near(page: "Page") -> None:
    product = buyable(page, "alternatives", "like_this")
    visit(page)
    with sold_out(page, product):
        page.goto(f"#/product/{product}")
        shelf = page.locator(".shelf", has=page.locator("h2", has_text="near alternatives"))
        shelf.locator(CARDS).first.wait_for()
        assert page.locator(".set").count() == 0
        near = shelf.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.id)")
        assert product not in near
    page.reload()
    page.locator(".shelf").first.wait_for()
    assert shelf.count() == 0


def test_what_sells_out_in_the_cart_can_be_swapped_and_is_not_bought(page: "Page") -> None:
    product = buyable(page, "alternatives", "like_this")
    visit(page, f"#/product/{product}")
    page.locator(".big-add .primary").click()
    with sold_out(page, product):
        page.goto("#/cart")
        line = page.locator(f'.line[data-id="{product}"]')
        line.locator(".instead li").first.wait_for()
        assert page.locator(".summary-total strong").inner_text() == "$0.00"
        assert page.locator(".summary .button").is_disabled()
        with sent(page, "cart"):
            line.locator(".instead button").first.click()
        line.wait_for(state="detached")
        assert page.locator(".line").count() == 1
        with sent(page, "purchase"):
            page.locator(".summary .button").click()


def test_an_empty_cart_has_ideas(page: "Page") -> None:
    visit(page)
    choose_a_shopper(page)
    page.goto("#/cart")
    page.locator("h2", has_text="Your cart is empty").wait_for()
    page.locator(".shelf h2", has_text="Buy it again").wait_for()
    ids = page.locator(f".shelves {CARDS}").evaluate_all("cards => cards.map(card => card.dataset.id)")
    assert len(ids) == len(set(ids)) > 3


ADDRESSES = ("", "#/search?q=milk", "#/category/Dairy", "#/product/{}", "#/cart", "#/wishes", "#/search?q=qqqxyzzyqqq")


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_no_page_has_a_grave_fault_of_accessibility(page: "Page", language: str, scheme: Any) -> None:
    if not axe.LIBRARY.exists():
        absent("needs axe-core: npm ci in tests/browser (make test-browser)")
    page.emulate_media(color_scheme=scheme)
    visit(page)
    if language == "zh":
        page.locator("#language").click()
        page.locator("html[lang=zh-CN]").wait_for()
    product = page.locator(CARDS).first.get_attribute("data-id")
    page.locator(".quick-add:enabled").first.click()
    page.locator(".heart").first.click()
    for address in ADDRESSES:
        page.goto(address.format(product))
        page.locator("#main h1").wait_for()
        page.wait_for_load_state("networkidle")
        assert axe.findings(page) == [], address
    page.goto("#/")
    choose_a_shopper(page)
    assert axe.findings(page) == [], "the home page of a known shopper"
