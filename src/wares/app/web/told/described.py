"""The service's own description (OpenAPI 3.1): what each route reads, answers and refuses, and which key it needs."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from wares.app.web.access.scopes import NEEDS, OPEN
from wares.app.web.sent.idempotency import HEADER
from wares.app.web.sent.idempotency import ROUTES as KEYED
from wares.app.web.sent.ndjson import MEDIA_TYPE
from wares.app.web.told import receipts
from wares.app.web.told.problems import MEDIA_TYPE as PROBLEM
from wares.app.web.wire import EventsSent

_OF_SHOP = "/v1/shops/{shop}"
_REF = "#/components/schemas/{model}"
_JSON = "application/json"
# What a route answers when all is well; None = 204 without a body. Others are described where they stand.
ANSWERS: Mapping[str, type[BaseModel] | None] = {
    "POST /v1/events": receipts.EventsOut,
    "POST /v1/identify": receipts.LoginsOut,
    "DELETE /v1/identify/{anonymous}": None,
    "DELETE /v1/shoppers/{shopper_id}": receipts.ErasedOut,
    "DELETE /v1/simulated": receipts.SimulatedErasedOut,
    "DELETE /v1/products/{product_id}": None,
    "PUT /v1/products": receipts.PutOut,
    "PATCH /v1/products": receipts.PutOut,
    "GET /v1/shop": receipts.ShopOut,
    "GET /v1/errors/{code}": receipts.MeaningOut,
    "POST /1/indexes/*/queries": receipts.TheirResults,
    "POST /1/indexes/*/recommendations": receipts.TheirResults,
    "POST /1/indexes/{index}/query": receipts.TheirAnswer,
    "POST /1/indexes/{index}/facets/{facet}/query": receipts.TheirFacets,
    "POST /1/events": receipts.TheirEvents,
}
_ROW: dict[str, Any] = {"type": "object", "additionalProperties": True}
_ROWS: dict[str, Any] = {"type": "array", "items": _ROW}
_BODIES: Mapping[str, dict[str, Any]] = {
    "POST /v1/events": {"$ref": _REF.format(model="EventsSent")},
    "PUT /v1/products": _ROWS,
    "PATCH /v1/products": _ROWS,
    "POST /1/indexes/*/queries": {"$ref": _REF.format(model="TheirBatch")},
    "POST /1/indexes/*/recommendations": {"$ref": _REF.format(model="TheirBatch")},
    "POST /1/indexes/{index}/query": _ROW,
    "POST /1/indexes/{index}/facets/{facet}/query": _ROW,
    "POST /1/events": {"$ref": _REF.format(model="TheirEventsSent")},
}
_MEDIA = {"GET /wares.js": "text/javascript"}  # of what is no JSON
_BULK = ("POST /v1/events", "PUT /v1/products", "PATCH /v1/products")
_TAGGED = ("GET /v1/shop", "GET /v1/suggest", "GET /v1/products/{product_id}")
_MODELS: tuple[type[BaseModel], ...] = (
    *(kind for kind in ANSWERS.values() if kind is not None),
    *(receipts.ProblemOut, receipts.RefusalOut, receipts.LinesOut, receipts.LineOut, EventsSent),
    *(receipts.TheirBatch, receipts.TheirEventsSent),
)
_SCOPES = {name.replace(":path}", "}"): need.scope for name, need in NEEDS.items()}
_KEYED = {name.replace(":path}", "}") for name in KEYED}
_CART = {"kind": "cart", "time": "2026-01-02T10:00:00Z", "shopper_id": "anna", "product_id": "honey"}
_TEA = {"id": "tea", "title": "Green tea", "brand": "Apex", "category": "Food > Drinks", "price": 3.5, "stock": 12}
_EXAMPLES: Mapping[str, Any] = {
    "POST /v1/search": {"query": "milk", "filters": {"brand": ["Acme"], "price": {"high": 2}}, "facets": ["category"]},
    "POST /v1/browse": {"category": "Food > Bread", "sort": "-price"},
    "POST /v1/recommend": {"shopper": "anna", "surface": "home"},
    "POST /v1/similar": {"product": "tea"},
    "POST /v1/events": {"events": [_CART]},
    "POST /v1/identify": {"logins": [{"anonymous": "cookie-7", "known": "anna", "consent": True}]},
    "PUT /v1/products": [_TEA],
    "PATCH /v1/products": [{"id": "tea", "price": 3.2}],
    "POST /1/indexes/*/queries": {"requests": [{"indexName": "default", "query": "milk"}]},
    "POST /1/indexes/{index}/query": {"query": "milk", "hitsPerPage": 10},
}
_REFUSALS = {
    304: "What the client has is still so",
    400: "The request is not what the route takes",
    401: "A key is needed, or is not valid",
    403: "This key may not do this",
    404: "There is no such shop, product or name",
    409: "Another process writes, or the same request runs",
    410: "The cursor has expired",
    413: "Too much at once",
    415: "The body is of a kind that is not read here",
    421: "A server without keys was asked under a foreign name",
    422: "The request cannot be read, or asks for what cannot be",
    429: "Too many requests; `Retry-After` says how many seconds to wait",
    500: "A fault in wares",
    503: "Too many ask at the moment",
    507: "The disk is full",
}


def describe(app: FastAPI) -> None:
    """Let the app describe itself so. The description is made when it is first asked for."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    told = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    told["openapi"] = "3.1.0"
    schemas = told.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # of the framework: refusals here are problems
        schemas.pop(name, None)
    _, ours = models_json_schema([(kind, "validation") for kind in dict.fromkeys(_MODELS)], ref_template=_REF)
    schemas |= ours.get("$defs", {})
    told["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "A key of the shop, or a shopper's token"},
        "algolia": {"type": "apiKey", "in": "header", "name": "x-algolia-api-key", "description": "The same, here"},
    }
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path.replace(_OF_SHOP, '/v1')}"
            _complete(operation, name, path)
            if name in _SCOPES and _SCOPES[name] != OPEN:
                operation["description"] = f"Needs the scope `{_SCOPES[name]}`, where the shop has keys."
                operation["security"] = [{"bearer": []}, {"algolia": []}, {}]  # {}: without keys, on this machine
    return told


