"""How well a word goes with the rest of a query, judged by the texts that hold both."""

from collections.abc import Sequence
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from wares.retrieval.spelling.vocabulary import Vocabulary

_SMOOTHING = 10.0  # texts of average content that every word is thought to stand in besides its own
_AGAINST, _FOR = 2.0, 5.0  # the most that one other word may say; shoppers combine what no title combines
_BESIDE = 0.5  # weight of standing side by side, on top of standing in the same text


class Context:
    """The words of one query as they are read so far: place in the query -> numbers of words."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.read: dict[int, tuple[int, ...]] = {}
        self._held: dict[int, NDArray[np.bool_]] = {}  # word -> whether each text holds it

    def fit(self, words: Sequence[int], at: int) -> float:
        """The log of how much likelier the rest of the query is beside these words (in place `at`) than elsewhere."""
        others = {word for place, read in self.read.items() if place != at for word in read}.difference(words)
        if not others:
            return 0.0
        vocabulary = self.vocabulary
        rows = vocabulary.rows_of(words[0])
        for word in words[1:]:
            rows = np.intersect1d(rows, vocabulary.rows_of(word), assume_unique=True)
        told = 0.0
        for other in others:
            share = len(vocabulary.rows_of(other)) / vocabulary.n_rows
            if share:
                both = np.count_nonzero(self._holding(other).take(rows))
                ratio = (both + _SMOOTHING * share) / ((len(rows) + _SMOOTHING) * share)
                told += min(max(log(ratio), -_AGAINST), _FOR)
        told /= sqrt(len(others))  # the other words are not independent of each other
        if before := self.read.get(at - 1):
            told += _BESIDE * self._beside(before[-1], words[0])
        if after := self.read.get(at + 1):
            told += _BESIDE * self._beside(words[-1], after[0])
        return told

    def _holding(self, word: int) -> NDArray[np.bool_]:
        if (held := self._held.get(word)) is None:
            held = self._held[word] = np.zeros(self.vocabulary.n_rows, np.bool_)
            held[self.vocabulary.rows_of(word)] = True
        return held

    def _beside(self, a: int, b: int) -> float:
        """At least 0: that two words never stand side by side in a title says nothing."""
        vocabulary = self.vocabulary
        return max(0.0, log(vocabulary.pair(a, b) + 1) - log(vocabulary.chance(a, b) + 1))
