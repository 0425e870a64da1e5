"""The HTTP service over a small shop: every route, every kind of error, and a real server in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from wares.app.web.http import make_app
from wares.app.web.limits import MAX_BODY_BYTES, QUESTION_BYTES
from wares.app.web.wire import PageOut, ProductOut
from wares.errors import (
    CursorExpired,
    DataError,
    EncoderError,
    InputError,
    SettingsError,
    SnapshotError,
    StoreError,
    StoreLocked,
    StoreUnwritable,
    UnknownName,
    WaresError,
)
from wares.shop import Shop, open_shop
from wares.store.impressions import read_impressions
from wares.store.lock import holder
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
DAY_S = 86_400
SETTINGS = """
[shop]
title = "Corner shop"
currency = "EUR"
facets = ["category", "brand", "price"]
shoppers = ["s0"]
[encoder]
source = "none"
[models]
train = ["popular", "popular_lately", "buy_again", "co_bought", "item_knn"]
[profiles.similar]
sources = ["co_bought", "alike"]
formula = { co_bought = 1.0, alike = 1.0 }
"""
NAMES = ("Whole milk", "Oat milk", "Rye bread", "Butter", "Green tea", "Dark coffee", "Milk chocolate", "Jam")
GOODS: list[Row] = [
    {
        "id": f"p{i}",
        "title": name,
        "brand": ("Acme", "Apex")[i % 2],
        "category": ("Food > Drinks", "Food > Bread")[i % 3 == 2],
        "price": 1 + i / 2,
    }
    for i, name in enumerate(NAMES)
]


def bought(shopper: str, product: str, days_ago: float = 1, **more: Any) -> Row:
    then = int((time.time() - days_ago * DAY_S) * 1000)
    return {"kind": "purchase", "time": then, "shopper_id": shopper, "product_id": product, **more}


def build(folder: Path) -> Path:
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put(GOODS)
        shop.record(
            [
                bought(f"s{s}", f"p{(s + extra) % 8}", 7 * week + s, basket_id=f"{s}-{week}")
                for s in range(5)
                for week in range(1, 5)
                for extra in (0, 1)
            ]
        )
        train_here(folder, silent)
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Nobody changes what these tests share of it: what one puts, it takes away again."""
    with open_shop(build(tmp_path_factory.mktemp("shops") / "corner")) as opened:
        opened.log_impressions()
        yield opened


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop, "other": shop}), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a shop that a test may change, in the folder "own"."""
    with (
        open_shop(build(tmp_path / "own")) as opened,
        TestClient(make_app({"default": opened}), raise_server_exceptions=False) as client,
    ):
        yield client


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [hit["product"]["id"] for hit in answer.json()["hits"]]


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """What the problem document says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (told["status"], told["code"], told["type"]) == (status, code, f"/v1/errors/{code}")
    assert told["title"] and told["detail"]
    return told


# -- answers -----------------------------------------------------------------------------------------------------------

QUESTIONS: list[tuple[str, Row]] = [
    ("search", {"query": "milk", "facets": ["brand", "price"], "k": 2}),
    ("browse", {"category": "Food > Bread", "sort": "-price"}),
    ("browse", {}),
    ("recommend", {"shopper": "s2"}),
    ("recommend", {"surface": "cart", "seeds": ["p1", "p2"]}),
    ("similar", {"product": "p1"}),
    ("similar", {"product": "p1", "surface": "bought_together"}),
]


@pytest.mark.parametrize(("route", "asked"), QUESTIONS)
def test_every_question_is_answered_as_the_schema_says(client: TestClient, route: str, asked: Row) -> None:
    told = client.post(f"/v1/{route}", json=asked).json()
    page = PageOut.model_validate(told, strict=True)
    assert told == page.model_dump()
    assert page.total > 0 and page.hits and page.snapshot == "000001" and page.impression_id


@pytest.mark.parametrize(("route", "asked"), QUESTIONS)
def test_the_default_shop_needs_no_name(client: TestClient, route: str, asked: Row) -> None:
    told = [client.post(f"{path}/{route}", json=asked).json() for path in ("/v1", "/v1/shops/default")]
    for answer in told:
        for changing in ("took_ms", "impression_id", "cursor"):
            answer.pop(changing)
    assert told[0] == told[1]


