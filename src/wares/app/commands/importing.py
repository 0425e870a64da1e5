"""`wares import`: files -> a shop, with progress; through the server where one holds the writer's lock."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wares.app.commands.import_report import Lead, Watch, write_import_report
from wares.app.commands.recognising import dialects_of
from wares.app.commands.remote import Server, server_of
from wares.domain.event import Event
from wares.domain.product import Product
from wares.domain.shopper import Joined, Login, Shopper
from wares.engine.settings import load_settings
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


def import_files(
    folder: Path,
    products: Sequence[Path],
    events: Sequence[Path],
    shoppers: Sequence[Path],
    rejects: Path | None,
    tell: "Tell",
    *,
    flat: Sequence[Path] = (),
    fill: Sequence[str] = (),
    dialect: str = "",
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    page: Path | None = None,
    unfold: Unfold | None = None,
    lead: Lead | None = None,
    market: str = "",
    join_logins: bool | None = None,
    keep_robots: bool = False,
) -> list[ImportReport]:
    """One report per file. Rejected rows go to files in the folder `rejects`. Importing a file again adds nothing.

    `fill` says how missing values are filled, as "age=median"; of several kinds of feeds as "products.price=median".
    `dialect` is that of the products or of the events; "" = recognise it. `market`: whose products these are, "" = the
    whole shop's. `columns` says which column of the products holds a field. With `dry_run` nothing is written, neither
    a shop nor rejected rows. `page` is where the report goes as HTML, with a profile of the data that is kept for the
    next one to be compared with, unless it is a dry run. `join_logins`: who is anonymous first and then known in a log
    is one shopper; None = as the settings say. `unfold` makes the rows of what files of products hold; `lead` gives
    what stands first on the page.
    Raises StoreLocked where another process writes that takes no requests.
    """
    ways = _ways(fill, {"flat": flat, "products": products, "shoppers": shoppers})
    of_products, of_events = dialects_of(dialect, bool(products), bool(events))
    for path in (*products, *events, *shoppers, *flat):
        if not path.is_file():
            raise InputError(f"There is no file {path}. Nothing was imported.")
    now_ms, reports = int(time.time() * 1000), list[ImportReport]()
    if dry_run:
        settings = load_settings(folder)
        watch = Watch(settings.shop.currency) if page is not None else None
        of_log, of_feed = settings.of_events(now_ms), settings.of_products(now_ms, market)
        joins = settings.privacy.joins_imported(join_logins)
        for path in shoppers:
            reports.append(_tried(path, read_shoppers(path, fill=ways["shoppers"]), tell))
        for path in flat:
            tried = FlatTable(path, ways=ways["flat"], **of_log)
            if watch is not None:
                passed(watch.products(tried.products()))
                passed(watch.events(tried.events()))
            reports.append(_with_remark(tried.report, NOT_WRITTEN))
        for path in products:
            goods = read_products(
                path, dialect=of_products, columns=columns, unfold=unfold, fill=ways["products"], **of_feed
            )
            reports.append(_tried(path, goods, tell, watch.products if watch else None))
        for path in events:
            logins = Logins(joins, consent=bool(join_logins))
            log = read_event_feed(path, dialect=of_events, keep_robots=keep_robots, logins=logins, **of_log)
            tried_log = _tried(path, log, tell, watch.events if watch else None)
            reports.append(with_logins(tried_log, logins, Joined(new=len(list(logins)))) if joins else tried_log)
        if page is not None:
            write_import_report(page, reports, watch, folder, keep=False, lead=lead)
        return reports
    joins = load_settings(folder).privacy.joins_imported(join_logins)
    if rejects is not None:
        rejects.mkdir(parents=True, exist_ok=True)
    with open_shop(folder) as shop:
        server = server_of(folder, shop.settings)
        watch = Watch(shop.settings.shop.currency) if page is not None else None
        of_log, of_feed = shop.settings.of_events(now_ms), shop.settings.of_products(now_ms, market)
        for path in shoppers:  # first, because a server takes none: then nothing is half done
            people = read_shoppers(path, rejects=_rejects(rejects, path), fill=ways["shoppers"])
            reports.append(_imported(path, people, Writing(shop).put_shoppers, tell))
        for path in flat:
            table = FlatTable(path, ways=ways["flat"], rejects=_rejects(rejects, path), **of_log)
            reports.append(_imported_flat(path, table, shop, server, tell, watch))
        for path in products:
            as_told: dict[str, Any] = {"dialect": of_products, "columns": columns, "rejects": _rejects(rejects, path)}
            goods = read_products(path, unfold=unfold, fill=ways["products"], **of_feed, **as_told)
            put = partial((server or Writing(shop)).put, market=market)
            reports.append(_imported(path, goods, put, tell, watch.products if watch else None))
        for path in events:
            to = _rejects(rejects, path)
            logins = Logins(joins, consent=bool(join_logins))
            log = read_event_feed(path, dialect=of_events, rejects=to, keep_robots=keep_robots, logins=logins, **of_log)
            writing = server or Writing(shop)
            read_log = _imported(path, log, writing.record, tell, watch.events if watch else None)
            reports.append(with_logins(read_log, logins, writing.identify(logins)) if joins else read_log)
    if page is not None:
        write_import_report(page, reports, watch, folder, keep=True, lead=lead)
    return reports


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


def _imported(
    path: Path,
    reading: Reading[T],
    write: Callable[[Iterable[T]], str],
    tell: "Tell",
    watch: "Watching[T] | None" = None,
) -> ImportReport:
    entries: Iterable[T] = reading if watch is None else watch(reading)
    remark = write(counted(entries, path.name, _rows_in(path), tell))
    return _with_remark(reading.report, remark)


def _tried(path: Path, reading: Reading[T], tell: "Tell", watch: "Watching[T] | None" = None) -> ImportReport:
    """What an import of the file would tell."""
    passed(counted(reading if watch is None else watch(reading), path.name, _rows_in(path), tell))
    return _with_remark(reading.report, NOT_WRITTEN)


def passed(entries: Iterable[object]) -> None:
    """Reads to the end."""
    for _ in entries:
        pass


def _with_remark(report: ImportReport, remark: str) -> ImportReport:
    return replace(report, notes=(*report.notes, remark)) if remark else report


def _imported_flat(
    path: Path, table: FlatTable, shop: Shop, server: Server | None, tell: "Tell", watch: Watch | None
) -> ImportReport:
    """Shoppers first, as they need the lock; then what they bought, then that they bought it."""
    writing = Writing(shop) if server is None else server
    if people := list(table.shoppers()):
        Writing(shop).put_shoppers(people)
    goods, log = table.products(), table.events()
    writing.put(goods if watch is None else watch.products(goods))
    lines = log if watch is None else watch.events(log)
    remark = writing.record(counted(lines, path.name, table.report.kept, tell))
    return _with_remark(table.report, remark)


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


def _rejects(folder: Path | None, path: Path) -> Path | None:
    return folder / f"{path.name}.rejects.jsonl" if folder is not None else None
