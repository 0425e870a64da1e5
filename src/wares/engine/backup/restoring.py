"""From a backup back to a shop: every file is read and checked first, and the shop that was there goes last."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from wares.engine.backup.making import Tell, backups_in
from wares.engine.backup.manifest import BEFORE, FILE, SHOP, Backup, check_files, files_below, read_backup
from wares.engine.durable import sync_file, sync_folder
from wares.engine.manifest import sha256_of
from wares.errors import BackupError, InputError, StoreUnwritable
from wares.store.lock import FILE as LOCK
from wares.store.lock import WriterLock
from wares.store.schema import FILE as STORE

_DRAFT = ".restore."


def find_backup(target: Path) -> Path:
    """The backup in this folder: the folder itself, or the newest one below it. BackupError where there is none."""
    if (target / FILE).is_file():
        return target
    found = backups_in(target)
    if not found:
        raise BackupError(f"There is no backup in {target}. `wares backup FOLDER TARGET` makes one.")
    return found[-1]


def verified(place: Path, tell: Tell) -> Backup:
    """What the backup says, once every file is known to be as it was written. BackupError."""
    backup, done = read_backup(place), 0
    tell("Checking the backup", 0, backup.size)

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell("Checking the backup", done, backup.size)

    check_files(place, backup, more)
    return backup


def restore(
    place: Path, folder: Path, now_ms: int, tell: Tell, try_out: Callable[[Path], None], *, replace: bool = False
) -> tuple[Backup, Path | None]:
    """Put the shop of the backup in `place` into `folder`; what it was, and where the shop lies that was there before.

    The copy is read again and `try_out` (which raises where a shop cannot be opened) is asked before the folder
    changes. A folder with anything in it is refused unless `replace`; then all that was in it is kept in a folder in
    it. Raises BackupError, InputError, StoreLocked while the folder has a writer, StoreUnwritable.
    """
    backup = verified(place, tell)
    taken = _occupied(folder)
    if taken and not replace:
        some = ", ".join([*taken[:3], *(["..."] if len(taken) > 3 else [])])
        raise InputError(
            f"{folder} is not empty ({some}). Choose another folder, or say --replace: what is there is kept beside "
            "the restored shop."
        )
    draft = folder / f"{_DRAFT}{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(folder)
        try:
            _copy(place, backup, draft, tell)
            tell("Opening the restored shop", 0, 1)
            try_out(draft)
            tell("Opening the restored shop", 1, 1)
            kept = _free(folder, datetime.fromtimestamp(now_ms // 1000, UTC)) if taken else None
            _swap(draft, folder, kept)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            lock.close()
    except OSError as error:
        raise StoreUnwritable(
            f"{error.filename or folder}: {error.strerror}. Nothing was restored; what was in {folder} is as it was."
        ) from error
    return backup, kept


def _occupied(folder: Path) -> list[str]:
    """What lies in the folder but for the lock, drafts of a restore that was killed, and what earlier ones kept."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise InputError(f"{folder} is a file. Choose a folder.")
    names = sorted(path.name for path in folder.iterdir())
    return [name for name in names if name != LOCK and not name.startswith((_DRAFT, BEFORE))]


def _free(folder: Path, now: datetime) -> Path:
    """A folder for what was there before; two of one second get two."""
    stem = folder / f"{BEFORE}{now:%Y%m%dT%H%M%SZ}"
    number, place = 1, stem
    while place.exists():
        number += 1
        place = stem.with_name(f"{stem.name}-{number}")
    return place


def _copy(place: Path, backup: Backup, draft: Path, tell: Tell) -> None:
    """Every file, checked again as it arrived."""
    source, done = place / SHOP, 0
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    for name in files_below(source):
        size, expected = backup.files[name]
        copy = draft / name
        for folder in reversed(copy.relative_to(draft).parents):
            if not (draft / folder).exists():
                (draft / folder).mkdir()
                shutil.copymode(source / folder, draft / folder)
        shutil.copy2(source / name, copy)
        sync_file(copy)
        if sha256_of(copy) != expected:
            raise BackupError(f"{name} did not arrive as it was in the backup. Check the disks, and try again.")
        done += size
        tell("Copying", done, backup.size)
    for where, _, _ in os.walk(draft, topdown=False):
        sync_folder(Path(where))


def _swap(draft: Path, folder: Path, kept: Path | None) -> None:
    """Move what is there aside and what is new in, the database last: where a kill leaves the folder without one, it is
    not taken for a shop. A move that fails takes back those before it."""
    moves = list[tuple[Path, Path]]()
    if kept is not None:
        kept.mkdir(mode=0o700)
        moves += [(folder / name, kept / name) for name in _occupied(folder)]
    moves += [(path, folder / path.name) for path in sorted(draft.iterdir(), key=lambda path: path.name == STORE)]
    done = list[tuple[Path, Path]]()
    try:
        for source, goal in moves:
            source.rename(goal)
            done.append((source, goal))
    except BaseException:
        for source, goal in reversed(done):
            goal.rename(source)
        if kept is not None:
            with suppress(OSError):
                kept.rmdir()
        raise
    if kept is not None:
        sync_folder(kept)
    sync_folder(folder)
