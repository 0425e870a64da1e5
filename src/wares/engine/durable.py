"""Files that are on disk before anybody is told that they are there.

Whatever wares publishes goes one way: written under another name, fsync, renamed, fsync of the folder that holds the
name. So after a power cut there is the whole new file or the whole old one.
"""

import os
import stat
from pathlib import Path

_NEW = 0o666  # rights of a new file, less the umask


def write_text(path: Path, text: str, mode: int = _NEW) -> None:
    """Write a file and wait until the disk has it. A new file has these rights from its first moment on."""
    write_bytes(path, text.encode("utf-8"), mode)


def write_bytes(path: Path, content: bytes, mode: int = _NEW) -> None:
    """The same of bytes."""
    with open(path, "wb", opener=lambda at, flags: os.open(at, flags, mode)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_text(path: Path, text: str, mode: int | None = None) -> None:
    """The whole new file or the old one, whatever happens meanwhile. `mode` None = the rights of the old one."""
    replace_bytes(path, text.encode("utf-8"), mode)


def replace_bytes(path: Path, content: bytes, mode: int | None = None) -> None:
    """The same of bytes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_bytes(beside, content, _NEW if mode is None else mode)
        if mode is None and path.exists():
            beside.chmod(stat.S_IMODE(path.stat().st_mode))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def publish(draft: Path, path: Path) -> None:
    """Let a finished file have its name, instead of the one that had it."""
    sync_file(draft)
    draft.replace(path)
    sync_folder(path.parent)


def publish_once(draft: Path, path: Path) -> None:
    """Let a finished file have a name that is still free, beside its own. Raises FileExistsError."""
    sync_file(draft)
    os.link(draft, path)
    sync_folder(path.parent)


def publish_folder(draft: Path, place: Path) -> None:
    """Let a finished folder, with all that is in it, have its name, which is free or an empty folder's."""
    for folder, _, names in os.walk(draft, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))
    draft.rename(place)
    sync_folder(place.parent)


def sync_file(path: Path) -> None:
    """Wait until the disk has what was written to a file."""
    with path.open("rb" if os.name != "nt" else "r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
