"""Algolia: records with objectID, settings, synonyms and rules; alone or in one configuration file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wares.feeds.dialects.columns import Numbered
from wares.feeds.migrations.algolia_rules import settle_rule
from wares.feeds.migrations.algolia_settings import KNOWN, settle_setting
from wares.feeds.migrations.found import Engine, Found, FoundSynonym, Names, Part, mappings, text_of, texts
from wares.feeds.migrations.records import flat_row
from wares.feeds.report import Tally

_ONE_WAY = {"onewaysynonym": "input", "altcorrection1": "word", "altcorrection2": "word"}
_SYNONYM_TYPES = ("synonym", "placeholder", *_ONE_WAY)
_SIGNS_OF_SETTINGS = frozenset(KNOWN) - {"synonyms"}
# Of a search's answer, not of the record.
_NOT_OF_THE_RECORD = ("_highlightResult", "_snippetResult", "_rankingInfo", "_distinctSeqID", "objectID")
_ALTERNATIVE = "it counts as much as any synonym: wares has no lower weight for a single pair"


def parts(document: Mapping[str, Any]) -> Iterator[Part]:
    """A document may be one thing, or hold several under `settings`, `rules` and `synonyms`."""
    name = text_of(document.get("objectID"))
    kind = str(document.get("type", "")).lower() if isinstance(document.get("type"), str) else ""
    if "consequence" in document or ("objectID" in document and {"conditions", "condition"} & set(document)):
        yield Part("rules", name, document)
    elif kind in _SYNONYM_TYPES and not {"synonyms", "corrections", "replacements"}.isdisjoint(document):
        yield Part("synonyms", name, document)
    elif isinstance(document.get("settings"), Mapping) or _is_config(document):
        settings = document.get("settings")
        for key, value in settings.items() if isinstance(settings, Mapping) else ():
            yield from _setting(str(key), value)
        for one in mappings(document.get("synonyms")):
            yield Part("synonyms", text_of(one.get("objectID")), one)
        for one in mappings(document.get("rules")):
            yield Part("rules", text_of(one.get("objectID")), one)
    elif "objectID" not in document and not _SIGNS_OF_SETTINGS.isdisjoint(document):
        for key, value in document.items():
            yield from _setting(str(key), value)
    else:
        yield Part("records", name, document)


def _is_config(document: Mapping[str, Any]) -> bool:
    if "objectID" in document:
        return False
    rules, synonyms = mappings(document.get("rules")), mappings(document.get("synonyms"))
    return any("consequence" in one for one in rules) or any("type" in one for one in synonyms)


def _setting(key: str, value: object) -> Iterator[Part]:
    """Old settings hold synonyms as lists of words."""
    if key == "synonyms" and isinstance(value, list):
        for place, words in enumerate(value, 1):
            yield Part("synonyms", f"settings {place}", {"type": "synonym", "synonyms": words})
    else:
        yield Part("settings", key, value)


def records(rows: Iterable[Numbered], tally: Tally) -> Iterator[Numbered]:
    """Records as flat rows. The objectID is the product's id: events and rules name it."""
    for line, row in rows:
        tally.line = line
        record = {name: value for name, value in row.items() if name not in _NOT_OF_THE_RECORD}
        if "_tags" in record:
            record["tags"] = record.pop("_tags") if "tags" not in record else record["tags"]
        if record.pop("_geoloc", None) is not None:
            tally.note("Places (_geoloc) are not used: wares does not search by distance.")
        yield line, flat_row(record, row.get("objectID"), tally)


def columns(found: Sequence[Part]) -> dict[str, str]:
    """Records of which one stands for many are variants: attributeForDistinct names their group."""
    named = {part.name: part.value for part in found if part.kind == "settings"}
    group = text_of(named.get("attributeForDistinct"))
    return {"group_id": group} if group else {}


def settle(part: Part, found: Found, names: Names) -> None:
    """Raises nothing: what is not understood is settled as not mapped."""
    if part.kind == "settings":
        settle_setting(part, found, names)
    elif part.kind == "rules":
        settle_rule(part, found, names)
    else:
        _settle_synonym(part, found)


def finish(found_parts: Sequence[Part], found: Found, names: Names) -> None:
    """Nothing needs all of them."""


def _settle_synonym(part: Part, found: Found) -> None:
    value = part.value
    kind = str(value.get("type", "synonym")).lower()
    if kind == "placeholder":
        why = "a placeholder for parts of a word: put the words themselves into the titles, or a line per word"
        found.ledger.settle("synonyms", "not mapped", why=why, name=part.name)
        return
    if kind in _ONE_WAY:
        word = text_of(value.get(_ONE_WAY[kind])) or text_of(value.get("input")) or text_of(value.get("word"))
        meant = tuple(texts(value.get("synonyms", value.get("corrections", []))))
        if word and meant:
            lost = (_ALTERNATIVE,) if kind.startswith("alt") else ()
            found.synonyms.append(FoundSynonym(part.name, (word,), meant, lost))
            return
    elif len(words := tuple(texts(value.get("synonyms", [])))) > 1:
        found.synonyms.append(FoundSynonym(part.name, words))
        return
    why = "fewer than two words, or of no known type: look at it in Algolia"
    found.ledger.settle("synonyms", "not mapped", why=why, name=part.name)


ENGINE = Engine(
    "algolia",
    "Algolia",
    parts,
    records,
    columns,
    settle,
    finish,
    (
        ("query suggestions", "wares suggests from past queries: import events, then `wares train`"),
        ("A/B tests, analytics, personalisation", "import events: wares learns order and habits from them"),
        ("API keys, replicas", "replicas are sort orders: ask with `sort`; an admin key: docs/how-to/serve-safely.md"),
    ),
)
