"""The C library's allocator, for a process whose many threads answer for weeks: it gives back what is free.

An answer takes and frees some megabytes of arrays, and leaves some kilobytes that are kept. glibc has an arena for each
thread, and gives back only what is free at an arena's end, so each grows by the holes between what is kept. With one
arena for all threads holes are found again, and after a rush what lies in them is given back.
"""

import ctypes
import sys
import threading
from pathlib import Path
from types import TracebackType

_M_ARENA_MAX = -8
_EVERY_S = 20.0
_GROWN = 1.1  # of a process that answers steadily, what answers take and free comes and goes within less


def share_one_arena() -> bool:
    """From now on all threads take their memory from one arena; False where the C library is not glibc. To be called
    before there are threads: what has got an arena of its own keeps it."""
    library = _glibc()
    return library is not None and bool(library.mallopt(_M_ARENA_MAX, 1))


def give_back() -> bool:
    """Give the system what is free now; whether anything was. It took 20 ms of 120 MB."""
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))


class GivingBack:
    """As long as the block lasts, what is free is given back when resident memory has grown by a tenth since the last
    time; looked at every `every_s`."""

    def __init__(self, every_s: float = _EVERY_S) -> None:
        self._every_s, self._ends = every_s, threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def __enter__(self) -> "GivingBack":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        before = 0
        while not self._ends.wait(self._every_s):
            if _resident_pages() > _GROWN * before:
                give_back()
                before = _resident_pages()


def _resident_pages() -> int:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # another system than Linux
        return 0


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
