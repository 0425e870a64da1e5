"""A time to erase by. A clock that jumps into the year 2099 must not empty a log whose rows are kept for 90 days."""

import time
from collections.abc import Callable

PACE = 24  # it goes at most so many times as fast as time really passes
_DAY_MS = 86_400_000
_FLOOR_MS = 1_767_225_600_000  # 2026-01-01: wares is not older, so a clock that is has not been set yet


class SteadyTime:
    """Never ahead of the clock, and never more than a day further for each hour that this process runs.

    After a shop stood still for 10 days it is right again after 10 hours; meanwhile things are kept a little longer. A
    clock that is wrong by years has to stay so for days before anything goes that should not. `begun_ms`: what
    `reached_ms` was before (keep it with the data), None = nothing is known, and the clock is believed. `clock` as
    time.time, `passed` as time.monotonic.
    """

    def __init__(
        self, begun_ms: int | None, clock: Callable[[], float] = time.time, passed: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock, self._passed = clock, passed
        self.reached_ms = max(self.clock_ms() if begun_ms is None else begun_ms, _FLOOR_MS)
        self._at_s = passed()

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        at_s, clock_ms = self._passed(), self.clock_ms()
        most_ms = self.reached_ms + int((at_s - self._at_s) * 1000 * PACE)
        self.reached_ms, self._at_s = max(self.reached_ms, min(clock_ms, most_ms)), at_s
        return min(self.reached_ms, clock_ms)

    def clock_ms(self) -> int:
        """What the clock says."""
        return int(self._clock() * 1000)

    def agrees(self) -> bool:
        """Whether the clock is where it was left, so that it can be believed."""
        return abs(self.clock_ms() - self.reached_ms) < _DAY_MS
