"""What happens to each row of a product feed, sound or faulty."""

import time
from datetime import date
from typing import Any

import pytest

from wares.domain.product import Product
from wares.feeds.products import read_products
from wares.feeds.report import ImportReport

NOW_MS = 1_780_000_000_000


def read(*rows: dict[str, Any], **settings: Any) -> tuple[list[Product], ImportReport]:
    reading = read_products(rows, **{"now_ms": NOW_MS, "currency": "USD", **settings})
    products = list(reading)
    assert reading.report.read == reading.report.kept + reading.report.rejected
    return products, reading.report


def only(**row: Any) -> Product:
    products, report = read({"id": "p", **row})
    assert len(products) == 1, str(report)
    return products[0]


def test_every_field_of_a_product_is_read() -> None:
    product = only(
        title=" Red shoe ",
        description="For feet.",
        brand="Feet & Co",
        category="Clothes > Shoes",
        price="19.99",
        currency="eur",
        stock="3",
        available="in stock",
        item_group_id="g",
        image_url="i.png",
        url="u",
        published="2026-01-31",
    )
    assert product == Product(
        *("p", "Red shoe", "For feet.", "Feet & Co", ("Clothes", "Shoes"), 1999, "EUR", 3, True, "g", "i.png", "u"),
        1_769_817_600_000,
    )


@pytest.mark.parametrize("missing", [None, "", "  ", float("nan")])
def test_a_product_without_an_id_is_rejected(missing: object) -> None:
    products, report = read({"id": missing, "title": "x"})
    assert not products
    assert report.rejected_by_reason == {"no id": 1}


def test_of_two_rows_with_one_id_the_last_wins_and_the_report_says_so() -> None:
    products, report = read({"id": 1, "title": "old"}, {"id": 2, "title": "other"}, {"id": "1", "title": "new"})
    assert {product.id: product.title for product in products} == {"1": "new", "2": "other"}
    assert report.repaired == {"repeated id: the last row counts": 1}
    assert report.repairs[0].examples[0].line == 3


@pytest.mark.parametrize("price", [float("nan"), -1, float("inf"), "cheap", "1e300", [1]])
def test_a_price_that_is_no_amount_is_unknown_and_reported(price: object) -> None:
    products, report = read({"id": "p", "price": price})
    assert products[0].price_minor is None
    assert report.repaired == {"price is no amount: unknown": 1}


@pytest.mark.parametrize(
    ("price", "minor"),
    [("12.50", 1250), (12.5, 1250), (0, 0), ("1,299.00", 129900), ("1.299,00", 129900), ("12,50", 1250), ("$5", 500)],
)
def test_prices_are_read_as_people_write_them(price: object, minor: int) -> None:
    assert only(price=price).price_minor == minor


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 1200), ("krw", 1200), ("USD", 120000), ("KWD", 1200000)])
def test_the_smallest_unit_depends_on_the_currency(currency: str, minor: int) -> None:
    assert only(price="1200", currency=currency).price_minor == minor


def test_a_title_of_ten_megabytes_is_cut_reported_and_not_slow() -> None:
    started = time.process_time()
    products, report = read({"id": "p", "title": "é" * 10_000_000})
    assert len(products[0].title) == 20_000
    assert report.repaired == {"title cut": 1}
    assert len(report.repairs[0].examples[0].value) < 100
    assert time.process_time() - started < 2


def test_further_columns_become_attributes_and_lists_stay_lists() -> None:
    product = only(colour=["red", "blue", "red"], Size=42, organic=True, empty=None, attributes={"fit": "slim"})
    assert product.attributes == {"colour": ("red", "blue"), "Size": ("42",), "organic": ("true",), "fit": ("slim",)}


def test_attributes_may_be_json_text() -> None:
    assert only(attributes='{"colour": ["red", "blue"]}').attributes == {"colour": ("red", "blue")}
    assert only(attributes="{broken").attributes == {}


def test_an_attribute_may_not_hide_a_field() -> None:
    products, report = read({"id": "p", "attributes": {"price": "3"}})
    assert products[0].attributes == {}
    assert "'price'" in report.notes[0]


def test_a_category_may_be_a_list_of_levels() -> None:
    assert only(category=["A", "B > C", ""]).category == ("A", "B > C")
    assert only(category="A>B > ").category == ("A", "B")


@pytest.mark.parametrize(
    ("raw", "stock", "repaired"),
    [(0, 0, 0), ("12.0", 12, 0), (None, None, 0), (-4, 0, 1), ("lots", None, 1), (float("inf"), None, 1)],
)
def test_stock_is_a_number_of_units_or_not_counted(raw: object, stock: int | None, repaired: int) -> None:
    products, report = read({"id": "p", "stock": raw})
    assert products[0].stock == stock
    assert sum(report.repaired.values()) == repaired


@pytest.mark.parametrize(("raw", "available"), [("no", False), (False, False), (1, True), (None, True), ("hm", True)])
def test_a_product_is_available_unless_the_feed_says_no(raw: object, available: bool) -> None:
    assert only(available=raw).available is available


@pytest.mark.parametrize("published", ["soon", "1970-01-01", "2999-01-01", -5])
def test_a_date_that_cannot_be_is_unknown(published: object) -> None:
    products, report = read({"id": "p", "published": published})
    assert products[0].published_ms is None
    assert report.repaired == {"published is no date: unknown": 1}


def test_a_date_object_is_midnight() -> None:
    assert only(published=date(2026, 1, 31)).published_ms == 1_769_817_600_000


def test_what_a_feed_leaves_out_is_counted() -> None:
    _, report = read({"id": "a", "title": "x"}, {"id": "b", "price": 1})
    assert report.missing == {"description": 2, "price": 1, "title": 1}


def test_half_a_surrogate_pair_cannot_break_the_store() -> None:
    only(title="broken \ud83d").title.encode("utf-8")
