"""A request with an Idempotency-Key is done once, and answered alike each time; also over a restart and a kill -9."""

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_shop import Server, build
from starlette.testclient import TestClient

from wares.app.web.access.key_ring import KeyRing
from wares.app.web.access.keys import Keys
from wares.app.web.http import make_app
from wares.app.web.sent import idempotency
from wares.errors import StoreUnwritable
from wares.shop import Shop, open_shop
from wares.store.given_answers import FILE, KEEP_MS, GivenAnswers, sealed

UNTIMED = {"events": [{"kind": "cart", "shopper_id": "anna", "product_id": "p0"}]}  # twice, it would count twice


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(build(tmp_path / "shop")) as opened:
        yield opened


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop}), raise_server_exceptions=False) as client:
        yield client


def send(client: TestClient, key: str, body: Any = UNTIMED, to: str = "POST /v1/events", **headers: str) -> Any:
    method, path = to.split()
    return client.request(method, path, json=body, headers={"idempotency-key": key} | headers)


def code(answer: Any) -> str:
    return f"{answer.status_code} {answer.json()['code']}"


def test_the_same_request_again_gets_the_first_answer_and_does_nothing(client: TestClient, shop: Shop) -> None:
    first, again = send(client, "k1"), send(client, "k1")
    assert first.status_code == again.status_code == 200 and first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    assert shop.store.events.count() == 1
    time.sleep(0.002)  # the next millisecond is another event
    assert send(client, "k2").json()["new"] == 1 and shop.store.events.count() == 2


def test_a_product_that_is_gone_was_deleted_once(client: TestClient) -> None:
    for _ in range(2):
        assert send(client, "k", None, "DELETE /v1/products/p0").status_code == 204
    assert send(client, "other", None, "DELETE /v1/products/p0").status_code == 404


@pytest.mark.parametrize(
    ("body", "to"),
    [
        ({"events": []}, "POST /v1/events"),
        (UNTIMED, "PUT /v1/products"),
        (UNTIMED, "POST /v1/events?x=1"),
        (UNTIMED, "POST /v1/identify"),
    ],
)
def test_a_key_that_was_used_for_another_request_is_refused(client: TestClient, body: Any, to: str) -> None:
    send(client, "k")
    assert code(send(client, "k", body, to)) == "422 idempotency-key-reused"


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "two words", "\xe4"])
def test_a_key_that_is_none_is_refused(client: TestClient, shop: Shop, key: str) -> None:
    answer = client.post("/v1/events", json=UNTIMED, headers={b"idempotency-key": key.encode("latin-1")})
    assert code(answer) == "422 invalid-idempotency-key" and shop.store.events.count() == 0


def test_refusals_are_repeated_too(client: TestClient) -> None:
    first, again = (send(client, "k", {"events": "none"}) for _ in range(2))
    assert code(first) == code(again) == "422 invalid-request" and again.headers["idempotency-replayed"] == "true"


