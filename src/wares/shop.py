"""The facade: one shop, opened in a folder. The only place that joins serving to training."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from wares.domain.filter import Filter
from wares.domain.money import scale_of
from wares.domain.product import Product
from wares.domain.request import Request, Sort
from wares.domain.result import Page
from wares.domain.shopper import Joined, Login
from wares.domain.suggestion import Suggestion
from wares.engine.answers import Answers
from wares.engine.assembly import Engine, new_encoder
from wares.engine.choice import wanted_filter
from wares.engine.logins import join_all, unjoined
from wares.engine.observer import Nobody, Observer
from wares.engine.rules.merchandising import Merchandising
from wares.engine.settings import FILE_NAME, Settings, load_settings, write_default_settings
from wares.engine.view import ShopView
from wares.errors import InputError, UnknownName
from wares.evaluation.campaigns import Campaigns
from wares.evaluation.experiments import Experiments
from wares.evaluation.table import EvaluationTable
from wares.features.interests import ShopperSummary, summary_of
from wares.feeds.changes import merged
from wares.feeds.dialects.flat_table import FlatTable
from wares.feeds.event_feed import read_event_feed
from wares.feeds.events import read_events
from wares.feeds.full_feed import AT_MOST, FullFeed
from wares.feeds.logins import Logins, with_logins
from wares.feeds.market_feed import of_market, without_market
from wares.feeds.missing import ways_of
from wares.feeds.products import read_products
from wares.feeds.readers import Source
from wares.feeds.report import ImportReport, Reading
from wares.feeds.shoppers import read_shoppers
from wares.store.impressions import ImpressionLog
from wares.store.sqlite import Store
from wares.training.child import train_in_child
from wares.training.plan import Plan
from wares.training.progress import Tell, silent
from wares.training.trial import next_basket_trial

MAX_K = 1000
_BATCH = 20_000  # products per transaction of an import


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
        self._changing = Lock()  # what is read, merged and written again must not have changed meanwhile
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
        self._engine: Engine | None = None
        self._observer: Observer = Nobody()

    # -- data in -----------------------------------------------------------------------------------------------------

    def put(self, products: Source | Iterable[Product], *, market: str = "", **options: Any) -> ImportReport:
        """Insert or replace products: a file (CSV, JSONL, Parquet), a frame, or dicts. What is unusable is reported.

        With a `market` they are its own feed: prices, availability and texts are that market's, and what the shop knows
        of a product stays; a product that only this feed has is sold in this market only. `fill` as in `put_flat`.
        """
        reading = self._read(products, market, **options)
        self.write_products(reading, market)
        self._caught_up()
        return reading.report

    def sync(
        self, products: Source | Iterable[Product], *, at_most: float = AT_MOST, market: str = "", **options: Any
    ) -> ImportReport:
        """A full feed of the shop or of a market: its products are put, all others leave the shop, or that market;
        their events stay, and they come back with what was learnt of them. Raises TooManyGone, with nothing changed,
        where more than the share `at_most` would leave, or some would and rows could not be read; 1 = whatever it
        takes."""
        reading = self._read(products, market, **options)
        feed = FullFeed.of(reading, self._reading.catalogue.ids(market))
        if at_most < 1:
            feed.check(at_most)
        self.write_products(feed.products, market)
        self.withdraw(feed.gone, market)
        return feed.told()

    def _read(
        self,
        products: Source | Iterable[Product],
        market: str = "",
        fill: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Reading[Product]:
        if fill:
            options["fill"] = ways_of(fill)
        return read_products(products, **{**self.settings.of_products(_now_ms(), market), **options})

    def write_products(self, products: Iterable[Product], market: str = "") -> None:
        """Insert or replace, in batches; each is durable and whole. Answers do not know of it before the next call that
        changes the shop. What market feeds said of a product stays where `products` say nothing of markets."""
        where, store, rest = self.settings.market(market), self.writer().catalogue, iter(products)
        while batch := list(islice(rest, _BATCH)):
            with self._changing:
                if self.settings.markets:
                    known = store.get([product.id for product in batch])
                    batch = [of_market(product, known.get(product.id), where) for product in batch]
                store.put(batch)

    def update(self, changes: Iterable[Mapping[str, Any]]) -> ImportReport:
        """Change some fields of known products: `[{"id": "a", "price": 3.99, "stock": 2}]`; others stay as they are."""
        rows: dict[str, dict[str, Any]] = {}  # several changes of one product are one
        for change in changes:
            rows.setdefault(str(change.get("id", "")).strip(), {}).update(change)
        with self._changing:
            known = self.writer().catalogue.get(list(rows))
            for product_id, row in rows.items():
                if product_id not in known:
                    raise UnknownName("product", product_id, ())
                row.update(id=product_id, currency=row.get("currency") or known[product_id].currency)
            reading = self._read(rows.values())
            self.writer().catalogue.put([merged(known[product.id], product, rows[product.id]) for product in reading])
        self._caught_up()
        return reading.report

    def delete(self, ids: Sequence[str]) -> None:
        """Take products out of the shop; unknown ids are ignored. Their events stay."""
        self.writer().catalogue.delete(list(ids))
        self._caught_up()

    def withdraw(self, ids: Sequence[str], market: str = "") -> None:
        """The shop itself, or a market of it, sells these no more; what nobody sells then leaves the shop. Unknown ids
        are ignored."""
        self.settings.market(market)
        with self._changing:
            store = self.writer().catalogue
            left = {one: without_market(product, market) for one, product in store.get(list(ids)).items()}
            store.put([product for product in left.values() if product is not None])
            store.delete([one for one, product in left.items() if product is None])
        self._caught_up()

    def record(self, events: Source, *, join_logins: bool | None = None, **options: Any) -> ImportReport:
        """Append events: a file, a frame, or dicts. Durable when it returns; a repeated event counts once.

        A file's dialect is recognised, or named by `dialect`; rows and frames are wares' own unless it is named.
        `join_logins` True: who is anonymous first and then known in a foreign log is one shopper, with their consent;
        None: as the setting `privacy.merge_at_login` has it.
        """
        started_s = time.perf_counter()
        logins = Logins(self.settings.privacy.joins_imported(join_logins), consent=bool(join_logins))
        if is_feed := isinstance(events, str | Path) or "dialect" in options:
            options["logins"] = logins
        read = read_event_feed if is_feed else read_events
        reading = read(events, **{**self.settings.of_events(_now_ms()), **options})
        _, repeated = self.writer().events.append(reading)
        report = _with_repeated(reading.report, repeated)
        if logins.wanted and is_feed:
            report = with_logins(report, logins, self.identify_all(logins))
        if self._engine is not None:
            self._engine.serving.catch_up()
        if self.is_loaded:
            took_s, kept = time.perf_counter() - started_s, report.kept
            self._observer.recorded(kept - repeated, repeated, report.rejected, took_s)
        return report

    def put_shoppers(self, shoppers: Source, *, fill: Mapping[str, str] | None = None, **options: Any) -> ImportReport:
        """What the shop knows of its shoppers: age band, income band, ..., any column; `fill` as in `put_flat`."""
        reading = read_shoppers(shoppers, fill=ways_of(fill or {}), **options)
        self.writer().shoppers.put(reading)
        return reading.report

    def put_flat(self, table: Source, *, fill: Mapping[str, str] | None = None, **options: Any) -> ImportReport:
        """A flat table: a row per purchase, with what is known of shopper and product (`feeds.dialects.flat_table`).

        `fill` says how missing values of a column are filled: `{"age": "median", "income": "leave"}`.
        """
        told = {**self.settings.of_events(_now_ms()), **options}
        flat = FlatTable(table, ways=ways_of(fill or {}), **told)
        store = self.writer()
        store.shoppers.put(flat.shoppers())
        self.write_products(flat.products())
        _, repeated = store.events.append(flat.events())
        self._caught_up()
        return _with_repeated(flat.report, repeated)

    def identify(self, anonymous: str, known: str, *, consent: bool = False) -> Joined:
        """An anonymous shopper has logged in as a known one: from the next answer on, both have one history.

        The setting `privacy.merge_at_login` decides; by default that takes the shopper's `consent`, and without it
        nothing is stored. Raises AmbiguousShopper for two known ones, and where the anonymous one is somebody else's.
        """
        login = Login(anonymous, known, consent)
        if (outcome := unjoined(login, self.settings.privacy, self._reading)) is not None:
            return outcome
        new = self.writer().aliases.join(login, _now_ms())
        return Joined(new=int(new), repeated=int(not new))

    def identify_all(self, logins: Iterable[Login]) -> Joined:
        """Any number of them; those that are ambiguous are `refused`, the others count."""
        return join_all(list(logins), self.settings.privacy, self._reading, self.writer, _now_ms())

    def separate(self, anonymous: str) -> bool:
        """Undo `identify`: both have their own events again; False = this shopper was joined to nobody. What was learnt
        meanwhile goes with the next training."""
        parted = self.writer().aliases.part(anonymous)
        if parted and self._engine is not None:
            self._engine.serving.refold()
        return parted

    def erase_shopper(self, shopper_id: str) -> int:
        """Forget a shopper and all that were joined to them; the number of events erased. Of an anonymous shopper who
        was joined to a known one only their own goes.

        Their key is never given again, so nothing finds them any more; what was learnt from them among all others
        goes with the next training.
        """
        store = self.writer()
        keys, hashes = store.shoppers.keys_of(shopper_id), store.shoppers.hashes_of(shopper_id)
        if self._impressions is not None:
            self._forget_shown(self._impressions, hashes)
        elif (self.folder / "impressions.sqlite").exists():
            with ImpressionLog(self.folder) as impressions:
                self._forget_shown(impressions, hashes)
        erased = store.events.erase(shopper_id)
        if self._engine is not None:
            self._engine.forget(keys)
        if len(keys) > 1 and self._engine is not None:
            self._engine.serving.refold()  # a device's events were another's, too
        return erased

    def erase_simulated(self) -> tuple[int, int]:
        """Forget what simulated shoppers did and were shown: (number of events erased, number of impressions)."""
        shown = 0
        if self._impressions is not None:
            shown = self._impressions.erase_simulated()
        elif (self.folder / "impressions.sqlite").exists():
            with ImpressionLog(self.folder) as impressions:
                shown = impressions.erase_simulated()
        erased = self.writer().events.erase_simulated()
        if self._engine is not None:
            self._engine.serving.forget_simulated()
        return erased, shown

    def _forget_shown(self, impressions: ImpressionLog, hashes: Iterable[bytes]) -> None:
        for whose in hashes:
            impressions.erase(whose)

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
        columns = live.state.seen(_now_ms(), self.settings.market()).columns

        def is_sold(product_id: str) -> bool:
            row = columns.row_of.get(product_id)
            return row is not None and bool(columns.alive[row])

        return live.snapshot.suggestions.complete(prefix, k, is_sold)

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

    def product(self, product_id: str, market: str = "") -> Product:
        """The product as it is seen now in this market. UnknownName if the market does not sell it."""
        where, product = self.settings.market(market), self.store.catalogue.get([product_id]).get(product_id)
        if product is None or not product.offered_in(where):
            raise UnknownName("product", product_id, ())
        return product.seen(_now_ms(), where)

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
        filters: Mapping[str, Any] | Filter | None = None,
        facets: Sequence[str] | None = None,
        facet_values: int = 100,
        sort: str = "relevance",
        k: int = 24,
        offset: int = 0,
        cursor: str = "",
        as_typed: bool = False,
        without_wishes: Sequence[str] = (),
        explain: bool = False,
        market: str = "",
        simulated: bool = False,
        organic: bool = False,
    ) -> Page:
        """Any surface that has a profile in the settings.

        `filters`: field -> value, list of values, {"not": [...]} or {"low": .., "high": ..}; prices in whole
        currency units; or a `Filter`. `category` is the page's own, which its facets keep. `facet_values`: most values
        of one facet. `k` in [1, 1000], or 0 where only total and facets are wanted, which nobody is said to have seen.
        `offset`: hits to leave out before the first, for whoever keeps no cursor. `as_typed`: do not correct the query;
        `without_wishes`: keys of wishes (`Page.wishes`) that are not to be read in it. `explain`:
        fill `Page.explanation` and `Hit.parts`; such an answer takes longer. `market`: whose prices, availability and
        language are meant, one of the settings' markets; "" = the shop's own. `simulated`: nobody asks; what was played
        in the shopper's name counts for this answer, and the impression is marked. `organic`: without sponsored hits.
        Raises InputError, UnknownName or CursorExpired with what is valid.
        """
        started = time.perf_counter()
        if not 0 <= k <= MAX_K:
            raise InputError(f"k is {k}; it must lie in 0..{MAX_K}. Use the cursor to get more.")
        if offset < 0:
            raise InputError(f"offset is {offset}; it must be 0 or more.")
        try:
            order = Sort(sort)
        except ValueError:
            raise UnknownName("sort", sort, [known.value for known in Sort]) from None
        scale = scale_of(self.settings.market(market).currency)
        request = Request(
            surface=surface, now_ms=_now_ms(), query=query, shopper_id=shopper, seeds=tuple(seeds),
            filter=wanted_filter(filters or {}, category, scale), facets=tuple(facets or ()), sort=order, k=k,
            cursor=cursor, as_typed=as_typed, without_wishes=tuple(without_wishes), explain=explain, market=market,
            offset=offset, facet_values=facet_values, simulated=simulated, organic=organic,
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
                    engine = Engine(self.folder, self.settings, self._reading, encoder)
                    engine.observe(self._observer)
                    self._engine = engine
        return self._engine

    def observe(self, observer: Observer) -> None:
        """Tell this one from now on how answers and events go; for the process that serves."""
        with self._opening:
            self._observer = observer
            if self._engine is not None:
                self._engine.observe(observer)

    @property
    def is_loaded(self) -> bool:
        """Whether the engine is there, so that an answer need not wait for it."""
        return self._engine is not None

    @property
    def rules(self) -> Merchandising:
        """The shopkeeper's rules: draft, check, preview, publish, undo, log."""
        return Merchandising(self.folder, self.settings, lambda: self.engine, self._caught_up)

    @property
    def experiments(self) -> Experiments:
        """Experiments on the shop's surfaces: start, stop, list, read."""
        return Experiments(self.folder, self.settings, self._reading, self._caught_up)

    @property
    def campaigns(self) -> Campaigns:
        """Who pays for places: add, pause, resume, end, read."""
        columns, caught_up = lambda: self.engine.live.state.columns, self._caught_up
        return Campaigns(self.folder, self.settings, self._reading, columns, caught_up)

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

    def keep_answers(self) -> None:
        """Give the same answer to all who ask the same within moments, as the settings say; for a process that many
        ask. `engine.answers.Answers` says when it is the same."""
        server = self.settings.server
        if self.engine.answers is None and server.answers_kept_s > 0:
            self.engine.answers = Answers(server.answers_kept_s, server.answers_kept_mib * 2**20)

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


def _with_repeated(report: ImportReport, repeated: int) -> ImportReport:
    note = (f"{repeated:,} events were known already and were not counted again.",) if repeated else ()
    return replace(report, repeated=repeated, notes=(*report.notes, *note))


def _now_ms() -> int:
    return int(time.time() * 1000)