def test_prices_are_whole_units_both_ways(client: TestClient) -> None:
    told = client.post("/v1/browse", json={"filters": {"price": {"low": 1.5, "high": 2}}, "facets": ["price"]}).json()
    assert sorted(hit["product"]["price"] for hit in told["hits"]) == [1.5, 2.0]
    assert (told["facets"][0]["low"], told["facets"][0]["high"]) == (1, 4.5)


def test_pages_go_on_by_cursor(client: TestClient) -> None:
    asked: Row = {"query": "milk", "k": 2}
    first = client.post("/v1/search", json=asked)
    second = client.post("/v1/search", json={**asked, "cursor": first.json()["cursor"]})
    assert len({*ids(first), *ids(second)}) == 3 == first.json()["total"] and second.json()["cursor"] == ""


def test_a_product_and_the_shop_tell_of_themselves(client: TestClient) -> None:
    told = client.get("/v1/products/p2").json()
    assert ProductOut.model_validate(told).title == "Rye bread" and told["price"] == 2.0
    about = client.get("/v1/shop").json()
    assert (about["title"], about["currency"], about["products"]) == ("Corner shop", "EUR", 8)
    assert about["events"] == 40 and about["snapshot"] == "000001" and about["shoppers"] == ["s0"]
    (food,) = about["categories"]
    assert (food["value"], food["count"]) == ("Food", 8)
    assert {child["value"]: child["count"] for child in food["children"]} == {"Food > Drinks": 6, "Food > Bread": 2}


