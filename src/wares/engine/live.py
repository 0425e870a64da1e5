"""Live: what is now. A pure fold over the catalogue's changes and the event log after a snapshot.

Start-up, a swap and every new event are the same function, `catch_up`. Catalogue state is replaced as a whole, so a
request that took the old one goes on with it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Catalogue, Encoder, EventLog
from wares.domain.aims import DAY_MS, aim_values, scale_of
from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.offer import Market
from wares.domain.product import Product
from wares.domain.shopper import KIND_CODES, History
from wares.domain.traits import Traits
from wares.engine.searches import LiveSearches
from wares.engine.sessions import Did, Sessions
from wares.engine.snapshot import Snapshot
from wares.engine.waiting import Waiting
from wares.errors import EncoderError
from wares.features.behaviour import FadingCounts
from wares.models.sequence import SequenceModel
from wares.retrieval.filters import FilterIndex
from wares.retrieval.kin import Kin
from wares.retrieval.text_index import TextIndex
from wares.retrieval.understanding import Shares
from wares.retrieval.vector_index import VectorIndex
from wares.retrieval.wishes.values import ShopValues

# More new texts than this wait for the next training with their vectors: words find them at once.
MAX_TEXTS_ENCODED_LIVE = 256
# Markets and moments whose prices are remembered: so many, in a large catalogue fewer.
_LEAST_SEEN, _MOST_SEEN, _SEEN_ROWS = 4, 32, 8_000_000
_MOST_SCALES = 16  # aims and days whose scales are remembered
_MOST_DAYS = 8  # of which is remembered what was published since; several markets and sources may ask


@dataclass(frozen=True)
class CatalogueState:
    """The catalogue as of one change number. Rows below `n_learnt` are the snapshot's.

    `learnt_row` (n - n_learnt,) tells which snapshot row a later row took over from (-1 = a new product), so that a
    product keeps what was learnt about it when its title changes. `kin` are the nearest products with events of each
    later row; those that took over have none. `nbytes`: about the memory that it takes beside the state before it.
    `shares`: what queries have looked up of it (`Understanding`).
    """

    columns: Columns
    text: TextIndex
    vectors: VectorIndex
    filters: FilterIndex
    learnt_row: NDArray[np.int32]
    kin: Kin
    n_learnt: int
    nbytes: int = 0
    shares: Shares = field(init=False, default_factory=dict, repr=False)
    times_forgotten: int = field(init=False, default=0)  # how markets see it
    _seen: dict[tuple[str, int], "CatalogueState"] = field(init=False, default_factory=dict, repr=False)
    _scales: dict[tuple[str, int], NDArray[np.float64]] = field(init=False, default_factory=dict, repr=False)
    _published: dict[int, NDArray[np.int32]] = field(init=False, default_factory=dict, repr=False)

    def seen(self, now_ms: int, market: Market) -> "CatalogueState":
        """The same with prices and availability as a shopper in this market finds them at that moment. Remembered
        until the next date at which one of them changes by itself."""
        offers = self.columns.offers
        if not len(offers) and not market.name:
            return self
        key = (market.name, int(np.searchsorted(self._moments, now_ms, side="right")))
        if (state := self._seen.get(key)) is None:
            if len(self._seen) >= max(_LEAST_SEEN, min(_MOST_SEEN, _SEEN_ROWS // max(len(self.columns), 1))):
                self._seen.clear()
                object.__setattr__(self, "times_forgotten", self.times_forgotten + 1)
            state = self._seen[key] = _with_columns(self, self.columns.at(now_ms, market))
        return state

    def is_seen_as(self, state: "CatalogueState") -> bool:
        """Whether some market sees it as this."""
        return state is self or any(state is one for one in list(self._seen.values()))

    @cached_property
    def _moments(self) -> NDArray[np.float64]:
        return self.columns.offers.moments()

    def aim_scale(self, aim: str, sold: FadingCounts, now_ms: int) -> NDArray[np.float64]:
        """What products that can be bought have of a business aim, growing (`domain.aims`). Remembered for a day."""
        key = (aim, now_ms // DAY_MS)
        if (scale := self._scales.get(key)) is None:
            if len(self._scales) >= _MOST_SCALES:
                self._scales.clear()
            columns, rows = self.columns, np.arange(len(self.columns), dtype=np.int32)
            values = aim_values(aim, columns, rows, sold.values(now_ms, rows), sold.half_life_days, now_ms)
            scale = self._scales[key] = scale_of(values, columns.alive & columns.sellable)
        return scale

    @cached_property
    def on_sale(self) -> NDArray[np.bool_]:
        """(n,) what the shop has and can be bought."""
        on_sale = self.columns.alive & self.columns.sellable
        on_sale.setflags(write=False)  # many answers begin with it
        return on_sale

    def published_after(self, time_ms: float) -> NDArray[np.int32]:
        """The rows of products that went on sale after this time, growing. Remembered for a day: a look at all takes
        the place of much else in a processor's memory."""
        published, day = self.columns.numbers["published"], int(time_ms // DAY_MS)
        if (since := self._published.get(day)) is None:
            if len(self._published) >= _MOST_DAYS:
                self._published.clear()
            since = self._published[day] = np.flatnonzero(published >= day * DAY_MS).astype(np.int32)
        return since[published[since] > time_ms]

    @cached_property
    def values(self) -> ShopValues:
        """What the catalogue's columns can answer of a query's wishes."""
        return ShopValues.of(self.columns)

    @cached_property
    def traits(self) -> Traits:
        """What the products have in common."""
        return Traits.of(self.columns)


class Live:
    """One per served snapshot. Folding is serialised by a lock; reading takes none."""

    def __init__(self, snapshot: Snapshot, encoder: Encoder | None) -> None:
        self.snapshot = snapshot
        self.last_event, self.last_change = snapshot.last_event, snapshot.last_change
        self._last_simulated = 0  # no snapshot holds any simulated event
        self._looked_for = (0, 0, 0)  # all up to these numbers that is still there is folded in
        columns = snapshot.columns
        self.state = CatalogueState(
            columns,
            snapshot.text,
            snapshot.vectors,
            FilterIndex(columns),
            np.empty(0, np.int32),
            Kin.none(),
            len(columns),
        )
        self._encoder = encoder
        self._lock = Lock()
        self._begun = self._ended = 0  # numbers of the folds
        self._sessions = Sessions()
        reads = any(isinstance(m, SequenceModel) and m.reads_searches for m in snapshot.models.values())
        self._searches = LiveSearches(encoder) if encoder is not None and reads else None
        self._played = Sessions()  # what simulated shoppers did: for their own answers alone
        self.sales = 0  # counted since the snapshot
        self.sold = snapshot.purchases  # replaced, never changed: a view keeps what it was given
        self._row_of_key = {int(key): row for row, key in enumerate(columns.keys)}  # first row of each product
        self._row_now = {int(key): row for row, key in enumerate(columns.keys)}  # latest row of each product
        self._waiting = Waiting()

    def catch_up(self, catalogue: Catalogue, events: EventLog) -> None:
        """Fold in every change and event that came since the last call. Of many who call at one moment, each after a
        write of its own, one does it for all."""
        mine = self._begun + 1  # a fold of this number, or a later one, begins after now
        with self._lock:
            if self._ended >= mine:
                return
            self._begun = begun = self._begun + 1
            changes = list(catalogue.changes(self.last_change))
            if changes:
                self._fold_changes(changes)
            block = events.read(self.last_event)
            if len(block):
                self._fold_events(block)
            played = events.read(self._last_simulated, simulated=True)
            if len(played):
                self._fold_simulated(played)
            self._ended = begun

    def history(self, shopper_key: int, *joined: int, simulated: bool = False) -> History:
        """The shopper's whole history, the snapshot's and what came since, under this key and those joined to it; for a
        `simulated` question with what was played in their name."""
        whole = self.snapshot.history(shopper_key).then(self._sessions.of(shopper_key))
        if self._searches is not None and len(searched := self._searches.of(shopper_key)):
            whole = whole.then(replace(History.empty(), searched=searched))
        if simulated:
            whole = whole.then(self._played.of(shopper_key))
        for key in joined:
            whole = whole.then(self.history(key, simulated=simulated))
        return whole

    def forget(self, shopper_keys: Sequence[int]) -> None:
        """These shoppers were erased: nothing finds what they did any more, and it need not wait for a training."""
        with self._lock:
            self._sessions.forget(shopper_keys)
            self._played.forget(shopper_keys)
            if self._searches is not None:
                self._searches.forget(shopper_keys)

    def forget_simulated(self) -> None:
        """Simulated events were erased from the log."""
        with self._lock:
            self._played = Sessions()

    def size(self) -> tuple[int, int, int]:
        """What came since the snapshot: (products, new or rewritten; events, by their numbers; shoppers with some)."""
        return len(self.state.learnt_row), self.last_event - self.snapshot.last_event, len(self._sessions)

    @property
    def known(self) -> tuple[int, int, int]:
        """Numbers of the last event, simulated event and change of the catalogue that are folded in, or were looked for
        and are erased."""
        event, simulated, change = self._looked_for
        return max(event, self.last_event), max(simulated, self._last_simulated), max(change, self.last_change)

    def looked_for(self, event: int, simulated: int, change: int) -> None:
        """After a fold: the logs went as far as these numbers; what was not found there was erased."""
        self._looked_for = event, simulated, change

    def purchases(self, now_ms: int) -> NDArray[np.float32]:
        """(n,) fading purchase counts of every row."""
        return self.sold.values(now_ms)

    # -- the catalogue ---------------------------------------------------------------------------------------------

    def _fold_changes(self, changes: list[tuple[int, int, str, Product | None]]) -> None:
        state = self.state
        gone = [product_id for _, _, product_id, product in changes if product is None]
        known = [(key, product) for _, key, _, product in changes if product is not None]
        repriced = [product for _, product in known if state.columns.indexes(product)]
        rewritten = [(key, product) for key, product in known if not state.columns.indexes(product)]
        if gone:
            state = _with_columns(state, state.columns.without(gone))
        if repriced:
            state = _with_columns(state, state.columns.with_changes(repriced))
        if rewritten:
            state = self._with_rows(state, [key for key, _ in rewritten], [product for _, product in rewritten])
        self.state = state
        self.last_change = changes[-1][0]

    def _with_rows(self, state: CatalogueState, keys: list[int], products: list[Product]) -> CatalogueState:
        """Append a row for each of these new or rewritten products."""
        start = len(state.columns)
        columns = state.columns.with_products(products, keys)
        vectors, text_of = self._encode(products)
        sold = self.sold.copy()
        sold.grow(len(columns))
        learnt_row = np.full(len(products), -1, np.int32)
        for offset, key in enumerate(keys):
            row = start + offset
            first = self._row_of_key.setdefault(key, row)
            if first < state.n_learnt:
                learnt_row[offset] = first
            if (before := self._row_now.get(key)) is not None:
                sold.move(before, row)
            self._row_now[key] = row
        self.sold = sold
        index = state.vectors.with_vectors(vectors, text_of)
        grown = CatalogueState(
            columns,
            state.text.with_products(products),
            index,
            state.filters.moved_to(columns),
            np.concatenate([state.learnt_row, learnt_row]),
            state.kin.then(self._kin(index, start, learnt_row)),
            state.n_learnt,
            columns.nbytes_beside(state.columns),
        )
        self.state = grown  # rows exist before the events that waited for them are folded
        for key in keys:
            waited = self._waiting.take(key)
            sold_of = ((time_ms, _SALES.get(kind)) for _, kind, time_ms, _ in waited)
            self._count([(self._row_now[key], time_ms, amount) for time_ms, amount in sold_of if amount])
            did = defaultdict[int, list[Did]](list)
            for shopper, kind, time_ms, quantity in waited:
                did[shopper].append((self._row_of_key[key], kind, time_ms, quantity))
            self._sessions.add(did)
        return grown

    def _kin(self, index: VectorIndex, start: int, learnt_row: NDArray[np.int32]) -> Kin:
        """The nearest products with events of the new ones among the rows from `start` on."""
        kin, new = Kin.none(len(learnt_row)), np.flatnonzero(learnt_row < 0)
        found = Kin.of(index, (start + new).astype(np.int32), self._touched)
        kin.rows[new], kin.weights[new] = found.rows, found.weights
        return kin

    @cached_property
    def _touched(self) -> NDArray[np.bool_]:
        """Which rows of the snapshot had events."""
        rows = self.snapshot.interactions.events.rows
        return np.bincount(rows, minlength=len(self.snapshot.columns)) > 0

    def _encode(self, products: list[Product]) -> tuple[NDArray[np.float32], list[int]]:
        """Vectors of the distinct passages and each product's place among them; -1 = waits for the next training."""
        passages = list(dict.fromkeys(product.passage for product in products))
        if self._encoder is None or len(passages) > MAX_TEXTS_ENCODED_LIVE:
            return np.empty((0, 0), np.float32), [-1] * len(products)
        place = {passage: i for i, passage in enumerate(passages)}
        try:
            return self._encoder.encode(passages, "passage"), [place[product.passage] for product in products]
        except EncoderError:  # words find them all the same
            return np.empty((0, 0), np.float32), [-1] * len(products)

    # -- events ----------------------------------------------------------------------------------------------------

    def _fold_events(self, block: EventBlock) -> None:
        sales, did = list[tuple[int, int, float]](), defaultdict[int, list[Did]](list)
        for key, shopper, kind, time_ms, quantity in _rows_of(block):
            if (row := self._row_of_key.get(key)) is None:
                self._waiting.add(key, (shopper, kind, time_ms, quantity))
                continue
            if amount := _SALES.get(kind):
                sales.append((self._row_now[key], time_ms, amount))
            did[shopper].append((row, kind, time_ms, quantity))
        self._count(sales)
        self._sessions.add(did)
        if self._searches is not None:
            self._searches.fold(block)
        self.last_event = int(block.seqs[-1])

    def _fold_simulated(self, block: EventBlock) -> None:
        """No sale is counted, and nothing waits for a product that is not known."""
        did = defaultdict[int, list[Did]](list)
        for key, shopper, kind, time_ms, quantity in _rows_of(block):
            if (row := self._row_of_key.get(key)) is not None:
                did[shopper].append((row, kind, time_ms, quantity))
        self._played.add(did)
        self._last_simulated = int(block.seqs[-1])

    def _count(self, sales: Sequence[tuple[int, int, float]]) -> None:
        """(row, time, amount) each."""
        if not sales:
            return
        rows, times_ms, amounts = zip(*sales, strict=True)
        sold = self.sold.copy()
        sold.learn(np.array(rows, np.int32), np.array(times_ms, np.int64), np.array(amounts, np.float32))
        self.sold = sold
        self.sales += len(sales)


def _rows_of(block: EventBlock) -> Iterator[tuple[int, int, int, int, float]]:
    """(product key, shopper key or -1, kind, time, quantity) of each event on a product."""
    columns = (block.product_keys, block.shopper_keys, block.kinds, block.times_ms, block.quantities)
    about = block.product_keys >= 0
    yield from zip(*(column[about].tolist() for column in columns), strict=True)


# What an event does to the sales count of its product.
_SALES = {KIND_CODES[EventKind.PURCHASE]: 1.0, KIND_CODES[EventKind.REFUND]: -1.0}


def _with_columns(state: CatalogueState, columns: Columns) -> CatalogueState:
    beside = columns.nbytes_beside(state.columns)
    return replace(state, columns=columns, filters=state.filters.moved_to(columns), nbytes=beside)
