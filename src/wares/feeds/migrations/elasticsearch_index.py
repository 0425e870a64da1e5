"""Mappings and settings of an index of Elasticsearch: its fields, and which language its analysers are of."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wares.feeds.migrations.found import BUILT_IN, Found, Names, Outcome, Part, plain, text_of, texts

MAX_DEPTH = 20
_NAMES = (
    "english=en german=de german2=de french=fr spanish=es italian=it dutch=nl portuguese=pt brazilian=pt-BR polish=pl "
    "polish_stem=pl swedish=sv danish=da norwegian=nb finnish=fi smartcn=zh ik_max_word=zh ik_smart=zh chinese=zh"
)
_LANGUAGES = dict(pair.split("=") for pair in _NAMES.split())  # what Elasticsearch calls them -> tag
_SYNONYM_FILTERS = ("synonym", "synonym_graph")
_OF_THE_CLUSTER = (
    *("number_of_shards", "number_of_replicas", "uuid", "version", "creation_date", "provided_name", "routing"),
    *("refresh_interval", "auto_expand_replicas", "codec", "max_result_window", "mapping", "lifecycle", "blocks"),
    *("creation_date_string", "search", "translog", "merge", "priority", "hidden", "soft_deletes"),
)
_WITHOUT_PLACE = {
    "geo_point": "wares does not search by distance",
    "geo_shape": "wares does not search by distance",
    "dense_vector": "wares makes its own vectors of the texts",
    "sparse_vector": "wares makes its own vectors of the texts",
    "semantic_text": "wares makes its own vectors of the texts",
    "rank_feature": "wares learns what sells from events: import them",
    "rank_features": "wares learns what sells from events: import them",
    "percolator": "wares keeps no queries",
    "join": "wares joins nothing: put what is needed into each record",
}
_ANALYSIS = "wares analyses words by the shop's language; `wares search --explain` shows how"


def is_index(document: Mapping[str, Any]) -> bool:
    """Whether this describes an index, or names indexes that it describes."""
    return _describes(document) or (
        bool(document) and all(isinstance(one, Mapping) and _describes(one) for one in document.values())
    )


def _describes(document: Mapping[str, Any]) -> bool:
    known = {"mappings", "settings", "aliases", "defaults", "data_stream", "warmers", "properties"}
    return (
        bool(document)
        and set(document) <= known
        and any(isinstance(document.get(one), Mapping) for one in ("mappings", "settings", "properties"))
    )


def index_parts(document: Mapping[str, Any]) -> Iterator[Part]:
    """Fields, settings and lines of synonyms of one index or several."""
    for index in [document] if _describes(document) else document.values():
        mapped = index.get("mappings", index)
        properties = mapped.get("properties") if isinstance(mapped, Mapping) else None
        if properties is None and isinstance(mapped, Mapping):  # old ones have a type in between
            inner = [one.get("properties") for one in mapped.values() if isinstance(one, Mapping)]
            properties = next((one for one in inner if isinstance(one, Mapping)), None)
        if isinstance(properties, Mapping):
            yield from _fields(properties, "", 0)
        settings = index.get("settings")
        if isinstance(settings, Mapping):
            held = settings.get("index")
            yield from _settings({**settings, **held} if isinstance(held, Mapping) else settings)


def _fields(properties: Mapping[str, Any], before: str, depth: int) -> Iterator[Part]:
    for key, value in properties.items():
        name = f"{before}.{key}" if before else str(key)
        inner = value.get("properties") if isinstance(value, Mapping) else None
        if isinstance(inner, Mapping) and depth < MAX_DEPTH:
            yield from _fields(inner, name, depth + 1)
        else:
            yield Part("fields", name, value)


def _settings(settings: Mapping[str, Any]) -> Iterator[Part]:
    for key, value in settings.items():
        if key == "analysis" and isinstance(value, Mapping):
            for group, members in value.items():
                for name, told in members.items() if isinstance(members, Mapping) else ():
                    yield from _analysis(str(group), str(name), told)
        elif key != "index":
            yield Part("settings", str(key), value)


def _analysis(group: str, name: str, told: object) -> Iterator[Part]:
    yield Part("settings", f"analysis.{group}.{name}", told)
    if group == "filter" and isinstance(told, Mapping) and told.get("type") in _SYNONYM_FILTERS:
        lines = told.get("synonyms")
        for line in texts(lines.split("\n") if isinstance(lines, str) else lines):
            if not line.startswith("#"):
                yield Part("synonyms", f"{name}: {plain(line)}", line)


def settle_setting(part: Part, found: Found) -> None:
    """One setting of an index, or one part of its analysis."""
    outcome, into, why = _setting(part)
    found.ledger.settle("settings", outcome, into, why, part.name)


def _setting(part: Part) -> tuple[Outcome, str, str]:
    name, value = part.name, part.value
    if name.startswith("synonyms_set "):
        return "not mapped", "", "only the name of a set: hand over the set, as GET _synonyms/NAME gives it"
    if not name.startswith("analysis."):
        if name.partition(".")[0] in _OF_THE_CLUSTER:
            return "mapped", BUILT_IN, "nothing to do: it is of the cluster"
        return "not mapped", "", "wares has no such setting"
    told = value if isinstance(value, Mapping) else {}
    kind = text_of(told.get("type"))
    if kind in _SYNONYM_FILTERS:
        if told.get("synonyms_path"):
            return "not mapped", "", f"a file: hand over {plain(told['synonyms_path'])}, too"
        if told.get("synonyms_set"):
            return "not mapped", "", f"a set: hand over what GET _synonyms/{plain(told['synonyms_set'])} gives, too"
        return "mapped", "synonyms.txt", "its lines are counted as synonyms"
    if language_of(value):
        return "mapped", "shop.language", ""
    if kind in ("lowercase", "asciifolding", "icu_folding", "icu_normalizer", "stop", "unique", "trim"):
        return "mapped", BUILT_IN, "words are folded by themselves, and frequent ones weigh little"
    if kind in ("edge_ngram", "ngram", "edgeNGram", "nGram", "shingle", "word_delimiter", "word_delimiter_graph"):
        return "mapped", BUILT_IN, "beginnings of words, near spellings and hyphens are found by themselves"
    if kind in ("decompounder", "dictionary_decompounder", "hyphenation_decompounder"):
        return "mapped", BUILT_IN, "compounds are learnt from the catalogue"
    return "not mapped", "", _ANALYSIS


def language_of(value: object) -> str:
    """The language that an analyser, stemmer or list of stop words is of; "" = none."""
    told = value if isinstance(value, Mapping) else {}
    words = [
        value,
        told.get("type"),
        told.get("language"),
        told.get("name"),
        told.get("stopwords"),
        told.get("analyzer"),
    ]
    for word in (text.strip("_").removeprefix("light_").removeprefix("minimal_") for text in map(text_of, words)):
        if word in _LANGUAGES:
            return _LANGUAGES[word]
    return ""


def settle_field(part: Part, found: Found, names: Names) -> None:
    """One field of a mapping: it comes with the records, by the name that they give it."""
    told = part.value if isinstance(part.value, Mapping) else {}
    kind = text_of(told.get("type"))
    if why := _WITHOUT_PLACE.get(kind):
        found.ledger.settle("fields", "not mapped", why=why, name=part.name)
    elif kind in ("completion", "search_as_you_type", "alias"):
        found.ledger.settle("fields", "mapped", BUILT_IN, "wares suggests and completes by itself", part.name)
    elif not names.knows(part.name):
        found.ledger.settle("fields", "not mapped", why="no record has it", name=part.name)
    else:
        field = names.of(part.name)
        into = f"products.{field}" if field != part.name or part.name in _FIELDS else "products.attributes"
        lost = ""
        if told.get("index") is False:
            lost = "not to be searched: wares searches every attribute; leave the column out if it disturbs"
        elif "boost" in told:
            lost = "its boost: weights are of wares' fields (search.boosts)"
        found.ledger.settle("fields", "in part" if lost else "mapped", into, lost, part.name)


_FIELDS = ("id", "title", "description", "brand", "category", "price", "stock", "url", "available", "published")


def finish_index(found_parts: Sequence[Part], found: Found) -> None:
    """The language that most fields and parts of the analysis name."""
    told = Counter(
        language
        for part in found_parts
        if part.kind in ("fields", "settings") and (language := language_of(part.value))
    )
    if told:
        found.set("shop", "language", told.most_common(1)[0][0])
