"""One question as InstantSearch sends it: read, asked of the shop, and answered in its shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wares.app.web.access.caller import Caller
from wares.app.web.instantsearch.answers import facet_answer, search_answer
from wares.app.web.instantsearch.conditions import wanted
from wares.app.web.instantsearch.names import (
    Attribute,
    Index,
    attribute_of,
    every_attribute,
    find_index,
    is_known,
    numbers_of,
)
from wares.app.web.instantsearch.parameters import Parameters, read_parameters, unknown, written
from wares.app.web.instantsearch.recommendations import recommendations
from wares.app.web.limits import Limits
from wares.domain.result import Page
from wares.errors import InputError
from wares.shop import Shop

_ALL_VALUES = 100_000  # of a facet, where some are left out after counting


@dataclass(frozen=True, slots=True)
class Asking:
    """Answers one search, or one search for values of a facet."""

    shops: Mapping[str, Shop]
    limits: Limits

    def index(self, name: str, caller: Caller) -> Index:
        """With the market that the caller may ask in."""
        index = find_index(name, self.shops)
        return replace(index, market=caller.in_market(index.market))

    def answer(self, asked: dict[str, Any], caller: Caller) -> dict[str, Any]:
        index = self.index(str(asked.get("indexName", "")), caller)
        parameters = read_parameters(asked)
        self.limits.check_query(parameters.query)
        if asked.get("type") == "facet":
            attribute = attribute_of(str(asked.get("facet") or asked.get("facetName") or ""))
            if attribute.field not in index.columns.labels:
                raise InputError(
                    f"No product has the attribute {attribute.name[:80]!r}, or it has no texts to search in."
                )
            page = _ask(parameters, index, caller, [attribute.field], k=0, values=_ALL_VALUES)
            return facet_answer(page, attribute, parameters)
        facets, notes = _facets(parameters, index)
        if strange := unknown(asked):
            notes.append(f"Not known, and ignored: {', '.join(strange[:10])}.")
        cut_later = any(one.level is not None or numbers_of(one.field, index.columns) for one in facets)
        values = _ALL_VALUES if cut_later else parameters.maxValuesPerFacet
        fields = [one.field for one in facets]
        page = _ask(parameters, index, caller, fields, k=parameters.wanted, values=values)
        return search_answer(page, parameters, index, facets, written(asked), notes)

    def recommend(self, asked: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """The answer to one question for recommendations."""
        return recommendations(asked, self.index(str(asked.get("indexName", "")), caller), caller)


def _facets(asked: Parameters, index: Index) -> tuple[list[Attribute], list[str]]:
    """What is to be counted, and a sentence on each attribute that no product has."""
    names = every_attribute(index.columns) if "*" in asked.facets else asked.facets
    attributes = [attribute_of(name) for name in dict.fromkeys(names)]
    facets = [one for one in attributes if one.field != "id" and is_known(one, index.columns)]
    missing = [one.name for one in attributes if one not in facets]
    return facets, [f"No product has the attribute {name[:80]!r} to count." for name in missing[:5]]


def _ask(asked: Parameters, index: Index, caller: Caller, facets: Sequence[str], *, k: int, values: int) -> Page:
    """Words go to the profile `search`, none to `browse`, unless a rule context names another profile."""
    profiles = index.shop.settings.profiles
    named = next((name for name in asked.ruleContexts if name in profiles), "")
    surface = named or ("search" if asked.query.strip() else "browse")
    shopper, market = caller.ask(surface, asked.userToken or None, index.market)
    return index.shop.ask(
        surface,
        query=asked.query,
        shopper=shopper if asked.enablePersonalization else None,
        filters=wanted(asked, index.columns),
        facets=list(dict.fromkeys(facets)),
        facet_values=values,
        sort=index.sort.value,
        k=k,
        offset=asked.first if k else 0,
        as_typed=asked.as_typed,
        market=market,
        organic=True,  # such front ends would not mark a sponsored hit
    )
