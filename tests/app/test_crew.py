"""The processes that answer, as the serving process keeps them: begun again, counted, ended."""

import asyncio
import errno
import io
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from served_shop import build
from uvicorn.loops.auto import auto_loop_factory

from wares.app.web.workers import crew as crews
from wares.app.web.workers.asked import Ended, Lately
from wares.app.web.workers.crew import Crew, _Asked, _kill, _Member
from wares.app.web.workers.frames import packed, read_frame
from wares.app.web.workers.raised import FaultElsewhere
from wares.app.web.workers.worker import Worker, _serve
from wares.shop import Shop, open_shop

BEGIN = {"keeper": "1", "share": 1, "logged": False}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(build(tmp_path / "shop")) as shop:
        assert not shop.engine.live.snapshot.name
        yield shop


def _run(work: Callable[[], Awaitable[None]]) -> None:
    """In the kind of event loop that a server has."""

    async def within_a_minute() -> None:
        await asyncio.wait_for(work(), 60)

    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(within_a_minute())


async def _until(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.02)


async def _one_is_ready_in_the_end(shop: Shop) -> None:
    crew = Crew(shop, 1, lambda n: None)
    crew.begin()
    await _until(lambda: crew.ready == 1)
    assert len(crew._members) == 1
    await crew.close()


