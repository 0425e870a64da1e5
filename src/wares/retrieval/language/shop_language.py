"""The language of one shop: everything about words that is learnt from its catalogue and its past queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from wares.domain.product import Product
from wares.domain.strings import State, part, under
from wares.retrieval.language.analyser import Analyser, prepared
from wares.retrieval.language.chinese.cutter import runs
from wares.retrieval.language.chinese.pinyin import Pinyin
from wares.retrieval.language.chinese.script import has_han
from wares.retrieval.language.chinese.typos import HanTypos
from wares.retrieval.language.synonyms.groups import Synonyms
from wares.retrieval.spelling.speller import Speller


@dataclass(frozen=True)
class Language:
    """`analyser` cuts texts into index words, `speller` mends queries, `own_synonyms` are the shopkeeper's lines."""

    analyser: Analyser
    speller: Speller
    pinyin: Pinyin = field(default_factory=lambda: Pinyin.of(()))
    own_synonyms: tuple[str, ...] = ()

    @staticmethod
    def of(products: Sequence[Product], language: str, queries: Mapping[str, int] | None = None) -> "Language":
        """`language` is a tag like 'de-AT'; `queries` maps past queries to the number of shoppers who asked them."""
        names = [name for product in products for name in (product.brand, *product.category)]
        analyser = Analyser.of((product.title for product in products), names, language)
        han = [run for text in _texts(products) if has_han(text) for run in runs(prepared(text))]
        cutter = analyser.cutter
        pinyin = Pinyin.of(map(cutter.cut, han), (word for run in han for word in cutter.inner_words(run)))
        return Language(analyser, Speller.of(_texts(products), queries), pinyin)

    @staticmethod
    def empty(language: str) -> "Language":
        """Of a shop that has not been trained yet."""
        return Language.of((), language)

    def with_synonyms(self, lines: Iterable[str]) -> "Language":
        return replace(self, own_synonyms=tuple(lines))

    def warm_up(self) -> None:
        """Read now what the first query would wait for. Raises DataError for a synonym that cannot be read."""
        self.synonyms.words_of("茶")  # cut by a dictionary, whatever the shop's language
        self.speller.correct("warm up")

    def state(self) -> State:
        """Plain arrays, without the synonyms, which the shop's own file holds."""
        return (
            under("analyser", self.analyser.state())
            | under("speller", self.speller.state())
            | under("pinyin", self.pinyin.state())
        )

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Language":
        return Language(
            Analyser.restore(part("analyser", state)),
            Speller.restore(part("speller", state)),
            Pinyin.restore(part("pinyin", state)),
        )

    @cached_property
    def synonyms(self) -> Synonyms:
        """The packaged ones and the shop's own."""
        words, language = self.analyser.said_words, self.analyser.language
        own = Synonyms.read(self.own_synonyms, "synonyms.txt", words, language=language)
        return Synonyms.packaged(words, language).joined(own)

    def knows(self, word: str) -> bool:
        """Whether the language explains a word that no product holds."""
        return bool(self.synonyms.of([word]) or self.analyser.parts(word))

    @cached_property
    def typos(self) -> HanTypos:
        return HanTypos(self.pinyin)


def _texts(products: Iterable[Product]) -> Iterable[str]:
    """What a shopper may have read: titles, and names and values, each once."""
    seen = set[str]()
    for product in products:
        yield product.title
        yield from (text.title for text in product.texts.values() if text.title)
        for name in (product.brand, *product.category, *(v for vs in product.attributes.values() for v in vs)):
            if name and name not in seen:
                seen.add(name)
                yield name
