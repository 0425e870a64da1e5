"""A query -> its wishes, and the rest that text search goes on with."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache

from wares.domain.filter import AnyOf, Between, NoneOf
from wares.domain.wish import Wish, WishKind
from wares.retrieval.wishes.exclusion import Negation, read_exclusions
from wares.retrieval.wishes.price import read_cheap, read_prices
from wares.retrieval.wishes.values import Mention, ShopValues
from wares.retrieval.wishes.vocabulary import fold, vocabulary, word_of

# (phrase, field, values) -> of the products whose text holds the phrase, the share that have one of the values
Share = Callable[[str, str, tuple[str, ...]], float]
SURE = 0.5  # share from which a brand may be a filter
LIKELY = 0.1  # share from which it is read at all: 'bamboo' is a brand, too, but hardly meant
ENOUGH = 0.3  # share from which a category's name means the category


@dataclass(frozen=True, slots=True)
class _Reading:
    """A wish at query[start:end]; `silent` = its words do not go on to text search."""

    start: int
    end: int
    wish: Wish
    silent: bool


def read_wishes(
    query: str,
    values: ShopValues,
    currency: str,
    removed: Collection[str] = (),
    *,
    strict_brands: bool = False,
    share: Share | None = None,
) -> tuple[str, tuple[Wish, ...]]:
    """The rest of the query and its wishes, in the order in which they were said.

    Words of prices, of "cheap", and of exclusions that became a filter leave the rest; brands, categories, colours,
    genders, sizes and negated words stay, for titles say them, too. Where the end of the query left, the rest ends
    with a space: its last word is no longer being typed. `removed` names wishes by key that the shopper took back:
    their words are ordinary words. `share` is the evidence for brands and categories; without it no brand is strict.
    """
    query = query if query.isascii() else unicodedata.normalize("NFC", query)
    folded = fold(query)
    readings: list[_Reading] = []
    mentions = values.mentions(folded)
    for reading in _candidates(query, folded, values, mentions, currency, strict_brands, share):
        if _is_free(reading.start, reading.end, readings):
            readings.append(reading)
    for mention in mentions:
        category = mention.meaning.kind is WishKind.CATEGORY and _is_free(mention.start, mention.end, readings)
        if category and _is_thing_sought(folded, mention, readings, mentions, share):
            readings.append(_preferred(query, mention))
    kept = sorted((r for r in readings if r.wish.key not in removed), key=lambda r: r.start)
    wishes: dict[str, Wish] = {}
    for reading in kept:
        wishes.setdefault(reading.wish.key, reading.wish)
    return _without(query, [(r.start, r.end) for r in kept if r.silent]), tuple(wishes.values())


def _is_free(start: int, end: int, readings: list[_Reading]) -> bool:
    return all(end <= other.start or other.end <= start for other in readings)


def _candidates(
    query: str,
    folded: str,
    values: ShopValues,
    mentions: list[Mention],
    currency: str,
    strict_brands: bool,
    share: Share | None,
) -> Iterator[_Reading]:
    """What may be read but categories, the stronger first; names of several words ("Free People") are no exclusions."""
    for price in read_prices(folded, currency):
        clause = Between("price", price.low, price.high) if price.known else None
        wish = Wish(WishKind.PRICE, query[price.start : price.end].strip(" ,"), clause, strict=price.known)
        yield _Reading(price.start, price.end, wish, silent=True)
    names = [m for m in mentions if m.meaning.kind is WishKind.BRAND and " " in folded[m.start : m.end]]
    for negation in read_exclusions(folded, lambda said: values.meaning_of(said) is not None):
        inside = [m for m in names if m.start < negation.end and negation.start < m.end]
        if all(negation.inner <= m.start and m.end <= negation.end for m in inside):
            yield _excluded(query, negation, values)
    for start, end in read_cheap(folded):
        if all(end <= m.start or m.end <= start for m in names):
            yield _Reading(start, end, Wish(WishKind.CHEAP, query[start:end]), silent=True)
    for mention in values.size_mentions(query, folded):
        yield _preferred(query, mention)
    for mention in mentions:
        if mention.meaning.kind is WishKind.BRAND:
            brand = _brand(query, folded, mention, strict_brands, share)
            if brand is not None:
                yield brand
        elif mention.meaning.kind is not WishKind.CATEGORY:
            yield _preferred(query, mention)


def _excluded(query: str, negation: Negation, values: ShopValues) -> _Reading:
    meaning = values.meaning_of(" ".join(negation.words)) if len(negation.words) < 3 else None
    clause = NoneOf(meaning.field, meaning.values) if meaning else None
    said = query[negation.start : negation.end]
    strict = clause is not None or negation.typed
    wish = Wish(WishKind.EXCLUSION, said, clause, strict, excluded=negation.words)
    particle = re.compile("(?:以外|之外)?的?").match(query, negation.end) if strict else None
    return _Reading(negation.start, particle.end() if particle else negation.end, wish, silent=strict)


def _preferred(query: str, mention: Mention, strict: bool = False) -> _Reading:
    meaning = mention.meaning
    clause = AnyOf(meaning.field, meaning.values)
    wish = Wish(meaning.kind, query[mention.start : mention.end], clause, strict)
    return _Reading(mention.start, mention.end, wish, silent=False)


def _brand(query: str, folded: str, mention: Mention, strict: bool, share: Share | None) -> _Reading | None:
    if share is None:
        return _preferred(query, mention)
    said = share(folded[mention.start : mention.end], mention.meaning.field, mention.meaning.values)
    return _preferred(query, mention, strict and said >= SURE) if said >= LIKELY else None


def _is_thing_sought(
    folded: str, mention: Mention, readings: list[_Reading], mentions: list[Mention], share: Share | None
) -> bool:
    """Whether a category's name is what the query is about: 'milk' in 'oat milk', not in 'milk chocolate'.

    It has to end the noun phrase; of the products whose text holds all of that phrase, enough have to be in the
    category. Without this evidence it has to be the whole phrase.
    """
    ends = {reading.start for reading in readings} | {other.start for other in mentions if other is not mention}
    starts = {reading.end for reading in readings}
    rest = folded[mention.end :].lstrip()
    if not _border().match(rest) and len(folded) - len(rest) not in ends:
        return False
    before = folded[: mention.start].rstrip()
    borders = [m.end() for m in _border().finditer(before) if m.group()] + [end for end in starts if end <= len(before)]
    phrase = folded[max(borders, default=0) : mention.end].strip()
    if share is None:
        return phrase == folded[mention.start : mention.end]
    return share(phrase, mention.meaning.field, mention.meaning.values) >= ENOUGH


def _without(query: str, spans: list[tuple[int, int]]) -> str:
    """The query without these spans and without the spaces and commas that they leave."""
    if not spans:
        return query
    parts, place = [], 0
    for start, end in spans:
        parts.append(query[place:start])
        place = end
    parts.append(query[place:])
    rest = re.sub(r"^[\s,，、]+|(?<=\s)[\s,，、]+", "", " ".join(parts)).rstrip(" ,，、")
    open_end = query[place:].strip() and not query[-1:].isspace()
    return rest if open_end or not rest else rest + " "


@cache
def _border() -> re.Pattern[str]:
    """Where a noun phrase ends: at a function word, a number, a punctuation mark or the end."""
    return re.compile(rf"{word_of(vocabulary()['function']['words'])}|[0-9][0-9.,/]*|[,;.!?()/的-]|$")
