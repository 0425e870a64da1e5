"""Bulk: JSON lines in, a result for each line out; packed bodies; and what is too much."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from served_shop import build
from starlette.testclient import TestClient

from wares.app.web.http import make_app
from wares.app.web.limits import Limits
from wares.app.web.sent.ndjson import cut_lines, read_lines
from wares.app.web.told.refusals import Refused
from wares.shop import Shop, open_shop

LIMITS = "[server]\nmax_records = 5\nmax_record_kib = 1\nmax_body_kib = 16\n"
LINES = {"content-type": "application/x-ndjson"}
MILK = '{"id": "1", "kind": "cart", "shopper_id": "anna", "product_id": "p0"}'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(build(tmp_path / "shop", LIMITS)) as opened:
        yield opened


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop}), raise_server_exceptions=False) as client:
        yield client


def send(client: TestClient, body: str | bytes, to: str = "POST /v1/events", **headers: str) -> list[dict[str, Any]]:
    method, path = to.split()
    answer = client.request(method, path, content=body, headers=LINES | headers)
    assert answer.status_code == 200 and answer.headers["content-type"] == LINES["content-type"], answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_line_has_its_result_in_order(client: TestClient, shop: Shop) -> None:
    told = send(client, f'{MILK}\n{{"kind": "crt", "product_id": "p1"}}\n\n{MILK}\n{{"kind": "view"}}')
    assert [(one["line"], one["status"]) for one in told] == [
        (1, "kept"),
        (2, "refused"),
        (4, "repeated"),
        (5, "refused"),
    ]
    assert told[1]["reason"] == "unknown kind" and told[1]["field"] == "kind" and told[1]["value"] == "crt"
    assert "cart" in told[1]["fix"] and told[3]["reason"] == "no product"
    assert shop.store.events.count() == 1
    assert [one["status"] for one in send(client, MILK)] == ["repeated"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("{", "no JSON"),
        ("nonsense", "no JSON"),
        ('{"a": NaN}', "no JSON"),
        ('{"a": "\\ud800"}', "no JSON"),
        ("[" * 3000, "too long"),
        ("[" * 900, "no JSON"),
        ("[1]", "not an object"),
        ("null", "not an object"),
        ('{"product_id": "' + "x" * 1100 + '"}', "too long"),
    ],
)
def test_a_broken_line_is_refused_alone(client: TestClient, shop: Shop, broken: str, reason: str) -> None:
    told = send(client, f"{broken}\n{MILK}\n")
    assert [(one["line"], one["status"]) for one in told] == [(1, "refused"), (2, "kept")]
    assert told[0]["reason"] == reason and told[0]["fix"]
    assert shop.store.events.count() == 1


def test_a_line_that_is_not_utf8_is_refused_alone(client: TestClient) -> None:
    told = send(client, b'{"kind": "\xff"}\n' + MILK.encode())
    assert [one["status"] for one in told] == ["refused", "kept"]


def test_whoever_asks_for_one_document_gets_one(client: TestClient) -> None:
    answer = client.post("/v1/events", content=f"{MILK}\nx", headers=LINES | {"accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    assert [one["status"] for one in answer.json()["results"]] == ["kept", "refused"]


def test_products_come_and_change_line_by_line(client: TestClient, shop: Shop) -> None:
    put = send(client, '{"id": "a/ä", "title": "Tea", "price": 2}\n{"title": "nobody"}', "PUT /v1/products")
    assert [one["status"] for one in put] == ["kept", "refused"] and put[1]["line"] == 2
    told = send(client, '{"id": "zz", "price": 1}\n{"id": "a/ä", "price": 3}\n{"price": 4}', "PATCH /v1/products")
    assert [(one["line"], one["status"]) for one in told] == [(1, "refused"), (2, "kept"), (3, "refused")]
    assert told[0]["reason"] == "unknown product" and told[0]["value"] == "zz"
    assert shop.product("a/ä").price_minor == 300
    assert client.get("/v1/products/a/%C3%A4").json()["price"] == 3.0


def test_a_line_of_several_items_is_kept_where_one_of_them_is(client: TestClient, shop: Shop) -> None:
    basket = {"event_name": "purchase", "items": [{"item_id": "p0"}, {"item_name": "no id"}]}
    (told,) = send(client, json.dumps(basket))
    assert (told["status"], told["reason"]) == ("kept", "no product") and shop.store.events.count() == 1


def test_too_many_lines_are_refused_whole(client: TestClient, shop: Shop) -> None:
    answer = client.post("/v1/events", content="\n".join([MILK] * 6), headers=LINES)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-records")
    assert shop.store.events.count() == 0
    assert len(send(client, "\n\n".join([MILK] * 5))) == 5


@pytest.mark.parametrize("kind", ["application/xml", "application/x-www-form-urlencoded", "text/csv", "nonsense"])
@pytest.mark.parametrize("to", ["POST /v1/events", "PUT /v1/products", "PATCH /v1/products", "POST /v1/search"])
def test_a_body_of_another_kind_is_refused(client: TestClient, to: str, kind: str) -> None:
    method, path = to.split()
    answer = client.request(method, path, content="a=b", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_packed_lines_are_unpacked(client: TestClient) -> None:
    packed = gzip.compress(f"{MILK}\n".encode()) + gzip.compress(b'{"id": "2", "kind": "view", "product_id": "p1"}')
    told = send(client, packed, **{"content-encoding": "gzip"})
    assert [one["status"] for one in told] == ["kept", "kept"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_small_body_that_unpacks_to_a_large_one_is_refused(client: TestClient, method: str) -> None:
    packed = gzip.compress(b" " * 10_000_000, 9)
    assert len(packed) < 16 * 1024
    path = "/v1/events" if method == "POST" else "/v1/products"
    answer = client.request(method, path, content=packed, headers=LINES | {"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (gzip.compress(MILK.encode())[:-9], "gzip", "422 invalid-encoding"),
        (b"no gzip", "gzip", "422 invalid-encoding"),
        (gzip.compress(MILK.encode()) + b"rest", "gzip", "422 invalid-encoding"),
        (MILK.encode(), "br", "415 unsupported-media-type"),
        (MILK.encode(), "gzip, gzip", "415 unsupported-media-type"),
    ],
)
def test_a_body_that_is_not_packed_as_it_says_is_refused(
    client: TestClient, shop: Shop, body: bytes, encoding: str, told: str
) -> None:
    answer = client.post("/v1/events", content=body, headers=LINES | {"content-encoding": encoding})
    assert f"{answer.status_code} {answer.json()['code']}" == told
    assert shop.store.events.count() == 0


# -- any body at all ---------------------------------------------------------------------------------------------------


async def _chunks(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_lines_do_not_depend_on_how_a_body_arrives(parts: list[bytes], most: int) -> None:
    limits = Limits(record_bytes=most, records=1000)
    cut = asyncio.run(cut_lines(_chunks(parts), limits))
    whole = b"".join(parts).split(b"\n")
    expected = [line if len(line) <= most else None for line in (whole[:-1] if not whole[-1] else whole)]
    assert cut == expected


@given(
    st.lists(
        st.one_of(st.binary(max_size=40), st.just(b'{"a": 1}'), st.text('[]{}":,1e-\\u.', max_size=20).map(str.encode)),
        max_size=8,
    )
)
def test_every_line_is_a_row_or_refused_or_empty(lines: list[bytes]) -> None:
    found = read_lines(lines, Limits())
    told = sorted([*found.lines, *(one.line for one in found.refused)])
    assert told == [number for number, line in enumerate(lines, 1) if line and not line.isspace()]


@given(st.integers(0, 12), st.integers(1, 10))
def test_never_more_lines_than_are_allowed(many: int, most: int) -> None:
    body = [b"{}\n"] * many
    if many <= most:
        assert len(asyncio.run(cut_lines(_chunks(body), Limits(records=most)))) == many
    else:
        with pytest.raises(Refused):
            asyncio.run(cut_lines(_chunks(body), Limits(records=most)))


@pytest.mark.parametrize(("to", "body"), [("PUT", "[[],[],[],[],[],[]]"), ("POST", '{"events": [1,2,3,4,5,6]}')])
def test_too_many_records_are_refused_before_any_of_them_is_looked_at(client: TestClient, to: str, body: str) -> None:
    path = "/v1/products" if to == "PUT" else "/v1/events"
    answer = client.request(to, path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-records")


def test_a_body_of_nothing_but_empty_lines_is_refused_before_it_is_cut_up() -> None:
    with pytest.raises(Refused, match="too many"):
        asyncio.run(cut_lines(_chunks([b"\n" * 1_000_000]), Limits()))


@settings(max_examples=25, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.recursive(
                st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(
                            [
                                "kind",
                                "time",
                                "product_id",
                                "shopper_id",
                                "items",
                                "id",
                                "price",
                                "title",
                                "query",
                                "value",
                            ]
                        ),
                        inner,
                        max_size=6,
                    )
                ),
            ),
            max_size=4,
        ).map(lambda rows: "\n".join(json.dumps(row) for row in rows).encode()),
    )
)
def test_no_body_makes_a_fault(body: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    client = _fuzzed(tmp_path_factory)
    for method, path in (("POST", "/v1/events"), ("PUT", "/v1/products"), ("PATCH", "/v1/products")):
        answer = client.request(method, path, content=body, headers=LINES)
        assert answer.status_code in (200, 413), (method, path, answer.text)


_FUZZED: list[TestClient] = []


def _fuzzed(somewhere: pytest.TempPathFactory) -> TestClient:
    """One shop for all bodies."""
    if not _FUZZED:
        opened = open_shop(build(somewhere.mktemp("fuzzed") / "shop"))
        _FUZZED.append(TestClient(make_app({"default": opened}), raise_server_exceptions=False))
    return _FUZZED[0]


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _FUZZED:
        _FUZZED.pop().close()
