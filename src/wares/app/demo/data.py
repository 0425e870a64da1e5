"""Where the demo shops come from: two public logs of purchases, with their dates moved so that they end now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wares.domain.event import Event
from wares.domain.product import Product
from wares.domain.shopper import Shopper
from wares.errors import InputError, UnknownName
from wares.feeds.dialects import complete_journey, online_retail
from wares.feeds.dialects.complete_journey_download import fetch
from wares.feeds.event_feed import OWN, read_event_feed
from wares.feeds.products import read_products
from wares.feeds.readers import Row
from wares.feeds.report import Reading
from wares.feeds.shoppers import read_shoppers

NAMES = ("groceries", "gifts")


class Dialect(Protocol):
    """A log of somebody else's as rows of ours; times are Unix ms or None."""

    @property
    def notes(self) -> tuple[str, ...]: ...

    def product_rows(self) -> Iterator[Row]: ...

    def event_rows(self) -> Iterator[Row]: ...

    def shopper_rows(self) -> Iterator[Row]: ...


@dataclass(frozen=True)
class DemoData:
    """What a demo shop is filled with. Each method makes a fresh reading, with times moved by `moved_ms`."""

    dialect: Dialect
    currency: str

    def events_and_end(self) -> tuple[int, int]:
        """How many events there are, and when the last one was (Unix ms, as written)."""
        count = last = 0
        for row in self.dialect.event_rows():
            count += 1
            if (time_ms := row["time"]) is not None and time_ms > last:
                last = time_ms
        return count, last

    def products(self, moved_ms: int, now_ms: int) -> Reading[Product]:
        rows = moved(self.dialect.product_rows(), "published", moved_ms)
        return read_products(rows, now_ms=now_ms, currency=self.currency)

    def events(self, moved_ms: int, now_ms: int) -> Reading[Event]:
        rows = moved(self.dialect.event_rows(), "time", moved_ms)
        return read_event_feed(rows, now_ms=now_ms, currency=self.currency, dialect=OWN)

    def shoppers(self) -> Reading[Shopper]:
        return read_shoppers(self.dialect.shopper_rows())


def demo_data(name: str, data: Path | None, feed: Path) -> DemoData:
    """The data of a demo shop. `feed` is where groceries' files are kept once fetched.

    Raises UnknownName, InputError where the files are not there.
    """
    if name == "groceries":
        folder = data if data is not None else fetch(feed)
        return DemoData(complete_journey.CompleteJourney(folder, now_ms=0), complete_journey.CURRENCY)
    if name == "gifts":
        if data is None:
            raise InputError(
                "The demo shop 'gifts' needs --data FILE: UCI's Online Retail as .xlsx, .csv or .parquet "
                "(https://archive.ics.uci.edu/dataset/352/online+retail)."
            )
        return DemoData(online_retail.OnlineRetail(data, now_ms=0), online_retail.CURRENCY)
    raise UnknownName("demo shop", name, NAMES)


def moved(rows: Iterable[Row], field: str, moved_ms: int) -> Iterator[Row]:
    """The same rows with this time moved; they are fresh dicts, so they are changed in place."""
    for row in rows:
        if row[field] is not None:
            row[field] += moved_ms
        yield row
