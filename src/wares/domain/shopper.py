"""A shopper: who may be asking, and what they did so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import INTEREST, EventKind

KINDS: tuple[EventKind, ...] = tuple(EventKind)
KIND_CODES: dict[EventKind, int] = {kind: code for code, kind in enumerate(KINDS)}
INTEREST_BY_CODE: NDArray[np.float32] = np.array([INTEREST[kind] for kind in KINDS], np.float32)
_RATE = KIND_CODES[EventKind.RATE]
_WANTS_AGAIN = (EventKind.UNHIDE, EventKind.LIKE, EventKind.WISH, EventKind.CART, EventKind.PURCHASE)


@dataclass(frozen=True, slots=True)
class Shopper:
    """A known shopper and the attributes the shop told us ("age": "35-44"); missing ones are simply absent."""

    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Login:
    """An anonymous shopper turned out to be a known one. `consent`: they agreed that their histories become one."""

    anonymous_id: str
    known_id: str
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of some logins: newly joined, joined before, and `apart` for want of consent. `refused` has the place
    of each that was ambiguous and why; `note` is a sentence for a person."""

    new: int = 0
    repeated: int = 0
    apart: int = 0
    refused: tuple[tuple[int, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """When one shopper searched, oldest first, and for what: the text vectors of the words, not the words."""

    times_ms: NDArray[np.int64]  # (m,)
    vectors: NDArray[np.float32]  # (m, d_text)

    def __len__(self) -> int:
        return len(self.times_ms)

    def then(self, other: "Searched") -> "Searched":
        """These and others, in order of time."""
        if not len(other) or not len(self):
            return other if len(other) else self
        times_ms = np.concatenate([self.times_ms, other.times_ms])
        order = np.argsort(times_ms, kind="stable")
        return Searched(times_ms[order], np.concatenate([self.vectors, other.vectors])[order])


NEVER_SEARCHED = Searched(np.empty(0, np.int64), np.empty((0, 0), np.float32))


@dataclass(frozen=True, slots=True)
class History:
    """What one shopper did with products, oldest first, as parallel arrays of length n.

    `rows` are internal product rows, `times_ms` Unix milliseconds, `kinds` codes into `KINDS`, `quantities` units,
    of a rating its stars. Events on products without a row are not in it.

    `searched` and `attributes` ("age", "35-44") stand beside the events, where the shopper model reads them; whatever
    is taken of the events, they stay.
    """

    rows: NDArray[np.int32]  # (n,)
    times_ms: NDArray[np.int64]  # (n,)
    kinds: NDArray[np.int8]  # (n,)
    quantities: NDArray[np.float32]  # (n,)
    searched: Searched = NEVER_SEARCHED
    attributes: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def says_nothing(self) -> bool:
        """Whether nothing at all is known."""
        return not (len(self.rows) or len(self.searched) or self.attributes)

    @staticmethod
    def empty() -> "History":
        return History(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.float32))

    @staticmethod
    def bought_now(rows: NDArray[np.int32], now_ms: int) -> "History":
        """Products as if they had been bought just now, one of each."""
        n = len(rows)
        purchase = np.full(n, KIND_CODES[EventKind.PURCHASE], np.int8)
        return History(rows, np.full(n, now_ms, np.int64), purchase, np.ones(n, np.float32))

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "History":
        return History(
            self.rows[index], self.times_ms[index], self.kinds[index], self.quantities[index],
            self.searched, self.attributes,
        )  # fmt: skip

    def then(self, later: "History") -> "History":
        """This history followed by a later one; kept in order of time even where the two overlap."""
        whole, searched = self._events_then(later), self.searched.then(later.searched)
        attributes = self.attributes or later.attributes
        if whole.searched is searched and whole.attributes is attributes:
            return whole
        return replace(whole, searched=searched, attributes=attributes)

    def _events_then(self, later: "History") -> "History":
        if not len(later) or not len(self):
            return later if len(later) else self
        joined = History(
            np.concatenate([self.rows, later.rows]),
            np.concatenate([self.times_ms, later.times_ms]),
            np.concatenate([self.kinds, later.kinds]),
            np.concatenate([self.quantities, later.quantities]),
        )
        return joined if later.times_ms[0] >= self.times_ms[-1] else joined.in_order()

    def in_order(self) -> "History":
        """The same events, oldest first; those of one moment as they were."""
        return self.take(np.argsort(self.times_ms, kind="stable"))

    def of(self, *kinds: EventKind) -> "History":
        """Only the events of these kinds."""
        wanted = np.zeros(len(KINDS), np.bool_)
        wanted[[KIND_CODES[kind] for kind in kinds]] = True
        return self.take(wanted[self.kinds])

    def standing(self, said: EventKind, *taken_back: EventKind) -> "History":
        """Of each product the last event of the kind `said`, where none of the kinds `taken_back` came after it."""
        if KIND_CODES[said] not in self.kinds:
            return self.take(slice(0))
        told = self.of(said, *taken_back)
        _, from_the_end = np.unique(told.rows[::-1], return_index=True)
        return told.take(np.sort(len(told) - 1 - from_the_end)).of(said)

    @property
    def hidden(self) -> "History":
        """What the shopper does not want to see: who takes it back, keeps or buys it wants it again."""
        return self.standing(EventKind.HIDE, *_WANTS_AGAIN)

    @property
    def interest(self) -> NDArray[np.float32]:
        """(n,) how much each event says about taste: 1 for a purchase, 0 for a refund, a hide or up to three stars."""
        interest = INTEREST_BY_CODE[self.kinds]
        rated = self.kinds == _RATE
        if rated.any():  # five stars count whole, four half
            interest[rated] *= np.clip((self.quantities[rated] - 3) / 2, 0, 1)
        return interest

    @property
    def units(self) -> NDArray[np.float32]:
        """(n,) how many of the product each event is about; a rating is about one."""
        return np.where(self.kinds == _RATE, np.float32(1), self.quantities)
