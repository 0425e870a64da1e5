"""The demo shop "gifts": UCI's Online Retail, a British gift shop's invoices of 2010 and 2011 (CC BY 4.0)."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wares.domain.event import Event
from wares.domain.product import Product
from wares.domain.shopper import Shopper
from wares.errors import InputError
from wares.feeds.dialects.readable import sentence_case
from wares.feeds.event_feed import OWN, read_event_feed
from wares.feeds.products import read_products
from wares.feeds.readers import SLICE, Row
from wares.feeds.report import Reading
from wares.feeds.shoppers import read_shoppers

if TYPE_CHECKING:
    import polars as pl

CURRENCY = "GBP"
TIMEZONE = "Europe/London"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
_RENAMED = {"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}  # as in the second edition
# Stock codes that are no goods: postage, fees, samples, corrections.
NO_GOODS = frozenset(
    (
        *("POST", "DOT", "M", "D", "S", "B", "C2", "C3", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS", "ADJUST"),
        *("ADJUST2", "TEST001", "TEST002", "GIFT", "SP1002"),
    )
)
_VOUCHER = "GIFT_"
_PROPER = {
    word.upper(): word
    for word in (
        *("Christmas", "Easter", "Valentine", "Xmas", "London", "Paris", "French", "English", "British", "Edwardian"),
        *("Victorian", "Regency", "Scandinavian", "Swiss", "Danish", "Chinese", "Indian", "Moroccan", "Turkish"),
        *("Spaceboy", "Dolly", "LED", "UK", "CD", "DVD", "TV", "USB", "PVC", "FBA", "OFF-WHITE", "IPOD", "Japanese"),
        *("Mexican", "American", "Venetian", "Russian", "Spanish", "Italian", "German", "Santa", "January", "Gothic"),
    )
} | {"T": "T", "A4": "A4", "A5": "A5", "A6": "A6", "I": "I", "OFF-WHITE": "off-white"}


class OnlineRetail:
    """UCI's file as a shop. Read once, kept as a table; each method makes a fresh reading.

    Raises InputError, when a reading is iterated, for a file that is not there or is not UCI's.
    """

    def __init__(self, path: Path, *, now_ms: int) -> None:
        self.path, self.now_ms = path, now_ms

    def products(self) -> Reading[Product]:
        """One product per stock code with a description; what is left out stands in the report's notes."""
        return read_products(self.product_rows(), now_ms=self.now_ms, currency=CURRENCY)

    def events(self) -> Reading[Event]:
        """Purchases, and cancellations as refunds, matched to what they take back; lines without a customer are
        anonymous."""
        return read_event_feed(self.event_rows(), now_ms=self.now_ms, currency=CURRENCY, dialect=OWN)

    def shoppers(self) -> Reading[Shopper]:
        """Every customer with the country of the last invoice."""
        return read_shoppers(self.shopper_rows())

    @property
    def notes(self) -> tuple[str, ...]:
        """What the file holds besides purchases of goods, in sentences for a person."""
        import polars as pl

        lines, goods = self._lines, self._goods
        codes = lines.filter(pl.col("no_goods"))["code"]
        named = ", ".join(code for code, _ in Counter(codes.to_list()).most_common(8))
        corrections = lines.filter(~pl.col("no_goods") & ~pl.col("sold"))
        return (
            f"{len(codes):,} lines of postage, fees, vouchers and the like are left out: {named}.",
            f"{self._raw.height - lines.height:,} lines repeat another in every column and are left out.",
            f"{corrections.height:,} lines correct the stock (no price, no customer) and are left out.",
            f"{goods['CustomerID'].null_count():,} of {goods.height:,} lines name no customer: they are anonymous.",
            f"{goods['code'].n_unique() - self._catalogue.height:,} stock codes have no description and no page.",
        )

    def product_rows(self) -> Iterator[Row]:
        for row in self._catalogue.iter_rows(named=True):
            yield {**row, "title": title_of(row["title"])}

    def event_rows(self) -> Iterator[Row]:
        import polars as pl

        table = self._goods.select(
            kind=pl.when("cancelled").then(pl.lit("refund")).otherwise(pl.lit("purchase")),
            time="time",
            shopper_id="CustomerID",
            product_id="code",
            quantity=pl.when("cancelled").then(pl.col("Quantity").abs()).otherwise("Quantity"),
            value=pl.col("UnitPrice") * pl.col("Quantity").abs(),
            basket_id="InvoiceNo",
        )
        for start in range(0, table.height, SLICE):
            yield from table.slice(start, SLICE).iter_rows(named=True)

    def shopper_rows(self) -> Iterator[Row]:
        import polars as pl

        customers = self._lines.filter(pl.col("CustomerID").is_not_null()).group_by("CustomerID")
        table = customers.agg(pl.col("Country").sort_by("time").last()).sort("CustomerID")
        for customer, country in table.iter_rows():
            yield {"shopper_id": customer, "country": None if country == "Unspecified" else country}

    @cached_property
    def _raw(self) -> "pl.DataFrame":
        return _read(self.path)

    @cached_property
    def _lines(self) -> "pl.DataFrame":
        """Every distinct line, with its code in capitals, its time in Unix ms and what kind of line it is."""
        import polars as pl

        table = self._raw.unique(maintain_order=True)
        code = pl.col("StockCode").str.strip_chars().str.to_uppercase()
        time = pl.col("InvoiceDate").dt.replace_time_zone(TIMEZONE, ambiguous="earliest", non_existent="null")
        marked = table.with_columns(
            code=code,
            time=time.dt.epoch("ms"),
            cancelled=pl.col("InvoiceNo").str.starts_with("C"),
            no_goods=code.is_in(list(NO_GOODS)) | code.str.starts_with(_VOUCHER),
        )
        return marked.with_columns(sold=(pl.col("Quantity") > 0) & (pl.col("UnitPrice") > 0) | pl.col("cancelled"))

    @cached_property
    def _goods(self) -> "pl.DataFrame":
        import polars as pl

        return self._lines.filter(~pl.col("no_goods") & pl.col("sold"))

    @cached_property
    def _catalogue(self) -> "pl.DataFrame":
        """id, title (as written), price, published of each code: descriptions count only where goods were sold."""
        import polars as pl

        sales = self._goods.filter(~pl.col("cancelled"))
        text = pl.col("Description").str.strip_chars()
        named = sales.filter(text.str.len_chars() > 2).group_by("code", title=text).len()
        titles = named.sort("len", "title", descending=[True, False]).group_by("code").agg(pl.col("title").first())
        facts = sales.group_by("code").agg(price=pl.col("UnitPrice").median().round(2), published=pl.col("time").min())
        return facts.join(titles, on="code").sort("published", "code").rename({"code": "id"})


