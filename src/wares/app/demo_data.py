"""Where the demo shops come from: two public logs of purchases, with their dates moved so that they end now."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from wares.domain.event import Event
from wares.domain.product import Product
from wares.domain.shopper import Shopper
from wares.errors import InputError, UnknownName
from wares.feeds.dialects import complete_journey
from wares.feeds.dialects.complete_journey_download import fetch
from wares.feeds.dialects.online_retail import CURRENCY, OnlineRetail
from wares.feeds.events import read_events
from wares.feeds.products import read_products
from wares.feeds.readers import Row
from wares.feeds.report import Reading
from wares.feeds.shoppers import read_shoppers

NAMES = ("groceries", "gifts")


class DemoData(Protocol):
    """What a demo shop is filled with. `n_products` and `n_events` are for progress; None = unknown."""

    n_products: int | None
    n_events: int | None

    def last_ms(self) -> int:
        """When the log ends, as written."""

    def products(self, moved_ms: int, now_ms: int) -> Reading[Product]: ...

    def events(self, moved_ms: int, now_ms: int) -> Reading[Event]: ...

    def shoppers(self) -> Reading[Shopper]: ...


def demo_data(name: str, data: Path | None, feed: Path) -> DemoData:
    """The data of a demo shop. `feed` is where groceries' files are kept once fetched.

    Raises UnknownName, InputError where the files are not there.
    """
    if name == "groceries":
        return Groceries(data if data is not None else fetch(feed))
    if name == "gifts":
        if data is None:
            raise InputError(
                "The demo shop 'gifts' needs --data FILE: UCI's Online Retail as .xlsx, .csv or .parquet "
                "(https://archive.ics.uci.edu/dataset/352/online+retail)."
            )
        return Gifts(data)
    raise UnknownName("demo shop", name, NAMES)


class Groceries:
    """The Complete Journey."""

    n_products: int | None = 68_000
    n_events: int | None = 1_469_307

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last_ms(self) -> int:
        import polars as pl

        path = self._folder / "transactions.parquet"
        if not path.is_file():
            raise InputError(f"{path} is missing. Leave --data out to have it fetched.")
        last = pl.scan_parquet(path).select(pl.col("transaction_timestamp").max().dt.epoch("ms")).collect().item()
        return int(last)

    def products(self, moved_ms: int, now_ms: int) -> Reading[Product]:
        rows = complete_journey.product_rows(self._folder)
        return read_products(moved(rows, "published", moved_ms), now_ms=now_ms, currency=complete_journey.CURRENCY)

    def events(self, moved_ms: int, now_ms: int) -> Reading[Event]:
        rows = complete_journey.event_rows(self._folder)
        return read_events(moved(rows, "time", moved_ms), now_ms=now_ms, currency=complete_journey.CURRENCY)

    def shoppers(self) -> Reading[Shopper]:
        return read_shoppers(complete_journey.shopper_rows(self._folder))


class Gifts:
    """UCI's Online Retail."""

    n_products: int | None = None
    n_events: int | None = None

    def __init__(self, path: Path) -> None:
        self._retail = OnlineRetail(path, now_ms=0)

    def last_ms(self) -> int:
        return max(int(row["time"]) for row in self._retail.event_rows() if row["time"] is not None)

    def products(self, moved_ms: int, now_ms: int) -> Reading[Product]:
        rows = moved(self._retail.product_rows(), "published", moved_ms)
        return read_products(rows, now_ms=now_ms, currency=CURRENCY)

    def events(self, moved_ms: int, now_ms: int) -> Reading[Event]:
        rows = moved(self._retail.event_rows(), "time", moved_ms)
        return read_events(rows, now_ms=now_ms, currency=CURRENCY)

    def shoppers(self) -> Reading[Shopper]:
        return read_shoppers(self._retail.shopper_rows())


def moved(rows: Iterable[Row], field: str, moved_ms: int) -> Iterator[Row]:
    """The same rows with this time (Unix ms) moved; the rows are theirs alone, so they are changed in place."""
    for row in rows:
        if row[field] is not None:
            row[field] += moved_ms
        yield row
