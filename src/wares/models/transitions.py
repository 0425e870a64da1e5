"""What people turn to next: a chain from product to product, which knows the direction."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from wares.domain.interactions import Interactions
from wares.domain.scores import Scores
from wares.domain.shopper import History
from wares.models.memory import Sparse, State, from_arrays, no_links, sparse, to_arrays
from wares.models.neighbours import pointed_at, strongest


@dataclass
class Transitions:
    """A first-order Markov chain over products (Rendle, Freudenthaler and Schmidt-Thieme 2010 for baskets), with skips.

    link(i, j) = how often j followed i within `window` events, `damping` times less for each event between, over
    (everything that followed i + `shrink`). A history speaks by its last events: the last one counts 1, and a half for
    each `half_life_events` before it.
    """

    window: int = 5
    damping: float = 0.7
    shrink: float = 2.0
    k: int = 200
    half_life_events: float = 1.0
    max_history: int = 20
    links: Sparse = field(init=False, default_factory=no_links)

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        follows = followed(interactions, self.window, self.damping)
        total = np.asarray(follows.sum(axis=1)).ravel() + self.shrink
        weights = follows.data / total[np.repeat(np.arange(len(total)), np.diff(follows.indptr))]
        self.links = strongest(sparse(weights, follows.indices, follows.indptr, follows.shape), self.k)

    def score(self, history: History, now_ms: int) -> NDArray[np.float32]:
        """(n_products,) from 0."""
        return self.says(history, now_ms).all()

    def says(self, history: History, now_ms: int) -> Scores:
        """The same by the products of which something is said."""
        rows, weights = last_events(history, self.links.shape[0], self.max_history, self.half_life_events)
        return pointed_at(self.links, rows, weights)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)


def last_events(history: History, n: int, most: int, half_life: float) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The products of the last events (at most `most`) that speak for one of the first n, and what each counts: the
    last one 1, a half for each `half_life` events before it."""
    rows = history.rows[(history.interest > 0) & (history.rows < n)][-most:]
    return rows, np.exp2(-np.arange(len(rows), dtype=np.float32)[::-1] / np.float32(half_life))


def followed(interactions: Interactions, window: int, damping: float) -> Sparse:
    """(n, n) how often product j came within `window` events behind i, damped by the events between. Only events that
    speak for a product count, of known shoppers."""
    known = interactions.known()
    liked = known.events.interest > 0
    rows, owner, n = known.events.rows[liked], known.shoppers[liked], interactions.n_products
    before, after, weight = [], [], []
    for gap in range(1, window + 1):
        same = (owner[gap:] == owner[:-gap]) & (rows[gap:] != rows[:-gap])
        before.append(rows[:-gap][same])
        after.append(rows[gap:][same])
        weight.append(np.full(int(same.sum()), damping ** (gap - 1), np.float32))
    pairs = coo_array((np.concatenate(weight), (np.concatenate(before), np.concatenate(after))), shape=(n, n)).tocsr()
    pairs.sum_duplicates()
    return sparse(pairs.data, pairs.indices, pairs.indptr, (n, n))
