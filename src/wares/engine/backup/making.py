"""Making a backup beside a running server: nothing stops, and what was acknowledged before it began is in it."""

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from wares.engine.backup.manifest import BEFORE, FILE, SHOP, Backup, files_below, read_backup
from wares.engine.durable import publish_folder, sync_folder
from wares.engine.learnt import SNAPSHOTS
from wares.engine.manifest import sha256_of
from wares.engine.shelf import HELD, all_snapshot_names, current_name, held_at, make_current, snapshot_names
from wares.engine.snapshot import verify
from wares.errors import BackupError, InputError, SnapshotError, StoreUnwritable
from wares.store.copying import copy_database, is_database
from wares.store.impressions import FILE as IMPRESSIONS
from wares.store.lock import FILE as LOCK
from wares.store.schema import FILE as STORE
from wares.store.schema import connect, no_shop, plain_faults, read_meta
from wares.store.vector_cache import FILE as VECTORS
from wares.version import VERSION

Tell = Callable[[str, int, int], None]  # (stage, done, total)
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
_STAMP = "%Y%m%dT%H%M%SZ"
_DRAFT, _GONE = ".part", ".gone"  # ends of names of what is being made, and removed
_SQLITE_BESIDE = ("-wal", "-shm", "-journal")
_LEFT_OUT = re.compile(r"\..*|.*\.(part|partial)|.*\.checkpoint\.npz")  # drafts, and what is hidden


def make_backup(
    folder: Path, target: Path, now_ms: int, tell: Tell, *, everything: bool = False
) -> tuple[Path, Backup]:
    """A new backup of the shop in `folder`, in a folder of its own below `target` that is named by its moment (UTC).

    It holds the database, impressions, the snapshot that serves, settings, synonyms, rules, keys, plugins and whatever
    else lies in the shop's folder; with `everything` also the other whole snapshots and the kept vectors, which a
    training makes again. It appears whole or not at all. Raises StoreUnwritable for a full or read-only target,
    StoreError for a damaged shop, InputError for a target in the shop's own folder.
    """
    if not (folder / STORE).is_file():
        raise no_shop(folder / STORE)
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{target} lies in the shop's own folder. Choose another disk, or at least another folder.")
    made = datetime.fromtimestamp(now_ms // 1000, UTC)
    draft = target / f".{made:{_STAMP}}.{os.getpid()}{_DRAFT}"
    try:
        target.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        try:
            backup = _filled(folder, draft, made, tell, everything=everything)
            (draft / FILE).write_text(backup.text(), encoding="utf-8")
            place = _free(target, f"{made:{_STAMP}}")
            publish_folder(draft, place)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise StoreUnwritable(
            f"{error.filename or target}: {error.strerror}. No backup was made; the ones before are as they were."
        ) from error
    return place, backup


def backups_in(target: Path) -> list[Path]:
    """The folders of all backups below `target`, oldest first."""
    try:
        return sorted(place for place in target.iterdir() if _NAME.fullmatch(place.name) and place.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def keep_newest(target: Path, keep: int, made: Path) -> list[str]:
    """Remove all but the newest `keep` (at least 1) backups below `target`; the names of those removed. `made` stays in
    any case, and so does what does not say that it is a backup: it is not counted either."""
    known = [place for place in backups_in(target) if place != made and _is_backup(place)]
    gone = known[: max(len(known) - (keep - 1), 0)]
    for place in gone:
        hidden = place.with_name(f".{place.name}{_GONE}")  # none is ever seen half removed
        place.rename(hidden)
        shutil.rmtree(hidden)
    sync_folder(target)
    return [place.name for place in gone]


def _is_backup(place: Path) -> bool:
    try:
        read_backup(place)
    except BackupError:
        return False
    return True


def _free(target: Path, name: str) -> Path:
    """A name that no backup has; two of one second get two."""
    number, place = 1, target / name
    while place.exists():
        number += 1
        place = target / f"{name}-{number}"
    return place


def _filled(folder: Path, draft: Path, made: datetime, tell: Tell, *, everything: bool) -> Backup:
    """Copy in this order: what a snapshot has learnt of is then in the database, which is copied last."""
    shop, notes = draft / SHOP, list[str]()
    shop.mkdir()
    snapshot = _copy_snapshots(folder / SNAPSHOTS, shop / SNAPSHOTS, notes, tell, everything=everything)
    databases = _copy_files(folder, shop, notes, everything=everything)
    for name in sorted(databases, key=lambda name: name == STORE):
        stage = f"Copying {name}"
        copy_database(folder / name, shop / name, partial(tell, stage))
        (shop / name).chmod(stat.S_IMODE((folder / name).stat().st_mode))
        tell(stage, 1, 1)
    files, names = dict[str, tuple[int, str]](), list(files_below(shop))
    for place, name in enumerate(names):
        tell("Checksums", place, len(names))
        files[name] = ((shop / name).stat().st_size, sha256_of(shop / name))
    tell("Checksums", len(names), len(names))
    return Backup(
        made=made.isoformat().replace("+00:00", "Z"),
        version=VERSION,
        **_numbers(shop),
        snapshot=snapshot,
        files=files,
        notes=tuple(notes),
    )


def _copy_snapshots(source: Path, target: Path, notes: list[str], tell: Tell, *, everything: bool) -> str:
    """The one that serves, or where that is damaged the newest whole one that may; its name, "" = none."""
    current, may_serve = current_name(source), list(reversed(snapshot_names(source)))
    wanted = [current, *(name for name in may_serve if name != current)] if current else may_serve
    serving = next((name for name in wanted if _copied(source / name, target / name, notes, tell)), "")
    if everything:
        for name in all_snapshot_names(source):
            if not (target / name).exists():
                _copied(source / name, target / name, notes, tell)
    if serving:
        make_current(target, serving)
        if held_at(source) == serving:
            shutil.copyfile(source / HELD, target / HELD)
    return serving


def _copied(source: Path, target: Path, notes: list[str], tell: Tell) -> bool:
    """Whether the copy of this snapshot is whole; else there is none."""
    tell(f"Copying snapshot {source.name}", 0, 1)
    try:
        target.mkdir(parents=True)
        for path in sorted(source.iterdir()):
            if path.is_file() and not _LEFT_OUT.fullmatch(path.name):
                shutil.copy2(path, target / path.name)
        verify(target)
    except FileNotFoundError:  # a training that ended meanwhile has removed it
        shutil.rmtree(target, ignore_errors=True)
        return False
    except SnapshotError as error:
        shutil.rmtree(target, ignore_errors=True)
        notes.append(f"Left out: {error}")
        return False
    tell(f"Copying snapshot {source.name}", 1, 1)
    return True


def _copy_files(folder: Path, shop: Path, notes: list[str], *, everything: bool) -> list[str]:
    """Copy everything but snapshots and databases; the paths of the databases."""
    databases = list[str]()
    for name in _belonging(folder, notes, everything=everything):
        copy = shop / name
        for above in reversed(Path(name).parents):  # the folder of the keys is nobody else's in the copy, too
            if not (shop / above).exists():
                (shop / above).mkdir()
                shutil.copymode(folder / above, shop / above)
        try:
            if is_database(folder / name):
                databases.append(name)
            else:
                shutil.copy2(folder / name, copy)
        except FileNotFoundError:  # a draft of somebody else's, which has another name by now
            continue
    return databases


def _belonging(folder: Path, notes: list[str], *, everything: bool) -> Iterator[str]:
    """The paths below `folder` of all files to copy but snapshots, in order. What is no file of its own is noted."""
    ours = {LOCK, SNAPSHOTS, *(() if everything else (VECTORS,))}

    def is_left_out(at: Path, name: str) -> bool:
        return bool(_LEFT_OUT.fullmatch(name)) or (at == folder and (name in ours or name.startswith(BEFORE)))

    for where, folders, names in os.walk(folder):
        at = Path(where)
        folders[:] = [name for name in sorted(folders) if not is_left_out(at, name)]
        links = [at / name for name in folders if (at / name).is_symlink()]  # where os.walk does not go
        notes += [f"Left out: {path.relative_to(folder)} is a link to a folder." for path in links]
        for name in sorted(names):
            beside = name.endswith(_SQLITE_BESIDE) and (at / name.rpartition("-")[0]).exists()
            if not beside and not is_left_out(at, name) and (at / name).is_file():
                yield (at / name).relative_to(folder).as_posix()


def _numbers(shop: Path) -> dict[str, int]:
    """The last sequence numbers of the copies."""
    with plain_faults(shop / STORE), closing(connect(shop / STORE)) as store:
        version = read_meta(store, "schema_version")
        last = store.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        numbers = {
            "schema": version if isinstance(version, int) else 0,
            "events": int(store.execute("SELECT count(*) FROM events").fetchone()[0]),
            "last_event": int(last[0]) if last else 0,
            "last_change": int(store.execute("SELECT ifnull(max(change), 0) FROM products").fetchone()[0]),
            "last_impression": 0,
        }
    if (shop / IMPRESSIONS).is_file():
        with plain_faults(shop / IMPRESSIONS), closing(connect(shop / IMPRESSIONS)) as shown:
            found = shown.execute("SELECT seq FROM sqlite_sequence WHERE name = 'impressions'").fetchone()
            numbers["last_impression"] = int(found[0]) if found else 0
    return numbers
