"""Who the shop knows: attributes behind keyed hashes. The id itself is never written."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from wares.domain.shopper import Shopper
from wares.store.aliases import has_some, has_table, joined_to, resolved
from wares.store.connections import Connections
from wares.store.keys import Hashes

_PUT = (
    "INSERT INTO shoppers (hash, attributes) VALUES (?, ?)"
    " ON CONFLICT (hash) DO UPDATE SET attributes = excluded.attributes"
)
_HASHES = "SELECT hash FROM aliases JOIN shoppers ON shoppers.key = aliases.shopper WHERE known = ?"
_KEYS_JOINED = "SELECT hash, ifnull(known, key) FROM shoppers LEFT JOIN aliases ON aliases.shopper = shoppers.key"
_ATTRIBUTES = "SELECT key, attributes FROM shoppers WHERE attributes <> '{}' ORDER BY key"
_ATTRIBUTES_JOINED = (  # the known shopper's own first
    "SELECT ifnull(known, key) AS whose, attributes FROM shoppers LEFT JOIN aliases ON aliases.shopper = shoppers.key"
    " WHERE attributes <> '{}' ORDER BY whose, known IS NOT NULL, key"
)


class SqliteShoppers:
    """EventLog.erase forgets a shopper everywhere in this file; `hash` is for what other files keep of them."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._hashes = Hashes(connections.secret)

    def hash(self, shopper_id: str) -> bytes:
        """16 bytes that stand for this shopper wherever the shop keeps something of them."""
        return self._hashes.shopper(shopper_id)

    def put(self, shoppers: Iterable[Shopper]) -> int:
        """Insert, or replace all attributes of, these; durably, all or none. How many they were."""
        rows = [
            (self._hashes.shopper(shopper.id), json.dumps(dict(shopper.attributes), ensure_ascii=False))
            for shopper in shoppers
        ]
        with self._connections.writing() as connection:
            connection.executemany(_PUT, rows)
        return len(rows)

    def get(self, shopper_id: str) -> Shopper | None:
        """None = never heard of. What a known shopper did not tell, those joined to them may have told."""
        with self._connections.reading() as connection:
            keys = self._keys_of(connection, shopper_id)
            if not keys:
                return None
            attributes: dict[str, str] = {}
            for key in keys:
                (text,) = connection.execute("SELECT attributes FROM shoppers WHERE key = ?", (key,)).fetchone()
                attributes |= {name: value for name, value in json.loads(text).items() if name not in attributes}
        return Shopper(shopper_id, attributes)

    def key(self, shopper_id: str) -> int | None:
        """The integer that this shopper's events carry; None = never heard of."""
        return next(iter(self.keys_of(shopper_id)), None)

    def keys_of(self, shopper_id: str) -> tuple[int, ...]:
        """The integer that this shopper's events carry, and before them those that they carried until a login joined
        them, which an older snapshot still knows; () = never heard of."""
        with self._connections.reading() as connection:
            return self._keys_of(connection, shopper_id)

    def hashes_of(self, shopper_id: str) -> tuple[bytes, ...]:
        """The `hash` of this shopper and of all that were joined to them."""
        mine = self.hash(shopper_id)
        with self._connections.reading() as connection:
            found = connection.execute("SELECT key FROM shoppers WHERE hash = ?", (mine,)).fetchone()
            if found is None or not has_table(connection):
                return (mine,)
            others = connection.execute(_HASHES, found)
            return (mine, *(hashed for (hashed,) in others))

    def keys(self) -> dict[bytes, int]:
        """The integer that the events of every shopper carry, by `hash`."""
        with self._connections.reading() as connection:
            return dict(connection.execute(_KEYS_JOINED if has_some(connection) else "SELECT hash, key FROM shoppers"))

    def all_attributes(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """(key, attributes) of every shopper who has some, in order of keys."""
        with self._connections.reading() as connection:
            told = _ATTRIBUTES_JOINED if has_some(connection) else _ATTRIBUTES
            now, attributes = -1, dict[str, str]()
            for key, text in connection.execute(told):
                if key != now and attributes:
                    yield now, attributes
                attributes = json.loads(text) | (attributes if key == now else {})
                now = key
            if attributes:
                yield now, attributes

    def _keys_of(self, connection: sqlite3.Connection, shopper_id: str) -> tuple[int, ...]:
        found = connection.execute("SELECT key FROM shoppers WHERE hash = ?", (self.hash(shopper_id),)).fetchone()
        if found is None:
            return ()
        if not has_table(connection):
            return (int(found[0]),)
        key = resolved(connection, int(found[0]))
        return (key, *joined_to(connection, key))
