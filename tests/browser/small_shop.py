"""A small grocer's for the browser: 144 products, 24 shoppers, some weeks of baskets. Every draw is seeded."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]

BRANDS = ("Store brand", "Meadow Lane", "Goldfinch", "North Farm")
SIZES = ("8 oz", "16 oz", "32 oz")
GOODS = {
    "Dairy > Milk": ("Whole milk", "Skim milk", "Oat milk", "Chocolate milk"),
    "Dairy > Cheese": ("Mature cheddar", "Mozzarella", "Goat cheese", "Parmesan wedge"),
    "Bakery > Bread": ("Sourdough loaf", "Whole wheat bread", "Rye bread", "Garlic baguette"),
    "Bakery > Cakes": ("Carrot cake", "Blueberry muffins", "Milk chocolate cake", "Lemon tart"),
    "Produce > Fruit": ("Royal gala apples", "Bananas", "Navel oranges", "Strawberries"),
    "Produce > Vegetables": ("Carrots", "Baby spinach", "Vine tomatoes", "Yellow onions"),
    "Drinks > Coffee & tea": ("Dark roast coffee", "Earl grey tea", "Green tea", "Espresso beans"),
    "Drinks > Soft drinks": ("Cola", "Sparkling lemonade", "Ginger ale", "Tonic water"),
    "Snacks > Sweets": ("Dark chocolate", "Fruit gums", "Oat cookies", "Salted caramels"),
}
SHOPPERS = tuple(str(number) for number in range(1, 25))
SETTINGS = """\
[shop]
title = "Corner shop"
about = "Invented goods and shoppers, for the tests."
facets = ["category", "brand", "size", "price"]
shoppers = ["1", "2", "3"]
"""
RULES = """\
[[rules]]
when = { query = "lemon tart" }
banner = { text = "<b>Tarts</b> & more", url = "#/category/Bakery" }

[[rules]]
when = { query = "opening hours" }
redirect = "#/category/Bakery"
"""


def products() -> list[Row]:
    """Every title in four brands, each with a size and its own price."""
    draw = random.Random(1)
    rows: list[Row] = []
    for category, titles in GOODS.items():
        for title in titles:
            rows.extend(
                {
                    "id": f"{title} by {brand}".replace(" ", "-").lower(),
                    "title": title,
                    "description": f"{title} by {brand}.",
                    "brand": brand,
                    "category": category,
                    "price": draw.randrange(80, 1500) / 100,
                    "currency": "USD",
                    "size": draw.choice(SIZES),
                }
                for brand in BRANDS
            )
    return rows


def events(rows: list[Row]) -> list[Row]:
    """Six baskets a shopper; most of each comes from a small set that the shopper is fond of."""
    draw = random.Random(2)
    start = datetime.now(UTC) - timedelta(days=50)
    told: list[Row] = []
    for shopper in SHOPPERS:
        fond = draw.sample(rows, 8)
        for week in range(6):
            time = start + timedelta(days=7 * week + draw.random() * 5)
            basket = {row["id"] for row in draw.sample(fond, 5) + draw.sample(rows, 1)}
            told.extend(
                {
                    "kind": "purchase",
                    "time": time.isoformat(),
                    "shopper_id": shopper,
                    "product_id": product,
                    "quantity": 1,
                    "basket_id": f"{shopper}-{week}",
                }
                for product in sorted(basket)
            )
    return told
