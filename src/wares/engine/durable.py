"""Files that are on disk before anybody is told that they are there."""

import os
from pathlib import Path


def write_text(path: Path, text: str, mode: int = 0o666) -> None:
    """Write a file and wait until the disk has it. A new file has these rights from its first moment on."""
    with open(path, "w", encoding="utf-8", newline="", opener=lambda at, flags: os.open(at, flags, mode)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def replace_text(path: Path, text: str, mode: int = 0o666) -> None:
    """The whole new file or the old one, whatever happens meanwhile."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_text(beside, text, mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
