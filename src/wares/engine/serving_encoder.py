"""The text encoder as a process that answers uses it: it remembers queries, and what it cannot do has one name."""

import functools
import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder, Progress
from wares.engine.observer import Nobody, Observer
from wares.errors import EncoderError

_QUERIES_REMEMBERED = 4096


class ServingEncoder:
    """An encoder that remembers the queries it has seen lately. `fails`: it could not do what it was last asked."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._query = functools.lru_cache(_QUERIES_REMEMBERED)(self._encode_query)
        self.fingerprint, self.dimension = encoder.fingerprint, encoder.dimension
        self.observer: Observer = Nobody()
        self.fails = False

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """As of the encoder. Raises EncoderError, whatever went wrong."""
        if kind == "query" and len(texts) == 1:
            return self._query(texts[0])
        return self._tried(texts, kind, on_progress)

    def cache(self) -> tuple[int, int]:
        """(queries whose vector was remembered, queries that were encoded)."""
        seen = self._query.cache_info()
        return seen.hits, seen.misses

    def _encode_query(self, text: str) -> NDArray[np.float32]:
        started_s = time.perf_counter()
        vector = self._tried([text], "query")
        self.observer.encoded(time.perf_counter() - started_s)
        return vector

    def _tried(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        try:
            vectors = self._encoder.encode(texts, kind, on_progress)
        except Exception as fault:
            self.fails = True
            told = f"The text encoder fails ({type(fault).__name__}): what it would say of a text is not known."
            raise EncoderError(told) from fault
        self.fails = False
        return vectors
