"""The words of a shop: how many texts hold each, which stand side by side and which are found in the same text."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from wares.domain.strings import State, pack, unpack
from wares.domain.text import normalise

_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff"
_SIGN = rf"(?![{_IDEOGRAPHS}])[^\W_]"
WORD = re.compile(rf"(?:{_SIGN})+")  # cut at apostrophes too: "l'eau", "men's"
_MAX_WORD = 40  # letters; longer runs are codes, not words


def composed(text: str) -> str:
    """The text with every accent in one character with its letter, so that words are not cut at accents."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def plain(written: str) -> str:
    """A word as it is counted: 'Müller' -> 'muller', 'Wi-Fi' -> 'wifi'; '' for what is no word (digits, codes)."""
    word = normalise(written).replace("-", "")
    return word if len(word) <= _MAX_WORD and word.isalpha() else ""


def _letters(word: str) -> int:
    """Which letters a word holds (the lower 32 bits) and which of them twice (the upper); letters may share a bit."""
    bits = 0
    for letter in word:
        bit = 1 << (ord(letter) & 31)
        bits |= bit << 32 if bits & bit else bit
    return bits


@dataclass(frozen=True)
class Vocabulary:
    """Words in alphabetical order and what was counted of them; numbers of words are places in `words`.

    `written[w]` is the usual form of `words[w]`, with its accents and hyphens. The pair (a, b) has the key
    a * len(words) + b. The texts of word w are `rows[indptr[w]:indptr[w + 1]]`, numbers below `n_rows`.
    """

    words: tuple[str, ...]
    written: tuple[str, ...]
    frequency: NDArray[np.int64]  # (words,) texts with the word, and shoppers who asked for it; at least 1
    pair_keys: NDArray[np.int64]  # (pairs,) ascending
    pair_counts: NDArray[np.int64]  # (pairs,) times that b stood right behind a, and shoppers who said so
    indptr: NDArray[np.int64]  # (words + 1,)
    rows: NDArray[np.int32]
    n_rows: int

    def state(self) -> State:
        arrays: State = {"frequency": self.frequency, "pair_keys": self.pair_keys, "pair_counts": self.pair_counts}
        arrays |= {"indptr": self.indptr, "rows": self.rows, "n_rows": np.array(self.n_rows)}
        return pack("words", self.words) | pack("written", self.written) | arrays

    @staticmethod
    def restore(state: Mapping[str, NDArray[np.generic]]) -> "Vocabulary":
        return Vocabulary(
            unpack("words", state),
            unpack("written", state),
            state["frequency"].astype(np.int64, copy=False),
            state["pair_keys"].astype(np.int64, copy=False),
            state["pair_counts"].astype(np.int64, copy=False),
            state["indptr"].astype(np.int64, copy=False),
            state["rows"].astype(np.int32, copy=False),
            int(state["n_rows"].astype(np.int64)),
        )

    @cached_property
    def place(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def _lengths(self) -> NDArray[np.int16]:
        return np.array([len(word) for word in self.words], np.int16)

    @cached_property
    def _letter_sets(self) -> NDArray[np.uint64]:
        return np.array([_letters(word) for word in self.words], np.uint64)

    def near(self, word: str, slips: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Places and distances of the words at most so many slips away (a letter more, less or other, or a swap)."""
        own, theirs = np.uint64(_letters(word)), self._letter_sets
        likely = np.abs(self._lengths - len(word)) <= slips
        likely &= np.bitwise_count(theirs & ~own) <= slips  # a slip brings in one letter at most
        likely &= np.bitwise_count(own & ~theirs) <= slips
        places = np.flatnonzero(likely)
        candidates = [self.words[place] for place in places.tolist()]
        distances = process.cdist([word], candidates, scorer=OSA.distance, score_cutoff=slips, dtype=np.uint8)[0]
        hit = distances <= slips
        return places[hit], distances[hit]

    def pair(self, a: int, b: int) -> int:
        """How often b stands right behind a."""
        key = a * len(self.words) + b
        at = int(np.searchsorted(self.pair_keys, key))
        return int(self.pair_counts[at]) if at < len(self.pair_keys) and self.pair_keys[at] == key else 0

    def chance(self, a: int, b: int) -> float:
        """How often b would stand right behind a if the words of a text came in any order: about one pair in ten."""
        return 0.1 * float(self.frequency[a]) * float(self.frequency[b]) / self.n_rows

    def rows_of(self, place: int) -> NDArray[np.int32]:
        return self.rows[int(self.indptr[place]) : int(self.indptr[place + 1])]
