"""What shoppers searched for since the snapshot, for a shopper model that reads it: the last few, each encoded once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.shopper import KIND_CODES, NEVER_SEARCHED, Searched
from wares.domain.text import MAX_QUERY
from wares.errors import EncoderError

LAST = 8  # of one shopper until the next training, so that a first request encodes no more
_SEARCH = KIND_CODES[EventKind.SEARCH]


@dataclass(slots=True)
class _Search:
    """`words` until they are first asked for, from then on their vector."""

    time_ms: int
    words: str
    vector: NDArray[np.float32] | None = None


class LiveSearches:
    """Folding is serialised by who folds; reading takes no lock."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._of: dict[int, tuple[_Search, ...]] = {}

    def fold(self, block: EventBlock) -> None:
        """Remember what known shoppers searched for."""
        for at, words in block.queries.items():
            shopper, said = int(block.shopper_keys[at]), words.strip()[:MAX_QUERY]
            if block.kinds[at] == _SEARCH and shopper >= 0 and said:
                search = _Search(int(block.times_ms[at]), said)
                together = sorted((*self._of.get(shopper, ()), search), key=lambda one: one.time_ms)
                self._of[shopper] = tuple(together[-LAST:])

    def forget(self, shopper_keys: Iterable[int]) -> None:
        """These shoppers were erased: what they typed goes, too."""
        for shopper in shopper_keys:
            self._of.pop(shopper, None)

    def of(self, shopper_key: int) -> Searched:
        """What this shopper searched for. Words are encoded when they are first asked for; nothing is known of them
        while the encoder fails."""
        if not (searches := self._of.get(shopper_key, ())):
            return NEVER_SEARCHED
        vectors = []
        for search in searches:
            words, vector = search.words, search.vector  # in this order: words only go once their vector is there
            if vector is None:
                try:
                    vector = search.vector = self._encoder.encode([words], "query")[0]
                except EncoderError:
                    return NEVER_SEARCHED
                search.words = ""
            vectors.append(vector)
        return Searched(np.array([search.time_ms for search in searches], np.int64), np.stack(vectors))
