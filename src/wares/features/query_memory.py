"""What was judged or chosen for earlier queries, and what that says of a product for a new query.

A feature that both learns and answers: similar queries (by meaning) pass on their gains to the same products and to
products like them. For a query that is itself remembered, its own judgements never count, so a ranker can learn from
the same queries without being told the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from wares.domain.strings import State, pack, unpack

Floats = NDArray[np.float32]
NAMES = (
    "asked_gain",  # what similar queries found worth in this product
    "asked_likeness",  # cosine with what similar queries wanted
    "asked_nearest",  # cosine of the most similar query: how much of this can be trusted
)
_NEIGHBOURS = 30
_SHARP, _WIDE = 12.5, 8.0  # how fast a less similar query counts less


@dataclass(frozen=True)
class QueryMemory:
    """q queries with unit vectors and the gains of the products that were judged for each."""

    queries: tuple[str, ...]  # (q,)
    vectors: Floats  # (q, d) ordinary likeness taken away, length 1
    ordinary: Floats  # (d,) the mean query
    gains: csr_matrix  # (q, n_products) in [0, 1]
    wanted: Floats  # (q, d) direction of the products each query wanted, ordinary likeness taken away

    @staticmethod
    def of(
        queries: tuple[str, ...],
        vectors: Floats,
        starts: NDArray[np.int64],
        rows: NDArray[np.int64],
        gains: NDArray[np.float64],
        products: Floats,
    ) -> "QueryMemory":
        """`vectors` (q, d) of the queries; query i judged `rows[starts[i]:starts[i + 1]]` with `gains`, which are
        scaled to a highest of 1; `products` (n, d) their vectors."""
        top = float(gains.max(initial=0.0)) or 1.0
        ordinary = vectors.mean(axis=0) if len(vectors) else np.zeros(products.shape[1], np.float32)
        shape = (len(queries), len(products))
        kept = csr_matrix(((gains / top).astype(np.float32), rows, starts), shape)
        worth = np.maximum(np.asarray(kept.sum(axis=1)), 1e-9)  # (q, 1)
        wanted = (kept @ products) / worth
        return QueryMemory(
            queries, _directions(vectors - ordinary), ordinary, kept, _directions(wanted - products.mean(axis=0))
        )

    def features(self, query: str, vector: Floats, rows: NDArray[np.int32], products: Floats) -> Floats:
        """(n, 3) in the order of `NAMES`; `rows` (n,) of the catalogue it was learnt from (-1 = came later),
        `products` (n, d) their vectors."""
        found = np.zeros((len(rows), len(NAMES)), np.float32)
        if not len(self.queries) or not len(rows):
            return found
        likeness = self.vectors @ _directions((vector - self.ordinary)[None])[0]  # (q, d) @ (d,) -> (q,)
        own = self._place.get(query, -1)
        if own >= 0:
            likeness[own] = -1
        nearest = np.argpartition(-likeness, min(_NEIGHBOURS, len(likeness) - 1))[:_NEIGHBOURS]
        near = likeness[nearest]
        found[:, 0] = _Places(rows).sums(*self._judged(nearest, np.exp(_WIDE * near) * (nearest != own)))
        sharp = np.exp(_SHARP * (near - near.max())) * np.maximum(near, 0)
        wish = (sharp / max(float(sharp.sum()), 1e-9)) @ self.wanted[nearest]  # (k,) @ (k, d)
        if products.size:
            found[:, 1] = products @ wish
        found[:, 2] = near.max()
        return found

    def _judged(self, queries: NDArray[np.intp], weights: Floats) -> tuple[NDArray[np.int32], Floats]:
        """(products judged for these queries, weight of the query x gain), one after the other."""
        starts = self.gains.indptr[queries]
        lengths = self.gains.indptr[queries + 1] - starts
        ends = np.cumsum(lengths)
        at = np.arange(int(ends[-1])) + np.repeat(starts - (ends - lengths), lengths)
        return self.gains.indices[at], np.repeat(weights, lengths).astype(np.float32) * self.gains.data[at]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {query: i for i, query in enumerate(self.queries)}

    def take(self, places: NDArray[np.intp]) -> "QueryMemory":
        """Of some of the queries only."""
        queries = tuple(self.queries[i] for i in places.tolist())
        return QueryMemory(queries, self.vectors[places], self.ordinary, self.gains[places], self.wanted[places])

    def state(self) -> State:
        """Plain arrays."""
        return pack("queries", self.queries) | {
            "vectors": self.vectors.astype(np.float16),
            "ordinary": self.ordinary,
            "wanted": self.wanted.astype(np.float16),
            "gains.data": self.gains.data,
            "gains.indices": self.gains.indices,
            "gains.indptr": self.gains.indptr,
            "gains.shape": np.array(self.gains.shape, np.int64),
        }

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "QueryMemory":
        gains = csr_matrix(
            (state["gains.data"], state["gains.indices"], state["gains.indptr"]), tuple(state["gains.shape"].tolist())
        )
        return QueryMemory(
            unpack("queries", state),
            state["vectors"].astype(np.float32),
            state["ordinary"],
            gains,
            state["wanted"].astype(np.float32),
        )


class _Places:
    """Where products stand among some rows."""

    def __init__(self, rows: NDArray[np.int32]) -> None:
        self._order = np.argsort(rows, kind="stable")
        self._ascending = rows[self._order]

    def sums(self, products: NDArray[np.int32], values: Floats) -> Floats:
        """(len(rows),) the sum of the values of each row's product; products elsewhere count for nothing."""
        places = np.searchsorted(self._ascending, products)
        places[places == len(self._ascending)] = 0
        there = self._ascending[places] == products
        at = self._order[places[there]]
        return np.bincount(at, values[there], minlength=len(self._order)).astype(np.float32)


def _directions(vectors: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    directions: Floats = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return directions
