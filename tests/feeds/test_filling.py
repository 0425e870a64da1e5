"""Missing facts of product and shopper feeds: each way fills, marks what it filled, and says so."""

from pathlib import Path
from typing import Any

import pytest

from wares.domain.product import Product
from wares.errors import InputError, UnknownName
from wares.feeds.missing import ways_of
from wares.feeds.products import read_products
from wares.feeds.report import ImportReport
from wares.feeds.shoppers import read_shoppers

NOW_MS = 1_780_000_000_000


def goods() -> list[dict[str, Any]]:
    made = [
        {"id": f"mug{i}", "title": f"Stoneware mug {i}", "category": "Home > Mugs", "price": 10 + i, "material": "clay"}
        for i in range(12)
    ] + [
        {"id": f"sock{i}", "title": f"Wool sock {i}", "category": "Clothes > Socks", "price": 4 + i, "material": "wool"}
        for i in range(8)
    ]
    return [
        *made,
        {"id": "x", "title": "Stoneware mug blue", "price": 30},
        {"id": "y", "title": "Wool sock red", "material": "wool"},
    ]


def read(rows: list[dict[str, Any]], **fill: str) -> tuple[dict[str, Product], ImportReport]:
    reading = read_products(rows, now_ms=NOW_MS, currency="EUR", fill=ways_of(fill))
    products = {product.id: product for product in reading}
    return products, reading.report


def test_a_category_is_guessed_from_the_words_of_titles_and_marked() -> None:
    products, report = read(goods(), category="nearest", material="nearest")
    assert products["x"].category == ("Home", "Mugs")
    assert products["y"].category == ("Clothes", "Socks")
    assert products["x"].attributes["material"] == ("clay",)
    assert products["x"].attributes["category_filled"] == ("nearest",)
    assert "category_filled" not in products["mug0"].attributes
    assert "category: 2 of 22 products filled by nearest." in report.notes


@pytest.mark.parametrize(
    ("way", "price"), [("median", 1200), ("mean", 1300), ("mode", 1000), ("constant:9.90", 990), ("leave", None)]
)
def test_a_price_is_filled_only_when_that_is_asked_for(way: str, price: int | None) -> None:
    products, _ = read(goods(), price=way)
    assert products["y"].price_minor == price
    assert ("price_filled" in products["y"].attributes) == (price is not None)
    assert read(goods())[0]["y"].price_minor is None


def test_rows_that_lack_a_dropped_column_are_rejected_with_their_line(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    reading = read_products(goods(), now_ms=NOW_MS, rejects=rejects, fill=ways_of({"category": "drop"}))
    assert {"x", "y"}.isdisjoint({product.id for product in reading})
    report = reading.report
    assert report.rejected_by_reason == {"product without category": 2}
    assert (report.read, report.kept, report.rejected) == (22, 20, 2)
    assert [example.line for example in report.rejections[0].examples] == [21, 22]
    assert len(rejects.read_text().splitlines()) == 2


def test_a_column_that_no_row_has_is_named_and_so_is_a_way_that_words_do_not_have() -> None:
    with pytest.raises(UnknownName, match="colour"):
        read(goods(), colour="mode")
    with pytest.raises(InputError, match="words"):
        read(goods(), category="mean")


def test_shoppers_are_filled_alike() -> None:
    people = [{"id": f"s{i}", "age": ("18-24", "65+")[i % 2], "sport": ("yes", "no")[i % 2]} for i in range(20)]
    reading = read_shoppers([*people, {"id": "t", "sport": "no"}], fill=ways_of({"age": "nearest"}))
    found = {shopper.id: shopper.attributes for shopper in reading}
    assert found["t"] == {"sport": "no", "age": "65+", "age_filled": "nearest"}
    assert found["s0"] == {"age": "18-24", "sport": "yes"}


def test_many_gaps_are_filled_from_a_sample_of_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wares.feeds.filling._AT_ONCE", 3)
    monkeypatch.setattr("wares.feeds.filling._KNOWN", 10)
    rows = [{**row, "id": f"{row['id']}-{i}"} for i in range(4) for row in goods()]
    products, _ = read(rows, category="nearest")
    assert {products[f"x-{i}"].category for i in range(4)} == {("Home", "Mugs")}
    assert {products[f"y-{i}"].category for i in range(4)} == {("Clothes", "Socks")}


def test_several_values_are_known_and_stay_and_numbers_keep_their_spelling() -> None:
    rows = [{"id": f"p{i}", "title": "Wool sock", "colour": ["red", "blue"], "size": "038"} for i in range(5)]
    products, _ = read([*rows, {"id": "x", "title": "Wool sock"}], colour="mode", size="mode")
    assert products["p0"].attributes["colour"] == ("red", "blue") and "colour_filled" not in products["p0"].attributes
    assert products["x"].attributes["colour"] == ("red", "blue") and products["x"].attributes["size"] == ("038",)


def test_prices_of_another_currency_do_not_count() -> None:
    rows = [{"id": f"p{i}", "title": "Sock", "price": 10} for i in range(3)] + [{"id": "y", "price": "1000 JPY"}]
    products, _ = read([*rows, {"id": "x", "title": "Sock"}], price="mean")
    assert (products["x"].price_minor, products["y"].price_minor) == (1000, 1000)
    assert products["y"].currency == "JPY"
