"""Bodies on their way in and out: read whole, unpacked within the limit, packed; and HEAD is GET without one."""

import zlib
from collections import deque
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wares.app.web.told.refusals import Refused

_PIECE = 256 * 1024  # bytes that are unpacked at a time, however much they are packed
_GZIP = 16 + zlib.MAX_WBITS
_KNOWN = (b"gzip", b"x-gzip")
MOST_IN_SCOPE = "wares.most_bytes"  # where the gate leaves what this request may have
HELD_IN_SCOPE = "wares.held"  # and what is told how long its body is unpacked, so that all together hold not too much


class ClientLeft(ConnectionAbortedError):
    """Before the end of its body. Nobody is there to be answered, and nothing is wrong with wares."""


class Unpacking:
    """ASGI middleware. A body that says it is gzip is unpacked as it is read; `most` bytes, counted after it, where the
    gate said nothing else. Raises Refused: too-large, unsupported-media-type, invalid-encoding."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        packed = [value.strip().lower() for name, value in scope["headers"] if name == b"content-encoding"]
        packed = [value for value in packed if value not in (b"", b"identity")]
        if not packed:
            await self._app(scope, receive, send)
            return
        if len(packed) > 1 or packed[0] not in _KNOWN:
            detail = "This Content-Encoding is not read here. Send the body plain or as gzip."
            raise Refused(415, "unsupported-media-type", detail, {"accept-encoding": "gzip"})
        plain = [one for one in scope["headers"] if one[0] not in (b"content-encoding", b"content-length")]
        unpacked = _Unpacked(receive, scope.get(MOST_IN_SCOPE, self._most), scope.get(HELD_IN_SCOPE, _nobody))
        await self._app({**scope, "headers": plain}, unpacked, send)


class _Unpacked:
    """Hands out the unpacked body piece by piece, so that no small body can grow to any size in memory."""

    def __init__(self, receive: Receive, most: int, reached: Callable[[int], None]) -> None:
        self._receive, self._most, self._came, self._reached = receive, most, 0, reached
        self._gzip = zlib.decompressobj(_GZIP)
        self._waiting: deque[bytes] = deque()
        self._is_last = False

    async def __call__(self) -> Message:
        while not self._waiting and not self._is_last:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._is_last = not message.get("more_body", False)
            if body := message.get("body", b""):
                self._waiting.append(body)
        piece = self._next_piece() if self._waiting else b""
        more = bool(self._waiting) or not self._is_last
        if not more and not self._gzip.eof:
            raise Refused(422, "invalid-encoding", "The gzip body ends before its end. Pack and send it again.")
        return {"type": "http.request", "body": piece, "more_body": more}

    def _next_piece(self) -> bytes:
        packed = self._waiting.popleft()
        if self._gzip.eof:  # several packed files one after the other are one
            self._gzip = zlib.decompressobj(_GZIP)
        try:
            piece = self._gzip.decompress(packed, _PIECE)
        except zlib.error:
            raise Refused(422, "invalid-encoding", "The body is no gzip. Send it plain, or pack it again.") from None
        rest = self._gzip.unconsumed_tail or self._gzip.unused_data
        if rest or (len(piece) == _PIECE and not self._gzip.eof):  # an empty rest still asks for what waits inside
            self._waiting.appendleft(rest)
        self._came += len(piece)
        if self._came > self._most:
            detail = f"The body may have at most {self._most:,} bytes when it is unpacked. Send smaller batches."
            raise Refused(413, "too-large", detail)
        self._reached(self._came)
        return piece


def _nobody(size: int) -> None: ...


class HeadAsGet:
    """ASGI middleware: HEAD gets the status and headers that GET would get."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


class Packing(GZipMiddleware):
    """ASGI middleware: answers are packed for who takes them so, and say that it depends on that. All others get them
    as they are, without the framework's way there."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                if "Accept-Encoding" not in headers.get("vary", ""):
                    headers.add_vary_header("Accept-Encoding")
            await send(message)

        if _takes_gzip(scope):
            await super().__call__(scope, receive, told)
        else:
            await self.app(scope, receive, told)


def _takes_gzip(scope: Scope) -> bool:
    return any(b"gzip" in value for name, value in scope["headers"] if name == b"accept-encoding")


class WholeAnswer:
    """Takes an answer as `send` does, and holds it back until it is sent on."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        """500 where there is none."""
        return next((int(one["status"]) for one in self.messages if one["type"] == "http.response.start"), 500)

    async def send_on(self, send: Send) -> None:
        """Now."""
        for message in self.messages:
            await send(message)


async def read_whole(receive: Receive) -> bytes:
    """The body, which the gate limits. Raises ClientLeft where the client leaves before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def again(body: bytes) -> Receive:
    """The body, as if it came now."""
    waiting = [body]

    async def receive() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    return receive
