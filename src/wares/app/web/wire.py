"""The JSON that wares speaks: what may be asked, and how an answer is written down. Prices are whole currency units."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from wares.domain.money import scale_of
from wares.domain.product import Product
from wares.domain.result import Facet, Hit, Page
from wares.domain.suggestion import Suggestion
from wares.engine.choice import Choice

SortName = Literal["relevance", "price", "-price", "newest", "best_selling"]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ask(_Asked):
    """What every question may say."""

    shopper: str | None = Field(None, max_length=200, description="who asks; none = everybody's answer")
    filters: dict[str, Choice] = Field(
        {}, max_length=50, description='field -> value, values, {"not": [...]} or {"low": .., "high": ..}'
    )
    facets: list[str] = Field([], max_length=50, description="fields to count over all hits")
    sort: SortName = "relevance"
    k: int = Field(24, ge=1, le=1000, description="hits on one page")
    cursor: str = Field("", max_length=100, description="of an earlier answer, to go on")


class SearchAsk(Ask):
    query: str = Field("", max_length=20_000)
    surface: str = "search"


class BrowseAsk(Ask):
    category: str | None = Field(None, max_length=1000, description='"Food > Bread"; none = everything')


class RecommendAsk(Ask):
    surface: str = Field("home", description="any profile of the settings: home, cart, ...")
    seeds: list[str] = Field([], max_length=200, description="ids of the products in the cart or on the page")


class SimilarAsk(Ask):
    product: str
    surface: str = Field("similar", description="similar or bought_together")


class EventsSent(_Asked):
    events: list[dict[str, Any]] = Field(max_length=10_000, description="wares' own or GA4's fields")


class ProductOut(BaseModel):
    id: str
    title: str
    description: str
    brand: str
    category: list[str]
    price: float | None
    currency: str
    stock: int | None
    available: bool
    group_id: str
    image_url: str
    url: str
    attributes: dict[str, list[str]]


class ReasonOut(BaseModel):
    code: str
    about: list[str]
    shown: list[str]
    weight: float


class AdjustmentOut(BaseModel):
    policy: str
    amount: float
    why: str


class HitOut(BaseModel):
    product: ProductOut
    score: float
    priority: float
    reasons: list[ReasonOut]
    adjustments: list[AdjustmentOut]
    variants: list[str]
    highlights: dict[str, str]


class FacetValueOut(BaseModel):
    value: str
    count: int
    chosen: bool


class FacetOut(BaseModel):
    field: str
    values: list[FacetValueOut]
    low: float | None
    high: float | None


class PageOut(BaseModel):
    hits: list[HitOut]
    total: int
    facets: list[FacetOut]
    cursor: str
    notes: list[str]
    snapshot: str
    impression_id: str
    took_ms: float


class SuggestionOut(BaseModel):
    text: str
    kind: Literal["query", "category", "brand", "product"]
    about: str
    weight: float


class SuggestionsOut(BaseModel):
    suggestions: list[SuggestionOut]


def page_json(page: Page, currency: str, *, features: bool = False) -> dict[str, Any]:
    """A page as `PageOut` describes it; with `features` also what the ranker saw of each hit."""
    return {
        "hits": [_hit_json(hit, currency, features) for hit in page.hits],
        "total": page.total,
        "facets": [_facet_json(facet, currency) for facet in page.facets],
        "cursor": page.cursor,
        "notes": list(page.notes),
        "snapshot": page.snapshot,
        "impression_id": page.impression_id,
        "took_ms": page.took_ms,
    }


def product_json(product: Product, currency: str) -> dict[str, Any]:
    """A product as `ProductOut` describes it."""
    currency = product.currency or currency
    return {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "category": list(product.category),
        "price": _major(product.price_minor, currency),
        "currency": currency,
        "stock": product.stock,
        "available": product.available,
        "group_id": product.group_id,
        "image_url": product.image_url,
        "url": product.url,
        "attributes": {name: list(values) for name, values in product.attributes.items()},
    }


def suggestions_json(suggestions: Iterable[Suggestion]) -> dict[str, Any]:
    """Suggestions as `SuggestionsOut` describes them."""
    return {
        "suggestions": [
            {"text": one.text, "kind": one.kind.value, "about": one.about, "weight": round(one.weight, 6)}
            for one in suggestions
        ]
    }


def _hit_json(hit: Hit, currency: str, features: bool) -> dict[str, Any]:
    written: dict[str, Any] = {
        "product": product_json(hit.product, currency),
        "score": round(hit.score, 6),
        "priority": round(hit.priority, 6),
        "reasons": [
            {"code": r.code, "about": list(r.about), "shown": list(r.shown), "weight": round(r.weight, 6)}
            for r in hit.reasons
        ],
        "adjustments": [{"policy": a.policy, "amount": round(a.amount, 6), "why": a.why} for a in hit.adjustments],
        "variants": list(hit.variants),
        "highlights": dict(hit.highlights),
    }
    return written | ({"features": _rounded(hit.features)} if features else {})


def _facet_json(facet: Facet, currency: str) -> dict[str, Any]:
    low, high = facet.low, facet.high
    if facet.field == "price":
        low, high = _major(low, currency), _major(high, currency)
    values = [{"value": value.value, "count": value.count, "chosen": value.chosen} for value in facet.values]
    return {"field": facet.field, "values": values, "low": low, "high": high}


def _major(minor: float | None, currency: str) -> float | None:
    return None if minor is None else minor / scale_of(currency)


def _rounded(features: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in features.items()}
