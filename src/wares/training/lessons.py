"""What the shopper model learns from, cut into stretches of histories, steps and samples of products."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wares.domain.shopper import INTEREST_BY_CODE
from wares.errors import TrainingError

_MOST_EVENTS = 4_096  # of one step, padding included
_MOST_WINDOWS = 20  # of one shopper: a robot's 50,000 events count as its last 20 stretches
_NEXT = 8  # first purchases of later visits that an event may ask for
_SOUGHT = 24  # events among which a search finds what it was for
_COMPARED = 1_024  # searches at once
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Shopper s did `rows[indptr[s]:indptr[s + 1]]`, oldest first. Kinds, times, texts and attribute codes (-1 = none)
    are used where they are given.

    A search has the row -1, and in `searched` the place of its text vector in `queries`, of the encoder that made
    `text`; it is read, and asks for what follows, but nothing asks for it. `told` are codes of what each shopper told
    about themselves, -1 = none.

    Without `visits` an event is asked for by those before it; with them, where whole baskets are bought at once and
    again, as `what_follows` says.
    """

    rows: NDArray[np.int32]  # (n_events,)
    indptr: NDArray[np.int64]  # (shoppers + 1,)
    n_products: int
    kinds: NDArray[np.int8] | None = None  # (n_events,)
    times_ms: NDArray[np.int64] | None = None  # (n_events,)
    text: NDArray[np.float32] | None = None  # (n_products, d_text)
    codes: NDArray[np.int32] | None = None  # (n_products, a)
    visits: NDArray[np.int64] | None = None  # (n_events,) equal numbers side by side = one visit
    searched: NDArray[np.int32] | None = None  # (n_events,) -1 = an event on a product
    queries: NDArray[np.float32] | None = None  # (q, d_text)
    told: NDArray[np.int32] | None = None  # (shoppers, a)

    @property
    def teach(self) -> bool:
        """Whether anything follows anything."""
        first, stop, _ = self.speaking().what_follows()
        return bool((first < stop).any())

    def what_follows(self) -> tuple[Rows, Rows, Rows]:
        """What each event asks for: from and to (n_events,), equal where there is nothing, places in the third, which
        holds events, growing.

        Without `visits` that is the next event. With them it is the shopper's next 8 events, of later visits, on a
        product that they meet for the first time: what they buy again is foreseen better by how they bought it. A
        search asks for what it was for: the next event, or, with visits, the one of the next 24 that is nearest to its
        words, and for nothing where that was met before.
        """
        if self.searched is None:
            return self._follows()
        about = self.searched < 0
        places, passed = (
            np.flatnonzero(about),
            np.cumsum(about, dtype=np.int64),
        )  # events on products: where, and how many by then
        indptr = np.concatenate([[0], passed])[self.indptr]
        visits = None if self.visits is None else self.visits[about]
        plain = Lessons(self.rows[about], indptr, self.n_products, visits=visits)
        low, high, events = plain._follows()
        first, stop = np.empty(len(about), np.int64), np.empty(len(about), np.int64)
        first[about], stop[about] = low, high
        next_, last = passed[~about], np.repeat(indptr[1:], np.diff(self.indptr))[~about]
        sought = next_ if visits is None else self._sought(plain.rows, next_, last)
        asks = (sought < last) & np.isin(sought, events)
        first[~about] = np.where(asks, np.searchsorted(events, sought), len(events))
        stop[~about] = first[~about] + asks
        return first, stop, places[events]

    def _sought(self, rows: NDArray[np.int32], next_: Rows, last: Rows) -> Rows:
        """Of the events on products `rows` (e,), from the next one of each search on, (s,), up to its shopper's last:
        the one whose text is nearest to what was said; `last` where there is none."""
        assert self.searched is not None and self.queries is not None and self.text is not None
        said, sought = self.searched[self.searched >= 0], last.copy()
        for at in range(0, len(sought) if len(rows) else 0, _COMPARED):
            some = slice(at, at + _COMPARED)
            places = next_[some, None] + np.arange(_SOUGHT)  # (s, sought)
            real = places < last[some, None]
            texts = self.text[rows[np.where(real, places, 0)]]  # (s, sought, d_text)
            near = np.einsum("ijk,ik->ij", texts, self.queries[said[some]])
            best = next_[some] + np.argmax(np.where(real, near, -np.inf), axis=1)
            sought[some] = np.where(real.any(axis=1), best, last[some])
        return sought

    def _follows(self) -> tuple[Rows, Rows, Rows]:
        """The same where all events are on products."""
        n = len(self.rows)
        last = np.repeat(self.indptr[1:], np.diff(self.indptr))  # where each event's shopper ends
        if self.visits is None:
            first = np.arange(1, n + 1)
            return first, np.minimum(first + 1, last), np.arange(n)
        new = np.ones(n, np.bool_)
        new[1:] = self.visits[1:] != self.visits[:-1]
        new[self.indptr[:-1][np.diff(self.indptr) > 0]] = True
        later = np.append(np.flatnonzero(new), n)[np.cumsum(new)]  # where the next visit begins, of anybody
        owner = np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))
        fresh = np.sort(np.unique(owner * self.n_products + self.rows, return_index=True)[1])
        low, high = np.searchsorted(fresh, later), np.searchsorted(fresh, last)
        return low, np.minimum(low + _NEXT, high), fresh

    def speaking(self) -> "Lessons":
        """Only the events that speak for a product: a refund says nothing of what comes next."""
        if self.kinds is None:
            return self
        keep = INTEREST_BY_CODE[self.kinds] > 0
        if self.searched is not None:
            keep |= self.searched >= 0
        indptr = np.concatenate([[0], np.cumsum(keep)])[self.indptr].astype(np.int64)
        times_ms = None if self.times_ms is None else self.times_ms[keep]
        visits = None if self.visits is None else self.visits[keep]
        kept = replace(self, rows=self.rows[keep], indptr=indptr, kinds=self.kinds[keep])
        searched = None if self.searched is None else self.searched[keep]
        return replace(kept, times_ms=times_ms, visits=visits, searched=searched)


