"""The tables of a shop, how its SQLite files are opened, and what their faults mean in plain words."""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from wares.errors import DataError, StoreError, StoreUnwritable

FILE = "wares.sqlite"
SCHEMA_VERSION = 5
BUSY_S = 10.0
# Of a file, that a connection remembers: an import looks for known ids all over it; readers are many, and the system
# remembers for all of them.
_WRITERS_CACHE_KIB, _CACHE_KIB = 65_536, 8_192

# Since version 2. What a person said of a product for a query; `gain` is 0 or more. No shopper data.
_JUDGEMENTS = (
    "CREATE TABLE judgements (query TEXT NOT NULL, product INTEGER NOT NULL, gain REAL NOT NULL,"
    " PRIMARY KEY (query, product)) WITHOUT ROWID"
)
# Since version 3. Shopper data: whose history an anonymous shopper's counts as since a login. Events keep the key they
# were written with; who reads them resolves it. Erased by EventLog.erase with either of both shoppers; a row that goes
# parts them again. `known` is never the `shopper` of another row. `consent`: whether it was told with the login.
_ALIASES = (
    "CREATE TABLE aliases (shopper INTEGER PRIMARY KEY, known INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " consent INTEGER NOT NULL)",
    "CREATE INDEX aliases_by_known ON aliases (known)",
)
# Since version 4. The name of the answer in which the shopper met the product, and its place there from 1.
_SHOWN = ("ALTER TABLE events ADD COLUMN impression TEXT", "ALTER TABLE events ADD COLUMN position INTEGER")
# Since version 5. Whether nobody did this: it plays a shopper. Few are, so that their own index finds them at once.
_SIMULATED = "CREATE INDEX events_simulated ON events (seq) WHERE simulated"
TABLES = (
    # What this file is: `schema_version`, and the `secret` that keys every hash of a shopper. No shopper data.
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    # The integers that stand for product ids: of products, and of events and judgements of products not known yet.
    "CREATE TABLE product_ids (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)",
    # One row per product with the number of its last change; `row` is JSON, NULL = deleted.
    "CREATE TABLE products (key INTEGER PRIMARY KEY, change INTEGER NOT NULL UNIQUE, row TEXT)",
    # Shopper data. Erased by EventLog.erase: the row goes, and its key is never given again.
    "CREATE TABLE shoppers (key INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE,"
    " attributes TEXT NOT NULL DEFAULT '{}')",
    # Shopper data. Erased by EventLog.erase: every row with the shopper's key goes (a scan; no index to keep).
    # `key` makes repeats count once, `kind` is a position in domain.shopper.KINDS, NULL = none or unknown.
    "CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, time_ms INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, shopper INTEGER, product INTEGER, quantity REAL NOT NULL, value_minor INTEGER,"
    " basket INTEGER, query TEXT, impression TEXT, position INTEGER,"
    " simulated INTEGER NOT NULL DEFAULT 0)",
    _JUDGEMENTS,
    *_ALIASES,
    _SIMULATED,
)
UPGRADES: Mapping[int, tuple[str, ...]] = {
    1: (_JUDGEMENTS,),
    2: _ALIASES,
    3: _SHOWN,
    4: ("ALTER TABLE events ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0", _SIMULATED),
}  # version -> what makes the next one of it

_UNWRITABLE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


