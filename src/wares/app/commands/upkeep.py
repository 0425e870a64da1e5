"""The doctor's look at what a shop stands on: files and their locks, the port, the clock, backups, risky settings."""

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from wares.app.commands.finding import Finding
from wares.engine.backup.making import backups_in
from wares.engine.backup.manifest import read_backup
from wares.engine.learnt import SNAPSHOTS
from wares.engine.settings import Settings
from wares.engine.shelf import kept_snapshots, snapshot_names
from wares.engine.snapshot import verify
from wares.errors import WaresError
from wares.store.lock import Holder, holder
from wares.store.schema import FILE, SCHEMA_VERSION, open_for_reading, read_meta
from wares.store.sqlite import Store

_LEAST_DISK_GB, _NO_DISK_GB = 1.0, 0.1
_LARGE_WAL_MB = 256
_LEAST_FILES = 1024
_AHEAD_MS = 10 * 60_000  # clocks of senders differ
_OLD_BACKUP_DAYS = 7.0
_PATIENCE_S = 3.0
_DAY_MS = 86_400_000


def look_after(folder: Path, settings: Settings | None, backups: Path | None, now_ms: int) -> Iterator[Finding]:
    """All of it, of one shop. `backups`: where `wares backup` puts its copies; None = that is not looked at."""
    by = holder(folder)
    yield _lock(by)
    if settings is not None:
        if by is None or not by.url:
            yield _port(settings)
        yield from _risks(folder, settings)
    yield _disk(folder)
    if not os.access(folder, os.W_OK):
        told = f"{folder} cannot be written"
        yield Finding("warning", "folder", told, "Reading works; importing and training do not.")
    yield _schema(folder)
    yield _wal(folder)
    yield from _older_snapshots(folder)
    yield _clock(folder, now_ms)
    yield _open_files()
    if backups is not None:
        yield _backup(backups, now_ms)


