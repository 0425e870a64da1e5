"""The request that is being answered: its id, and what the log is to tell of it. Set by the gate, read where needed."""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass

HEADER = "x-request-id"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
_OURS = ("wares_", "wt1.")  # keys and tokens begin so: they are never repeated


@dataclass(slots=True)
class Record:
    """`surface`: which one answered; "" = none, or several in one batch. `degraded`: why the answer is less than it
    could be, "" = it is whole."""

    id: str = ""
    surface: str = ""
    answers: int = 0
    degraded: str = ""

    def answered(self, surface: str) -> None:
        """One page is ready, on this surface."""
        self.answers += 1
        self.surface = surface if self.answers == 1 or self.surface == surface else ""


_CURRENT: ContextVar[Record | None] = ContextVar("wares.request", default=None)


def begin_record(given: str = "") -> Record:
    """The record of the request that begins now. An id that was `given` is kept if it is one: letters, digits and
    `.`, `_`, `~`, `-`, at most 64, and nothing that looks like a key."""
    kept = _SANE.fullmatch(given) and not given.lower().startswith(_OURS)
    record = Record(given if kept else secrets.token_hex(8))
    _CURRENT.set(record)
    return record


def current() -> Record:
    """That of the request which this thread answers; an empty one outside of any."""
    return _CURRENT.get() or Record()
