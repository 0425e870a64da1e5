"""Products as points in the graph of what is visited after what: near are those with the same neighbours.

A chain of products (`transitions`) knows only pairs that somebody visited together. Vectors of few numbers have to
explain many pairs at once, so that they also know pairs nobody visited yet, when their neighbours go together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.models.memory import Sparse, State, from_arrays, sparse, to_arrays
from wares.models.transitions import followed, last_events

Floats = NDArray[np.float32]
_SPARE, _ROUNDS = 32, 3  # of the randomised factorisation: more vectors than are asked for, passes over the matrix


@dataclass
class Graph:
    """Vectors from the factorised matrix of positive pointwise mutual information of co-visits within `window` events:
    what DeepWalk and LINE compute in the limit (NetMF: Qiu et al., WSDM 2018).

    The graph is directed: j after i counts `damping` times less for each event between, i after j `backward` times as
    much as that. So each product has two vectors, one as what was visited (`sources`) and one as what comes next
    (`targets`). A score is the sum of dot products with the history, in which the last event counts 1 and a half for
    each `half_life_events` before it; products without a neighbour score 0.
    """

    dimension: int = 256
    window: int = 5
    damping: float = 0.7
    backward: float = 0.3
    half_life_events: float = 1.0
    max_history: int = 50
    seed: int = 0
    sources: Floats = field(init=False, default_factory=lambda: np.empty((0, 0), np.float32))
    targets: Floats = field(init=False, default_factory=lambda: np.empty((0, 0), np.float32))

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        forwards, n = followed(interactions, self.window, self.damping), interactions.n_products
        both = (forwards + self.backward * forwards.T).tocsr()
        information = mutual_information(sparse(both.data, both.indices, both.indptr, (n, n)))
        met = np.unique(np.concatenate([np.flatnonzero(np.diff(information.indptr)), information.indices]))
        self.sources, self.targets = (np.zeros((n, min(self.dimension, len(met))), np.float32) for _ in range(2))
        if len(met):
            part = information[met][:, met]
            small = sparse(part.data, part.indices, part.indptr, part.shape)
            self.sources[met], self.targets[met] = factors(small, self.dimension, np.random.default_rng(self.seed))

    def score(self, history: History, now_ms: int) -> Floats:
        """(n_products,) around 0: how much more often than chance it follows, in sum over the history."""
        rows, weights = last_events(history, len(self.sources), self.max_history, self.half_life_events)
        scores: Floats = self.targets @ (weights @ self.sources[rows])  # (n, d) @ ((m,) @ (m, d)) -> (n,)
        return scores

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)


def mutual_information(counts: Sparse) -> Sparse:
    """max(0, log(P(i, j) / (P(i) P(j)))) of pairs counted (n, n): what is 0 is not stored."""
    out = np.asarray(counts.sum(axis=1), np.float64).ravel()
    into = np.bincount(counts.indices, counts.data, counts.shape[1])
    at = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    ratio = counts.data * out.sum() / np.maximum(out[at] * into[counts.indices], np.finfo(np.float64).tiny)
    information = sparse(np.log(np.maximum(ratio, 1)), counts.indices, counts.indptr, counts.shape)
    information.eliminate_zeros()
    return information


def factors(matrix: Sparse, dimension: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """L, R (n, d) with L R' nearly the best approximation of `matrix` (n, n) of rank d = min(dimension, n), both with
    the square roots of the singular values.

    Randomised (Halko, Martinsson and Tropp 2011, "Finding structure with randomness", SIAM Review 53): a few passes
    over the matrix and 4 n (d + 32) bytes a few times, where Lanczos' method takes several times as long.
    """
    n = matrix.shape[0]
    d = min(dimension, n)
    basis = np.linalg.qr(matrix @ rng.normal(size=(n, min(d + _SPARE, n))).astype(np.float32))[0]
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(matrix.T @ basis)[0]
        basis = np.linalg.qr(matrix @ basis)[0]
    left, strength, right = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)  # (d + spare, n)
    root = np.sqrt(strength[:d])
    return (basis @ left[:, :d]) * root, right[:d].T * root
