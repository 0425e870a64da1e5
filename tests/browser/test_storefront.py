"""What a visitor of the storefront sees and can do."""

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

CARDS = "article.card"
CHOSEN = ".chip:not(.wished)"  # what the shopper ticked; the others were read in the words


def visit(page: "Page", address: str = "") -> None:
    """Open an address of the shop and wait until its goods are there."""
    page.goto(address)
    page.locator(CARDS).first.wait_for()


def settled(page: "Page") -> None:
    """Wait until the listing shows what the address says."""
    page.locator(".listing:not([aria-busy])").wait_for()


def total(page: "Page") -> int:
    settled(page)
    return number(page.locator(".total strong").inner_text())


def number(text: str) -> int:
    found = re.search(r"\d[\d,]*", text)
    assert found, f"no number in {text!r}"
    return int(found.group().replace(",", ""))


def prices(page: "Page") -> list[float]:
    """The prices in the order shown; goods without one are left out."""
    settled(page)
    return [
        float(text.strip("$").replace(",", ""))
        for text in page.locator(f"{CARDS} .price:not(.unknown)").all_inner_texts()
    ]


def widths(page: "Page") -> tuple[int, int]:
    wide: tuple[int, int] = tuple(page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))
    return wide


def choose_a_shopper(page: "Page") -> str:
    """Become the first example shopper."""
    name: str | None = page.locator("#shopper option").nth(1).get_attribute("value")
    assert name
    page.select_option("#shopper", name)
    page.locator("h1", has_text=name).wait_for()
    page.locator(CARDS).first.wait_for()
    return name


def partial_choice(page: "Page") -> "Locator":
    """A value of the brand facet that would leave out some of the goods."""
    settled(page)
    return page.locator('.facet[data-field="brand"] label').first


def sent(page: "Page", kind: str) -> "Any":
    """Expect that the shop takes an event of this kind, and nothing that came with it is refused."""

    def taken(response: "Any") -> bool:
        request = response.request
        if not request.url.endswith("/events"):
            return False
        kinds = [event["kind"] for event in json.loads(request.post_data or "{}").get("events", [])]
        told = response.json()
        return kind in kinds and told["new"] + told["repeated"] == len(kinds) and not told["rejected"]

    return page.expect_response(taken)


def test_typing_suggests_and_enter_shows_results(page: "Page") -> None:
    visit(page)
    page.locator("#q").press_sequentially("milk", delay=30)
    page.locator(".suggestion mark", has_text=re.compile("milk", re.IGNORECASE)).first.wait_for()
    with sent(page, "search"):
        page.keyboard.press("Enter")
    page.locator("h1", has_text="milk").wait_for()
    assert "q=milk" in page.url
    assert total(page) > 0
    assert page.locator(f"{CARDS} mark").count() > 0


def test_a_newer_word_replaces_the_suggestions_of_an_older_one(page: "Page") -> None:
    visit(page)
    page.locator("#q").press_sequentially("mil", delay=10)
    page.locator("#q").fill("bread")
    page.locator(".suggestion mark", has_text=re.compile("bread", re.IGNORECASE)).first.wait_for()
    assert page.locator(".suggestion mark", has_text=re.compile("^mil", re.IGNORECASE)).count() == 0


def test_a_facet_changes_the_total_to_the_count_it_promised(page: "Page") -> None:
    visit(page, "#/search?q=milk")
    choice = partial_choice(page)
    promised = number(choice.locator(".n").inner_text())
    before = total(page)
    choice.locator("input").check()
    page.locator(CHOSEN).first.wait_for()
    assert total(page) == promised <= before
    page.locator(CHOSEN).first.click()
    page.locator(CHOSEN).first.wait_for(state="detached")
    assert total(page) == before


def test_a_price_range_holds(page: "Page") -> None:
    visit(page, "#/category")
    page.get_by_label("Lowest price").fill("3")
    page.get_by_label("Lowest price").press("Tab")
    page.locator(CHOSEN).first.wait_for()
    page.get_by_label("Highest price").fill("6")
    page.get_by_label("Highest price").press("Tab")
    page.locator(CHOSEN, has_text="$6.00").wait_for()
    shown = prices(page)
    assert shown
    assert all(3 <= price <= 6 for price in shown)


