"""The one way in which texts and queries become words of the index, so that both sides always agree.

One text may hold several scripts: Chinese characters are cut by the shop's dictionary, kana become overlapping pairs,
everything else is cut and stemmed by the shop's language. Measures and negations are unified before.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from wares.domain.intent import Reading, Term
from wares.domain.strings import State, pack, part, under, unpack
from wares.domain.text import MAX_TEXT, tokens
from wares.retrieval.language.chinese.cutter import Cutter
from wares.retrieval.language.chinese.filler import strip_filler
from wares.retrieval.language.chinese.numbers import read_numbers
from wares.retrieval.language.chinese.script import has_han, simplify
from wares.retrieval.language.european.compounds import Compounds
from wares.retrieval.language.european.words import COMPOUNDING, language_of_tag, latin_words, stemmer, surface_words
from wares.retrieval.language.measures import DECIMAL_COMMA, read_measures
from wares.retrieval.wishes.exclusion import NEGATED, negated_words

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN = re.compile(rf"(?P<east>[{_HAN}\u3040-\u30ff]+)|[^{_HAN}\u3040-\u30ff]+")
_HYPHENATED = re.compile(r"(?<![\w-])[^\W\d_]+(?:-[^\W\d_]+){1,2}(?![\w-])")
_LONGEST_JOINED = 24
_KANA = re.compile("[\u3040-\u30ff]")
_GLUED_FRACTION = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")  # one and a half is no eleven halves


@dataclass(frozen=True)
class Analyser:
    """`language` is that of Latin script; Chinese goes by its characters."""

    language: str = "en"
    cutter: Cutter = field(default_factory=lambda: Cutter.of((), ()))
    compounds: Compounds = field(default_factory=lambda: Compounds.of({}, "en"))
    hyphenated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # 'rustoleum' -> ('rust', 'oleum')

    @staticmethod
    def of(titles: Iterable[str], names: Iterable[str], language: str) -> "Analyser":
        """Learn the shop's words from its titles and names (brands, categories). `language` is a tag like 'de-AT'."""
        titles, names = list(dict.fromkeys(titles)), list(dict.fromkeys(names))
        cutter = Cutter.of([title for title in titles if has_han(title)], [name for name in names if has_han(name)])
        frequencies: Counter[str] = Counter()
        neighbours: Counter[tuple[str, str]] = Counter()
        for text in (*titles, *names):
            words = [word for word in surface_words(prepared(text, language), language) if word.isalpha()]
            frequencies.update(set(words))
            neighbours.update(pairwise(words))
        compounds = Compounds.of(frequencies, language, neighbours)
        return Analyser(language_of_tag(language), cutter, compounds, _hyphenated((*titles, *names), language))

    def state(self) -> State:
        """Plain arrays."""
        return (
            pack("language", [self.language])
            | under("cutter", self.cutter.state())
            | under("compounds", self.compounds.state())
            | pack("hyphenated", [" ".join((joined, *words)) for joined, words in self.hyphenated.items()])
        )

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Analyser":
        return Analyser(
            unpack("language", state)[0],
            Cutter.restore(part("cutter", state)),
            Compounds.restore(part("compounds", state)),
            {joined: tuple(words) for joined, *words in map(str.split, unpack("hyphenated", state))},
        )

    def prepared(self, text: str) -> str:
        """The text in the one form in which it is cut into words."""
        return prepared(text, self.language)

    def words(self, text: str) -> list[str]:
        """The index words of a title, brand, ... in order. Parts of a compound stand behind it."""
        found: list[str] = []
        for kind, run in _runs(self.prepared(text[:MAX_TEXT])):
            if kind == "han":
                found.extend(self.cutter.index_words(run))
            elif kind == "kana":
                found.extend(tokens(run))
            else:
                found.extend(self._latin(run))
        return found

    @cached_property
    def remembered_words(self) -> Callable[[str], list[str]]:
        """`words` for short texts that come again and again, such as the words of titles shown. Not to be changed."""
        return lru_cache(maxsize=100_000)(self.words)

    def said_words(self, text: str) -> list[str]:
        """The index words of a name or synonym as it is said: without what is inside its words."""
        found: list[str] = []
        for kind, run in _runs(self.prepared(text)):
            found.extend(self.cutter.words(run) if kind == "han" else self._latin(run, split=False))
        return found

    def terms(self, query: str) -> list[list[Term]]:
        """The units of a query, each with the readings that language alone gives it; one list for each stretch of
        characters of one script."""
        found: list[list[Term]] = []
        for kind, run in _runs(strip_filler(self.prepared(query))):
            if kind == "han":
                found.append(self.cutter.query_terms(run))
            else:
                words = tokens(run) if kind == "kana" else self._latin(run, split=False)
                found.append([Term(word, (Reading((word,)),)) for word in words])
        return found

    def parts(self, word: str) -> tuple[str, ...]:
        """The index words of the parts of a compound that the shop's words explain; () = it is none."""
        stem = stemmer(self.language)
        return self.hyphenated.get(word) or tuple(stem(piece) for piece in self.compounds.split(word) or ())

    def _latin(self, run: str, split: bool = True) -> list[str]:
        """`split`: the parts of compounds, too, in languages that write them as one word."""
        found: list[str] = []
        at = 0
        for negation in negated_words(run, self.language):
            found.extend(self._plain(run[at : negation.start], split))
            found.extend(NEGATED + stemmer(self.language)(word) for word in negation.words)
            at = negation.end
        found.extend(self._plain(run[at:], split))
        return found

    def _plain(self, run: str, split: bool) -> list[str]:
        if not (split and self.language in COMPOUNDING):
            return latin_words(run, self.language)
        found: list[str] = []
        stem = stemmer(self.language)
        for word in surface_words(run, self.language):
            found.append(word if word[0].isdigit() else stem(word))
            found.extend(self.parts(word))
        return found


def prepared(text: str, language: str = "en") -> str:
    """One form of letters, characters, numbers and measures: entities read, NFKC, case folded, Chinese simplified."""
    if "&" in text and ";" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _GLUED_FRACTION.sub(" ", text))
    text = text.casefold()
    if has_han(text):
        text = read_numbers(simplify(text))
    return read_measures(text, language_of_tag(language) in DECIMAL_COMMA)


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """Stretches of one script: ("han" | "kana" | "rest", text). Characters next to kana are Japanese."""
    if text.isascii():
        yield "rest", text
        return
    eastern = "kana" if _KANA.search(text) else "han"
    for match in _RUN.finditer(text):
        yield (eastern if match["east"] else "rest"), match.group()


def _hyphenated(texts: Iterable[str], language: str) -> dict[str, tuple[str, ...]]:
    """What the shop writes with a hyphen and others as one word: 'typec' -> ('type', 'c')."""
    found: dict[str, tuple[str, ...]] = {}
    stem = stemmer(language)
    for text in texts:
        for match in _HYPHENATED.finditer(text.casefold()) if "-" in text else ():
            words = surface_words(match.group(), language)
            joined = "".join(words)
            if 4 <= len(joined) <= _LONGEST_JOINED and joined.isalpha():
                found.setdefault(stem(joined), tuple(map(stem, words)))
    return found
