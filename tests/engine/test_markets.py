"""Prices that change by themselves, and markets with prices, availability and a language of their own."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.catalogue import Columns
from wares.domain.offer import Market, Offer
from wares.domain.product import Product, ProductText
from wares.domain.result import Page
from wares.engine.assembly import Engine
from wares.errors import UnknownName
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

DAY_MS = 86_400_000
NOW_MS = int(time.time() * 1000)
SETTINGS = """
[shop]
currency = "EUR"
language = "en"
timezone = "Europe/Berlin"
[encoder]
source = "none"
[models]
train = ["popular"]
[markets]
ch = { currency = "CHF", language = "fr" }
outlet = {}
"""
HOME = Market("", "EUR")
CH, OUTLET = Market("ch", "CHF", "fr", implies_prices=False), Market("outlet", "EUR")


def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": "scarf", "title": "Wool scarf", "brand": "Loom", "category": "Clothes", "price": 40, "stock": 5,
            "markets": {"ch": {"price": "45.50"}, "outlet": {"price": 30, "sale_price": 25}},
            "texts": {"fr": {"title": "Écharpe en laine", "description": "Très douce."}},
        },
        {"id": "hat", "title": "Wool hat", "category": "Clothes", "price": 20, "stock": 2},
        {"id": "glove", "title": "Wool glove", "category": "Clothes", "price": 15, "price[ch]": 16, "stock[ch]": 0},
    ]  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(tmp_path) as opened:
        yield opened


def found(page: Page) -> dict[str, int | None]:
    return {hit.product.id: hit.product.price_minor for hit in page.hits}


def sold(shop: Shop, *ids: str) -> None:
    """Everybody bought each of them, so that they are recommended to anybody."""
    then = int(time.time() * 1000) - DAY_MS
    kinds = [{"kind": "purchase", "time": then, "shopper_id": f"s{i}", "product_id": one} for one in ids for i in "ab"]
    shop.record(kinds)


def home(shop: Shop, market: str = "") -> dict[str, int | None]:
    train_here(shop.folder, silent)
    shop.engine.refresh()
    return found(shop.recommend(market=market))


@pytest.mark.parametrize("learnt", [False, True])
def test_each_market_has_its_prices_and_what_it_does_not_say_is_the_shops(shop: Shop, learnt: bool) -> None:
    shop.put(rows())
    if learnt:
        train_here(shop.folder, silent)
    shop.engine.refresh()
    assert found(shop.search("wool")) == {"scarf": 4000, "hat": 2000, "glove": 1500}
    assert found(shop.search("wool", market="outlet")) == {"scarf": 2500, "hat": 2000, "glove": 1500}
    scarf = next(hit.product for hit in shop.search("wool", market="outlet").hits if hit.product.id == "scarf")
    assert scarf.regular_price_minor == 3000
    ch = shop.search("wool", market="ch")
    assert list(found(ch).items()) == [("scarf", 4550), ("glove", 1600)]  # no hat without a price; sold out sinks
    assert ch.total == 2
    assert found(shop.browse("Clothes", market="ch", filters={"price": {"low": 45, "high": 46}})) == {"scarf": 4550}
    sold(shop, "scarf", "hat", "glove")
    assert home(shop, "ch") == {"scarf": 4550}
    assert set(home(shop)) == {"scarf", "hat", "glove"}
    facet = shop.browse("Clothes", market="ch", facets=["price"]).facets[0]
    assert (facet.low, facet.high) == (1600, 4550)


@pytest.mark.parametrize("learnt", [False, True])
def test_a_market_has_its_language_and_every_language_is_searched(shop: Shop, learnt: bool) -> None:
    shop.put(rows())
    if learnt:
        train_here(shop.folder, silent)
    shop.engine.refresh()
    assert list(found(shop.search("écharpe", market="ch"))) == ["scarf"]
    assert list(found(shop.search("echarpe laine"))) == ["scarf"]
    hit = shop.search("écharpe", market="ch").hits[0]
    assert (hit.product.title, hit.product.description) == ("Écharpe en laine", "Très douce.")
    assert "charpe" in hit.highlights["title"]
    assert shop.search("scarf").hits[0].product.title == "Wool scarf"


def test_a_price_wish_is_in_the_markets_currency(shop: Shop) -> None:
    shop.put(rows())
    assert list(found(shop.search("wool under 46 CHF", market="ch"))) != []
    assert shop.search("wool under 46 CHF", market="ch").wishes[0].clause is not None
    assert shop.search("wool under 46 CHF").wishes[0].clause is None


def test_an_unknown_market_is_an_error_that_names_the_known_ones(shop: Shop) -> None:
    shop.put(rows())
    with pytest.raises(UnknownName, match="ch"):
        shop.search("wool", market="atlantis")
    report = shop.put([{"id": "x", "title": "X", "markets": {"atlantis": {"price": 1}}}])
    assert [finding.rule for finding in report.repairs] == ["unknown market: not used"]
    assert shop.knows("x")


def test_a_sale_begins_and_ends_by_itself_even_while_the_shop_is_open(shop: Shop) -> None:
    soon, later = time.time() + 1.5, time.time() + 3
    shop.put([{"id": "a", "title": "Lamp", "price": 50, "sale_price": 39, "sale_from": soon, "sale_until": later}])
    assert found(shop.search("lamp")) == {"a": 5000}
    time.sleep(max(soon - time.time(), 0) + 0.05)
    assert found(shop.search("lamp")) == {"a": 3900}
    assert shop.browse(filters={"price": {"high": 40}}).total == 1
    assert shop.product("a").regular_price_minor == 5000
    time.sleep(max(later - time.time(), 0) + 0.05)
    assert found(shop.search("lamp")) == {"a": 5000}


def test_a_last_day_counts_whole_in_the_time_of_the_shop(shop: Shop) -> None:
    shop.put([{"id": "a", "title": "Lamp", "price": 50, "sale_price": 39, "sale_until": "2026-07-31"}])
    kept = shop.store.catalogue.get(["a"])["a"]
    assert kept.sale_until_ms == 1785535200000  # 2026-08-01 00:00 in Berlin is 22:00 UTC the day before


def test_a_product_is_back_in_stock_on_its_date(shop: Shop) -> None:
    shop.put([
        {"id": "a", "title": "Lamp", "price": 50, "available_from": (NOW_MS + DAY_MS) // 1000},
        {"id": "b", "title": "Old lamp", "price": 50, "available_from": (NOW_MS - DAY_MS) // 1000},
    ])  # fmt: skip
    assert {hit.product.id: hit.product.available for hit in shop.search("lamp").hits} == {"a": False, "b": True}
    sold(shop, "a", "b")
    assert list(home(shop)) == ["b"]


def test_a_change_of_a_sale_or_of_a_market_touches_no_index(shop: Shop) -> None:
    shop.put(rows())
    engine = shop.engine
    text = engine.live.state.text
    shop.update([{"id": "hat", "sale_price": 12}, {"id": "scarf", "markets": {"ch": {"price": 44}}}])
    assert engine.live.state.text is text
    assert found(shop.search("wool"))["hat"] == 1200
    assert found(shop.search("wool", market="ch"))["scarf"] == 4400
    shop.update([{"id": "hat", "sale_price": None}, {"id": "scarf", "markets": {"outlet": None}}])
    assert found(shop.search("wool"))["hat"] == 2000
    assert found(shop.search("wool", market="outlet"))["scarf"] == 4000
    assert found(shop.search("wool", market="ch"))["scarf"] == 4400


def test_a_market_may_have_a_feed_of_its_own(shop: Shop) -> None:
    shop.put([{"id": "hat", "title": "Wool hat", "price": 20}])
    shop.put(
        [{"id": "hat", "title": "Bonnet", "price": 22}, {"id": "beret", "title": "Béret", "price": 30}], market="ch"
    )
    assert found(shop.search("bonnet", market="ch")) == {"hat": 2200}
    assert list(found(shop.browse())) == ["hat"]  # the other one is sold there only
    shop.put([{"id": "hat", "price": 23}], market="ch")
    assert list(found(shop.search("bonnet", market="ch")).values()) == [2300]  # its text stays
    shop.put([{"id": "hat", "price": 22}], market="ch")
    sold(shop, "hat", "beret")
    assert list(home(shop)) == ["hat"] and shop.product("hat").title == "Wool hat"
    assert home(shop, "ch") == {"hat": 2200, "beret": 3000}
    shop.put([{"id": "hat", "title": "Wool hat", "price": 21}])  # the shop's own feed again, which knows of no market
    assert home(shop, "ch") == {"hat": 2200, "beret": 3000}
    assert home(shop) == {"hat": 2100}


def test_a_sale_that_is_none_is_told(shop: Shop) -> None:
    report = shop.put([
        {"id": "a", "price": 10, "sale_price": 12},
        {"id": "b", "price": 10, "sale_price": 8, "sale_until": "someday"},
        {"id": "c", "price": 10, "sale_price": 8, "sale_from": "2026-05-02", "sale_until": "2026-05-01"},
        {"id": "d", "price": 10, "sale_price": "cheap"},
    ])  # fmt: skip
    assert {finding.rule for finding in report.repairs} == {
        "sale price is not below the price: not used",
        "sale date is no date: not used",
        "sale ends before it begins: not used",
        "sale price is no amount: not used",
    }
    kept = shop.store.catalogue.get(["a", "b", "c", "d"])
    assert all(product.sale_price_minor is None for product in kept.values())


amounts = st.none() | st.integers(0, 5)
moments = st.none() | st.integers(0, 4)
offers = st.builds(
    Offer, amounts, st.just(""), amounts, moments, moments, st.none() | st.integers(0, 1),
    st.none() | st.booleans(), moments,
)  # fmt: skip


@st.composite
def products(draw: st.DrawFn) -> list[Product]:
    made = []
    for i in range(draw(st.integers(1, 4))):
        own = draw(offers)
        markets = draw(st.dictionaries(st.sampled_from(["ch", "outlet"]), offers))
        made.append(
            Product(
                f"p{i}",
                f"title {i}",
                price_minor=own.price_minor,
                sale_price_minor=own.sale_price_minor,
                sale_from_ms=own.sale_from_ms,
                sale_until_ms=own.sale_until_ms,
                stock=own.stock,
                available=own.available is not False,
                available_from_ms=own.available_from_ms,
                offers=markets,
                markets_only=draw(st.booleans()),
            )
        )
    return made


@given(products(), products(), st.integers(-1, 5), st.sampled_from([HOME, CH, OUTLET]))
def test_the_columns_of_a_moment_say_what_each_product_says(
    first: list[Product], changed: list[Product], now_ms: int, market: Market
) -> None:
    columns = Columns.of(first, range(len(first)))
    now = [new for new, _ in zip(changed, first, strict=False)]
    columns = columns.with_changes(now)
    columns = Columns.restore(columns.state()).at(now_ms, market)
    for place, product in enumerate([*now, *first[len(now) :]]):
        seen = product.seen(now_ms, market)
        price = columns.numbers["price"][place]
        assert (None if np.isnan(price) else int(price)) == seen.price_minor
        assert columns.sellable[place] == (seen.available and seen.stock != 0)
        assert columns.alive[place] == product.offered_in(market)


@given(products(), st.integers(-1, 5))
def test_between_two_moments_nothing_changes(made: list[Product], now_ms: int) -> None:
    columns = Columns.of(made, range(len(made)))
    before = columns.offers.moments()
    then = int(before[before <= now_ms].max(initial=-10))
    for market in (HOME, CH, OUTLET):
        here, there = columns.at(now_ms, market), columns.at(then, market)
        assert np.array_equal(here.numbers["price"], there.numbers["price"], equal_nan=True)
        assert np.array_equal(here.sellable, there.sellable)


def test_texts_and_offers_survive_the_store_and_a_server(shop: Shop) -> None:
    shop.put(rows())
    scarf = shop.store.catalogue.get(["scarf"])["scarf"]
    assert scarf.texts == {"fr": ProductText("Écharpe en laine", "Très douce.")}
    assert scarf.offers["ch"] == Offer(price_minor=4550, currency="CHF")
    from wares.app.commands.remote import product_row

    shop.put([product_row(scarf)])
    assert shop.store.catalogue.get(["scarf"])["scarf"] == scarf


def test_a_shop_without_markets_and_dates_sees_its_own_columns(shop: Shop) -> None:
    shop.put([{"id": "a", "title": "Lamp", "price": 5}])
    engine: Engine = shop.engine
    assert engine.live.state.seen(NOW_MS, HOME) is engine.live.state


# -- changes that must lose nothing ------------------------------------------------------------------------------------


def test_a_market_feed_that_says_nothing_of_stock_sells_no_more_than_the_shop(shop: Shop) -> None:
    shop.put([{"id": "hat", "title": "Wool hat", "price": 20, "stock": 0}])
    shop.put([{"id": "hat", "price": 19}], market="outlet")
    assert not shop.search("hat", market="outlet").hits[0].product.sellable
    shop.update([{"id": "hat", "stock": 3}])
    assert shop.search("hat", market="outlet").hits[0].product.sellable


def test_a_column_of_one_market_leaves_the_offers_of_others_and_an_empty_cell_ends_its_own(shop: Shop) -> None:
    shop.put([{"id": "hat", "title": "Hat", "price": 20}])
    shop.put([{"id": "hat", "price": 22}], market="ch")
    shop.put([{"id": "hat", "title": "Hat", "price": 20, "price[outlet]": 15}])
    assert {name: offer.price_minor for name, offer in kept(shop, "hat").offers.items()} == {"ch": 2200, "outlet": 1500}
    shop.put([{"id": "hat", "title": "Hat", "price": 20, "price[outlet]": ""}])
    assert list(kept(shop, "hat").offers) == ["ch"]


def test_a_sale_of_a_market_is_ended_by_an_empty_cell_or_null(shop: Shop) -> None:
    for ending in ({"markets": {"outlet": {"sale_price": None}}}, {"sale_price[outlet]": ""}):
        shop.put([{"id": "hat", "title": "Hat", "price": 20, "price[outlet]": 15, "sale_price[outlet]": 12}])
        shop.update([{"id": "hat", **ending}])
        offer = kept(shop, "hat").offers["outlet"]
        assert (offer.price_minor, offer.sale_price_minor) == (1500, None)


def test_an_odd_row_about_markets_costs_nobody_else_anything(shop: Shop) -> None:
    odd = {"id": "b", "markets": {"ch": None}, "price[ch]": 3}
    report = shop.put([{"id": "a", "title": "A"}, odd, {"id": "c", "markets": {"ch": 7}, "texts": "x"}])
    assert (report.kept, shop.knows("a"), kept(shop, "b").offers["ch"].price_minor) == (3, True, 300)


def test_a_full_feed_of_the_shop_leaves_what_markets_sell_and_one_of_a_market_the_shop(shop: Shop) -> None:
    both = {"id": "both", "title": "Both", "price": 10}
    shop.put([both, {"id": "own", "title": "Own", "price": 5}])
    shop.put([{"id": "both", "price": 11}, {"id": "only", "title": "Only", "price": 12}], market="ch")
    shop.sync([{"id": "own", "title": "Own", "price": 5}], at_most=1)
    assert found(shop.browse()) == {"own": 500}
    assert found(shop.browse(market="ch")) == {"both": 1100, "only": 1200}
    shop.sync([both, {"id": "own", "title": "Own", "price": 5}], at_most=1)
    assert found(shop.browse()) == {"both": 1000, "own": 500}
    shop.sync([{"id": "both", "price": 11}], at_most=1, market="ch")
    assert found(shop.browse(market="ch")) == {"both": 1100} and not shop.knows("only")
    assert found(shop.browse()) == {"both": 1000, "own": 500}


def test_a_price_of_its_own_brings_a_product_of_a_market_into_the_shop(shop: Shop) -> None:
    shop.put([{"id": "beret", "title": "Béret", "price": 30}], market="ch")
    with pytest.raises(UnknownName):
        shop.product("beret")
    shop.update([{"id": "beret", "price": 28}])
    assert found(shop.browse()) == {"beret": 2800} and found(shop.browse(market="ch")) == {"beret": 3000}


def test_a_flat_table_leaves_offers_and_texts(shop: Shop) -> None:
    shop.put(rows())
    shop.put_flat([{"user_id": "u", "item_id": "scarf", "price": 40, "title": "Wool scarf"}])
    assert set(kept(shop, "scarf").offers) == {"ch", "outlet"} and "fr" in kept(shop, "scarf").texts


def test_changes_at_once_lose_nothing(shop: Shop) -> None:
    shop.put([{"id": f"p{i}", "title": f"P{i}", "price": 1} for i in range(40)])
    ready = threading.Barrier(3)

    def change(what: dict[str, Any]) -> None:
        for i in range(40):
            ready.wait()
            shop.update([{"id": f"p{i}", **what}])

    def feed() -> None:
        for i in range(40):
            ready.wait()
            shop.put([{"id": f"p{i}", "price": 9}], market="ch")

    threads = [threading.Thread(target=change, args=(what,)) for what in ({"price": 7}, {"stock": 3})]
    threads.append(threading.Thread(target=feed))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(40):
        product = kept(shop, f"p{i}")
        assert (product.price_minor, product.stock, product.offers["ch"].price_minor) == (700, 3, 900)


def kept(shop: Shop, product_id: str) -> Product:
    return shop.store.catalogue.get([product_id])[product_id]
