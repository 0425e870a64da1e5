"""The event log: what happened, each thing once, durable before anyone is told so."""

import math
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import Event, EventKind
from wares.domain.log import EventBlock
from wares.domain.ordinals import Ordinals
from wares.domain.shopper import KIND_CODES
from wares.errors import DataError
from wares.store.aliases import has_some
from wares.store.connections import Connections
from wares.store.keys import Hashes, intern_products, intern_shoppers
from wares.store.schema import is_since

CHUNK = 50_000  # events per transaction: any number of events is appended in modest memory

_ROW = np.dtype(
    [
        ("seq", np.int64),
        ("time_ms", np.int64),
        ("kind", np.int8),
        ("shopper", np.int64),
        ("product", np.int64),
        ("quantity", np.float32),
        ("value_minor", np.float64),
        ("basket", np.int64),
    ]
)
_READ = (
    "SELECT seq, events.time_ms, kind, {shopper}, ifnull(product, -1), quantity, value_minor, ifnull(basket, -1)"
    " FROM events{joins} WHERE seq > ?{whose} ORDER BY seq"
)
_AS_WRITTEN = {"shopper": "ifnull(shopper, -1)", "joins": ""}
_AS_JOINED = {
    "shopper": "coalesce(known, events.shopper, -1)",
    "joins": " LEFT JOIN aliases ON aliases.shopper = events.shopper",
}
_QUERIES = "SELECT seq, query FROM events WHERE seq > ? AND query IS NOT NULL{whose} ORDER BY seq"
_TYPED = (
    "SELECT as_shown(query) AS shown, count(DISTINCT {shopper}) AS shoppers FROM events{joins}"
    " WHERE kind = ? AND query IS NOT NULL AND events.shopper IS NOT NULL{whose}"
    " GROUP BY shown HAVING shoppers >= ? AND shown <> '' ORDER BY shoppers DESC, shown"
)
_APPEND = (
    "INSERT INTO events (key, time_ms, kind, shopper, product, quantity, value_minor, basket, query, impression,"
    " position, simulated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
)
# Of a shopper and all that were joined to them, in one scan.
_ERASE_EVENTS = "DELETE FROM events WHERE shopper IN (SELECT :key UNION SELECT shopper FROM aliases WHERE known = :key)"
_ERASE_SHOPPERS = "DELETE FROM shoppers WHERE key IN (SELECT :key UNION SELECT shopper FROM aliases WHERE known = :key)"
_UNCOUNT = "UPDATE sqlite_sequence SET seq = max(?, (SELECT ifnull(max(seq), 0) FROM events)) WHERE name = 'events'"

_SHOWN = "SELECT seq, impression, position FROM events WHERE seq > ? AND impression IS NOT NULL{whose} ORDER BY seq"
_SHOWN_SINCE, _SIMULATED_SINCE = 4, 5  # schema versions
_LOOKS = (
    "SELECT seq, events.time_ms, kind = ?, shoppers.hash, ifnull(product_ids.id, ''), ifnull(impression, '')"
    " FROM events LEFT JOIN shoppers ON shoppers.key = events.shopper"
    " LEFT JOIN product_ids ON product_ids.key = events.product"
    " WHERE seq > ? AND events.time_ms >= ? AND kind IN (?, ?, ?) AND NOT simulated ORDER BY seq"
)
_COUNT_AFTER = "SELECT count(*) FROM events WHERE seq > ?{whose}"
# Shoppers of whom nothing but simulated events is known; `played` are the keys of all who have such events.
_PLAYED = "CREATE TEMP TABLE played AS SELECT DISTINCT shopper AS key FROM events WHERE simulated AND shopper NOT NULL"
_ERASE_PLAYED = (
    "DELETE FROM shoppers WHERE key IN (SELECT key FROM played) AND attributes = '{}'"
    " AND key NOT IN (SELECT shopper FROM events WHERE shopper NOT NULL)"
    " AND key NOT IN (SELECT shopper FROM aliases UNION SELECT known FROM aliases)"
)

Row = tuple[
    bytes, int, int, int | None, int | None, float, int | None, int | None, str | None, str | None, int | None, bool
]  # fmt: skip


class Look(NamedTuple):
    """A view, click or search of a real shopper: whose it is as written, `whose` being their hash (None = nobody's),
    and the impression that it names, "" = none."""

    seq: int
    time_ms: int
    is_click: bool
    whose: bytes | None
    product: str
    impression: str