def _lock(by: Holder | None) -> Finding:
    """The system frees the lock of a dead process, so whoever holds it lives; a server must also answer."""
    if by is None:
        return Finding("ok", "writer's lock", "free")
    told = f"held by process {by.pid}"
    if not by.url:
        return Finding("ok", "writer's lock", told)
    told += f", which serves {by.url}"
    try:
        ready = json.loads(_fetched(f"{by.url}/readyz"))
    except HTTPError as error:
        why = _why_not(error)
        return Finding("problem", "writer's lock", f"{told} and is not ready: {why}", "See its log.")
    except (URLError, OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        advice = f"It hangs, or ends. See its log; if it stays so, end process {by.pid} and serve again."
        return Finding("problem", "writer's lock", f"{told} and does not answer ({reason})", advice)
    lacking = [one["meaning"] for shop in ready.get("shops", {}).values() for one in shop["degraded"]]
    if lacking:
        return Finding("warning", "writer's lock", f"{told}: {' '.join(lacking)}", "docs/how-to/watch-it.md says more.")
    return Finding("ok", "writer's lock", f"{told} and is ready")


def _fetched(url: str) -> bytes:
    """`url` is what this shop's own server wrote into its lock."""
    with urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310
        content: bytes = answer.read(1_000_000)
        return content


def _why_not(error: HTTPError) -> str:
    try:
        shops = json.loads(error.read(1_000_000))["shops"].values()
        return " ".join(shop["why"] for shop in shops if shop["why"]) or f"status {error.code}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {error.code}"


def _port(settings: Settings) -> Finding:
    host, port = settings.server.host, settings.server.port
    if not port:
        return Finding("ok", "port", "any free one, as the settings say")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            advice = "Another program has it, or the address is not this machine's: choose another with --port."
            return Finding("warning", "port", f"{host}:{port} cannot be had ({error.strerror})", advice)
    return Finding("ok", "port", f"{host}:{port} is free")


def _risks(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Settings that let more in than a shop may want."""
    from wares.app.web.access.key_ring import KeyRing
    from wares.app.web.serve import is_loopback

    server = settings.server
    admin = os.environ.get(server.admin_key_env, "")
    found = 0
    if not is_loopback(server.host):
        if not KeyRing(folder, admin).has_active_keys():
            told = f"server.host is {server.host}, which others can reach, and there is no valid key"
            yield Finding(
                "problem", "risks", told, f"wares keys new {folder} --scope admin; until then nothing is served."
            )
            found += 1
        rates = [name for name in ("rate_per_key", "rate_per_address", "rate_per_shopper") if not getattr(server, name)]
        if rates:
            told = f"{', '.join(f'server.{name}' for name in rates)} = 0: anybody may ask without end"
            yield Finding("warning", "risks", told, "Set a rate, or let a proxy have one.")
            found += 1
    if admin and len(admin) < 20:
        told = f"the key in {server.admin_key_env} has {len(admin)} characters and can be guessed"
        yield Finding("warning", "risks", told, f'export {server.admin_key_env}="$(openssl rand -hex 32)"')
        found += 1
    if not settings.promotion.compare:
        told = "promotion.compare = false: a worse training takes the place of what serves"
        yield Finding("warning", "risks", told, "Leave it out, unless you compare by other means.")
        found += 1
    if not found:
        yield Finding("ok", "risks", "no setting lets in more than it should")


def _disk(folder: Path) -> Finding:
    """A training writes a snapshot beside the one that serves."""
    usage = shutil.disk_usage(folder)
    free_gb, told = usage.free / 2**30, f"{usage.free / 2**30:.1f} GB free"
    if free_gb < _NO_DISK_GB:
        return Finding("problem", "disk", told, "Make room at once: events cannot be kept on a full disk.")
    names = snapshot_names(folder / SNAPSHOTS)
    largest = max((_size(folder / SNAPSHOTS / name) for name in names), default=0)
    if free_gb < _LEAST_DISK_GB or usage.free < 2 * largest:
        return Finding("warning", "disk", told, "Make room: a training writes another snapshot, and events need some.")
    return Finding("ok", "disk", told)


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in place.glob("*") if path.is_file())


def _schema(folder: Path) -> Finding:
    with closing(open_for_reading(folder / FILE)) as connection:
        version = read_meta(connection, "schema_version")
    if isinstance(version, bytes):
        return Finding("problem", "schema", "the store does not say its version", "Restore it from a backup.")
    if version == SCHEMA_VERSION:
        return Finding("ok", "schema", f"version {version}, this wares' own")
    told = f"version {version}; this wares writes {SCHEMA_VERSION}"
    return Finding("warning", "schema", told, "The first process that writes upgrades it. Back up before.")


def _wal(folder: Path) -> Finding:
    sizes = {path.name: path.stat().st_size / 2**20 for path in folder.glob("*.sqlite-wal")}
    told = ", ".join(f"{name} {size:.1f} MB" for name, size in sorted(sizes.items())) or "empty"
    if max(sizes.values(), default=0) > _LARGE_WAL_MB:
        advice = "A reader stays open and keeps it from being folded in: end it. The next write then makes it small."
        return Finding("warning", "write-ahead log", told, advice)
    return Finding("ok", "write-ahead log", told)


def _older_snapshots(folder: Path) -> Iterator[Finding]:
    """The current one is verified where it is loaded; the older ones are what it falls back on."""
    older = [kept.name for kept in kept_snapshots(folder / SNAPSHOTS) if kept.state != "current"]
    damaged = []
    for name in older:
        try:
            verify(folder / SNAPSHOTS / name)
        except WaresError as error:
            damaged.append(str(error))
    for text in damaged:
        yield Finding(
            "warning", "older snapshots", text, "It is not fit to go back to; a training replaces it in time."
        )
    if older and not damaged:
        yield Finding("ok", "older snapshots", f"{len(older)} to go back to, verified")


def _clock(folder: Path, now_ms: int) -> Finding:
    with Store.open(folder, "read") as store:
        count, latest_ms = store.events.later_than(now_ms + _AHEAD_MS)
    made = [float(kept.facts.get("made_ms", 0)) for kept in kept_snapshots(folder / SNAPSHOTS)]
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    if max(made, default=0) > now_ms + _AHEAD_MS:
        told = f"it is {now:%Y-%m-%d %H:%M} UTC here, and a snapshot was made later than that"
        return Finding("problem", "clock", told, "Set this machine's clock (NTP): sales, tokens and keys go by it.")
    if count:
        latest = datetime.fromtimestamp(latest_ms / 1000, UTC)
        told = (
            f"{count:,} events lie in the future, the latest on {latest:%Y-%m-%d}; it is {now:%Y-%m-%d %H:%M} UTC here"
        )
        return Finding("warning", "clock", told, "Set the clock of this machine, or of who sends them.")
    return Finding("ok", "clock", f"{now:%Y-%m-%d %H:%M} UTC; no event lies in the future")


def _open_files() -> Finding:
    if sys.platform == "win32":
        return Finding("ok", "open files", "without a limit of the process")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = f"{soft:,} at a time for a process started here" if soft != resource.RLIM_INFINITY else "no limit"
    if soft != resource.RLIM_INFINITY and soft < _LEAST_FILES:
        most = "unlimited" if hard == resource.RLIM_INFINITY else min(hard, 65_536)
        return Finding("warning", "open files", told, f"Each connection is one. Before serving: ulimit -n {most}")
    return Finding("ok", "open files", told)


def _backup(target: Path, now_ms: int) -> Finding:
    places = backups_in(target)
    if not places:
        return Finding("problem", "backup", f"none in {target}", "wares backup FOLDER TARGET, by a timer.")
    try:
        newest = read_backup(places[-1])
    except (WaresError, OSError) as error:
        return Finding("problem", "backup", str(error), f"wares backup --verify {target} looks at all of them.")
    age_days = (now_ms - datetime.fromisoformat(newest.made).timestamp() * 1000) / _DAY_MS
    told = f"the newest of {len(places)} is {age_days:.1f} days old and holds {newest.events:,} events"
    if age_days > _OLD_BACKUP_DAYS:
        return Finding("warning", "backup", told, "Is the timer running that calls `wares backup`?")
    return Finding("ok", "backup", told)
