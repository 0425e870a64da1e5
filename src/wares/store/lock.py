"""One writer at a time: a lock file that the operating system releases when its process ends, however it ends."""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from wares.errors import StoreLocked
from wares.store.schema import unwritable

FILE = "writer.lock"
PATIENCE_S = 0.5  # another process that only looks who holds the lock has it for some microseconds


@dataclass(frozen=True, slots=True)
class Holder:
    """Who writes now: the process, and the URL where it takes requests ("" = it serves none)."""

    pid: int
    url: str = ""


class WriterLock:
    """Held from construction until `close`. The file stays behind, empty; it says nothing once nobody holds it.

    Raises StoreLocked while another writer holds it, StoreUnwritable where no file can be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as fault:
            raise unwritable(self._path, fault) from fault
        try:
            self._wait(folder)
            self.announce("")
        except BaseException:
            os.close(self._fd)
            raise

    def _wait(self, folder: Path) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not _try_lock(self._fd):
            if time.monotonic() > deadline_s:
                raise _locked(folder, _read(self._fd))
            time.sleep(0.02)

    def announce(self, url: str) -> None:
        """Say where this process takes requests, so that others send their writes there."""
        said = json.dumps({"pid": os.getpid(), "url": url}).encode()
        try:
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, said)
            os.ftruncate(self._fd, len(said))
        except OSError as fault:
            raise unwritable(self._path, fault) from fault

    def close(self) -> None:
        """Let the next writer in. May be called twice."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def holder(folder: Path) -> Holder | None:
    """Who holds the writer's lock of this shop; None = nobody, whatever a dead process left behind."""
    try:
        fd = os.open(folder / FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        return None if _try_lock(fd, shared=True) else _read(fd) or Holder(0)
    finally:
        os.close(fd)


def _read(fd: int) -> Holder | None:
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        said = json.loads(os.read(fd, 4096))
        return Holder(int(said["pid"]), str(said["url"]))
    except (ValueError, KeyError, TypeError):
        return None  # it is about to write its name


def _locked(folder: Path, by: Holder | None) -> StoreLocked:
    who = f"process {by.pid}" if by else "another process"
    if by and by.url:
        advice = f"It serves {by.url}: send the change there, or stop it first."
    else:
        advice = "Wait until it is done, or stop it."
    return StoreLocked(f"The shop in {folder} is being written by {who}. {advice} Reading goes on meanwhile.")


if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int, shared: bool = False) -> bool:
        """Locks one byte far behind the text, because Windows forbids others to read what is locked."""
        os.lseek(fd, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(fd: int, shared: bool = False) -> bool:
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
