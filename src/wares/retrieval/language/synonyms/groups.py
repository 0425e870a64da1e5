"""Other words for the same thing, from files that a shopkeeper can write.

One group a line: 'a, b, c' all stand for one another; 'a => b, c' means that who says a is served by b and c as well,
but not the other way round; '#' begins a comment. A member may have several words ('hair dryer', '移动电源').
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from itertools import product
from math import prod

from wares.domain.intent import Reading, Term
from wares.domain.text import normalise
from wares.errors import DataError
from wares.retrieval.language.analyser import prepared
from wares.retrieval.language.chinese.script import has_han, simplify
from wares.retrieval.language.european.words import language_of_tag, latin_words

_WEIGHT, _TRANSLATED = 0.8, 0.7
_PART = 0.35  # of a word of several that became one term: not enough to cover the term
_MOST_READINGS, _MOST_EACH = 16, 4  # of neighbours that became one term, and of each among them
_MOST_TERMS = 4  # terms of a query that one member may span
_HAN = re.compile("([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)")

IndexWords = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Synonyms:
    """`others`: key of a member -> the texts that stand for it. Keys are words without what stands between them."""

    others: Mapping[str, Mapping[str, float]]  # with weights
    index_words: IndexWords  # a member's text -> the words of the index that a product must hold

    @staticmethod
    def read(
        lines: Iterable[str], name: str, index_words: IndexWords, weight: float = _WEIGHT, language: str = "en"
    ) -> "Synonyms":
        """`language` is that of Latin script, a tag like 'de-AT'.

        Raises `DataError` with file and line where a group has fewer than two members or an empty one.
        """
        others: dict[str, dict[str, float]] = {}
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            sides = [[member.strip() for member in side.split(",")] for side in text.split("=>")]
            if len(sides) > 2 or not all(member for side in sides for member in side):
                raise _fault(name, number, line, "an empty member or more than one '=>'")
            if len(sides) == 1 and len(sides[0]) < 2:
                raise _fault(name, number, line, "only one member")
            keys = {member: key(member, language) for side in sides for member in side}
            for said in sides[0]:
                meant = (member for member in sides[-1] if keys[member] != keys[said])
                others.setdefault(keys[said], {}).update(dict.fromkeys(meant, weight))
        return Synonyms(others, index_words)

    @staticmethod
    def one_way(
        pairs: Iterable[tuple[str, Sequence[str]]], index_words: IndexWords, language: str = "en"
    ) -> "Synonyms":
        """Who says the first text of a pair is served by the others as well."""
        others: dict[str, dict[str, float]] = {}
        for said, meant in pairs:
            others.setdefault(key(said, language), {}).update(dict.fromkeys(meant, _WEIGHT))
        return Synonyms(others, index_words)

    @staticmethod
    def packaged(index_words: IndexWords, language: str = "en") -> "Synonyms":
        """The general knowledge of retail that comes with the package: Chinese words and their English ones in every
        shop, and the words of the shop's own language, where there are some."""
        return Synonyms(_packaged(language_of_tag(language)), index_words)

    def joined(self, more: "Synonyms") -> "Synonyms":
        """These and `more`, such as a shop's own; where both know a pair, the weight of `more` holds."""
        keys = dict.fromkeys((*self.others, *more.others))
        both = {k: {**self.others.get(k, {}), **more.others.get(k, {})} for k in keys}
        return Synonyms(both, self.index_words)

    def of(self, words: Sequence[str]) -> tuple[Reading, ...]:
        """What these neighbouring words of a query may stand for besides themselves; often nothing."""
        said = "".join(words)
        if said not in self.others:
            return ()
        if (readings := self._readings.get(said)) is None:
            found: dict[tuple[str, ...], float] = {}
            for other, weight in self.others[said].items():
                meant = self.words_of(other)
                found[meant] = max(weight, found.get(meant, 0.0))
            best_first = sorted((item for item in found.items() if item[0]), key=lambda item: -item[1])
            readings = tuple(Reading(meant, weight, "synonym") for meant, weight in best_first)
            self._readings[said] = readings
        return readings

    def words_of(self, member: str) -> tuple[str, ...]:
        """The words of the index that a product must hold to be found by this member."""
        return tuple(self.index_words(simplify(normalise(member))))

    def expand(self, terms: Sequence[Term]) -> list[Term]:
        """The terms with their synonyms; neighbours that have synonyms only together become one term."""
        found: list[Term] = []
        at = 0
        while at < len(terms):
            for size in range(min(_MOST_TERMS, len(terms) - at), 0, -1):
                group = terms[at : at + size]
                if readings := self.of([term.said for term in group]):
                    found.append(self._merge(group, readings))
                    break
            else:
                size = 1
                found.append(terms[at])
            at += size
        return found

    def _merge(self, group: Sequence[Term], readings: tuple[Reading, ...]) -> Term:
        if len(group) == 1:
            return _with(group[0], readings)
        said = "".join(term.said for term in group)
        each = [_with(term, self.of([term.said])).readings[:_MOST_EACH] or (Reading((term.said,)),) for term in group]
        apart = [
            Reading(
                tuple(word for part in parts for word in part.words), prod(part.weight for part in parts), "synonym"
            )
            for parts in product(*each)
        ]
        apart[0] = Reading(apart[0].words)  # the words as they were said
        whole = Term(said, (Reading(tuple(self.index_words(said))), *readings))
        merged = _with(whole, sorted(apart, key=lambda reading: -reading.weight))
        # one word of 'extension cord' still counts a little; Chinese ones get their parts from the cutter
        some = [] if has_han(said) else [Reading((term.said,), _PART, "compound") for term in group]
        return _with(Term(said, merged.readings[:_MOST_READINGS]), some)

    @cached_property
    def _readings(self) -> dict[str, tuple[Reading, ...]]:
        return {}  # cut when first asked for


@lru_cache(maxsize=10_000)  # most members stand in several groups
def key(member: str, language: str = "en") -> str:
    """A member's words in one piece: 'Coca-Cola' -> 'cocacola', 'T恤' -> 't恤'; German 'Küchen-Uhren' -> 'kuchuhr'."""
    text = prepared(member, language)
    if text.isascii():
        return "".join(latin_words(text, language))
    runs = (run for run in _HAN.split(text) if run)
    return "".join(run if _HAN.match(run) else "".join(latin_words(run, language)) for run in runs)


@cache
def _packaged(language: str) -> Mapping[str, Mapping[str, float]]:
    """`Synonyms.others` of the package's files for a language; read once."""
    folder, found = files(__package__), Synonyms({}, str.split)
    weights = {"translations.txt": _TRANSLATED, "zh.txt": _WEIGHT, f"{language}.txt": _WEIGHT}
    for name, weight in weights.items():
        file = folder.joinpath(name)
        if file.is_file():
            lines = file.read_text("utf-8").splitlines()
            found = found.joined(Synonyms.read(lines, name, str.split, weight, language))
    return found.others


def _with(term: Term, more: Sequence[Reading]) -> Term:
    """The term with further readings, best first; of equal ones the first stays."""
    known = {reading.words for reading in term.readings}
    joined = (*term.readings, *(reading for reading in more if reading.words not in known))
    return Term(term.said, tuple(sorted(joined, key=lambda reading: -reading.weight)))


def _fault(name: str, number: int, line: str, what: str) -> DataError:
    return DataError(
        f"{what} in {line.strip()!r}; write 'a, b, c' for words that stand for one another, or 'a => b, c' for one way",
        file=name,
        line=number,
    )
