"""What every compared engine is, and what it shares with the others."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from wares.errors import WaresError

Floats = NDArray[np.float32]
Ranking = tuple[NDArray[np.int32], Floats]  # rows and scores of the same length, best first

K1, B = 1.2, 0.75  # Lucene's values of BM25, which tantivy and FTS5 keep without a choice
WORD = r"\d+(?:[.,/]\d+)*|[^\W\d_]+"  # '1/2' is one word, '2x4' three; Python and Rust read it alike


class MissingPackage(WaresError):
    """An engine is not installed here; its row is left out."""

    code = "missing-package"

    def __init__(self, engine: str, package: str) -> None:
        self.engine, self.package = engine, package
        super().__init__(f"The engine {engine!r} needs {package}, which is not installed: pip install wares[dev].")


class Engine(Protocol):
    """Made once from a catalogue's texts, then asked one query after the other."""

    name: ClassVar[str]

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats | None) -> Self:
        """Index `texts` (n,) and their `vectors` (n, d). Errors: MissingPackage; InputError where vectors lack."""

    def rank(self, query: str, vector: Floats | None, k: int) -> Ranking:
        """At most `k` >= 1 rows for a query and its vector (d,); an engine of words only lists what shares one."""


def load(engine: str, package: str) -> Any:
    """The module of this name, only loaded when its engine is made."""
    try:
        return import_module(package)
    except ImportError as cause:
        raise MissingPackage(engine, package) from cause


def best_first(rows: NDArray[Any], scores: NDArray[Any], k: int) -> Ranking:
    """The k best of parallel `rows` and `scores` (m,); of equal scores the earlier row comes first."""
    if len(rows) > k:
        chosen = np.argpartition(-scores, k - 1)[:k]
        rows, scores = rows[chosen], scores[chosen]
    order = np.lexsort((rows, -scores))
    return rows[order].astype(np.int32), scores[order].astype(np.float32)
