"""A request's words -> an intent."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder
from wares.domain.intent import Intent, Vector
from wares.domain.request import Request
from wares.domain.shopper import History
from wares.domain.text import MAX_QUERY, tokens

MAX_WORDS = 32  # of a query; what follows says nothing new


def understand(
    request: Request, history: History, seeds: NDArray[np.int32], encoder: Encoder | None
) -> tuple[Intent, list[str]]:
    """The intent, and notes for the shopper about what was not read as written."""
    notes = []
    if len(request.query) > MAX_QUERY:
        notes.append(f"The query is very long: only its first {MAX_QUERY} characters were read.")
    query = request.query[:MAX_QUERY]
    words = tuple(tokens(query)[:MAX_WORDS])
    vectors: Mapping[str, Vector] = {}
    if query.strip() and encoder is not None:
        vectors = {"text": encoder.encode([query], "query")[0]}
    open_word = bool(words) and not query[-1:].isspace()
    return Intent(request, words, open_word, vectors, history, seeds), notes