def test_a_fault_in_a_process_is_one_of_the_service(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    worker = Worker(shop, BEGIN | {"known": shop.engine.known, "settings": shop.settings.model_dump(mode="json")})
    told = {"do": "page", "number": 1, "id": "x", "known": shop.engine.known, "told": {"asked": {"words": "secret"}}}
    frame = read_frame(io.BytesIO(worker.do(told)))
    assert frame is not None
    with pytest.raises(FaultElsewhere):
        Crew(shop, 1, lambda n: None)._taken(*frame)
    assert "secret" not in repr(frame) + "".join(capsys.readouterr())


def test_a_process_that_cannot_say_anything_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def do(self, told: Any) -> bytes:
            raise MemoryError

    def ended(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit):
        _serve(Full(), io.BytesIO(packed({"number": 1})), None)  # type: ignore[arg-type]


def test_a_process_that_cannot_be_begun_is_tried_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, tries = asyncio.create_subprocess_exec, [0]

    async def refused_once(*command: Any, **more: Any) -> Any:
        tries[0] += 1
        if tries[0] == 1:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        return await begin(*command, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused_once)
    monkeypatch.setattr(crews, "_AGAIN_S", (0.01, 0.02))

    _run(lambda: _one_is_ready_in_the_end(shop))


def test_a_process_that_ends_before_it_hears_how_to_begin_is_replaced(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, tries = asyncio.create_subprocess_exec, [0]

    async def ended_at_first(*command: Any, **more: Any) -> Any:
        tries[0] += 1
        if tries[0] > 1:
            return await begin(*command, **more)
        process = await begin(sys.executable, "-c", "", **more)
        await process.wait()
        assert process.stdin is not None
        await _until(process.stdin.is_closing)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", ended_at_first)
    monkeypatch.setattr(crews, "_AGAIN_S", (0.01, 0.02))

    _run(lambda: _one_is_ready_in_the_end(shop))
    assert tries[0] == 2


def test_one_of_whose_pipes_is_broken_is_replaced(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "_AGAIN_S", (0.01, 0.02))

    async def work() -> None:
        crew = Crew(shop, 1, lambda n: None)
        crew.begin()
        await _until(lambda: crew.ready == 1)
        (first,) = crew._members
        first.again.close()
        told, choose = {"asked": {"surface": "home", "k": 3, "market": ""}, "like": ""}, crew._choose
        monkeypatch.setattr(crew, "_choose", lambda *asked: (choose(*asked)[0], True))
        with pytest.raises(crews.NobodyThere):
            await crew.ask("page", told, b"digest")
        await _until(lambda: first not in crew._members and crew.ready == 1)
        assert (await crew.ask("page", told, b"digest")).status_code == 200
        await crew.close()

    _run(work)


def test_those_that_are_not_ready_keep_nobody_waiting_at_the_end(shop: Shop) -> None:
    async def work() -> None:
        crew = Crew(shop, 3, lambda n: None)
        crew.begin()
        await _until(lambda: len(crew._members) == 3)
        members, began_s = list(crew._members), time.monotonic()
        await crew.close()
        assert time.monotonic() - began_s < crews._END_S
        assert [one.process.returncode is None for one in members] == [False] * 3

    _run(work)


def test_counts_never_go_back_whichever_thread_of_a_process_is_heard_first(shop: Shop) -> None:
    class Process:
        returncode = 0
        stdout = asyncio.StreamReader

    async def work() -> None:
        crew, process = Crew(shop, 1, lambda n: None), Process()
        heard = process.stdout()
        one = _Member("1", process, asyncio.WriteTransport())  # type: ignore[arg-type]
        process.stdout = heard  # type: ignore[assignment]
        crew._members.append(one)
        loop, found = asyncio.get_running_loop(), list[int]()
        heard.feed_data(packed({"ready": True}))
        listening = loop.create_task(crew._listen(one))
        for number, kept in enumerate((5, 7, 6)):
            answer = loop.create_future()
            one.waiting[number] = _Asked(answer, again=False)
            heard.feed_data(packed({"number": number, "kept": [kept, 0], "encoder": [0, 0]}))
            await answer
            found.append(crew.counts()[0])
        assert found == [5, 7, 7]
        heard.feed_eof()
        assert await listening

    _run(work)


def test_one_that_has_ended_by_itself_can_be_ended() -> None:
    class Process:
        def kill(self) -> None:
            raise ProcessLookupError

    _kill(_Member("1", Process(), asyncio.WriteTransport()))  # type: ignore[arg-type]


def test_one_that_is_always_asked_is_looked_after_all_the_same(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "_LOOK_S", 0.01)
    monkeypatch.setattr(crews, "_LOOK_LEAST_S", 0.05, raising=False)

    async def work() -> None:
        crew = Crew(shop, 1, lambda n: None)
        crew.begin()
        await _until(lambda: crew.ready == 1)
        (one,), sent, send = crew._members, list[str](), crew._send
        one.waiting[-1] = _Asked(asyncio.get_running_loop().create_future(), again=False)

        def noted(to: _Member, number: int, told: Any, **more: Any) -> "asyncio.Future[Any]":
            sent.append(told["do"])
            return send(to, number, told, **more)

        monkeypatch.setattr(crew, "_send", noted)
        await _until(lambda: len(sent) > 1)
        await crew.close()

    _run(work)


def test_who_answered_lately_is_asked_again_while_nothing_changed_and_has_it_most_likely_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("wares.app.web.workers.asked.time.monotonic", lambda: now_s[0])
    lately = Lately[str](kept_s=100.0)
    assert lately.find(b"q", 1) == (None, False)
    lately.note(b"q", "one", 1, made=True)
    assert lately.find(b"q", 1) == ("one", True)
    assert lately.find(b"q", 2) == (None, False)  # the catalogue was changed
    now_s[0] = 31.0
    assert lately.find(b"q", 1) == ("one", False)  # others may have taken its place
    lately.note(b"q", "one", 1, made=False)
    assert lately.find(b"q", 1) == ("one", True)  # they have not
    now_s[0] = 71.0
    lately.note(b"q", "one", 1, made=False)
    assert lately.find(b"q", 1) == ("one", False)  # it may have ended: some hold shorter
    now_s[0] = 101.0
    assert lately.find(b"q", 1) == (None, False)
    lately.note(b"q", "other", 1, made=False)
    assert lately.find(b"q", 1) == ("other", True)


def test_of_what_processes_ended_over_is_remembered_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [0.0]
    monkeypatch.setattr("wares.app.web.workers.asked.time.monotonic", lambda: now_s[0])
    ended = Ended()
    for many in (1, 2):
        ended.note(b"q")
        assert ended.count(b"q") == many
    assert ended.count(b"other") == 0
    now_s[0] = 600.0
    assert ended.count(b"q") == 0
    ended.note(b"q")
    ended.forgive(b"q")
    assert ended.count(b"q") == 0


def test_of_those_that_wait_for_a_process_the_oldest_of_each_thread_is_at_work() -> None:
    async def work() -> None:
        one = _Member("1", None, asyncio.WriteTransport())  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        assert one.at_work() == set()
        for number, again in ((1, False), (2, False), (3, True), (4, True), (5, False)):
            one.waiting[number] = _Asked(loop.create_future(), again)
        assert one.at_work() == {1, 3}
        del one.waiting[1], one.waiting[3]
        assert one.at_work() == {2, 4}

    _run(work)
