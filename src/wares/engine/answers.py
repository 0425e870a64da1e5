"""Answers that many get: what is asked again within minutes, while nothing changed, is not worked out again."""

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import blake2b
from threading import Lock

from wares.domain.request import Request
from wares.domain.rule import Actions
from wares.domain.shopper import History
from wares.engine.kept import KeptBytes
from wares.engine.live import CatalogueState
from wares.engine.stages import Answer, Walk
from wares.engine.view import ShopView

SHORTER = 0.3  # of its lifetime, by which that of some is shorter, at most
_EVENTS_PER_SALE = 10_000  # of all that are known: so many sales do not move an order that anybody would miss


@dataclass(frozen=True, slots=True)
class Question:
    """All that an answer depends on beside the catalogue, the snapshot and the moment."""

    request: Request  # without the moment, the shopper's id, and which of its hits are shown
    did: bytes  # a digest of what the shopper did: each event makes another question
    actions: Actions
    walk: int  # its identity: variants of an experiment answer alike questions in turn

    @staticmethod
    def of(request: Request, history: History, actions: Actions, walk: Walk) -> "Question":
        """What `request` asks for a shopper of this history, where the shop's rules want these actions."""
        asked = replace(request, now_ms=0, shopper_id=None, k=min(request.k, 1), offset=min(request.offset, 1))
        return Question(asked, b"" if history.says_nothing else _digest(history), actions, id(walk))


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    state: CatalogueState  # as the shopper's market saw it
    sales: int  # that were known
    until_s: float


@dataclass(frozen=True, slots=True)
class GivenAgain:
    """How an answer was asked for that was given more than once."""

    request: Request  # of who asked first
    walk: Walk
    is_anybodys: bool  # nothing was known of the shopper: all such share it
    until_s: float  # it was to be kept

    @staticmethod
    def of(kept: _Kept) -> "GivenAgain":
        intent = kept.answer.intent
        return GivenAgain(intent.request, kept.answer.walk, intent.history.says_nothing, kept.until_s)


class Answers:
    """Those of the last `lifetime_s`, up to `most_bytes` of them. Any number of threads may share one.

    An answer is found again where the same is asked of the same catalogue by a shopper of the same history, under the
    same rules: an event of theirs, a price, a stock or a new snapshot make it another. So do sales to others, once
    there are more of them than one for each 10,000 events that the shop knows; fewer move it `lifetime_s` later. What
    is left to chance is drawn after it, for each who asks.
    """

    def __init__(self, lifetime_s: float, most_bytes: int) -> None:
        self.found = self.missed = 0
        self._lifetime_s, self._most_bytes, self._bytes = lifetime_s, most_bytes, KeptBytes()
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()  # longest unused first
        self._looked_for: tuple[CatalogueState, int] | None = None  # what is kept and is of another one was let go
        self._lock = Lock()

    def find(self, question: Question, view: ShopView, walk: Walk) -> Answer | None:
        """What `keep` was given for this question, if it still holds in this view; with room for its pages, for who
        asks a second time is not the last."""
        now_s, least = time.monotonic(), view.sales - view.events // _EVENTS_PER_SALE
        with self._lock:
            kept = self._kept.get(question)
            is_same = kept is not None and kept.state is view.state and kept.answer.walk is walk and kept.sales >= least
            if kept is None or not is_same or kept.until_s < now_s:
                self.missed += 1
                return None
            self.found += 1
            if kept.answer.pages is None:
                self._put(question, kept := replace(kept, answer=replace(kept.answer, pages={})))
            else:
                self._kept.move_to_end(question)
        return replace(kept.answer, view=kept.answer.view.fresh())  # what a page looks up must not stay

    def keep(self, question: Question, answer: Answer, view: ShopView) -> None:
        """Remember it, unless it is not one to give twice."""
        if answer.slate.chances or answer.intent.request.explain:
            return
        now_s = time.monotonic()
        kept = _Kept(answer.to_keep(), view.state, view.sales, now_s + self._lifetime(now_s))
        with self._lock:
            self._put(question, kept)

    def given_again(self, most: int) -> list[GivenAgain]:
        """What was asked for more than once and is not too old: the `most` that were asked for last, the latest first.
        Nothing of it holds an answer, or a moment of the catalogue."""
        now_s = time.monotonic()
        with self._lock:
            kept = [one for one in reversed(self._kept.values()) if one.answer.pages is not None]
        return [GivenAgain.of(one) for one in kept if one.until_s >= now_s][:most]

    def holds(self, question: Question) -> bool:
        """Whether something is kept for it, be it still true or not."""
        return question in self._kept

    def keep_again(self, question: Question, answer: Answer, view: ShopView, until_s: float) -> None:
        """Remember what was worked out anew though nobody asked: as one that is asked often, no longer than what it
        takes the place of, and unless somebody has asked meanwhile. Those asked for last are to come first."""
        if answer.slate.chances:
            return
        kept = _Kept(replace(answer.to_keep(), pages={}), view.state, view.sales, until_s)
        with self._lock:
            if question in self._kept:
                return
            self._put(question, kept)
            if question in self._kept:  # else there is no room for it
                self._kept.move_to_end(question, last=False)

    def let_go(self, state: CatalogueState) -> None:
        """Forget now what is not found any more: it is of another state of the catalogue than this, or too old. Of what
        is too old, and was asked for after something that is not, some stays a while: as long as that.

        All are looked through once for each state; a look at thousands in the middle of answers is a stall."""
        now_s = time.monotonic()
        with self._lock:
            before, forgotten = self._looked_for or (None, 0)
            if before is not state or forgotten != state.times_forgotten:
                self._looked_for = state, state.times_forgotten
                for question, kept in list(self._kept.items()):
                    if kept.until_s < now_s or not state.is_seen_as(kept.state):
                        self._drop(question)
            while self._kept and next(iter(self._kept.values())).until_s < now_s:
                self._drop(next(iter(self._kept)))

    def let_all_go(self) -> None:
        """Forget all of them."""
        with self._lock:
            for question in list(self._kept):
                self._drop(question)
            self._looked_for = None

    @property
    def nbytes(self) -> int:
        """About the memory that those kept now take."""
        return self._bytes.now

    def _lifetime(self, now_s: float) -> float:
        """Shorter for some, by the digits of a moment that nobody chose: what was made at once must not end at once."""
        return self._lifetime_s * (1 - SHORTER * (now_s * 1000 % 1))

    def _put(self, question: Question, kept: _Kept) -> None:
        if question in self._kept:
            self._drop(question)
        self._kept[question] = kept
        self._bytes.add(kept.answer)
        if self._looked_for is not None and not self._looked_for[0].is_seen_as(kept.state):
            self._looked_for = None  # it was begun before, or something has changed again: look once more
        while self._kept and self._bytes.now > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, question: Question) -> None:
        self._bytes.take(self._kept.pop(question).answer)


def _digest(history: History) -> bytes:
    hasher = blake2b(digest_size=16)
    searched = history.searched
    for column in (
        history.rows, history.times_ms, history.kinds, history.quantities, searched.times_ms, searched.vectors,
    ):  # fmt: skip
        hasher.update(column.tobytes())
    hasher.update(repr(history.attributes).encode())
    return hasher.digest()
