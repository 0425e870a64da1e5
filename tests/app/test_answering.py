"""Who works out an answer: a thread of the serving process, or a process beside it."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from served_shop import build
from starlette.responses import Response

from wares.app.web import answering
from wares.app.web.answering import Answering
from wares.app.web.threads import Threads
from wares.shop import Shop, open_shop

ASKED = {"asked": {"shopper": "s1"}}


class Processes:
    """A crew that can be asked."""

    ready = 2

    async def ask(self, work: str, told: Mapping[str, Any], digest: bytes, cursor: str = "") -> Response:
        return Response("beside")

    def spare(self, digest: bytes) -> None: ...


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(build(tmp_path / "shop")) as shop:
        yield shop


def _add(shop: Shop) -> None:
    told = {"name": "a", "label": "A", "products": ["p0"], "bid": 50, "budget": 1000}
    shop.campaigns.add(told, "Anna", "they asked", now=datetime.now(UTC))


def test_where_a_campaign_has_ended_processes_answer_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "WORK", {"page": lambda shop, told: Response("here")})
    threads = Threads(2)
    asking = Answering(threads, {shop: Processes()})  # type: ignore[dict-item]

    def asked() -> bytes:
        return bytes(asyncio.run(asking.work(shop, "page", ASKED)).body)

    assert asked() == b"beside"
    _add(shop)
    assert asked() == b"here"
    shop.campaigns.change("end", "a", "Anna", "over", now=datetime.now(UTC))
    assert asked() == b"beside"
    threads.close()


def test_threads_answer_no_more_at_once_because_there_are_processes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, running, most = threading.Lock(), [0], [0]

    def slow(shop: Shop, told: Any) -> Response:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1
        return Response("here")

    monkeypatch.setattr(answering, "WORK", {"page": slow})
    _add(shop)
    threads = Threads(20)
    asking = Answering(threads, {shop: Processes()}, 2)  # type: ignore[dict-item]

    async def work() -> None:
        await asyncio.gather(*(asking.work(shop, "page", ASKED) for _ in range(12)))

    asyncio.run(work())
    assert most == [2]
    threads.close()
