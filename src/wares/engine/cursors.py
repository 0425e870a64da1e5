"""Cursors: the order that a first page was cut from, kept so that the next pages agree with it."""

import secrets
import time
from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

from wares.engine.kept import KeptBytes, Sized
from wares.errors import CursorExpired, InputError

MOST_BYTES = 128 * 2**20


def name_of(cursor: str) -> str:
    """The name of the answer that a cursor continues."""
    return cursor.partition(".")[0]


def keeper_of(cursor: str) -> str:
    """Which of several processes keeps the answer that a cursor continues; "" = the one that is asked."""
    keeper, named, _ = name_of(cursor).partition("~")
    return keeper if named else ""


Kept = TypeVar("Kept", bound=Sized)


class Cursors(Generic[Kept]):
    """The latest answers, up to `most_bytes` of them, each for `lifetime_s` after its last use. A cursor is
    `<name>.<offset>`; of a process that is one of several, `<keeper>~<name>.<offset>`."""

    def __init__(self, most_bytes: int = MOST_BYTES, lifetime_s: float = 600.0, keeper: str = "") -> None:
        self.lifetime_s = lifetime_s
        self._before = f"{keeper}~" if keeper else ""
        self._most_bytes, self._bytes = most_bytes, KeptBytes()
        self._kept: OrderedDict[str, tuple[float, Kept]] = OrderedDict()  # longest unused first
        self._lock = Lock()

    def keep(self, answer: Kept) -> str:
        """The name under which the answer can be continued."""
        name = self._before + secrets.token_urlsafe(12)
        self.keep_as(name, answer)
        return name

    def keep_as(self, name: str, answer: Kept) -> None:
        """The same under a name that was given before."""
        with self._lock:
            self._drop(name)
            self._kept[name] = (time.monotonic(), answer)
            self._bytes.add(answer)
            while self._bytes.now > self._most_bytes and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))
            self._drop_old()

    def let_go(self) -> None:
        """Forget now what no cursor may continue any more: it may hold a snapshot that was replaced long ago."""
        with self._lock:
            self._drop_old()

    @property
    def nbytes(self) -> int:
        """About the memory that those kept now take."""
        return self._bytes.now

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
            self._bytes.take(answer)

    def _drop_old(self) -> None:
        until_s = time.monotonic() - self.lifetime_s
        while self._kept and next(iter(self._kept.values()))[0] < until_s:
            self._drop(next(iter(self._kept)))
