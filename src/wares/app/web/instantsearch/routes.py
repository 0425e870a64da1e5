"""Their routes. Each turns what was sent into `Shop.ask`, and the page into their answer; errors are of their shape."""

import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from wares.app.web.access.caller import Caller, caller_of
from wares.app.web.answering import Answering
from wares.app.web.instantsearch.answers import record_json, retrieved
from wares.app.web.instantsearch.asking import Asking
from wares.app.web.instantsearch.insights import record_events
from wares.app.web.instantsearch.parameters import flat
from wares.app.web.limits import Limits
from wares.app.web.threads import Threads
from wares.errors import InputError, StoreLocked, StoreUnwritable, UnknownName, WaresError
from wares.shop import Shop

MOST_QUERIES = 50  # of one batch
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
    app: FastAPI, shops: Mapping[str, Shop], limits: Limits, answering: Answering, threads: Threads, beside: Threads
) -> None:
    """The routes that InstantSearch, its clients and their events need, under /1. `threads` are for writes, which take
    turns as questions do, `beside` for all else."""
    asking = Asking(shops, limits)
    router = APIRouter(prefix="/1", route_class=_TheirErrors, tags=["instantsearch"])

    async def answered(work: str, asked: list[dict[str, Any]], caller: Caller, *, alone: bool = False) -> Response:
        """Each in its place; a batch that asks several shops is worked out here."""
        names = {asking.index(str(one.get("indexName", "")), caller).shop_name for one in asked}
        told = {"asked": asked, "caller": caller.to_plain(), "alone": alone}
        if len(names) == 1:
            (name,) = names
            return await answering.work(shops[name], work, {**told, "name": name})
        ask = asking.answer if work == "queries" else asking.recommend
        return JSONResponse({"results": await threads.run(lambda: [ask(one, caller) for one in asked])})

    @router.post("/indexes/*/queries", summary="Several searches at once, as InstantSearch sends them")
    async def queries(caller: TheCaller, body: Sent) -> Response:
        asked = [flat(one) for one in _batch(body)]
        return await answered("queries", asked, caller.count([_shopper(one) for one in asked]))

    @router.post("/indexes/*/recommendations", summary="Related products, bought together, trending")
    async def recommended(caller: TheCaller, body: Sent) -> Response:
        asked = _batch(body)
        for one in asked:  # whose shop nobody knows is refused before anything is counted
            asking.index(str(one.get("indexName", "")), caller)
        counted = caller.count([_shopper(one.get("queryParameters")) for one in asked])
        return await answered("recommendations", asked, counted)

    @router.post("/indexes/{index}/query", summary="One search")
    async def query(caller: TheCaller, index: Name, body: Sent) -> Response:
        asked = flat(body) | {"indexName": index, "type": "default"}
        return await answered("queries", [asked], caller.count([_shopper(asked)]), alone=True)

    @router.post("/indexes/{index}/facets/{facet}/query", summary="Values of a facet that begin with what is typed")
    async def facet_values(caller: TheCaller, index: Name, facet: str, body: Sent) -> Response:
        asked = flat(body) | {"indexName": index, "type": "facet", "facet": facet}
        return await answered("queries", [asked], caller.count([_shopper(asked)]), alone=True)

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
