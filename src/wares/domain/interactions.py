"""All histories of the shop side by side: what the behaviour models learn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.domain.shopper import History


@dataclass(frozen=True, slots=True)
class Interactions:
    """Events on products in one table, sorted by shopper, then time; shopper s owns `indptr[s]:indptr[s + 1]`.

    `baskets` numbers the baskets: equal numbers were bought together (-1 = in no basket). Anonymous events, which
    tell what is popular and bought together but whose they are not, belong to the last shopper when
    `has_anonymous`. `n_products` is the number of product rows, of which every `rows` entry is one.
    """

    events: History  # (n,)
    baskets: NDArray[np.int64]  # (n,)
    indptr: NDArray[np.int64]  # (shoppers + 1,)
    n_products: int
    has_anonymous: bool = False

    @property
    def n_shoppers(self) -> int:
        """Known shoppers, without the anonymous crowd."""
        return len(self.indptr) - 1 - int(self.has_anonymous)

    @property
    def shoppers(self) -> NDArray[np.int32]:
        """(n,) the shopper of each event."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))

    def history(self, shopper: int) -> History:
        return self.events.take(slice(int(self.indptr[shopper]), int(self.indptr[shopper + 1])))

    def take(self, keep: NDArray[np.bool_]) -> "Interactions":
        """The same shoppers and products with only the events where `keep` (n,) holds."""
        counts = np.add.reduceat(np.append(keep, False).astype(np.int64), self.indptr[:-1])
        counts[np.diff(self.indptr) == 0] = 0  # reduceat answers an empty slice with its first element
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Interactions(self.events.take(keep), self.baskets[keep], indptr, self.n_products, self.has_anonymous)

    def known(self) -> "Interactions":
        """Without the anonymous crowd."""
        if not self.has_anonymous:
            return self
        end = int(self.indptr[-2])
        return Interactions(self.events.take(slice(0, end)), self.baskets[:end], self.indptr[:-1], self.n_products)

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
