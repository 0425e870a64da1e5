"""Made-up purchases in the form of the Complete Journey: three files, small enough for a test."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wares.feeds.dialects.complete_journey import FILES

START = datetime(2017, 1, 1, 12)
WEEKS = 16  # of which the last eight are two windows of 28 days
HOUSEHOLDS, PRODUCTS = 24, 20


def write_files(folder: Path) -> Path:
    """Every week each household buys two of its own five products and one of all."""
    rng = np.random.default_rng(0)
    lines: list[dict[str, Any]] = []
    for household in range(HOUSEHOLDS):
        mine = rng.permutation(PRODUCTS)[:5]
        for week in range(WEEKS):
            basket = {*rng.choice(mine, 2, replace=False).tolist(), int(rng.integers(PRODUCTS))}
            lines += [
                {
                    "household_id": 900 + household,
                    "basket_id": 1_000 * household + week,
                    "product_id": product + 1,
                    "quantity": 1,
                    "sales_value": 1.5,
                    "retail_disc": 0.0,
                    "coupon_disc": 0.0,
                    "coupon_match_disc": 0.0,
                    "transaction_timestamp": START + timedelta(days=7 * week + household % 6, minutes=household),
                }
                for product in sorted(basket)
            ]
    products: list[dict[str, Any]] = [
        {
            "product_id": product + 1,
            "department": "GROCERY",
            "brand": ("Private", "National")[product % 2],
            "product_category": ("SOUP", "FLUID MILK PRODUCTS")[product % 2],
            "product_type": f"THING {product}",
            "package_size": "1 GA",
        }
        for product in range(PRODUCTS)
    ]
    people: list[dict[str, Any]] = [{"household_id": "900", "age": "35-44", "income": None}]
    for name, rows in zip(FILES, (lines, products, people), strict=True):
        pl.DataFrame(rows).write_parquet(folder / name)
    return folder
