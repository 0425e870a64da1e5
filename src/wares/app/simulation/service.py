"""The shop's HTTP API as one simulated shopper uses it: one connection, polite where the server is busy."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

from wares.app.simulation.counts import Counts
from wares.errors import InputError

TIMEOUT_S = 30.0
TRIES = 5  # of a request that the server has no time for
LONGEST_WAIT_S = 60.0
LOST = "no answer"


class Gone(Exception):
    """The server does not answer any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: what the JSON said, None where there was none."""

    status: int
    body: Any
    retry_after_s: float = 0.0

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class Line(Protocol):
    """What carries one request to the service."""

    def send(self, method: str, path: str, body: object) -> Answer:
        """Raises OSError, HTTPException where no answer comes."""

    def close(self) -> None:
        """Hang up."""


class HttpLine:
    """One connection that is kept open, for one thread."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url!r} is no address of a server. Give one as http://127.0.0.1:8000.")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._before, self._key, self._is_open = parts.path.rstrip("/"), key, False

    def send(self, method: str, path: str, body: object) -> Answer:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {self._key}"} if self._key else {})
        sent = None if body is None else json.dumps(body)
        kept_open, self._is_open = self._is_open, False
        try:
            try:
                answer, text = self._exchange(method, path, sent, headers)
            except (ConnectionError, HTTPException):
                if not kept_open:
                    raise
                self._connection.close()  # the server had closed what nobody used for a while
                answer, text = self._exchange(method, path, sent, headers)
            self._is_open = True
        finally:
            if not self._is_open:
                self._connection.close()
        try:
            told = json.loads(text) if text else None
        except ValueError:
            told = None
        return Answer(answer.status, told, _seconds(answer.getheader("retry-after", "")))

    def close(self) -> None:
        self._connection.close()

    def _exchange(
        self, method: str, path: str, sent: str | None, headers: dict[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        self._connection.request(method, self._before + path, sent, headers)
        answer = self._connection.getresponse()
        return answer, answer.read()


class Service:
    """Asks, counts and waits. `pause` waits so many seconds, or raises where the simulation ends meanwhile."""

    def __init__(self, line: Line, counts: Counts, pause: Callable[[float], None]) -> None:
        self._line, self._counts, self._pause = line, counts, pause
        self._lost = 0

    def ask(self, route: str, body: object = None, *, method: str = "POST", path: str = "") -> Any:
        """The body of a good answer, None of any other. `route` names it in the figures; `path` where it differs.

        Raises Gone after three requests in a row without any answer.
        """
        for _ in range(TRIES):
            started_s = time.perf_counter()
            try:
                answer = self._line.send(method, f"/v1/{path or route}", body)
            except (OSError, HTTPException) as error:
                self._lost += 1
                self._counts.went_wrong(LOST)
                if self._lost >= 3:
                    raise Gone(str(error) or type(error).__name__) from None
                self._pause(0.5)
                continue
            self._lost = 0
            if answer.status in (429, 503) and answer.retry_after_s > 0:
                wait_s = min(answer.retry_after_s, LONGEST_WAIT_S)
                self._counts.waited(wait_s)
                self._pause(wait_s)
                continue
            self._counts.answered(route, (time.perf_counter() - started_s) * 1000)
            if not answer.is_good:
                self._counts.went_wrong(_code(answer))
            return answer.body if answer.is_good else None
        self._counts.went_wrong("too busy")
        return None


def _code(answer: Answer) -> str:
    code = answer.body.get("code") if isinstance(answer.body, dict) else None
    return f"{answer.status} {code}" if isinstance(code, str) else str(answer.status)


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
