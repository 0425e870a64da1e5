"""Bodies that cost more than they are: of questions, and those whose sender leaves."""

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from served_shop import build
from starlette.testclient import TestClient

from wares.app.web.http import make_app
from wares.app.web.limits import QUESTION_BYTES
from wares.app.web.sent.bodies import _PIECE
from wares.shop import open_shop

JSON = {"content-type": "application/json"}
QUESTIONS = ["/v1/search", "/v1/shops/default/recommend", "/1/indexes/*/queries"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    with open_shop(build(tmp_path / "shop")) as shop:
        yield make_app({"default": shop})


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("path", QUESTIONS)
def test_a_question_has_a_smaller_body_than_a_feed(app: FastAPI, path: str, packed: bool) -> None:
    body = b'{"query": "milk", "x": [' + b"[]," * (QUESTION_BYTES // 3) + b"[]]}"
    sent, headers = (gzip.compress(body), JSON | {"content-encoding": "gzip"}) if packed else (body, JSON)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post(path, content=sent, headers=headers)
        assert answer.status_code == 413 and "bytes" in answer.text
        feed = client.put("/v1/products", json=[{"id": "p9", "title": "Jam", "note": "x" * QUESTION_BYTES}])
        assert feed.status_code == 200, feed.text


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_packed_body_may_have_any_length(app: FastAPI, pieces: int) -> None:
    body = b'{"events": []}'.ljust(pieces * _PIECE)
    answer = TestClient(app).post(
        "/v1/events", content=gzip.compress(body), headers=JSON | {"content-encoding": "gzip"}
    )
    assert answer.status_code == 200, answer.text


def test_who_leaves_before_the_end_of_a_body_is_no_fault_of_ours(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    coming = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Any) -> None:
        told.append(message)

    headers = [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in JSON.items())]
    scope = {"type": "http", "method": "POST", "path": "/v1/search", "query_string": b"", "headers": headers}
    with TestClient(app) as client:
        asyncio.run(app({**scope, "client": ("127.0.0.1", 1)}, receive, send))
        figures = client.get("/metrics").text
    assert told == [] and "fault" not in caplog.text
    assert "wares_faults_total 0.0" in figures
    assert 'wares_requests_total{route="POST /v1/search",status="499"} 1.0' in figures
