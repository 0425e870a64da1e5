"""`Idempotency-Key`: a request that is sent twice is done once, and gets the first answer again, for 24 hours.

Also after a restart and a kill -9: what is begun is noted before it is done, and its answer before it is sent. What was
begun and never answered is done again as of the moment when it was begun, which changes nothing: an event counts once,
and a product is as it was put.
"""

import re
import time
from collections.abc import Mapping
from threading import Lock

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wares.app.web.access.caller import IN_SCOPE, Caller
from wares.app.web.access.scopes import route_of, shop_in
from wares.app.web.sent.bodies import WholeAnswer, again, read_whole
from wares.app.web.threads import Threads
from wares.app.web.told.problems import told_of
from wares.app.web.told.refusals import Refused
from wares.errors import WaresError
from wares.shop import Shop
from wares.store.given_answers import GivenAnswer, GivenAnswers, sealed

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"  # "true" on an answer that was given before
ROUTES = frozenset((
    *("POST /v1/events", "POST /v1/identify", "PUT /v1/products", "PATCH /v1/products"),
    *("DELETE /v1/identify/{anonymous:path}", "DELETE /v1/shoppers/{shopper_id:path}"),
    "DELETE /v1/products/{product_id:path}",
))  # fmt: skip
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_BEGUN_IN_SCOPE = "wares.begun_ms"


def begun_ms(request: Request) -> int:
    """When this request was first sent, where it carries a key; else 0."""
    return int(request.scope.get(_BEGUN_IN_SCOPE, 0))


class AnswerFiles:
    """The answers that each shop has given, opened when first needed."""

    def __init__(self, shops: Mapping[str, Shop]) -> None:
        self._shops, self._opening = shops, Lock()
        self._open: dict[str, GivenAnswers] = {}

    def of(self, shop: str) -> GivenAnswers:
        """Raises StoreUnwritable, StoreError."""
        with self._opening:
            if shop not in self._open:
                self._open[shop] = GivenAnswers(self._shops[shop].folder)
            return self._open[shop]

    def close(self) -> None:
        with self._opening:
            while self._open:
                self._open.popitem()[1].close()


class Idempotency:
    """ASGI middleware, behind the gate: keys are the caller's own. What is Refused goes on to the gate."""

    def __init__(
        self, app: ASGIApp, shops: Mapping[str, Shop], files: AnswerFiles, threads: Threads, default: str
    ) -> None:
        self._app, self._shops, self._files, self._threads, self._default = app, shops, files, threads, default
        self._running: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = next((value for name, value in scope.get("headers", ()) if name == HEADER.encode()), None)
        if scope["type"] != "http" or key is None or route_of(scope["method"], scope["path"])[0].name not in ROUTES:
            await self._app(scope, receive, send)
            return
        shop_name = shop_in(scope["path"]) or self._default
        shop = self._shops.get(shop_name)
        if shop is None:  # which the route says
            await self._app(scope, receive, send)
            return
        if not _KEY.fullmatch(key.decode("latin-1")):
            detail = "An Idempotency-Key has 1 to 200 letters, digits and signs of ASCII, without spaces. Use a UUID."
            raise Refused(422, "invalid-idempotency-key", detail)
        caller: Caller = scope.get(IN_SCOPE, Caller())
        body = await read_whole(receive)
        hashed = shop.store.keyed_hash
        name = hashed(b"name", caller.key.encode(), caller.shopper.encode("utf-8", "surrogatepass"), key)
        asked = hashed(b"asked", scope["method"].encode(), scope["path"].encode(), scope["query_string"], body)
        if name in self._running:
            detail = "The first request with this Idempotency-Key is not answered yet. Send it again in a moment."
            raise Refused(409, "idempotency-key-in-flight", detail, {"retry-after": "1"})
        self._running.add(name)
        try:
            await self._once(scope, send, body, shop_name, name, asked)
        except WaresError as error:  # the file of answers cannot be read or written
            await told_of(error)(scope, receive, send)
        finally:
            self._running.discard(name)

    async def _once(self, scope: Scope, send: Send, body: bytes, shop: str, name: bytes, asked: bytes) -> None:
        given = await self._threads.run(self._begin, shop, name, asked)
        if given.asked != asked:
            detail = "This Idempotency-Key came with another request before. Use a new key for each new request."
            raise Refused(422, "idempotency-key-reused", detail)
        lock = self._shops[shop].store.keyed_hash(b"seal", name, asked, body)
        if given.status is not None:
            told = Response(sealed(given.body, lock), given.status, {REPLAYED: "true"}, given.media or None)
            await told({"type": "http", "method": scope["method"]}, _nothing, send)
            return
        answer = _Kept()
        await self._app({**scope, _BEGUN_IN_SCOPE: given.begun_ms}, again(body), answer)
        if answer.is_final:
            kept = sealed(answer.body, lock)
            await self._threads.run(self._files.of(shop).finish, name, answer.status, answer.media, kept)
        await answer.send_on(send)

    def _begin(self, shop: str, name: bytes, asked: bytes) -> GivenAnswer:
        return self._files.of(shop).begin(name, asked, int(time.time() * 1000))


class _Kept(WholeAnswer):
    """Holds an answer back until it is kept."""

    @property
    def is_final(self) -> bool:
        """Whether the same request would be answered so again: not where only its moment was bad."""
        return self.status < 500 and self.status not in (409, 429)

    @property
    def media(self) -> str:
        headers = next((one.get("headers", ()) for one in self.messages if one["type"] == "http.response.start"), ())
        return next((value.decode("latin-1") for name, value in headers if name == b"content-type"), "")

    @property
    def body(self) -> bytes:
        return b"".join(one.get("body", b"") for one in self.messages if one["type"] == "http.response.body")


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
