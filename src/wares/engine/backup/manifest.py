"""What a backup says of itself: which moment of which shop it is, and each file's SHA-256."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from wares.contracts import Progress
from wares.engine.manifest import is_whole, read_sealed, sealed, sha256_of
from wares.errors import BackupError

FORMAT = 1
FILE = "backup.json"
SHOP = "shop"  # the folder in a backup that becomes the shop's
BEFORE = "before-restore-"  # in a shop's folder: begins the names of folders with what a restore took the place of


@dataclass(frozen=True, slots=True)
class Backup:
    """`made`: ISO 8601, UTC. The numbers are the last of each kind that it contains; `snapshot` "" = none was there.
    `files`: path below the shop's folder, with /, -> (bytes, SHA-256)."""

    made: str
    version: str
    schema: int
    events: int
    last_event: int
    last_change: int
    last_impression: int
    snapshot: str
    files: Mapping[str, tuple[int, str]]
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())

    def text(self) -> str:
        """As it is written."""
        return sealed({"format": FORMAT, **asdict(self)})


def read_backup(place: Path) -> Backup:
    """What the backup in this folder says of itself. BackupError where that was cut or altered, or is no backup."""
    try:
        told = read_sealed(place / FILE)
    except FileNotFoundError:
        raise BackupError(f"{place} is no backup: it has no {FILE}.") from None
    except (OSError, ValueError) as error:
        raise BackupError(f"{place / FILE} cannot be read ({error}). {_REMEDY}") from error
    if told.get("format") != FORMAT:
        raise BackupError(f"{place} has format {told.get('format')!r}, this version reads {FORMAT}. Update wares.")
    if not is_whole(told):
        raise BackupError(f"{place / FILE} was altered. {_REMEDY}")
    try:
        return _read(told)
    except (KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{place / FILE} is not what wares writes ({error}). {_REMEDY}") from error


def check_files(place: Path, backup: Backup, tell: Progress) -> None:
    """Read every file. BackupError names the first ones that are missing, cut or altered, or that nobody spoke of."""
    root, faults = place / SHOP, list[str]()
    for name, (size, expected) in backup.files.items():
        path = root / name
        if path.is_symlink() or not path.is_file():
            faults.append(f"{name} is missing")
        elif path.stat().st_size != size:
            faults.append(f"{name} has {path.stat().st_size:,} bytes, not {size:,}")
        elif sha256_of(path) != expected:
            faults.append(f"{name} was altered")
        tell(size)
    faults += [f"{name} does not belong to it" for name in files_below(root) if name not in backup.files]
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise BackupError(f"Backup {place} is damaged: {'; '.join(faults[:3])}{more}. {_REMEDY}")


def files_below(root: Path) -> Iterator[str]:
    """Paths of all files and links below a folder, with /, in order."""
    found = (path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return iter(sorted(path.relative_to(root).as_posix() for path in found))


_REMEDY = "Take another backup: `wares backup --verify` says which are whole."


def _read(told: Mapping[str, Any]) -> Backup:
    files = {str(name): (int(size), str(digest)) for name, (size, digest) in told["files"].items()}
    for name in files:
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name:
            raise ValueError(f"file {name!r} lies elsewhere")
    datetime.fromisoformat(told["made"])
    return Backup(
        str(told["made"]), str(told["version"]), int(told["schema"]), int(told["events"]), int(told["last_event"]),
        int(told["last_change"]), int(told["last_impression"]), str(told["snapshot"]), files,
        tuple(map(str, told["notes"])),
    )  # fmt: skip
