"""`wares import`: files -> a shop, with progress; through the server where one holds the writer's lock."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from wares.app.commands.import_log import keep_reports
from wares.app.commands.import_report import Lead, Watch, write_import_report
from wares.app.commands.recognising import dialects_of
from wares.app.commands.remote import Server, server_of
from wares.domain.event import Event
from wares.domain.product import Product
from wares.domain.shopper import Joined, Login, Shopper
from wares.engine.settings import Settings, load_settings
from wares.errors import InputError
from wares.feeds.dialects.flat_table import FlatTable
from wares.feeds.event_feed import read_event_feed
from wares.feeds.logins import Logins, with_logins
from wares.feeds.missing import Way, ways_of
from wares.feeds.products import Unfold, read_products
from wares.feeds.report import ImportReport, Reading
from wares.feeds.shoppers import read_shoppers
from wares.shop import Shop, open_shop

if TYPE_CHECKING:
    from wares.training.progress import Tell

T = TypeVar("T")
Watching = Callable[[Iterable[T]], Iterable[T]]
_TOLD_EVERY = 2_000  # rows
NOT_WRITTEN = "Nothing was written: this was a dry run."


@dataclass(frozen=True)
class Feeds:
    """The files of one import, by what they hold."""

    products: Sequence[Path] = ()
    events: Sequence[Path] = ()
    shoppers: Sequence[Path] = ()
    flat: Sequence[Path] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        return (*self.shoppers, *self.flat, *self.products, *self.events)


@dataclass(frozen=True)
class How:
    """How files are to be read. `fill`: how missing values are filled, as "age=median"; of several kinds of feeds as
    "products.price=median". `dialect`: of the products or of the events; "" = recognise it. `columns`: which column of
    the products holds a field. `unfold` makes the rows of what files of products hold. `market`: whose products these
    are, "" = the whole shop's. `join_logins`: who is anonymous first and then known in a log is one shopper; None = as
    the settings say. `rejects`: the folder of the rejected rows."""

    fill: Sequence[str] = ()
    dialect: str = ""
    columns: Mapping[str, str] | None = None
    unfold: Unfold | None = None
    market: str = ""
    join_logins: bool | None = None
    keep_robots: bool = False
    drop_equal_lines: bool = False
    rejects: Path | None = None


def import_files(
    folder: Path,
    feeds: Feeds,
    how: How,
    tell: "Tell",
    *,
    dry_run: bool = False,
    page: Path | None = None,
    lead: Lead | None = None,
) -> list[ImportReport]:
    """One report per file. Importing a file again adds nothing. With `dry_run` nothing is written, neither a shop nor
    rejected rows. `page` is where the report goes as HTML, with a profile of the data that is kept for the next one to
    be compared with, unless it is a dry run; `lead` gives what stands first on it.

    Raises StoreLocked where another process writes that takes no requests.
    """
    for path in feeds.paths:
        if not path.is_file():
            raise InputError(f"There is no file {path}. Nothing was imported.")
    settings = load_settings(folder)
    watch = Watch(settings.shop.currency) if page is not None else None
    reading = _Import(settings, feeds, replace(how, rejects=None) if dry_run else how, watch, tell)  # faults come first
    if dry_run:
        trying = Trying()
        reports = reading.reports(trying, lambda: trying)
    else:
        if how.rejects is not None:
            how.rejects.mkdir(parents=True, exist_ok=True)
        with open_shop(folder) as shop:
            reports = reading.reports(server_of(folder, settings) or Writing(shop), lambda: Writing(shop))
        keep_reports(folder, reports, int(time.time() * 1000))
    if page is not None:
        write_import_report(page, reports, watch, folder, keep=not dry_run, lead=lead)
    return reports


class Trying:
    """Reads to the end and writes nothing."""

    def put(self, products: Iterable[Product], market: str = "") -> str:
        return self._passed(products)

    def put_shoppers(self, shoppers: Iterable[Shopper]) -> str:
        return self._passed(shoppers)

    def record(self, events: Iterable[Event]) -> str:
        return self._passed(events)

    def identify(self, logins: Iterable[Login]) -> Joined:
        return Joined(new=sum(1 for _ in logins))

    def _passed(self, entries: Iterable[object]) -> str:
        passed(entries)
        return NOT_WRITTEN


class _Import:
    """One import: every file through its reader into a sink."""

    def __init__(self, settings: Settings, feeds: Feeds, how: How, watch: Watch | None, tell: "Tell") -> None:
        self.feeds, self.how, self.watch, self.tell = feeds, how, watch, tell
        now_ms = int(time.time() * 1000)
        self.of_log, self.of_feed = settings.of_events(now_ms), settings.of_products(now_ms, how.market)
        self.of_products, self.of_events = dialects_of(how.dialect, bool(feeds.products), bool(feeds.events))
        self.ways = _ways(how.fill, {"flat": feeds.flat, "products": feeds.products, "shoppers": feeds.shoppers})
        self.joins = settings.privacy.joins_imported(how.join_logins)

    def reports(self, sink: "Sink", own: "Callable[[], Writing | Trying]") -> list[ImportReport]:
        """`own` makes the sink of shoppers, which a server does not take; they come first, so that nothing is half
        done."""
        self.sink, self.own, feeds = sink, own, self.feeds
        return [
            *map(self._shoppers, feeds.shoppers),
            *map(self._flat, feeds.flat),
            *map(self._products, feeds.products),
            *map(self._events, feeds.events),
        ]

    def _shoppers(self, path: Path) -> ImportReport:
        people = read_shoppers(path, rejects=self._rejects(path), fill=self.ways["shoppers"])
        return self._through(path, people, self.own().put_shoppers)

    def _flat(self, path: Path) -> ImportReport:
        """Shoppers, then what they bought, then that they bought it."""
        table = FlatTable(path, ways=self.ways["flat"], rejects=self._rejects(path), **self.of_log)
        if people := list(table.shoppers()):
            self.own().put_shoppers(people)
        goods, log = table.products(), table.events()
        self.sink.put(goods if self.watch is None else self.watch.products(goods))
        lines = log if self.watch is None else self.watch.events(log)
        remark = self.sink.record(counted(lines, path.name, table.report.kept, self.tell))
        return _with_remark(table.report, remark)

    def _products(self, path: Path) -> ImportReport:
        how = self.how
        goods = read_products(
            path, dialect=self.of_products, columns=how.columns, unfold=how.unfold, fill=self.ways["products"],
            rejects=self._rejects(path), **self.of_feed,
        )  # fmt: skip
        put = partial(self.sink.put, market=how.market)
        return self._through(path, goods, put, self.watch.products if self.watch else None)

    def _events(self, path: Path) -> ImportReport:
        logins = Logins(self.joins, consent=bool(self.how.join_logins))
        log = read_event_feed(
            path, dialect=self.of_events, keep_robots=self.how.keep_robots, logins=logins,
            drop_equal_lines=self.how.drop_equal_lines, rejects=self._rejects(path), **self.of_log,
        )  # fmt: skip
        report = self._through(path, log, self.sink.record, self.watch.events if self.watch else None)
        return with_logins(report, logins, self.sink.identify(logins)) if self.joins else report

    def _through(
        self,
        path: Path,
        reading: Reading[T],
        write: Callable[[Iterable[T]], str],
        watch: "Watching[T] | None" = None,
    ) -> ImportReport:
        entries: Iterable[T] = reading if watch is None else watch(reading)
        remark = write(counted(entries, path.name, _rows_in(path), self.tell))
        return _with_remark(reading.report, remark)

    def _rejects(self, path: Path) -> Path | None:
        return self.how.rejects / f"{path.name}.rejects.jsonl" if self.how.rejects is not None else None


class Writing:
    """The three kinds of rows, written to a shop. Each gives a remark for the report, or ""."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._store = shop, shop.writer()

    def put(self, products: Iterable[Product], market: str = "") -> str:
        self._shop.write_products(products, market)
        return ""

    def put_shoppers(self, shoppers: Iterable[Shopper]) -> str:
        self._store.shoppers.put(shoppers)
        return ""

    def record(self, events: Iterable[Event]) -> str:
        _, repeated = self._store.events.append(events)
        return repeated_remark(repeated)

    def identify(self, logins: Iterable[Login]) -> Joined:
        return self._shop.identify_all(logins)


