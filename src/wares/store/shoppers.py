"""Who the shop knows: attributes behind keyed hashes. The id itself is never written."""

import json
from collections.abc import Iterable, Iterator, Mapping

from wares.domain.shopper import Shopper
from wares.store.connections import Connections
from wares.store.keys import Hashes

_PUT = (
    "INSERT INTO shoppers (hash, attributes) VALUES (?, ?)"
    " ON CONFLICT (hash) DO UPDATE SET attributes = excluded.attributes"
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
        """None = never heard of."""
        row = self._find(shopper_id)
        return Shopper(shopper_id, json.loads(row[1])) if row else None

    def key(self, shopper_id: str) -> int | None:
        """The integer that this shopper's events carry; None = never heard of."""
        row = self._find(shopper_id)
        return row[0] if row else None

    def keys(self) -> dict[bytes, int]:
        """The integer of every shopper, by `hash`."""
        with self._connections.reading() as connection:
            return dict(connection.execute("SELECT hash, key FROM shoppers"))

    def all_attributes(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """(key, attributes) of every shopper who has some, in order of keys."""
        with self._connections.reading() as connection:
            for key, text in connection.execute(
                "SELECT key, attributes FROM shoppers WHERE attributes <> '{}' ORDER BY key"
            ):
                yield key, json.loads(text)

    def _find(self, shopper_id: str) -> tuple[int, str] | None:
        with self._connections.reading() as connection:
            row: tuple[int, str] | None = connection.execute(
                "SELECT key, attributes FROM shoppers WHERE hash = ?", (self.hash(shopper_id),)
            ).fetchone()
        return row
