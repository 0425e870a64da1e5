"""Inverted matrices: which rows hold a word (or a letter triple), and how much it weighs there."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_matrix, diags_array

from wares.domain.sorting import distinct
from wares.domain.strings import State, pack, part, under, unpack
from wares.retrieval.letters import triples_of

Words = Callable[[str], list[str]]
Weighed = tuple[NDArray[np.int32], NDArray[np.float32], float]  # growing rows, the weight of each, a factor for all
_K1, _B = 0.8, 0.4  # BM25 of a field
_LETTERS_K1, _LETTERS_B = 1.2, 0.5
OTHER_LANGUAGES = "\x1f"  # stands between a text and the same in other languages
_COMMON = 0.2  # letter triples that more of the rows hold tell nothing
# What stands behind these words in a title only describes the thing.
_DESCRIBING = ("in", "with", "for", "and", "by", "mit", "fur", "aus", "avec", "pour", "en", "con", "per", "met", "voor")


@dataclass(frozen=True, slots=True)
class Postings:
    """The words of one field: word w stands in `rows[indptr[w]:indptr[w + 1]]` with the weight of the same place."""

    indptr: NDArray[np.int64]  # (words + 1,)
    rows: NDArray[np.int32]  # (nnz,) counted from the segment's start
    weights: NDArray[np.float32]  # (nnz,) saturated term frequency, without idf

    def of(self, word: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        place = slice(int(self.indptr[word]), int(self.indptr[word + 1]))
        return self.rows[place], self.weights[place]

    def state(self) -> State:
        return {"indptr": self.indptr, "rows": self.rows, "weights": self.weights.astype(np.float16)}

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Postings":
        return Postings(state["indptr"], state["rows"], state["weights"].astype(np.float32))


@dataclass(frozen=True)
class Letters:
    """The letter triples of the titles. Those of very many titles are known, but stand nowhere."""

    triples: tuple[str, ...]
    postings: Postings

    @cached_property
    def place(self) -> dict[str, int]:
        return {triple: i for i, triple in enumerate(self.triples)}

    def count(self, triple: str) -> int:
        """The number of rows that hold it."""
        place = self.place.get(triple)
        return 0 if place is None else int(self.postings.indptr[place + 1] - self.postings.indptr[place])

    def is_common(self, triple: str) -> bool:
        """Is it in so many titles that it tells nothing?"""
        return triple in self.place and not self.count(triple)

    def of(self, triple: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        if (place := self.place.get(triple)) is None:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        return self.postings.of(place)

    def sums(self, triples: Sequence[str], factors: NDArray[np.float32], n: int) -> NDArray[np.float32]:
        """(n,) for each row the sum of the weights of these triples, each times its factor."""
        return summed([(*self.of(triple), factor) for triple, factor in zip(triples, factors.tolist(), strict=True)], n)

    @staticmethod
    def of_titles(titles: "Ragged", words: Sequence[str]) -> "Letters":
        """Counted through the words, so that each word is taken apart once."""
        known: dict[str, int] = {}
        spelt = [[known.setdefault(triple, len(known)) for triple in triples_of(word)] for word in words]
        columns = np.array([code for codes in spelt for code in codes], np.int32)
        starts = np.concatenate([[0], np.cumsum([len(codes) for codes in spelt])])
        shape = (len(words), max(len(known), 1))
        word_triples = csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape)
        n = len(titles.indptr) - 1
        held = csr_matrix((np.ones(len(titles.codes), np.float32), titles.codes, titles.indptr), (n, len(words)))
        counts = (held @ word_triples).tocsr()
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        by_triple = counts.tocsc()
        there = np.flatnonzero(np.diff(by_triple.indptr))  # the others stand in other fields
        by_triple = by_triple[:, there]
        rare = np.diff(by_triple.indptr) <= max(_COMMON * n, 50)
        by_triple = (by_triple @ diags_array(rare.astype(np.float32))).tocsc()
        by_triple.eliminate_zeros()
        rows = by_triple.indices.astype(np.int32)
        mean = float(lengths[lengths > 0].mean()) if lengths.any() else 1.0
        weights = saturated(by_triple.data, lengths[rows], mean, _LETTERS_K1, _LETTERS_B)
        names = list(known)
        kept = tuple(names[i] for i in there.tolist())
        return Letters(kept, Postings(by_triple.indptr.astype(np.int64), rows, weights))


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of codes: row r is `codes[indptr[r]:indptr[r + 1]]`."""

    indptr: NDArray[np.int64]
    codes: NDArray[np.int32]

    def take(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(lengths (n,), the codes of these rows one after the other)."""
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        ends = np.cumsum(lengths)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
        return lengths, self.codes[places]


@dataclass(frozen=True)
class Segment:
    """A stretch of rows `start .. start + n`, indexed together. Its words are in alphabetical order."""

    start: int
    n: int
    words: tuple[str, ...]
    fields: Mapping[str, Postings]
    frequency: NDArray[np.int32]  # (words,) products of this segment that hold the word in any field
    mean_lengths: Mapping[str, float]  # words per filled field, by which lengths were judged
    titles: Ragged  # the first field of each row up to `OTHER_LANGUAGES`, as places in `words`
    heads: NDArray[
        np.int32
    ]  # (n,) place of the word in the title that names the thing: 'shelf' in 'Wire shelf in white'
    letters: Letters

    @cached_property
    def place(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    def title_codes(self, rows: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(lengths, the words of these rows' titles one after the other); rows are counted from the segment's start."""
        return self.titles.take(rows)

    @staticmethod
    def of(
        texts: Sequence[tuple[str, ...]],
        names: Sequence[str],
        words_of: Words,
        start: int,
        mean_lengths: Mapping[str, float] | None = None,
    ) -> "Segment":
        """Index the texts (one tuple in the order of `names` per row). Without `mean_lengths` its own are used."""
        vocabulary: dict[str, int] = {}
        cut: dict[str, NDArray[np.int32]] = {}  # equal texts are cut into words once
        shown: dict[str, int] = {}  # of texts with other languages behind them, the words of their own
        per_field: list[list[NDArray[np.int32]]] = [[] for _ in names]
        for row_texts in texts:
            for field, text in enumerate(row_texts):
                if (codes := cut.get(text)) is None:
                    if OTHER_LANGUAGES in text:
                        shown[text] = len(words_of(text.partition(OTHER_LANGUAGES)[0]))
                    found = [vocabulary.setdefault(word, len(vocabulary)) for word in words_of(text)]
                    codes = cut[text] = np.array(found, np.int32)
                per_field[field].append(codes)
        words = sorted(vocabulary)
        rank = np.empty(len(words), np.int64)  # first-seen code -> alphabetical place
        rank[[vocabulary[word] for word in words]] = np.arange(len(words))
        fields, seen, means, title = dict[str, Postings](), [np.empty(0, np.int64)], dict[str, float](), None
        for name, rows in zip(names, per_field, strict=True):
            lengths = np.array([len(codes) for codes in rows], np.int64)
            flat = rank[np.concatenate([np.empty(0, np.int32), *rows])]
            at = np.repeat(np.arange(len(rows)), lengths)
            pairs, counts = np.unique(flat * max(len(rows), 1) + at, return_counts=True)
            word_of, row_of = np.divmod(pairs, max(len(rows), 1))
            own = float(lengths[lengths > 0].mean()) if lengths.any() else 1.0
            means[name] = (mean_lengths or {}).get(name, own)
            weights = saturated(counts, lengths[row_of], means[name], _K1, _B)
            indptr = np.searchsorted(word_of, np.arange(len(words) + 1)).astype(np.int64)
            fields[name] = Postings(indptr, row_of.astype(np.int32), weights)
            seen.append(pairs)
            if title is None:
                own_lengths, flat = lengths, flat.astype(np.int32)
                if shown:
                    own_lengths = np.array(
                        [shown.get(row_texts[0], n) for row_texts, n in zip(texts, lengths.tolist(), strict=True)]
                    )
                    place = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
                    flat = flat[place < np.repeat(own_lengths, lengths)]
                title = Ragged(np.concatenate([[0], np.cumsum(own_lengths)]).astype(np.int64), flat)
        held = distinct(np.concatenate(seen))
        frequency = np.bincount(held // max(len(texts), 1), minlength=len(words)).astype(np.int32)
        assert title is not None
        heads = _heads(title, words)
        letters = Letters.of_titles(title, words)
        return Segment(start, len(texts), tuple(words), fields, frequency, means, title, heads, letters)

    def state(self) -> State:
        """Plain arrays; `restore` makes the same segment of them."""
        state = pack("words", self.words) | {"n": np.array(self.n), "frequency": self.frequency, "heads": self.heads}
        state |= {"titles.indptr": self.titles.indptr, "titles.codes": self.titles.codes}
        state |= pack("triples", self.letters.triples) | under("letters", self.letters.postings.state())
        for name, postings in self.fields.items():
            state |= under(name, postings.state() | {"mean_length": np.array(self.mean_lengths[name])})
        return state

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]], names: Sequence[str]) -> "Segment":
        return Segment(
            0,
            int(state["n"]),
            unpack("words", state),
            {name: Postings.restore(part(name, state)) for name in names},
            state["frequency"],
            {name: float(state[f"{name}.mean_length"]) for name in names},
            Ragged(state["titles.indptr"], state["titles.codes"]),
            state["heads"],
            Letters(unpack("triples", state), Postings.restore(part("letters", state))),
        )


