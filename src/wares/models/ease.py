"""EASE: the linear autoencoder with a closed form (Steck 2019, "Embarrassingly shallow autoencoders", WWW)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_array

from wares.domain.interactions import Interactions
from wares.domain.scores import Scores
from wares.domain.shopper import History
from wares.errors import TrainingError
from wares.models.memory import Sparse, State, from_arrays, no_links, sparse, to_arrays
from wares.models.neighbours import heaviest, pointed_at, strongest
from wares.models.taste import preferences, taste


def autoencoder(gram: NDArray[np.float32], penalty: float) -> NDArray[np.float32]:
    """Weights B (m, m) with a zero diagonal that minimise |X - X B|^2 + penalty |B|^2, from `gram` = X'X (m, m).

    With P = (X'X + penalty I)^-1: B[i, j] = -P[i, j] / P[j, j]. Takes m^3 multiplications.
    """
    ridge = np.array(gram, np.float32, order="F")
    ridge[np.diag_indices_from(ridge)] += penalty
    factor, problem = spotrf(ridge, lower=1, overwrite_a=1)
    inverse, unsolved = spotri(factor, lower=1, overwrite_c=1)
    if problem or unsolved:
        raise TrainingError(f"EASE cannot invert its matrix with penalty {penalty}; choose a larger one, such as 100.")
    inverse += np.tril(inverse, -1).T
    weights: NDArray[np.float32] = inverse / -np.diag(inverse)  # (m, m) / (m,) by column
    np.fill_diagonal(weights, 0)
    return weights


@dataclass
class EASE:
    """What the other products in a history say of each product, for the `max_products` with the most buyers.

    The dense matrix of that many products is what fitting costs: 5,000 take 0.9 GB and 5 s of one core.
    Of its rows the `k` entries of the greatest magnitude are kept; scores can be negative.
    """

    max_products: int = 5_000
    penalty: float = 100.0
    k: int = 200
    half_life_days: float = 180.0
    max_history: int = 500
    links: Sparse = field(init=False, default_factory=no_links)

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        liking, n = preferences(interactions, now_ms, np.inf), interactions.n_products
        buyers = np.bincount(liking.indices, minlength=n)
        chosen = np.sort(np.argsort(-buyers, kind="stable")[: self.max_products])
        chosen = chosen[buyers[chosen] > 0]
        if not len(chosen):
            self.links = no_links(n, n)
            return
        x = liking[:, chosen]  # (shoppers, m)
        weights = strongest(csr_array(autoencoder((x.T @ x).toarray(), self.penalty)), self.k)
        counts = np.zeros(n, np.int64)
        counts[chosen] = np.diff(weights.indptr)
        indptr = np.concatenate([[0], np.cumsum(counts)])
        self.links = sparse(weights.data, chosen[weights.indices], indptr, (n, n))

    def score(self, history: History, now_ms: int) -> NDArray[np.float32]:
        """(n_products,) around 0."""
        return self.says(history, now_ms).all()

    def says(self, history: History, now_ms: int) -> Scores:
        """The same by the products of which something is said."""
        rows, weights = heaviest(*taste(history, now_ms, self.half_life_days), self.max_history)
        return pointed_at(self.links, rows, weights)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)