def test_what_failed_for_want_of_room_is_done_when_it_is_sent_again(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise StoreUnwritable("full")

    with monkeypatch.context() as full:
        full.setattr(shop, "record", fails)
        assert code(send(client, "k")) == "507 store-unwritable"
    assert send(client, "k").json()["new"] == 1


def test_where_no_answer_can_be_kept_nothing_is_done(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> Any:
        raise StoreUnwritable("full")

    monkeypatch.setattr(GivenAnswers, "begin", fails)
    assert code(send(client, "k")) == "507 store-unwritable" and shop.store.events.count() == 0


def test_a_second_while_the_first_runs_is_told_to_wait(
    client: TestClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, record = threading.Event(), threading.Event(), shop.record

    def waits(*args: Any, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return record(*args, **options)

    monkeypatch.setattr(shop, "record", waits)
    answers: list[Any] = []
    first = threading.Thread(target=lambda: answers.append(send(client, "k")))
    first.start()
    assert begun.wait(20)
    second = send(client, "k")
    go_on.set()
    first.join()
    assert code(second) == "409 idempotency-key-in-flight" and second.headers["retry-after"] == "1"
    assert answers[0].json()["new"] == 1 and send(client, "k").content == answers[0].content


def test_two_callers_may_choose_the_same_key(shop: Shop, tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    texts = [keys.new(["admin"])[0] for _ in range(2)]
    app = make_app({"default": shop}, ring=KeyRing(keys.place.parent), closed=True)
    with TestClient(app, base_url="http://shop.example") as client:
        told = [send(client, "k", to="DELETE /v1/shoppers/anna", authorization=f"Bearer {text}") for text in texts]
        assert [one.status_code for one in told] == [200, 200]
        assert all("idempotency-replayed" not in one.headers for one in told)


def test_reading_takes_no_note_of_a_key(client: TestClient, shop: Shop) -> None:
    for query in ("milk", "rye"):
        assert send(client, "k", {"query": query}, "POST /v1/search").status_code == 200
    assert not (shop.folder / FILE).exists()


def test_nothing_of_a_request_can_be_read_in_the_file(client: TestClient, shop: Shop) -> None:
    events = {"events": [{"kind": "secretword", "shopper_id": "annalena", "product_id": "p0"}]}
    assert "secretword" in send(client, "key-of-annalena", events).text
    assert "secretword" in send(client, "key-of-annalena", events).text  # the answer repeats it
    send(client, "k2", None, "DELETE /v1/shoppers/annalena")
    for path in shop.folder.glob("answers.sqlite*"):
        assert b"secretword" not in path.read_bytes() and b"annalena" not in path.read_bytes()


def test_answers_are_kept_for_a_day(tmp_path: Path) -> None:
    answers = GivenAnswers(tmp_path)
    assert answers.begin(b"n", b"first", 0).status is None
    answers.finish(b"n", 200, "text/plain", b"told")
    kept = answers.begin(b"n", b"second", KEEP_MS)
    assert (kept.asked, kept.status, kept.media, kept.body) == (b"first", 200, "text/plain", b"told")
    assert answers.begin(b"n", b"second", KEEP_MS + 1).asked == b"second"
    answers.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT count(*) FROM answers").fetchone() == (1,)
    connection.close()


def test_what_is_sealed_opens_with_its_key_alone() -> None:
    text = "Käse\x00".encode() * 50
    assert sealed(sealed(text, b"key"), b"key") == text != sealed(text, b"key")
    assert sealed(sealed(text, b"key"), b"other") != text and sealed(b"", b"key") == b""


def test_a_killed_server_has_done_it_once(tmp_path: Path) -> None:
    """What was begun before the kill and not answered is done after it as of the moment when it was begun."""
    folder, headers = build(tmp_path / "shop"), {"idempotency-key": "k1"}
    first = Server(folder)
    told = first.ask("POST", "/v1/events", UNTIMED, **headers)
    first.end(signal.SIGKILL)
    with sqlite3.connect(folder / FILE) as connection:  # as if the kill had come just before the answer was kept
        (begun,) = connection.execute("SELECT begun_ms FROM answers").fetchone()
        answered = connection.execute("SELECT name, asked, begun_ms, status, media, body FROM answers").fetchone()
        connection.execute("UPDATE answers SET status = NULL, media = NULL, body = NULL")
    connection.close()
    second = Server(folder)
    status, again = second.ask("POST", "/v1/events", UNTIMED, **headers)
    assert (status, again["new"], again["repeated"]) == (200, 0, 1) and begun == answered[2]
    assert second.ask("POST", "/v1/events", UNTIMED, **headers) == (status, again)
    second.end(signal.SIGKILL)
    with sqlite3.connect(folder / FILE) as connection:
        change = "UPDATE answers SET status = ?, media = ?, body = ?"
        connection.execute(change, answered[3:])  # as it was after the first answer
    connection.close()
    third = Server(folder)
    assert third.ask("POST", "/v1/events", UNTIMED, **headers) == told == (200, told[1]) and told[1]["new"] == 1
    third.end()
    with open_shop(folder, create=False) as shop:
        assert shop.store.events.count() == 1


def test_every_route_that_writes_takes_a_key() -> None:
    assert {"POST /v1/events", "PUT /v1/products", "PATCH /v1/products", "POST /v1/identify"} < idempotency.ROUTES
