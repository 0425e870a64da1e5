"""The facade: one shop, opened in a folder. The only place that joins serving to training."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from wares.domain.filter import AnyOf, Between, Clause, Filter
from wares.domain.money import scale_of
from wares.domain.product import Product
from wares.domain.request import Request, Sort
from wares.domain.result import Page
from wares.domain.suggestion import Suggestion
from wares.engine.assembly import Engine, new_encoder
from wares.engine.choice import Choice, to_filter
from wares.engine.settings import FILE_NAME, Settings, load_settings, write_default_settings
from wares.engine.view import ShopView
from wares.errors import InputError, UnknownName
from wares.evaluation.table import EvaluationTable
from wares.features.interests import ShopperSummary, summary_of
from wares.feeds.dialects.flat_table import FlatTable, ways_of
from wares.feeds.event_feed import read_event_feed
from wares.feeds.events import read_events
from wares.feeds.full_feed import AT_MOST, FullFeed
from wares.feeds.products import ALIASES, read_products
from wares.feeds.readers import Source
from wares.feeds.report import ImportReport
from wares.feeds.shoppers import read_shoppers
from wares.feeds.values import is_missing_cell
from wares.store.impressions import ImpressionLog
from wares.store.sqlite import Store
from wares.training.child import train_in_child
from wares.training.plan import Plan
from wares.training.progress import Tell, silent
from wares.training.trial import next_basket_trial

MAX_K = 1000
_BATCH = 20_000  # products per transaction of an import
_MERGED_NAMES = {**ALIASES, "price": "price_minor", "published": "published_ms"}
_MERGED_FIELDS = {f.name for f in fields(Product)} - {"id", "attributes"}


def open_shop(folder: str | Path, *, create: bool = True) -> "Shop":
    """Open the shop in this folder; make one, with commented settings, where there is none and `create` holds.

    Reading needs no lock. The first write takes the writer's lock and keeps it until `close`; StoreLocked if another
    process holds it. StoreError for a folder without a shop when `create` is False.
    """
    return Shop(Path(folder), create=create)


class Shop:
    """Products and events in, answers out. Use it in a `with` block or call `close`. Threads may share one."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self.folder = folder
        self._opening = Lock()  # of the store for writing and of the engine, each once
        self._writing: Store | None = None
        self._impressions: ImpressionLog | None = None
        if create and not (folder / "wares.sqlite").exists():
            self._writing = Store.open(folder, "write")
            if not (folder / FILE_NAME).exists():
                write_default_settings(folder / FILE_NAME)
        self._reading = self._writing or Store.open(folder, "read")
        try:
            self.settings: Settings = load_settings(folder)
        except BaseException:
            self.close()
            raise
        self._scale = scale_of(self.settings.shop.currency)
        self._engine: Engine | None = None

    # -- data in -----------------------------------------------------------------------------------------------------

    def put(self, products: Source | Iterable[Product], **options: Any) -> ImportReport:
        """Insert or replace products: a file (CSV, JSONL, Parquet), a frame, or dicts. What is unusable is reported."""
        reading = read_products(products, now_ms=_now_ms(), currency=self.settings.shop.currency, **options)
        self._put(reading)
        self._caught_up()
        return reading.report

    def sync(self, products: Source | Iterable[Product], *, at_most: float = AT_MOST, **options: Any) -> ImportReport:
        """A full feed: its products are put, all others leave the shop; their events stay, and they come back with what
        was learnt of them. Raises TooManyGone, with nothing changed, where more than the share `at_most` would leave,
        or some would and rows could not be read; 1 = whatever it takes."""
        reading = read_products(products, now_ms=_now_ms(), currency=self.settings.shop.currency, **options)
        feed = FullFeed.of(reading, self._reading.catalogue.ids())
        if at_most < 1:
            feed.check(at_most)
        self._put(feed.products)
        self.writer().catalogue.delete(feed.gone)
        self._caught_up()
        return feed.told()

    def _put(self, products: Iterable[Product]) -> None:
        store, rest = self.writer().catalogue, iter(products)
        while batch := list(islice(rest, _BATCH)):
            store.put(batch)

    def update(self, changes: Iterable[Mapping[str, Any]]) -> ImportReport:
        """Change some fields of known products: `[{"id": "a", "price": 3.99, "stock": 2}]`; others stay as they are."""
        rows: dict[str, dict[str, Any]] = {}  # several changes of one product are one
        for change in changes:
            rows.setdefault(str(change.get("id", "")).strip(), {}).update(change)
        known = self._reading.catalogue.get(list(rows))
        for product_id, row in rows.items():
            if product_id not in known:
                raise UnknownName("product", product_id, ())
            row.update(id=product_id, currency=row.get("currency") or known[product_id].currency)
        reading = read_products(rows.values(), now_ms=_now_ms(), currency=self.settings.shop.currency)
        self.writer().catalogue.put([_merged(known[product.id], product, rows[product.id]) for product in reading])
        self._caught_up()
        return reading.report

    def delete(self, ids: Sequence[str]) -> None:
        """Take products out of the shop; unknown ids are ignored. Their events stay."""
        self.writer().catalogue.delete(list(ids))
        self._caught_up()

    def record(self, events: Source, **options: Any) -> ImportReport:
        """Append events: a file, a frame, or dicts. Durable when it returns; a repeated event counts once.

        A file's dialect is recognised, or named by `dialect`; rows and frames are wares' own unless it is named.
        """
        read = read_event_feed if isinstance(events, str | Path) or "dialect" in options else read_events
        reading = read(events, now_ms=_now_ms(), currency=self.settings.shop.currency, **options)
        _, repeated = self.writer().events.append(reading)
        self._caught_up()
        return _with_repeated(reading.report, repeated)

    def put_shoppers(self, shoppers: Source, **options: Any) -> ImportReport:
        """What the shop knows of its shoppers: age band, income band, ..., any column."""
        reading = read_shoppers(shoppers, **options)
        self.writer().shoppers.put(reading)
        return reading.report

    def put_flat(self, table: Source, *, fill: Mapping[str, str] | None = None, **options: Any) -> ImportReport:
        """A flat table: a row per purchase, with what is known of shopper and product (`feeds.dialects.flat_table`).

        `fill` says how missing values of a column are filled: `{"age": "median", "income": "leave"}`.
        """
        currency, ways = self.settings.shop.currency, ways_of(fill or {})
        flat = FlatTable(table, now_ms=_now_ms(), currency=currency, ways=ways, **options)
        store = self.writer()
        store.shoppers.put(flat.shoppers())
        store.catalogue.put(list(flat.products()))
        _, repeated = store.events.append(flat.events())
        self._caught_up()
        return _with_repeated(flat.report, repeated)

    def erase_shopper(self, shopper_id: str) -> int:
        """Forget a shopper; the number of events erased.

        Their key is never given again, so nothing finds them any more; what was learnt from them among all others
        goes with the next training.
        """
        store = self.writer()
        whose = store.shoppers.hash(shopper_id)
        if self._impressions is not None:
            self._impressions.erase(whose)
        elif (self.folder / "impressions.sqlite").exists():
            with ImpressionLog(self.folder) as impressions:
                impressions.erase(whose)
        return store.events.erase(shopper_id)

    # -- learning ----------------------------------------------------------------------------------------------------

    def train(self, tell: Tell = silent, plan: Plan | None = None) -> str:
        """Learn from everything the shop knows, in a child process; the new snapshot's name. Answers use it at once.

        `plan` (`wares.training.plan.make_plan`) says what to learn instead of the settings.
        """
        name = train_in_child(self.folder, tell, plan)
        if self._engine is not None:
            self._engine.refresh()
        return name

    def evaluate(self, *, days: int = 28, k: int = 10, seed: int = 0, tell: Tell = silent) -> EvaluationTable:
        """How well the last `days` would have been foreseen: each shopper's first basket after the cut."""
        return next_basket_trial(self.folder, self._reading, self.settings, days=days, k=k, seed=seed, tell=tell)

    # -- answers -----------------------------------------------------------------------------------------------------

    def search(self, query: str, **options: Any) -> Page:
        """Products for words. Options as in `ask`."""
        return self.ask("search", query=query, **options)

    def suggest(self, prefix: str, k: int = 8) -> list[Suggestion]:
        """How what is being typed may go on, best first; for no prefix what is asked for most. `k` in [1, 100]."""
        if not 1 <= k <= 100:
            raise InputError(f"k is {k}; it must lie in 1..100.")
        live = self.engine.live
        return live.snapshot.suggestions.complete(prefix, k, live.state.columns.row_of.__contains__)

    def browse(self, category: str = "", **options: Any) -> Page:
        """All products, or those of a category ("Food > Bread")."""
        return self.ask("browse", category=category, **options)

    def recommend(self, shopper: str | None = None, *, surface: str = "home", **options: Any) -> Page:
        """Products for a shopper, without words."""
        return self.ask(surface, shopper=shopper, **options)

    def similar(self, product: str, *, surface: str = "similar", **options: Any) -> Page:
        """Products like this one; with `surface="bought_together"` those that go with it."""
        if not self.knows(product):
            raise UnknownName("product", product, ())
        return self.ask(surface, seeds=[product], **options)

    def knows(self, product: str) -> bool:
        """Whether the shop sells a product of this id."""
        return product in self.engine.live.state.columns.row_of

    def ask(
        self,
        surface: str,
        *,
        query: str = "",
        shopper: str | None = None,
        seeds: Sequence[str] = (),
        category: str = "",
        filters: Mapping[str, Any] | None = None,
        facets: Sequence[str] | None = None,
        sort: str = "relevance",
        k: int = 24,
        cursor: str = "",
        as_typed: bool = False,
        without_wishes: Sequence[str] = (),
        explain: bool = False,
    ) -> Page:
        """Any surface that has a profile in the settings.

        `filters`: field -> value, list of values, {"not": [...]} or {"low": .., "high": ..}; prices in whole
        currency units. `category` is the page's own, which its facets keep. `k` in [1, 1000]. `as_typed`: do not
        correct the query; `without_wishes`: keys of wishes (`Page.wishes`) that are not to be read in it. `explain`:
        fill `Page.explanation` and `Hit.parts`; such an answer takes longer.
        Raises InputError, UnknownName or CursorExpired with what is valid.
        """
        started = time.perf_counter()
        if not 1 <= k <= MAX_K:
            raise InputError(f"k is {k}; it must lie in 1..{MAX_K}. Use the cursor to get more.")
        try:
            order = Sort(sort)
        except ValueError:
            raise UnknownName("sort", sort, [known.value for known in Sort]) from None
        request = Request(
            surface=surface, now_ms=_now_ms(), query=query, shopper_id=shopper, seeds=tuple(seeds),
            filter=self._filter(filters or {}, category), facets=tuple(facets or ()), sort=order, k=k, cursor=cursor,
            as_typed=as_typed, without_wishes=tuple(without_wishes), explain=explain,
        )  # fmt: skip
        page = self.engine.ask(request)
        return replace(page, took_ms=round((time.perf_counter() - started) * 1000, 2))

    def shopper(self, shopper_id: str) -> ShopperSummary:
        """What is known of a shopper, and what they are interested in; of an unknown or erased one nothing."""
        live, now_ms = self.engine.live, _now_ms()
        history, _ = self.engine.history(shopper_id, live)
        leanings = ShopView(live, now_ms).leanings(history, now_ms)
        return summary_of(self.store.shoppers.get(shopper_id), history, leanings)

    # -- inside ------------------------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """What answers; loaded when first asked."""
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    encoder = new_encoder(self.settings, self.folder)
                    self._engine = Engine(self.folder, self.settings, self._reading, encoder)
        return self._engine

    @property
    def store(self) -> Store:
        """What is known; for reading."""
        return self._reading

    def writer(self) -> Store:
        """The store, for writing; takes the writer's lock. Raises StoreLocked, StoreUnwritable."""
        with self._opening:
            if self._writing is None:
                self._writing = Store.open(self.folder, "write")
            return self._writing

    def log_impressions(self) -> None:
        """Remember from now on what answers showed to whom, in `impressions.sqlite`; for the process that serves."""
        days = self.settings.privacy.impressions_retention_days
        if self._impressions is None and days > 0:
            self._impressions = self.engine.impressions = ImpressionLog(self.folder, keep_days=days)

    def close(self) -> None:
        """Write what is waiting and give the lock back. May be called twice."""
        if self._impressions is not None:
            self._impressions.close()
        self._reading.close()
        if self._writing is not None:
            self._writing.close()

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _caught_up(self) -> None:
        if self._engine is not None:
            self._engine.refresh()

    def _filter(self, filters: Mapping[str, Any], category: str) -> Filter:
        try:
            wanted = to_filter({name: Choice.model_validate(choice) for name, choice in filters.items()})
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"A filter cannot be read: {first['msg']} (got {str(first['input'])[:80]!r}).") from None
        page = (AnyOf("category", (category,), fixed=True),) if category else ()
        return Filter((*page, *(self._in_minor(clause) for clause in wanted.clauses)))

    def _in_minor(self, clause: Clause) -> Clause:
        """Shoppers count in dollars, the catalogue in cents."""
        if not isinstance(clause, Between) or clause.field != "price":
            return clause
        low = None if clause.low is None else round(clause.low * self._scale, 6)
        high = None if clause.high is None else round(clause.high * self._scale, 6)
        return Between("price", low, high)


def _merged(old: Product, new: Product, row: Mapping[str, Any]) -> Product:
    """`old` with the fields that the change names; a price, stock or date that cannot be read stays what it was."""
    folded = {name.strip().lower().replace(" ", "_"): value for name, value in row.items()}
    told = {_MERGED_NAMES.get(name, name): value for name, value in folded.items()}
    plain = {
        name: value
        for name, raw in told.items()
        if name in _MERGED_FIELDS
        if (value := getattr(new, name)) is not None or is_missing_cell(raw)
    }
    return replace(old, **plain, attributes={**old.attributes, **new.attributes})


def _with_repeated(report: ImportReport, repeated: int) -> ImportReport:
    note = (f"{repeated:,} events were known already and were not counted again.",) if repeated else ()
    return replace(report, repeated=repeated, notes=(*report.notes, *note))


def _now_ms() -> int:
    return int(time.time() * 1000)
