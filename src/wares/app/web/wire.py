"""The JSON that wares speaks: what may be asked, and how an answer is written down. Prices are whole currency units."""

import math
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from wares.domain.filter import Between, Single
from wares.domain.money import scale_of
from wares.domain.product import Product
from wares.domain.result import Explanation, Facet, Hit, Page
from wares.domain.suggestion import Suggestion
from wares.domain.wish import Wish, WishKind
from wares.engine.choice import Choice
from wares.features.interests import ShopperSummary, Tag

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
    market: str = Field("", max_length=40, description="one of the settings' markets; none = the shop's own")
    simulated: bool = Field(False, description="the shopper is played; needs the scope catalogue or admin")
    organic: bool = Field(False, description="without sponsored hits")


class SearchAsk(Ask):
    query: str = Field("", max_length=20_000)
    surface: str = "search"
    as_typed: bool = Field(False, description="do not correct the query")
    without_wishes: list[str] = Field([], max_length=100, description="keys of wishes that are not to be read in it")


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


class LoginSent(_Asked):
    anonymous: str = Field(max_length=500, description="the id that the shopper had before")
    known: str = Field(max_length=500, description="the id of the shopper who logged in")
    consent: bool = Field(False, description="they agree that what they did before becomes part of their history")


class LoginsSent(_Asked):
    logins: list[LoginSent] = Field(max_length=10_000)


class ProductOut(BaseModel):
    id: str
    title: str
    description: str
    brand: str
    category: list[str]
    price: float | None
    regular_price: float | None
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


class SponsoredOut(BaseModel):
    campaign: str
    label: str


class HitOut(BaseModel):
    product: ProductOut
    score: float
    priority: float
    reasons: list[ReasonOut]
    adjustments: list[AdjustmentOut]
    variants: list[str]
    highlights: dict[str, str]
    team: str
    sponsored: SponsoredOut | None


class FacetValueOut(BaseModel):
    value: str
    count: int
    chosen: bool


class FacetOut(BaseModel):
    field: str
    values: list[FacetValueOut]
    low: float | None
    high: float | None


class WishOut(BaseModel):
    key: str
    kind: WishKind
    said: str
    strict: bool
    field: str
    values: list[str]
    low: float | None
    high: float | None
    excluded: list[str]


class BannerOut(BaseModel):
    text: str
    url: str
    image_url: str


class PageOut(BaseModel):
    hits: list[HitOut]
    total: int
    facets: list[FacetOut]
    cursor: str
    notes: list[str]
    correction: str
    wishes: list[WishOut]
    banners: list[BannerOut]
    redirect: str
    snapshot: str
    impression_id: str
    experiment: str
    variant: str
    took_ms: float


class SuggestionOut(BaseModel):
    text: str
    kind: Literal["query", "category", "brand", "product"]
    about: str
    weight: float


class SuggestionsOut(BaseModel):
    suggestions: list[SuggestionOut]


class TagOut(BaseModel):
    value: str
    share: float
    lift: float
    last_ms: int


class InterestsOut(BaseModel):
    known: bool
    events: int
    departments: list[TagOut]
    categories: list[TagOut]
    brands: list[TagOut]
    prices: list[TagOut]


def page_json(page: Page, currency: str) -> dict[str, Any]:
    """A page as `PageOut` describes it, to be written as JSON; one that was explained with `explanation`, and so has
    each hit."""
    explained = page.explanation
    written = {
        "hits": [_hit_json(hit, currency, explained is not None) for hit in page.hits],
        "total": page.total,
        "facets": [_facet_json(facet, currency) for facet in page.facets],
        "cursor": page.cursor,
        "notes": list(page.notes),
        "correction": page.correction,
        "wishes": [_wish_json(wish, currency) for wish in page.wishes],
        "banners": [{"text": one.text, "url": one.url, "image_url": one.image_url} for one in page.banners],
        "redirect": page.redirect,
        "snapshot": page.snapshot,
        "impression_id": page.impression_id,
        "experiment": page.experiment,
        "variant": page.variant,
        "took_ms": page.took_ms,
    }
    return written | ({"explanation": _explanation_json(explained)} if explained else {})


def product_json(product: Product, currency: str) -> dict[str, Any]:
    """A product, as it is seen at a moment in a market, as `ProductOut` describes it."""
    currency = product.currency or currency
    return {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "category": product.category,
        "price": _major(product.price_minor, currency),
        "regular_price": _major(product.regular_price_minor, currency),
        "currency": currency,
        "stock": product.stock,
        "available": product.available,
        "group_id": product.group_id,
        "image_url": product.image_url,
        "url": product.url,
        "attributes": product.attributes,
    }


