"""What may be learnt from and what is asked: the three ways in which a history is cut.

*Next basket* and *cold products* cut the whole shop at one moment, as the calendar does; nothing is masked, since
people buy again. *Leave one out* cuts each shopper's own sequence, as the published tables do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History
from wares.errors import InputError

DAY_MS = 86_400_000
PURCHASE = KIND_CODES[EventKind.PURCHASE]


@dataclass(frozen=True, slots=True)
class NextBasket:
    """For each of s shoppers with a history before the cut: the distinct products of the first basket after it."""

    train: Interactions  # every event before cut_ms, of anonymous shoppers too
    shoppers: NDArray[np.int32]  # (s,)
    targets: tuple[NDArray[np.int32], ...]  # s arrays of distinct product rows, growing
    cut_ms: int

    def __len__(self) -> int:
        return len(self.shoppers)

    @property
    def histories(self) -> Sequence[History]:
        """s histories as they stood at the cut."""
        return [self.train.history(int(shopper)) for shopper in self.shoppers]

    def take(self, keep: Sequence[int] | NDArray[np.intp]) -> "NextBasket":
        """The same cut for some of the shoppers, by position."""
        chosen = np.asarray(keep, np.intp)
        return replace(self, shoppers=self.shoppers[chosen], targets=tuple(self.targets[i] for i in chosen))


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """For each of s shoppers with three events or more: the last is the test, the one before it the validation."""

    train: Interactions  # without both
    train_and_validation: Interactions  # without the test
    shoppers: NDArray[np.int32]  # (s,)
    validation: NDArray[np.int32]  # (s,) product rows
    test: NDArray[np.int32]  # (s,) product rows

    def __len__(self) -> int:
        return len(self.shoppers)


@dataclass(frozen=True, slots=True)
class ColdProducts:
    """Purchases of products that nobody touched before the cut, by shoppers who have a history before it."""

    train: Interactions
    products: NDArray[np.int32]  # (c,) the cold products, growing: what is ranked
    shoppers: NDArray[np.int32]  # (p,) who bought
    targets: NDArray[np.int32]  # (p,) which of `products`, as product rows
    times_ms: NDArray[np.int64]  # (p,)
    cut_ms: int

    def __len__(self) -> int:
        return len(self.targets)


def cut_ms(interactions: Interactions, days: float = 28, earlier: int = 0) -> int:
    """The moment `days` before the last event, and as much again for each window `earlier`."""
    if not len(interactions.events):
        raise InputError("There is no event to split. Import an event log first.")
    return int(interactions.events.times_ms.max()) - round((1 + earlier) * days * DAY_MS)


def split_next_basket(interactions: Interactions, days: float = 28, earlier: int = 0) -> NextBasket:
    """Cut the shop `days` before its last event; `earlier=1` gives the validation window just before the test window.

    Learnt from: events before the cut. Asked: what a shopper bought with the first purchase in [cut, cut + days).
    Purchases in no basket count as one basket per day (UTC). Shoppers without an event before the cut are left out,
    and so are those without a purchase in the window.
    """
    cut = cut_ms(interactions, days, earlier)
    until = cut + round(days * DAY_MS)
    known = interactions.known()
    times, events = known.events.times_ms, known.events
    inside = (times >= cut) & ((times < until) if earlier else (times <= until)) & (events.kinds == PURCHASE)
    train = interactions.before(cut)
    has_history = np.diff(train.indptr)[: known.n_shoppers] > 0
    owner = known.shoppers
    at = np.flatnonzero(inside & has_history[owner])  # sorted by shopper, then time
    shoppers, first = np.unique(owner[at], return_index=True)
    baskets = np.where(known.baskets >= 0, known.baskets, -1 - times // DAY_MS)[at]
    group = np.searchsorted(shoppers, owner[at])
    mine = baskets == baskets[first][group]
    pairs = np.unique(np.stack([group[mine], events.rows[at][mine]], axis=1), axis=0)  # distinct products
    targets = np.split(pairs[:, 1].astype(np.int32), np.flatnonzero(np.diff(pairs[:, 0])) + 1) if len(pairs) else []
    return NextBasket(train, shoppers.astype(np.int32), tuple(targets), cut)


def split_leave_one_out(interactions: Interactions) -> LeaveOneOut:
    """Each shopper's last event is the test, the last but one the validation; the order given decides between equal
    times (`with_shuffled_ties` changes it). Shoppers with fewer than three events only teach."""
    known = interactions.known()
    shoppers = np.flatnonzero(np.diff(known.indptr) >= 3)
    last = known.indptr[1:][shoppers] - 1
    keep = np.ones(len(interactions.events), np.bool_)
    keep[last] = False
    with_validation = interactions.take(keep)
    keep[last - 1] = False
    rows = known.events.rows
    return LeaveOneOut(interactions.take(keep), with_validation, shoppers.astype(np.int32), rows[last - 1], rows[last])


def with_shuffled_ties(interactions: Interactions, rng: np.random.Generator) -> Interactions:
    """The same events, those of one shopper at one moment in random order."""
    chance = rng.random(len(interactions.events))
    order = np.lexsort((chance, interactions.events.times_ms, interactions.shoppers))
    return replace(interactions, events=interactions.events.take(order), baskets=interactions.baskets[order])


def split_cold_products(interactions: Interactions, days: float = 28, earlier: int = 0) -> ColdProducts:
    """Each purchase, in [cut, cut + days), of a product whose first event of any kind and shopper lies in there.

    Every purchase line asks once. What a shopper did is known up to the cut only.
    """
    cut = cut_ms(interactions, days, earlier)
    until = cut + round(days * DAY_MS)
    events = interactions.events
    seen = events.times_ms < until if earlier else np.ones(len(events), np.bool_)
    first_ms = np.full(interactions.n_products, np.iinfo(np.int64).max)
    np.minimum.at(first_ms, events.rows[seen], events.times_ms[seen])
    cold = (first_ms >= cut) & (first_ms < np.iinfo(np.int64).max)
    train = interactions.before(cut)
    owner = interactions.shoppers
    asks = seen & cold[events.rows] & (events.kinds == PURCHASE)
    asks &= (owner < interactions.n_shoppers) & (np.diff(train.indptr) > 0)[owner]
    return ColdProducts(
        train,
        np.flatnonzero(cold).astype(np.int32),
        owner[asks],
        events.rows[asks],
        events.times_ms[asks],
        cut,
    )
