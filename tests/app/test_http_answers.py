"""Answers that are asked about again (ETag), packed (gzip) or without a body (HEAD), and which methods a path takes."""

from collections.abc import Iterator

import pytest
from served_shop import build
from starlette.testclient import TestClient

from wares.app.web.http import make_app
from wares.shop import Shop, open_shop

TAGGED = ["/v1/products/p0", "/v1/shop", "/v1/suggest?q=o", "/v1/openapi.json", "/v1/shops/default/products/p0"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(build(tmp_path_factory.mktemp("shops") / "shop")) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop}), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("path", TAGGED)
def test_what_a_client_has_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]
    assert first.status_code == 200 and tag.startswith('W/"')
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get(path, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in again.headers and "private" in again.headers["cache-control"]
    for other in ('"other"', "", tag.replace('"', "")):
        assert client.get(path, headers={"if-none-match": other}).status_code == 200


def test_a_changed_product_has_another_tag(client: TestClient) -> None:
    tag = client.get("/v1/products/p1").headers["etag"]
    assert client.patch("/v1/products", json=[{"id": "p1", "price": 77}]).status_code == 200
    again = client.get("/v1/products/p1", headers={"if-none-match": tag})
    assert (again.status_code, again.json()["price"]) == (200, 77.0)


def test_large_answers_are_packed_for_whoever_asks(client: TestClient) -> None:
    plain = client.get("/v1/openapi.json", headers={"accept-encoding": "identity"})
    packed = client.get("/v1/openapi.json", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json() and packed.headers["etag"] == plain.headers["etag"]
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    small = client.get("/healthz", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers
    assert [one.headers["vary"] for one in (plain, packed, small)] == ["Accept-Encoding"] * 3


@pytest.mark.parametrize("path", ["/v1/products/p0", "/healthz", "/v1/shop", "/", "/wares.js", "/v1/products/nobody"])
def test_head_tells_what_get_would_and_has_no_body(client: TestClient, path: str) -> None:
    asked, told = client.get(path), client.head(path)
    assert (told.status_code, told.content) == (asked.status_code, b"")
    assert told.headers["content-type"] == asked.headers["content-type"]
    assert told.headers["content-length"] == asked.headers["content-length"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/search", {"POST"}),
        ("/v1/products", {"PUT", "PATCH"}),
        ("/v1/products/p0", {"GET", "HEAD", "DELETE"}),
        ("/1/events", {"POST"}),
        ("/healthz", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client: TestClient, path: str, allowed: set[str]) -> None:
    for method in ("OPTIONS", "TRACE", "REPORT"):
        answer = client.request(method, path)
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == allowed
