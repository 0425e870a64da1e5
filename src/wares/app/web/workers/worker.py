"""One process that answers: `python -m wares.app.web.workers FOLDER AGAIN`. It reads questions from its standard input
and writes answers to its standard output, one after the other, until the input ends. What was asked a moment ago is
most likely kept, and waits for nothing that is worked out: it comes through the pipe AGAIN, which another thread reads.
Each thread waits for its own pipe: one that handed questions to the other would take the interpreter from it each time.

It opens the shop as any reader does, and follows what the serving process has written: each question says how much an
answer must know. What was shown, and how answers go, it hands back with each answer, and writes nothing itself.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from io import FileIO
from pathlib import Path
from select import select
from threading import Lock, Thread, local
from typing import Any, BinaryIO

from starlette.responses import Response

from wares.app.web.allocator import GivingBack, share_one_arena
from wares.app.web.garbage import look_seldom, look_through, look_while_idle, set_aside
from wares.app.web.threads import SWITCH_S
from wares.app.web.told.refusals import Refused
from wares.app.web.watching.logs import begin_log, tell_fault
from wares.app.web.watching.record import begin_record
from wares.app.web.work import WORK
from wares.app.web.workers.frames import packed, read_frame
from wares.app.web.workers.raised import told_of
from wares.engine.answers import Answers
from wares.engine.assembly import Engine
from wares.engine.cursors import MOST_BYTES, Cursors
from wares.engine.settings import Settings
from wares.errors import WaresError
from wares.shop import Shop, open_shop

ERRANDS = ("look", "swap", "tidy")  # follow what was written; take up a newer snapshot, or look for garbage, too
_log = logging.getLogger("wares")


class _OfThread(local):
    """What each thread has told, apart from the others."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def take(self) -> list[Any]:
        told, self.told = self.told, []
        return told


class Handed:
    """What was shown, for the process that has the log."""

    dropped = waiting = 0

    def __init__(self) -> None:
        self._of = _OfThread()

    def steady_ms(self) -> int:
        """Accounts are not kept here."""
        return 0

    def record(
        self, impression: Mapping[str, object] | str, shopper_hash: bytes | None = None, *, simulated: bool = False
    ) -> None:
        self._of.told.append((str(impression), shopper_hash, simulated))

    def take(self) -> list[tuple[str, bytes | None, bool]]:
        """What this thread recorded since its last call."""
        return self._of.take()


class Noted:
    """The `Observer` that takes down what it is told, as [name, arguments]."""

    def __init__(self) -> None:
        self._of = _OfThread()

    def answered(self, surface: str, seconds: Mapping[str, float]) -> None:
        self._of.told.append(["answered", surface, dict(seconds)])

    def encoded(self, seconds: float) -> None:
        self._of.told.append(["encoded", seconds])

    def degraded(self, why: str) -> None:
        self._of.told.append(["degraded", why])

    def recorded(self, new: int, repeated: int, refused: int, visible_s: float) -> None: ...

    def swapped(self, before: str, now: str) -> None: ...

    def take(self) -> list[list[Any]]:
        """What this thread told since its last call."""
        return self._of.take()


