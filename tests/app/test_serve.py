"""How the service listens."""

import asyncio
import socket

from wares.app.web.serve import bound


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
