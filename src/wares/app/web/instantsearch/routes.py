"""Their routes. Each turns what was sent into `Shop.ask`, and the page into their answer; errors are of their shape."""

import json
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from wares.app.web.access.caller import Caller, caller_of
from wares.app.web.instantsearch.answers import facet_answer, record_json, retrieved, search_answer
from wares.app.web.instantsearch.conditions import wanted
from wares.app.web.instantsearch.insights import record_events
from wares.app.web.instantsearch.names import (
    Attribute,
    Index,
    attribute_of,
    every_attribute,
    find_index,
    is_known,
    numbers_of,
)
from wares.app.web.instantsearch.parameters import Parameters, flat, read_parameters, unknown, written
from wares.app.web.instantsearch.recommendations import recommendations
from wares.app.web.limits import Limits
from wares.app.web.threads import Threads
from wares.domain.result import Page
from wares.errors import InputError, StoreLocked, StoreUnwritable, UnknownName, WaresError
from wares.shop import Shop

MOST_QUERIES = 50  # of one batch
_ALL_VALUES = 100_000  # of a facet, where some are left out after counting
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _TheirErrors(APIRoute):
    """Errors as their clients read them: {"message": ..., "status": ...}."""

    def get_route_handler(self) -> _Handler:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except WaresError as error:
                return refusal(_status_of(error), str(error))
            except RequestValidationError as error:
                return refusal(400, str(error.errors()[0]["msg"]))
            except HTTPException as error:
                return refusal(error.status_code, str(error.detail), error.headers)

        return handled


async def sent(request: Request) -> dict[str, Any]:
    """The body: a JSON object, whatever its content type says, for pages send it as plain text. {} = there is none."""
    body = await request.body()
    if not body.strip():
        return {}
    try:
        read = json.loads(body)
        if b"\\ud" in body.lower():  # half of a character, which no answer could repeat
            json.dumps(read, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError("The body is not valid Unicode.") from None
    except (ValueError, RecursionError):
        raise InputError("The body is no JSON.") from None
    if not isinstance(read, dict):
        raise InputError("The body must be a JSON object.")
    return read


TheCaller = Annotated[Caller, Depends(caller_of)]
Sent = Annotated[dict[str, Any], Depends(sent)]
Name = Annotated[str, InPath(max_length=200, description="<shop>[__<market>][__<sort>]")]


def add_instantsearch(
    app: FastAPI, shops: Mapping[str, Shop], limits: Limits, threads: Threads, beside: Threads
) -> None:
    """The routes that InstantSearch, its clients and their events need, under /1. `threads` are for what takes turns,
    `beside` for all else."""
    asking = _Asking(shops, limits)
    router = APIRouter(prefix="/1", route_class=_TheirErrors, tags=["instantsearch"])

    @router.post("/indexes/*/queries", summary="Several searches at once, as InstantSearch sends them")
    @threads.route
    def queries(caller: TheCaller, body: Sent) -> Response:
        asked = [flat(one) for one in _batch(body)]
        caller = caller.count([_shopper(one) for one in asked])
        return JSONResponse({"results": [asking.answer(one, caller) for one in asked]})

    @router.post("/indexes/*/recommendations", summary="Related products, bought together, trending")
    @threads.route
    def recommended(caller: TheCaller, body: Sent) -> Response:
        indexes = [(one, asking.index(str(one.get("indexName", "")), caller)) for one in _batch(body)]
        caller = caller.count([_shopper(one.get("queryParameters")) for one, _ in indexes])
        return JSONResponse({"results": [recommendations(one, index, caller) for one, index in indexes]})

    @router.post("/indexes/{index}/query", summary="One search")
    @threads.route
    def query(caller: TheCaller, index: Name, body: Sent) -> Response:
        return JSONResponse(asking.answer(flat(body) | {"indexName": index, "type": "default"}, caller))

    @router.post("/indexes/{index}/facets/{facet}/query", summary="Values of a facet that begin with what is typed")
    @threads.route
    def facet_values(caller: TheCaller, index: Name, facet: str, body: Sent) -> Response:
        asked = flat(body) | {"indexName": index, "type": "facet", "facet": facet}
        return JSONResponse(asking.answer(asked, caller))

    @router.get("/indexes/{index}/{object_id:path}", summary="One product")
    @beside.route
    def one_object(
        caller: TheCaller,
        index: Name,
        object_id: Annotated[str, InPath(max_length=500)],
        wanted_names: Annotated[str, Query(alias="attributesToRetrieve", max_length=2000)] = "*",
    ) -> Response:
        found = asking.index(index, caller)
        record = record_json(found.shop.product(object_id, found.market), found.currency)
        return JSONResponse(retrieved(record, [name.strip() for name in wanted_names.split(",")]))

    @router.post("/events", summary="Clicks, views and conversions; durable when answered")
    @threads.route
    def events(caller: TheCaller, body: Sent) -> Response:
        told = body.get("events")
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise InputError('The body must be {"events": [{"eventType": ..., ...}]}.')
        limits.check_records(told)
        return JSONResponse(record_events(told, shops, caller, int(time.time() * 1000)))

    app.include_router(router)


def _batch(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    asked = body.get("requests")
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise InputError('The body must be {"requests": [{"indexName": ..., ...}]}.')
    if len(asked) > MOST_QUERIES:
        raise InputError(f"A batch may have at most {MOST_QUERIES} queries; this one has {len(asked)}.")
    return asked


def _shopper(asked: object) -> str | None:
    """Whom a question of a batch names."""
    named = asked.get("userToken") if isinstance(asked, Mapping) else None
    return str(named) if named else None


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as their clients read it."""
    return JSONResponse({"message": message, "status": status}, status, headers=dict(headers or {}))


def _status_of(error: WaresError) -> int:
    if isinstance(error, UnknownName) and error.what in ("index", "product"):
        return 404
    if isinstance(error, InputError):
        return 400
    return 409 if isinstance(error, StoreLocked) else 507 if isinstance(error, StoreUnwritable) else 500


@dataclass(frozen=True, slots=True)
class _Asking:
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
