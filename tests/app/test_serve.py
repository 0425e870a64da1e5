"""How the service listens."""

import asyncio
import gc
import socket
import weakref
from pathlib import Path

from served_shop import build

from wares.app.web.garbage import look_seldom, look_through, look_while_idle, set_aside
from wares.app.web.serve import bound
from wares.shop import open_shop
from wares.training.child import train_here
from wares.training.progress import silent


def test_what_an_answer_sends_last_does_not_wait_until_the_client_confirms_the_first() -> None:
    async def sends_at_once() -> bool:
        found: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            found.set_result(bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            writer.close()

        with bound("127.0.0.1", 0) as listening:
            async with await asyncio.start_server(greet, sock=listening):
                _, writer = await asyncio.open_connection(*listening.getsockname())
                answer = await found
                writer.close()
                await writer.wait_closed()
        return answer

    assert asyncio.run(sends_at_once())


def test_what_is_set_aside_is_not_walked_through_again() -> None:
    try:
        set_aside()
        before = gc.get_freeze_count()
        more: list[list[int]] = [[] for _ in range(1_000)]
        assert len(gc.get_objects()) < before / 10
        set_aside()  # the next snapshot is there
        assert gc.get_freeze_count() > before + len(more) / 2
    finally:
        gc.unfreeze()


def test_what_holds_itself_is_found_when_it_is_looked_for_and_not_before() -> None:
    class Ring:
        def __init__(self) -> None:
            self.me = self

    before = gc.get_threshold()
    try:
        gc.collect()
        look_seldom()
        ring = weakref.ref(Ring())
        for _ in range(3):
            assert len([[] for _ in range(15_000)]) == 15_000  # each of these would have been a reason to look
        assert ring() is not None
        assert look_through() > 0
        assert ring() is None
    finally:
        gc.set_threshold(*before)


def test_who_has_nothing_else_to_do_looks_through_the_youngest_where_they_are_many() -> None:
    before = gc.get_threshold()
    try:
        gc.collect()
        look_seldom()
        look_while_idle()
        few = gc.get_count()[0]
        many: list[list[int]] = [[] for _ in range(3_000)]
        assert gc.get_count()[0] > len(many) > few
        look_while_idle()
        assert gc.get_count()[0] < 1_000
    finally:
        gc.set_threshold(*before)


def test_a_snapshot_that_is_replaced_goes_without_the_garbage_collector(tmp_path: Path) -> None:
    with open_shop(build(tmp_path / "shop")) as shop:
        train_here(shop.folder, silent)
        shop.engine.refresh()
        shop.ask("search", query="milk", k=0)
        gc.collect()
        gc.disable()
        try:
            old = weakref.ref(shop.engine.live.snapshot)
            shop.engine.serving.reload()
            assert old() is None
        finally:
            gc.enable()
