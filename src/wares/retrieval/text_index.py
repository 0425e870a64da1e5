"""The words of the catalogue: which products hold which words, how well, and how much of a query they cover.

One inverted matrix per field with BM25 weights (Robertson and Zaragoza 2009), one of letter triples, and the titles in
order. Every product with a word of the query is scored, so that the match set, its total and its facets are counted and
not estimated.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.intent import Reading, Term
from wares.domain.product import Product
from wares.domain.result import TextMatch, TitleWords
from wares.domain.strings import State
from wares.retrieval.language.analyser import Analyser
from wares.retrieval.letters import triples_of
from wares.retrieval.postings import OTHER_LANGUAGES, Segment, Weighed, summed
from wares.retrieval.wishes.exclusion import NEGATED

Floats = NDArray[np.float32]
FIELDS = ("title", "brand", "category", "description", "attributes")
_HELD = 0.4  # from this weight on a reading covers its term wholly


def field_texts(product: Product) -> tuple[str, ...]:
    """The text of each of `FIELDS`, behind title and description the same in other languages."""
    attributes = " ".join(value for values in product.attributes.values() for value in values)
    title, description = product.title, product.description
    if product.texts:
        title = OTHER_LANGUAGES.join((title, *(text.title for text in product.texts.values())))
        description = OTHER_LANGUAGES.join((description, *(text.description for text in product.texts.values())))
    return title, product.brand, " ".join(product.category), description, attributes


@dataclass(frozen=True)
class TextIndex:
    """The snapshot's segment, and one small segment of the rows that came since. Immutable."""

    segments: tuple[Segment, ...]
    boosts: Mapping[str, float]  # field -> weight
    analyser: Analyser
    since: tuple[tuple[str, ...], ...] = ()  # the texts of the rows behind the first segment

    @staticmethod
    def of(products: Iterable[Product], boosts: Mapping[str, float], analyser: Analyser | None = None) -> "TextIndex":
        """Without an `analyser` one learns from these products, as English."""
        products = list(products)
        if analyser is None:
            names = [name for product in products for name in (product.brand, *product.category)]
            analyser = Analyser.of((product.title for product in products), names, "en")
        texts = [field_texts(product) for product in products]
        return TextIndex((Segment.of(texts, FIELDS, analyser.words, 0),), boosts, analyser)

    def with_products(self, products: Iterable[Product]) -> "TextIndex":
        """The rows of these products appended. Word statistics stay those of the snapshot until the next training."""
        since = self.since + tuple(field_texts(product) for product in products)
        base = self.segments[0]
        later = Segment.of(since, FIELDS, self.analyser.words, base.n, base.mean_lengths)
        return replace(self, segments=(base, later), since=since)

    def state(self) -> State:
        """Plain arrays of the first segment, which is all that a snapshot holds beside the analyser."""
        return self.segments[0].state()

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]], boosts: Mapping[str, float], analyser: Analyser) -> "TextIndex":
        return TextIndex((Segment.restore(state, FIELDS),), boosts, analyser)

    def __len__(self) -> int:
        return sum(segment.n for segment in self.segments)

    def frequency(self, word: str) -> int:
        """The number of products that hold the word."""
        return sum(int(s.frequency[i]) for s in self.segments if (i := s.place.get(word)) is not None)

    def starting_with(self, prefix: str) -> dict[str, int]:
        """The index words that begin so, each with the number of products that hold it."""
        found: dict[str, None] = {}
        for segment in self.segments:
            low = bisect_left(segment.words, prefix)
            high = bisect_left(segment.words, prefix + "\U0010ffff", lo=low)
            found.update(dict.fromkeys(segment.words[low:high]))
        return {word: self.frequency(word) for word in found}

    def match(self, terms: Sequence[Term]) -> TextMatch:
        """Score all rows against the terms of a query. A term counts by its best reading in each row; repeats count
        once; a term without any reading that the catalogue knows counts for nothing."""
        n = len(self)
        distinct = tuple({term.said: term for term in terms}.values())
        read_as, weights = list[tuple[str, ...]](), list[float]()
        shares = list[Floats | NDArray[np.bool_]]()  # of each term that each row holds, ...
        scales = list[np.float32]()  # ... times this
        plain: dict[str, list[Weighed]] = defaultdict(list)  # by field, like the next: only fields that hold a word
        by_field: dict[str, Floats] = defaultdict(lambda: np.zeros(n, np.float32))
        for term in distinct:
            found = [reading for reading in term.readings if self._known(reading.words)]
            read_as.append(tuple(dict.fromkeys(word for reading in found for word in reading.words)))
            strong = [reading for reading in found if reading.weight >= _HELD] or found
            weights.append(min((sum(map(self._idf, reading.words)) for reading in strong), default=0.0))
            if len(found) == 1 and len(found[0].words) == 1:
                shares.append(self._add(found[0].words[0], weights[-1] * found[0].weight, plain))
                scales.append(_credit(found[0]))
            else:
                shares.append(self._add_best(found, weights[-1], by_field))
                scales.append(np.float32(1))
        for name, some in plain.items():
            by_field[name] = by_field[name] + summed(some, n) if name in by_field else summed(some, n)
        held = tuple(share.astype(np.bool_, copy=False) for share in shares)
        rows = _any_of(held)
        covered, total = np.zeros(len(rows), np.float32), 0.0
        for term, share, scale, weight in zip(distinct, shares, scales, weights, strict=True):
            if not term.said.startswith(NEGATED):  # few titles say what a thing is without
                total += weight
                covered += share.take(rows) * (np.float32(weight) * scale)
        scored = np.zeros(len(rows), np.float32)
        for name in FIELDS:
            if name in by_field and (boost := self.boosts.get(name, 1.0)):
                scored += by_field[name].take(rows) * np.float32(boost)
        scores, coverage = np.zeros(n, np.float32), np.zeros(n, np.float32)
        scores[rows], coverage[rows] = scored, covered / np.float32(total or 1.0)
        nothing = np.broadcast_to(np.float32(0), n)
        all_fields = {name: by_field.get(name, nothing) for name in FIELDS}
        return TextMatch(scores, coverage, all_fields, distinct, tuple(read_as), held, tuple(weights))

    def holding(self, terms: Sequence[Term]) -> NDArray[np.intp]:
        """The rows that hold every term which the catalogue knows, and do not only come near: `match` gives them a
        coverage of 1. None where it knows no term."""
        held: NDArray[np.bool_] | None = None
        for term in {term.said: term for term in terms}.values():
            found = [reading for reading in term.readings if self._known(reading.words)]
            if found and not term.said.startswith(NEGATED):
                own = self._any_held(reading for reading in found if reading.weight >= _HELD)
                held = own if held is None else np.logical_and(held, own, out=held)
        return np.empty(0, np.intp) if held is None else np.flatnonzero(held)

    def letters(self, text: str) -> Floats:
        """(n,) BM25 of the letter triples of a text: near spellings and parts of words count, too."""
        triples = dict.fromkeys(t for word in self.analyser.words(text) for t in triples_of(word))
        base = self.segments[0].letters  # what is common there counts for nothing in the rows that came since, either
        known = [triple for triple in triples if not base.is_common(triple)]
        counts = [sum(segment.letters.count(triple) for segment in self.segments) for triple in known]
        weights = np.array([_inverse_frequency(count, len(self)) for count in counts], np.float32)
        return np.concatenate([segment.letters.sums(known, weights, segment.n) for segment in self.segments])

    def title_words(self, rows: NDArray[np.int32], words: Sequence[Sequence[str]]) -> TitleWords:
        """The titles of these rows in order, each word as the place of the first group of `words` that holds it, else
        -1."""
        if len(self.segments) == 1:
            return _title_words(self.segments[0], rows, words)
        inside = [np.flatnonzero((rows >= s.start) & (rows < s.start + s.n)) for s in self.segments]
        found = [_title_words(s, rows[at], words) for s, at in zip(self.segments, inside, strict=True)]
        one_after_the_other = TitleWords(
            np.concatenate([part.lengths for part in found]),
            np.concatenate([part.which for part in found]),
            np.concatenate([part.heads for part in found]),
        )
        return one_after_the_other.take(np.argsort(np.concatenate(inside), kind="stable"))

    def _any_held(self, readings: Iterable[Reading]) -> NDArray[np.bool_]:
        """(n,) the rows that hold all words of one of these readings."""
        held = self._none()
        for reading in readings:
            if len(reading.words) == 1:
                self._mark(reading.words[0], held)
            else:
                held |= np.logical_and.reduce([self._mark(word, self._none()) for word in reading.words])
        return held

    def _mark(self, word: str, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """`held` (n,), in which the rows that hold the word are now marked, too."""
        for _, rows, _ in self._postings(word):
            held[rows] = True
        return held

    def _none(self) -> NDArray[np.bool_]:
        return np.zeros(len(self), np.bool_)

    def _known(self, words: Sequence[str]) -> bool:
        return all(self.frequency(word) for word in words)

    def _add(self, word: str, weight: float, by_field: dict[str, list[Weighed]]) -> NDArray[np.bool_]:
        """The only reading of a term, of one word; (n,) the rows that hold it."""
        holds = self._none()
        for name, rows, weights in self._postings(word):
            by_field[name].append((rows, weights, weight))
            holds[rows] = True
        return holds

    def _add_best(self, readings: Sequence[Reading], weight: float, by_field: dict[str, Floats]) -> Floats:
        """Each row gets the best of several readings, in each field. Each reading is worth the whole term. (n,) how far
        each row holds the term by the best reading that it holds."""
        n = len(self)
        share = np.zeros(n, np.float32)
        best: dict[str, Floats] = defaultdict(lambda: np.zeros(n, np.float32))
        for reading in readings:
            total = sum(map(self._idf, reading.words)) or 1.0
            idfs = [np.float32(weight * reading.weight * self._idf(word) / total) for word in reading.words]
            if len(reading.words) == 1:
                for name, rows, weights in self._postings(reading.words[0]):
                    once = weights if reading.weight >= 1 else np.minimum(weights, 1)  # said often, still not it
                    best[name][rows] = np.maximum(best[name].take(rows), once * idfs[0])
                    share[rows] = np.maximum(share.take(rows), _credit(reading))
                continue
            own: dict[str, Floats] = defaultdict(lambda: np.zeros(n, np.float32))
            holds_all = np.ones(n, np.bool_)
            for word, idf in zip(reading.words, idfs, strict=True):
                holds = self._none()
                for name, rows, weights in self._postings(word):
                    own[name][rows] += weights * idf
                    holds[rows] = True
                holds_all &= holds
            held = np.flatnonzero(holds_all)
            for name, scores in own.items():
                best[name][held] = np.maximum(best[name].take(held), scores.take(held))
            share[held] = np.maximum(share.take(held), _credit(reading))
        for name, scores in best.items():
            by_field[name] += scores
        return share

    def _postings(self, word: str) -> Iterator[tuple[str, NDArray[np.int32], Floats]]:
        """(field, rows, weights) wherever the word stands."""
        for segment in self.segments:
            if (place := segment.place.get(word)) is not None:
                for name, postings in segment.fields.items():
                    rows, weights = postings.of(place)
                    if len(rows):
                        yield name, rows + segment.start if segment.start else rows, weights

    def _idf(self, word: str) -> float:
        return _inverse_frequency(self.frequency(word), len(self))


def _title_words(segment: Segment, rows: NDArray[np.int32], words: Sequence[Sequence[str]]) -> TitleWords:
    """`TextIndex.title_words` of rows of one segment."""
    table = np.full(len(segment.words) + 1, -1, np.int16)
    for place, group in reversed(list(enumerate(words))):
        table[[segment.place[word] for word in group if word in segment.place]] = place
    own = rows - segment.start
    lengths, codes = segment.title_codes(own)
    return TitleWords(lengths, table.take(codes), segment.heads.take(own))


def _credit(reading: Reading) -> np.float32:
    """How far a row that holds this reading holds its term."""
    return np.float32(1 if reading.weight >= _HELD else reading.weight)


def _any_of(held: Sequence[NDArray[np.bool_]]) -> NDArray[np.intp]:
    """The rows that are in any of these (n,)."""
    if not held:
        return np.empty(0, np.intp)
    there = held[0] if len(held) == 1 else held[0] | held[1]
    for more in held[2:]:
        there |= more
    return np.flatnonzero(there)


def _inverse_frequency(frequency: int, n: int) -> float:
    """log(1 + (n - df + 0.5) / (df + 0.5)), above 0."""
    return float(np.log1p((max(n, frequency) - frequency + 0.5) / (frequency + 0.5)))
