"""How the service listens."""

import asyncio
import gc
import socket
import weakref

from wares.app.web.serve import bound, set_aside


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


class _Thing:
    """Refers to itself, so that only the garbage collector can let go of it."""

    def __init__(self) -> None:
        self.me = self


def test_what_stays_is_not_walked_through_and_an_old_snapshot_still_goes() -> None:
    thing = _Thing()
    seen = weakref.ref(thing)
    try:
        set_aside()
        assert not any(one is thing for one in gc.get_objects())
        del thing
        gc.collect()
        assert seen() is not None  # which nothing looks at
        set_aside()  # the next snapshot is there
        assert seen() is None
    finally:
        gc.unfreeze()
