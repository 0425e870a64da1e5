"""Their recommendation models -> the profiles of the shop that answer the same question."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wares.app.web.access.caller import Caller
from wares.app.web.instantsearch.answers import hit_json
from wares.app.web.instantsearch.conditions import wanted
from wares.app.web.instantsearch.names import Index
from wares.app.web.instantsearch.parameters import read_parameters
from wares.domain.result import Page
from wares.errors import InputError

SURFACES: Mapping[str, str] = {
    "related-products": "similar",
    "looking-similar": "similar",
    "bought-together": "bought_together",
    "trending-items": "home",
}


class Asked(BaseModel):
    """One question. `queryParameters` are those of a search; `threshold` and fallbacks have no meaning here."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    model: Literal["related-products", "looking-similar", "bought-together", "trending-items"]
    objectID: Annotated[str, Field(max_length=500)] = ""
    maxRecommendations: Annotated[int, Field(ge=1, le=100)] = 30
    facetName: str = ""
    facetValue: str = ""
    queryParameters: dict[str, Any] = {}


def recommendations(asked: Mapping[str, Any], index: Index, caller: Caller) -> dict[str, Any]:
    """The answer to one question; of a product that the shop does not sell there is none."""
    try:
        one = Asked.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{first['loc'][0]}: {first['msg']} (received {str(first['input'])[:80]!r}).") from None
    more = dict(one.queryParameters)
    if one.facetName:
        more["facetFilters"] = [*_listed(more.get("facetFilters")), f"{one.facetName}:{one.facetValue}"]
    parameters = read_parameters({"clickAnalytics": True, **more})
    surface, seeds = SURFACES[one.model], [one.objectID] if one.objectID else []
    if one.model != "trending-items" and not (seeds and index.shop.knows(one.objectID)):
        return _told([], Page((), 0), keep=False)
    shopper, market = caller.ask(surface, parameters.userToken or None, index.market)
    page = index.shop.ask(
        surface,
        seeds=seeds,
        shopper=shopper if parameters.enablePersonalization else None,
        filters=wanted(parameters, index.columns),
        k=one.maxRecommendations,
        market=market,
        organic=True,  # such front ends would not mark a sponsored hit
    )
    hits = [hit_json(hit, parameters, index, "") | {"_score": round(hit.score, 6)} for hit in page.hits]
    return _told(hits, page, keep=parameters.clickAnalytics)


def _told(hits: list[dict[str, Any]], page: Page, *, keep: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"hits": hits, "processingTimeMS": math.ceil(page.took_ms), "renderingContent": {}}
    return told | ({"queryID": page.impression_id} if keep and page.impression_id else {})


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list) else [given] if given else []
