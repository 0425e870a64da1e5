"""Judgements of search results: the shop's examples of what should be found for a query."""

import math
import sqlite3
from collections.abc import Iterable

from wares.domain.judgement import Judgement
from wares.errors import DataError
from wares.store.connections import Connections
from wares.store.keys import intern_products
from wares.store.schema import is_since

_SINCE = 2  # the schema version that brought the table
_PUT = (
    "INSERT INTO judgements (query, product, gain) VALUES (?, ?, ?)"
    " ON CONFLICT (query, product) DO UPDATE SET gain = excluded.gain"
)
_READ = "SELECT query, id, gain FROM judgements JOIN product_ids ON product_ids.key = product ORDER BY query, id"


class SqliteJudgements:
    """One gain per pair of query and product. They are no shopper data: whoever judged is not kept."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def put(self, judgements: Iterable[Judgement], *, instead: bool = False) -> int:
        """Insert or replace, durably, all or none; how many pairs of query and product were given.

        Of equal pairs the last one stays. `instead` removes all that were there before, in the same transaction.
        Raises StoreUnwritable, StoreError; DataError for a relevance below 0 or a text that cannot be kept.
        """
        gains = {(one.query, one.product_id): _gain(one) for one in judgements}
        with self._connections.writing() as connection:
            if instead:
                connection.execute("DELETE FROM judgements")
            keys = intern_products(connection, (product_id for _, product_id in gains))
            rows = ((query, keys[product_id], gain) for (query, product_id), gain in gains.items())
            connection.executemany(_PUT, rows)
        return len(gains)

    def read(self) -> list[Judgement]:
        """All of one moment, in order of query, then of product id."""
        with self._connections.reading() as connection:
            return [Judgement(*row) for row in connection.execute(_READ)] if _has_table(connection) else []

    def count(self) -> int:
        with self._connections.reading() as connection:
            return _count(connection) if _has_table(connection) else 0

    def clear(self) -> int:
        """Remove them all, durably; how many they were."""
        with self._connections.writing() as connection:
            before = _count(connection)
            connection.execute("DELETE FROM judgements")
            return before


def _gain(judgement: Judgement) -> float:
    gain = float(judgement.relevance)
    if not (math.isfinite(gain) and gain >= 0):
        raise DataError("a relevance must be a number of at least 0", field="relevance", value=judgement.relevance)
    return gain


def _has_table(connection: sqlite3.Connection) -> bool:
    return is_since(connection, _SINCE)


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM judgements").fetchone()[0])
