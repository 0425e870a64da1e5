"""The page of the how-to in a browser: the real InstantSearch, its client and its events, on an origin of its own."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wares.app.web.access.keys import Keys
from wares.shop import Shop, open_shop
from wares.store.impressions import read_impressions

from .conftest import absent, make_shop, served, visitor
from .front_end import LIBRARIES, front_end, page_of_the_how_to

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

HITS = ".ais-Hits-item article"
IMPRESSIONS_S = 5.0


@dataclass(frozen=True)
class Front:
    """A shop's front end, the wares behind it, and the folder in which that keeps what it is told."""

    url: str
    wares: str
    folder: Path


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    if not (LIBRARIES / "instantsearch.js").is_dir():
        absent("the front-end libraries are not there; `make test-browser` gets them with npm")
    shop, pages = tmp_path_factory.mktemp("front-shop"), tmp_path_factory.mktemp("front-end")
    make_shop(shop)
    (pages / "node_modules").symlink_to(LIBRARIES)
    with front_end(pages) as origin:
        key, _ = Keys(shop).new(["search", "events"], origins=[origin])
        with served(shop) as wares:
            (pages / "index.html").write_text(page_of_the_how_to(wares, key), encoding="utf-8")
            yield Front(origin, wares, shop)


@pytest.fixture
def page(browser: "Browser", front: Front) -> "Iterator[Page]":
    """A visitor of the front end; the console must stay clean."""
    for visit in visitor(browser, front.url + "/", width=1280, height=900):
        visit.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        open_page(visit)
        yield visit


def open_page(page: "Page", address: str = "/index.html") -> None:
    page.goto(address)
    page.locator(HITS).first.wait_for()


def total(page: "Page") -> int:
    return number(page.locator(".ais-Stats-text").inner_text())


def number(text: str) -> int:
    found = re.search(r"\d[\d,]*", text)
    assert found, f"no number in {text!r}"
    return int(found.group().replace(",", ""))


def answered(page: "Page", act: Callable[[], object]) -> list[dict[str, Any]]:
    """What wares answers to the batch that this act makes the page send, once the page shows it."""
    with page.expect_response(lambda response: "/queries" in response.url) as seen:
        act()
    assert seen.value.status == 200, seen.value.text()
    results: list[dict[str, Any]] = seen.value.json()["results"]
    shows(page, results[0]["nbHits"])
    return results


def shows(page: "Page", hits: int) -> None:
    """Wait until the page says so. What it asked before it does not ask again: the client remembers answers."""
    said = "No results" if not hits else "1 result" if hits == 1 else f"{hits:,} results"
    page.locator(".ais-Stats-text", has_text=re.compile(f"^{said} ")).wait_for()


def search(page: "Page", words: str) -> list[dict[str, Any]]:
    """Type at once, so that one batch is sent."""
    return answered(page, lambda: page.locator("#box input").fill(words))


def facet(page: "Page", where: str, value: str) -> "Any":
    return page.locator(f"{where} li", has=page.locator(f'text="{value}"')).last


def titles(page: "Page") -> list[str]:
    return list(page.locator(f"{HITS} h2").all_inner_texts())


def prices(page: "Page") -> list[float]:
    return [float(text.split()[0]) for text in page.locator(f"{HITS} b").all_inner_texts()]


def test_typing_finds_and_marks_what_matched(page: "Page") -> None:
    everything = total(page)
    (result,) = search(page, "milk")
    assert 0 < result["nbHits"] < everything
    assert result["exhaustiveNbHits"] and result["processingTimeMS"] >= 0
    marked = page.locator(f"{HITS} h2 mark, {HITS} h2 .ais-Highlight-highlighted")
    assert {text.lower() for text in marked.all_inner_texts()} == {"milk"}


def test_a_brand_that_is_chosen_leaves_the_numbers_of_the_other_brands(page: "Page") -> None:
    """Several searches in one batch: the hits, and the brands as if none were chosen."""
    (result,) = search(page, "milk")
    promised = number(facet(page, "#brands", "Goldfinch").locator(".ais-RefinementList-count").inner_text())
    before = page.locator("#brands .ais-RefinementList-count").all_inner_texts()
    results = answered(page, lambda: facet(page, "#brands", "Goldfinch").locator("input").check())
    assert len(results) == 2 and results[1]["hits"] == []
    assert total(page) == promised
    assert sorted(page.locator("#brands .ais-RefinementList-count").all_inner_texts()) == sorted(before)
    answered(page, lambda: facet(page, "#brands", "North Farm").locator("input").check())
    assert total(page) > promised
    assert page.locator("#chosen .ais-CurrentRefinements-category").count() == 2
    page.locator("#clear button").click()
    shows(page, result["nbHits"])
    assert page.locator("#chosen .ais-CurrentRefinements-category").count() == 0