def test_both_ends_of_a_range_hold_however_slow_the_answer_to_the_first_is(page: "Page") -> None:
    visit(page, "#/category")
    held: list[Any] = []
    both: list[bool] = []
    page.route("**/v1/browse", lambda route: route.continue_() if both else held.append(route))
    page.get_by_label("Lowest price").fill("3")
    page.get_by_label("Lowest price").press("Tab")
    page.get_by_label("Highest price").fill("6")
    both.append(True)
    page.get_by_label("Highest price").press("Tab")
    page.wait_for_function("() => location.hash.includes('r.price=3..6')")
    page.locator(CHOSEN, has_text="$6.00").wait_for()
    assert held and all(3 <= price <= 6 for price in prices(page))


@pytest.mark.parametrize(("sort", "backwards"), [("price", False), ("-price", True)])
def test_sorting_by_price_orders_the_prices(page: "Page", sort: str, backwards: bool) -> None:
    visit(page, "#/search?q=milk")
    page.locator(".sort select").select_option(sort)
    page.wait_for_url(re.compile(f"sort={sort}"))
    shown = prices(page)
    assert len(shown) > 2
    assert shown == sorted(shown, reverse=backwards)


def test_more_pages_reach_the_total(page: "Page") -> None:
    visit(page, "#/category")
    everything = total(page)
    for _ in range(everything):
        shown = page.locator(CARDS).count()
        if not page.locator(".more").count():
            break
        page.locator(".more").click()
        page.locator(CARDS).nth(shown).wait_for()
    ids = page.locator(CARDS).evaluate_all("cards => cards.map(card => card.dataset.id)")
    assert len(ids) == len(set(ids)) == everything


def test_back_restores_filters_and_the_place_in_the_list(page: "Page") -> None:
    visit(page, "#/category")
    before = total(page)
    partial_choice(page).locator("input").check()
    page.locator(CHOSEN).first.wait_for()
    narrowed = total(page)
    page.locator(f"{CARDS} a").first.click()
    page.locator(".product h1").wait_for()
    page.go_back()
    page.locator(CHOSEN).first.wait_for()
    assert total(page) == narrowed
    page.go_back()
    page.locator(CHOSEN).first.wait_for(state="detached")
    assert total(page) == before


def test_nothing_found_is_said_kindly(page: "Page") -> None:
    page.goto("#/search?q=qqqxyzzyqqq&f.brand=NoSuchBrand")
    page.locator(".panel h2").wait_for()
    assert page.locator(".panel .button").is_visible()


def test_home_shows_a_shopper_reasons(page: "Page") -> None:
    visit(page)
    choose_a_shopper(page)
    lines = page.locator(f"{CARDS} .reason").all_inner_texts()
    assert lines
    assert all(line.strip() and "undefined" not in line for line in lines)
    page.reload()
    page.locator(CARDS).first.wait_for()
    assert page.locator("#shopper").input_value(), "the shopper is remembered"


def test_home_shows_everybody_what_is_popular(page: "Page") -> None:
    visit(page)
    page.locator("h2", has_text="Popular right now").wait_for()
    assert page.locator(CARDS).count() > 3


def test_a_product_page_shows_what_is_similar_and_tells_of_the_view(page: "Page") -> None:
    visit(page, "#/search?q=milk")
    with sent(page, "view"):
        page.locator(f"{CARDS} a").first.click()
    page.locator(".product h1").wait_for()
    page.locator(".shelf h2", has_text="More like this").wait_for()
    assert page.locator(f".shelf {CARDS}").count() > 2


def test_a_purchase_goes_through_the_cart(page: "Page") -> None:
    visit(page)
    choose_a_shopper(page)
    visit(page, "#/search?q=milk")
    with sent(page, "cart"):
        page.locator(".quick-add:enabled").first.click()
    assert page.locator(".cart-count").inner_text() == "1"
    page.locator("#cart").click()
    page.locator(".line").wait_for()
    page.locator('.line [data-step="1"]').click()
    assert page.locator(".line output").inner_text() == "2"
    page.locator(".shelves .card").first.wait_for()
    with sent(page, "purchase"):
        page.locator(".summary .button").click()
    page.locator("h2", has_text="Thank you").wait_for()
    assert not page.locator(".cart-count").is_visible()


