"""The processes that answer for one shop, as the serving process sees them: which one is asked, what it must know, what
comes back with an answer, and what happens when one is lost."""

import asyncio
import os
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from signal import SIGKILL
from typing import Any

from starlette.responses import Response

from wares.app.web.garbage import EVERY_S
from wares.app.web.load import Load
from wares.app.web.told.refusals import Refused
from wares.app.web.watching.logs import tell
from wares.app.web.watching.record import current
from wares.app.web.workers.asked import Ended, Lately
from wares.app.web.workers.beginning import begun
from wares.app.web.workers.frames import Frame, next_frame, packed
from wares.app.web.workers.raised import raised
from wares.domain.cores import n_cores
from wares.engine.cursors import keeper_of
from wares.errors import CursorExpired
from wares.shop import Shop
from wares.training.machine import free_memory, own_memory

_LOOK_S = 1.0
_OFTEN = (50, 5.0)  # questions that had to wait within so many seconds: more than one person alone asks for
_LONGEST_S, _LONGEST_SWAP_S = 60.0, 600.0  # that an answer, or a snapshot, may take; then its process is ended
_MOST_ENDED = 2  # processes over one question
_CHANGE = 2  # place of the catalogue's change in what an engine knows
_END_S = 3.0  # that a process has to end
_LOOK_LEAST_S = 10.0  # so often one that is always asked is looked after, too
_AGAIN_S = (1.0, 60.0)  # until a lost process is replaced: first, and at most


class NobodyThere(Exception):
    """No process can answer this: let a thread do it."""


class _EndedOver(ConnectionResetError):
    """A process ended, and this is what it was working on."""


@dataclass(frozen=True, slots=True)
class _Asked:
    answer: "asyncio.Future[Frame]"
    again: bool  # most likely kept: the other thread of the process is at it


@dataclass(eq=False)
class _Member:
    keeper: str
    process: Process
    again: asyncio.WriteTransport  # what is most likely kept goes this way, to the other thread of the process
    ready: bool = False
    away: bool = False  # takes up a snapshot, or looks for garbage
    tidied_s: float = field(default_factory=time.monotonic)
    looked_s: float = 0.0  # when it was last told to look
    waiting: dict[int, _Asked] = field(default_factory=dict)  # by the numbers of their questions, oldest first
    counts: Mapping[str, Any] = field(default_factory=dict)

    def at_work(self) -> set[int]:
        """The numbers of what its two threads work on: the oldest of each."""
        oldest = {one.again: number for number, one in reversed(self.waiting.items())}
        return set(oldest.values())


