"""Connections to one shop: a single one that writes, and as many that read as there are readers at a time."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from wares.errors import StoreError
from wares.store.schema import open_for_reading, open_for_writing, plain_faults, read_meta

T = TypeVar("T")


class _Piece(Generic[T]):
    """What one thread wants written, and what became of it."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self._work, self._found = work, list[T]()
        self.fault: BaseException | None = None
        self.is_done = False

    def do(self, connection: sqlite3.Connection) -> None:
        """Raises where not only this piece is undone: the disk is full, say."""
        connection.execute("SAVEPOINT piece")
        try:
            self._found.append(self._work(connection))
        except BaseException as fault:
            self.fault = fault
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO piece")
            if not isinstance(fault, Exception):
                raise
        connection.execute("RELEASE piece")

    def outcome(self) -> T:
        """What the work returned, or its fault."""
        if self.fault is not None:
            raise self.fault
        return self._found[0]


class Connections:
    """Safe to use from any number of threads. Writers take turns; readers never wait and see only what is committed."""

    def __init__(self, path: Path, mode: Literal["read", "write"]) -> None:
        self.path = path
        self._writer = open_for_writing(path) if mode == "write" else None
        self._turn = threading.RLock()
        self._pieces: list[_Piece[Any]] = []  # that wait to be written
        self._waiting_for_turn = threading.Lock()
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
    def reading(self, *, one: bool = False) -> Iterator[sqlite3.Connection]:
        """One consistent view of the shop, for as long as the block lasts. `one`: for one statement, which is one view
        by itself."""
        connection = self._take()
        try:
            with plain_faults(self.path):
                if not one:
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

    def together(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `writing`, in one transaction with all that other threads are waiting to write: a disk confirms some
        hundred transactions a second, whatever is in them. Durable when it returns; when this work raises, it is undone
        and the others' is not. `work` is done by any of these threads.
        """
        if self._writer is None:
            raise StoreError(f"{self.path} is open for reading. Open it with mode 'write' to change it.")
        piece = _Piece(work)
        with self._waiting_for_turn:
            self._pieces.append(piece)
        with self._turn:
            if not piece.is_done:  # else whoever had the turn before has done it
                with self._waiting_for_turn:
                    pieces, self._pieces = self._pieces, []
                self._do(self._writer, pieces)
        with plain_faults(self.path):
            return piece.outcome()

    def _do(self, connection: sqlite3.Connection, pieces: list["_Piece[Any]"]) -> None:
        """All pieces, each in a savepoint of its own. What fails as a whole is the fault of each."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            for piece in pieces:
                piece.do(connection)
            connection.execute("COMMIT")
        except BaseException as fault:
            for piece in pieces:
                piece.fault = piece.fault or fault
            with suppress(sqlite3.ProgrammingError):  # it has been closed
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        finally:
            for piece in pieces:
                piece.is_done = True

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