def summed(found: Sequence[Weighed], n: int) -> NDArray[np.float32]:
    """(n,) for each row the sum of its weights, each times its factor."""
    if not found:
        return np.zeros(n, np.float32)
    rows, weights, factors = zip(*found, strict=True)
    if len(found) == 1:  # which holds a row once
        sums = np.zeros(n, np.float32)
        sums[rows[0]] = weights[0] * np.float32(factors[0])
        return sums
    indptr = np.array([0, *accumulate(map(len, rows))], np.int32)
    # one pass in compiled code, where adding at rows would go through each posting four times
    matrix = csc_array((np.concatenate(weights), np.concatenate(rows), indptr), (n, len(found)))
    added: NDArray[np.float32] = matrix @ np.array(factors, np.float32)
    return added


def saturated(counts: NDArray[Any], lengths: NDArray[Any], mean: float, k1: float, b: float) -> NDArray[np.float32]:
    """BM25's weight of a word that stands `counts` times in a text of `lengths` words, without idf."""
    weights: NDArray[np.float32] = (counts * (k1 + 1) / (counts + k1 * (1 - b + b * lengths / mean))).astype(np.float32)
    return weights


def _heads(titles: Ragged, words: Sequence[str]) -> NDArray[np.int32]:
    """(n,) the place of each title's last word before one of `_DESCRIBING`; the title's last word without one."""
    lengths = np.diff(titles.indptr)
    heads: NDArray[np.int32] = np.maximum(lengths - 1, 0).astype(np.int32)
    describing = np.isin(titles.codes, [place for word in _DESCRIBING if (place := _place(words, word)) is not None])
    owners = np.repeat(np.arange(len(lengths)), lengths)
    places = np.arange(len(titles.codes)) - np.repeat(titles.indptr[:-1], lengths)
    numbers = np.array([word[:1].isdigit() for word in words], np.bool_)
    measured = np.append(False, numbers[titles.codes[:-1]]) if len(titles.codes) else describing  # '2 in': inches
    found = describing & (places > 0) & ~measured
    np.minimum.at(heads, owners[found], places[found].astype(np.int32) - 1)
    return heads


def _place(words: Sequence[str], word: str) -> int | None:
    """Where a word stands among words in alphabetical order."""
    place = bisect_left(words, word)
    return place if place < len(words) and words[place] == word else None
