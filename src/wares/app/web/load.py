"""How many requests are worked on at once, how many may wait for their turn, and who is sent away.

More threads than cores do not answer sooner: they only take the interpreter from one another. So requests that compute
take turns, the others wait in a queue of stated length, and who would wait in vain learns so at once (Maurer, "Fail at
scale", ACM Queue 2015), which costs a hundredth of an answer. Asking for health and files needs no turn.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from wares.app.web.told.refusals import Refused
from wares.domain.cores import n_cores

QUESTIONS = frozenset((
    *("POST /v1/search", "POST /v1/browse", "POST /v1/recommend", "POST /v1/similar"),
    *("POST /1/indexes/*/queries", "POST /1/indexes/*/recommendations"),
    *("POST /1/indexes/{index}/query", "POST /1/indexes/{index}/facets/{facet}/query"),
))  # fmt: skip
_WRITES = frozenset(("POST /v1/events", "POST /1/events", "PUT /v1/products", "PATCH /v1/products"))
_LATELY_S = 10.0  # after a refusal the service calls itself overloaded for so long
_HELD_BYTES = 128 * 1024 * 1024  # of bodies at a time: else 160 writes could hold 16 MiB each
_AGAIN_AT_ONCE = 2  # of the questions that were asked a moment ago
_EACH, _AGAIN_EACH = 2, 8  # the same of each process that answers: one is worked on, and the next is there
_MOST_ASKED = 20_000  # questions that are remembered by a digest
_SMOOTHING = 0.1  # weight of the latest request in the mean time of one


@dataclass(slots=True)
class _Waiting:
    turn: "asyncio.Future[bool]"
    until_s: float


class Lane:
    """Requests of one kind: `at_once` run, up to `most_waiting` wait, each for `patience_s` at most. Of one event loop.

    `now_s`: a clock that never goes back.
    """

    def __init__(
        self, at_once: int, most_waiting: int, patience_s: float, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.running = self.shed = 0
        self.last_shed_s = -math.inf
        self.at_once, self._most_waiting, self._patience_s, self._now_s = at_once, most_waiting, patience_s, now_s
        self._queue: deque[_Waiting] = deque()
        self._takes_s = 0.0  # of late, from the turn to the end

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    def resize(self, at_once: int) -> None:
        """From now on so many run at a time; who runs goes on."""
        self.at_once = at_once
        while self._queue and self.running < at_once:
            self.running += 1
            self._next()

    def turn(self) -> "_Turn":
        """The block runs when it is its turn. Raises Refused (503 "overloaded") where that would be too late."""
        return _Turn(self)

    async def begin(self) -> float:
        """Wait for a turn; when it began."""
        if self.running >= self.at_once or self._queue:
            await self._wait()
        else:
            self.running += 1
        return self._now_s()

    def end(self, began_s: float) -> None:
        """The turn that began then is over."""
        self._takes_s += _SMOOTHING * (self._now_s() - began_s - self._takes_s)
        self._next()

    async def _wait(self) -> None:
        if len(self._queue) >= self._most_waiting:
            raise self.too_many()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop.create_future(), self._now_s() + self._patience_s)
        self._queue.append(waiting)
        timer = loop.call_later(self._patience_s, self._give_up, waiting)
        try:
            is_turn = await waiting.turn
        except asyncio.CancelledError:
            if waiting in self._queue:
                self._queue.remove(waiting)
            elif not waiting.turn.cancelled() and waiting.turn.result():  # its turn has come just now: pass it on
                self._next()
            raise
        finally:
            timer.cancel()
        if not is_turn:
            raise self.too_many()

    def _give_up(self, waiting: _Waiting) -> None:
        if waiting in self._queue:
            self._queue.remove(waiting)
            if not waiting.turn.done():  # else it was cancelled, and has not heard of it yet
                waiting.turn.set_result(False)

    def _next(self) -> None:
        """A turn is over: the oldest that waits has it now, unless too many run."""
        while self._queue and self.running <= self.at_once:
            waiting = self._queue.popleft()
            if not waiting.turn.done():  # else it was cancelled, and has not heard of it yet
                waiting.turn.set_result(True)
                return
        self.running -= 1

    def too_many(self) -> Refused:
        """What a request is told for which there is no room; counts it."""
        self.shed += 1
        self.last_shed_s = self._now_s()
        after_s = max(1, math.ceil(len(self._queue) * self._takes_s / self.at_once))
        detail = f"More is asked at the moment than can be answered. Ask again in {after_s} s."
        return Refused(503, "overloaded", detail, {"retry-after": str(after_s)})


class _Turn:
    def __init__(self, lane: Lane) -> None:
        self._lane, self._began_s = lane, 0.0

    async def __aenter__(self) -> None:
        self._began_s = await self._lane.begin()

    async def __aexit__(self, *fault: object) -> None:
        self._lane.end(self._began_s)


@dataclass(slots=True)
class Memory:
    """What bodies may hold together, in bytes, and what they hold now."""

    most: int
    held: int = 0


class Held:
    """What one request holds of the memory for bodies, from its first byte until the block ends."""

    def __init__(self, memory: Memory, lane: Lane) -> None:
        self._memory, self._lane, self._mine = memory, lane, 0

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *fault: object) -> None:
        self._memory.held -= self._mine

    def more(self, size: int) -> None:
        """So many bytes have come. Raises Refused (503 "overloaded") where all requests together hold too many."""
        if self._memory.held + size > self._memory.most:
            raise self._lane.too_many()
        self._memory.held += size
        self._mine += size

    def reach(self, size: int) -> None:
        """What has come is so long now that it is unpacked. Raises Refused as `more`."""
        if size > self._mine:
            self.more(size - self._mine)


class Load:
    """The lanes of a service. Answers and writes do not wait for one another: writing waits for the disk.

    `most_held`: bytes of the bodies of all requests that have begun; one body alone always may. Questions have a
    quarter of it beside for themselves: eight slow senders of large writes leave nobody without an answer.
    """

    def __init__(
        self,
        answers: Lane,
        writes: Lane,
        most_held: int,
        again: Lane | None = None,
        kept_s: float = 0.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers, self._writes, self._again, self._now_s = answers, writes, again or answers, now_s
        self._lanes = {answers, writes, self._again}
        self._kept_s, self._asked_s = kept_s, OrderedDict[bytes, float]()
        self.in_threads = answers.at_once  # of answers, where no processes give them
        self.on_wait: Callable[[], None] = _nothing  # called when a question has to wait for its turn
        self._bodies, self._asked = Memory(most_held), Memory(most_held // 4)

    @staticmethod
    def of(
        answers_at_once: int = 0,
        writes_at_once: int = 32,
        most_waiting: int = 128,
        patience_ms: int = 1000,
        max_body_kib: int = 16_384,
        answers_kept_s: float = 300.0,
    ) -> "Load":
        """As the settings of these names say."""
        patience_s, at_once = patience_ms / 1000, answers_at_once or n_cores() + 1
        lanes = (Lane(many, most_waiting, patience_s) for many in (at_once, writes_at_once, _AGAIN_AT_ONCE))
        answers, writes, again = lanes
        return Load(answers, writes, max(_HELD_BYTES, max_body_kib * 1024), again, answers_kept_s)

    def holding(self, lane: Lane | None) -> Held:
        """Whoever reads a body says in this block how much of it has come. `lane`: in which it will wait."""
        return Held(self._asked if lane is self._answers else self._bodies, lane or self._writes)

    def lane(self, route: str) -> Lane | None:
        """In which requests of this route take turns; None = they need none."""
        if route in QUESTIONS:
            return self._answers
        return self._writes if route in _WRITES else None

    def lane_for(self, lane: Lane, path: str, whose: str, body: bytes) -> tuple[Lane, Callable[[], None]]:
        """Where a question of this lane waits, now that it is read, and what to call once it is answered.

        What was asked a moment ago is most likely kept (`engine/answers.py`), and need not wait for those who compute:
        it has a lane of its own, so that not many are computed at once where it is not; where that is full, any free
        place will do. `whose`: what the question itself leaves open, and who asks fills in.
        """
        if lane is not self._answers:
            return lane, _nothing
        chosen, answered = self._chosen(lane, path, whose, body)
        if chosen.running >= chosen.at_once:
            self.on_wait()
        return chosen, answered

    def _chosen(self, lane: Lane, path: str, whose: str, body: bytes) -> tuple[Lane, Callable[[], None]]:
        if not self._kept_s:
            return lane, _nothing
        told = f"{path}\0{whose}\0".encode("utf-8", "surrogatepass")
        digest = blake2b(told + body, digest_size=16).digest()
        now_s = self._now_s()
        if now_s - self._asked_s.get(digest, -math.inf) < self._kept_s:
            is_full = self._again.running >= self._again.at_once and lane.running < lane.at_once
            return lane if is_full else self._again, _nothing
        return lane, lambda: self._answered(digest, now_s)

    def _answered(self, digest: bytes, asked_s: float) -> None:
        self._asked_s[digest] = asked_s
        self._asked_s.move_to_end(digest)
        if len(self._asked_s) > _MOST_ASKED:
            self._asked_s.popitem(last=False)

    def answered_by(self, workers: int) -> None:
        """So many processes answer now; 0 = threads of this one do."""
        self._answers.resize(_EACH * workers if workers else self.in_threads)
        if self._again is not self._answers:
            self._again.resize(_AGAIN_EACH * workers if workers else _AGAIN_AT_ONCE)

    @property
    def held(self) -> int:
        """Bytes of the bodies of all requests that have begun."""
        return self._bodies.held + self._asked.held

    @property
    def at_once(self) -> int:
        """Most requests that are worked on at a time."""
        return sum(lane.at_once for lane in self._lanes)

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return sum(lane.waiting for lane in self._lanes)

    @property
    def shed(self) -> int:
        """Requests refused so far because too many waited."""
        return sum(lane.shed for lane in self._lanes)

    @property
    def overloaded(self) -> bool:
        """Whether somebody was refused within the last ten seconds."""
        return self._now_s() - max(lane.last_shed_s for lane in self._lanes) < _LATELY_S


def _nothing() -> None: ...
