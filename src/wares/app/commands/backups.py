"""What `wares backup` and `wares restore` do and tell."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wares.app.commands import screen
from wares.engine.backup.making import backups_in, keep_newest, make_backup
from wares.engine.backup.manifest import FILE, Backup
from wares.engine.backup.restoring import find_backup, restore, verified
from wares.errors import BackupError
from wares.shop import open_shop


def back_up(folder: Path, target: Path, keep: int, *, everything: bool, as_json: bool) -> None:
    """Make a backup, then remove those that are too many; `keep` 0 = none is."""
    with screen.progress() as tell:
        place, backup = make_backup(folder, target, _now_ms(), tell, everything=everything)
        removed = keep_newest(target, keep, place) if keep else []
    if as_json:
        screen.print_json({"backup": str(place), "removed": removed, **_plain(backup)})
        return
    print(f"{place}: {_told(backup)}.")
    for one in backup.notes:
        screen.note(one)
    if removed:
        print(f"Removed, so that {keep} stay: {', '.join(removed)}.")


def verify_backups(target: Path, *, as_json: bool) -> bool:
    """Read every file of every backup in `target`, or of the one that it is; whether all are whole."""
    places = [target] if (target / FILE).exists() else backups_in(target)
    if not places:
        find_backup(target)  # says that there is none
    found = []
    for place in places:
        try:
            with screen.progress() as tell:
                backup = verified(place, tell)
        except BackupError as error:
            found.append({"backup": str(place), "whole": False, "fault": str(error)})
            if not as_json:
                screen.complain(str(error))
            continue
        found.append({"backup": str(place), "whole": True, **_plain(backup)})
        if not as_json:
            print(f"{place}: whole. {_told(backup)}.")
    if as_json:
        screen.print_json({"backups": found})
    return all(one["whole"] for one in found)


def restore_backup(target: Path, folder: Path, *, replace: bool, as_json: bool) -> None:
    """Bring a shop back into `folder`."""
    place = find_backup(target)
    with screen.progress() as tell:
        backup, kept = restore(place, folder, _now_ms(), tell, _open, replace=replace)
    if as_json:
        told = {"folder": str(folder), "backup": str(place), "kept": str(kept) if kept else None}
        screen.print_json({**told, **_plain(backup)})
        return
    print(f"{folder} is the shop of {backup.made} again: {_told(backup)}.")
    if kept:
        screen.note(f"What was there before lies in {kept}. Delete it once you do not need it: it holds shopper data.")
    screen.note("What happened after that moment is not in it: import the events since, they count once.")


def _open(folder: Path) -> None:
    """Raises where the shop in this folder cannot answer."""
    with open_shop(folder, create=False) as shop:
        shop.recommend(k=1)


def _told(backup: Backup) -> str:
    snapshot = f"snapshot {backup.snapshot}" if backup.snapshot else "no snapshot"
    size = f"{backup.size / 1e6:,.1f} MB in {len(backup.files)} files"
    return f"{backup.events:,} events up to number {backup.last_event:,}, {snapshot}, {size}"


def _plain(backup: Backup) -> dict[str, Any]:
    told = asdict(backup)
    return told | {"files": len(backup.files), "bytes": backup.size}


def _now_ms() -> int:
    return int(time.time() * 1000)
