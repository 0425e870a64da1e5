"""Elasticsearch (and OpenSearch): hits, bulk files and dumps; mappings, settings, synonym sets and query rulesets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wares.feeds.dialects.columns import Numbered
from wares.feeds.migrations.elasticsearch_index import finish_index, index_parts, is_index, settle_field, settle_setting
from wares.feeds.migrations.elasticsearch_rules import settle_rule
from wares.feeds.migrations.found import Engine, Found, FoundSynonym, Names, Part, mappings, plain, text_of
from wares.feeds.migrations.records import flat_row
from wares.feeds.report import LeftOut, RowFault, Tally

_ACTIONS = ("index", "create", "update", "delete")
_OF_ACTION = frozenset(
    (
        *("_index", "_type", "_id", "_routing", "routing", "_version", "version", "version_type", "pipeline"),
        *("retry_on_conflict", "require_alias", "if_seq_no", "if_primary_term", "dynamic_templates", "op_type"),
    )
)
_REPLACES = "in Elasticsearch the words on the left are replaced; in wares they still count themselves"


def parts(document: Mapping[str, Any]) -> Iterator[Part]:
    """A document is an index, a set of synonyms, a ruleset or one of its rules, or records."""
    if {"criteria", "actions"} <= set(document) or ("type" in document and "rule_id" in document):
        yield Part("rules", text_of(document.get("rule_id")), document)
    elif "ruleset_id" in document and "rules" in document:
        for one in mappings(document["rules"]):
            yield Part("rules", text_of(one.get("rule_id")), one)
    elif isinstance(document.get("synonyms_set"), list):
        for place, one in enumerate(document["synonyms_set"], 1):
            told = one.get("synonyms") if isinstance(one, Mapping) else one
            yield Part("synonyms", text_of(one.get("id")) if isinstance(one, Mapping) else str(place), told)
    elif isinstance(document.get("synonyms_set"), str):  # a list of sets, without what they hold
        yield Part("settings", f"synonyms_set {document['synonyms_set']}", None)
    elif isinstance(document.get("synonyms"), str) and set(document) <= {"id", "synonyms"}:
        yield Part("synonyms", text_of(document.get("id")), document["synonyms"])
    elif is_index(document):
        yield from index_parts(document)
    else:
        yield Part("records", text_of(document.get("_id")), document)


def records(rows: Iterable[Numbered], tally: Tally) -> Iterator[Numbered]:
    """Documents as flat rows, whichever way they were taken out: hits, whole answers of searches, bulk actions."""
    waiting: tuple[int, str, Mapping[str, Any]] | None = None  # line, action and its target
    for line, row in rows:
        tally.line = line
        if waiting is not None:
            (_, action, target), waiting = waiting, None
            yield from _acted(line, action, target, row, tally)
        elif told := _action(row):
            if told[0] == "delete":
                tally.reject(LeftOut("delete in a bulk file", "delete", told[1].get("_id"), "Nothing to do."), row)
            else:
                waiting = (line, *told)
        else:
            yield from _documents(line, row, tally)
    if waiting is not None:
        tally.line = waiting[0]
        fix = "The file was cut: write each action with its document on the next line."
        tally.reject(RowFault("a bulk action without a document", waiting[1], waiting[2].get("_id"), fix), {})


def _action(row: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    if len(row) != 1:
        return None
    ((name, target),) = row.items()
    if name in _ACTIONS and isinstance(target, Mapping) and set(target) <= _OF_ACTION:
        return name, target
    return None


def _acted(
    line: int, action: str, target: Mapping[str, Any], row: Mapping[str, Any], tally: Tally
) -> Iterator[Numbered]:
    if action == "update":
        told = row.get("doc", row.get("upsert"))
        if not isinstance(told, Mapping):
            fix = "Take the documents out of the index instead: what a script makes of one is not in the file."
            tally.reject(RowFault("an update without a document", "update", target.get("_id"), fix), row)
            return
        row = dict(told)
    yield line, flat_row(row, target.get("_id"), tally)


def _documents(line: int, row: Mapping[str, Any], tally: Tally) -> Iterator[Numbered]:
    held = row.get("hits")
    hits = held.get("hits") if isinstance(held, Mapping) else held
    if isinstance(hits, list) and "_source" not in row:
        for hit in hits:
            if isinstance(hit, Mapping):
                yield from _documents(line, hit, tally)
            else:
                tally.reject(
                    RowFault("not an object", "hits", hit, 'Give each hit as {"_id": .., "_source": ..}.'), hit
                )
        return
    source = row.get("_source")
    if isinstance(source, Mapping):
        yield line, flat_row(source, row.get("_id"), tally)
    elif "_id" in row and isinstance(fields := row.get("fields"), Mapping):
        yield (
            line,
            flat_row(
                {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in fields.items()}, row["_id"], tally
            ),
        )
    elif "_id" in row:
        plain_row = {
            name: value for name, value in row.items() if name not in ("_id", "_index", "_type", "_score", "sort")
        }
        yield line, flat_row(plain_row, row["_id"], tally)
    else:
        yield line, flat_row(row, row.get("id"), tally)


def columns(found: Sequence[Part]) -> dict[str, str]:
    """Groups of variants are named by each search (`collapse`), not by a mapping."""
    return {}


def settle(part: Part, found: Found, names: Names) -> None:
    """What is not understood is settled as not mapped."""
    if part.kind == "fields":
        settle_field(part, found, names)
    elif part.kind == "settings":
        settle_setting(part, found)
    elif part.kind == "rules":
        settle_rule(part, found)
    elif part.kind == "synonyms":
        settle_synonym(part, found)


def settle_synonym(part: Part, found: Found) -> None:
    """One line in Solr's notation: "a, b" or "a, b => c"."""
    line = text_of(part.value)
    sides = [[word.strip() for word in side.split(",") if word.strip()] for side in line.split("=>")]
    why = ""
    if "\\" in line:
        why = "escaped signs: write the words into synonyms.txt without them"
    elif line.startswith("s("):
        why = "WordNet's notation: write 'a, b' or 'a => b'"
    elif not all(sides) or len(sides) > 2 or (len(sides) == 1 and len(sides[0]) < 2):
        why = "fewer than two words: look at it in Elasticsearch"
    if why:
        found.ledger.settle("synonyms", "not mapped", why=why, name=part.name or plain(line))
    elif len(sides) == 1:
        found.synonyms.append(FoundSynonym(part.name or line, tuple(sides[0])))
    else:
        kept = set(sides[0]) <= set(sides[1])
        lost = () if kept else (_REPLACES,)
        found.synonyms.append(FoundSynonym(part.name or line, tuple(sides[0]), tuple(sides[1]), lost))


def finish(found_parts: Sequence[Part], found: Found, names: Names) -> None:
    """The language of most analysers."""
    finish_index(found_parts, found)


ENGINE = Engine(
    "elasticsearch",
    "Elasticsearch",
    parts,
    records,
    columns,
    settle,
    finish,
    (
        (
            "boosts of fields, function_score, decay",
            "they are of each query: search.boosts, profiles.search.formula, rules",
        ),
        ("facets (aggregations)", "they are of each query: list the attributes in shop.facets"),
        ("search templates, Kibana, roles", "profiles of wares.toml; an admin key: docs/how-to/serve-safely.md"),
    ),
)
