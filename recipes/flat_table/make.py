"""Make the textbooks' flat table of the Complete Journey: its households with demographics, their most bought products.

    make.py --data FOLDER --out flat.csv

FOLDER is where the data files are kept, or fetched to. Columns: user_id, age, gender, income, item_id, category, brand,
price, time. Nobody's gender is known: the column stays empty. The price is the median of what was paid for a unit. The
data derives from dunnhumby's; the package that carries it calls it simulated.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from wares.domain.money import scale_of
from wares.domain.product import PATH_SEPARATOR
from wares.feeds.dialects.complete_journey import CURRENCY, CompleteJourney
from wares.feeds.dialects.complete_journey_download import fetch

COLUMNS = ("user_id", "age", "gender", "income", "item_id", "category", "brand", "price", "time")
PRODUCTS = 10_000


def flat_rows(feed: CompleteJourney, n_products: int = PRODUCTS) -> Iterator[tuple[object, ...]]:
    """A row per purchase line of the known households and their `n_products` most bought products, oldest first."""
    people = {shopper.id: shopper.attributes for shopper in feed.shoppers()}
    lines = [event for event in feed.events() if event.shopper_id in people and event.product_id is not None]
    goods = {product.id: product for product in feed.products()}
    bought = Counter(event.product_id for event in lines if event.product_id in goods)
    kept = {product_id for product_id, _ in bought.most_common(n_products)}
    for event in sorted(lines, key=lambda event: event.time_ms):
        if event.product_id not in kept:
            continue
        person, product = people[event.shopper_id or ""], goods[event.product_id or ""]
        price = "" if product.price_minor is None else f"{product.price_minor / scale_of(CURRENCY):.2f}"
        yield (
            event.shopper_id,
            person.get("age", ""),
            "",  # gender
            person.get("income", ""),
            product.id,
            PATH_SEPARATOR.join(product.category),
            product.brand,
            price,
            datetime.fromtimestamp(event.time_ms / 1000, UTC).isoformat(timespec="seconds"),
        )


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    told.add_argument("--data", type=Path, required=True, help="where the data files are, or are fetched to")
    told.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    told.add_argument("--products", type=int, default=PRODUCTS, help="how many of the most bought")
    asked = told.parse_args()
    feed = CompleteJourney(fetch(asked.data), now_ms=int(datetime.now(UTC).timestamp() * 1000))
    with asked.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        bought = Counter[tuple[object, object]]()
        for row in flat_rows(feed, asked.products):
            table.writerow(row)
            bought[row[0], row[4]] += 1
    users, items = ({pair[which] for pair in bought} for which in (0, 1))
    print(f"{asked.out}: {bought.total():,} rows, {len(users):,} users, {len(items):,} items")


if __name__ == "__main__":
    main()
