"""Cursors: the order that a first page was cut from, kept so that the next pages agree with it."""

import secrets
import time
from collections import OrderedDict
from threading import Lock
from typing import Generic, Protocol, TypeVar

from wares.errors import CursorExpired, InputError


class Sized(Protocol):
    """What says how much memory it takes."""

    @property
    def nbytes(self) -> int: ...


def name_of(cursor: str) -> str:
    """The name of the answer that a cursor continues."""
    return cursor.partition(".")[0]


Kept = TypeVar("Kept", bound=Sized)


class Cursors(Generic[Kept]):
    """The latest answers, up to `most_bytes` of them, each for `lifetime_s` after its last use. A cursor is
    `<name>.<offset>`."""

    def __init__(self, most_bytes: int = 256 * 2**20, lifetime_s: float = 600.0) -> None:
        self.lifetime_s = lifetime_s
        self._most_bytes, self._bytes = most_bytes, 0
        self._kept: OrderedDict[str, tuple[float, Kept]] = OrderedDict()
        self._lock = Lock()

    def keep(self, answer: Kept) -> str:
        """The name under which the answer can be continued."""
        name = secrets.token_urlsafe(12)
        self.keep_as(name, answer)
        return name

    def keep_as(self, name: str, answer: Kept) -> None:
        """The same under a name that was given before."""
        with self._lock:
            self._drop(name)
            self._kept[name] = (time.monotonic(), answer)
            self._bytes += answer.nbytes
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def holds(self, name: str) -> bool:
        """Whether the answer of this name can be continued; for another `lifetime_s`, then."""
        with self._lock:
            if name in self._kept:
                self._kept[name] = (time.monotonic(), self._kept[name][1])
                self._kept.move_to_end(name)
            return name in self._kept

    def find(self, cursor: str) -> tuple[Kept, str, int]:
        """The answer, its name and the offset of the page. Raises CursorExpired or InputError."""
        name, _, offset = cursor.partition(".")
        if not name or not offset.isdecimal() or len(offset) > 9:
            raise InputError(f"{cursor[:80]!r} is not a cursor. Send back the `cursor` of an earlier answer unchanged.")
        with self._lock:
            made_at, answer = self._kept.get(name, (float("-inf"), None))
            if answer is None or time.monotonic() - made_at > self.lifetime_s:
                self._drop(name)
                minutes = self.lifetime_s / 60
                raise CursorExpired(f"This cursor has expired (after {minutes:g} minutes). Ask again without a cursor.")
            self._kept[name] = (time.monotonic(), answer)
            self._kept.move_to_end(name)
        return answer, name, int(offset)

    def _drop(self, name: str) -> None:
        _, answer = self._kept.pop(name, (0.0, None))
        if answer is not None:
            self._bytes -= answer.nbytes
