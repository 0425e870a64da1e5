"""A copy of a SQLite file as it was at one moment, while others read and write it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from wares.errors import StoreError
from wares.store.schema import connect, plain_faults

_PAGES = 4_096  # copied between two looks at the clock
_QUIET: Callable[[int, int], None] = lambda done, total: None  # noqa: E731


def copy_database(source: Path, target: Path, tell: Callable[[int, int], None] = _QUIET) -> None:
    """Write the database of `source`, all that was committed when this began, as a new file that needs no other one.

    Writers go on meanwhile: the copy reads one moment. `tell(done, total)` counts pages. Raises StoreUnwritable,
    StoreError where the source is damaged; then there is no target.
    """
    try:
        with plain_faults(source), closing(connect(source)) as old:
            old.execute("PRAGMA query_only = ON")
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees this moment
            with plain_faults(target), closing(sqlite3.connect(target)) as new:
                old.backup(new, pages=_PAGES, progress=lambda _, left, total: tell(total - left, total))
                faults = [said for (said,) in new.execute("PRAGMA quick_check(3)") if said != "ok"]
            if faults:
                raise StoreError(f"{source} is damaged ({faults[0]}). Restore it from a backup.")
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def is_database(path: Path) -> bool:
    """Whether a file begins as SQLite's files do."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"
