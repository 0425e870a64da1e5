"""Connections to one shop: a single one that writes, and as many that read as there are readers at a time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from wares.errors import StoreError
from wares.store.schema import open_for_reading, open_for_writing, plain_faults, read_meta


class Connections:
    """Safe to use from any number of threads. Writers take turns; readers never wait and see only what is committed."""

    def __init__(self, path: Path, mode: Literal["read", "write"]) -> None:
        self.path = path
        self._writer = open_for_writing(path) if mode == "write" else None
        self._turn = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._open = True
        try:
            with self.reading() as connection:
                secret = read_meta(connection, "secret")
            if not isinstance(secret, bytes):
                raise StoreError(
                    f"{path} has lost its secret: shoppers cannot be told apart. Restore it from a backup."
                )
            self.secret = secret
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the shop, for as long as the block lasts."""
        connection = self._take()
        try:
            with plain_faults(self.path):
                connection.execute("BEGIN")
                yield connection
        finally:
            self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: durable when the block ends, undone when it raises.

        Raises StoreUnwritable; StoreError if the shop is open for reading; DataError for what SQLite cannot hold.
        """
        if self._writer is None:
            raise StoreError(f"{self.path} is open for reading. Open it with mode 'write' to change it.")
        with self._turn, plain_faults(self.path):
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def scrub(self) -> None:
        """Empty the write-ahead log, so that what was erased is in no file any more. Waits for open readers."""
        if self._writer is not None:
            with self._turn, plain_faults(self.path):
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close what is idle now and what is in use as soon as it is given back. May be called twice."""
        self._open = False
        while self._idle:
            self._idle.pop().close()
        if self._writer is not None:
            with self._turn:
                self._writer.close()

    def _take(self) -> sqlite3.Connection:
        if not self._open:
            raise StoreError(f"{self.path} has been closed.")
        try:
            return self._idle.pop()
        except IndexError:
            return open_for_reading(self.path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if self._open:
            self._idle.append(connection)
        else:
            connection.close()
