"""What simulated shoppers did and met, counted by all of them at once."""

from collections import Counter
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np

from wares.evaluation.click_simulator import Floats

PLACES = 12  # of a list of search results that are counted one by one


class Counts:
    """Threads share one. `acts` are what shoppers did: visits, searches, found, reworded, given up, bought, ..."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.acts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.waited_s = 0.0
        self._ms: dict[str, list[float]] = {}
        self._shown, self._clicks = np.zeros(PLACES, np.int64), np.zeros(PLACES, np.int64)
        self._wishes, self._expected = np.zeros(PLACES), np.zeros(PLACES)

    def did(self, act: str, many: int = 1) -> None:
        with self._lock:
            self.acts[act] += many

    def answered(self, route: str, ms: float) -> None:
        with self._lock:
            self._ms.setdefault(route, []).append(ms)

    def went_wrong(self, code: str) -> None:
        with self._lock:
            self.errors[code] += 1

    def waited(self, seconds: float) -> None:
        with self._lock:
            self.waited_s += seconds
            self.acts["waits"] += 1

    def looked(self, wishes: Floats, looks: Floats, clicked: Sequence[int]) -> None:
        """One list of search results: (n,) chances of a click and of a look, and the places that were clicked."""
        n = min(len(wishes), PLACES)
        with self._lock:
            self._shown[:n] += 1
            self._wishes[:n] += wishes[:n]
            self._expected[:n] += wishes[:n] * looks[:n]
            self._clicks[[place for place in clicked if place < n]] += 1

    @property
    def requests(self) -> int:
        with self._lock:
            return sum(map(len, self._ms.values()))

    def places(self) -> list[dict[str, Any]]:
        """By place: how often something stood there and was clicked, and what the stated model expects. `seen` is the
        share of wishes that became clicks, against the first place: what the looks must have been."""
        with self._lock:
            seen = self._clicks / np.maximum(self._wishes, 1e-12)
            return [
                {
                    "place": place + 1,
                    "shown": int(self._shown[place]),
                    "clicks": int(self._clicks[place]),
                    "expected": round(float(self._expected[place]), 1),
                    "rate": round(float(self._clicks[place] / self._shown[place]), 4),
                    "seen": round(float(seen[place] / seen[0]), 3) if seen[0] > 0 else None,
                }
                for place in range(PLACES)
                if self._shown[place]
            ]

    def latencies(self) -> dict[str, dict[str, float]]:
        """By route: how many answers, and how long they took."""
        with self._lock:
            told = {}
            for route, ms in sorted(self._ms.items()):
                p50, p99 = np.percentile(ms, [50, 99])
                told[route] = {"n": len(ms), "p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1)}
            return told

    def to_dict(self) -> dict[str, Any]:
        return {
            "acts": dict(sorted(self.acts.items())),
            "places": self.places(),
            "latencies": self.latencies(),
            "errors": dict(self.errors),
            "waited_s": round(self.waited_s, 1),
        }
