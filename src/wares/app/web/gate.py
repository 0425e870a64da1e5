"""What stands before every request: who asks, what they may do, how much and how often; and safe headers after it."""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wares.app.web.access.caller import IN_SCOPE, Caller, Meters, spend
from wares.app.web.access.key_ring import KeyRing
from wares.app.web.access.origins import cors_headers, foreign_origin, is_preflight
from wares.app.web.access.rates import Buckets
from wares.app.web.access.scopes import OPEN, ROUTE_IN_SCOPE, UNKNOWN, Route, methods_of, route_of
from wares.app.web.limits import Limits
from wares.app.web.load import QUESTIONS, Held, Load
from wares.app.web.sent.bodies import HELD_IN_SCOPE, MOST_IN_SCOPE, ClientLeft, WholeAnswer, again, read_whole
from wares.app.web.told.problems import unforeseen
from wares.app.web.told.refusals import Refused
from wares.app.web.watching.logs import tell_access, tell_fault
from wares.app.web.watching.metrics import Metrics
from wares.app.web.watching.record import HEADER, begin_record

_LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]", "testserver"))
_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CONTENT_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_ENCODED_HEADERS = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
_THEIRS = "/1/"  # the routes that InstantSearch speaks
_EVENTS = "POST /v1/events"  # which pages send as plain text, to spare the browser a question beforehand
_LEFT = 499  # the status in the log where nobody waits for the answer, as other servers have it
_SENT_WITHIN_S = 30.0  # the body of a request that takes turns
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Gate:
    """ASGI middleware. `closed`: requests need a key; it also closes as soon as the shop has any key.

    Open, only this machine may ask, under its local names: other names are refused, so that a web page elsewhere cannot
    reach a server on this machine by a name of its own (DNS rebinding).
    """

    def __init__(
        self,
        app: ASGIApp,
        ring: KeyRing,
        limits: Limits,
        metrics: Metrics,
        load: Load,
        closed: bool = False,
        log: bool = False,
    ) -> None:
        self._app, self._ring, self._limits, self._closed, self._log = app, ring, limits, closed, log
        self._metrics, self._load = metrics, load
        self._per_key, self._per_address = Buckets(limits.per_key), Buckets(limits.per_address)
        self._per_shopper = Buckets(limits.per_shopper)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        record = begin_record(headers.get(HEADER, ""))
        self._metrics.begin()
        route, known = route_of(scope["method"], scope["path"])
        scope[ROUTE_IN_SCOPE] = route.name
        origin, origins = foreign_origin(headers), self._ring.origins()
        preflight = is_preflight(scope["method"], headers)
        answered = _Answered(
            send,
            {HEADER: record.id, **cors_headers(origin, origins, preflight=preflight)},
            ", ".join(methods_of(scope["path"])) if not known or route.name == UNKNOWN else "",
        )
        caller = Caller()
        try:
            if preflight and origin in origins:
                await Response(status_code=204)(scope, receive, answered)
                return
            scope[MOST_IN_SCOPE] = most = self._limits.body_of(is_question=route.name in QUESTIONS)
            _check_length(headers, most)
            scope[IN_SCOPE] = caller = self.caller(scope, headers, route, known)
            if route.name == _EVENTS and headers.get("content-type", "").startswith("text/plain"):
                scope["headers"] = [*_without_type(scope["headers"]), (b"content-type", b"application/json")]
            with self._load.holding(lane := self._load.lane(route.name)) as held:
                scope[HELD_IN_SCOPE], limited = held.reach, _limited(receive, most, held)
                if lane is None:
                    await self._app(scope, limited, answered)
                else:
                    body = await _in_time(limited)  # first, so that a slow sender takes nobody's turn
                    whole = WholeAnswer()  # and sent afterwards, so that a slow reader does not, either
                    lane, answered_well = self._load.lane_for(lane, scope["path"], caller.fills_in, body)
                    async with lane.turn():
                        await self._app(scope, again(body), whole)
                    if whole.status == 200:
                        answered_well()
            if lane is not None:
                await whole.send_on(answered)
        except Refused as refused:
            if scope["path"].startswith(_THEIRS):
                refused.more["message"] = refused.detail  # where their clients look for it
            await refused.answer()(scope, receive, answered)
        except ClientLeft:
            answered.status = answered.status or _LEFT
        except Exception as fault:
            tell_fault(fault)
            self._metrics.failed()
            if answered.status:  # half of an answer is out; only closing tells that it is not whole
                raise ConnectionAbortedError from None
            await unforeseen()(scope, receive, answered)
        finally:
            took_s = time.perf_counter() - started_s
            self._metrics.end(route.name, answered.status, took_s, answered.sent_bytes)
            if self._log:
                tell_access(
                    id=record.id,
                    method=scope["method"] if scope["method"] in _METHODS else "other",
                    route=route.name,
                    status=answered.status,
                    key=caller.key,
                    surface=record.surface,
                    degraded=record.degraded,
                    bytes=answered.sent_bytes,
                    ms=round(took_s * 1000, 1),
                )

    def caller(self, scope: Scope, headers: Mapping[str, str], route: Route, known: bool = True) -> Caller:
        """Which key was given and what it may do: the one decision, for every route. Raises Refused.

        Routes learn of it by `caller_of`, and ask the caller what only they can see: shopper, surface, market.
        """
        origin, need = foreign_origin(headers), route.need
        if not (self._closed or self._ring.has_keys()):
            if origin and scope["method"] not in ("GET", "HEAD"):
                raise Refused(403, "foreign-origin", "Pages of other origins may not write here.")
            host = headers.get("host", "localhost").lower()
            name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
            if name not in _LOCAL_NAMES:
                raise Refused(421, "wrong-host", f"This server answers on this machine only, not as {host[:100]!r}.")
            return Caller()
        if need.scope == OPEN:
            return Caller(scopes=frozenset())
        address = _address(scope)
        try:
            caller = self._ring.caller_of(_given(scope, headers, route))
        except Refused:
            spend(self._per_address, address, "address")
            raise
        in_a_browser = caller.origins or caller.shopper
        meters = Meters(self._per_key, self._per_address, self._per_shopper, address if in_a_browser else "")
        meters.admit(caller)
        if origin and origin not in caller.origins:
            raise Refused(403, "foreign-origin", "Pages of this origin may not use this key.")
        own = caller.shopper and need.of_own is not None and caller.may(need.of_own)
        if not own and not caller.may(need.scope):
            if route.name == UNKNOWN:
                raise _no_route(known)
            has = ", ".join(sorted(caller.scopes)) or "none"
            raise Refused(403, "scope-missing", f"{route.name} needs the scope {need.scope}; this key has {has}.")
        return replace(caller, meters=meters)