def test_the_interface_speaks_chinese_and_remembers_it(page: "Page") -> None:
    visit(page)
    page.locator("#language").click()
    page.locator("h2", has_text="正在热卖").wait_for()
    page.reload()
    page.locator("h2", has_text="正在热卖").wait_for()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    visit(page, "#/search?q=milk")
    assert "种商品" in page.locator(".total").inner_text()


def test_both_dictionaries_say_the_same_things(page: "Page") -> None:
    visit(page)
    keys = """async (language) => {
        const words = (await import(`/storefront/js/text_${language}.js`))[language];
        const names = (tree) => Object.entries(tree).flatMap(([name, text]) =>
            typeof text === 'object' ? names(text).map((below) => `${name}.${below}`) : [`${name} ${typeof text}`]);
        return names(words).sort();
    }"""
    assert page.evaluate(keys, "en") == page.evaluate(keys, "zh")


def test_the_keyboard_alone_is_enough(page: "Page") -> None:
    visit(page)
    page.keyboard.press("/")
    page.keyboard.type("milk", delay=30)
    page.locator(".suggestion").first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".suggestions").wait_for(state="hidden")
    page.keyboard.type(" ")
    page.locator(".suggestion").first.wait_for()
    page.locator(".suggestion .picture").first.wait_for()
    for _ in range(page.locator(".suggestion.idea").count() + 1):  # past what the words may become, to a product
        page.keyboard.press("ArrowDown")
    assert page.locator('.suggestion[aria-selected="true"]').count() == 1
    page.keyboard.press("Enter")
    page.locator(".product h1:focus").wait_for()
    reach(page, ".big-add .primary")
    page.keyboard.press("Enter")
    assert page.locator(".cart-count").inner_text() == "1"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus is visible"


def test_ticking_a_facet_keeps_the_focus(page: "Page") -> None:
    visit(page, "#/search?q=milk")
    partial_choice(page).locator("input").focus()
    page.keyboard.press("Space")
    page.locator(CHOSEN).first.wait_for()
    settled(page)
    assert page.evaluate("document.activeElement.dataset.key").startswith("brand/")


