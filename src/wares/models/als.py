"""Implicit matrix factorisation by alternating least squares.

Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit feedback datasets" (ICDM).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.models.memory import Sparse, State, from_arrays, sparse, to_arrays
from wares.models.neighbours import sparse_transpose
from wares.models.taste import preferences, taste

Floats = NDArray[np.float32]
_BATCH = 200_000  # gathered vectors that are worked on at once: 51 MB with 64 factors


def solve_rows(liking: Sparse, factors: Floats, alpha: float, penalty: float) -> Floats:
    """The best vectors (n, f) for the rows of `liking` (n, m), given the vectors `factors` (m, f) of its columns.

    Row r solves (Y'Y + Y'(C - 1)Y + penalty I) x = Y'C 1 over its liked columns; confidence C = 1 + alpha * liking.
    Rows of like length are solved together, padded with zeros.
    """
    n, f = liking.shape[0], factors.shape[1]
    solved = np.zeros((n, f), np.float32)
    gram = factors.T @ factors + penalty * np.eye(f, dtype=np.float32)  # (f, m) @ (m, f) -> (f, f)
    padded = np.concatenate([factors, np.zeros((1, f), np.float32)])
    lengths = np.diff(liking.indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * int(lengths[order[stop]]) <= _BATCH and stop - start < 4096:
            stop += 1
        rows = order[start:stop]
        place = np.arange(lengths[rows[-1]])
        inside = place < lengths[rows][:, None]  # (b, longest)
        at = np.where(inside, liking.indptr[rows][:, None] + place, 0)
        y = padded[np.where(inside, liking.indices[at], len(factors))]  # (b, longest, f)
        extra = np.where(inside, np.float32(alpha) * liking.data[at], 0).astype(np.float32)
        left = gram + (y * extra[:, :, None]).transpose(0, 2, 1) @ y  # (b, f, longest) @ (b, longest, f) -> (b, f, f)
        right = (1 + extra)[:, None, :] @ y  # (b, 1, longest) @ (b, longest, f) -> (b, 1, f)
        solved[rows] = np.linalg.solve(left, right.transpose(0, 2, 1))[:, :, 0]
        start = stop
    return solved


@dataclass
class ALS:
    """Shoppers and products as vectors whose products say who likes what.

    Products with fewer than `min_buyers` buyers get no vector: their score is 0. A shopper's vector is found at
    scoring from the history alone (one f x f solve), so that the last purchase counts at once.
    """

    factors: int = 64
    alpha: float = 2.0
    penalty: float = 30.0
    rounds: int = 5
    min_buyers: int = 10
    half_life_days: float = 30.0
    seed: int = 0
    n_products: int = field(init=False, default=0)
    products: NDArray[np.int32] = field(init=False, default_factory=lambda: np.empty(0, np.int32))
    vectors: Floats = field(init=False, default_factory=lambda: np.empty((0, 0), np.float32))
    gram: Floats = field(init=False, default_factory=lambda: np.empty((0, 0), np.float32))

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        liking = preferences(interactions, now_ms, np.inf)
        buyers = np.bincount(liking.indices, minlength=interactions.n_products)
        self.n_products = interactions.n_products
        self.products = np.flatnonzero(buyers >= max(self.min_buyers, 1)).astype(np.int32)
        part = liking[:, self.products]
        by_shopper = sparse(part.data, part.indices, part.indptr, part.shape)
        by_product = sparse_transpose(by_shopper)
        random = np.random.default_rng(self.seed)
        y = random.normal(0, 0.1, (len(self.products), self.factors)).astype(np.float32)
        for _ in range(self.rounds):
            x = solve_rows(by_shopper, y, self.alpha, self.penalty)
            y = solve_rows(by_product, x, self.alpha, self.penalty)
        self.vectors = y
        self.gram = y.T @ y + self.penalty * np.eye(self.factors, dtype=np.float32)

    def score(self, history: History, now_ms: int) -> Floats:
        """(n_products,) about 0 to 1: how surely the shopper likes it."""
        scores = np.zeros(self.n_products, np.float32)
        rows, liking = taste(history, now_ms, self.half_life_days)
        at = np.searchsorted(self.products, rows)
        known = at < len(self.products)
        known[known] = self.products[at[known]] == rows[known]
        if known.any():
            y, extra = self.vectors[at[known]], np.float32(self.alpha) * liking[known]  # (m, f), (m,)
            left = self.gram + (y * extra[:, None]).T @ y  # (f, m) @ (m, f) -> (f, f)
            shopper = np.linalg.solve(left, (1 + extra) @ y)  # (f,)
            scores[self.products] = self.vectors @ shopper  # (p, f) @ (f,) -> (p,)
        return scores

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)
