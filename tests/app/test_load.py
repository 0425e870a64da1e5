"""Too many ask: some wait for their turn, some are sent away at once, and nobody is forgotten."""

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from wares.app.web.http import make_app
from wares.app.web.load import Lane, Load
from wares.app.web.sent.bodies import again
from wares.app.web.told.refusals import Refused
from wares.shop import Shop, open_shop


def _run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 30))


async def _hold(lane: Lane, done: asyncio.Event, told: list[str], name: str) -> None:
    try:
        async with lane.turn():
            told.append(name)
            await done.wait()
    except Refused as refused:
        told.append(f"{name} {refused.status_code}")


@asynccontextmanager
async def _busy(
    lane: Lane, told: list[str], names: str
) -> AsyncIterator[tuple[asyncio.Event, list["asyncio.Task[None]"]]]:
    """One after the other asks for a turn, and keeps it until the event is set."""
    done = asyncio.Event()
    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(_hold(lane, done, told, name)))
        await asyncio.sleep(0)
    yield done, tasks
    done.set()
    await asyncio.gather(*tasks)


def test_a_lane_that_grows_calls_those_who_wait_and_one_that_shrinks_lets_those_who_run_go_on() -> None:
    lane, told = Lane(1, 10, 60), list[str]()

    async def work() -> None:
        async with _busy(lane, told, "abcdef") as (done, tasks):
            lane.resize(3)
            await asyncio.sleep(0)
            assert told == ["a", "b", "c"]
            assert (lane.running, lane.waiting) == (3, 3)
            lane.resize(1)
            tasks[0].cancel()
            tasks[1].cancel()
            await asyncio.gather(*tasks[:2], return_exceptions=True)
            assert (told, lane.running, lane.waiting) == (["a", "b", "c"], 1, 3)
            del tasks[:2]
            assert not done.is_set()
        assert told == ["a", "b", "c", "d", "e", "f"]
        assert (lane.running, lane.waiting) == (0, 0)

    _run(work)


@pytest.mark.parametrize("kept_s", [0, 30])
def test_who_has_to_wait_is_told_of_whether_answers_are_kept_or_not(kept_s: float) -> None:
    load, waited = Load.of(1, answers_kept_s=kept_s), list[int]()
    load.on_wait = lambda: waited.append(1)
    lane = load.lane("POST /v1/search")
    assert lane is not None

    async def work() -> None:
        load.lane_for(lane, "/v1/search", "", b"a")
        assert waited == []
        async with lane.turn():
            load.lane_for(lane, "/v1/search", "", b"b")
            assert waited == [1]

    _run(work)


def test_what_was_asked_a_moment_ago_takes_any_place_that_is_free() -> None:
    load = Load.of(1, answers_kept_s=30)
    lane = load.lane("POST /v1/search")
    assert lane is not None

    async def work() -> None:
        first, answered = load.lane_for(lane, "/v1/search", "", b"a")
        assert first is lane
        answered()
        again, _ = load.lane_for(lane, "/v1/search", "", b"a")
        assert again is not lane
        turns = [again.turn() for _ in range(again.at_once)]
        for turn in turns:
            await turn.__aenter__()
        assert load.lane_for(lane, "/v1/search", "", b"a")[0] is lane
        async with lane.turn():
            assert load.lane_for(lane, "/v1/search", "", b"a")[0] is again
        for turn in turns:
            await turn.__aexit__()

    _run(work)


def test_as_many_as_may_run_at_once_and_the_others_follow_in_order() -> None:
    lane, told = Lane(2, 10, 60), list[str]()

    async def work() -> None:
        async with _busy(lane, told, "abcde"):
            assert told == ["a", "b"]
            assert (lane.running, lane.waiting) == (2, 3)
        assert told == ["a", "b", "c", "d", "e"]
        assert (lane.running, lane.waiting, lane.shed) == (0, 0, 0)

    _run(work)


