"""The snapshots of a shop: which there are, which one serves, and which a person put aside."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wares.engine.durable import replace_text, sync_folder, write_text
from wares.engine.manifest import checked_name, read_checked_name
from wares.engine.snapshot_manifest import MANIFEST, read_manifest
from wares.errors import SnapshotError

_CURRENT = "CURRENT"  # names the snapshot that serves
HELD = "HELD"  # names the snapshot that a person went back to; while it serves, no training puts another in its place
ASIDE = "ASIDE"  # in a snapshot's folder: why it does not serve
REPORT = "promotion.json"  # in a snapshot's folder: how it was compared with the one that served
_STALE_S = 86_400
_SMALL = 10_000  # bytes of a mark that are read


@dataclass(frozen=True, slots=True)
class Kept:
    """One finished snapshot as its folder tells. `state`: "current", "kept aside" (`why` says for what), "older", or
    "damaged". `report`: how it was compared with the one that served before it; empty = it was not."""

    name: str
    state: str
    why: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)


def make_current(folder: Path, name: str) -> None:
    """Let `name` be the snapshot that serving processes load."""
    replace_text(folder / _CURRENT, checked_name(name))
    (folder / name / ASIDE).unlink(missing_ok=True)
    (folder / HELD).unlink(missing_ok=True)
    sync_folder(folder)


def go_back(folder: Path, name: str) -> None:
    """Let `name`, an older one, serve again. What is newer is kept aside, and no training makes another one current
    until `make_current` is called."""
    leaving = current_name(folder)
    for newer in snapshot_names(folder):
        if newer > name:
            what = "left" if newer == leaving else "passed over"
            write_text(folder / newer / ASIDE, f"{what} when the shop went back to {name}")
    replace_text(folder / HELD, checked_name(name))  # means nothing until the next line
    replace_text(folder / _CURRENT, checked_name(name))
    (folder / name / ASIDE).unlink(missing_ok=True)
    sync_folder(folder)


def held_at(folder: Path) -> str:
    """The snapshot that a person went back to and that still serves; "" = none. A mark that was altered holds whatever
    serves, until a person promotes one."""
    if not (folder / HELD).exists():
        return ""
    name, current = read_checked_name(_read_small(folder / HELD)), current_name(folder)
    return current if name in ("", current) else ""


def current_name(folder: Path) -> str:
    """The name of the current snapshot; "" = none yet, or a file that was altered and cannot say it."""
    return read_checked_name(_read_small(folder / _CURRENT))


def all_snapshot_names(folder: Path) -> list[str]:
    """All finished snapshots, oldest first."""
    return sorted(p.parent.name for p in folder.glob(f"*/{MANIFEST}") if not p.parent.name.startswith("."))


def snapshot_names(folder: Path) -> list[str]:
    """Those that may serve, oldest first: all finished ones but those kept aside."""
    current = current_name(folder)
    return [name for name in all_snapshot_names(folder) if name == current or not (folder / name / ASIDE).exists()]


def kept_snapshots(folder: Path) -> list[Kept]:
    """All finished snapshots with what is told of them, oldest first. Their data is not read."""
    current, found = current_name(folder), []
    for name in all_snapshot_names(folder):
        aside = folder / name / ASIDE
        why = _read_small(aside) if name != current else ""
        state = "current" if name == current else "kept aside" if why or aside.exists() else "older"
        try:
            manifest = read_manifest(folder / name)
        except SnapshotError as error:
            found.append(Kept(name, "damaged", str(error)))
            continue
        report = _read_report(folder / name)
        found.append(Kept(name, state, why, manifest["facts"], tuple(manifest["models"]), report))
    return found


def prune(folder: Path, keep: int = 3) -> None:
    """Remove all but the newest `keep` snapshots that may serve and the newest one kept aside; the current one always
    stays. A reader has loaded its own whole."""
    for left in folder.glob(".*.part"):  # of a training that was killed
        if time.time() - left.stat().st_mtime > _STALE_S:
            shutil.rmtree(left, ignore_errors=True)
    names, current = snapshot_names(folder), current_name(folder)
    aside = [name for name in all_snapshot_names(folder) if name not in names]
    for name in [*names[: max(len(names) - keep, 0)], *aside[:-1]]:
        if name != current:
            shutil.rmtree(folder / name, ignore_errors=True)


def _read_small(path: Path) -> str:
    """What a small file says; "" where it cannot be read."""
    try:
        return path.read_bytes()[:_SMALL].decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _read_report(place: Path) -> Mapping[str, Any]:
    """A snapshot's report; empty without one that can be read, since nothing depends on it."""
    try:
        report = json.loads((place / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}