class SqliteEventLog:
    """An event counts once. What makes it the same event is its id, or else all that it says.

    An event without an id also counts its equals in the same feed: line 1 and line 7 of one file may both say "bought
    1 loaf at noon" and are two events; the file imported again adds nothing. One call of `append` is one feed, so
    hand a whole file to one call, as an iterator.

    Simulated events lie beside the real ones, and are read only by who asks for them, and then alone.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._hashes = Hashes(connections.secret)

    def append(self, events: Iterable[Event]) -> tuple[int, int]:
        """One feed of any length; (number of new events, number of repeated ones).

        Commits every 50,000 events, so up to that many are all or none. When it raises, the chunks before are kept,
        and appending the same feed again from its start completes it.

        Raises StoreUnwritable, StoreError; DataError for a value that cannot be kept.
        """
        ordinals, rest = Ordinals(), iter(events)
        new = total = 0
        while chunk := list(islice(rest, CHUNK)):
            new += self._append_chunk(chunk, ordinals)
            total += len(chunk)
        return new, total - new

    def append_each(self, events: Iterable[Event]) -> list[bool]:
        """As `append`; whether each event is new, in their order."""
        ordinals, rest = Ordinals(), iter(events)
        told: list[bool] = []
        while chunk := list(islice(rest, CHUNK)):
            self._append_chunk(chunk, ordinals, told)
        return told

    def read(self, after: int = 0, *, simulated: bool = False) -> EventBlock:
        """Every real event, or every simulated one, with a sequence number above `after`, of one moment; each under the
        key of the known shopper."""
        with self._connections.reading() as connection:
            whose = {**_whose(connection), **_real_or_not(connection, simulated)}
            rows = np.fromiter(connection.execute(_READ.format(**whose), (after,)), _ROW)
            queries: dict[int, str] = {}
            if len(rows):
                queries = dict(connection.execute(_QUERIES.format(**whose), (after,)))
        seqs = _column(rows, "seq")
        places = np.searchsorted(seqs, np.fromiter(queries, np.int64, len(queries)))
        return EventBlock(
            seqs=seqs,
            times_ms=_column(rows, "time_ms"),
            kinds=np.ascontiguousarray(rows["kind"]),
            shopper_keys=_column(rows, "shopper"),
            product_keys=_column(rows, "product"),
            quantities=np.ascontiguousarray(rows["quantity"]),
            values_minor=np.ascontiguousarray(rows["value_minor"]),
            basket_keys=_column(rows, "basket"),
            queries=dict(zip(places.tolist(), queries.values(), strict=True)),
        )

    def shown(self, after: int = 0, *, simulated: bool = False) -> dict[int, tuple[str, int | None]]:
        """Of every event above `after` that names one: sequence number -> (impression, place in it from 1). Real events
        or simulated ones, as for `read`."""
        with self._connections.reading() as connection:
            if not is_since(connection, _SHOWN_SINCE):  # an older shop that nobody has written to
                return {}
            asked = _SHOWN.format(**_real_or_not(connection, simulated))
            return {seq: (name, place) for seq, name, place in connection.execute(asked, (after,))}

    def looks(self, after: int = 0, since_ms: int = 0) -> list[Look]:
        """Every view, click and search with a sequence number above `after` that happened from `since_ms` on, in order
        of the numbers."""
        with self._connections.reading() as connection:
            if not _knows_simulated(connection):
                return []
            click = KIND_CODES[EventKind.CLICK]
            kinds = (KIND_CODES[EventKind.VIEW], click, KIND_CODES[EventKind.SEARCH])
            found = connection.execute(_LOOKS, (click, after, since_ms, *kinds))
            return [Look(seq, at, bool(click), *rest) for seq, at, click, *rest in found]

    def typed_queries(self, least: int) -> dict[str, int]:
        """Past queries -> how many different known shoppers searched for them, where at least `least` did; most first.

        Upper and lower case and the amount of space do not make another query; anonymous and simulated searches do not
        count.
        """
        with self._connections.reading() as connection:
            connection.create_function("as_shown", 1, _as_shown, deterministic=True)
            asked = _TYPED.format(**_whose(connection), **_real_or_not(connection, simulated=False))
            return dict(connection.execute(asked, (KIND_CODES[EventKind.SEARCH], least)))

    def last(self) -> int:
        """The last sequence number; 0 = no event yet. It never falls, even when the last event is erased."""
        with self._connections.reading() as connection:
            return _last(connection)

    def count(self, *, simulated: bool = False) -> int:
        """How many events there are, real ones or simulated ones."""
        with self._connections.reading() as connection:
            played = 0
            if _knows_simulated(connection):
                (played,) = connection.execute("SELECT count(*) FROM events WHERE simulated").fetchone()
            if simulated:
                return int(played)
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0] - played)

    def count_after(self, seq: int) -> int:
        """How many real events have a sequence number above `seq`."""
        with self._connections.reading() as connection:
            asked = _COUNT_AFTER.format(**_real_or_not(connection, simulated=False))
            return int(connection.execute(asked, (seq,)).fetchone()[0])

    def later_than(self, time_ms: int) -> tuple[int, int]:
        """(how many events happened after `time_ms` by their own account, when the latest of them did, 0 = none)."""
        with self._connections.reading() as connection:
            asked = "SELECT count(*), ifnull(max(time_ms), 0) FROM events WHERE time_ms > ?"
            count, latest_ms = connection.execute(asked, (time_ms,)).fetchone()
            return int(count), int(latest_ms)

    def erase_simulated(self) -> int:
        """Forget every simulated event, and the shoppers of whom nothing else is known; durably, all or none. The
        number of events erased. Real events keep theirs."""
        with self._connections.writing() as connection:
            connection.execute(_PLAYED)
            erased = connection.execute("DELETE FROM events WHERE simulated").rowcount
            connection.execute(_ERASE_PLAYED)
            connection.execute("DROP TABLE played")
        self._connections.scrub()
        return erased

    def erase(self, shopper_id: str) -> int:
        """Forget a shopper and all that were joined to them: events, attributes and the hashes of the ids. The number
        of events erased. Of one who was joined to a known shopper only their own goes, and the join.

        Their bytes are overwritten. Other shoppers' events, anonymous ones among them, keep their numbers.
        """
        with self._connections.writing() as connection:
            erased = _erase(connection, self._hashes.shopper(shopper_id))
        if erased is None:
            return 0
        self._connections.scrub()
        return erased

    def _append_chunk(self, events: Sequence[Event], ordinals: Ordinals, told: list[bool] | None = None) -> int:
        keys = self._keys(events, ordinals)
        shopper_ids = dict.fromkeys(event.shopper_id for event in events if event.shopper_id)  # keys go by first sight
        hashes = {shopper_id: self._hashes.shopper(shopper_id) for shopper_id in shopper_ids}

        def write(connection: sqlite3.Connection) -> int:
            products = intern_products(connection, (event.product_id for event in events if event.product_id))
            shoppers = intern_shoppers(connection, hashes.values())
            last, before = _last(connection), connection.total_changes
            connection.executemany(_APPEND, self._rows(events, keys, hashes, shoppers, products))
            new = connection.total_changes - before
            if new < len(events):  # SQLite has numbered the repeated ones, too
                connection.execute(_UNCOUNT, (last,))
            if told is not None:
                fresh = {key for (key,) in connection.execute("SELECT key FROM events WHERE seq > ?", (last,))}
                for key in keys:
                    told.append(key in fresh)
                    fresh.discard(key)  # once more in this feed, it is a repeat
            return new

        return self._connections.together(write)

    def _keys(self, events: Sequence[Event], ordinals: Ordinals) -> list[bytes]:
        given, derive = self._hashes.given, self._hashes.derived
        keys = [given(event.id, event.simulated) if event.id else derive(event) for event in events]
        derived = [place for place, event in enumerate(events) if not event.id]
        if derived:
            content = np.frombuffer(b"".join(keys[place][8:] for place in derived), np.uint64)
            counts = ordinals.count(content)
            for found in np.flatnonzero(counts).tolist():
                keys[derived[found]] = self._hashes.again(keys[derived[found]], int(counts[found]))
        return keys

    def _rows(
        self,
        events: Sequence[Event],
        keys: Sequence[bytes],
        hashes: dict[str, bytes],
        shoppers: dict[bytes, int],
        products: dict[str, int],
    ) -> Iterator[Row]:
        baskets: dict[tuple[str | None, str], int] = {}
        for key, event in zip(keys, events, strict=True):
            if not math.isfinite(event.quantity):
                raise DataError("a quantity must be a finite number", field="quantity", value=event.quantity)
            shopper = hashes[event.shopper_id] if event.shopper_id else None
            basket = None
            if event.basket_id and (basket := baskets.get((event.shopper_id, event.basket_id))) is None:
                basket = self._hashes.basket(shopper, event.basket_id)
                baskets[event.shopper_id, event.basket_id] = basket
            yield (
                key,
                event.time_ms,
                KIND_CODES[event.kind],
                shoppers[shopper] if shopper else None,
                products[event.product_id] if event.product_id else None,
                event.quantity,
                event.value_minor,
                basket,
                event.query or None,
                event.impression_id or None,
                event.position,
                event.simulated,
            )


def _as_shown(query: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", query).lower().split())


def _last(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(row[0]) if row else 0


def _erase(connection: sqlite3.Connection, shopper: bytes) -> int | None:
    found = connection.execute("SELECT key FROM shoppers WHERE hash = ?", (shopper,)).fetchone()
    if found is None:
        return None
    key = {"key": found[0]}
    erased = connection.execute(_ERASE_EVENTS, key).rowcount
    connection.execute(_ERASE_SHOPPERS, key)
    connection.execute("DELETE FROM aliases WHERE shopper = :key OR known = :key", key)
    return erased


def _whose(connection: sqlite3.Connection) -> dict[str, str]:
    """How a query tells whose an event is. Where nobody is joined to anybody, nothing is looked up."""
    return _AS_JOINED if has_some(connection) else _AS_WRITTEN


def _knows_simulated(connection: sqlite3.Connection) -> bool:
    return is_since(connection, _SIMULATED_SINCE)


def _real_or_not(connection: sqlite3.Connection, simulated: bool) -> dict[str, str]:
    """How a query tells real events from simulated ones; an older shop that nobody has written to has none of these."""
    if _knows_simulated(connection):
        return {"whose": " AND simulated" if simulated else " AND NOT simulated"}
    return {"whose": " AND 0" if simulated else ""}


def _column(rows: NDArray[np.void], name: str) -> NDArray[np.int64]:
    return np.ascontiguousarray(rows[name])