@contextmanager
def plain_faults(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk say about `path` into StoreUnwritable, StoreError or (a bad value) DataError."""
    try:
        yield
    except sqlite3.Error as fault:
        code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
        if code in _UNWRITABLE:
            raise unwritable(path, fault) from fault
        if code in _DAMAGED:
            raise StoreError(
                f"{path} is not a readable SQLite database ({fault}). Restore it from a backup."
            ) from fault
        if code == sqlite3.SQLITE_BUSY:
            raise StoreError(f"{path} stayed busy for {BUSY_S:.0f} s ({fault}). Try again.") from fault
        raise StoreError(f"{path} could not be used: {fault}.") from fault
    except UnicodeEncodeError as fault:
        raise DataError("a text is not valid Unicode", value=fault.object) from fault
    except OverflowError as fault:
        raise DataError("a whole number does not fit into 64 bits") from fault


class _Connection(sqlite3.Connection):
    """Remembers that its tables are today's: they never become older ones."""

    is_current = False


def unwritable(path: Path, fault: Exception) -> StoreUnwritable:
    return StoreUnwritable(
        f"{path} cannot be written ({fault}). Nothing was half-done. "
        "Make room on the disk, or make the folder writable, and try again."
    )


def connect(
    path: Path, *, create: bool = False, synchronous: str = "FULL", cache_kib: int = _CACHE_KIB
) -> sqlite3.Connection:
    """A WAL connection in autocommit mode that any thread may use, one at a time. Deleted content is overwritten. It
    remembers up to `cache_kib` of the file.

    A folder that cannot be written is still readable, as long as no writer left a WAL file behind.

    Raises sqlite3.Error; callers put it into plain words.
    """
    mode = "mode=rwc" if create else "mode=rw"
    if not create and not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists():
        mode = "immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
    )
    try:
        if create:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The connection of the one writer; makes the tables of a new shop and upgrades an older one, all or nothing.

    Raises StoreUnwritable; StoreError for a file that is not a shop or comes from a newer version.
    """
    with plain_faults(path):
        connection = connect(path, create=True, cache_kib=_WRITERS_CACHE_KIB)
        try:
            connection.execute("PRAGMA wal_autocheckpoint = 8192")  # pages: a long import copies each page less often
            connection.execute("PRAGMA journal_size_limit = 67108864")  # bytes
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for table in TABLES:
                    connection.execute(table)
                meta = [("schema_version", SCHEMA_VERSION), ("secret", secrets.token_bytes(32))]
                connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
            _upgrade(connection, check_version(connection, path))
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot change the shop. Raises StoreError where there is no shop."""
    if not path.is_file():
        raise no_shop(path)
    with plain_faults(path):
        connection = connect(path)
        try:
            connection.execute("PRAGMA query_only = ON")
            check_version(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _upgrade(connection: sqlite3.Connection, version: int) -> None:
    """The tables of an older version become today's. Needs a transaction."""
    for old in range(version, SCHEMA_VERSION):
        for statement in UPGRADES[old]:
            connection.execute(statement)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (old + 1,))


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of these tables, which readers may meet as it is and a writer upgrades.

    Raises StoreError unless this wares knows them.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        raise no_shop(path)
    if "meta" not in tables:
        raise StoreError(f"{path} is a database, but not a shop. Choose another folder or move the file away.")
    version = read_meta(connection, "schema_version")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {version!r}; this wares knows 1 to {SCHEMA_VERSION}. "
            "A newer wares wrote it: update wares, or choose another folder."
        )
    return version


def read_meta(connection: sqlite3.Connection, name: str) -> int | bytes | None:
    """One value of `meta`; None = not there."""
    with closing(connection.execute("SELECT value FROM meta WHERE name = ?", (name,))) as cursor:
        row: tuple[int | bytes] | None = cursor.fetchone()
    return row[0] if row else None


def is_since(connection: sqlite3.Connection, version: int) -> bool:
    """Whether the tables are of this version or a later one. A reader may meet a shop that no writer of today's has
    opened yet."""
    if isinstance(connection, _Connection) and connection.is_current:
        return True
    found = read_meta(connection, "schema_version")
    if isinstance(connection, _Connection):
        connection.is_current = found == SCHEMA_VERSION
    return isinstance(found, int) and found >= version


def no_shop(path: Path) -> StoreError:
    return StoreError(
        f"There is no shop in {path.parent}. Make one by importing products (wares import), "
        "try the sample one (wares demo), or name the folder of an existing one."
    )
