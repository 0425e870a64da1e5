"""Who wants to know how an engine is doing. Nobody by default; a server counts it. Nothing told here holds words."""

import time
from collections.abc import Mapping
from typing import Protocol

STAGES = ("understand", "retrieve", "describe", "score", "arrange", "count", "present")
NO_ENCODER = "no-encoder"  # why an answer is less than it should be


class Laps:
    """The seconds of each stage of one request: `end` closes the stage that ran since the last `end`."""

    __slots__ = ("_since_s", "seconds")

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since_s = time.perf_counter()

    def end(self, stage: str) -> None:
        """`stage` is one of STAGES; ended twice, it counts as the sum."""
        now_s = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now_s - self._since_s
        self._since_s = now_s


class Observer(Protocol):
    """Called from the threads that answer: be quick, and raise nothing."""

    def answered(self, surface: str, seconds: Mapping[str, float]) -> None:
        """A page is ready; `seconds` by stage, of a later page only the last one."""

    def encoded(self, seconds: float) -> None:
        """A query was turned into a vector; one that was remembered is not told."""

    def degraded(self, why: str) -> None:
        """An answer that is being worked out is less than it should be; `why` is a word of a closed list."""

    def recorded(self, new: int, repeated: int, refused: int, visible_s: float) -> None:
        """Events were taken; after `visible_s` seconds answers knew of them."""

    def swapped(self, before: str, now: str) -> None:
        """Another snapshot serves; "" = none."""


class Nobody:
    """Does not want to know."""

    def answered(self, surface: str, seconds: Mapping[str, float]) -> None: ...

    def encoded(self, seconds: float) -> None: ...

    def degraded(self, why: str) -> None: ...

    def recorded(self, new: int, repeated: int, refused: int, visible_s: float) -> None: ...

    def swapped(self, before: str, now: str) -> None: ...