def test_brands_can_be_searched_in(page: "Page") -> None:
    with page.expect_response(lambda response: "/queries" in response.url):
        page.locator("#brands input[type=search]").fill("gol")
    page.locator("#brands li", has_text="Meadow Lane").wait_for(state="detached")
    assert page.locator("#brands .ais-RefinementList-labelText").all_inner_texts() == ["Goldfinch"]
    assert page.locator("#brands mark").inner_text() == "Gol"


def test_the_menu_of_categories_goes_down_and_up_again(page: "Page") -> None:
    everything = total(page)
    roots = page.locator("#categories .ais-HierarchicalMenu-link").count()
    dairy = facet(page, "#categories", "Dairy")
    promised = number(dairy.locator(".ais-HierarchicalMenu-count").first.inner_text())
    answered(page, lambda: dairy.locator("a").first.click())
    assert total(page) == promised < everything
    inner = page.locator("#categories .ais-HierarchicalMenu-list--child .ais-HierarchicalMenu-label")
    assert sorted(inner.all_inner_texts()) == ["Cheese", "Milk"]
    milk = facet(page, "#categories .ais-HierarchicalMenu-list--child", "Milk")
    fewer = number(milk.locator(".ais-HierarchicalMenu-count").inner_text())
    results = answered(page, lambda: milk.locator("a").click())
    assert len(results) >= 3, "the hits, and each level above"
    assert total(page) == fewer < promised
    assert page.locator("#categories > div > ul > li").count() == roots, "the other roots stay"
    facet(page, "#categories", "Dairy").locator("a").first.click()  # the root that is open closes
    shows(page, everything)


def test_the_price_slider_knows_the_ends_and_keeps_to_them(page: "Page") -> None:
    handles = page.locator("#price .rheostat-handle")
    low, high = (float(handles.nth(at).get_attribute("aria-valuenow") or 0) for at in (0, 1))
    assert (low, high) == (0, 15), "0.80 to 14.99, in whole units"
    handles.nth(1).focus()
    before = total(page)
    answered(page, lambda: page.keyboard.press("PageDown"))
    assert total(page) < before
    top = float(handles.nth(1).get_attribute("aria-valuenow") or 0)
    assert all(low <= price <= top for price in prices(page))


def test_pages_follow_one_another_without_repeating(page: "Page") -> None:
    first = page.locator(HITS).evaluate_all("all => all.map(one => one.dataset.id)")
    answered(page, lambda: page.locator("#pages .ais-Pagination-item--nextPage a").click())
    page.locator("#pages .ais-Pagination-item--selected", has_text="2").wait_for()
    second = page.locator(HITS).evaluate_all("all => all.map(one => one.dataset.id)")
    assert len(set(first) | set(second)) == 24
    last = page.locator("#pages .ais-Pagination-item--lastPage a")
    (result,) = answered(page, lambda: last.click())
    assert result["page"] == result["nbPages"] - 1
    assert len(result["hits"]) == result["nbHits"] - 12 * result["page"]


def test_another_order_is_another_index(page: "Page") -> None:
    answered(page, lambda: page.locator("#sort select").select_option("default__price_asc"))
    page.wait_for_function(_ORDER, arg=1)
    assert prices(page) == sorted(prices(page))
    answered(page, lambda: page.locator("#sort select").select_option("default__price_desc"))
    page.wait_for_function(_ORDER, arg=-1)
    assert prices(page) == sorted(prices(page), reverse=True)


_ORDER = """sign => {
    const shown = [...document.querySelectorAll('.ais-Hits-item b')].map(one => parseFloat(one.textContent));
    return shown.length > 1 && shown.every((price, at) => !at || sign * (price - shown[at - 1]) >= 0);
}"""


def test_an_address_brings_the_same_search_back(page: "Page", front: Front) -> None:
    search(page, "milk")
    answered(page, lambda: facet(page, "#brands", "Goldfinch").locator("input").check())
    found = total(page)
    page.wait_for_url(re.compile("Goldfinch"))
    open_page(page, page.url)
    assert total(page) == found
    assert facet(page, "#brands", "Goldfinch").locator("input").is_checked()