def test_who_finds_the_queue_full_learns_at_once_when_to_come_again() -> None:
    lane, told = Lane(1, 2, 60), list[str]()

    async def work() -> None:
        async with _busy(lane, told, "abcd"):
            assert told == ["a", "d 503"]
            with pytest.raises(Refused) as refused:
                async with lane.turn():
                    pass
            assert refused.value.headers is not None and int(refused.value.headers["retry-after"]) >= 1
        assert told == ["a", "d 503", "b", "c"]
        assert lane.shed == 2

    _run(work)


def test_nobody_waits_longer_than_patience_allows() -> None:
    lane, told = Lane(1, 10, 0.01), list[str]()

    async def work() -> None:
        async with _busy(lane, told, "ab") as (_, tasks):
            await tasks[1]
            assert told == ["a", "b 503"]
            assert (lane.running, lane.waiting) == (1, 0)
        async with lane.turn():
            assert lane.running == 1

    _run(work)


def test_who_leaves_the_queue_or_fails_takes_nobodys_turn() -> None:
    lane, told = Lane(1, 10, 60), list[str]()

    async def work() -> None:
        async with _busy(lane, told, "abc") as (_, tasks):
            tasks[1].cancel()
            await asyncio.gather(tasks[1], return_exceptions=True)
            tasks.pop(1)
        assert told == ["a", "c"]
        with pytest.raises(ZeroDivisionError):
            async with lane.turn():
                raise ZeroDivisionError
        assert (lane.running, lane.waiting) == (0, 0)

    _run(work)


def test_answers_and_writes_do_not_wait_for_one_another_and_health_for_nobody() -> None:
    load = Load.of()
    assert load.lane("POST /v1/search") is load.lane("POST /1/indexes/*/queries") is not load.lane("POST /v1/events")
    assert load.lane("GET /healthz") is load.lane("GET /metrics") is load.lane("GET /v1/suggest") is None


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("load")
    server = "answers_at_once = 1\nmost_waiting = 3\npatience_ms = 60000\nanswers_kept_s = 0\n"
    (folder / "wares.toml").write_text(f'[encoder]\nsource = "none"\n[server]\n{server}')
    with open_shop(folder) as shop:
        shop.put({"id": f"p{i}", "title": f"Tea {i}", "price": 2} for i in range(30))
        shop.search("tea")  # loads what is loaded once
        yield shop


def test_a_server_that_is_asked_too_much_answers_some_refuses_the_rest_and_says_so(shop: Shop) -> None:
    app = make_app({"default": shop})

    async def work() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            asked = [client.post("/v1/search", json={"query": "tea"}) for _ in range(40)]
            answers = await asyncio.gather(*asked)
            statuses = [answer.status_code for answer in answers]
            assert set(statuses) == {200, 503}
            assert statuses.count(200) >= 4  # one at a time, and three that waited
            refused = next(answer for answer in answers if answer.status_code == 503)
            assert refused.json()["code"] == "overloaded"
            assert int(refused.headers["retry-after"]) >= 1
            assert "overloaded" in (await client.get("/readyz")).text
            assert (await client.post("/v1/search", json={"query": "tea"})).status_code == 200

    _run(work)


def test_a_slow_sender_takes_nobodys_turn(shop: Shop) -> None:
    app = make_app({"default": shop})

    async def work() -> None:
        transport, begun, go_on = httpx.ASGITransport(app), asyncio.Event(), asyncio.Event()

        async def trickle() -> AsyncIterator[bytes]:
            yield b'{"query": '
            begun.set()
            await go_on.wait()
            yield b'"tea"}'

        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            headers = {"content-type": "application/json"}
            slow = asyncio.create_task(client.post("/v1/search", content=trickle(), headers=headers))
            await begun.wait()
            assert (await client.post("/v1/search", json={"query": "tea"})).status_code == 200
            go_on.set()
            assert (await slow).status_code == 200

    _run(work)


