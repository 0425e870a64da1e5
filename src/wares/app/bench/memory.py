"""How much memory a process and all that it started took at most, together."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY_S = 0.25


class Peak:
    """Looks at a tree of processes now and then; shared pages count once. `megabytes` None = this system tells not."""

    def __init__(self) -> None:
        self.megabytes: float | None = None
        self._over = threading.Event()

    @contextmanager
    def of(self, pid: int) -> Iterator[None]:
        watcher = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._over.set()
            watcher.join()

    def _watch(self, pid: int) -> None:
        while not self._over.wait(_EVERY_S):
            kilobytes = sum(_proportional_kb(one) for one in _tree(pid))
            if kilobytes:
                self.megabytes = max(self.megabytes or 0.0, round(kilobytes / 1024, 1))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue  # it has just ended
        for child in children:
            yield from _tree(int(child))


def _proportional_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
