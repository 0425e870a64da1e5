"""Meaning alone: the exact cosine of the query's vector with every product's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from wares.app.bench.engines.contract import Floats, Ranking, best_first
from wares.errors import InputError


@dataclass(frozen=True, slots=True)
class Dense:
    """The query's words are not read: its encoding is not part of `rank`, and not of its time."""

    name: ClassVar[str] = "dense"
    vectors: Floats  # (n, d), rows of length 1 (or 0)

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats | None) -> Self:
        if vectors is None or len(vectors) != len(texts):
            received = "none" if vectors is None else str(len(vectors))
            raise InputError(f"The engine 'dense' needs a vector for each of {len(texts)} texts, got {received}.")
        return cls(_unit(vectors))

    def rank(self, query: str, vector: Floats | None, k: int) -> Ranking:
        """Every row has a cosine, so k rows come, however far off."""
        if vector is None:
            raise InputError("The engine 'dense' needs the query's vector, got none.")
        scores = self.vectors @ _unit(vector)  # (n, d) @ (d,) -> (n,)
        return best_first(np.arange(len(scores), dtype=np.int32), scores, k)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
