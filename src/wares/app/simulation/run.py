"""Many simulated shoppers at once, each in a thread of their own, until the time is over or they are told to stop."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from wares.app.simulation.bias import Bias
from wares.app.simulation.counts import Counts
from wares.app.simulation.habits import Habits
from wares.app.simulation.service import Gone, Line, Service
from wares.app.simulation.visit import Visit
from wares.app.simulation.wants import Life

_TOLD = 500  # earlier purchases in one request


class Stopped(Exception):
    """The simulation ends."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`run` is in the ids of its events, so that a second simulation of one seed adds its own. `speed`: how many
    seconds of a shopper's time pass in one; `visits`: of each shopper, 0 = until the time is over.

    The same seed makes the same shoppers do the same things on the same answers, whoever of them comes first: every
    visit has a stream of random numbers of its own.
    """

    seed: int = 0
    run: str = ""
    minutes: float = 2.0
    speed: float = 10.0
    visits: int = 0
    bias: Bias = field(default_factory=Bias)
    habits: Habits = field(default_factory=Habits)


class Simulation:
    """`connect` opens a line to the service, one for each shopper."""

    def __init__(self, plan: Plan, lives: Sequence[Life], connect: Callable[[], Line]) -> None:
        self._plan, self._lives, self._connect = plan, lives, connect
        self.counts, self._stop = Counts(), threading.Event()
        self.lost = ""  # why the server was given up

    def run(self, on_tick: Callable[[float], None] | None = None) -> float:
        """Seconds that it took. `on_tick` hears of the seconds so far, some times a second. Ctrl-C ends it early: what
        is being asked is waited for, and KeyboardInterrupt goes on to the caller after that."""
        started_s, end_s = time.monotonic(), self._plan.minutes * 60
        threads = [
            threading.Thread(target=self._live, args=(n, life), name=f"shopper {n}", daemon=True)
            for n, life in enumerate(self._lives)
        ]
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                took_s = time.monotonic() - started_s
                if took_s >= end_s:
                    break
                if on_tick:
                    on_tick(took_s)
                self._stop.wait(min(0.2, max(end_s - took_s, 0.01)))
        finally:
            self._stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        return time.monotonic() - started_s

    def live(self, n: int, life: Life, line: Line) -> None:
        """The life of one shopper, here and now; ends with the plan's visits, or by Stopped or Gone."""
        who, plan = f"sim-{self._plan.seed}-{n:04d}", self._plan
        service = Service(line, self.counts, self._pause_real)
        rng, away_s = np.random.default_rng((plan.seed, n)), plan.habits.away_s
        numbers = count(1)
        self._pause(float(rng.random() * away_s))
        self._introduce(who, life, service)
        visit = 0
        while not plan.visits or visit < plan.visits:
            stream = np.random.default_rng((plan.seed, n, visit))
            wants = life.visits[visit % len(life.visits)]
            tools = (service, plan.bias, plan.habits, stream, self._pause, self.counts)
            Visit(who, wants, *tools, lambda: f"{plan.run} {who} {next(numbers)}").live()
            self._pause(float(stream.exponential(away_s)))
            visit += 1

    def _live(self, n: int, life: Life) -> None:
        try:
            with closing(self._connect()) as line:
                self.live(n, life, line)
        except Stopped:
            pass
        except Gone as error:
            self.lost = str(error)

    def _introduce(self, who: str, life: Life, service: Service) -> None:
        """Tell the server what they bought before, each purchase once however often they come."""
        rows = [
            {"kind": "purchase", "time": time_ms, "shopper_id": who, "product_id": product, "id": f"{who} {i}"}
            for i, (product, time_ms) in enumerate(life.before)
        ]
        for start in range(0, len(rows), _TOLD):
            service.ask("events", {"events": [row | {"simulated": True} for row in rows[start : start + _TOLD]]})

    def _pause(self, seconds: float) -> None:
        """So much of a shopper's time."""
        self._pause_real(seconds / self._plan.speed)

    def _pause_real(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped
