"""Errands: what the console wants to know and takes long is worked out beside serving, once at a time, and kept."""

import json
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wares.errors import WaresError

FRESH_S = 300.0  # for which an answer is given without looking again
_KEPT = 16  # answers
_MOST_RUNNING = 4  # one, and those that wait for it
_TOO_MANY = "Too much is being worked out at the moment. Ask again in a minute."
_LONGEST_S = 900.0


class ErrandFailed(WaresError):
    """What was asked could not be worked out; says why."""

    code = "errand"


@dataclass(frozen=True, slots=True)
class Told:
    """What is known now. `value` is None as long as nothing came of it; `at_ms` is when it was worked out, `running`
    whether it is being worked out anew, `problem` why the last try failed."""

    value: Any = None
    at_ms: int | None = None
    running: bool = False
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"value": self.value, "at_ms": self.at_ms, "running": self.running, "problem": self.problem}


Words = tuple[str, ...]


class Errands:
    """`run` does one errand and gives what it brings, raising WaresError; `clock` says the time in seconds."""

    def __init__(
        self,
        run: Callable[[Words], Any] | None = None,
        clock: Callable[[], float] = time.time,
        fresh_s: float = FRESH_S,
    ) -> None:
        self._run, self._clock, self._fresh_s = run or self._in_child, clock, fresh_s
        self._known: OrderedDict[Words, Told] = OrderedDict()
        self._guard, self._one = threading.Lock(), threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._closed = False

    def ask(self, *words: str, anew: bool = False) -> Told:
        """What is known of this errand, at once; begins it where nothing fresh is known, or `anew` is wanted."""
        with self._guard:
            known = self._known.get(words, Told())
            old = known.at_ms is None or self._clock() * 1000 - known.at_ms > self._fresh_s * 1000
            failed_before = bool(known.problem) and not anew
            if not known.running and not self._closed and (anew or (old and not failed_before)):
                if sum(one.running for one in self._known.values()) >= _MOST_RUNNING:
                    return Told(known.value, known.at_ms, problem=_TOO_MANY)  # not kept: the next one may begin it
                known = Told(known.value, known.at_ms, running=True)
                threading.Thread(target=self._go, args=(words,), name="errand", daemon=True).start()
            self._known[words] = known
            self._known.move_to_end(words)
            done = [one for one, told in self._known.items() if not told.running and one != words]
            for one in done[: max(0, len(self._known) - _KEPT)]:  # what runs is needed, so that it is begun once
                del self._known[one]
            return known

    def close(self) -> None:
        """Begin nothing more, and end what runs."""
        with self._guard:
            self._closed = True
            if self._child is not None:
                self._child.terminate()

    def _go(self, words: Words) -> None:
        try:
            with self._one:  # one at a time: the cores are for serving
                told = Told(self._run(words), int(self._clock() * 1000))
        except Exception as error:  # whatever it is: it does not run any more, and may be asked for again
            with self._guard:
                known = self._known.get(words, Told())
            said = str(error) if isinstance(error, WaresError | OSError) else ""
            told = Told(known.value, known.at_ms, problem=said or type(error).__name__)
        with self._guard:
            self._known[words] = told

    def _in_child(self, words: Words) -> Any:
        command = [sys.executable, "-m", "wares.app.web.console.errand", *words]
        with self._guard:
            if self._closed:
                raise ErrandFailed("The server is about to end.")
            self._child = subprocess.Popen(  # noqa: S603
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        try:
            said, complaint = self._child.communicate(timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
            raise ErrandFailed(f"It took more than {_LONGEST_S:g} s.") from None
        finally:
            with self._guard:
                self._child = None
        return _value(said, complaint)


def _value(said: str, complaint: str) -> Any:
    try:
        told = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        last = complaint.strip().splitlines()[-1:] or ["it said nothing"]
        raise ErrandFailed(f"It stopped: {last[0][:300]}") from None
    if "problem" in told:
        raise ErrandFailed(str(told["problem"]))
    return told["value"]