def _given(scope: Scope, headers: Mapping[str, str], route: Route) -> str:
    """The key or token as it was sent; "" = none. In the address, where a page can send no header: Algolia's clients
    may write it there, and a browser that leaves a page sends events without any."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip()
    name = "x-algolia-api-key" if scope["path"].startswith(_THEIRS) else "key" if route.name == _EVENTS else ""
    in_address = parse_qs(scope["query_string"].decode("latin-1")) if name else {}
    given = {known.lower(): values[0] for known, values in in_address.items()}  # they write the name in both ways
    return headers.get("x-algolia-api-key", "") or given.get(name, "")


def _without_type(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name != b"content-type"]


def _address(scope: Scope) -> str:
    """Who is counted as one: an address, or of IPv6 the network that one household or server has."""
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return str(host)[:100]
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _no_route(path_is_known: bool) -> Refused:
    if path_is_known:
        return Refused(405, "method-not-allowed", "Method Not Allowed")
    return Refused(404, "not-found", "Not Found")


def _check_length(headers: Mapping[str, str], most: int) -> None:
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 15 or int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> Refused:
    return Refused(413, "too-large", f"The body may have at most {most:,} bytes. Send smaller batches.")


async def _in_time(receive: Receive) -> bytes:
    try:
        async with asyncio.timeout(_SENT_WITHIN_S):
            return await read_whole(receive)
    except TimeoutError:
        detail = f"The body did not come within {_SENT_WITHIN_S:.0f} s. Send smaller batches."
        raise Refused(408, "body-too-slow", detail) from None


def _limited(receive: Receive, most: int, held: Held) -> Callable[[], Awaitable[MutableMapping[str, Any]]]:
    came = 0

    async def limited() -> Message:
        nonlocal came
        message = await receive()
        if size := len(message.get("body", b"")):
            came += size
            if came > most:
                raise _too_large(most)
            held.more(size)
        return message

    return limited


class _Answered:
    """Sends an answer with safe headers and these, and remembers its status and how long its body is. `allow`: the
    methods that the path takes."""

    def __init__(self, send: Send, headers: Mapping[str, str], allow: str) -> None:
        self._allow = [(b"allow", allow.encode())] if allow else []
        self._send, self.status, self.sent_bytes = send, 0, 0
        own = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        self._headers = _ENCODED_HEADERS + own

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.get("headers", [])
            if self.status == 405 and self._allow:  # the router names those of one route, of several on the path
                headers = [*((name, value) for name, value in headers if name != b"allow"), *self._allow]
            message["headers"] = [*headers, *self._headers]
        self.sent_bytes += len(message.get("body", b""))
        await self._send(message)
