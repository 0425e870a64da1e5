"""A file of sequences as events, cut for leave-one-out, asked in blocks of users.

Such a file has no dates. So events get one day each, counted back from `NOW_MS`, and a half-life in days is one in
events. Every part of a sequence is dated anew, its last event at `NOW_MS`: age is the distance from the question.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Floats
from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.errors import InputError
from wares.evaluation.splits import DAY_MS, PURCHASE, LeaveOneOut, split_leave_one_out, with_shuffled_ties
from wares.evaluation.ties import credit, gain, ordered_top, places_in_rows
from wares.feeds.sequences import LEAST_ITEMS, Sequences

NOW_MS = 0
K = 10
_BLOCK_SCORES = 16_000_000  # held at a time: 64 MB

Score = Callable[[Interactions], Floats]  # histories of b users, dated by `one_a_day` -> (b, n_products)


@dataclass(frozen=True)
class Questions:
    """What each of s users did before, and which product came next."""

    asked: Interactions  # s histories, the last event of each at NOW_MS
    targets: NDArray[np.int32]  # (s,) product rows

    def __len__(self) -> int:
        return len(self.targets)

    def some(self, most: int, rng: np.random.Generator) -> "Questions":
        """At most so many of the users, drawn."""
        if len(self) <= most:
            return self
        asks = np.zeros(len(self), np.bool_)
        asks[rng.choice(len(self), most, replace=False)] = True
        return Questions(only(self.asked, asks), self.targets[asks])

    def blocks(self) -> Iterator[tuple[Interactions, NDArray[np.int32]]]:
        """Histories and targets of as many users as fit into memory together."""
        size = max(1, _BLOCK_SCORES // max(1, self.asked.n_products))
        for start in range(0, len(self), size):
            yield some_shoppers(self.asked, start, min(start + size, len(self))), self.targets[start : start + size]


@dataclass(frozen=True)
class Cut:
    """A file's two questions per user, and what may be learnt before each."""

    train: Interactions
    train_and_validation: Interactions
    validation: Questions
    test: Questions
    users: NDArray[np.int32]  # (s,) who is asked, as places in the file


def events_of(sequences: Sequences) -> Interactions:
    """One purchase per item, one a day."""
    n = len(sequences.rows)
    kinds, units = np.full(n, PURCHASE, np.int8), np.ones(n, np.float32)
    events = History(sequences.rows, np.zeros(n, np.int64), kinds, units)
    no_baskets = np.full(n, -1, np.int64)
    return one_a_day(Interactions(events, no_baskets, sequences.indptr, len(sequences.items)))


def one_a_day(interactions: Interactions) -> Interactions:
    """The same events in the same order, the last of each shopper at NOW_MS and each other a day before the next."""
    ends = np.repeat(interactions.indptr[1:], np.diff(interactions.indptr))
    times_ms = NOW_MS - DAY_MS * (ends - 1 - np.arange(len(interactions.events), dtype=np.int64))
    return replace(interactions, events=replace(interactions.events, times_ms=times_ms))


def some_shoppers(interactions: Interactions, start: int, stop: int) -> Interactions:
    """The shoppers start .. stop - 1 alone, who become 0 .. stop - start - 1."""
    first, last = int(interactions.indptr[start]), int(interactions.indptr[stop])
    events, baskets = interactions.events.take(slice(first, last)), interactions.baskets[first:last]
    return Interactions(events, baskets, interactions.indptr[start : stop + 1] - first, interactions.n_products)


def cut(interactions: Interactions) -> Cut:
    """Each user's last item is the test, the one before it the validation; users with fewer than three only teach."""
    split = split_leave_one_out(interactions)
    if not len(split):
        raise InputError(
            f"No user has {LEAST_ITEMS} items: one to learn from, one for validation and one for the test."
        )
    train, both = one_a_day(split.train), one_a_day(split.train_and_validation)
    return Cut(
        train, both, _questions(split, train, split.validation), _questions(split, both, split.test), split.shoppers
    )


