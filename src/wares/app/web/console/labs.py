"""The labs: one question answered and taken apart, in up to two ways side by side. Nobody is said to have seen it."""

import time
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from wares.app.web.wire import page_json
from wares.domain.money import scale_of
from wares.domain.request import Request
from wares.domain.result import Page
from wares.engine.choice import Choice, wanted_filter
from wares.engine.page import present
from wares.engine.stages import Answer
from wares.shop import Shop

_FAR = 1_000  # places of the other side that are looked through for a product
_VALUES = 30  # values of a facet


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LabSide(_Asked):
    """One way to answer: a profile of the settings, for somebody, in a market."""

    surface: str = Field(max_length=100)
    shopper: str | None = Field(None, max_length=200)
    market: str = Field("", max_length=40)
    as_typed: bool = False
    without_rules: bool = False


class LabAsk(_Asked):
    """With a query the search lab, without one that of recommendations."""

    query: str = Field("", max_length=20_000)
    seeds: list[str] = Field([], max_length=200)
    category: str = Field("", max_length=1_000)
    filters: dict[str, Choice] = Field({}, max_length=50)
    k: int = Field(12, ge=1, le=100)
    sides: list[LabSide] = Field(min_length=1, max_length=2)


@dataclass(frozen=True)
class _Looked:
    page: Page
    answer: Answer
    took_ms: float


def lab_json(shop: Shop, asked: LabAsk) -> dict[str, Any]:
    """`sides`, each a page with its explanation, and the place of every shown product in the other one's order."""
    looked = [_look(shop, asked, side) for side in asked.sides]
    orders = [_places(one.answer) for one in looked]
    told = []
    for i, (side, one) in enumerate(zip(asked.sides, looked, strict=True)):
        page = page_json(one.page, shop.settings.market(side.market).currency)
        votes = _votes(one.answer)
        other = orders[1 - i] if len(looked) == 2 else None
        for hit in page["hits"]:
            product = hit["product"]["id"]
            hit["votes"] = votes.get(product, {})
            hit["elsewhere"] = other.get(product) if other is not None else None
        told.append({"surface": side.surface, "sources": list(one.answer.slate.candidates.sources), "page": page})
        page["took_ms"] = one.took_ms
    return {"sides": told, "looked_through": _FAR}


def _look(shop: Shop, asked: LabAsk, side: LabSide) -> _Looked:
    """As the serving process would answer, without a log and without chance."""
    started_s = time.perf_counter()
    engine, settings = shop.engine, shop.settings
    settings.profile(side.surface)
    scale = scale_of(settings.market(side.market).currency)
    request = Request(
        surface=side.surface, now_ms=int(time.time() * 1000), query=asked.query, shopper_id=side.shopper or None,
        seeds=tuple(asked.seeds), filter=wanted_filter(asked.filters, asked.category, scale),
        facets=settings.shop.facets, k=asked.k, as_typed=side.as_typed, explain=True, market=side.market,
        facet_values=_VALUES,
    )  # fmt: skip
    live = engine.live
    history, note = engine.history(request.shopper_id, live)
    actions = engine.rules.actions(request, shop.store.shoppers, () if side.without_rules else None)
    found = engine.answer(request, history, (note,) if note else (), live, actions)
    page = present(found, 0, asked.k, shop.store.catalogue)
    return _Looked(page, found, round((time.perf_counter() - started_s) * 1000, 2))


def _places(found: Answer) -> dict[str, int]:
    """Product -> its place from 1. A group has the place of the product that stands for it."""
    names = found.view.columns.ids
    return {names[row]: place for place, row in enumerate(found.order[:_FAR].tolist(), 1)}


def _votes(found: Answer) -> dict[str, dict[str, float]]:
    """Product -> what each source said of it; sources without an opinion are left out."""
    candidates, names = found.slate.candidates, found.view.columns.ids
    told = {}
    for row, opinions in zip(candidates.rows[:_FAR].tolist(), candidates.by_source[:_FAR].tolist(), strict=True):
        said = zip(candidates.sources, opinions, strict=True)
        told[names[row]] = {source: round(opinion, 6) for source, opinion in said if opinion}
    return told