class Crew:
    """`most` processes for `shop`, None = as many as there is room for when they begin. `changed` is told how many can
    be asked. Of one event loop.

    A question goes to the one that has answered the same lately, for that one has kept the answer; else to the one for
    which the fewest wait. A cursor goes to the one that keeps it.
    """

    def __init__(self, shop: Shop, most: int | None, changed: Callable[[int], None], log: str = "auto") -> None:
        self.shop, self._most, self._changed, self._log_form = shop, most, changed, log
        self._members: list[_Member] = []
        self._tasks = set[asyncio.Task[None]]()
        self._names, self._numbers = count(1), count(1)
        self._lately, self._ended = Lately[_Member](shop.settings.server.answers_kept_s), Ended()
        self._asked_now: dict[bytes, asyncio.Future[Frame]] = {}  # what is being worked out
        self._kept_s = shop.settings.server.answers_kept_s
        self._gone = [0, 0, 0, 0]  # counts of those that ended
        self._begun = self._closing = False
        self._waited, self._since_s = 0, 0.0  # questions that had to wait since then
        self.most = 0  # how many are to be there

    def waited(self) -> None:
        """A question had to wait for its turn. Where that happens often, the processes are started."""
        now_s = time.monotonic()
        if now_s - self._since_s > _OFTEN[1]:
            self._since_s, self._waited = now_s, 0
        self._waited += 1
        if self._waited >= _OFTEN[0]:
            self.begin()

    @property
    def ready(self) -> int:
        """How many can be asked."""
        return sum(one.ready for one in self._members)

    def begin(self) -> None:
        """Start them, unless they are started; returns at once."""
        if not self._begun and not self._closing:
            self._begun = True
            self.most = room_for() if self._most is None else self._most
            for _ in range(self.most):
                self._spawn(self._keep_one())
            self._spawn(self._look())

    async def close(self) -> None:
        """End them, and wait for that."""
        self._closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*map(_end, self._members))

    def counts(self) -> tuple[int, int, int, int]:
        """(kept answers found, missed; encoder's memory found, missed) of all processes so far."""
        totals = list(self._gone)
        for one in self._members:
            totals = [total + more for total, more in zip(totals, _counted(one.counts), strict=True)]
        return totals[0], totals[1], totals[2], totals[3]

    @property
    def encoder_fails(self) -> bool:
        return any(one.counts.get("encoder_fails") for one in self._members)

    async def ask(self, work: str, told: Mapping[str, Any], digest: bytes, cursor: str = "") -> Response:
        """What `wares.app.web.work` of this name comes to, done elsewhere. Raises what it raises; NobodyThere; Refused
        (500 "answering-failed") where two processes ended over it or took too long. `digest`: the question's."""
        if not cursor and self._kept_s and (first := self._asked_now.get(digest)) is not None:
            await asyncio.wait([first])  # whatever becomes of it: its answer is kept, most likely
        while self._ended.count(digest) < _MOST_ENDED:  # one that is lost meanwhile answers nobody: ask another
            known = self.shop.engine.known
            one, again = (self._keeper(cursor), True) if cursor else self._choose(digest, known)
            if _has_ended(one):  # before, and not over this question
                one.ready = False
                continue
            question = {"do": work, "told": told, "known": known, "id": current().id}
            number = next(self._numbers)
            try:
                sent = self._send(one, number, question, again=again)
                if not again:
                    self._asked_now[digest] = sent
                header, parts = await asyncio.wait_for(sent, _LONGEST_S)
            except TimeoutError:
                if number in one.at_work():
                    self._ended.note(digest)
                _kill(one)
            except ConnectionError as error:
                one.ready = False
                _kill(one)  # one of whose pipes is broken must not stay
                if isinstance(error, _EndedOver):
                    self._ended.note(digest)
            else:
                self._ended.forgive(digest)
                self._lately.note(digest, one, known[_CHANGE], made=_was_made(header))
                return self._taken(header, parts)
            finally:
                if not again:
                    self._asked_now.pop(digest, None)
        raise _failing()

    def spare(self, digest: bytes) -> None:
        """Raise Refused (500 "answering-failed") where a process has ended over this question: no thread of the one
        that serves is to try it."""
        if self._ended.count(digest):
            raise _failing()

    def _choose(self, digest: bytes, known: Sequence[int]) -> tuple[_Member, bool]:
        """Who is to be asked, and whether the answer is most likely kept there."""
        there = [one for one in self._members if one.ready and not one.away]
        if not there:
            raise NobodyThere
        before, is_likely = self._lately.find(digest, known[_CHANGE])
        if before in there and before is not None:
            return before, is_likely
        return min(there, key=lambda one: len(one.waiting)), False

    def _keeper(self, cursor: str) -> _Member:
        keeper = keeper_of(cursor)
        if not keeper:  # given before there was a crew
            raise NobodyThere
        for one in self._members:
            if one.keeper == keeper and one.ready:
                return one
        raise CursorExpired("This cursor has expired: the process that kept its answer has ended. Ask without one.")

    def _send(
        self, one: _Member, number: int, told: Mapping[str, Any], *, again: bool = False
    ) -> "asyncio.Future[Frame]":
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        pipe = one.again if again else one.process.stdin
        if pipe is None or pipe.is_closing():
            raise ConnectionResetError
        one.waiting[number] = _Asked(answer, again)
        pipe.write(packed({**told, "number": number}))
        return answer

    def _taken(self, header: Mapping[str, Any], parts: list[bytes]) -> Response:
        """The answer; what came with it goes where it would have gone if this process had answered."""
        engine, (body, *impressions) = self.shop.engine, parts
        for name, *arguments in header["notes"]:
            getattr(engine.observer, name)(*arguments)
        for impression, (whose, simulated) in zip(impressions, header["shown"], strict=True):
            if engine.impressions is not None:
                engine.impressions.record(impression.decode(), bytes.fromhex(whose) or None, simulated=simulated)
        if header["error"] is not None:
            raise raised(header["error"])
        return Response(body, header["status"], media_type=header["media"] or None)

    # -- their lives -------------------------------------------------------------------------------------------------

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_one(self) -> None:
        """Start a process, and another whenever it is lost, later each time that one is lost before it was ready."""
        wait_s, longest_s = _AGAIN_S
        while not self._closing:
            was_ready = False
            try:
                one = await self._start()
            except OSError as error:  # no memory, or too many processes or files
                tell("worker-not-begun", why=error.strerror)
            else:
                was_ready = await self._listen(one)
                await self._lost(one)
                if self._closing:
                    return
                tell("worker-lost", worker=one.keeper, code=one.process.returncode)
            wait_s = _AGAIN_S[0] if was_ready else min(2 * wait_s, longest_s)
            await asyncio.sleep(wait_s)

    async def _start(self) -> _Member:
        process, again = await begun(self.shop.folder)
        one = _Member(str(next(self._names)), process, again)
        self._members.append(one)
        begin = {
            "settings": self.shop.settings.model_dump(mode="json"),
            "known": self.shop.engine.known,
            "keeper": one.keeper,
            "share": self.most,
            "logged": self.shop.engine.impressions is not None,
            "log": self._log_form,
        }
        assert process.stdin is not None
        if not process.stdin.is_closing():  # else it has ended already, as whoever listens to it finds
            process.stdin.write(packed(begin))
        return one

    async def _listen(self, one: _Member) -> bool:
        """Hand each answer to who waits for it, until the process ends; whether it was ready before."""
        assert one.process.stdout is not None
        was_ready = False
        try:
            await next_frame(one.process.stdout)
            one.ready = was_ready = True
            tell("worker-ready", worker=one.keeper)
            if (kept := self.shop.engine.answers) is not None:
                kept.let_all_go()  # most who ask the same again are answered elsewhere now
            self._changed(self.ready)
            while True:
                frame = await next_frame(one.process.stdout)
                answer = one.waiting.pop(frame[0]["number"]).answer
                if sum(_counted(frame[0])) >= sum(_counted(one.counts)):  # else its other thread has told more before
                    one.counts = frame[0]
                if not answer.done():  # else nobody waits any more
                    answer.set_result(frame)
        except (EOFError, ConnectionError, ValueError, KeyError):  # IncompleteReadError is an EOFError
            return was_ready

    async def _lost(self, one: _Member) -> None:
        """It is asked no more; who waits for it hears so, as soon as is known how it ended."""
        _kill(one)
        one.again.close()
        one.ready = False
        self._members.remove(one)
        self._gone = [total + more for total, more in zip(self._gone, _counted(one.counts), strict=True)]
        self._changed(self.ready)
        try:
            with suppress(TimeoutError):  # its code comes after its last answer
                await asyncio.wait_for(one.process.wait(), _END_S)
        finally:
            over = set() if one.process.returncode == -SIGKILL else one.at_work()  # that comes from elsewhere
            for number, asked in one.waiting.items():
                if not asked.answer.done():
                    asked.answer.set_exception(_EndedOver() if number in over else ConnectionResetError())

    async def _look(self) -> None:
        """Once a second: let who is idle follow what was written, and one after the other take up a newer snapshot or
        look for garbage, so that others answer meanwhile."""
        while not self._closing:
            await asyncio.sleep(_LOOK_S)
            for one in [one for one in self._members if one.ready]:
                if not (errand := self._due(one)):
                    continue
                one.away = errand != "look"
                try:
                    sent = self._send(one, next(self._numbers), {"do": errand, "known": self.shop.engine.known})
                    await asyncio.wait_for(sent, _LONGEST_SWAP_S if errand == "swap" else _LONGEST_S)
                except (TimeoutError, ConnectionError):
                    _kill(one)
                finally:
                    one.away = False

    def _due(self, one: _Member) -> str:
        """What this one is to do beside answering; "" = nothing now."""
        now_s, serving = time.monotonic(), self.shop.engine.live.snapshot.name
        if one.counts.get("snapshot", serving) != serving:
            return "swap"
        if now_s - one.tidied_s > EVERY_S:
            one.tidied_s = now_s
            return "tidy"
        if not one.waiting or now_s - one.looked_s > _LOOK_LEAST_S:
            one.looked_s = now_s
            return "look"
        return ""