def suggestions_json(suggestions: Iterable[Suggestion]) -> dict[str, Any]:
    """Suggestions as `SuggestionsOut` describes them."""
    return {
        "suggestions": [
            {"text": one.text, "kind": one.kind.value, "about": one.about, "weight": round(one.weight, 6)}
            for one in suggestions
        ]
    }


def interests_json(summary: ShopperSummary) -> dict[str, Any]:
    """A shopper's interests as `InterestsOut` describes them."""
    interests = summary.interests
    return {
        "known": summary.known,
        "events": summary.events,
        "departments": _tags_json(interests.departments),
        "categories": _tags_json(interests.categories),
        "brands": _tags_json(interests.brands),
        "prices": _tags_json(interests.prices),
    }


def _tags_json(tags: Iterable[Tag]) -> list[dict[str, Any]]:
    return [
        {"value": tag.value, "share": round(tag.share, 6), "lift": round(tag.lift, 6), "last_ms": tag.last_ms}
        for tag in tags
    ]


def _hit_json(hit: Hit, currency: str, explained: bool) -> dict[str, Any]:
    written: dict[str, Any] = {
        "product": product_json(hit.product, currency),
        "score": round(hit.score, 6),
        "priority": round(hit.priority, 6),
        "reasons": [
            {"code": r.code, "about": r.about, "shown": r.shown, "weight": round(r.weight, 6)} for r in hit.reasons
        ],
        "adjustments": [{"policy": a.policy, "amount": round(a.amount, 6), "why": a.why} for a in hit.adjustments],
        "variants": hit.variants,
        "highlights": hit.highlights,
        "team": hit.team,
        "sponsored": {"campaign": paid.campaign, "label": paid.label} if (paid := hit.sponsored) else None,
    }
    return written | ({"explanation": _parts_json(hit)} if explained else {})


def _facet_json(facet: Facet, currency: str) -> dict[str, Any]:
    low, high = facet.low, facet.high
    if facet.field == "price":
        low, high = _major(low, currency), _major(high, currency)
    values = [{"value": value.value, "count": value.count, "chosen": value.chosen} for value in facet.values]
    return {"field": facet.field, "values": values, "low": low, "high": high}


def _major(minor: float | None, currency: str) -> float | None:
    return None if minor is None else minor / scale_of(currency)


def _wish_json(wish: Wish, currency: str) -> dict[str, Any]:
    """A wish as `WishOut` describes it: what a client needs for a chip in its shopper's language."""
    field, values, low, high = _clause_parts(wish.clause, currency)
    return {
        "key": wish.key,
        "kind": wish.kind.value,
        "said": wish.said,
        "strict": wish.strict,
        "field": field,
        "values": values,
        "low": low,
        "high": high,
        "excluded": list(wish.excluded),
    }


def _clause_parts(clause: Single | None, currency: str) -> tuple[str, list[str], float | None, float | None]:
    """(field, values, low, high); prices in whole currency units."""
    if clause is None:
        return "", [], None, None
    if not isinstance(clause, Between):
        return clause.field, list(clause.values), None, None
    if clause.field == "price":
        return clause.field, [], _major(clause.low, currency), _major(clause.high, currency)
    return clause.field, [], clause.low, clause.high


def _parts_json(hit: Hit) -> dict[str, dict[str, float | None]]:
    """Each feature's value and what it adds to the score, greatest first; "" = what belongs to no feature."""
    names = dict.fromkeys((*hit.parts, *hit.features))
    by_size = sorted(names, key=lambda name: -abs(hit.parts.get(name, 0.0)))
    return {name: {"value": _finite(hit.features.get(name)), "part": _finite(hit.parts.get(name))} for name in by_size}


def _explanation_json(explained: Explanation) -> dict[str, Any]:
    terms = [
        {
            "said": term.said,
            "readings": [{"words": list(r.words), "weight": round(r.weight, 6), "why": r.why} for r in term.readings],
        }
        for term in explained.terms
    ]
    return {
        "ranker": explained.ranker,
        "text": explained.text,
        "terms": terms,
        "excluded": list(explained.excluded),
        "matched": explained.matched,
        "relaxed": explained.relaxed,
        "rules": list(explained.rules),
    }


def _finite(number: float | None) -> float | None:
    """JSON knows no missing number but null."""
    return None if number is None or not math.isfinite(number) else round(number, 6)