def title_of(description: str) -> str:
    """A description in readable case: "RED RETROSPOT T-LIGHT  HOLDER" -> "Red retrospot T-light holder"."""
    text = re.sub(r"\s*,\s*", ", ", description.strip(" .,*"))
    return sentence_case(text, _PROPER)


def _read(path: Path) -> "pl.DataFrame":
    import polars as pl

    if not path.is_file():
        raise InputError(f"There is no file {path}. Give UCI's Online Retail as .parquet, .csv or .xlsx.")
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            table = pl.read_parquet(path)
        elif ending == ".csv":
            table = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
        elif ending == ".xlsx":
            table = pl.read_excel(path)
        else:
            raise InputError(f"{path}: the ending {ending!r} is not known. Use .parquet, .csv or .xlsx.")
    except ImportError as error:
        raise InputError(f"{path}: no reader for .xlsx is installed. Save the sheet as CSV and give that.") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0][:200]}") from error
    table = table.rename({name: _RENAMED.get(name.strip("\ufeff "), name.strip("\ufeff ")) for name in table.columns})
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}. UCI's file has {', '.join(COLUMNS)}.")
    return table.select(COLUMNS).with_columns(
        pl.col("InvoiceNo", "StockCode", "Description", "Country").cast(pl.String),
        pl.col("Quantity", "UnitPrice").cast(pl.Float64, strict=False),
        CustomerID=pl.col("CustomerID").cast(pl.Float64, strict=False).cast(pl.Int64),
        InvoiceDate=_moment(table["InvoiceDate"]),
    )


def _moment(column: "pl.Series") -> "pl.Series":
    """Wall times: datetimes as they are; UCI's "12/1/2010 8:26" and ISO text are parsed, anything else is null."""
    import polars as pl

    if column.dtype != pl.String:
        return column.cast(pl.Datetime("us"))
    formats = ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f", "%d/%m/%Y %H:%M")
    parsed = [column.str.strip_chars().str.to_datetime(form, strict=False, time_unit="us") for form in formats]
    return min(parsed, key=lambda times: times.null_count())