def reach(page: "Page", selector: str, at_most: int = 60) -> None:
    """Press Tab until the focus is there."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"Tab never reached {selector}")


@pytest.mark.parametrize("address", ["", "#/search?q=milk", "#/category", "#/cart"])
def test_a_phone_needs_no_sideways_scroll(phone: "Page", address: str) -> None:
    visit(phone, address)
    content, screen = widths(phone)
    assert content <= screen


def test_a_product_fits_a_phone(phone: "Page") -> None:
    visit(phone, "#/search?q=milk")
    phone.locator(f"{CARDS} a").first.click()
    phone.locator(f".shelf {CARDS}").first.wait_for()
    content, screen = widths(phone)
    assert content <= screen


def test_a_phone_filters_in_a_sheet(phone: "Page") -> None:
    visit(phone, "#/search?q=milk")
    settled(phone)
    assert not phone.locator(".facets").is_visible()
    phone.locator(".opener").click()
    promised = number(partial_choice(phone).locator(".n").inner_text())
    partial_choice(phone).locator("input").check()
    phone.locator(".sheet-close", has_text=f"Show {promised} product").click()
    assert not phone.locator(".facets").is_visible()
    assert total(phone) == promised


def test_the_page_obeys_a_strict_content_security_policy(page: "Page") -> None:
    response = page.goto("")
    assert response is not None
    assert "default-src 'none'; script-src 'self'" in response.headers.get("content-security-policy", "")
    page.locator(CARDS).first.wait_for()
    assert page.locator("[style]:not([style*='--'])").count() == 0


def test_a_subcategory_narrows_its_category(page: "Page") -> None:
    visit(page, "#/category/Dairy")
    settled(page)
    choice = page.locator('.facet[data-field="category"] label').first
    promised, everything = number(choice.locator(".n").inner_text()), total(page)
    choice.locator("input").check()
    page.locator(CHOSEN).first.wait_for()
    assert total(page) == promised < everything


# -- how what is being typed may go on ---------------------------------------------------------------------------------

IDEAS = ".suggestion.idea"


def selected(page: "Page") -> "Locator":
    return page.locator('.suggestion[aria-selected="true"]')


def test_half_a_word_is_completed_and_the_mouse_takes_it(page: "Page") -> None:
    visit(page)
    page.locator("#q").press_sequentially("gold che", delay=10)
    idea = page.locator(IDEAS, has_text="goldfinch cheese")
    idea.wait_for()
    assert idea.locator("mark").all_inner_texts() == ["gold", "che"]
    with sent(page, "search"):
        idea.click()
    page.locator("h1", has_text="goldfinch cheese").wait_for()
    assert page.locator("#q").input_value() == "goldfinch cheese"
    assert not page.locator(".suggestions").is_visible()


def test_a_category_among_the_suggestions_opens_its_page(page: "Page") -> None:
    visit(page)
    page.locator("#q").press_sequentially("chee", delay=10)
    idea = page.locator(IDEAS, has_text="Department").filter(has_text="Cheese")
    idea.wait_for()
    assert "Dairy" in idea.inner_text()
    idea.click()
    page.locator("h1", has_text="Cheese").wait_for()
    assert "#/category/" in page.url


def test_an_empty_box_offers_what_is_wanted_most(page: "Page") -> None:
    visit(page)
    page.locator("#q").focus()
    page.locator(IDEAS).first.wait_for()
    assert page.locator("#q").get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    page.locator(".suggestions").wait_for(state="hidden")
    assert page.locator("#q").get_attribute("aria-expanded") == "false"


def test_arrows_walk_around_the_suggestions_and_screen_readers_follow(page: "Page") -> None:
    visit(page)
    page.locator("#q").press_sequentially("chee", delay=10)
    page.locator(".suggestion .picture").first.wait_for()
    page.keyboard.press("ArrowDown")
    first = selected(page).get_attribute("id")
    assert page.locator("#q").get_attribute("aria-activedescendant") == first
    page.keyboard.press("ArrowUp")
    assert selected(page).count() == 0, "back in the box"
    assert page.locator("#q").get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowUp")
    last = page.locator(".suggestion").last.get_attribute("id")
    assert selected(page).get_attribute("id") == last != first
    page.keyboard.type("s")
    assert selected(page).count() == 0, "Enter means the words that were typed since"


def test_an_input_method_is_left_alone_until_it_has_its_characters(page: "Page") -> None:
    visit(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/suggest?" in request.url else None)
    session = page.context.new_cdp_session(page)
    page.locator("#q").focus()
    page.locator(IDEAS).first.wait_for()
    for letters in ("n", "ni", "niu"):
        session.send("Input.imeSetComposition", {"text": letters, "selectionStart": 3, "selectionEnd": 3})
        page.wait_for_timeout(120)
    assert [url for url in asked if "q=n" in url] == []
    with page.expect_request(re.compile(r"/suggest\?q=%E7%89%9B")):
        session.send("Input.insertText", {"text": "牛"})


def test_a_late_answer_to_an_older_word_is_ignored(page: "Page") -> None:
    visit(page)
    held: list[Any] = []
    page.route(re.compile(r"/suggest\?q=mil&"), lambda route: held.append(route))
    with page.expect_request(re.compile(r"/suggest\?q=mil&")):
        page.locator("#q").fill("mil")
    page.locator("#q").fill("bread")
    page.locator(IDEAS, has_text=re.compile("bread", re.IGNORECASE)).first.wait_for()
    for route in held:
        route.fulfill(json={"suggestions": [{"text": "mild soap", "kind": "query", "about": "", "weight": 1}]})
    page.wait_for_timeout(200)
    assert page.locator(IDEAS, has_text="mild soap").count() == 0
