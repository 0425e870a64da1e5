"""TIFU-KNN, a strong and simple baseline for next baskets, used in evaluation.

Hu, He, Gao and Zhang 2020, "Modeling personalized item frequency information for next-basket recommendation" (SIGIR).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History
from wares.models.memory import Sparse, State, from_arrays, no_links, sparse, to_arrays
from wares.models.taste import DAY_MS


@dataclass
class TifuKNN:
    """A shopper is a vector of faded purchase frequencies; the answer mixes it with the mean of like shoppers.

    A day's purchases are one basket. From the newest, baskets form groups of `group_size`; a basket weighs
    within_decay ^ (place in its group), a group group_decay ^ (its place); both count from 0. Fitted vectors are
    personal data: they belong in an evaluation, not in a snapshot.
    """

    k: int = 300
    own_share: float = 0.7
    group_size: int = 7
    within_decay: float = 0.9
    group_decay: float = 0.7
    vectors: Sparse = field(init=False, default_factory=no_links)
    squares: NDArray[np.float32] = field(init=False, default_factory=lambda: np.empty(0, np.float32))

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        known, width = interactions.known(), max(interactions.n_products, 1)
        bought = known.events.kinds == KIND_CODES[EventKind.PURCHASE]
        shoppers = known.shoppers[bought].astype(np.int64)
        weight = self._weights(shoppers, known.events.times_ms[bought], known.n_shoppers)
        pairs, place = np.unique(shoppers * width + known.events.rows[bought], return_inverse=True)
        indptr = np.searchsorted(pairs, np.arange(known.n_shoppers + 1, dtype=np.int64) * width)
        frequency = np.bincount(place, weight, len(pairs))
        self.vectors = sparse(frequency, pairs % width, indptr, (known.n_shoppers, known.n_products))
        self.squares = np.asarray(self.vectors.power(2).sum(axis=1), np.float32)

    def score(self, history: History, now_ms: int) -> NDArray[np.float32]:
        """(n_products,) from 0; all 0 without a purchase."""
        own = np.zeros(self.vectors.shape[1], np.float32)
        bought = history.take(history.rows < len(own)).of(EventKind.PURCHASE)  # newer products are not known yet
        if not len(bought):
            return own
        weight = self._weights(np.zeros(len(bought), np.int64), bought.times_ms, 1)
        own[:] = np.bincount(bought.rows, weight, len(own))
        distance = self.squares - 2 * (self.vectors @ own)  # (s, n) @ (n,) -> (s,); |own|^2 is the same for all
        near = np.argpartition(distance, self.k)[: self.k] if len(distance) > self.k else np.arange(len(distance))
        like_them = np.asarray(self.vectors[near].sum(axis=0), np.float32) / np.float32(max(len(near), 1))
        return np.float32(self.own_share) * own + np.float32(1 - self.own_share) * like_them

    def _weights(self, shoppers: NDArray[np.int64], times_ms: NDArray[np.int64], n: int) -> NDArray[np.float64]:
        """(n,) of each purchase: the decays of its day, over the number of groups and of days in its group."""
        day = times_ms // DAY_MS
        _, first, visit = np.unique(np.stack([shoppers, -day]), axis=1, return_index=True, return_inverse=True)
        owner = shoppers[first]  # (visits,) visits in order of shopper, newest first
        visits = np.bincount(owner, minlength=n)
        place = np.arange(len(owner)) - (np.cumsum(visits) - visits)[owner]
        group, within = np.divmod(place, self.group_size)
        groups = -(-visits[owner] // self.group_size)
        in_group = np.minimum(visits[owner] - group * self.group_size, self.group_size)
        decay = self.group_decay**group * self.within_decay**within / (groups * in_group)
        return np.asarray(decay[visit.ravel()], np.float64)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)
