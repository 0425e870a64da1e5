"""What stands before every request: size limit, host and key checks, and safe headers."""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wares.app.web.problems import problem

MAX_BODY_BYTES = 16 * 1024 * 1024
_OPEN_TO_ALL = ("/healthz", "/readyz")
_LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]", "testserver"))
_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' https: data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]


class Gate:
    """ASGI middleware. `key` "" = no key exists: only this machine may ask, under its local names.

    With a key, requests from other machines need `Authorization: Bearer <key>`, the storefront's files and the health
    routes excepted. Names other than local ones are refused without a key, so that a web page elsewhere cannot reach
    a server on this machine by a name of its own (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, key: str = "", max_body: int = MAX_BODY_BYTES) -> None:
        self._app, self._key, self._max_body = app, key, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _limited(receive, self._max_body), _with_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> Any:
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            return problem(
                413, "too-large", f"The body may have at most {self._max_body:,} bytes. Send smaller batches."
            )
        if _is_foreign(scope, headers):
            return problem(403, "foreign-origin", "Pages of other origins may not write here.")
        if not self._key:
            host = headers.get("host", "localhost").lower()
            name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
            if name not in _LOCAL_NAMES:
                return problem(421, "wrong-host", f"This server answers on this machine only, not as {host[:100]!r}.")
            return None
        if _is_local(scope) or not scope["path"].startswith("/v1/") or scope["path"] in _OPEN_TO_ALL:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), self._key.encode()):
            return None
        refusal = problem(401, "unauthorised", "Send the admin key: `Authorization: Bearer <key>`.")
        refusal.headers["www-authenticate"] = "Bearer"
        return refusal


def _is_foreign(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether a browser sends this for a page of another origin; programs send no Origin."""
    origin = headers.get("origin", "")
    return bool(origin) and scope["method"] not in ("GET", "HEAD") and origin.partition("://")[2] != headers.get("host")


def _is_local(scope: Scope) -> bool:
    host, _ = scope.get("client") or ("", 0)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _limited(receive: Receive, most: int) -> Callable[[], Awaitable[MutableMapping[str, Any]]]:
    came = 0

    async def limited() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise HTTPException(413, f"The body may have at most {most:,} bytes. Send smaller batches.")
        return message

    return limited


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return sending
