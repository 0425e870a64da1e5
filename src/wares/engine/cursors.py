"""Cursors: the order that a first page was cut from, kept so that the next pages agree with it."""

import secrets
import time
from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

from wares.errors import CursorExpired, InputError

Kept = TypeVar("Kept")


class Cursors(Generic[Kept]):
    """The latest `most` answers, each for `lifetime_s` after its last use. A cursor is `<name>.<offset>`."""

    def __init__(self, most: int = 256, lifetime_s: float = 600.0) -> None:
        self.most, self.lifetime_s = most, lifetime_s
        self._kept: OrderedDict[str, tuple[float, Kept]] = OrderedDict()
        self._lock = Lock()

    def keep(self, answer: Kept) -> str:
        """The name under which the answer can be continued."""
        name = secrets.token_urlsafe(12)
        with self._lock:
            self._kept[name] = (time.monotonic(), answer)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return name

    def find(self, cursor: str) -> tuple[Kept, str, int]:
        """The answer, its name and the offset of the page. Raises CursorExpired or InputError."""
        name, _, offset = cursor.partition(".")
        if not name or not offset.isdecimal() or len(offset) > 9:
            raise InputError(f"{cursor[:80]!r} is not a cursor. Send back the `cursor` of an earlier answer unchanged.")
        with self._lock:
            made_at, answer = self._kept.get(name, (float("-inf"), None))
            if answer is None or time.monotonic() - made_at > self.lifetime_s:
                self._kept.pop(name, None)
                minutes = self.lifetime_s / 60
                raise CursorExpired(f"This cursor has expired (after {minutes:g} minutes). Ask again without a cursor.")
            self._kept[name] = (time.monotonic(), answer)
            self._kept.move_to_end(name)
        return answer, name, int(offset)