def test_the_shop_tells_of_what_its_own_market_sells(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n[markets.ch]\n', encoding="utf-8")
    with open_shop(tmp_path) as opened:
        opened.put([{"id": "a", "title": "Lamp", "price": 10, "category": "Light"}])
        opened.put([{"id": "b", "title": "Tapis", "price": 9, "category": "Rugs"}], market="ch")
        with TestClient(make_app({"default": opened})) as asker:
            about = asker.get("/v1/shop").json()
            assert (about["products"], about["hits"]) == (1, opened.browse().total) == (1, 1)
            assert [one["value"] for one in about["categories"] if one["count"]] == ["Light"]
            assert asker.get("/v1/products/b?market=ch").status_code == 200


def test_health_readiness_and_the_description_are_served(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["snapshots"]) == ("ready", {"default": "000001", "other": "000001"})
    paths = client.get("/v1/openapi.json").json()["paths"]
    for route in ("search", "browse", "recommend", "similar", "events", "products", "shop"):
        assert f"/v1/shops/{{shop}}/{route}" in paths


def test_the_storefront_is_served_and_each_of_its_files_is_there(client: TestClient) -> None:
    index = client.get("/")
    assert index.status_code == 200 and index.headers["content-type"].startswith("text/html")
    linked = [part.split('"')[0] for part in index.text.replace("href=", "src=").split('src="')[1:]]
    files = [path for path in linked if path.startswith(("/storefront", "storefront"))]
    assert files
    for path in files:
        answer = client.get("/" + path.lstrip("/"))
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache", path
    refused(client.get("/storefront/no-such-file.js"), 404, "not-found")
    assert client.get("/storefront/../gate.py").status_code == 404
    assert client.get("/storefront/%2e%2e/web/gate.py").status_code == 404


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/shop", "/v1/products/nobody", "/storefront/index.html", "/no"])
def test_every_answer_forbids_foreign_scripts(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


# -- errors ------------------------------------------------------------------------------------------------------------


def test_an_unknown_shop_is_not_found(client: TestClient) -> None:
    for answer in (
        client.post("/v1/shops/toys/search", json={}),
        client.get("/v1/shops/toys/shop"),
        client.get("/v1/shops/toys/products/p1"),
        client.put("/v1/shops/toys/products", json=[]),
    ):
        told = refused(answer, 404, "unknown-name")
        assert told["what"] == "shop" and told["known"] == ["default", "other"]


def test_an_unknown_product_is_not_found(client: TestClient) -> None:
    for answer in (
        client.get("/v1/products/p99"),
        client.delete("/v1/products/p99"),
        client.post("/v1/similar", json={"product": "p99"}),
        client.patch("/v1/products", json=[{"id": "p99", "price": 1}]),
    ):
        assert refused(answer, 404, "unknown-name")["what"] == "product"


@pytest.mark.parametrize(
    ("route", "asked", "what"),
    [
        ("search", {"surface": "serach"}, "surface"),
        ("recommend", {"surface": "hmoe"}, "surface"),
        ("search", {"facets": ["brnad"]}, "facet"),
        ("browse", {"filters": {"brnad": "Acme"}}, "filter"),
        ("browse", {"filters": {"brand": {"low": 1}}}, "number to filter by"),
    ],
)
def test_an_unknown_name_comes_with_the_known_ones(client: TestClient, route: str, asked: Row, what: str) -> None:
    told = refused(client.post(f"/v1/{route}", json=asked), 422, "unknown-name")
    assert told["what"] == what and told["known"]


@pytest.mark.parametrize(
    ("route", "asked", "field"),
    [
        ("search", {"k": 0}, "k"),
        ("search", {"k": 1001}, "k"),
        ("search", {"k": "many"}, "k"),
        ("search", {"sort": "pirce"}, "sort"),
        ("search", {"qurey": "milk"}, "qurey"),
        ("search", {"query": "x" * 20_001}, "query"),
        ("search", {"query": None}, "query"),
        ("search", {"shopper": "x" * 201}, "shopper"),
        ("browse", {"filters": {"price": {}}}, "filters.price"),
        ("browse", {"filters": {"price": {"low": 3, "high": 1}}}, "filters.price"),
        ("recommend", {"seeds": ["p1"] * 201}, "seeds"),
        ("similar", {}, "product"),
        ("events", {"events": {}}, "events"),
        ("events", {}, "events"),
        ("search", [], ""),
        ("search", "milk", ""),
    ],
)
def test_a_request_that_cannot_be_read_names_the_field(client: TestClient, route: str, asked: Any, field: str) -> None:
    told = refused(client.post(f"/v1/{route}", json=asked), 422, "invalid-request")
    assert told["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("body", [b"", b"{", b"{'query': 1}", b"\xff\xfe", b"[1, 2", b"null"])
def test_a_body_that_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422) and answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_filter_needs_a_number_that_is_one(client: TestClient, number: str) -> None:
    body = f'{{"filters": {{"price": {{"low": {number}}}}}}}'
    refused(
        client.post("/v1/browse", content=body, headers={"content-type": "application/json"}), 422, "invalid-request"
    )


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("search", r'{"query": "\ud800 milk"}'),
        ("recommend", r'{"shopper": "\ud800"}'),
        ("browse", r'{"category": "\ud800", "facets": ["category"]}'),
        ("browse", r'{"filters": {"brand": "\ud800"}, "facets": ["brand"]}'),
        ("browse", r'{"filters": {"\ud800": "x"}}'),
        ("browse", r'{"cursor": "\ud800"}'),
        ("browse", r'{"facets": ["\ud800"]}'),
        ("recommend", r'{"surface": "\ud800"}'),
        ("recommend", r'{"surface": "cart", "seeds": ["\ud800"]}'),
        ("similar", r'{"product": "\ud800"}'),
        ("search", r'{"\ud800": 1}'),
        ("events", r'{"events": [{"kind": "\ud800", "product_id": "\ud800"}]}'),
        ("search", r'{"query": "\u0000"}'),
        ("recommend", r'{"shopper": "\u0000"}'),
    ],
)
def test_half_characters_do_no_harm(client: TestClient, route: str, body: str) -> None:
    answer = client.post(f"/v1/{route}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 404, 422), answer.text


def test_a_cursor_that_is_none_or_gone_says_which(client: TestClient) -> None:
    refused(client.post("/v1/search", json={"cursor": "nonsense"}), 422, "invalid-input")
    refused(client.post("/v1/search", json={"cursor": "gone.24"}), 410, "cursor-expired")


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    refused(client.get("/v1/nothing"), 404, "not-found")
    refused(client.get("/v1/search"), 405, "method-not-allowed")
    refused(client.post("/healthz"), 405, "method-not-allowed")


FAULTS: list[tuple[WaresError, int, str]] = [
    (InputError("x"), 422, "invalid-input"),
    (UnknownName("sort", "x", ["y"]), 422, "unknown-name"),
    (DataError("x", line=3), 422, "invalid-data"),
    (CursorExpired("x"), 410, "cursor-expired"),
    (SettingsError("x"), 500, "invalid-settings"),
    (StoreError("x"), 500, "store"),
    (StoreLocked("x"), 409, "store-locked"),
    (StoreUnwritable("x"), 507, "store-unwritable"),
    (SnapshotError("x"), 500, "snapshot"),
    (EncoderError("x"), 500, "encoder"),
]


@pytest.mark.parametrize(("fault", "status", "code"), FAULTS, ids=[code for *_, code in FAULTS])
def test_each_kind_of_error_has_its_status_and_a_stable_code(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch, fault: WaresError, status: int, code: str
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise fault

    monkeypatch.setattr(shop, "ask", fails)
    monkeypatch.setattr(shop, "record", fails)
    assert refused(client.post("/v1/search", json={}), status, code)["detail"] == str(fault)
    refused(client.post("/v1/events", json={"events": []}), status, code)


def test_an_unforeseen_error_tells_nothing_of_the_inside(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(shop, "ask", fails)
    answer = client.post("/v1/search", json={})
    refused(answer, 500, "internal")
    assert "secret" not in answer.text


def test_a_body_too_large_is_refused_before_it_is_read(client: TestClient) -> None:
    body = b'{"query": "' + b"x" * MAX_BODY_BYTES + b'"}'
    told = refused(client.post("/v1/events", content=body), 413, "too-large")
    assert f"{MAX_BODY_BYTES:,}" in told["detail"]
    told = refused(client.post("/v1/search", content=body[:QUESTION_BYTES] + b'"}'), 413, "too-large")
    assert f"{QUESTION_BYTES:,}" in told["detail"]


def test_a_body_too_large_without_a_length_is_refused_as_well(client: TestClient) -> None:
    def stream() -> Iterator[bytes]:
        yield b'{"query": "'
        for _ in range(MAX_BODY_BYTES // 2**20 + 1):
            yield b"x" * 2**20
        yield b'"}'

    answer = client.post("/v1/search", content=stream(), headers={"content-type": "application/json"})
    refused(answer, 413, "too-large")


# -- who may ask -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.168.0.1", "[::2]"]
)
def test_a_foreign_host_name_is_refused(client: TestClient, host: str) -> None:
    refused(client.get("/v1/shop", headers={"host": host}), 421, "wrong-host")
    refused(client.get("/", headers={"host": host}), 421, "wrong-host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8000", "[::1]", "[::1]:8000"])
def test_the_machines_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/v1/shop", headers={"host": host}).status_code == 200


def test_every_machine_needs_the_admin_key_where_there_is_one(shop: Shop) -> None:
    app = make_app({"default": shop}, key="a long secret")
    away = TestClient(app, client=("203.0.113.9", 4000), base_url="http://shop.example")
    answer = away.get("/v1/shop")
    refused(answer, 401, "unauthorised")
    assert answer.headers["www-authenticate"] == "Bearer"
    for wrong in ("Bearer", "Bearer ", "Bearer wrong", "a long secret", "Basic a long secret", "Bearer ä"):
        refused(away.get("/v1/shop", headers={b"authorization": wrong.encode()}), 401, "unauthorised")
    refused(away.get("/v1/openapi.json"), 401, "unauthorised")
    refused(away.put("/v1/products", json=[]), 401, "unauthorised")
    key = {"authorization": "Bearer a long secret"}
    assert away.get("/v1/shop", headers=key).status_code == 200
    assert away.post("/v1/search", json={"query": "milk"}, headers=key).json()["total"] == 3
    for path in ("/", "/healthz", "/readyz", "/storefront/icon.svg"):
        assert away.get(path).status_code == 200
    for machine in ("127.0.0.1", "::1"):  # a proxy on the same machine must not open what is closed
        refused(TestClient(app, client=(machine, 4000)).get("/v1/shop"), 401, "unauthorised")


# -- changes -----------------------------------------------------------------------------------------------------------


def test_an_event_with_an_id_counts_once(own: TestClient) -> None:
    sent = {"events": [bought("s0", "p5", 0.1, id="order-1"), bought("s0", "p6", 0.1)]}
    first, again = own.post("/v1/events", json=sent).json(), own.post("/v1/events", json=sent).json()
    assert (first["new"], first["repeated"], first["rejected"]) == (2, 0, [])
    assert (again["new"], again["repeated"]) == (0, 2)
    changed = {"events": [bought("s0", "p7", 0.2, id="order-1")]}
    assert own.post("/v1/events", json=changed).json()["new"] == 0


def test_an_event_changes_the_next_recommendation(own: TestClient) -> None:
    before = own.post("/v1/recommend", json={"shopper": "new"})
    assert any("not known yet" in note for note in before.json()["notes"])
    own.post("/v1/events", json={"events": [bought("new", "p7", n / 24) for n in range(1, 6)]})
    after = own.post("/v1/recommend", json={"shopper": "new"})
    assert not after.json()["notes"] and ids(after) != ids(before)


def test_bad_events_are_reported_line_by_line_and_the_others_kept(own: TestClient) -> None:
    events = [bought("s0", "p0", 0.1), {"kind": "purchse"}, bought("s0", "p0", -30), bought("s0", "p1", 0.1), {}]
    told = own.post("/v1/events", json={"events": events}).json()
    assert told["new"] == 2
    assert {row["line"]: row["reason"] for row in told["rejected"]} == {
        2: "unknown kind",
        3: "in the future",
        5: "no kind",
    }


def test_products_come_change_and_go_at_once(own: TestClient) -> None:
    told = own.put("/v1/products", json=[{"id": "a/b c", "title": "Quince jelly", "price": 3}, {"title": "no id"}])
    assert told.json()["kept"] == 1 and told.json()["rejected"][0]["reason"] == "no id"
    assert ids(own.post("/v1/search", json={"query": "quince"})) == ["a/b c"]
    assert own.get("/v1/products/a/b%20c").json()["price"] == 3
    assert own.patch("/v1/products", json=[{"id": "a/b c", "price": 4.5}]).json()["kept"] == 1
    hit = own.post("/v1/search", json={"query": "quince"}).json()["hits"][0]["product"]
    assert (hit["price"], hit["title"]) == (4.5, "Quince jelly")
    assert own.delete("/v1/products/a/b%20c").status_code == 204
    assert ids(own.post("/v1/search", json={"query": "quince"})) == []
    refused(own.get("/v1/products/a/b%20c"), 404, "unknown-name")
    refused(own.delete("/v1/products/a/b%20c"), 404, "unknown-name")


def test_what_was_put_right_in_a_sent_row_is_said(own: TestClient) -> None:
    own.put("/v1/products", json=[{"id": "a", "title": "Quince jelly", "price": 3}])
    told = own.patch("/v1/products", json=[{"id": "a", "price": -4, "stock": -1}]).json()
    assert told["repaired"] == {"price is no amount: unknown": 1, "negative stock: 0": 1}
    assert own.get("/v1/products/a").json()["price"] == 3


@pytest.mark.parametrize("rows", [{}, "x", [1], [[]], None])
def test_products_must_be_a_list_of_objects(client: TestClient, rows: Any) -> None:
    refused(client.put("/v1/products", json=rows), 422, "invalid-request")
    refused(client.patch("/v1/products", json=rows), 422, "invalid-request")


def test_a_new_snapshot_is_taken_up_while_serving(own: TestClient, tmp_path: Path) -> None:
    first = own.post("/v1/browse", json={"k": 3})
    train_here(tmp_path / "own", silent)
    deadline_s = time.monotonic() + 10
    while own.get("/v1/shop").json()["snapshot"] != "000002":
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    assert own.post("/v1/browse", json={}).json()["snapshot"] == "000002"
    later = own.post("/v1/browse", json={"k": 3, "cursor": first.json()["cursor"]})
    assert later.json()["snapshot"] == "000001" and not set(ids(later)) & set(ids(first))


def test_questions_and_changes_at_the_same_time_give_no_error(own: TestClient, tmp_path: Path) -> None:
    faults: list[str] = []
    end_s = time.monotonic() + 3

    def ask(i: int) -> None:
        while time.monotonic() < end_s:
            for route, asked in QUESTIONS[:5]:
                answer = own.post(f"/v1/{route}", json=asked)
                if answer.status_code != 200:
                    faults.append(answer.text)
                elif (cursor := answer.json()["cursor"]) and own.post(
                    f"/v1/{route}", json={**asked, "cursor": cursor}
                ).status_code != 200:
                    faults.append(f"{route}: next page")

    def change(i: int) -> None:
        n = 0
        while time.monotonic() < end_s:
            n += 1
            name = f"new{i}-{n % 5}"
            product = {"id": name, "title": f"Milk of day {n}", "price": n}
            answers = [
                own.put("/v1/products", json=[product]),
                own.patch("/v1/products", json=[{"id": "p4", "price": n}]),
                own.post("/v1/events", json={"events": [bought("s1", name, 0.1, id=f"{i}-{n}")]}),
                own.delete(f"/v1/products/new{i}-{(n + 2) % 5}"),
            ]
            faults.extend(answer.text for answer in answers if answer.status_code not in (200, 204, 404))

    def learn(i: int) -> None:
        train_here(tmp_path / "own", silent)

    jobs = [threading.Thread(target=job, args=(i,)) for i, job in enumerate((ask, ask, change, change, learn))]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert not faults, faults[:3]
    told = own.post("/v1/search", json={"query": "milk", "k": 1000})
    assert told.json()["total"] == len(ids(told))


# -- a real server -----------------------------------------------------------------------------------------------------


class Served:
    """`python -m wares serve` in a child process."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "wares", "serve", str(folder), "--port", "0"]
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = {name: value for name, value in os.environ.items() if name != "WARES_ADMIN_KEY"}
        self.process = subprocess.Popen(command, env=environment, **options)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        at = self.said.find("http://127.0.0.1:")
        if at < 0:
            self.process.kill()
            raise AssertionError(self.said + self.process.communicate()[1])
        self.url = self.said[at:].split()[0]

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            headers = {"connection": "close", "content-type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def end(self, how: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out + err


@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C cannot be sent to one child")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_real_server_starts_answers_and_ends_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    folder = build(tmp_path / "shop")
    server = Served(folder)
    try:
        by = holder(folder)
        assert by is not None and by.url == server.url
        status, body = server.ask("POST", "/v1/search", {"query": "milk"})
        assert status == 200 and json.loads(body)["total"] == 3
        assert server.ask("GET", "/")[0] == server.ask("GET", "/readyz")[0] == 200
        assert json.loads(server.ask("POST", "/v1/events", {"events": [bought("s9", "p1", id="e")]})[1])["new"] == 1
        with open_shop(folder) as second:
            assert second.search("milk").total == 3
            with pytest.raises(StoreLocked, match=server.url):
                second.put([])
        code, said = server.end(how)
    finally:
        server.process.kill()
        server.process.communicate()
    assert code == 0 and "Traceback" not in said, said
    assert holder(folder) is None
    assert [shown["query"] for _, shown in read_impressions(folder)] == ["milk"]
    with open_shop(folder) as after:
        assert after.store.events.last() == 41
        after.put([{"id": "x", "title": "free again"}])


def test_a_page_of_another_origin_cannot_write(tmp_path: Path) -> None:
    with open_shop(tmp_path / "shop") as shop, TestClient(make_app({"default": shop})) as client:
        sent = {"events": [{"kind": "view", "shopper_id": "s", "product_id": "p"}]}
        foreign = client.post("/v1/events", json=sent, headers={"origin": "https://elsewhere.example"})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign-origin")
        own = client.post("/v1/events", json=sent, headers={"origin": "http://testserver"})
        assert own.json()["new"] == 1
        form = client.post("/v1/events", content=str(sent), headers={"content-type": "text/plain"})
        assert form.status_code == 422


def test_whoever_serves_hears_of_each_snapshot_that_is_taken_up(tmp_path: Path) -> None:
    heard = list[str]()
    with open_shop(build(tmp_path / "shop")) as shop:
        app = make_app({"default": shop}, loaded=lambda: heard.append(shop.engine.live.snapshot.name))
        with TestClient(app):
            end_s = time.monotonic() + 20
            while len(heard) < 1 and time.monotonic() < end_s:
                time.sleep(0.02)
            train_here(shop.folder, silent)
            while len(heard) < 2 and time.monotonic() < end_s:
                time.sleep(0.02)
        assert heard[1] == shop.engine.live.snapshot.name != heard[0] and len(heard) == 2
