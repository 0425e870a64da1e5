"""Algolia's settings -> those of a shop, each with what becomes of it."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from wares.feeds.migrations.found import BUILT_IN, Found, Names, Outcome, Part, plain, texts

Told = tuple[Outcome, str, str]  # outcome, into, why
_WRAPPED = re.compile(r"(?:searchable|filterOnly|afterDistinct|ordered|unordered)\((.*)\)", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_NO_FACET = (
    "id",
    "title",
    "description",
    "url",
    "image_url",
    "group_id",
    "published",
    "stock",
    "available",
    "currency",
)
_NO_SEARCH = tuple({*_NO_FACET, "price"} - {"title", "description"})
_BOOSTS = (3.0, 1.5, 1.5, 1.0, 0.5)  # as wares' own defaults fall from the first field to the last
_SEARCHED = ("title", "brand", "category", "attributes", "description")
_OF_A_REQUEST = "a choice of each request in wares: "


def is_tag(text: str) -> bool:
    """Whether it names a language, as "de" or "pt-BR"."""
    return bool(_TAG.fullmatch(text))


def facet_of(attribute: str, names: Names) -> str:
    """What a facet on an attribute is called in wares; "" where there can be none."""
    field = names.of(attribute)
    return field if names.knows(attribute) and field not in _NO_FACET and field.isprintable() else ""


def boosts_of(order: Iterable[Iterable[str]], names: Names) -> dict[str, float]:
    """Attributes in the order of their weight, equal ones together -> the weight of each of wares' fields.

    What is not listed is not searched: 0.
    """
    weights: dict[str, float] = {}
    for group in order:
        fields = {_searched_as(attribute, names) for attribute in group} - {"", *weights}
        if fields:
            weight = _BOOSTS[min(len(weights), len(_BOOSTS) - 1)]
            weights |= dict.fromkeys(sorted(fields), weight)
    return {field: weights.get(field, 0.0) for field in _SEARCHED} if weights else {}


def _searched_as(attribute: str, names: Names) -> str:
    field = names.of(attribute)
    if not names.knows(attribute) or field in _NO_SEARCH:
        return ""
    return field if field in _SEARCHED else "attributes"


def settle_setting(part: Part, found: Found, names: Names) -> None:
    """One setting of an index."""
    if part.value in (None, "", [], {}) or (part.name in _DEFAULTS and part.value == _DEFAULTS[part.name]):
        told: Told = ("mapped", BUILT_IN, "as Algolia has it by default: nothing to do")
    elif part.name in KNOWN:
        told = KNOWN[part.name](part.value, found, names)
    else:
        told = ("not mapped", "", "wares has no such setting")
    found.ledger.settle("settings", told[0], told[1], told[2], part.name)


def _facets(value: Any, found: Found, names: Names) -> Told:
    shown: dict[str, None] = {}
    lost = []
    for raw in texts(value):
        attribute = _unwrapped(raw)
        if raw.lower().startswith("filteronly("):
            continue  # wares filters by any attribute
        if facet := facet_of(attribute, names):
            shown[facet] = None
        else:
            lost.append(attribute)
    if not shown:
        return ("not mapped", "", f"no record has {plain(', '.join(lost))}") if lost else _nothing()
    found.set("shop", "facets", list(shown))
    if lost:
        return "in part", "shop.facets", f"no facet in wares, or in no record: {plain(', '.join(lost))}"
    return "mapped", "shop.facets", ""


def _searchable(value: Any, found: Found, names: Names) -> Told:
    order = [[_unwrapped(one) for one in raw.split(",")] for raw in texts(value)]
    boosts = boosts_of(order, names)
    unknown = [name for group in order for name in group if not _searched_as(name, names)]
    if not boosts:
        return "not mapped", "", f"no record has {plain(', '.join(unknown))}"
    for field, weight in boosts.items():
        found.set("search.boosts", field, weight)
    inside = sum(1 for group in order for name in group if _searched_as(name, names) == "attributes") > 1
    lost = ["all attributes count alike"] * inside
    lost += [f"not in the records: {plain(', '.join(unknown))}"] * bool(unknown)
    return ("in part" if lost else "mapped"), "search.boosts", "; ".join(lost)


def _typos(value: Any, found: Found, names: Names) -> Told:
    if value in (False, "false"):
        found.set("search", "spelling", False)
        return "mapped", "search.spelling", ""
    if value in ("min", "strict"):
        return (
            "in part",
            "search.spelling",
            f"{value!r}: wares corrects a query from the shop's own words, or not at all",
        )
    return "mapped", BUILT_IN, ""


def _language(value: Any, found: Found, names: Names) -> Told:
    languages = [one for one in texts(value) if is_tag(one)]
    if not languages:
        return _nothing()
    found.set("shop", "language", languages[0])
    if len(languages) > 1:
        return "in part", "shop.language", f"one language per shop; {plain(', '.join(languages[1:]))} is not used"
    return "mapped", "shop.language", ""


def _distinct(value: Any, found: Found, names: Names) -> Told:
    if names.of(str(value)) == "group_id":
        return "mapped", "products.group_id", ""
    return "not mapped", "", f"no record has {plain(value)}: name the group of variants with --columns group_id=COLUMN"


def _nothing() -> Told:
    return "mapped", BUILT_IN, "nothing to do"


def _always(outcome: Outcome, into: str, why: str) -> Callable[[Any, Found, Names], Told]:
    return lambda value, found, names: (outcome, into, why)


def _built_in(why: str) -> Callable[[Any, Found, Names], Told]:
    return _always("mapped", BUILT_IN, why)


def _asked(why: str) -> Callable[[Any, Found, Names], Told]:
    return _always("not mapped", "", _OF_A_REQUEST + why)


def _unwrapped(attribute: str) -> str:
    text = attribute.strip()
    while found := _WRAPPED.fullmatch(text):
        text = found[1].strip()
    return text


_RANKED = "wares learns what sells from events: import them, or write the figure into profiles.search.formula"
_ORDERED = "a sort order in wares: ask with `sort` = price, -price, newest or best_selling"
_NO_SUCH = "wares returns whole products: leave out of the feed what nobody may see"
_HIGHLIGHTED = "highlights come with every hit"
_WORDS = "wares analyses words by the shop's language; `wares search --explain` shows how"
_RELAXED = "wares gives way by itself where nothing matches, and says so; search.coverage says how early"
_DEFAULTS: dict[str, Any] = {
    "ranking": ["typo", "geo", "words", "filters", "proximity", "attribute", "exact", "custom"],
    "hitsPerPage": 20,
    "maxValuesPerFacet": 100,
    "queryType": "prefixLast",
    "removeWordsIfNoResults": "none",
    "minWordSizefor1Typo": 4,
    "minWordSizefor2Typos": 8,
    "paginationLimitedTo": 1000,
    "highlightPreTag": "<em>",
    "highlightPostTag": "</em>",
    "alternativesAsExact": ["ignorePlurals", "singleWordSynonym"],
    "version": 2,
    "exactOnSingleWordQuery": "attribute",
    "removeStopWords": False,
    "sortFacetValuesBy": "count",
    "allowTyposOnNumericTokens": True,
    "attributesToRetrieve": ["*"],
    "minProximity": 1,
    "distinct": False,
    "allowCompressionOfIntegerArray": False,
    "replaceSynonymsInHighlight": False,
    "advancedSyntax": False,
    "ignorePlurals": False,
    "separatorsToIndex": "",
    "enableRules": True,
    "decompoundQuery": True,
}
KNOWN: dict[str, Callable[[Any, Found, Names], Told]] = {
    "searchableAttributes": _searchable,
    "attributesToIndex": _searchable,
    "attributesForFaceting": _facets,
    "attributeForDistinct": _distinct,
    "typoTolerance": _typos,
    "indexLanguages": _language,
    "queryLanguages": _language,
    "distinct": _built_in("variants of one group are one hit"),
    "ignorePlurals": _built_in("plurals are one word with their singular"),
    "removeStopWords": _built_in("frequent words weigh little by themselves"),
    "decompoundQuery": _built_in("compounds are learnt from the catalogue"),
    "decompoundedAttributes": _built_in("compounds are learnt from the catalogue"),
    "enableRules": _built_in("rules always count"),
    "replicas": _always("not mapped", "", _ORDERED),
    "slaves": _always("not mapped", "", _ORDERED),
    "primary": _always("not mapped", "", "this is a replica: migrate the primary index"),
    "relevancyStrictness": _always("not mapped", "", _ORDERED),
    "customRanking": _always("not mapped", "", _RANKED),
    "ranking": _always("not mapped", "", "wares' order is a formula, or learnt: docs/how-to/search.md"),
    "numericAttributesForFiltering": _always("not mapped", "", "wares has ranges of the price; list the values"),
    "numericAttributesToIndex": _always("not mapped", "", "wares has ranges of the price; list the values"),
    "hitsPerPage": _asked("`k`"),
    "paginationLimitedTo": _asked("every match can be paged to by cursor"),
    "maxValuesPerFacet": _asked("a facet has its 100 most frequent values"),
    "maxFacetHits": _asked("a facet has its 100 most frequent values"),
    "sortFacetValuesBy": _asked("the values of a facet come by count"),
    "renderingContent": _always(
        "not mapped", "", "the order of facets is that of shop.facets; the rest is the storefront's"
    ),
    "userData": _always("not mapped", "", "for the storefront: keep it there"),
    "attributesToHighlight": _built_in(_HIGHLIGHTED),
    "attributesToSnippet": _built_in(_HIGHLIGHTED),
    "highlightPreTag": _built_in(_HIGHLIGHTED),
    "highlightPostTag": _built_in(_HIGHLIGHTED),
    "snippetEllipsisText": _built_in(_HIGHLIGHTED),
    "restrictHighlightAndSnippetArrays": _built_in(_HIGHLIGHTED),
    "replaceSynonymsInHighlight": _built_in(_HIGHLIGHTED),
    "attributesToRetrieve": _always("not mapped", "", _NO_SUCH),
    "unretrievableAttributes": _always("not mapped", "", _NO_SUCH + " - these attributes are shown by wares"),
    "disableTypoToleranceOnWords": _always("not mapped", "", "a word of the catalogue is never corrected"),
    "disableTypoToleranceOnAttributes": _always("not mapped", "", "a word of the catalogue is never corrected"),
    "minWordSizefor1Typo": _built_in("short words are hardly corrected"),
    "minWordSizefor2Typos": _built_in("short words are hardly corrected"),
    "allowTyposOnNumericTokens": _built_in("numbers are not corrected"),
    "disablePrefixOnAttributes": _always("not mapped", "", _WORDS),
    "disableExactOnAttributes": _always("not mapped", "", _WORDS),
    "exactOnSingleWordQuery": _always("not mapped", "", _WORDS),
    "alternativesAsExact": _always("not mapped", "", _WORDS),
    "separatorsToIndex": _always("not mapped", "", _WORDS),
    "keepDiacriticsOnCharacters": _always("not mapped", "", "accents never keep a word from being found"),
    "camelCaseAttributes": _always("not mapped", "", _WORDS),
    "customNormalization": _always("not mapped", "", _WORDS),
    "queryType": _always("not mapped", "", _WORDS),
    "minProximity": _always("not mapped", "", _WORDS),
    "advancedSyntax": _always("not mapped", "", "wares reads wishes instead, as 'without leather' or 'under 20'"),
    "advancedSyntaxFeatures": _always(
        "not mapped", "", "wares reads wishes instead, as 'without leather' or 'under 20'"
    ),
    "attributeCriteriaComputedByMinProximity": _always("not mapped", "", _WORDS),
    "removeWordsIfNoResults": _built_in(_RELAXED),
    "optionalWords": _built_in(_RELAXED),
    "responseFields": _asked("the answer is always whole"),
    "allowCompressionOfIntegerArray": _built_in("nothing to do"),
    "version": _built_in("nothing to do"),
    "enablePersonalization": _built_in("what a shopper did counts once events are imported"),
    "enableReRanking": _built_in("clicks teach the order once events are imported"),
    "reRankingApplyFilter": _always("not mapped", "", "the learned order is for all products"),
    "mode": _built_in("words and meaning are searched together"),
    "semanticSearch": _built_in("words and meaning are searched together"),
}
