"""What was shown: a log that never makes a page wait. A kill may lose its last second; events are the durable part."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

from wares.errors import StoreError
from wares.store.schema import connect, plain_faults
from wares.store.steady_time import SteadyTime

FILE = "impressions.sqlite"
DAY_MS = 86_400_000

# Shopper data. Erased by ImpressionLog.erase, and by age: nothing outlives the log's `keep_days`.
_TABLE = (
    "CREATE TABLE IF NOT EXISTS impressions (seq INTEGER PRIMARY KEY AUTOINCREMENT, written_ms INTEGER NOT NULL,"
    " shopper BLOB, body TEXT NOT NULL, simulated INTEGER NOT NULL DEFAULT 0)"
)
_MARK = "ALTER TABLE impressions ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0"  # of a file older than the mark
_INSERT, _VALUES = "INSERT INTO impressions (written_ms, shopper, body, simulated) VALUES", "(?, ?, ?, ?)"
_TOGETHER = 100  # rows of one statement
_STEADY = "CREATE TABLE IF NOT EXISTS steady (ms INTEGER NOT NULL)"  # one row: by which time things were last erased
_INDEX = "CREATE INDEX IF NOT EXISTS impressions_by_age ON impressions (written_ms)"

_NEWEST = "SELECT max(written_ms) FROM impressions WHERE written_ms <= ?"
_REDATE = "UPDATE impressions SET written_ms = ? WHERE written_ms > ?"

Row = tuple[int, bytes | None, str, bool]


class ImpressionLog:
    """Written by one thread of its own, at most `flush_s` seconds or `flush_items` impressions behind.

    `clock` says the time in seconds, as time.time, `passed` as time.monotonic: what is too old goes by
    `SteadyTime`, so that a clock that jumps erases nothing. While the disk refuses, up to `most_waiting` impressions
    wait; what comes beyond them is counted in `dropped`, because serving goes before logging.
    Raises StoreUnwritable, StoreError when it cannot be opened.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keep_days: float = 90.0,
        flush_s: float = 1.0,
        flush_items: int = 500,
        most_waiting: int = 20_000,
        clock: Callable[[], float] = time.time,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dropped = 0
        self._path = folder / FILE
        self._keep_ms, self._flush_s, self._flush_items = int(keep_days * DAY_MS), flush_s, flush_items
        self._most_waiting = most_waiting
        self._waiting: list[Row] = []
        self._wake = threading.Condition()
        self._disk = threading.Lock()
        self._open = True
        with plain_faults(self._path):
            self._connection = connect(self._path, create=True, synchronous="NORMAL")
            try:
                self._connection.execute(_TABLE)
                if not _is_marked(self._connection):
                    self._connection.execute(_MARK)
                self._connection.execute(_INDEX)
                self._time = SteadyTime(self._last_steady(clock), clock, passed)
            except BaseException:
                self._connection.close()
                raise
        self._thread = threading.Thread(target=self._run, name="impressions", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many are not yet on disk."""
        return len(self._waiting)

    def steady_ms(self) -> int:
        """By which time things are erased now: never ahead of the clock, and not far behind unless that jumps."""
        return min(self._time.reached_ms, self._time.clock_ms())

    def record(
        self, impression: Mapping[str, object] | str, shopper_hash: bytes | None = None, *, simulated: bool = False
    ) -> None:
        """Keep what one answer showed, as values or as JSON, without waiting. `shopper_hash` (Shoppers.hash) is how
        `erase` finds it. `simulated`: nobody saw it.

        Raises TypeError for what JSON cannot hold, StoreError after `close`.
        """
        body = impression if isinstance(impression, str) else json.dumps(impression, separators=(",", ":"))
        row = (self._time.clock_ms(), shopper_hash, body, simulated)
        with self._wake:
            if not self._open:
                raise StoreError(f"{self._path} has been closed.")
            if len(self._waiting) >= self._most_waiting:
                self.dropped += 1
                return
            self._waiting.append(row)
            if len(self._waiting) >= self._flush_items:
                self._wake.notify()

    def _last_steady(self, clock: Callable[[], float]) -> int | None:
        """As of the last time that something was written; None = never."""
        self._connection.execute(_STEADY)
        (last,) = self._connection.execute("SELECT max(ms) FROM steady").fetchone()
        if last is None:  # a file older than this table: its newest row was written at some time
            (last,) = self._connection.execute(_NEWEST, (int(clock() * 1000),)).fetchone()
        return None if last is None else int(last)

    def flush(self) -> None:
        """Write what waits and drop what is too old. Raises StoreUnwritable; what was waiting then waits on."""
        with self._disk:
            with self._wake:
                rows, self._waiting = self._waiting, []
            try:
                with plain_faults(self._path):
                    self._write(rows)
            except StoreError:
                with self._wake:
                    self._waiting[:0] = rows
                raise

    def erase(self, shopper_hash: bytes) -> int:
        """Forget what was shown to this shopper; the number of impressions erased. Their bytes are overwritten."""
        self.flush()
        with self._disk, plain_faults(self._path):
            erased = self._connection.execute("DELETE FROM impressions WHERE shopper = ?", (shopper_hash,)).rowcount
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return erased

    def erase_simulated(self) -> int:
        """Forget what was shown to nobody; the number of impressions erased."""
        self.flush()
        with self._disk, plain_faults(self._path):
            erased = self._connection.execute("DELETE FROM impressions WHERE simulated").rowcount
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return erased

    def close(self) -> None:
        """Write what waits and stop. May be called twice. Raises StoreUnwritable if the last ones cannot be kept."""
        with self._wake:
            was_open, self._open = self._open, False
            self._wake.notify()
        if was_open:
            self._thread.join()
            try:
                self.flush()
            finally:
                self._connection.close()

    def __enter__(self) -> "ImpressionLog":
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(self._is_due, timeout=self._flush_s)
                if not self._open:
                    return
            try:
                self.flush()
            except StoreError:  # the disk may have room again later
                time.sleep(min(self._flush_s, 1.0))

    def _is_due(self) -> bool:
        return not self._open or len(self._waiting) >= self._flush_items

    def _write(self, rows: list[Row]) -> None:
        now_ms = self._time.now_ms()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(rows), _TOGETHER):  # each statement lets the interpreter go and wants it back
                some = rows[start : start + _TOGETHER]
                values = list(chain.from_iterable(some))
                self._connection.execute(f"{_INSERT} {', '.join([_VALUES] * len(some))}", values)
            self._connection.execute("DELETE FROM impressions WHERE written_ms < ?", (now_ms - self._keep_ms,))
            if self._time.agrees():  # what a clock that was wrong has stamped is kept no longer than the rest
                self._connection.execute(_REDATE, (now_ms, now_ms + DAY_MS))
            self._connection.execute("DELETE FROM steady")
            self._connection.execute("INSERT INTO steady VALUES (?)", (self._time.reached_ms,))
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def read_impressions(
    folder: Path, after: int = 0, *, simulated: bool = False
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(sequence number, impression) of what is on disk above `after`, oldest first; nothing where nothing was shown.
    Real ones, or with `simulated` those of simulated shoppers alone; so do the other readers.

    Raises StoreError for a file that cannot be read.
    """
    for seq, _, body in _rows(folder, after, simulated):
        yield seq, json.loads(body)


def read_pages(
    folder: Path, after: int = 0, *, since_ms: int = 0, holding: str = ""
) -> Iterator[tuple[int, bytes | None, Mapping[str, Any]]]:
    """(sequence number, hash of the shopper, impression) of real ones above `after`, as `read_shown` chooses them."""
    return ((seq, whose, json.loads(body)) for seq, whose, body in _rows(folder, after, False, since_ms, holding))


def last_page(folder: Path) -> int:
    """The highest sequence number on disk; 0 = nothing was shown. Raises StoreError for a file that cannot be read."""
    path = folder / FILE
    if not path.is_file():
        return 0
    with plain_faults(path), closing(connect(path)) as connection:
        try:
            return int(connection.execute("SELECT ifnull(max(seq), 0) FROM impressions").fetchone()[0])
        except sqlite3.OperationalError as fault:
            if "no such table" not in str(fault):
                raise
            return 0


def read_shown(
    folder: Path, *, simulated: bool = False, since_ms: int = 0, holding: str = "", most: int = 0
) -> Iterator[tuple[bytes | None, Mapping[str, Any]]]:
    """(hash of the shopper, None = they gave no id; impression), oldest first. Those that were written before
    `since_ms`, or whose text does not hold `holding`, are passed over unread; of the others the latest `most`, 0 = all.
    Raises StoreError for a file that cannot be read."""
    for _, whose, body in _rows(folder, 0, simulated, since_ms, holding, most):
        yield whose, json.loads(body)


def read_known_impressions(folder: Path, *, simulated: bool = False) -> Iterator[tuple[bytes, Mapping[str, Any]]]:
    """The same of those who gave their id."""
    return ((whose, impression) for whose, impression in read_shown(folder, simulated=simulated) if whose is not None)


def _rows(
    folder: Path, after: int, simulated: bool, since_ms: int = 0, holding: str = "", most: int = 0
) -> Iterator[tuple[int, bytes | None, str]]:
    """(sequence number, hash of the shopper, JSON)"""
    path = folder / FILE
    if not path.is_file():
        return
    with plain_faults(path), closing(connect(path)) as connection:
        connection.execute("PRAGMA query_only = ON")
        try:
            marked = _is_marked(connection)
            wanted = f"{'' if simulated else 'NOT '}simulated" if marked else f"{not simulated:d}"
            where = f"FROM impressions WHERE seq > ? AND written_ms >= ? AND {wanted} AND instr(body, ?)"
            values: tuple[Any, ...] = (after, since_ms, holding)
            if most:
                first = f"SELECT seq {where} ORDER BY seq DESC LIMIT 1 OFFSET ?"
                found = connection.execute(first, (*values, most - 1)).fetchone()
                values = (max(after, found[0] - 1) if found else after, since_ms, holding)
            yield from connection.execute(f"SELECT seq, shopper, body {where} ORDER BY seq", values)
        except sqlite3.OperationalError as fault:
            if "no such table" not in str(fault):
                raise


def _is_marked(connection: sqlite3.Connection) -> bool:
    """Whether the file can tell what was shown to nobody."""
    return any(name == "simulated" for _, name, *_ in connection.execute("PRAGMA table_info(impressions)"))
