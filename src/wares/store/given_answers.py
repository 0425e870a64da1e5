"""Answers to requests that may be sent twice, so that the second time gets the first answer: a file of its own."""

import hashlib
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from wares.store.schema import connect, plain_faults

FILE = "answers.sqlite"
KEEP_MS = 24 * 3_600_000

# Shopper data, but nothing that can be read: `name` and `asked` are keyed hashes, and `body` is sealed with the request
# that it answers, which only its sender has. Erased by age: nothing outlives KEEP_MS and the next request with a key.
_TABLE = (
    "CREATE TABLE IF NOT EXISTS answers (name BLOB PRIMARY KEY, asked BLOB NOT NULL, begun_ms INTEGER NOT NULL,"
    " status INTEGER, media TEXT, body BLOB) WITHOUT ROWID"
)
_INDEX = "CREATE INDEX IF NOT EXISTS answers_by_age ON answers (begun_ms)"
_FIND = "SELECT asked, begun_ms, status, media, body FROM answers WHERE name = ?"


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """`asked`: a hash of the request that came first; `status` None = it was begun at `begun_ms` and not answered."""

    asked: bytes
    begun_ms: int
    status: int | None = None
    media: str = ""
    body: bytes = b""


class GivenAnswers:
    """Of one shop. Each call is one transaction, durable when it returns; any number of threads may share one.

    Raises StoreUnwritable, StoreError.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._turn = folder / FILE, threading.Lock()
        with plain_faults(self._path):
            self._connection = connect(self._path, create=True)
            try:
                self._connection.execute(_TABLE)
                self._connection.execute(_INDEX)
            except BaseException:
                self._connection.close()
                raise

    def begin(self, name: bytes, asked: bytes, now_ms: int) -> GivenAnswer:
        """What came first under this name within KEEP_MS: an earlier request, or this one, noted as begun now."""
        with self._turn, plain_faults(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.execute("DELETE FROM answers WHERE begun_ms < ?", (now_ms - KEEP_MS,))
                found = self._connection.execute(_FIND, (name,)).fetchone()
                if found is None:
                    new = "INSERT INTO answers (name, asked, begun_ms) VALUES (?, ?, ?)"
                    self._connection.execute(new, (name, asked, now_ms))
                self._connection.execute("COMMIT")
            finally:
                self._undo()
        if found is None:
            return GivenAnswer(asked, now_ms)
        return GivenAnswer(found[0], found[1], found[2], found[3] or "", found[4] or b"")

    def finish(self, name: bytes, status: int, media: str, body: bytes) -> None:
        """Keep the answer to what was begun under this name."""
        with self._turn, plain_faults(self._path):
            change = "UPDATE answers SET status = ?, media = ?, body = ? WHERE name = ?"
            self._connection.execute(change, (status, media, body, name))

    def close(self) -> None:
        """May be called twice."""
        with self._turn:
            self._connection.close()

    def _undo(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:  # the disk is gone; the fault that led here says so
                return


def sealed(body: bytes, key: bytes) -> bytes:
    """The body under a stream of bytes that only the key gives (SHAKE-256); sealed again it is open. A key seals one
    body only."""
    if not body:
        return b""
    stream = hashlib.shake_256(key).digest(len(body))
    return (int.from_bytes(body, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(body), "big")
