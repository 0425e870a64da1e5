"""What routes answer beside pages and products, as their description tells it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ProblemOut(BaseModel):
    """An RFC 9457 problem document; further fields belong to its code."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="the address that says what the code means")
    title: str
    status: int
    code: str = Field(description="stable; programs go by it")
    detail: str = Field(description="for people; may change")


class RefusalOut(BaseModel):
    """An error as InstantSearch's clients read it; what the gate refuses also has the fields of a problem."""

    model_config = ConfigDict(extra="allow")

    message: str
    status: int


class RejectedOut(BaseModel):
    reason: str
    count: int
    line: int = Field(description="of an example, from 1 in what was sent")
    field: str
    value: str
    fix: str


class PutOut(BaseModel):
    kept: int
    rejected: list[RejectedOut]
    repaired: dict[str, int] = Field(description="how often each rule put something right that was kept")
    notes: list[str]


class EventsOut(BaseModel):
    new: int
    repeated: int
    rejected: list[RejectedOut]
    repaired: dict[str, int]
    notes: list[str]


class LineOut(BaseModel):
    """One line of NDJSON. Why it cannot be used, or one of its items, is told by the four last fields together."""

    line: int = Field(ge=1, description="from 1 in what was sent; empty lines count and have no result")
    status: Literal["kept", "repeated", "refused"]
    reason: str | None = None
    field: str | None = None
    value: str | None = None
    fix: str | None = None


class LinesOut(BaseModel):
    results: list[LineOut]


class RefusedLogin(BaseModel):
    line: int
    reason: str


class LoginsOut(BaseModel):
    new: int
    repeated: int
    apart: int
    refused: list[RefusedLogin]
    note: str


class ErasedOut(BaseModel):
    erased: int = Field(description="events")


class SimulatedErasedOut(BaseModel):
    events: int
    impressions: int


class CategoryOut(BaseModel):
    value: str
    count: int
    children: list[dict[str, Any]]


class ShopOut(BaseModel):
    name: str
    title: str
    about: str
    currency: str
    language: str
    products: int
    hits: int
    events: int
    simulated_events: int
    facets: list[str]
    categories: list[CategoryOut]
    shoppers: list[str]
    snapshot: str


class MeaningOut(BaseModel):
    code: str
    statuses: list[int]
    when: str
    remedy: str


class TheirResults(BaseModel):
    model_config = ConfigDict(extra="allow")

    results: list[dict[str, Any]]


class TheirAnswer(BaseModel):
    model_config = ConfigDict(extra="allow")

    hits: list[dict[str, Any]]
    nbHits: int


class TheirFacets(BaseModel):
    model_config = ConfigDict(extra="allow")

    facetHits: list[dict[str, Any]]


class TheirEvents(BaseModel):
    status: int
    message: str
    new: int
    rejected: list[dict[str, Any]]


class TheirBatch(BaseModel):
    model_config = ConfigDict(extra="allow")

    requests: list[dict[str, Any]] = Field(max_length=50)


class TheirEventsSent(BaseModel):
    model_config = ConfigDict(extra="allow")

    events: list[dict[str, Any]]
