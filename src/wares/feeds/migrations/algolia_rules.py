"""Algolia's rules -> those of a shop: conditions, promote, hide, filters, edits of the query, banners and redirects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wares.feeds.migrations.filters import algolia_choice, algolia_lists, algolia_where, category_page
from wares.feeds.migrations.found import (
    Found,
    FoundRule,
    FoundWhen,
    Names,
    Part,
    Untold,
    Where,
    mappings,
    plain,
    seconds_to_ms,
    text_of,
    texts,
)
from wares.feeds.migrations.rule_parts import banner_of, data_lost, merged, redirect_of, word_order

_FILTERS = ("filters", "facetFilters", "numericFilters", "tagFilters")
_BOOST, _BURY = 1.5, 0.5
_OF_CONSEQUENCE = ("params", "promote", "hide", "filterPromotes", "userData", "redirect", "renderingContent")
_OF_CONDITION = ("pattern", "anchoring", "alternatives", "context", "filters")


@dataclass(slots=True)
class _Draft:
    """A rule while it is read."""

    name: str
    pin: dict[str, int] = field(default_factory=dict)
    hide: list[str] = field(default_factory=list)
    boost: list[tuple[Where, float]] = field(default_factory=list)
    bury: list[tuple[Where, float]] = field(default_factory=list)
    filter: Where = field(default_factory=dict)
    redirect: str = ""
    banner: dict[str, str] = field(default_factory=dict)
    meant: str = ""
    lost: dict[str, None] = field(default_factory=dict)

    def lose(self, *why: str) -> None:
        self.lost |= dict.fromkeys(one for one in why if one)


def settle_rule(part: Part, found: Found, names: Names) -> None:
    """A rule that says something in wares is found; any other is settled as not mapped, with the reason."""
    try:
        found.rules.append(_rule(part, names))
    except Untold as why:
        found.ledger.settle("rules", "not mapped", why=str(why), name=part.name)


def _rule(part: Part, names: Names) -> FoundRule:
    value: Mapping[str, Any] = part.value
    if value.get("enabled") is False:
        raise Untold("it is switched off in Algolia: nothing to do")
    draft = _Draft(part.name or text_of(value.get("description")) or "rule")
    whens = _whens(value, draft, names)
    consequence = value.get("consequence")
    if not isinstance(consequence, Mapping):
        raise Untold("it has no consequence: look at it in Algolia")
    _promoted(consequence, draft)
    draft.hide = [text for one in mappings(consequence.get("hide")) if (text := text_of(one.get("objectID")))]
    draft.redirect = redirect_of(consequence.get("userData"))
    draft.banner = banner_of(consequence.get("userData"))
    draft.lose(data_lost(consequence.get("userData"), draft.redirect, draft.banner))
    if consequence.get("redirect"):
        draft.lose("a redirect to another index")
    if consequence.get("renderingContent"):
        draft.lose("the order of facets")
    draft.lose(*(f"{plain(key)} of the consequence" for key in consequence if key not in _OF_CONSEQUENCE))
    params = consequence.get("params")
    if isinstance(params, Mapping):
        _params(params, whens, draft, names)
    rule = FoundRule(
        draft.name, tuple(whens), draft.pin, tuple(draft.hide), tuple(draft.boost), tuple(draft.bury), draft.filter,
        draft.redirect, draft.banner, draft.meant, tuple(draft.lost),
    )  # fmt: skip
    if not rule.does_something:
        raise Untold("; ".join(draft.lost) or "it does nothing: look at it in Algolia")
    return rule


def _promoted(consequence: Mapping[str, Any], draft: _Draft) -> None:
    """Positions count from 0 in Algolia. A group of records takes the places from its position on."""
    for one in mappings(consequence.get("promote")):
        ids = texts(one.get("objectIDs", [])) or texts(one.get("objectID", []))
        position = one.get("position", 0)
        if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < 1000 - len(ids):
            draft.lose("a position that is no number from 0 to 999")
            continue
        for place, product in enumerate(ids, position + 1):
            draft.pin.setdefault(product, place)
    if draft.pin and consequence.get("filterPromotes") is False:
        draft.lose("pins that pass by the shopper's filters: in wares they obey them")


def _whens(value: Mapping[str, Any], draft: _Draft, names: Names) -> list[FoundWhen]:
    """One for each condition and each range of time; any of them starts the rule."""
    told = value.get("conditions", value.get("condition"))
    conditions = mappings(told) if isinstance(told, list) else [told] if isinstance(told, Mapping) else []
    times = _times(value, draft)
    if not conditions:
        return [FoundWhen(from_ms=start, until_ms=end) for start, end in times if start or end]
    whens, refused = list[FoundWhen](), list[str]()
    for condition in conditions:
        try:
            query, contains, category = _condition(condition, draft, names)
        except Untold as why:
            refused.append(str(why))
            continue
        whens += [FoundWhen(query, contains, category, "", start, end) for start, end in times]
    if not whens:
        raise Untold(refused[0])
    draft.lose(*(f"one of its conditions: {why}" for why in refused))
    return whens


def _condition(condition: Mapping[str, Any], draft: _Draft, names: Names) -> tuple[str, bool, str]:
    pattern = text_of(condition.get("pattern"))
    anchoring = text_of(condition.get("anchoring")) or "is"
    if context := text_of(condition.get("context")):
        raise Untold(f"it is for the context {plain(context)}: wares' rules know surface and category instead")
    if "{" in pattern:
        raise Untold("a pattern with a facet in it: wares reads brands, colours and the like in a query by itself")
    if anchoring == "is" and not pattern and not condition.get("filters"):
        if "pattern" not in condition:
            raise Untold("a condition that says nothing: look at it in Algolia")
        raise Untold("it is for the empty query: write it for a surface, as home or browse")
    if anchoring in ("startsWith", "endsWith"):
        draft.lose(f"{anchoring}: the words may stand anywhere in the query")
    if anchoring != "is":
        draft.lose(word_order(pattern))
    if condition.get("alternatives") is True:
        draft.lose("typos and synonyms of its words do not start the rule; plurals do")
    category = ""
    if filters := text_of(condition.get("filters")):
        category = category_page(algolia_where(filters, names)[0], filters, names)
    draft.lose(*(f"{plain(key)} of a condition" for key in condition if key not in _OF_CONDITION))
    return pattern, bool(pattern) and anchoring != "is", category


def _times(value: Mapping[str, Any], draft: _Draft) -> list[tuple[int | None, int | None]]:
    """Every moment where no range is told."""
    told = value.get("validity")
    if not told:
        return [(None, None)]
    times = []
    for one in mappings(told):
        start, end = seconds_to_ms(one.get("from")), seconds_to_ms(one.get("until"))
        if (start or end) and not (start and end and end <= start):
            times.append((start, end))
    if not times:
        raise Untold("it is valid in no range of time that is understood: look at it in Algolia")
    if len(times) < len(told):
        draft.lose("a range of time that is not understood")
    return times


def _params(params: Mapping[str, Any], whens: list[FoundWhen], draft: _Draft, names: Names) -> None:
    for key, told in params.items():
        if key == "query":
            draft.meant = _meant(told, whens, draft)
        elif key in _FILTERS:
            try:
                where, lost = (
                    algolia_where(text_of(told), names)
                    if key == "filters"
                    else algolia_lists(told, names, tags=key == "tagFilters")
                )
                draft.filter = merged(draft.filter, where)
                draft.lose(*lost)
            except Untold as why:
                draft.lose(f"{key}: {why}")
        elif key == "optionalFilters":
            for wanted in _optional(told):
                _preferred(wanted, draft, names)
        elif key in ("automaticFacetFilters", "automaticOptionalFacetFilters"):
            draft.lose("filters by what the query names: wares reads brands, colours and the like by itself")
        else:
            draft.lose(f"the parameter {plain(key)}")


def _optional(told: object) -> Iterator[str]:
    for one in told if isinstance(told, list) else [told]:
        yield from texts(one)


def _preferred(wanted: str, draft: _Draft, names: Names) -> None:
    try:
        where, avoided = algolia_choice(wanted, names)
    except Untold as why:
        draft.lose(f"optionalFilters: {why}")
        return
    if avoided:
        draft.bury.append((where, _BURY))
    else:
        draft.boost.append((where, _BOOST))
    if "<score=" in wanted:
        draft.lose(f"scores of optionalFilters: each boosts by {_BOOST:g}")


def _meant(told: object, whens: list[FoundWhen], draft: _Draft) -> str:
    """The words to search for instead: as they are given, or those of the one condition after its edits."""
    if isinstance(told, str):
        return told.strip()
    if not isinstance(told, Mapping):
        return ""
    said = {when.query for when in whens}
    if len(said) != 1 or any(when.contains for when in whens):
        draft.lose("edits of a query that holds further words: give the words that are meant for each whole query")
        return ""
    words = next(iter(said))
    edits = mappings(told.get("edits")) + [{"type": "remove", "delete": word} for word in texts(told.get("remove", []))]
    for edit in edits:
        gone = text_of(edit.get("delete"))
        if gone:
            words = words.replace(gone, text_of(edit.get("insert")) if edit.get("type") == "replace" else "")
    return " ".join(words.split())
