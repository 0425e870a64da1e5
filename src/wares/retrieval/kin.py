"""Kin: what is known of the products with the nearest texts stands for a product that nobody has touched yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State
from wares.retrieval.vector_index import VectorIndex

Floats = NDArray[np.float32]
K = 20
SCANNED = 16_000_000  # rows at most that are looked at for one batch: about a second


@dataclass(frozen=True)
class Kin:
    """Of m products, the rows of k others and what each counts: the weights of a product add up to 1, or are all 0
    where it has no text or nothing is near."""

    rows: NDArray[np.int32]  # (m, k)
    weights: Floats  # (m, k)

    @staticmethod
    def none(m: int = 0, k: int = K) -> "Kin":
        """Of m products without any."""
        return Kin(np.zeros((m, k), np.int32), np.zeros((m, k), np.float32))

    @staticmethod
    def of(
        index: VectorIndex, new: NDArray[np.int32], known: NDArray[np.bool_], k: int = K, scanned: int = SCANNED
    ) -> "Kin":
        """The kin of the rows `new` (m,) among those `known` (at most n,), by their cosines less what is ordinary: this
        encoder's vectors all lean one way, so each is taken less their mean. At most `scanned` rows are looked at: of a
        large batch in a large catalogue only the first find theirs."""
        found = Kin.none(len(new), k)
        if not len(index.background) or not known.any():
            return found
        mean = index.background.mean(axis=0)
        k = min(k, int(known.sum()))
        has_text = np.flatnonzero(index.text_of[new] >= 0)[: max(scanned // len(index), 1)]
        for i, vector in zip(has_text.tolist(), index.vectors(new[has_text]), strict=True):
            away = vector - mean
            length = float(np.linalg.norm(away))
            if length < 1e-6:
                continue
            direction = away / np.float32(length)
            cosines = index.scan(direction)[0][: len(known)] - mean @ direction
            cosines[~known] = -np.inf
            nearest = np.argpartition(-cosines, k - 1)[:k]
            weights = np.maximum(cosines[nearest], 0)
            found.rows[i, :k] = nearest
            found.weights[i, :k] = weights / max(float(weights.sum()), 1e-6)
        return found

    def state(self) -> State:
        """Plain arrays from which `restore` makes the same."""
        return {"rows": self.rows, "weights": self.weights}

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Kin":
        return Kin(state["rows"], state["weights"])

    def then(self, later: "Kin") -> "Kin":
        """These products, then others."""
        return Kin(np.concatenate([self.rows, later.rows]), np.concatenate([self.weights, later.weights]))

    def lend(self, scores: Floats) -> Floats:
        """(m,) the mean of what their kin score; `scores` (n,) of every row that can be kin."""
        lent: Floats = (scores[self.rows] * self.weights).sum(axis=1) if len(scores) else np.zeros(len(self.rows), "f4")
        return lent
