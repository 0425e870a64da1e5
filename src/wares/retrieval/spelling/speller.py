"""What a query was meant to say: a noisy channel (Kernighan, Church and Gale 1990) over the shop's own words.

A word stands for the candidate with the greatest log(frequency) + fit to the rest of the query - cost of the slip,
where the word itself is a candidate without a slip.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State
from wares.domain.text import MAX_QUERY
from wares.retrieval.spelling.context import Context
from wares.retrieval.spelling.counting import count_words
from wares.retrieval.spelling.forms import derived, forms
from wares.retrieval.spelling.slips import CHEAPEST, slip_cost
from wares.retrieval.spelling.vocabulary import WORD, Vocabulary, composed, plain

# All in natural logarithms of counts. Doubt speaks for the word as it was typed.
_UNSEEN, _PER_LETTER = -6.5, 0.9  # a word unknown to the catalogue; the longer, the less by chance so near another
_ABSENT = 5000  # words that people may look for in any shop; counts where the catalogue is small
_KNOWN = 1.0  # a word of the catalogue
_SHORT = 5.0  # a word of no more letters than the shortest
_SHORTEST = 3  # letters; a shorter word is neither changed nor meant
_SPLIT, _JOIN = 6.5, 7.0  # a space forgotten or too many
_DERIVED = 6.0  # "painter" for "painting"
_WELL_KNOWN = 20  # texts; such a word is looked at only where it does not go with the rest of the query
_WORSE = 4.0  # a candidate so much behind another before its slip is weighed is not looked at
_CLOSEST, _FITTED = 20, 6  # candidates whose slips are weighed, and whose context is
_MOST_WORDS = 16  # of a query are looked at
_QUOTED = re.compile(r'(?<!\S)"[^"]+"(?!\S)|“[^”]+”|„[^“”]+[“”]|«[^»]+»|「[^」]+」')
_UNITS = frozenset(
    {"inch", "inches", "foot", "feet", "yard", "yards", "mile", "miles", "pound", "pounds", "lbs", "ounce", "ounces"}
    | {"gallon", "gallons", "gal", "quart", "quarts", "pint", "pints", "liter", "litre", "liters", "litres", "litro"}
    | {"meter", "metre", "meters", "metres", "metro", "metri", "gram", "grams", "gramm", "zoll", "pouce", "pouces"}
    | {"watt", "watts", "volt", "volts", "amp", "amps", "lumen", "lumens", "pcs", "pkg"}
)
_NO_ALPHABET = "\u0590"  # from here on signs are syllables, or words are written without spaces
_TOUCHING = frozenset(";_@#*\\=<>|~^")  # a word beside one of these is part of something else


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of the query as said, and as it was probably meant."""

    said: str
    meant: str


@dataclass(frozen=True, slots=True)
class Correction:
    """The whole query as it was probably meant; outside the changes it is as typed (accents composed)."""

    query: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    """A word at `start:end` of the query; `word` is "" for what holds digits; `fixed`: not to be touched."""

    start: int
    end: int
    word: str
    fixed: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    score: float
    words: tuple[int, ...]
    written: str