def _was_made(header: Mapping[str, Any]) -> bool:
    """Whether this answer was worked out, and not one that was kept."""
    return any(name == "answered" and "understand" in arguments[1] for name, *arguments in header["notes"])


def _counted(counts: Mapping[str, Any]) -> list[int]:
    return [*counts.get("kept", (0, 0)), *counts.get("encoder", (0, 0))]


async def _end(one: _Member) -> None:
    """Let it answer what it was asked; who is not ready has nothing to answer, and one that is stuck has its time."""
    one.again.close()
    if one.process.stdin is not None:
        one.process.stdin.close()
    for within_s in (_END_S if one.ready else 0, _END_S):
        with suppress(TimeoutError):
            await asyncio.wait_for(one.process.wait(), within_s)
        _kill(one)


def _failing() -> Refused:
    detail = "The processes that were asked for this answer ended over it. The service goes on without it."
    return Refused(500, "answering-failed", detail)


def _has_ended(one: _Member) -> bool:
    """Whether its process is over, which its pipes may not have told yet."""
    if not hasattr(os, "waitid"):  # macOS, before Python 3.13
        return one.process.returncode is not None
    try:
        return os.waitid(os.P_PID, one.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # and its code was asked for
        return True


def _kill(one: _Member) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        one.process.kill()


def crew_for(shop: Shop | None, workers: int | None, load: Load) -> Crew | None:
    """The processes that answer for this shop, not yet begun; None = there are to be none. `workers` None: as many as
    this machine has room for, begun when questions often have to wait for their turn."""
    if shop is None or workers == 0:
        return None
    crew = Crew(shop, workers, load.answered_by, shop.settings.server.log_format)
    if workers is None:
        load.on_wait = crew.waited
    return crew


def room_for() -> int:
    """How many more processes of the size of this one fit onto this machine: one for each core, in half of the memory
    that is free; none where there is one core."""
    cores = n_cores()
    return min(cores, free_memory() // 2 // max(own_memory(), 1)) if cores > 1 else 0