def test_who_leaves_in_the_moment_of_being_sent_away_frees_nobody_elses_turn() -> None:
    async def work() -> None:
        lane, told = Lane(1, 10, 60), list[str]()
        async with _busy(lane, told, "a"):
            leaving = asyncio.create_task(_hold(lane, asyncio.Event(), told, "b"))
            await asyncio.sleep(0)
            lane._give_up(lane._queue[0])
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            assert lane.running == 1 and lane.waiting == 0
        assert lane.running == 0

    _run(work)


def test_who_leaves_as_a_turn_becomes_free_harms_nobody_and_the_next_one_has_it() -> None:
    async def work() -> None:
        lane, told = Lane(1, 10, 60), list[str]()
        async with _busy(lane, told, "abc") as (done, tasks):
            done.set()  # "a" ends in the next round, when "b" has not heard yet
            tasks[1].cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            tasks.clear()
            assert [type(one) for one in found] == [type(None), asyncio.CancelledError, type(None)]
        assert told == ["a", "c"] and lane.running == lane.waiting == 0

    _run(work)


def test_bodies_hold_so_much_together_and_what_a_request_held_is_free_when_it_ends() -> None:
    answers, lane = (Lane(1, 10, 60) for _ in range(2))
    load = Load(answers, lane, most_held=100)
    with load.holding(lane) as one:
        one.more(60)
        with load.holding(lane) as other, pytest.raises(Refused) as refused:
            other.more(30)
            other.more(30)
        assert (refused.value.status_code, refused.value.code, load.held) == (503, "overloaded", 60)
        with load.holding(answers) as question, pytest.raises(Refused):  # of which there are not as many bytes
            question.more(25)
            question.more(1)
        with load.holding(lane) as third:
            third.more(40)
    assert load.held == 0 and load.overloaded


def test_who_sends_more_than_all_may_hold_together_is_refused_and_told_when_to_come_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.app.web.load._HELD_BYTES", 0)
    most = shop.settings.server.max_body_kib * 1024  # which one body alone may have
    app = make_app({"default": shop})

    async def work() -> None:
        transport, begun, go_on = httpx.ASGITransport(app), asyncio.Event(), asyncio.Event()
        small, headers = b'{"events": []}', {"content-type": "application/json"}

        async def trickle() -> AsyncIterator[bytes]:
            yield small.ljust(most - 5)
            begun.set()
            await go_on.wait()
            yield b" " * 5

        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            slow = asyncio.create_task(client.post("/v1/events", content=trickle(), headers=headers))
            await begun.wait()
            for path in ("/v1/events", "/v1/identify"):
                refused = await client.post(path, content=small, headers=headers)
                assert (refused.status_code, refused.json()["code"]) == (503, "overloaded"), path
                assert int(refused.headers["retry-after"]) >= 1
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.post("/v1/search", json={"query": "tea"})).status_code == 200
            go_on.set()
            assert (await slow).status_code == 200
            assert (await client.post("/v1/events", content=small, headers=headers)).status_code == 200

    _run(work)


