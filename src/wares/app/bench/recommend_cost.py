"""What a row of `wares bench recommend` costs: seconds of the processor, and memory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wares.app.bench.recommend_data import Score
from wares.contracts import Floats
from wares.domain.interactions import Interactions


@dataclass(frozen=True)
class Cost:
    """What fitting and asking took: seconds of the processor over all cores, and the memory on top of what was held
    before, at most (None = this system does not tell)."""

    fit_cpu_s: float = 0.0
    ask_cpu_s: float = 0.0
    memory_mb: float | None = None


def with_parts(own: Cost, parts: Sequence[Cost]) -> Cost:
    """A row that is made of others costs what they cost, too."""
    memory = [cost.memory_mb for cost in (own, *parts) if cost.memory_mb is not None]
    return Cost(own.fit_cpu_s + sum(part.fit_cpu_s for part in parts), own.ask_cpu_s, max(memory) if memory else None)


class Stopwatch:
    """Scores, and keeps what that took of the processor."""

    def __init__(self, score: Score) -> None:
        self._score = score
        self.cpu_s = 0.0

    def __call__(self, asked: Interactions) -> Floats:
        begun = time.process_time()
        scores = self._score(asked)
        self.cpu_s += time.process_time() - begun
        return scores


def start_peak() -> float | None:
    """Forget the peak so far (Linux); the megabytes held now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status_mb("VmRSS")


def peak_above(level: float | None) -> float | None:
    peak = _status_mb("VmHWM")
    return None if level is None or peak is None else max(0.0, peak - level)


def _status_mb(name: str) -> float | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":")), None)