def _complete(operation: dict[str, Any], name: str, path: str) -> None:
    """Add what the framework cannot see: bodies that the routes read themselves, and every refusal."""
    responses = operation["responses"]
    responses.pop("422", None)  # of the framework
    if name in ANSWERS:
        del responses["200"]
        responses |= _success(name)
    if name in _BODIES:
        content: dict[str, Any] = {_JSON: {"schema": _BODIES[name]}}
        if name in _BULK:
            content[MEDIA_TYPE] = {"schema": {"type": "string", "description": "one JSON object on each line"}}
        operation["requestBody"] = {"required": name.startswith(_BULK), "content": content}
    if name in _EXAMPLES:
        operation["requestBody"]["content"][_JSON]["example"] = _EXAMPLES[name]
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["name"] == "shop":
            parameter["example"] = "default"
    if name in _KEYED:
        schema = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$"}
        about = "sent again with the same key, the request is done once and gets the first answer; for 24 hours"
        parameters.append({"name": HEADER, "in": "header", "required": False, "schema": schema, "description": about})
    if name in _MEDIA:
        responses["200"]["content"] = {_MEDIA[name]: {"schema": {"type": "string"}}}
    for answer in responses.values():  # of routes that describe a refusal of their own, as readiness does
        if answer.get("content") is None and answer["description"] != "Done":
            answer["content"] = {_JSON: {"schema": _ROW}}
    for status in _refused(name, path, operation):
        if str(status) in responses:  # described where it stands
            continue
        responses[str(status)] = {"description": _REFUSALS[status]}
        if status != 304:
            schema = {"$ref": _REF.format(model="RefusalOut" if path.startswith("/1/") else "ProblemOut")}
            media = {_JSON: {"schema": schema}, PROBLEM: {"schema": schema}} if path.startswith("/1/") else None
            responses[str(status)]["content"] = media or {PROBLEM: {"schema": schema}}


def _success(name: str) -> dict[str, Any]:
    answer = ANSWERS[name]
    if answer is None:
        return {"204": {"description": "Done"}}
    content: dict[str, Any] = {_JSON: {"schema": {"$ref": _REF.format(model=answer.__name__)}}}
    if name in _BULK:
        lines = {"$ref": _REF.format(model="LinesOut")}
        content[_JSON]["schema"] = {"anyOf": [content[_JSON]["schema"], lines]}
        content[MEDIA_TYPE] = {"schema": {"type": "string", "description": "one `LineOut` on each line"}}
    return {"200": {"description": "Done", "content": content}}


def _refused(name: str, path: str, operation: Mapping[str, Any]) -> list[int]:
    """Statuses that the route may refuse with."""
    of_theirs = path.startswith("/1/")
    found = {421, 500, 503}
    if _SCOPES.get(name) != OPEN:
        found |= {401, 403, 429}
    if operation.get("parameters"):
        found |= {404} | ({400} if of_theirs else {422})
    if "requestBody" in operation:
        found |= {413, 415, 422, 404, 410} | ({400} if of_theirs else set())
    if name in _KEYED or name.startswith(("DELETE", "PUT", "PATCH")) or name.endswith("/events"):
        found |= {409, 413, 415, 422, 507}
    if name in _TAGGED:
        found.add(304)
    return sorted(found)