def _questions(split: LeaveOneOut, before: Interactions, targets: NDArray[np.int32]) -> Questions:
    asks = np.zeros(before.n_shoppers, np.bool_)
    asks[split.shoppers] = True
    return Questions(only(before, asks), targets)


def only(interactions: Interactions, asks: NDArray[np.bool_]) -> Interactions:
    """The shoppers where `asks` (s,) holds, who become 0, 1, ..."""
    theirs = interactions.take(np.repeat(asks, np.diff(interactions.indptr)))
    indptr = np.concatenate([[0], np.cumsum(np.diff(theirs.indptr)[asks])]).astype(np.int64)
    return replace(theirs, indptr=indptr)


def measure(
    score: Score,
    questions: Questions,
    *,
    on_asked: Callable[[int], None] | None = None,
    on_ranked: Callable[[Floats], None] | None = None,
) -> NDArray[np.float64]:
    """(s, 2) recall@10 and ndcg@10 of each user; products of the history are out of the ranking, a target is not.

    `on_ranked` receives the scores (b, n) of each block, those that are out being -inf; `on_asked` how many were asked.
    """
    found = []
    for asked, targets in questions.blocks():
        scores = score(asked)
        place = np.arange(len(targets))
        own = scores[place, targets]
        scores[asked.shoppers, asked.events.rows] = -np.inf
        scores[place, targets] = own
        places = places_in_rows(scores, targets)
        found.append(np.stack([credit(places, K), gain(places, K)], axis=1))
        if on_ranked is not None:
            on_ranked(scores)
        if on_asked is not None:
            on_asked(len(targets))
    return np.concatenate(found)


@dataclass
class Ranked:
    """Collects the best of each user, in the order of the questions."""

    depth: int
    tie_order: NDArray[np.int64]  # (n_products,) see `ordered_top`
    rows: list[NDArray[np.int64]]
    scores: list[Floats]

    def __call__(self, scores: Floats) -> None:
        for line in scores:
            top = ordered_top(line, self.depth, self.tie_order)
            self.rows.append(top)
            self.scores.append(line[top])


def share_in_order(interactions: Interactions, keys: Sequence[str]) -> float:
    """The share of neighbours in the order of their keys (one per product): a half where the file does not sort by
    them, more the more of them are of one day."""
    ascending = _ascending(interactions, keys)
    return float(ascending.mean()) if len(ascending) else 0.0


def with_runs_shuffled(interactions: Interactions, keys: Sequence[str], rng: np.random.Generator) -> Interactions:
    """The same events with each longest run in the order of the keys in random order, dated anew.

    In a file that sorts the events of a day by a key, those of one day all lie within one such run. So everything
    that a day's order gives away is gone, and of the true order across days a little, too.
    """
    goes_on = np.zeros(len(interactions.events), np.bool_)
    goes_on[_with_a_predecessor(interactions)] = _ascending(interactions, keys)
    runs = np.cumsum(~goes_on).astype(np.int64)
    dated = replace(interactions, events=replace(interactions.events, times_ms=runs))
    return one_a_day(with_shuffled_ties(dated, rng))


def _ascending(interactions: Interactions, keys: Sequence[str]) -> NDArray[np.bool_]:
    """Of each event with one before it: does its key not stand before that one's?"""
    order = np.unique(np.array(keys), return_inverse=True)[1]
    at = _with_a_predecessor(interactions)
    rows = interactions.events.rows
    ascending: NDArray[np.bool_] = order[rows[at]] >= order[rows[at - 1]]
    return ascending


def _with_a_predecessor(interactions: Interactions) -> NDArray[np.intp]:
    has = np.ones(len(interactions.events), np.bool_)
    has[interactions.indptr[:-1][np.diff(interactions.indptr) > 0]] = False
    return np.flatnonzero(has)
