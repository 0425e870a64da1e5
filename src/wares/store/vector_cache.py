"""Vectors that were worked out once are kept on disk, so that only new texts cost time and a cut run goes on."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder, Floats, Progress
from wares.store.keys import select_in
from wares.store.schema import connect

FILE = "vectors.sqlite"
BATCH = 1_024  # texts encoded between two commits: at most this many are lost when a run is cut

_ASK = "SELECT hash, vector FROM vectors WHERE hash IN"
_TABLE = "CREATE TABLE IF NOT EXISTS vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
_KEEP = "INSERT OR REPLACE INTO vectors VALUES (?, ?)"
_SUFFIXES = ("", "-wal", "-shm")

Halves = NDArray[np.float16]


class CachedEncoder:
    """An encoder in front of another one, with the passages' vectors in `vectors.sqlite` of the shop's folder.

    Vectors are kept as float16 under a hash of the encoder's fingerprint and the text, so vectors of two encoders are
    never mixed; a vector is the same whether it was just made or kept. Queries pass by. A cache that cannot be read
    is thrown away, one that cannot be written is done without. Holds no shopper data. Threads may share one.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._path = folder / FILE
        self._turn = threading.Lock()
        self._connection = self._open()

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> Floats:
        """(n, dimension), each row of length 1. `on_progress` counts every text, kept and equal ones, too."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        if kind == "query":
            return self._encoder.encode(texts, kind, on_progress)
        tell = on_progress or _silence
        hashes = [self._hash(text) for text in texts]
        places = {name: place for place, name in enumerate(dict.fromkeys(hashes))}
        where = np.fromiter((places[name] for name in hashes), np.int64, len(hashes))  # (n,)
        copies = np.bincount(where)  # (distinct,) how many of the texts each stands for
        vectors = np.zeros((len(places), self.dimension), np.float16)
        with self._turn:
            known = self._read(places, vectors)
            tell(int(copies[known].sum()))
            text_of = dict(zip(hashes, texts, strict=True))
            missing = [name for name, place in places.items() if not known[place]]
            missing.sort(key=lambda name: len(text_of[name]))  # texts of a length are encoded with little padding
            for start in range(0, len(missing), BATCH):
                names = missing[start : start + BATCH]
                rows = [places[name] for name in names]
                vectors[rows] = self._encoder.encode([text_of[name] for name in names], kind)
                self._keep(names, vectors[rows])
                tell(int(copies[rows].sum()))
        return _unit(vectors)[where]

    def close(self) -> None:
        """May be called twice; afterwards nothing is kept any more."""
        with self._turn:
            self._drop()

    def __enter__(self) -> "CachedEncoder":
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def _hash(self, text: str) -> bytes:
        said = f"{self.fingerprint}\0{self.dimension}\0passage\0{text}"
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def _read(self, places: dict[bytes, int], vectors: Halves) -> NDArray[np.bool_]:
        """Fill the rows of `vectors` that are kept; (distinct,) which ones."""
        known = np.zeros(len(places), np.bool_)
        if self._connection is None:
            return known
        try:
            for name, vector in select_in(self._connection, _ASK, list(places)):
                if len(vector) == 2 * self.dimension:
                    vectors[places[name]] = np.frombuffer(vector, "<f2")
                    known[places[name]] = True
        except (sqlite3.Error, TypeError):
            self._discard()
        return known

    def _keep(self, names: Sequence[bytes], vectors: Halves) -> None:
        if self._connection is None:
            return
        rows = ((name, vector.astype("<f2").tobytes()) for name, vector in zip(names, vectors, strict=True))
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_KEEP, rows)
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError:  # full, read-only or busy: these vectors are made again another time
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._discard()

    def _open(self) -> sqlite3.Connection | None:
        connection = None
        try:
            connection = connect(self._path, create=True, synchronous="NORMAL")
            connection.execute(_TABLE)
            connection.execute("SELECT hash, vector FROM vectors LIMIT 1").fetchall()
        except sqlite3.Error as fault:
            if connection is not None:
                connection.close()
            if _is_of_no_use(fault) and self._remove():
                return self._open()
            return None
        return connection

    def _discard(self) -> None:
        self._drop()
        self._connection = self._open() if self._remove() else None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _remove(self) -> bool:
        try:
            for suffix in _SUFFIXES:
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError:
            return False
        return True


def _is_of_no_use(fault: sqlite3.Error) -> bool:
    """Damaged, or a database with other columns (a plain SQL error); not merely full, busy or read-only."""
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR)


def _unit(vectors: Halves) -> Floats:
    whole = vectors.astype(np.float32)
    lengths = np.linalg.norm(whole, axis=1, keepdims=True)
    whole /= np.maximum(lengths, np.finfo(np.float32).tiny)
    return whole


def _silence(count: int) -> None:
    pass