def test_what_packed_bodies_become_is_held_as_well(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wares.app.web.load._HELD_BYTES", 0)
    most = shop.settings.server.max_body_kib * 1024
    app, whole = make_app({"default": shop}), b'{"events": []}'.ljust(most)
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    begun, go_on, record = threading.Event(), threading.Event(), shop.record

    def slow(*args: Any) -> Any:
        begun.set()
        go_on.wait(20)
        return record(*args)

    monkeypatch.setattr(shop, "record", slow)

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
            first = asyncio.create_task(client.post("/v1/events", content=gzip.compress(whole), headers=headers))
            while not begun.is_set():
                await asyncio.sleep(0)
            refused = await client.post("/v1/events", content=gzip.compress(whole), headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            go_on.set()
            assert (await first).status_code == 200
            assert (await client.post("/v1/events", content=gzip.compress(whole), headers=headers)).status_code == 200

    try:
        _run(work)
    finally:
        go_on.set()


def test_a_slow_reader_takes_nobodys_turn(shop: Shop) -> None:
    app = make_app({"default": shop})

    async def work() -> None:
        go_on, sent = asyncio.Event(), list[int]()

        async def read_slowly(message: MutableMapping[str, Any]) -> None:
            sent.append(message.get("status", 0))
            await go_on.wait()

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
            headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
            scope: dict[str, Any] = {
                "type": "http",
                "method": "POST",
                "path": "/v1/search",
                "raw_path": b"/v1/search",
                "query_string": b"",
                "headers": headers,
                "client": ("127.0.0.1", 1),
                "server": ("testserver", 80),
                "scheme": "http",
                "root_path": "",
                "http_version": "1.1",
                "asgi": {"version": "3.0"},
            }
            slow = asyncio.create_task(app(scope, again(b'{"query": "tea"}'), read_slowly))
            while not sent:
                await asyncio.sleep(0)
            assert (await client.post("/v1/search", json={"query": "tea"})).status_code == 200
            go_on.set()
            await slow
            assert sent[0] == 200

    _run(work)


def test_what_was_asked_a_moment_ago_waits_for_none_that_computes_and_counts_as_new_later() -> None:
    now_s = [0.0]
    answers, writes, again = (Lane(1, 10, 60) for _ in range(3))
    load = Load(answers, writes, 100, again, kept_s=10.0, now_s=lambda: now_s[0])
    lane, answered = load.lane_for(answers, "/v1/search", "", b"tea")
    assert (
        lane is answers and load.lane_for(answers, "/v1/search", "", b"tea")[0] is answers
    )  # nobody has an answer yet
    now_s[0] = 2.0
    answered()
    assert load.lane_for(answers, "/v1/search", "", b"tea")[0] is again
    assert (
        load.lane_for(answers, "/v1/browse", "", b"tea")[0]
        is load.lane_for(answers, "/v1/search", "", b"jam")[0]
        is answers
    )
    assert load.lane_for(answers, "/v1/search", "anna", b"tea")[0] is answers  # whose answer nobody has
    assert load.lane_for(writes, "/v1/search", "", b"tea")[0] is writes
    now_s[0] = 10.0  # the answer is as old as its question
    assert load.lane_for(answers, "/v1/search", "", b"tea")[0] is answers
    assert load.at_once == 3 and Load(answers, writes, 100).lane_for(answers, "/v1/search", "", b"tea")[0] is answers


def test_a_kept_answer_is_given_while_others_compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, begun = threading.Event(), threading.Event()
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n[server]\nanswers_at_once = 1\n')
    with open_shop(tmp_path) as shop:
        shop.put([{"id": "p1", "title": "Tea", "price": 2}])
        shop.keep_answers()
        ask = shop.ask

        def slow(surface: str, **more: Any) -> Any:
            if more.get("query") == "slow":
                begun.set()
                go_on.wait(20)
            return ask(surface, **more)

        monkeypatch.setattr(shop, "ask", slow)
        app = make_app({"default": shop})

        async def work() -> None:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
                first = await client.post("/v1/search", json={"query": "tea"})
                computing = asyncio.create_task(client.post("/v1/search", json={"query": "slow"}))
                while not begun.is_set():
                    await asyncio.sleep(0)
                kept = await client.post("/v1/search", json={"query": "tea"})
                assert (kept.status_code, kept.json()["hits"]) == (200, first.json()["hits"])
                assert not computing.done()
                go_on.set()
                assert (await computing).status_code == 200

        try:
            _run(work)
        finally:
            go_on.set()


def test_a_question_that_finds_room_in_the_lane_of_those_asked_before_counts_as_nobody_who_waits() -> None:
    answers, again, waited = Lane(1, 3, 60), Lane(1, 3, 60), list[str]()
    load = Load(answers, Lane(1, 3, 60), 100, again, kept_s=10.0)
    load.on_wait = lambda: waited.append("waited")
    _, answered = load.lane_for(answers, "/v1/search", "", b"tea")
    answered()
    answers.running = 1
    assert load.lane_for(answers, "/v1/search", "", b"tea")[0] is again
    assert not waited
    assert load.lane_for(answers, "/v1/search", "", b"jam")[0] is answers
    assert waited == ["waited"]