Sink = Server | Writing | Trying


def repeated_remark(repeated: int) -> str:
    return f"{repeated:,} events were known already and were not counted again." if repeated else ""


def counted(entries: Iterable[T], stage: str, total: int | None, tell: "Tell") -> Iterator[T]:
    """The same entries, telling how many have passed."""
    done = 0
    tell(stage, 0, total or 0)
    for done, entry in enumerate(entries, 1):
        if done % _TOLD_EVERY == 0:
            tell(stage, done, max(total or 0, done))
        yield entry
    tell(stage, max(done, 1), max(done, 1))


def passed(entries: Iterable[object]) -> None:
    """Reads to the end."""
    for _ in entries:
        pass


def _with_remark(report: ImportReport, remark: str) -> ImportReport:
    return replace(report, notes=(*report.notes, remark)) if remark else report


def _ways(texts: Sequence[str], given: Mapping[str, Sequence[Path]]) -> dict[str, dict[str, Way]]:
    """Of each kind of feed what is to be done about which column: "age=median" where there is one kind, else
    "shoppers.age=median"."""
    kinds = [kind for kind, paths in given.items() if paths]
    told: dict[str, dict[str, str]] = {kind: {} for kind in given}
    for text in texts:
        name, equals, way = text.partition("=")
        if not equals:
            raise InputError(f"{text[:80]!r} says no way to fill a column. Write COLUMN=WAY, as age=median.")
        kind, dot, column = name.strip().partition(".")
        if not dot or kind not in given:
            kind, column = (kinds[0], name.strip()) if len(kinds) == 1 else ("", "")
        if kind not in kinds:
            which = " or ".join(f"{one}.COLUMN=WAY" for one in kinds) or "--flat, --products or --shoppers with it"
            raise InputError(f"{text[:80]!r} does not say of which feed. Give {which}.")
        told[kind][column] = way
    return {kind: ways_of(columns) for kind, columns in told.items()}


def _rows_in(path: Path) -> int | None:
    """About how many rows a file has; None = unknown."""
    ending = path.suffix.lower()
    if not path.is_file() or ending == ".gz":
        return None
    if ending == ".parquet":
        import polars as pl

        try:
            return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
        except pl.exceptions.PolarsError:
            return None  # reading it says what is wrong
    with path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return max(lines - (ending != ".jsonl"), 1)
