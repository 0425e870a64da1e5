"""The routes that are asked most, without the framework's way there, which costs more than many an answer itself.

They are declared to the framework as all others are, and it describes them. Here go only requests that are read without
a question left; whatever is unusual about one, it goes on to the framework, which answers it or says what is wrong.
"""

import json
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from wares.app.web.access.caller import IN_SCOPE
from wares.app.web.access.scopes import ROUTE_IN_SCOPE, shop_in
from wares.app.web.limits import Limits
from wares.app.web.sent.bodies import again, read_whole
from wares.app.web.sent.bulk import Sent
from wares.app.web.sent.idempotency import begun_ms
from wares.app.web.told.problems import explained
from wares.errors import WaresError
from wares.shop import Shop

Arguments = dict[str, Any]
Read = Callable[
    [Request, bytes], Arguments | None
]  # a route's arguments beside the shop; None = the framework's matter
_Endpoint = Callable[..., Coroutine[Any, Any, Response]]
_MOST_SUGGESTIONS = 100
_FEW = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


class Direct:
    """The routes by their names in the table of scopes."""

    def __init__(self) -> None:
        self._routes: dict[str, tuple[Read, _Endpoint]] = {}

    def route(self, name: str, read: Read) -> Callable[[_Endpoint], _Endpoint]:
        """Let this route be answered directly, where `read` can tell its arguments beside the shop."""

        def declared(endpoint: _Endpoint) -> _Endpoint:
            self._routes[name] = read, endpoint
            return endpoint

        return declared

    def find(self, name: str) -> tuple[Read, _Endpoint] | None:
        return self._routes.get(name)


class DirectWay:
    """ASGI middleware, the innermost: behind the gate, and before the framework's router."""

    def __init__(self, app: ASGIApp, direct: Direct, shops: Mapping[str, Shop], default: str) -> None:
        self._app, self._direct, self._shops, self._default = app, direct, shops, default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._direct.find(scope.get(ROUTE_IN_SCOPE, ""))
        shop = self._shops.get(shop_in(scope["path"]) or self._default) if found else None
        if found is None or shop is None:
            await self._app(scope, receive, send)
            return
        read, endpoint = found
        request, body, later = Request(scope), b"", receive
        if scope["method"] != "GET":  # whose body nobody asks for, and which may never come
            body = await read_whole(receive)
            later = again(body)
        arguments = None if _names_a_shop(scope["query_string"]) else read(request, body)
        if arguments is None:
            await self._app(scope, later, send)
            return
        try:
            answer = await endpoint(shop=shop, **arguments)
        except (WaresError, HTTPException) as error:
            answer = explained(error)
        await answer(scope, receive, send)


def question(kind: type[BaseModel]) -> Read:
    """Reads a JSON body of this kind as `asked`."""

    def read(request: Request, body: bytes) -> Arguments | None:
        if not _says_json(request):
            return None
        try:
            return {"caller": request.scope[IN_SCOPE], "asked": kind.model_validate(json.loads(body))}
        except (ValueError, RecursionError):
            return None

    return read


def records(kind: type[BaseModel], limits: Limits) -> Read:
    """Reads a JSON body of this kind as `sent`; one that may be too long is the framework's matter."""
    adapter = TypeAdapter(kind)

    def read(request: Request, body: bytes) -> Arguments | None:
        if not _says_json(request) or len(body) > limits.record_bytes:
            return None
        try:
            told = adapter.validate_python(json.loads(body))
        except (ValueError, RecursionError):
            return None
        sent = Sent(limits, begun_ms(request) or int(time.time() * 1000), len(body), read=told)
        return {"caller": request.scope[IN_SCOPE], "sent": sent}

    return read


def typed(request: Request, body: bytes) -> Arguments | None:
    """Reads `q` and `k` of a question for suggestions."""
    if any(name == b"content-type" for name, _ in request.scope["headers"]):
        return None
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    k = given.get("k", "8")
    if len(given) < len(pairs) or not given.keys() <= {"q", "k"} or not _FEW.fullmatch(k):
        return None
    if int(k) > _MOST_SUGGESTIONS or len(given.get("q", "")) > 1000:
        return None
    return {"request": request, "q": given.get("q", ""), "k": int(k)}


def _names_a_shop(query: bytes) -> bool:
    """The framework reads the shop's name there where the path has none."""
    return bool(query) and any(name == "shop" for name, _ in parse_qsl(query.decode("latin-1"), True))


def _says_json(request: Request) -> bool:
    said = [value for name, value in request.scope["headers"] if name == b"content-type"]
    return len(said) == 1 and said[0].partition(b";")[0].strip().lower() == b"application/json"
