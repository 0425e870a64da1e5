"""All histories of the shop side by side: what the behaviour models learn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wares.domain.shopper import NEVER_SEARCHED, History, Searched
from wares.domain.strings import State


@dataclass(frozen=True, slots=True)
class Searches:
    """What known shoppers searched for, sorted by shopper, then time. Of the words only the text vectors are kept."""

    shoppers: NDArray[np.int32]  # (m,) places in `Interactions`
    times_ms: NDArray[np.int64]  # (m,)
    places: NDArray[np.int32]  # (m,) rows of `vectors`
    vectors: NDArray[np.float16]  # (q, d_text) of the distinct queries

    def __len__(self) -> int:
        return len(self.shoppers)

    def of(self, shopper: int) -> Searched:
        if not len(self):
            return NEVER_SEARCHED
        own = slice(*np.searchsorted(self.shoppers, [shopper, shopper + 1]).tolist())
        return Searched(self.times_ms[own], self.vectors[self.places[own]].astype(np.float32))

    def take(self, keep: NDArray[np.bool_]) -> "Searches":
        return Searches(self.shoppers[keep], self.times_ms[keep], self.places[keep], self.vectors)

    def state(self) -> State:
        """Plain arrays by the names of its fields."""
        return State(shoppers=self.shoppers, times_ms=self.times_ms, places=self.places, vectors=self.vectors)


NO_SEARCHES = Searches(
    np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int32), np.empty((0, 0), np.float16)
)


@dataclass(frozen=True, slots=True)
class Interactions:
    """Events on products in one table, sorted by shopper, then time; shopper s owns `indptr[s]:indptr[s + 1]`.

    `baskets` numbers the baskets: equal numbers were bought together (-1 = in no basket). Anonymous events, which
    tell what is popular and bought together but whose they are not, belong to the last shopper when
    `has_anonymous`. `n_products` is the number of product rows, of which every `rows` entry is one.

    `searches` and `attributes` (of a shopper by place) are there where the shopper model reads them.
    """

    events: History  # (n,)
    baskets: NDArray[np.int64]  # (n,)
    indptr: NDArray[np.int64]  # (shoppers + 1,)
    n_products: int
    has_anonymous: bool = False
    searches: Searches = NO_SEARCHES
    attributes: Mapping[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def n_shoppers(self) -> int:
        """Known shoppers, without the anonymous crowd."""
        return len(self.indptr) - 1 - int(self.has_anonymous)

    @property
    def shoppers(self) -> NDArray[np.int32]:
        """(n,) the shopper of each event."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))

    def history(self, shopper: int) -> History:
        own = self.events.take(slice(int(self.indptr[shopper]), int(self.indptr[shopper + 1])))
        searched, attributes = self.searches.of(shopper), self.attributes.get(shopper, ())
        return replace(own, searched=searched, attributes=attributes) if len(searched) or attributes else own

    def before(self, time_ms: int) -> "Interactions":
        """The same shoppers and products with only what happened before this moment."""
        searches = self.searches.take(self.searches.times_ms < time_ms) if len(self.searches) else self.searches
        return replace(self.take(self.events.times_ms < time_ms), searches=searches)

    def take(self, keep: NDArray[np.bool_]) -> "Interactions":
        """The same shoppers and products with only the events where `keep` (n,) holds. Searches after the last event
        kept of their shopper go, too: they may have come after what was taken away."""
        counts = np.add.reduceat(np.append(keep, False).astype(np.int64), self.indptr[:-1])
        counts[np.diff(self.indptr) == 0] = 0  # reduceat answers an empty slice with its first element
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        taken = replace(self, events=self.events.take(keep), baskets=self.baskets[keep], indptr=indptr)
        if not len(self.searches):
            return taken
        last_ms = np.full(len(indptr) - 1, np.iinfo(np.int64).min)
        some = np.diff(indptr) > 0
        last_ms[some] = taken.events.times_ms[indptr[1:][some] - 1]
        early = self.searches.times_ms <= last_ms[self.searches.shoppers]
        return replace(taken, searches=self.searches.take(early))

    def known(self) -> "Interactions":
        """Without the anonymous crowd."""
        if not self.has_anonymous:
            return self
        end = int(self.indptr[-2])
        events, baskets = self.events.take(slice(0, end)), self.baskets[:end]
        return replace(self, events=events, baskets=baskets, indptr=self.indptr[:-1], has_anonymous=False)

    @staticmethod
    def of(
        shoppers: NDArray[np.int64], events: History, baskets: NDArray[np.int64], n_shoppers: int, n_products: int
    ) -> "Interactions":
        """Sort events (n,) by `shoppers` (n,), then time; shopper -1 is the anonymous crowd, which comes last."""
        anonymous = bool((shoppers < 0).any())
        owner = np.where(shoppers < 0, n_shoppers, shoppers)
        order = np.lexsort((events.times_ms, owner))
        counts = np.bincount(owner, minlength=n_shoppers + anonymous)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Interactions(events.take(order), baskets[order], indptr, n_products, anonymous)
