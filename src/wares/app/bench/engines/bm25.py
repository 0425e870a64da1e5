"""Plain BM25 over the words as wares itself cuts them, without anything else that wares knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from wares.app.bench.engines.contract import K1, B, Floats, Ranking, best_first
from wares.domain.text import tokens


@dataclass(frozen=True, slots=True)
class Bm25:
    """score = sum over words of ln(1 + (n - df + .5) / (df + .5)) tf (k1 + 1) / (tf + k1 (1 - b + b length / mean)).

    Column w of the matrix (kept as three arrays) holds what word w is worth in each row that has it.
    Source: Robertson and Zaragoza (2009), with Lucene's idf, which is never below 0.
    """

    name: ClassVar[str] = "bm25"
    column_of: dict[str, int]
    starts: NDArray[np.int64]  # (n_words + 1,)
    rows: NDArray[np.int32]  # (n_entries,)
    worths: Floats  # (n_entries,)
    n: int

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats | None) -> Self:
        cut = [tokens(text) for text in texts]
        column_of = {word: column for column, word in enumerate(dict.fromkeys(chain.from_iterable(cut)))}
        lengths = np.array([len(words) for words in cut], np.int64)
        columns = np.array([column_of[word] for word in chain.from_iterable(cut)], np.int32)
        places = np.repeat(np.arange(len(cut), dtype=np.int32), lengths)
        shape = (len(cut), len(column_of))
        counts = sparse.coo_array((np.ones(len(columns), np.float32), (places, columns)), shape).tocsr().tocsc()
        df = np.diff(counts.indptr)
        idf = np.log1p((len(cut) - df + 0.5) / (df + 0.5))
        norms = K1 * (1 - B + B * lengths / max(1.0, lengths.mean()))  # (n,)
        worths = counts.data * (K1 + 1) / (counts.data + norms[counts.indices]) * np.repeat(idf, df)
        starts, rows = counts.indptr.astype(np.int64), counts.indices.astype(np.int32)
        return cls(column_of, starts, rows, worths.astype(np.float32), len(cut))

    def rank(self, query: str, vector: Floats | None, k: int) -> Ranking:
        scores = np.zeros(self.n, np.float32)
        for column in {self.column_of[word] for word in tokens(query) if word in self.column_of}:
            entries = slice(self.starts[column], self.starts[column + 1])
            scores[self.rows[entries]] += self.worths[entries]
        found = np.flatnonzero(scores)
        return best_first(found, scores[found], k)
