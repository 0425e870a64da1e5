"""What the serving process remembers of questions, by a digest of each: who has answered it lately, and over which of
them processes have ended."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from wares.engine.answers import SHORTER

_MOST = 20_000  # questions of which is remembered who answered them
_LIKELY_S = 30.0  # after which an answer that nobody asked for may have made room for others
_MOST_ENDED, _ENDED_S = 1_000, 600.0  # questions over which processes ended, and for how long that is remembered

Who = TypeVar("Who")


def digest_of(work: str, told: Mapping[str, Any]) -> bytes:
    """Of a question: equal ones have the same."""
    return blake2b(repr((work, told)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(slots=True)
class _Answered(Generic[Who]):
    who: Who
    made_s: float
    seen_s: float  # when it was made, or found kept, last
    change: int  # of the catalogue, that it knew


class Lately(Generic[Who]):
    """Who has answered what, as long as the answer may be kept there: `kept_s`."""

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._answered: OrderedDict[bytes, _Answered[Who]] = OrderedDict()  # longest ago first

    def note(self, digest: bytes, who: Who, change: int, *, made: bool) -> None:
        """An answer has come; `made`: it was worked out, and not kept."""
        now_s, before = time.monotonic(), self._answered.get(digest)
        if made or before is None or before.who is not who:
            self._answered[digest] = _Answered(who, now_s, now_s, change)
        else:
            before.seen_s, before.change = now_s, change
        self._answered.move_to_end(digest)
        if len(self._answered) > _MOST:
            self._answered.popitem(last=False)

    def find(self, digest: bytes, change: int) -> tuple[Who | None, bool]:
        """Who may keep the answer, for the catalogue has not changed, and whether it is there most likely: it was a
        moment ago."""
        now_s, one = time.monotonic(), self._answered.get(digest)
        if one is None or one.change != change or now_s - one.made_s > self._kept_s:
            return None, False
        return one.who, now_s - one.made_s < (1 - SHORTER) * self._kept_s and now_s - one.seen_s < _LIKELY_S


class Ended:
    """Over which questions processes ended, and how many."""

    def __init__(self) -> None:
        self._of: OrderedDict[bytes, tuple[int, float]] = OrderedDict()  # and when the last one did

    def note(self, digest: bytes) -> None:
        """One more."""
        self._of[digest] = self.count(digest) + 1, time.monotonic()
        self._of.move_to_end(digest)
        if len(self._of) > _MOST_ENDED:
            self._of.popitem(last=False)

    def forgive(self, digest: bytes) -> None:
        """It was answered: something else had ended them."""
        self._of.pop(digest, None)

    def count(self, digest: bytes) -> int:
        """How many lately."""
        many, at_s = self._of.get(digest, (0, 0.0))
        return many if time.monotonic() - at_s < _ENDED_S else 0
