"""A shop's texts and past queries -> its vocabulary."""

import re
from array import array
from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np

from wares.domain.sorting import distinct
from wares.retrieval.spelling.vocabulary import WORD, Vocabulary, composed, plain

_COMPOUND = re.compile(r"(?<![\w-])[^\W\d_]+-[^\W\d_]+(?![\w-])")  # "pre-lit", which people also write as one word
_TEXTS = 100_000  # texts in which words are looked up together; of more texts, every n-th


class _Forms:
    """Numbers for words in the order in which they are first seen, and how often each was written how."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.of_form: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def number(self, form: str) -> int:
        """The word that is written like this; -1: no word."""
        if (number := self.of_form.get(form)) is None:
            word = plain(form)
            number = self.of_form[form] = self.numbers.setdefault(word, len(self.numbers)) if word else -1
        self.counts[form] = self.counts.get(form, 0) + 1
        return number

    def usual(self) -> dict[int, str]:
        """The most frequent form of each word."""
        best: dict[int, str] = {}
        for form in sorted(self.counts, key=lambda form: (self.counts[form], form)):
            best[self.of_form[form]] = form
        return best


def count_words(texts: Iterable[str], queries: Mapping[str, int]) -> Vocabulary:
    """Count the words of the texts. Past queries (with their shoppers) add weight to what the texts hold."""
    forms = _Forms()
    said, ends = array("q"), array("q", [0])  # the words of all texts, and where each text ends
    joined, joined_texts = array("q"), array("q")
    for text in texts:
        lowered = composed(text).lower()
        for form in _COMPOUND.findall(lowered) if "-" in lowered else ():
            if (number := forms.number(form)) >= 0:
                joined.append(number)
                joined_texts.append(len(ends) - 1)
        said.extend([forms.number(form) for form in WORD.findall(lowered)])
        ends.append(len(said))
    words = sorted(forms.numbers)
    n, n_texts = len(words), len(ends) - 1
    place = np.full(n + 1, -1, np.int64)  # number -> place in the alphabet; the last (-1) is no word
    place[[forms.numbers[word] for word in words]] = np.arange(n)
    codes = place[np.array(said, np.int64)]
    stops = np.array(ends, np.int64)
    text_of = np.repeat(np.arange(n_texts), stops[1:] - stops[:-1])
    usual = forms.usual()
    beside = (codes[:-1] >= 0) & (codes[1:] >= 0) & (text_of[:-1] == text_of[1:])
    pair_keys, pair_counts = np.unique(codes[:-1][beside] * n + codes[1:][beside], return_counts=True)
    holders = np.concatenate([codes, place[np.array(joined, np.int64)]])
    held = np.concatenate([text_of, np.array(joined_texts, np.int64)])
    seen = distinct(holders[holders >= 0] * max(n_texts, 1) + held[holders >= 0])
    word_of, row_of = np.divmod(seen, max(n_texts, 1))
    stride = max(-(-n_texts // _TEXTS), 1)
    kept = row_of % stride == 0
    vocabulary = Vocabulary(
        tuple(words),
        tuple(usual[forms.numbers[word]] for word in words),
        np.bincount(word_of, minlength=n).astype(np.int64),
        pair_keys,
        pair_counts.astype(np.int64),
        np.searchsorted(word_of[kept], np.arange(n + 1)).astype(np.int64),
        (row_of[kept] // stride).astype(np.int32),
        max(-(-n_texts // stride), 1),
    )
    _add_queries(vocabulary, queries)
    return vocabulary


def _add_queries(vocabulary: Vocabulary, queries: Mapping[str, int]) -> None:
    """Add the shoppers to the counts of words and pairs that the texts hold; others are not believed to be words."""
    for query, shoppers in queries.items():
        places = [vocabulary.place.get(plain(form), -1) for form in WORD.findall(composed(query))]
        for place in set(places) - {-1}:
            vocabulary.frequency[place] += shoppers
        for a, b in set(pairwise(places)):
            if a >= 0 and b >= 0 and vocabulary.pair(a, b):
                key = a * len(vocabulary.words) + b
                vocabulary.pair_counts[np.searchsorted(vocabulary.pair_keys, key)] += shoppers
