"""What the tests of search share: words as the terms of a query, and a shop's words learnt from a few titles."""

from collections.abc import Iterable, Mapping

from wares.domain.intent import Reading, Term
from wares.domain.product import Product
from wares.retrieval.language.shop_language import Language
from wares.retrieval.text_index import FIELDS, TextIndex

BOOSTS = {"title": 3.0, "brand": 1.5, "category": 1.5, "attributes": 1.0, "description": 0.5}
TITLE_ONLY = {name: float(name == "title") for name in FIELDS}


def terms_of(words: Iterable[str]) -> list[Term]:
    """Each word as a term that is read as it was said."""
    return [Term(word, (Reading((word,)),)) for word in words]


def titled(*titles: str) -> list[Product]:
    return [Product(f"p{i}", title=title) for i, title in enumerate(titles)]


def index(*titles: str, boosts: Mapping[str, float] = TITLE_ONLY) -> TextIndex:
    return TextIndex.of(titled(*titles), boosts)


def language_and_index(products: list[Product], tag: str = "en") -> tuple[Language, TextIndex]:
    """What a training makes of these products."""
    language = Language.of(products, tag)
    return language, TextIndex.of(products, BOOSTS, language.analyser)
