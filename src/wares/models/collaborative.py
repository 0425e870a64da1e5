"""Products by the company they keep: in baskets (CoBought) and with shoppers (ItemKNN)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.scores import Scores
from wares.domain.shopper import KIND_CODES, History
from wares.models.memory import Sparse, State, from_arrays, no_links, sparse, to_arrays
from wares.models.neighbours import go_together, heaviest, pointed_at
from wares.models.taste import preferences, taste


@dataclass
class CoBought:
    """Bought in the same basket, anonymous baskets included: for product pages and the cart.

    `damping` says how much a popular neighbour is marked down (see `go_together`); `shrink` counts baskets.
    Baskets of more than `max_basket` products (a wholesaler's) say little and are left out.
    """

    k: int = 100
    shrink: float = 10.0
    damping: float = 0.5
    half_life_days: float = 7.0
    min_baskets: int = 3
    max_basket: int = 200
    max_history: int = 500
    links: Sparse = field(init=False, default_factory=no_links)

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        events = interactions.events
        bought = (events.kinds == KIND_CODES[EventKind.PURCHASE]) & (interactions.baskets >= 0)
        numbers, basket = np.unique(interactions.baskets[bought], return_inverse=True)
        width = max(interactions.n_products, 1)
        pairs = np.unique(basket * width + events.rows[bought])
        basket, product = np.divmod(pairs, width)
        sizes = np.bincount(basket, minlength=len(numbers))
        fits = sizes[basket] <= self.max_basket
        sizes[sizes > self.max_basket] = 0
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        baskets = sparse(np.ones(fits.sum()), product[fits], indptr, (len(numbers), interactions.n_products))
        self.links = go_together(baskets, self.k, self.shrink, self.damping, self.min_baskets)

    def score(self, history: History, now_ms: int) -> NDArray[np.float32]:
        """(n_products,) from 0: the links of the products in the history, or of the seeds of a page, added up."""
        return self.says(history, now_ms).all()

    def says(self, history: History, now_ms: int) -> Scores:
        """The same by the products of which something is said."""
        rows, weights = heaviest(*taste(history, now_ms, self.half_life_days), self.max_history)
        return pointed_at(self.links, rows, weights)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)


@dataclass
class ItemKNN:
    """Liked by the same shoppers, the history fading (Deshpande and Karypis 2004); parameters as in `go_together`."""

    k: int = 100
    shrink: float = 50.0
    damping: float = 0.3
    half_life_days: float = 90.0
    min_shoppers: int = 3
    max_history: int = 500
    links: Sparse = field(init=False, default_factory=no_links)

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        liking = preferences(interactions, now_ms, np.inf)
        self.links = go_together(liking, self.k, self.shrink, self.damping, self.min_shoppers)

    def score(self, history: History, now_ms: int) -> NDArray[np.float32]:
        """(n_products,) from 0: what goes with the history, what is lately liked counting most."""
        return self.says(history, now_ms).all()

    def says(self, history: History, now_ms: int) -> Scores:
        """The same by the products of which something is said."""
        rows, weights = heaviest(*taste(history, now_ms, self.half_life_days), self.max_history)
        return pointed_at(self.links, rows, weights)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)
