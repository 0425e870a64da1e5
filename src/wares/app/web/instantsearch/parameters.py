"""What a search of theirs may say. What wares has no place for is ignored, and named in `IGNORED`."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from wares.errors import InputError

MAX_HITS = 1000
MOST_VALUES = 1000
NOT_PARAMETERS = frozenset(("indexName", "params", "type", "facet", "strategy"))
# Of their search parameters; wares has another way to each of these, or none (docs/reference/instantsearch.md).
IGNORED = frozenset((
    *("advancedSyntax", "advancedSyntaxFeatures", "allowTyposOnNumericTokens", "alternativesAsExact", "analytics"),
    *("analyticsTags", "aroundLatLng", "aroundLatLngViaIP", "aroundPrecision", "aroundRadius"),
    *("attributeCriteriaComputedByMinProximity", "customRanking", "decompoundQuery", "disableExactOnAttributes"),
    *("disableTypoToleranceOnAttributes", "distinct", "enableABTest", "enableReRanking", "enableRules"),
    *("exactOnSingleWordQuery", "facetingAfterDistinct", "getRankingInfo", "ignorePlurals", "insideBoundingBox"),
    *("insidePolygon", "keepDiacriticsOnCharacters", "minProximity", "minWordSizefor1Typo", "minWordSizefor2Typos"),
    *("minimumAroundRadius", "mode", "naturalLanguages", "optionalFilters", "optionalWords"),
    *("percentileComputation", "personalizationImpact", "queryLanguages", "queryType", "ranking"),
    *("reRankingApplyFilter", "relevancyStrictness", "removeStopWords", "removeWordsIfNoResults"),
    *("replaceSynonymsInHighlight", "responseFields", "restrictHighlightAndSnippetArrays"),
    *("restrictSearchableAttributes", "semanticSearch", "similarQuery", "sortFacetValuesBy", "sumOrFiltersScores"),
    "synonyms",
))  # fmt: skip


def _from_text(value: Any) -> Any:
    """In a URL-encoded string a list is JSON, or its entries with commas between."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("is no JSON list") from None
    return [part.strip() for part in text.split(",") if part.strip()]


def _filters_from_text(value: Any) -> Any:
    """As a list; one condition alone may hold commas."""
    return [value] if isinstance(value, str) and not value.strip().startswith("[") else _from_text(value)


Names = Annotated[tuple[str, ...], BeforeValidator(_from_text), Field(max_length=200)]
Groups = tuple[str | tuple[str, ...], ...]  # all must hold; of a group within, one
Conditions = Annotated[Groups, BeforeValidator(_filters_from_text)]
Tags = Annotated[Groups, BeforeValidator(_from_text)]


class Parameters(BaseModel):
    """Those that wares follows, by their own names."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True)

    query: Annotated[str, Field(max_length=20_000)] = ""
    page: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    hitsPerPage: Annotated[int, Field(ge=0, le=MAX_HITS)] = 20
    offset: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    length: Annotated[int, Field(ge=0, le=MAX_HITS)] | None = None
    facets: Names = ()
    maxValuesPerFacet: Annotated[int, Field(ge=1, le=MOST_VALUES)] = 100
    facetFilters: Conditions = ()
    numericFilters: Conditions = ()
    tagFilters: Tags = ()
    filters: str = ""
    attributesToRetrieve: Names = ("*",)
    attributesToHighlight: Names | None = None
    attributesToSnippet: Names = ()
    highlightPreTag: Annotated[str, Field(max_length=200)] = "<em>"
    highlightPostTag: Annotated[str, Field(max_length=200)] = "</em>"
    snippetEllipsisText: Annotated[str, Field(max_length=20)] = "…"
    typoTolerance: bool | str = True
    clickAnalytics: bool = False
    userToken: Annotated[str, Field(max_length=200)] = ""
    enablePersonalization: bool = True
    ruleContexts: Names = ()
    facetQuery: Annotated[str, Field(max_length=1000)] = ""
    maxFacetHits: Annotated[int, Field(ge=1, le=100)] = 10

    @property
    def first(self) -> int:
        """Hits to leave out."""
        return self.page * self.hitsPerPage if self.offset is None else self.offset

    @property
    def wanted(self) -> int:
        """Hits to give: `length` goes with `offset`."""
        return self.hitsPerPage if self.offset is None or self.length is None else self.length

    @property
    def as_typed(self) -> bool:
        return str(self.typoTolerance).lower() == "false"


def read_parameters(asked: Mapping[str, Any]) -> Parameters:
    """Of one request, whose `params` may be a URL-encoded string. Raises InputError that names the parameter."""
    try:
        return Parameters.model_validate({name: value for name, value in asked.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        raise InputError(f"{name}: {first['msg']} (received {str(first['input'])[:80]!r}).") from None


def flat(request: Mapping[str, Any]) -> dict[str, Any]:
    """One request with the entries of its `params` beside the others. Raises InputError."""
    params = request.get("params")
    if isinstance(params, str):
        try:
            params = dict(parse_qsl(params, keep_blank_values=True, max_num_fields=200))
        except ValueError:
            raise InputError("params: has more than 200 parameters.") from None
    elif params is not None and not isinstance(params, Mapping):
        raise InputError("params: must be a URL-encoded string or an object.")
    return {str(name): value for name, value in {**request, **(params or {})}.items() if name != "params"}


def written(asked: Mapping[str, Any]) -> str:
    """The parameters as one URL-encoded string, as answers repeat them."""
    told = {name: value for name, value in asked.items() if name not in NOT_PARAMETERS and value is not None}
    return urlencode({name: one if isinstance(one, str) else json.dumps(one) for name, one in told.items()})


def unknown(asked: Mapping[str, Any]) -> list[str]:
    """Parameters that are neither followed nor known to be ignored: mostly misspelt ones."""
    known = {*Parameters.model_fields, *IGNORED, *NOT_PARAMETERS, "facetName"}
    return sorted(str(name)[:80] for name in asked if name not in known)
