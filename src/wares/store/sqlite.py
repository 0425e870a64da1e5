"""A shop's memory in one SQLite file: the catalogue, the event log, the shoppers and the judgements."""

from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Literal

from wares.store.aliases import SqliteAliases
from wares.store.catalogue import SqliteCatalogue
from wares.store.connections import Connections
from wares.store.events import SqliteEventLog
from wares.store.judgements import SqliteJudgements
from wares.store.lock import WriterLock
from wares.store.schema import FILE, unwritable
from wares.store.shoppers import SqliteShoppers


class Store:
    """Open it with `Store.open`, in a `with` block or until `close`. Any number of threads may share one."""

    def __init__(self, connections: Connections, lock: WriterLock | None, closing: ExitStack) -> None:
        self._lock, self._closing, self._secret = lock, closing, connections.secret
        self.catalogue = SqliteCatalogue(connections)
        self.events = SqliteEventLog(connections)
        self.shoppers = SqliteShoppers(connections)
        self.aliases = SqliteAliases(connections)
        self.judgements = SqliteJudgements(connections)

    @staticmethod
    def open(folder: Path, mode: Literal["read", "write"]) -> "Store":
        """The shop in this folder; "write" makes folder and shop where there is none.

        Readers need no lock and see what writers, here or in another process, have committed.

        Raises StoreLocked while another writer is at work; StoreUnwritable for a read-only folder or a full disk;
        StoreError for no shop, a damaged one or one of a newer version.
        """
        with ExitStack() as stack:
            lock = None
            if mode == "write":
                try:
                    folder.mkdir(parents=True, exist_ok=True)
                except OSError as fault:
                    raise unwritable(folder, fault) from fault
                lock = WriterLock(folder)
                stack.callback(lock.close)
            connections = Connections(folder / FILE, mode)
            stack.callback(connections.close)
            return Store(connections, lock, stack.pop_all())

    def announce(self, url: str) -> None:
        """Tell other processes where this writer takes requests; `lock.holder` reads it. No effect on a reader."""
        if self._lock is not None:
            self._lock.announce(url)

    def keyed_hash(self, *parts: bytes) -> bytes:
        """32 bytes that stand for these parts of a request; who does not know the shop's secret cannot try any out."""
        hasher = blake2b(key=self._secret, digest_size=32, person=b"request")
        for part in parts:
            hasher.update(len(part).to_bytes(8, "big") + part)
        return hasher.digest()

    def close(self) -> None:
        """Close every connection, then let the next writer in. May be called twice."""
        self._closing.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()
