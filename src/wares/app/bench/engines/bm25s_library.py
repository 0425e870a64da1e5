"""bm25s: BM25 worked out ahead into a sparse matrix (Lù, 2024), its own tokeniser, the Snowball stemmer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import snowballstemmer

from wares.app.bench.engines.contract import K1, WORD, B, Floats, Ranking, best_first, load


@dataclass(frozen=True, slots=True)
class Bm25s:
    """Its own pattern drops words of one character, which in a shop are sizes; stop words weigh little and may stay."""

    name: ClassVar[str] = "bm25s"
    library: Any
    index: Any
    stemmer: Any
    n: int

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats | None) -> Self:
        bm25s = load(cls.name, "bm25s")
        engine = cls(bm25s, bm25s.BM25(k1=K1, b=B), snowballstemmer.stemmer("english"), len(texts))
        engine.index.index(engine._cut(list(texts), ids=True), show_progress=False)
        return engine

    def rank(self, query: str, vector: Floats | None, k: int) -> Ranking:
        found = self.index.retrieve(self._cut([query], ids=False), k=min(k, self.n), show_progress=False)
        rows, scores = found.documents[0], found.scores[0]
        matching = scores > 0  # it fills up with products that share no word
        return best_first(rows[matching], scores[matching], k)

    def _cut(self, texts: list[str], *, ids: bool) -> Any:
        stem = self.stemmer.stemWords
        return self.library.tokenize(
            texts, token_pattern=WORD, stopwords=None, stemmer=stem, return_ids=ids, show_progress=False
        )
