"""The operator's console in a browser: every page in both languages, what it shows, and what it changes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wares
from wares.app.web.access.keys import Keys

from .conftest import absent, served, visitor
from .console_shop import EVIL, EVIL_QUERY, IGNORED, NOTHING, OTHER, RARE, make_console_shop
from .front_end import LIBRARIES
from .small_shop import SETTINGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

PAGES = {
    "overview": ".tiles",
    "search?q=milk&p2=wordy": ".hits",
    "recommend?surface=home&shopper=1": ".hits",
    "queries": ".queries",
    "rules?query=kombucha": ".findings .alert",
    "imports": ".facts",
    "snapshots": ".card",
    "experiments": ".card",
    "health": ".health",
    "journal": ".card",
}
AXE = LIBRARIES / "axe-core" / "axe.min.js"
GRAVE = """() => axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
  .filter((one) => ['serious', 'critical'].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes[0].html}`))"""
SAME_NAMES = """async () => {
  const [{ en }, { zh }] = await Promise.all([import('./console/js/text_en.js'), import('./console/js/text_zh.js')]);
  const names = (texts, before = '') => Object.entries(texts).flatMap(([name, text]) =>
    [`${before}${name}:${typeof text}`, ...(text && typeof text === 'object' ? names(text, `${before}${name}.`) : [])]);
  const [one, other] = [new Set(names(en)), new Set(names(zh))];
  return [one.size, [...one].filter(name => !other.has(name)), [...other].filter(name => !one.has(name))];
}"""


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("console")
    make_console_shop(folder)
    with served(folder) as address:
        yield address + "/"


@pytest.fixture
def page(browser: "Browser", console: str) -> "Iterator[Page]":
    yield from visitor(browser, console, width=1360, height=900)


@pytest.fixture
def phone(browser: "Browser", console: str) -> "Iterator[Page]":
    yield from visitor(browser, console, width=360, height=740)


def visit(page: "Page", address: str, wanted: str = "") -> None:
    """Go to a page of the console and wait until it shows what it has to show."""
    page.goto("console" if "/console" not in page.url else page.url.partition("#")[0])
    page.goto(f"console#/{address}")
    page.locator(wanted or PAGES.get(address, "main h1")).first.wait_for(timeout=120_000)
    page.wait_for_function("() => !document.querySelector('main .waiting, main .working')")


def speak_chinese(page: "Page") -> None:
    page.locator("#language").click()
    page.wait_for_function("() => document.documentElement.lang === 'zh-CN'")


def main_text(page: "Page") -> str:
    return str(page.locator("main").inner_text())


def confirm(page: "Page", name: str = "Anna") -> None:
    """Say who it is, and go on."""
    dialog = page.locator("dialog")
    dialog.get_by_label("Your name").fill(name)
    dialog.locator("button[type=submit]").click()
    dialog.wait_for(state="detached")


def hit(page: "Page", place: int, side: int = 0) -> "Locator":
    return page.locator(".hits").nth(side).locator("details.hit").nth(place)


# -- all pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("light", ["light", "dark"])
def test_no_page_has_a_serious_fault_for_who_cannot_see_it_well(page: "Page", light: str) -> None:
    """English by day and Chinese by night, so that each page is looked at in both languages and in both lights."""
    if not AXE.is_file():
        absent("axe-core is not there; `make test-browser` gets it with npm")
    page.emulate_media(color_scheme="dark" if light == "dark" else "light")
    for address, wanted in PAGES.items():
        visit(page, address, wanted)
        if light == "dark" and page.locator("html").get_attribute("lang") != "zh-CN":
            speak_chinese(page)
            page.locator(wanted).first.wait_for()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(GRAVE) == [], address
        assert not re.search(r"\b(undefined|NaN|null|\[object)\b", main_text(page)), address


def test_every_page_fits_a_phone(phone: "Page") -> None:
    for address in ("overview", "search?q=milk&p2=wordy", "rules?query=kombucha", "imports"):
        visit(phone, address)
        assert phone.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, address


def test_every_text_has_its_twin_and_the_switch_keeps_the_page(page: "Page") -> None:
    visit(page, "search?q=oat+milk", ".hits")
    size, only_english, only_chinese = page.evaluate(SAME_NAMES)
    assert size > 300 and only_english == only_chinese == []
    speak_chinese(page)
    page.locator("h1", has_text="搜索实验室").wait_for()
    assert page.locator("main input[type=search]").input_value() == "oat milk"
    page.reload()
    page.locator("h1", has_text="搜索实验室").wait_for()


def test_the_light_is_the_systems_until_one_is_chosen(page: "Page") -> None:
    visit(page, "journal")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    by_day = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) != by_day
    page.locator("#light").click()
    assert page.evaluate(paper) == by_day


def test_the_keyboard_reaches_the_page_and_every_way(page: "Page") -> None:
    visit(page, "journal")
    page.reload()
    page.locator("main .card").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("h1", has_text="Search lab").wait_for()
    assert page.locator("[aria-current=page]").inner_text() == "Search lab"


# -- overview ----------------------------------------------------------------------------------------------------------


def test_the_overview_tells_each_day_by_pointer_by_key_and_as_a_table(page: "Page") -> None:
    visit(page, "overview")
    assert page.locator(".tile").count() == 6 and "252" in page.locator(".tile").nth(3).inner_text()
    chart = page.locator(".chart", has_text="Answers by surface")
    plot = chart.locator(".plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 60)
    assert re.search(r"Search\s*12", chart.locator(".tip").inner_text())
    plot.focus()
    plot.press("ArrowLeft")
    plot.press("ArrowLeft")
    assert "Search 12" in chart.locator("[aria-live]").inner_text()
    chart.locator("summary").click()
    chart.locator("tbody tr").first.wait_for()
    assert chart.locator("tbody tr").count() == 28
    before = chart.element_handle()
    page.get_by_role("button", name="7 days").click()
    page.wait_for_function("() => location.hash.includes('days=7')")
    page.wait_for_function("before => !before.isConnected", arg=before, timeout=120_000)  # else it is still the old one
    page.locator(".tiles").wait_for(timeout=120_000)
    chart.locator("summary").click()
    chart.locator("tbody tr").first.wait_for()
    assert chart.locator("tbody tr").count() == 7


# -- labs --------------------------------------------------------------------------------------------------------------


def test_the_search_lab_takes_hits_apart_and_marks_how_they_move(page: "Page") -> None:
    visit(page, "search?q=milk", ".hits")
    hit(page, 0).locator("h3", has_text="taken apart").wait_for()
    assert hit(page, 0).locator("tbody tr").count() >= 2
    page.get_by_label("Compare two ways").check()
    page.locator(".hits").nth(1).wait_for()
    assert "p2=wordy" in page.url
    assert page.locator(".hits").nth(1).locator(".move.up, .move.down").count() > 3
    page.reload()
    page.locator(".hits").nth(1).wait_for()


def test_what_feeds_and_shoppers_wrote_is_never_markup(page: "Page") -> None:
    visit(page, "search?q=milk", ".hits")
    assert EVIL in main_text(page)
    page.locator("main input[type=search]").fill(EVIL_QUERY)
    page.keyboard.press("Enter")
    page.locator(".understood").wait_for()
    visit(page, "queries")
    assert EVIL_QUERY.lower() in main_text(page)
    for address in ("recommend?surface=browse", "rules?query=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E", "queries"):
        visit(page, address, "main .card")
        assert page.locator("main img").count() == 0
    assert page.title().startswith("Weak searches")


def test_the_recommendation_lab_tells_who_spoke_for_a_hit_and_what_the_shopper_likes(page: "Page") -> None:
    visit(page, "recommend?surface=home&shopper=2", ".hits")
    assert "Buy again" in hit(page, 0).inner_text() and "What sources say" in hit(page, 0).inner_text()
    assert "Interests" in main_text(page)
    page.get_by_label("Surface").select_option("similar")
    page.locator(".empty").wait_for()
    page.get_by_label("Seeds").fill("whole-milk-by-goldfinch")
    page.keyboard.press("Enter")
    page.locator(".hits").wait_for()
    assert "seeds=whole" in page.url and "surface=similar" in page.url


# -- what is put right -------------------------------------------------------------------------------------------------


def test_a_weak_search_becomes_a_synonym_that_holds_at_once(page: "Page") -> None:
    visit(page, "queries")
    text = main_text(page)
    assert NOTHING in text and IGNORED in text and RARE not in text
    page.get_by_role("button", name=f"Make synonym: {NOTHING}").click()
    page.locator("dialog").get_by_label("and mean").fill("green tea")
    confirm(page)
    page.locator("#toast", has_text=f"{NOTHING} => green tea").wait_for()
    page.get_by_role("link", name=NOTHING, exact=True).click()
    page.locator(".hits").wait_for()
    assert "Green tea" in hit(page, 0).inner_text()
    visit(page, "journal", "table")
    assert "Added the synonym" in main_text(page) and "Anna" in main_text(page)


def test_rules_are_written_checked_previewed_published_and_undone(page: "Page") -> None:
    visit(page, f"rules?query={IGNORED}", ".findings .alert")
    area = page.locator("#rules-text")
    assert f'query = "{IGNORED}"' in area.input_value()
    area.fill("[[rules]]\nhidee = 1\n")
    page.locator(".findings", has_text="1 fault").wait_for()
    speak_chinese(page)
    assert "hidee" in page.locator("#rules-text").input_value(), "a switch loses nothing"
    page.locator("#language").click()
    area.fill('[[rules]]\nname = "Cola day"\nwhen = { query = "green tea" }\npin = { "cola-by-goldfinch" = 1 }\n')
    page.locator(".findings .alert.good").wait_for()
    page.get_by_role("button", name="Show before and after").click()
    page.locator(".before-after").first.wait_for()
    assert "Cola" in page.locator(".before-after").first.locator("ol").nth(1).locator("li").first.inner_text()
    page.get_by_role("button", name="Publish").click()
    confirm(page)
    page.locator(".log li", has_text="Version 3").first.wait_for()
    assert "Cola day" in page.locator(".rules").inner_text()
    visit(page, "search?q=green+tea", ".hits")
    assert "Cola" in hit(page, 0).inner_text()
    visit(page, "rules", ".log")
    page.get_by_role("button", name="Undo").click()
    confirm(page, "Bo")
    page.locator(".log li", has_text="Version 4").first.wait_for()
    assert "Cola day" not in page.locator(".rules").inner_text()


def test_a_dialog_can_be_left_and_nothing_happens_without_a_name(page: "Page") -> None:
    visit(page, "snapshots", ".card")
    page.get_by_role("button", name="Go back to this").click()
    dialog = page.locator("dialog")
    dialog.locator("button[type=submit]").click()
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.locator(".card.current").inner_text().startswith("000002")


def test_the_shop_goes_back_to_an_older_snapshot_and_on_again(page: "Page") -> None:
    visit(page, "snapshots", ".card")
    page.get_by_role("button", name="Go back to this").click()
    confirm(page)
    page.locator(".card.current", has_text="000001").wait_for()
    page.get_by_role("button", name="Let it serve").click()
    confirm(page)
    page.locator(".card.current", has_text="000002").wait_for()


def test_imports_tell_what_to_do(page: "Page") -> None:
    visit(page, "imports")
    text = main_text(page)
    assert "1 (0.7%)" in text and "Give each product its own 'id'" in text


# -- where something is missing ----------------------------------------------------------------------------------------


def test_trouble_is_told_and_can_be_tried_again(browser: "Browser", console: str) -> None:
    context = browser.new_context(base_url=console, locale="en-US", reduced_motion="reduce")
    page = context.new_page()
    page.route("**/v1/console/snapshots", lambda route: route.abort())
    page.goto("console#/snapshots")
    page.locator(".trouble", has_text="cannot be reached").wait_for()
    page.unroute("**/v1/console/snapshots")
    said = {"status": 507, "code": "store-unwritable", "title": "Insufficient Storage", "detail": "The <disk> is full."}
    page.route("**/v1/console/snapshots", lambda route: route.fulfill(status=507, json=said))
    page.get_by_role("button", name="Try again").click()
    page.locator(".trouble", has_text="The <disk> is full.").wait_for()
    page.unroute("**/v1/console/snapshots")
    page.get_by_role("button", name="Try again").click()
    page.locator(".card.current").wait_for()
    context.close()


def test_a_console_with_keys_asks_for_one_and_keeps_it_in_the_tab_alone(browser: "Browser", tmp_path: Path) -> None:
    """And an empty shop has a page for everything, too."""
    (tmp_path / "wares.toml").write_text(SETTINGS + OTHER, encoding="utf-8")
    wares.open(tmp_path).close()
    searching, admin = Keys(tmp_path).new(["search"])[0], Keys(tmp_path).new(["admin"])[0]
    with served(tmp_path) as address:
        context = browser.new_context(base_url=address + "/", locale="en-US", reduced_motion="reduce")
        page = context.new_page()
        page.goto("console#/imports")
        for key, said in (("wrong", "no valid key"), (searching, "lacks the scope admin")):
            page.get_by_label("Key").fill(key)
            page.keyboard.press("Enter")
            page.locator(".door-fault", has_text=said).wait_for()
        page.get_by_label("Key").fill(admin)
        page.keyboard.press("Enter")
        page.locator("h1", has_text="Imports").wait_for()
        page.reload()
        page.locator(".empty", has_text="No import yet").wait_for()
        for name, said in {
            "rules": "Nothing was published yet",
            "snapshots": "Nothing was learnt yet",
            "journal": "Nothing was changed",
            "overview": "Nothing was learnt yet",
            "queries": "None in this span",
            "experiments": "No experiment yet",
        }.items():
            page.goto(f"console#/{name}")
            page.locator("main", has_text=said).wait_for(timeout=120_000)
        assert admin not in page.evaluate("() => JSON.stringify({...localStorage}) + document.cookie")
        other = context.new_page()
        other.goto("console")
        other.locator("h1", has_text="needs a key").wait_for()
        page.get_by_role("button", name="Forget the key").click()
        page.locator("h1", has_text="needs a key").wait_for()
        context.close()
