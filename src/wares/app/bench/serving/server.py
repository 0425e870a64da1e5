"""A real `wares serve` in a process of its own, and what it costs."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from urllib.request import urlopen

from wares.errors import TrainingError

_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True, slots=True)
class Server:
    """`ready_s`: from the start of the process until it answers."""

    pid: int
    port: int
    ready_s: float

    def cpu_s(self) -> float:
        """Processor seconds so far, of the server and the processes that answer for it; nan where the system does not
        tell."""
        return sum(map(_cpu_s, self._family()))

    def memory_mb(self) -> float:
        """Resident memory now, of all of them; nan where the system does not tell."""
        return sum(map(_memory_mb, self._family()))

    def wait_for_workers(self, most_s: float = 120.0) -> None:
        """Until the processes that were begun can answer; at once where none were."""
        until_s = time.monotonic() + most_s
        while self._starting() and time.monotonic() < until_s:
            time.sleep(0.2)

    def _starting(self) -> float:
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("wares_workers") and "starting" in line)

    def _family(self) -> list[int]:
        """The server, and whom it has started."""
        found = [self.pid]
        for place in Path(f"/proc/{self.pid}/task").glob("*/children"):
            try:
                found += map(int, place.read_text().split())
            except OSError:  # a thread that has just ended
                continue
        return found


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Until the block ends; then it is asked to stop, as Ctrl-C would."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "wares", "serve", str(folder), "--port", "0", "--json"]
    with Popen(command, text=True, stdout=PIPE) as child:  # noqa: S603 (our own words)
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise TrainingError(f"`wares serve {folder}` ended with {child.wait()}.")
        try:
            yield Server(child.pid, int(json.loads(line)["url"].rpartition(":")[2]), time.perf_counter() - started)
        finally:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(30)
            except BaseException:
                child.kill()
                raise
