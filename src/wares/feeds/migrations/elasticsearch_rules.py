"""Query rules of Elasticsearch -> rules of a shop: pinned and excluded documents."""

from collections.abc import Mapping
from typing import Any

from wares.feeds.migrations.found import Found, FoundRule, FoundWhen, Part, Untold, mappings, plain, text_of, texts
from wares.feeds.migrations.rule_parts import word_order

_OF_QUERY = ("query", "search", "keyword", "term", "q")
_LOOSE = {"prefix": "the words may stand anywhere in the query", "suffix": "the words may stand anywhere in the query"}


def settle_rule(part: Part, found: Found) -> None:
    """A rule that says something in wares is found; any other is settled as not mapped, with the reason."""
    try:
        found.rules.append(_rule(part))
    except Untold as why:
        found.ledger.settle("rules", "not mapped", why=str(why), name=part.name)


def _rule(part: Part) -> FoundRule:
    value: Mapping[str, Any] = part.value
    told = value.get("criteria")
    criteria = [told] if isinstance(told, Mapping) else mappings(told)
    if len(criteria) != 1:
        raise Untold("several criteria at once, or none: wares' rules are for words; write one for them")
    whens, lost = _whens(criteria[0])
    actions = value.get("actions")
    if not isinstance(actions, Mapping):
        raise Untold("it has no actions: look at it in Elasticsearch")
    ids = texts(actions.get("ids", [])) + [
        text for one in mappings(actions.get("docs")) if (text := text_of(one.get("_id")))
    ]
    if not ids:
        raise Untold("it names no documents: look at it in Elasticsearch")
    kind = value.get("type")
    if kind == "pinned":
        pin = {product: place for place, product in enumerate(dict.fromkeys(ids), 1)}
        return FoundRule(part.name or "rule", whens, pin, lost=lost)
    if kind == "exclude":
        return FoundRule(part.name or "rule", whens, hide=tuple(dict.fromkeys(ids)), lost=lost)
    raise Untold(f"the type {plain(kind)} is not known")


def _whens(criterion: Mapping[str, Any]) -> tuple[tuple[FoundWhen, ...], tuple[str, ...]]:
    kind, about = text_of(criterion.get("type")), text_of(criterion.get("metadata"))
    if kind == "always":
        return (), ()
    if not any(word in about.lower().split("_") for word in _OF_QUERY) and about.lower() not in _OF_QUERY:
        raise Untold(f"it is for {plain(about)}: use segment, market or surface of a rule in wares")
    words = texts(criterion.get("values", []))
    if not words:
        raise Untold("its criterion has no values: look at it in Elasticsearch")
    if kind in ("exact", "fuzzy"):
        lost = ["near spellings do not start the rule"] if kind == "fuzzy" else []
        return tuple(FoundWhen(one) for one in words), tuple(lost)
    if kind in ("contains", *_LOOSE):
        lost = [_LOOSE[kind]] if kind in _LOOSE else []
        lost += [one for one in map(word_order, words) if one][:1]
        return tuple(FoundWhen(one, contains=True) for one in words), tuple(lost)
    raise Untold(f"the criterion {plain(kind)} is not known: wares' rules are for words")
