"""The demo shop "groceries": the Complete Journey, one year of purchases of 2,469 households.

Derived from dunnhumby's anonymised data; the package that carries it calls it simulated. It has no titles and no
prices: titles are put together from type, category, size and brand, prices are medians of what was paid per unit.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from wares.domain.event import Event
from wares.domain.product import Product
from wares.domain.shopper import Shopper
from wares.errors import InputError
from wares.feeds.dialects.complete_journey_titles import BRANDS, category_of, size_of, title_of
from wares.feeds.events import read_events
from wares.feeds.products import read_products
from wares.feeds.readers import SLICE, Row
from wares.feeds.report import Reading
from wares.feeds.shoppers import read_shoppers

if TYPE_CHECKING:
    import polars as pl

FILES = ("transactions.parquet", "products.parquet", "demographics.parquet")
CURRENCY = "USD"
_FUEL = "GASOLINE"  # sold in thousandths of a gallon


class CompleteJourney:
    """The three files of a folder as a shop; each method makes a fresh reading.

    Raises InputError, when a reading is iterated, for a file that is missing.
    """

    def __init__(self, folder: Path, *, now_ms: int) -> None:
        self.folder, self.now_ms = folder, now_ms

    def products(self) -> Reading[Product]:
        """Every product that the log names and the product table describes, first sold first."""
        return read_products(self.product_rows(), now_ms=self.now_ms, currency=CURRENCY)

    def events(self) -> Reading[Event]:
        """Every line of the log as a purchase; lines without quantity and value (coupons) are rejected."""
        return read_events(self.event_rows(), now_ms=self.now_ms, currency=CURRENCY)

    def shoppers(self) -> Reading[Shopper]:
        """The households with demographics; the other two thirds are known by their purchases only."""
        return read_shoppers(self.shopper_rows())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of this data, in sentences."""
        import polars as pl

        unknown = self._log().join(self._table("products.parquet"), on="product_id", how="anti").collect()
        fuel = self._log().filter(pl.col("fuel")).select(pl.len()).collect().item()
        return (
            "Complete Journey derives from dunnhumby's anonymised data; its package calls it simulated.",
            "It has no titles and no prices: titles are put together, prices are medians of what was paid.",
            f"{unknown['product_id'].n_unique():,} ids of the log ({unknown.height:,} lines, mostly coupons) are in no "
            "product table and have no page.",
            f"{fuel:,} lines of fuel count as one fill-up each.",
        )

    def event_rows(self) -> Iterator[Row]:
        """A line of fuel is one fill-up: its quantity counts thousandths of a gallon."""
        import polars as pl

        lines = self._log().select(
            kind=pl.lit("purchase"),
            time=pl.col("transaction_timestamp").dt.epoch("ms"),
            shopper_id="household_id",
            product_id="product_id",
            quantity=pl.when("fuel").then(pl.min_horizontal("quantity", 1)).otherwise("quantity"),
            value="sales_value",
            basket_id="basket_id",
        )
        table = lines.collect()
        for start in range(0, table.height, SLICE):
            yield from table.slice(start, SLICE).iter_rows(named=True)

    def product_rows(self) -> Iterator[Row]:
        import polars as pl

        paid = pl.sum_horizontal("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
        per_gallon = pl.when(pl.col("quantity") > 100).then(paid / pl.col("quantity") * 1000)
        per_unit = pl.when((pl.col("quantity") > 0) & (paid > 0)).then(paid / pl.col("quantity"))
        sold = self._log().group_by("product_id")
        facts = sold.agg(
            price=pl.when("fuel").then(per_gallon).otherwise(per_unit).median().round(2),
            published=pl.col("transaction_timestamp").min().dt.epoch("ms"),
        )
        table = facts.join(self._table("products.parquet"), on="product_id").sort("published", "product_id")
        for row in table.collect().iter_rows(named=True):
            yield {
                "id": row["product_id"],
                "title": title_of(row),
                "brand": BRANDS.get(row["brand"], row["brand"]),
                "category": category_of(row),
                "price": row["price"],
                "published": row["published"],
                "size": size_of(row["package_size"]),
            }

    def shopper_rows(self) -> Iterator[Row]:
        table = self._table("demographics.parquet").rename({"household_id": "shopper_id"})
        yield from table.collect().iter_rows(named=True)

    def _table(self, name: str) -> "pl.LazyFrame":
        import polars as pl

        path = self.folder / name
        if not path.is_file():
            raise InputError(f"{path} is missing. The folder needs {', '.join(FILES)}.")
        return pl.scan_parquet(path, glob=False)

    def _log(self) -> "pl.LazyFrame":
        """The transactions with a column `fuel`."""
        import polars as pl

        is_fuel = pl.col("product_type").str.contains(_FUEL, literal=True)
        fuel = self._table("products.parquet").filter(is_fuel).select("product_id", fuel=pl.lit(True))
        lines = self._table("transactions.parquet").join(fuel, on="product_id", how="left", maintain_order="left")
        return lines.with_columns(pl.col("fuel").fill_null(False))
