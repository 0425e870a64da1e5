"""The tag on a shop's own page, on an origin of its own: what of the dataLayer lands in the event log, and when."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wares.app.web.access.keys import Keys
from wares.domain.shopper import KINDS
from wares.shop import open_shop

from .conftest import make_shop, served, visitor
from .front_end import front_end

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title><p>A page of the shop.</p>
<script>
  window.dataLayer = window.dataLayer || [];
  function gtag() { dataLayer.push(arguments); }
</script>
<script async src="WARES/wares.js" data-key="KEY"></script>
"""
SOON_S = 8.0
GRANTED = "gtag('consent', 'update', {analytics_storage: 'granted'})"
MILK = {"item_id": "oat-milk-by-goldfinch", "price": 2.5, "quantity": 2}
Told = tuple[str, str | None, float, int | None, str]


class Log:
    """What the shop in `folder` was told since the page was opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with open_shop(folder) as shop:
            self._before = shop.store.events.last()

    def told(self) -> list[Told]:
        """(kind, product, quantity, value in cents, words) of each event, sorted."""
        with open_shop(self._folder) as shop:
            block, columns = shop.store.events.read(self._before), shop.engine.live.state.columns
            ids = {int(key): columns.ids[row] for row, key in enumerate(columns.keys)}
            return sorted(
                (
                    KINDS[int(block.kinds[at])].value, ids.get(int(block.product_keys[at])),
                    float(block.quantities[at]),
                    None if block.values_minor[at] != block.values_minor[at] else int(block.values_minor[at]),
                    block.queries.get(at, ""),
                )
                for at in range(len(block.kinds))
            )  # fmt: skip

    def shoppers(self) -> set[int]:
        with open_shop(self._folder) as shop:
            return set(shop.store.events.read(self._before).shopper_keys.tolist())

    def shown(self) -> set[tuple[str, int | None]]:
        with open_shop(self._folder) as shop:
            return set(shop.store.events.shown(self._before).values())

    def wait_for(self, count: int) -> list[Told]:
        """The events once there are so many; a moment later there are not more."""
        until = time.monotonic() + SOON_S
        while len(told := self.told()) < count and time.monotonic() < until:
            time.sleep(0.1)
        assert len(told) == count, told
        return told


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The origin of the shop's pages, and the folder of its wares."""
    shop, folder = tmp_path_factory.mktemp("tag-shop"), tmp_path_factory.mktemp("tag-pages")
    make_shop(shop)
    with front_end(folder) as origin:
        key, _ = Keys(shop).new(["events"], origins=[origin])
        with served(shop) as wares:
            page = PAGE.replace("WARES", wares).replace("KEY", key)
            (folder / "index.html").write_text(page, encoding="utf-8")
            (folder / "next.html").write_text(page, encoding="utf-8")
            (folder / "agreed.html").write_text(page.replace(" data-key", ' data-consent="granted" data-key'))
            yield origin, shop


@pytest.fixture
def log(pages: tuple[str, Path]) -> Log:
    return Log(pages[1])


@pytest.fixture
def page(browser: "Browser", pages: tuple[str, Path], log: Log) -> "Iterator[Page]":
    for visit in visitor(browser, pages[0] + "/", width=800, height=600):
        visit.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        visit.goto("/index.html")
        visit.wait_for_function("window.waresTag")
        yield visit


def push(page: "Page", event: str, **more: Any) -> None:
    page.evaluate("entry => { dataLayer.push(entry); }", {"event": event, **more})


def kept_id(page: "Page") -> str | None:
    found: str | None = page.evaluate("localStorage.getItem('wares_id')")
    return found


def test_without_consent_nothing_is_sent_and_nothing_is_kept(page: "Page", log: Log) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    push(page, "view_item", ecommerce={"items": [MILK]})
    page.evaluate("gtag('consent', 'default', {analytics_storage: 'denied'})")
    push(page, "search", search_term="milk")
    page.wait_for_timeout(1500)
    page.goto("/next.html")
    page.wait_for_timeout(500)
    assert [url for url in asked if "/events" in url] == []
    assert kept_id(page) is None
    assert log.told() == []