@dataclass(frozen=True)
class Speller:
    """Corrects queries by the words of a catalogue. Immutable; safe to use from several threads."""

    vocabulary: Vocabulary

    @staticmethod
    def of(texts: Iterable[str], queries: Mapping[str, int] | None = None) -> "Speller":
        """Learn from the texts of the catalogue, and from past queries with the number of shoppers who typed them."""
        return Speller(count_words(texts, queries or {}))

    def state(self) -> State:
        return self.vocabulary.state()

    @staticmethod
    def restore(state: Mapping[str, NDArray[np.generic]]) -> "Speller":
        return Speller(Vocabulary.restore(state))

    def correct(self, query: str) -> Correction | None:
        """The query as it was probably meant; None: leave it as it was typed."""
        query = composed(query[:MAX_QUERY])
        tokens = _cut(query)[:_MOST_WORDS]
        context = Context(self.vocabulary)
        for at, token in enumerate(tokens):
            if (place := self.vocabulary.place.get(token.word)) is not None:
                context.read[at] = (place,)
        changes = self._join(query, tokens, context)
        taken = {at + 1 for at in changes} | set(changes)
        open_words = [at for at, t in enumerate(tokens) if not t.fixed and len(t.word) >= _SHORTEST and at not in taken]
        for at in sorted(open_words, key=lambda at: self._known(tokens[at].word) > 0):  # unknown words first
            if meant := self._meant(tokens[at].word, at, context):
                context.read[at] = meant.words
                changes[at] = tokens[at].end, meant.written
        return _rewritten(query, {tokens[at].start: change for at, change in changes.items()}) if changes else None

    def _known(self, word: str) -> int:
        """How many texts hold the word, its plural or its singular (one that holds two of them counts twice)."""
        places = (self.vocabulary.place.get(form) for form in forms(word))
        return sum(int(self.vocabulary.frequency[place]) for place in places if place is not None)

    def _join(self, query: str, tokens: list[_Token], context: Context) -> dict[int, tuple[int, str]]:
        """Words typed as two that the catalogue writes as one: number of the first token -> (end, as meant)."""
        vocabulary = self.vocabulary
        found: dict[int, tuple[int, str]] = {}
        for at, (a, b) in enumerate(pairwise(tokens)):
            place = vocabulary.place.get(a.word + b.word)
            if place is None or a.fixed or b.fixed or at - 1 in found or query[a.end : b.start].strip():
                continue
            if len(a.word + b.word) <= _SHORTEST:
                continue
            first, second = vocabulary.place.get(a.word), vocabulary.place.get(b.word)
            apart = 0.05  # texts in which the two would be expected side by side
            if first is not None and second is not None:
                if vocabulary.pair(first, second):
                    continue
                apart += vocabulary.chance(first, second)
            if log(vocabulary.frequency[place]) - log(apart) > _JOIN:
                found[at] = b.end, vocabulary.written[place]
                context.read[at] = (place,)
                context.read.pop(at + 1, None)
        return found

    def _meant(self, word: str, at: int, context: Context) -> _Candidate | None:
        """What a word in its place of the query stands for; None: itself."""
        known = self._known(word)
        if known:
            own = self.vocabulary.place.get(word)
            fit = context.fit((own,), at) if own is not None else 0.0
            if known >= _WELL_KNOWN and fit >= 0:
                return None
            keep = log(known) + fit + _KNOWN
        else:
            keep = _UNSEEN + log(len(self.vocabulary.words) + _ABSENT) - _PER_LETTER * len(word)
        keep += _SHORT * (len(word) == _SHORTEST)
        candidates = list(self._near(word, 1 if known >= _WELL_KNOWN else 3))
        if not known:
            candidates.extend(self._split(word))
        candidates.sort(key=lambda candidate: -candidate.score)
        best = max(
            (_Candidate(c.score + context.fit(c.words, at), c.words, c.written) for c in candidates[:_FITTED]),
            key=lambda candidate: candidate.score,
            default=None,
        )
        return best if best and best.score > keep else None

    def _near(self, word: str, most_slips: int) -> Iterator[_Candidate]:
        """Words of the catalogue that are a few slips away."""
        vocabulary, n, same = self.vocabulary, len(word), forms(word)
        slips = min(1 if n < 5 else 2 if n < 11 else 3, most_slips)
        places, distances = vocabulary.near(word, slips)
        rough = np.log(vocabulary.frequency[places]) - 3 * distances.astype(np.float64)
        best = -inf
        for at in np.argsort(-rough, kind="stable")[:_CLOSEST].tolist():
            place = int(places[at])
            meant, written = vocabulary.words[place], vocabulary.written[place]
            weight = log(vocabulary.frequency[place])
            if meant in same or len(meant) < _SHORTEST or weight - CHEAPEST * float(distances[at]) < best - _WORSE:
                continue
            cost = slip_cost(word, meant)
            if n > 4 and word[-1] == "s" != meant[-1] and (singular := slip_cost(word[:-1], meant)) < cost:
                cost, written = singular, written + "s"  # a plural that no text holds
            if derived(word, meant):
                cost += _DERIVED
            best = max(best, weight - cost)
            yield _Candidate(weight - cost, (place,), written)

    def _split(self, word: str) -> Iterator[_Candidate]:
        """Two words of the catalogue run together, by how often they stand side by side."""
        vocabulary = self.vocabulary
        for at in range(2, len(word) - 1):
            a, b = vocabulary.place.get(word[:at]), vocabulary.place.get(word[at:])
            if a is not None and b is not None and (count := vocabulary.pair(a, b)):
                yield _Candidate(log(count) - _SPLIT, (a, b), f"{vocabulary.written[a]} {vocabulary.written[b]}")


def _cut(query: str) -> list[_Token]:
    quoted = [match.span() for match in _QUOTED.finditer(query)]
    found = []
    for match in WORD.finditer(query):
        word = plain(match.group())
        touched = query[max(match.start() - 1, 0) : match.start()] + query[match.end() : match.end() + 1]
        fixed = not word or word in _UNITS or max(word) >= _NO_ALPHABET or not _TOUCHING.isdisjoint(touched)
        fixed = fixed or any(start <= match.start() < end for start, end in quoted)
        found.append(_Token(match.start(), match.end(), word, fixed))
    return found


def _rewritten(query: str, changes: Mapping[int, tuple[int, str]]) -> Correction:
    """The query with each stretch `start: (end, meant)` replaced, in capitals where it was typed so."""
    parts, made, done = list[str](), list[Change](), 0
    for start, (end, meant) in sorted(changes.items()):
        said = query[start:end]
        if said[0].isupper():
            meant = meant.upper() if said.isupper() and len(said) > 1 else meant[0].upper() + meant[1:]
        parts += [query[done:start], meant]
        made.append(Change(said, meant))
        done = end
    return Correction("".join((*parts, query[done:])), tuple(made))
