"""What a unit costs the shop: read from every feed that tells it, and never an attribute that everybody sees."""

from dataclasses import replace
from pathlib import Path

import pytest

from wares.app.commands.remote import product_row
from wares.domain.offer import Market
from wares.domain.product import Product
from wares.feeds.changes import merged
from wares.feeds.market_feed import of_market
from wares.feeds.products import read_products

NOW_MS = 1_790_000_000_000
FEEDS = {
    "own": "id,title,price,cost\na,Mug,12.50,7.10\n",
    "shopify": "Handle,Title,Variant SKU,Variant Price,Cost per item\nmug,Mug,a,12.50,7.10\n",
    "google": "id\ttitle\tavailability\tprice\tcost of goods sold\na\tMug\tin stock\t12.50 EUR\t7.10 EUR\n",
    "magento": "sku,product_type,attribute_set_code,name,price,cost\na,simple,Default,Mug,12.50,7.1000\n",
    "german": "Artikelnummer;Bezeichnung;Preis;EK-Preis\na;Mug;12,50;7,10\nb;Cup;9,50;3,10\n",
    "chinese": "商品编号,商品名称,价格,成本\na,Mug,12.50,7.10\nb,Cup,9.50,3.10\n",
}


def read(source: object) -> Product:
    return next(iter(read_products(source, now_ms=NOW_MS, currency="EUR")))


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_that_tells_a_cost_tells_it_to_the_shop_alone(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"feed.{'tsv' if name == 'google' else 'csv'}"
    file.write_text(FEEDS[name], encoding="utf-8")
    product = read(file)
    assert (product.id, product.price_minor, product.cost_minor) == ("a", 1250, 710)
    assert not any("7" in value for values in product.attributes.values() for value in values)


def test_a_shipping_cost_is_no_cost(tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text("Article number;Product name;Price;Shipping cost\na;Mug;12.50;4.90\nb;Cup;9.50;4.90\n")
    assert read(file).cost_minor is None


def test_a_change_may_name_the_cost_alone_and_what_cannot_be_read_stays() -> None:
    known = Product("a", price_minor=1250, currency="EUR", cost_minor=710, stock_since_ms=5)

    def after(**row: object) -> Product:
        told = {"id": "a", **row}
        return merged(known, read([told]), told)

    assert after(cost=6).cost_minor == 600
    assert after(price=10).cost_minor == 710
    assert after(cost="dear").cost_minor == 710
    assert after(price=10, margin="40%").cost_minor == 600
    assert after(cost="").cost_minor is None
    assert after(stock_since="2026-01-31").stock_since_ms == 1_769_817_600_000


def test_a_product_sent_to_a_running_server_keeps_its_cost() -> None:
    product = Product("a", "Mug", price_minor=1250, currency="EUR", cost_minor=710, stock_since_ms=1_769_817_600_000)
    assert read([product_row(product)]) == product


def test_a_market_that_alone_sells_a_product_tells_no_cost_of_the_shops_own() -> None:
    told = Product("a", price_minor=900, currency="CHF", cost_minor=400)
    assert of_market(told, None, Market("ch", "CHF", implies_prices=False)).cost_minor is None
    known = replace(told, currency="EUR", cost_minor=300)
    assert of_market(told, known, Market("ch", "CHF", implies_prices=False)).cost_minor == 300
