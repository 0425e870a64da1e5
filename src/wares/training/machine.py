"""What this machine has for a training: cores, free memory, how fast it is, whether torch and a GPU are there."""

import os
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from wares.domain.cores import n_cores

_REFERENCE = 22.0  # GFLOP/s of one core of the machine on which the rates of `training.costs` were measured
_GPU = Path("/dev/nvidia0")


@dataclass(frozen=True, slots=True)
class Machine:
    """`speed` is one core's against the one that the rates were measured on; `gpu`: torch is there and so is a GPU,
    as far as one can see without loading torch."""

    cores: int
    memory_bytes: int  # free, also within the limit of a container
    speed: float = 1.0
    torch: bool = False
    gpu: bool = False


def look_at_machine() -> Machine:
    """As it is now, busy or not. Takes a moment, and does not load torch."""
    torch = find_spec("torch") is not None
    return Machine(n_cores(), free_memory(), _speed(), torch, torch and _GPU.exists())


def free_memory() -> int:
    """Bytes that a process may still take: what the system says is available, or less in a container with a limit."""
    free = _available()
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return max(0, min(free, limit - used))


def own_memory() -> int:
    """Bytes that this process takes now; where nobody says, 1 GiB."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError, IndexError):
        return 2**30


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:  # half of what there is, where nobody says how much is free
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return 2 * 2**30


def _speed() -> float:
    a = np.random.default_rng(0).random((512, 512), np.float32)
    a @ a
    rounds, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < 0.1:
        a @ a
        rounds += 1
    return float(np.clip(2 * 512**3 * rounds / took / 1e9 / _REFERENCE, 0.05, 4.0))  # more cores than one do not count
