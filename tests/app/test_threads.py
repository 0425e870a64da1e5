"""Work in threads sees who asked, and its faults come back; a server asks its own thread what needs none."""

import asyncio
import inspect
import threading
from pathlib import Path

import httpx
import pytest
from served_shop import build
from starlette.responses import Response

from wares.app.web.http import make_app
from wares.app.web.threads import Threads
from wares.app.web.watching.record import begin_record, current
from wares.errors import InputError
from wares.shop import open_shop


def test_work_runs_in_another_thread_with_the_request_it_belongs_to() -> None:
    threads = Threads(2)

    async def work() -> tuple[str, bool]:
        begin_record("mine")
        return await threads.run(lambda: (current().id, threading.current_thread() is threading.main_thread()))

    assert asyncio.run(work()) == ("mine", False)
    threads.close()


def test_a_route_keeps_its_signature_and_raises_what_its_work_raises() -> None:
    threads = Threads(1)

    @threads.route
    def refuse(shop: str, k: int = 8) -> Response:
        raise InputError(f"{shop} {k}")

    assert list(inspect.signature(refuse).parameters) == ["shop", "k"]
    assert inspect.iscoroutinefunction(refuse)
    with pytest.raises(InputError, match="tea 3"):
        asyncio.run(refuse(shop="tea", k=3))
    threads.close()


def test_an_answer_takes_one_hand_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = list[object]()
    run = Threads.run

    async def counted(self: Threads, work: object, *args: object, **more: object) -> object:
        handed.append(work)
        return await run(self, work, *args, **more)  # type: ignore[arg-type]

    def elsewhere(*args: object, **more: object) -> None:
        raise AssertionError("handed over by the framework")

    monkeypatch.setattr(Threads, "run", counted)
    monkeypatch.setattr("anyio.to_thread.run_sync", elsewhere)
    with open_shop(build(tmp_path / "shop")) as shop:
        app = make_app({"default": shop})

        async def ask() -> list[int]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
                found = await client.post("/v1/search", json={"query": "milk"})
                told = await client.post("/v1/events", json={"events": []})
                return [found.status_code, told.status_code]

        assert asyncio.run(ask()) == [200, 200]
    assert len(handed) == 2


def test_who_asks_for_suggestions_alone_keeps_nobody_from_searching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    with open_shop(build(tmp_path / "shop")) as shop:
        app = make_app({"default": shop})
        monkeypatch.setattr(shop, "suggest", lambda *asked: [] if go_on.wait(30) else None)

        async def ask() -> list[int]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
                flood = [asyncio.create_task(client.get("/v1/suggest?q=m")) for _ in range(200)]
                await asyncio.sleep(0)
                found = await client.post("/v1/search", json={"query": "milk"})
                go_on.set()
                return [found.status_code, *(one.status_code for one in await asyncio.gather(*flood))]

        try:
            assert asyncio.run(asyncio.wait_for(ask(), 25)) == [200] * 201
        finally:
            go_on.set()
