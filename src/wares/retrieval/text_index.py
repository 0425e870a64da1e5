"""The words of the catalogue: which products hold which words, how well, and how much of a query they cover.

One inverted matrix per field with BM25 weights (Robertson and Zaragoza 2009). Every product with a word of the query
is scored, so that the match set, its total and its facets are counted and not estimated.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from wares.domain.product import Product
from wares.domain.result import TextMatch
from wares.domain.strings import State, pack, under, unpack
from wares.domain.text import tokens

FIELDS = ("title", "brand", "category", "description", "attributes")
_K1, _B = 1.2, 0.6
_PREFIX_WORDS = 40  # the most frequent completions of an open word
_PREFIX_WEIGHT, _FUZZY_WEIGHT = 0.8, 0.5


def field_texts(product: Product) -> tuple[str, ...]:
    """The text of each of `FIELDS`."""
    attributes = " ".join(value for values in product.attributes.values() for value in values)
    return product.title, product.brand, " ".join(product.category), product.description, attributes


@dataclass(frozen=True, slots=True)
class Postings:
    """The words of one field: word w stands in `rows[indptr[w]:indptr[w + 1]]` with the weight of the same place."""

    indptr: NDArray[np.int64]  # (words + 1,)
    rows: NDArray[np.int32]  # (nnz,) counted from the segment's start
    weights: NDArray[np.float32]  # (nnz,) saturated term frequency, without idf

    def of(self, word: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        place = slice(int(self.indptr[word]), int(self.indptr[word + 1]))
        return self.rows[place], self.weights[place]


@dataclass(frozen=True)
class Segment:
    """A stretch of rows `start .. start + n`, indexed together. Its words are in alphabetical order."""

    start: int
    n: int
    words: tuple[str, ...]
    fields: Mapping[str, Postings]
    frequency: NDArray[np.int32]  # (words,) products of this segment that hold the word in any field
    mean_lengths: Mapping[str, float]  # words per filled field, by which lengths were judged

    @cached_property
    def place(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @staticmethod
    def of(texts: Sequence[tuple[str, ...]], start: int, mean_lengths: Mapping[str, float] | None = None) -> "Segment":
        """Index the texts (one tuple in the order of `FIELDS` per row). Without `mean_lengths` its own are used."""
        vocabulary: dict[str, int] = {}
        cut: dict[str, NDArray[np.int32]] = {}  # equal texts are cut into words once
        per_field: list[list[NDArray[np.int32]]] = [[] for _ in FIELDS]
        for row_texts in texts:
            for field, text in enumerate(row_texts):
                if (codes := cut.get(text)) is None:
                    found = [vocabulary.setdefault(word, len(vocabulary)) for word in tokens(text)]
                    codes = cut[text] = np.array(found, np.int32)
                per_field[field].append(codes)
        words = sorted(vocabulary)
        rank = np.empty(len(words), np.int64)  # first-seen code -> alphabetical place
        rank[[vocabulary[word] for word in words]] = np.arange(len(words))
        fields, seen, means = {}, [np.empty(0, np.int64)], {}
        for name, rows in zip(FIELDS, per_field, strict=True):
            lengths = np.array([len(codes) for codes in rows], np.int64)
            flat = rank[np.concatenate([np.empty(0, np.int32), *rows])]
            at = np.repeat(np.arange(len(rows)), lengths)
            pairs, counts = np.unique(flat * max(len(rows), 1) + at, return_counts=True)
            word_of, row_of = np.divmod(pairs, max(len(rows), 1))
            own = float(lengths[lengths > 0].mean()) if lengths.any() else 1.0
            means[name] = (mean_lengths or {}).get(name, own)
            stretch = 1 - _B + _B * lengths[row_of] / means[name]
            weights = (counts * (_K1 + 1) / (counts + _K1 * stretch)).astype(np.float32)
            indptr = np.searchsorted(word_of, np.arange(len(words) + 1)).astype(np.int64)
            fields[name] = Postings(indptr, row_of.astype(np.int32), weights)
            seen.append(pairs)
        distinct = np.unique(np.concatenate(seen))
        frequency = np.bincount(distinct // max(len(texts), 1), minlength=len(words)).astype(np.int32)
        return Segment(start, len(texts), tuple(words), fields, frequency, means)


@dataclass(frozen=True)
class TextIndex:
    """The snapshot's segment, and one small segment of the rows that came since. Immutable."""

    segments: tuple[Segment, ...]
    boosts: Mapping[str, float]  # field -> weight
    fuzzy: bool = True
    since: tuple[tuple[str, ...], ...] = ()  # the texts of the rows behind the first segment

    @staticmethod
    def of(products: Iterable[Product], boosts: Mapping[str, float], fuzzy: bool = True) -> "TextIndex":
        texts = [field_texts(product) for product in products]
        return TextIndex((Segment.of(texts, 0),), boosts, fuzzy)

    def with_products(self, products: Iterable[Product]) -> "TextIndex":
        """The rows of these products appended. Word statistics stay those of the snapshot until the next training."""
        since = self.since + tuple(field_texts(product) for product in products)
        base = self.segments[0]
        return replace(self, segments=(base, Segment.of(since, base.n, base.mean_lengths)), since=since)

    def state(self) -> State:
        """Plain arrays of the first segment, which is all that a snapshot holds."""
        base = self.segments[0]
        state = pack("words", base.words) | {"n": np.array(base.n), "frequency": base.frequency}
        for name, postings in base.fields.items():
            arrays: State = {"indptr": postings.indptr, "rows": postings.rows, "weights": postings.weights}
            state |= under(name, arrays | {"mean_length": np.array(base.mean_lengths[name])})
        return state

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]], boosts: Mapping[str, float], fuzzy: bool = True) -> "TextIndex":
        fields = {
            name: Postings(state[f"{name}.indptr"], state[f"{name}.rows"], state[f"{name}.weights"]) for name in FIELDS
        }
        means = {name: float(state[f"{name}.mean_length"]) for name in FIELDS}
        segment = Segment(0, int(state["n"]), unpack("words", state), fields, state["frequency"], means)
        return TextIndex((segment,), boosts, fuzzy)

    def __len__(self) -> int:
        return sum(segment.n for segment in self.segments)

    def frequency(self, word: str) -> int:
        """The number of products that hold the word."""
        return sum(int(s.frequency[i]) for s in self.segments if (i := s.place.get(word)) is not None)

    def match(self, words: Sequence[str], open_word: bool) -> TextMatch:
        """Score all rows against the words; `open_word`: the last may still be being typed. Repeats count once."""
        scores, coverage = np.zeros(len(self), np.float32), np.zeros(len(self), np.float32)
        total, read_as, held = 0.0, list[tuple[str, ...]](), list[NDArray[np.bool_]]()
        distinct = list(dict.fromkeys(words))
        for word in distinct:
            readings = self._readings(word, open_word and word == words[-1])
            read_as.append(tuple(readings))
            holds = np.zeros(len(self), np.bool_)
            held.append(holds)
            if not readings:
                continue
            idf = self._idf(max(self.frequency(reading) for reading in readings))
            total += idf
            for reading, weight in readings.items():
                self._add(reading, idf * weight, scores, holds)
            coverage += np.float32(idf) * holds
        if total:
            coverage /= np.float32(total)
        return TextMatch(scores, coverage, tuple(distinct), tuple(read_as), tuple(held))

    def _add(self, word: str, weight: float, scores: NDArray[np.float32], holds: NDArray[np.bool_]) -> None:
        for segment in self.segments:
            if (place := segment.place.get(word)) is None:
                continue
            for name, postings in segment.fields.items():
                rows, weights = postings.of(place)
                if len(rows):
                    rows = rows + segment.start
                    scores[rows] += weights * np.float32(weight * self.boosts.get(name, 1.0))
                    holds[rows] = True

    def _idf(self, frequency: int) -> float:
        """log(1 + (n - df + 0.5) / (df + 0.5)), above 0."""
        n = max(len(self), frequency)
        return float(np.log1p((n - frequency + 0.5) / (frequency + 0.5)))

    def _readings(self, word: str, is_open: bool) -> dict[str, float]:
        """The catalogue's words that a query word may stand for, with weights: itself, completions, near spellings."""
        known = self.frequency(word)
        readings = {word: 1.0} if known else {}
        if is_open and len(word) >= 2:
            completions = {w: f for w in self._starting_with(word) if w != word and (f := self.frequency(w))}
            if sum(completions.values()) > 10 * known:  # a word that the catalogue knows well stands as it is
                frequent = sorted(completions, key=lambda w: (-completions[w], w))[:_PREFIX_WORDS]
                readings.update(dict.fromkeys(frequent, _PREFIX_WEIGHT))
        if not readings and self.fuzzy:
            readings = dict.fromkeys(self._near(word), _FUZZY_WEIGHT)
        return readings

    def _starting_with(self, prefix: str) -> list[str]:
        found: dict[str, None] = {}
        for segment in self.segments:
            low = bisect_left(segment.words, prefix)
            high = bisect_left(segment.words, prefix + "\U0010ffff", lo=low)
            found.update(dict.fromkeys(segment.words[low:high]))
        return list(found)

    def _near(self, word: str) -> list[str]:
        """Words one slip away (two from 8 letters on), the nearest and most frequent first; at most 3."""
        if len(word) < 4 or not word.isalpha() or not word.isascii():
            return []
        slips = 1 if len(word) < 8 else 2
        found: dict[str, int] = {}
        for segment in self.segments:
            near = process.extract(
                word, segment.words, scorer=DamerauLevenshtein.distance, score_cutoff=slips, limit=20
            )
            found.update({w: int(distance) for w, distance, _ in near if w[0] == word[0] or distance == 1})
        if not found:
            return []
        best = min(found.values())
        nearest = [w for w, distance in found.items() if distance == best]
        return sorted(nearest, key=lambda w: (-self.frequency(w), w))[:3]