def attribute_codes(attributes: Sequence[Sequence[str]]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The words of each of n products as codes (n, a), -1 = none, and the words by code. A word that only one product
    has tells no more than that product's id, and is left out."""
    met: dict[str, int] = {}
    for words in attributes:
        for word in dict.fromkeys(words):
            met[word] = met.get(word, 0) + 1
    code_of = {word: code for code, word in enumerate(word for word, n in met.items() if n > 1)}
    told = [[code_of[word] for word in dict.fromkeys(words) if word in code_of] for words in attributes]
    codes = np.full((len(told), max(map(len, told), default=0)), -1, np.int32)
    for row, own in enumerate(told):
        codes[row, : len(own)] = own
    return codes, tuple(code_of)


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches of histories: window w is the events `start[w]:stop[w]`, of which each but the last asks for what
    follows it before the event `limit[w]`. Of the `held` ones only the last event asks, in validation."""

    start: Rows  # (w,)
    stop: Rows  # (w,)
    limit: Rows  # (w,)
    held: Rows  # (h, 2) start and stop

    def steps(self, batch: int, rng: np.random.Generator) -> list[Rows]:
        """One epoch: windows of about one length together, so that little is padding, in random order."""
        lengths = self.stop - self.start
        order = np.argsort(lengths + 2 * rng.random(len(lengths)), kind="stable")
        steps, at = [], 0
        while at < len(order):
            longest = np.maximum.accumulate(lengths[order[at : at + batch]])
            fits = int((longest * np.arange(1, len(longest) + 1) <= _MOST_EVENTS).sum())
            steps.append(order[at : at + max(fits, 1)])
            at += len(steps[-1])
        return [steps[i] for i in rng.permutation(len(steps))]


def windows_of(lessons: Lessons, max_history: int, hold_out: float, rng: np.random.Generator) -> Windows:
    """Each history in stretches of `max_history` events and one, from its end, 20 of them at most; of a share
    `hold_out` of the shoppers the last event is held out. Raises TrainingError where nothing follows anything."""
    first, end = lessons.indptr[:-1], lessons.indptr[1:].copy()
    low, high, events = lessons.what_follows()
    asks = np.flatnonzero(low < high)
    owner = np.repeat(np.arange(len(first)), np.diff(lessons.indptr))
    last = np.full(len(first), -1, np.int64)  # the last event of each shopper that asks for anything
    last[owner[asks]] = asks  # growing within a shopper: the last one stays
    chosen = (last - first >= 1) & (rng.random(len(first)) < hold_out)
    held = np.stack([np.maximum(first, last - max_history + 1), last + 2], axis=1)[chosen]
    end[chosen] = events[low[last[chosen]]]
    limit = end.copy()
    starts, stops, limits = [], [], []
    for _ in range(_MOST_WINDOWS):
        long = end - first >= 2
        first, end, limit = first[long], end[long], limit[long]
        starts.append(np.maximum(first, end - max_history - 1))
        stops.append(end)
        limits.append(limit)
        end = starts[-1] + 1
    start, stop, limit = (np.concatenate(parts) for parts in (starts, stops, limits))
    within = np.stack([start, stop - 1], axis=1).ravel()
    lowest = np.minimum.reduceat(low, within)[::2] if len(within) else within
    asking = lowest < np.searchsorted(events, limit)
    if not asking.any():
        raise TrainingError("No shopper has two events, so there is nothing that follows something to learn from.")
    return Windows(start[asking], stop[asking], limit[asking], held)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which products an event is told from: all with events where these are few, else a sample, half by popularity^0.75
    and half evenly."""

    products: Rows  # (k,) those with events
    sums: NDArray[np.float64]  # (k,) cumulative chances
    log_rate: NDArray[np.float32]  # (k,) log of how often a sample is expected to hold each; 0 where all are taken
    size: int

    @staticmethod
    def of(lessons: Lessons, size: int) -> "Sampling":
        met = np.bincount(lessons.rows[lessons.rows >= 0], minlength=lessons.n_products)
        products = np.flatnonzero(met)
        if len(products) <= size:
            return Sampling(products, np.empty(0), np.zeros(len(products), np.float32), len(products))
        chance = met[products] ** 0.75
        chance = 0.5 * chance / chance.sum() + 0.5 / len(chance)
        return Sampling(products, np.cumsum(chance), np.log(chance * size).astype(np.float32), size)

    def draw(self, rng: np.random.Generator) -> tuple[Rows, NDArray[np.float32]]:
        """Product rows (size,) and their log rates."""
        if not len(self.sums):
            return self.products, self.log_rate
        at = np.searchsorted(self.sums, rng.random(self.size), side="right").clip(max=len(self.sums) - 1)
        return self.products[at], self.log_rate[at]