def test_a_brand_that_nobody_sells_finds_nothing_and_is_no_error(page: "Page") -> None:
    page.goto("/index.html?default%5BrefinementList%5D%5Bbrand%5D%5B0%5D=Nobody")
    page.locator(".ais-Hits--empty", has_text="Nothing found.").wait_for()
    assert page.locator("#chosen .ais-CurrentRefinements-category").count() == 1


def test_a_click_lands_in_the_event_log_with_its_answer_and_place(page: "Page", front: Front) -> None:
    (result,) = search(page, "chocolate")
    third = page.locator(HITS).nth(2)
    product = third.get_attribute("data-id")
    with page.expect_response(told("click")) as seen:
        third.locator("h2").click()
    assert seen.value.status == 200
    with page.expect_response(told("conversion")) as seen:
        third.locator("button").click()
    assert seen.value.status == 200
    with open_shop(front.folder) as shop:
        shown = shop.store.events.shown()
        (clicked, *_) = [seq for seq, met in shown.items() if met == (result["queryID"], 3)]
        assert kind_and_product(shop, clicked) == ("click", product)
        added = [seq for seq, (name, place) in shown.items() if name == result["queryID"] and place is None]
        assert ("cart", product) in [kind_and_product(shop, seq) for seq in added]
    met = impression(page, front, result["queryID"])
    assert (met["query"], met["hits"][2]["product"], met["hits"][2]["position"]) == ("chocolate", product, 2)


def test_a_search_for_counts_alone_is_remembered_as_shown_to_nobody(page: "Page", front: Front) -> None:
    results = answered(page, lambda: facet(page, "#brands", "Goldfinch").locator("input").check())
    assert results[0]["queryID"] and "queryID" not in results[1]
    impression(page, front, results[0]["queryID"])
    assert all(met["hits"] or not met["total"] for _, met in read_impressions(front.folder))


def test_related_and_trending_products_come_from_the_same_engine(page: "Page") -> None:
    with page.expect_response(lambda response: "/recommendations" in response.url) as seen:
        page.evaluate(
            """() => {
                for (const place of ["trending", "related", "together"])
                    document.body.insertAdjacentHTML("beforeend", `<div id="${place}"></div>`);
                const of = {objectIDs: ["oat-milk-by-goldfinch"], limit: 3};
                const item = (hit) => `${hit.objectID}`;
                search.addWidgets([
                    widgets.trendingItems({container: "#trending", limit: 3, templates: {item}}),
                    widgets.relatedProducts({container: "#related", ...of, templates: {item}}),
                    widgets.frequentlyBoughtTogether({container: "#together", ...of, templates: {item}}),
                ]);
            }"""
        )
    results = seen.value.json()["results"]
    shown = [listed(page, place) for place in ("#trending", "#related", "#together")]
    assert shown == [[hit["objectID"] for hit in result["hits"]] for result in results]
    assert [len(ids) for ids in shown] == [3, 3, 3]


def listed(page: "Page", place: str) -> list[str]:
    page.locator(f"{place} li").first.wait_for()
    return list(page.locator(f"{place} li").all_inner_texts())


def told(kind: str) -> "Callable[[Any], bool]":
    def is_told(response: "Any") -> bool:
        if "/1/events" not in response.url or response.request.method != "POST":
            return False
        return kind in [event["eventType"] for event in json.loads(response.request.post_data or "{}")["events"]]

    return is_told


def kind_and_product(shop: Shop, seq: int) -> tuple[str, str]:
    from wares.domain.shopper import KINDS

    block = shop.store.events.read(seq - 1)
    columns = shop.engine.live.state.columns
    row = int((columns.keys == block.product_keys[0]).nonzero()[0][0])
    return KINDS[int(block.kinds[0])].value, columns.ids[row]


def impression(page: "Page", front: Front, name: str) -> dict[str, Any]:
    """What one answer showed; the log is up to a second behind."""
    for _ in range(int(IMPRESSIONS_S * 10)):
        for _, met in read_impressions(front.folder):
            if met["id"] == name:
                return dict(met)
        page.wait_for_timeout(100)
    pytest.fail(f"no impression {name} within {IMPRESSIONS_S} s")
