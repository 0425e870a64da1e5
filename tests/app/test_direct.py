"""What is answered directly is answered as the framework would: the same status, headers and body, faults included."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from served_shop import build
from starlette.types import Message, Scope

from wares.app.web.access.scopes import _COMPILED, _PLAIN
from wares.app.web.direct import Direct
from wares.app.web.http import make_app
from wares.shop import Shop, open_shop

_VIEW = {"kind": "view", "time": 1_700_000_000_000, "shopper_id": "s", "product_id": "p1", "id": "e1"}
_JSON = {"content-type": "application/json"}
_OWN = ("x-request-id", "content-length")  # of each answer alone

Asked = tuple[str, str, bytes, dict[str, str]]


def _post(path: str, body: object, **headers: str) -> Asked:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return "POST", path, content, {name.replace("_", "-"): value for name, value in (_JSON | headers).items()}


ASKED: dict[str, Asked] = {
    "search": _post("/v1/search", {"query": "milk", "facets": ["brand"], "k": 2}),
    "search of a named shop": _post("/v1/shops/default/search", {"query": "milk"}),
    "search of no shop": _post("/v1/shops/elsewhere/search", {"query": "milk"}),
    "search of no shop, named behind the path": _post("/v1/search?shop=elsewhere", {"query": "milk"}),
    "events of no shop, named behind the path": _post("/v1/events?sh%6Fp=elsewhere", {"events": [_VIEW]}),
    "search that asks for nothing": _post("/v1/search", {}),
    "search with a strange field": _post("/v1/search", {"query": "milk", "colour": "red"}),
    "search with a wrong type": _post("/v1/search", {"query": ["milk"]}),
    "search with a number as text": _post("/v1/search", {"query": "milk", "k": "3"}),
    "search with too many hits": _post("/v1/search", {"k": 1001}),
    "search on an unknown surface": _post("/v1/search", {"surface": "nowhere"}),
    "search with an expired cursor": _post("/v1/search", {"cursor": "abc.2"}),
    "search with a bad filter": _post("/v1/search", {"filters": {"price": {"low": "x"}}}),
    "search with no body": _post("/v1/search", b""),
    "search with half a body": _post("/v1/search", b'{"query": "mi'),
    "search with a list": _post("/v1/search", []),
    "search with null": _post("/v1/search", b"null"),
    "search with bytes that are no text": _post("/v1/search", b'{"query": "\xff"}'),
    "search with half a character": _post("/v1/search", b'{"query": "\\ud800"}'),
    "search with not a number": _post("/v1/search", b'{"k": NaN}'),
    "search without a type": ("POST", "/v1/search", b'{"query": "milk"}', {}),
    "search as text": ("POST", "/v1/search", b'{"query": "milk"}', {"content-type": "text/plain"}),
    "search as other JSON": ("POST", "/v1/search", b'{"query": "jam"}', {"content-type": "application/x+json"}),
    "search with a character set": _post("/v1/search", {}, content_type="application/JSON; charset=utf-8"),
    "search by another method": ("PUT", "/v1/search", b"{}", _JSON),
    "search for more than is taken": _post("/v1/search", {"query": "m" * 20_001}),
    "browse": _post("/v1/browse", {"sort": "-price"}),
    "browse an unknown order": _post("/v1/browse", {"sort": "colour"}),
    "recommend": _post("/v1/recommend", {"shopper": "anna"}),
    "recommend in a market": _post("/v1/recommend", {"market": "de"}),
    "recommend in an unknown market": _post("/v1/recommend", {"market": "fr"}),
    "similar": _post("/v1/similar", {"product": "p1"}),
    "similar to nothing": _post("/v1/similar", {"product": "p99"}),
    "similar to no product": _post("/v1/similar", {}),
    "events": _post("/v1/events", {"events": [_VIEW, {"kind": "wink"}, {**_VIEW, "id": "e2", "colour": 1}]}),
    "events as a page sends them": _post("/v1/events", {"events": [_VIEW]}, content_type="text/plain"),
    "no events": _post("/v1/events", {"events": []}),
    "events that are no list": _post("/v1/events", {"events": _VIEW}),
    "events that are texts": _post("/v1/events", {"events": ["view"]}),
    "too many events": _post("/v1/events", {"events": [{}] * 10_001}),
    "events in lines": _post("/v1/events", json.dumps(_VIEW).encode(), content_type="application/x-ndjson"),
    "events without a body": _post("/v1/events", b""),
    "events once": _post("/v1/events", {"events": [_VIEW]}, idempotency_key="one"),
    "suggest": ("GET", "/v1/suggest?q=mi&k=3", b"", {}),
    "suggest for nothing": ("GET", "/v1/suggest?q=", b"", {}),
    "suggest without a question": ("GET", "/v1/suggest", b"", {}),
    "suggest none": ("GET", "/v1/suggest?q=mi&k=0", b"", {}),
    "suggest too many": ("GET", "/v1/suggest?q=mi&k=101", b"", {}),
    "suggest a word": ("GET", "/v1/suggest?q=mi&k=three", b"", {}),
    "suggest with signs": ("GET", "/v1/suggest?q=%C3%A9+t%26%FF", b"", {}),
    "suggest twice": ("GET", "/v1/suggest?q=mi&q=br", b"", {}),
    "suggest with more": ("GET", "/v1/suggest?q=mi&lang=en", b"", {}),
    "suggest for a long text": ("GET", "/v1/suggest?q=" + "m" * 1001, b"", {}),
    "suggest with a body": ("GET", "/v1/suggest?q=mi", b"{}", {}),
    "suggest with a text": ("GET", "/v1/suggest?q=mi", b"", {"content-type": "text/plain"}),
    "suggest with what is not packed": ("GET", "/v1/suggest?q=mi", b"mi", {"content-encoding": "gzip"}),
    "head of a suggestion": ("HEAD", "/v1/suggest?q=mi", b"", {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(build(tmp_path_factory.mktemp("shops") / "shop")) as opened:
        opened.record([_VIEW, {**_VIEW, "id": "e2"}])
        yield opened


def _told(client: TestClient, asked: Asked) -> tuple[int, dict[str, str], Any]:
    method, path, content, headers = asked
    answer = client.request(method, path, content=content, headers=headers)
    kept = {name: value for name, value in answer.headers.items() if name not in _OWN}
    if "json" not in answer.headers.get("content-type", "") or not answer.content:
        return answer.status_code, kept, answer.text
    body = answer.json()
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in ("took_ms", "request_id")}
    return answer.status_code, kept, body


@pytest.mark.parametrize("name", ASKED)
def test_directly_or_not_an_answer_is_the_same(shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Direct, "find", lambda self, name: None)
        by_framework = _told(TestClient(make_app({"default": shop})), ASKED[name])
    if name == "events once":  # which remembers that it was told
        ASKED[name][3]["idempotency-key"] = "two"
    assert _told(TestClient(make_app({"default": shop})), ASKED[name]) == by_framework


def test_plain_requests_go_the_direct_way(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def elsewhere(*args: object) -> None:
        raise AssertionError("the framework was asked")

    client = TestClient(make_app({"default": shop}))
    monkeypatch.setattr("starlette.routing.Router.__call__", elsewhere)
    for name in ("search", "search of a named shop", "browse", "recommend", "similar", "events", "suggest"):
        assert _told(client, ASKED[name])[0] == 200, name
    assert client.get("/v1/shop").status_code == 500


def test_a_suggestion_waits_for_no_body_which_may_never_come(shop: Shop) -> None:
    told = list[int]()

    async def never() -> Message:
        raise AssertionError("somebody waited for a body")

    async def send(message: Message) -> None:
        told.append(message.get("status", 0))

    headers = [(b"host", b"testserver"), (b"content-length", b"10")]
    scope: Scope = {"type": "http", "method": "GET", "path": "/v1/suggest", "query_string": b"q=mi", "headers": headers}
    asyncio.run(make_app({"default": shop})(scope, never, send))
    assert told[0] == 200


def test_a_path_without_parts_is_found_as_the_table_has_it() -> None:
    for (method, path), route in _PLAIN.items():
        assert next(found for pattern, found, of in _COMPILED if of == method and pattern.match(path)) == route
