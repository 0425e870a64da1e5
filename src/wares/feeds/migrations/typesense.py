"""Typesense: documents with id, the schema of a collection, synonyms and overrides; old ones, or sets as since 30."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wares.feeds.dialects.columns import Numbered
from wares.feeds.migrations.algolia_settings import facet_of, is_tag
from wares.feeds.migrations.filters import category_page, typesense_where
from wares.feeds.migrations.found import (
    BUILT_IN,
    Engine,
    Found,
    FoundRule,
    FoundSynonym,
    FoundWhen,
    Names,
    Outcome,
    Part,
    Untold,
    Where,
    mappings,
    plain,
    seconds_to_ms,
    text_of,
    texts,
)
from wares.feeds.migrations.records import flat_row
from wares.feeds.migrations.rule_parts import banner_of, data_lost, redirect_of, word_order
from wares.feeds.report import Tally

_OF_RULE = frozenset(("query", "match", "filter_by", "tags", "stem", "synonyms"))
_OF_OVERRIDE = frozenset(
    (
        *("id", "rule", "includes", "excludes", "filter_by", "sort_by", "replace_query", "remove_matched_tokens"),
        *("filter_curated_hits", "stop_processing", "effective_from_ts", "effective_to_ts", "metadata", "diversity"),
    )
)
_TYPES = ("string", "int", "float", "bool", "geo", "object", "image", "auto")
_OF_SCHEMA = ("created_at", "num_documents", "name", "fields", "num_memory_shards")


def parts(document: Mapping[str, Any], depth: int = 0) -> Iterator[Part]:
    """A document is a thing or a list of them under the name that the API gives it."""
    name = text_of(document.get("id")) or text_of(document.get("name"))
    lists: dict[str, list[dict[str, Any]]] = {key: mappings(document.get(key)) for key in _LISTS}
    if _is_override(document):
        yield Part("rules", name, document)
    elif _is_synonym(document):
        yield Part("synonyms", name, document)
    elif isinstance(document.get("stopwords"), list) and all(isinstance(one, str) for one in document["stopwords"]):
        yield Part("stop words", name, document)
    elif _is_schema(document):
        for one in lists["fields"]:
            yield Part("fields", text_of(one.get("name")), one)
        for key, value in document.items():
            if key not in _OF_SCHEMA:
                yield Part("settings", str(key), value)
    elif isinstance(document.get("document"), Mapping) and len(document) <= 6:
        yield Part("records", text_of(document["document"].get("id")), document)
    elif depth < _MAX_DEPTH and any(_is_thing(one) for found in lists.values() for one in found[:1]):
        for found in lists.values():
            for one in found:
                yield from parts(one, depth + 1)
    else:
        yield Part("records", name, document)


_MAX_DEPTH = 4
_LISTS = (
    *("fields", "synonyms", "synonym_sets", "overrides", "curations", "curation_sets", "items", "stopwords"),
    "collections",
)


def _is_thing(document: Mapping[str, Any]) -> bool:
    return (
        _is_override(document)
        or _is_synonym(document)
        or _is_schema(document)
        or "stopwords" in document
        or any(_is_override(one) or _is_synonym(one) for one in mappings(document.get("items"))[:1])
    )


def _is_override(document: Mapping[str, Any]) -> bool:
    rule = document.get("rule")
    return isinstance(rule, Mapping) and (not rule or not _OF_RULE.isdisjoint(rule))


def _is_synonym(document: Mapping[str, Any]) -> bool:
    words = document.get("synonyms")
    known = {"id", "root", "synonyms", "locale", "symbols_to_index"}
    return isinstance(words, list) and all(isinstance(one, str) for one in words) and set(document) <= known


def _is_schema(document: Mapping[str, Any]) -> bool:
    fields = mappings(document.get("fields"))
    return bool(fields) and all(text_of(one.get("type")).startswith(_TYPES) and "name" in one for one in fields)


def records(rows: Iterable[Numbered], tally: Tally) -> Iterator[Numbered]:
    """Documents as flat rows; hits of a search hold theirs under `document`."""
    for line, row in rows:
        tally.line = line
        held = row.get("document")
        document = held if isinstance(held, Mapping) and len(row) <= 6 else row
        yield line, flat_row(document, document.get("id"), tally)


def columns(found: Sequence[Part]) -> dict[str, str]:
    """Groups of variants are named by each search (`group_by`), not by a schema."""
    return {}


def settle(part: Part, found: Found, names: Names) -> None:
    """What is not understood is settled as not mapped."""
    if part.kind == "fields":
        outcome, into, why = _field(part.value, names)
        found.ledger.settle("fields", outcome, into, why, part.name)
    elif part.kind == "settings":
        outcome, into, why = _setting(part)
        found.ledger.settle("settings", outcome, into, why, part.name)
    elif part.kind == "synonyms":
        _settle_synonym(part, found)
    elif part.kind == "stop words":
        why = "nothing to do: frequent words weigh little in wares"
        found.ledger.settle("stop words", "not mapped", why=why, name=part.name)
    else:
        try:
            found.rules.append(_rule(part, names))
        except Untold as why:
            found.ledger.settle("rules", "not mapped", why=str(why), name=part.name)


def finish(found_parts: Sequence[Part], found: Found, names: Names) -> None:
    """The facets in the order of the schema, and the language that most fields name."""
    fields = [part.value for part in found_parts if part.kind == "fields"]
    faceted = (facet_of(text_of(one.get("name")), names) for one in fields if one.get("facet") is True)
    if facets := list(dict.fromkeys(facet for facet in faceted if facet)):
        found.set("shop", "facets", facets)
    locales = Counter(locale for one in fields if is_tag(locale := text_of(one.get("locale"))))
    if locales:
        found.set("shop", "language", locales.most_common(1)[0][0])


def _field(value: Mapping[str, Any], names: Names) -> tuple[Outcome, str, str]:
    name, kind = text_of(value.get("name")), text_of(value.get("type"))
    if kind.startswith("geo"):
        return "not mapped", "", "wares does not search by distance"
    if value.get("num_dim") or value.get("embed") or kind == "image":
        return "not mapped", "", "wares makes its own vectors of the texts"
    if value.get("reference"):
        return "not mapped", "", "wares joins nothing: put what is needed into each record"
    if any(sign in name for sign in "*\\") or not name:
        return "mapped", "products", "nothing to do: every column is read"
    if not names.knows(name) and not (any(one.startswith(f"{name}.") for one in names.columns)):
        return "not mapped", "", "no record has it"
    lost = []
    if value.get("facet") is True and not facet_of(name, names):
        lost.append("no facet in wares")
    if value.get("infix") is True:
        lost.append("infix: wares finds the beginnings of words, parts of compounds and near spellings")
    if value.get("range_index") is True and names.of(name) != "price":
        lost.append("ranges are of the price only")
    if value.get("index") is False:
        lost.append("not to be searched: wares searches every attribute; leave the column out if it disturbs")
    into = names.of(name)
    told = (
        f"products.{into}" if into != name or into in ("title", "brand", "category", "price") else "products.attributes"
    )
    return ("in part" if lost else "mapped"), told, "; ".join(lost)


def _setting(part: Part) -> tuple[Outcome, str, str]:
    if part.value in (None, "", [], {}, False):
        return "mapped", BUILT_IN, "nothing to do"
    if part.name == "default_sorting_field":
        return (
            "not mapped",
            "",
            ("wares learns what sells from events: import them, or write the figure into profiles.search.formula"),
        )
    if part.name in ("token_separators", "symbols_to_index"):
        return "not mapped", "", "wares analyses words by the shop's language; `wares search --explain` shows how"
    if part.name == "enable_nested_fields":
        return "mapped", BUILT_IN, "nested objects become columns of their own"
    if part.name in ("synonym_sets", "curation_sets"):
        return "mapped", BUILT_IN, "hand over the sets themselves, too"
    return "not mapped", "", "wares has no such setting"


def _settle_synonym(part: Part, found: Found) -> None:
    root, words = text_of(part.value.get("root")), tuple(texts(part.value.get("synonyms", [])))
    lost = ("symbols are no part of a word",) if part.value.get("symbols_to_index") else ()
    if root and words:
        found.synonyms.append(FoundSynonym(part.name, (root,), words, lost))
    elif len(words) > 1:
        found.synonyms.append(FoundSynonym(part.name, words, (), lost))
    else:
        why = "fewer than two words: look at it in Typesense"
        found.ledger.settle("synonyms", "not mapped", why=why, name=part.name)


def _rule(part: Part, names: Names) -> FoundRule:
    value: Mapping[str, Any] = part.value
    rule: Mapping[str, Any] = value["rule"]
    query, lost = text_of(rule.get("query")), list[str]()
    if rule.get("tags"):
        if not query:
            raise Untold("it is for a tag that the request names: write it for a query, surface or segment")
        lost.append("its tags: the rule is for every request with these words")
    if "{" in query:
        raise Untold("a query with a field in it: wares reads brands, colours and the like in a query by itself")
    contains = rule.get("match") == "contains"
    if contains:
        lost.append(word_order(query))
    if rule.get("synonyms") is True:
        lost.append("synonyms of its words do not start the rule")
    surface = "browse" if query == "*" else ""  # a search for everything is a page without words
    query, contains = ("", False) if surface else (query, contains)
    page = text_of(rule.get("filter_by"))
    category = category_page(typesense_where(page, names)[0], page, names) if page else ""
    if not (query or category or surface):
        raise Untold("it says no query: look at it in Typesense")
    start, end = seconds_to_ms(value.get("effective_from_ts")), seconds_to_ms(value.get("effective_to_ts"))
    if start and end and end <= start:
        raise Untold("it ends before it begins: look at it in Typesense")
    filter_: Where = {}
    if told := text_of(value.get("filter_by")):
        try:
            filter_, more = typesense_where(told, names)
            lost += more
        except Untold as why:
            lost.append(f"filter_by: {why}")
    pin: dict[str, int] = {}
    for one in mappings(value.get("includes")):
        product, position = text_of(one.get("id")), one.get("position")
        if product and isinstance(position, int) and not isinstance(position, bool) and 0 < position <= 1000:
            pin.setdefault(product, position)
        else:
            lost.append("a position that is no number from 1 to 1000")
    metadata = value.get("metadata")
    redirect, banner = redirect_of(metadata), banner_of(metadata)
    lost.append(data_lost(metadata, redirect, banner))
    if value.get("sort_by"):
        lost.append("sort_by: a sort order is asked for by each request")
    if value.get("diversity"):
        lost.append("diversity: a policy of a profile in wares")
    if pin and value.get("filter_curated_hits") is False:
        lost.append("pins that pass by the shopper's filters: in wares they obey them")
    if filter_ and value.get("remove_matched_tokens") is True:
        lost.append("its words stay in the query")
    lost += [f"{plain(key)}" for key in value if key not in _OF_OVERRIDE]
    when = FoundWhen(query, contains, category, "" if category else surface, start, end)
    found = FoundRule(
        part.name,
        (when,) if when != FoundWhen() else (),
        pin,
        tuple(text for one in mappings(value.get("excludes")) if (text := text_of(one.get("id")))),
        filter=filter_,
        redirect=redirect,
        banner=banner,
        meant=text_of(value.get("replace_query")),
        lost=tuple(dict.fromkeys(one for one in lost if one)),
    )
    if not found.does_something:
        raise Untold("; ".join(found.lost) or "it does nothing: look at it in Typesense")
    return found


ENGINE = Engine(
    "typesense",
    "Typesense",
    parts,
    records,
    columns,
    settle,
    finish,
    (
        (
            "weights (query_by_weights), typo settings, group_by",
            "they are of each search: search.boosts, search.spelling",
        ),
        ("presets, aliases, API keys", "profiles of wares.toml; an admin key: docs/how-to/serve-safely.md"),
        ("analytics rules", "import events: wares learns order, habits and suggestions from them"),
    ),
)