def test_what_a_shopper_does_after_agreeing_lands_in_the_log(page: "Page", log: Log) -> None:
    push(page, "view_item", ecommerce={"items": [{"item_id": "bananas-by-goldfinch"}]})  # before: never told
    page.evaluate(GRANTED)
    push(page, "view_item", ecommerce={"currency": "USD", "items": [MILK]})
    page.evaluate(
        "gtag('event', 'select_item', {items: [{item_id: 'cola-by-north-farm', index: 4}], impression_id: 'p1'})"
    )
    push(page, "add_to_cart", ecommerce={"currency": "USD", "items": [MILK]})
    push(page, "search", search_term="oat milk")
    push(page, "view_search_results", search_term="oat milk")  # the same search in other words
    push(page, "scroll", percent=90)
    assert log.wait_for(4) == [
        ("cart", "oat-milk-by-goldfinch", 2.0, 500, ""),
        ("click", "cola-by-north-farm", 1.0, None, ""),
        ("search", None, 1.0, None, "oat milk"),
        ("view", "oat-milk-by-goldfinch", 2.0, 500, ""),
    ]
    assert log.shown() == {("p1", 4)}
    assert len(log.shoppers()) == 1
    assert kept_id(page)


def test_several_events_travel_in_one_request(page: "Page", log: Log) -> None:
    page.evaluate(GRANTED)
    with page.expect_request(lambda request: "/events" in request.url and request.method == "POST") as seen:
        for product in ("cola-by-north-farm", "ginger-ale-by-goldfinch", "tonic-water-by-goldfinch"):
            push(page, "view_item", ecommerce={"items": [{"item_id": product}]})
    assert len(json.loads(seen.value.post_data or "{}")["events"]) == 3
    log.wait_for(3)


def test_what_happens_on_leaving_is_told_all_the_same(page: "Page", log: Log) -> None:
    page.evaluate(GRANTED)
    page.evaluate(
        "() => { dataLayer.push({event: 'add_to_cart', ecommerce: {items: [{item_id: 'cola-by-north-farm'}]}});"
        " location.href = '/next.html'; }"
    )
    assert log.wait_for(1) == [("cart", "cola-by-north-farm", 1.0, None, "")]


def test_an_order_counts_once_however_often_its_page_is_loaded(page: "Page", log: Log) -> None:
    items = [MILK, {"item_id": "cola-by-north-farm", "price": 1.2}]
    for _ in range(2):
        page.goto("/agreed.html")
        page.wait_for_function("window.waresTag")
        with page.expect_response(lambda response: "/events" in response.url):
            push(page, "purchase", ecommerce={"transaction_id": "T-7", "currency": "USD", "items": items})
    assert log.wait_for(2) == [
        ("purchase", "cola-by-north-farm", 1.0, 120, ""),
        ("purchase", "oat-milk-by-goldfinch", 2.0, 500, ""),
    ]


def test_a_shopper_is_the_same_on_the_next_page_and_somebody_else_after_a_login(page: "Page", log: Log) -> None:
    for address in ("/agreed.html", "/agreed.html?again"):
        page.goto(address)
        page.wait_for_function("window.waresTag")
        push(page, "view_item", ecommerce={"items": [MILK]})
    log.wait_for(2)
    assert len(log.shoppers()) == 1
    push(page, "login", method="mail", user_id="anna")
    push(page, "view_item", ecommerce={"items": [MILK]})
    log.wait_for(3)
    assert len(log.shoppers()) == 2


def test_who_takes_consent_back_is_forgotten_by_the_browser(page: "Page", log: Log) -> None:
    page.evaluate(GRANTED)
    push(page, "view_item", ecommerce={"items": [MILK]})
    log.wait_for(1)
    assert kept_id(page)
    push(page, "view_item", ecommerce={"items": [MILK]})
    page.evaluate("gtag('consent', 'update', {analytics_storage: 'denied'})")
    push(page, "view_item", ecommerce={"items": [MILK]})
    page.wait_for_timeout(1500)
    assert kept_id(page) is None
    log.wait_for(1)


def test_events_wait_while_wares_does_not_answer(browser: "Browser", pages: tuple[str, Path], log: Log) -> None:
    context = browser.new_context(base_url=pages[0])
    page, failed = context.new_page(), list[str]()

    def first_fails(route: Any) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route.request.post_data)
            route.fulfill(status=503)

    page.route("**/events?**", first_fails)
    page.goto("/agreed.html")
    page.wait_for_function("window.waresTag")
    with page.expect_response(lambda response: "/events" in response.url and response.ok):
        push(page, "view_item", ecommerce={"items": [MILK]})
    assert failed
    log.wait_for(1)
    context.close()


def test_a_page_that_pushes_nonsense_goes_on(page: "Page", log: Log) -> None:
    page.evaluate(GRANTED)
    page.evaluate(
        "() => { dataLayer.push(null, 1, 'x', [], {}, {event: 7}, {event: 'view_item'},"
        " {event: 'view_item', ecommerce: null},"
        " {event: 'purchase', ecommerce: {items: [null]}}, {event: 'search', search_term: {}}); }"
    )
    push(page, "view_item", ecommerce={"items": [MILK]})
    assert ("view", "oat-milk-by-goldfinch", 2.0, 500, "") in log.wait_for(2)
