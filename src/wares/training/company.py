"""The company that words keep: which words stand in titles together."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from wares.retrieval.language.analyser import Analyser
from wares.retrieval.language.chinese.script import has_han

_TOKEN = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile("[aeiouy]")  # what has none is a code
_LEAST_TITLES = 5  # that a word stands in to be compared with others
_MOST_TITLES = 0.5  # share of the titles from which a word says nothing of a thing
_MOST_WORDS = 3_000  # the most frequent ones are compared


@dataclass(frozen=True)
class Company:
    """Words are index words. `places` numbers the V compared ones; `shown` is how titles mostly write each word."""

    titles: Sequence[str]
    words: Sequence[frozenset[str]]  # of each title
    places: Mapping[str, int]
    counts: NDArray[np.int64]  # (V,) titles that hold the word
    shown: Mapping[str, str]

    @staticmethod
    def of(titles: Sequence[str], analyser: Analyser) -> "Company":
        """Words of one or two letters, with digits or without a vowel are left out; of two equal titles both count."""

        @lru_cache(maxsize=100_000)
        def read(token: str) -> tuple[tuple[str, str], ...]:
            words = analyser.said_words(token)
            if has_han(token):
                return tuple((word, word) for word in words if len(word) > 1)
            plain = len(words) == 1 and len(words[0]) > 2 and words[0].isalpha()
            return ((words[0], token),) if plain and (not token.isascii() or _VOWEL.search(token)) else ()

        forms: dict[str, Counter[str]] = {}
        held = list[frozenset[str]]()
        for title in titles:
            pairs = {pair for token in _TOKEN.findall(title.casefold()) for pair in read(token)}
            for word, form in pairs:
                forms.setdefault(word, Counter())[form] += 1
            held.append(frozenset(word for word, _ in pairs))
        counts = Counter(word for words in held for word in words)
        most = max(_MOST_TITLES * len(titles), _LEAST_TITLES)
        compared = [word for word, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
        compared = [word for word in compared if _LEAST_TITLES <= counts[word] <= most][:_MOST_WORDS]
        return Company(
            titles,
            held,
            {word: place for place, word in enumerate(compared)},
            np.array([counts[word] for word in compared], np.int64),
            {word: max(of.items(), key=lambda item: (item[1], item[0]))[0] for word, of in forms.items()},
        )

    @cached_property
    def all_words(self) -> frozenset[str]:
        """Every word of a title, the rare ones too."""
        return frozenset(self.shown)

    def share(self, word: str) -> float:
        """Of the titles, the share that hold a compared word."""
        return float(self.counts[self.places[word]]) / len(self.titles)

    def likeness(self, one: int, other: int) -> float:
        """Cosine of the company of two words (their places); 0 where they share a title."""
        if self._together[one, other]:
            return 0.0
        return float((self._company[[one]] @ self._company[[other]].T).toarray()[0, 0])

    def examples(self, place: int, n: int) -> tuple[str, ...]:
        """The first titles that hold a word."""
        rows = self._held.indices[self._held.indptr[place] : self._held.indptr[place + 1]]
        return tuple(self.titles[row] for row in rows[:n].tolist())

    @cached_property
    def _held(self) -> sp.csc_array:
        """(titles, V)"""
        rows, columns = list[int](), list[int]()
        for row, words in enumerate(self.words):
            own = sorted(self.places[word] for word in words if word in self.places)
            columns.extend(own)
            rows.extend([row] * len(own))
        shape = (len(self.titles), len(self.places))
        return sp.csc_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)

    @cached_property
    def _together(self) -> sp.csr_array:
        """(V, V) titles that hold both words"""
        return sp.csr_array(self._held.T @ self._held)

    @cached_property
    def _company(self) -> sp.csr_array:
        """(V, V) rows of length 1: positive pointwise mutual information with every other word (Church, Hanks 1990)."""
        pairs = sp.coo_array(self._together)
        rows, columns = pairs.coords
        information = np.log(pairs.data * len(self.titles) / (self.counts[rows] * self.counts[columns]))
        keep = (rows != columns) & (information > 0)
        kept = sp.csr_array((information[keep], (rows[keep], columns[keep])), shape=pairs.shape)
        lengths = np.sqrt(np.bincount(rows[keep], information[keep] ** 2, minlength=len(self.counts)))
        return sp.csr_array(sp.diags_array(1 / np.maximum(lengths, 1e-12)) @ kept)