class Worker:
    """`begin`: what the serving process says first: its `settings`, what it had `known` before this shop was opened,
    the name of this `keeper` of cursors, how many `share` the memory, and whether what is shown is `logged`."""

    def __init__(self, shop: Shop, begin: Mapping[str, Any]) -> None:
        shop.settings = Settings.model_validate(begin["settings"])  # as they were when the service began
        self._shop, self._engine = shop, shop.engine
        self._engine.opened_after(begin["known"])
        self._noted, self._handed = Noted(), Handed()
        shop.observe(self._noted)
        server, share = shop.settings.server, begin["share"]
        if begin["logged"]:
            self._engine.impressions = self._handed
        if server.answers_kept_s > 0:
            self._engine.answers = Answers(server.answers_kept_s, server.answers_kept_mib * 2**20 // share)
        self._engine.paging.cursors = Cursors(MOST_BYTES // share, keeper=begin["keeper"])

    def do(self, told: Mapping[str, Any]) -> bytes:
        """The frame that answers one question, or says that an errand is done."""
        number = told["number"]
        try:
            if told["do"] in ERRANDS:
                return packed({"number": number, **self._errand(told["do"], told["known"])})
            begin_record(told["id"])
            self._engine.come_to(told["known"])
            return self._sent(number, WORK[told["do"]](self._shop, told["told"]), None)
        except (WaresError, Refused) as error:
            return self._sent(number, Response(status_code=500), told_of(error))
        except Exception as fault:  # one that nobody foresaw must not end the process
            tell_fault(fault)
            return self._sent(number, Response(status_code=500), told_of(fault))

    def _errand(self, errand: str, known: Sequence[int]) -> dict[str, Any]:
        before = self._engine.live.snapshot.name
        self._engine.come_to(known)  # what was erased goes from the memory of one that nobody asks, too
        self._engine.follow()
        self._engine.let_go()
        if errand == "swap":
            self._engine.exchange(int(time.time() * 1000))
            self._engine.come_to(known)
            self._noted.take()  # nobody has asked for what was worked out anew
            if self._engine.live.snapshot.name != before:
                set_aside()
        if errand == "tidy":
            look_through()
        return _counts(self._engine)

    def _sent(self, number: int, answer: Response, error: Mapping[str, Any] | None) -> bytes:
        rows = self._handed.take()
        header = {
            **_counts(self._engine),
            "number": number,
            "status": answer.status_code,
            "media": answer.media_type or "",
            "error": error,
            "notes": self._noted.take(),
            "shown": [[whose.hex() if whose else "", simulated] for _, whose, simulated in rows],
        }
        return packed(header, [bytes(answer.body), *(impression.encode() for impression, _, _ in rows)])


def _counts(engine: Engine) -> dict[str, Any]:
    answers = engine.answers
    return {
        "kept": [answers.found, answers.missed] if answers is not None else [0, 0],
        "encoder": list(engine.encoder_cache()),
        "encoder_fails": engine.encoder_fails,
        "snapshot": engine.live.snapshot.name,
    }


def main() -> None:
    """Serve until the input ends."""
    share_one_arena()
    answers = _Answers()
    with FileIO(0) as asked, FileIO(int(sys.argv[2])) as again:  # nothing is read ahead, so that `select` knows of it
        try:
            if (first := read_frame(asked)) is None:
                return
            begin, _ = first
            begin_log(begin["log"])
            with open_shop(Path(sys.argv[1]), create=False) as shop, GivingBack():
                worker = Worker(shop, begin)
                set_aside()
                sys.setswitchinterval(SWITCH_S)
                look_seldom()
                answers.send(packed({"ready": True}))
                beside = Thread(target=_serve, args=(worker, again, answers), name="gives again")
                beside.start()
                _serve(worker, asked, answers, look_while_idle)
                beside.join()
        except WaresError as error:
            _log.error("%s", error)
            sys.exit(1)
        except (EOFError, BrokenPipeError):  # who asked is gone
            pass


def _serve(
    worker: Worker, asked: BinaryIO | FileIO, answers: "_Answers", idle: Callable[[], None] | None = None
) -> None:
    """Answer what comes through this pipe until it ends; `idle` is called after an answer when nobody waits."""
    while True:
        try:
            if (frame := read_frame(asked)) is None:
                return
            answers.send(worker.do(frame[0]))
            if idle is not None and not select([asked], [], [], 0)[0]:
                idle()
        except (EOFError, BrokenPipeError):  # who asked is gone
            return
        except BaseException as fault:  # not even that it failed could be said: no memory, most likely
            try:
                tell_fault(fault)
            finally:
                os._exit(1)  # and another process takes the place of this one, instead of letting who asks wait


class _Answers:
    """The standard output as a pipe for whole frames; what else is printed goes to the log."""

    def __init__(self) -> None:
        self._pipe: BinaryIO = os.fdopen(os.dup(1), "wb")
        self._lock = Lock()
        os.dup2(2, 1)

    def send(self, frame: bytes) -> None:
        with self._lock:
            self._pipe.write(frame)
            self._pipe.flush()
