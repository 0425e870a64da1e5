"""Words and meaning joined by rank alone: the usual hybrid of a search engine and a vector index, untuned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from wares.app.bench.engines.bm25 import Bm25
from wares.app.bench.engines.contract import Engine, Floats, MissingPackage, Ranking, best_first
from wares.app.bench.engines.dense import Dense
from wares.app.bench.engines.tantivy_library import Tantivy

_K = 60
_DEPTH = 1000  # of each list


@dataclass(frozen=True, slots=True)
class Rrf:
    """score = sum over the lists that hold the product of 1 / (60 + rank).

    Source: Cormack, Clarke and Büttcher, "Reciprocal rank fusion" (2009). From engines that are already made it is
    `Rrf(words, meaning)`.
    """

    name: ClassVar[str] = "rrf"
    words: Engine
    meaning: Engine

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats | None) -> Self:
        """With tantivy for the words; where it is not installed, with our own BM25."""
        meaning = Dense.of(texts, vectors)
        try:
            return cls(Tantivy.of(texts, vectors), meaning)
        except MissingPackage:
            return cls(Bm25.of(texts, vectors), meaning)

    def rank(self, query: str, vector: Floats | None, k: int) -> Ranking:
        lists = [engine.rank(query, vector, max(k, _DEPTH))[0] for engine in (self.words, self.meaning)]
        worths = [1 / (_K + np.arange(1, len(rows) + 1)) for rows in lists]
        rows, place = np.unique(np.concatenate(lists), return_inverse=True)
        return best_first(rows, np.bincount(place, np.concatenate(worths), len(rows)), k)
