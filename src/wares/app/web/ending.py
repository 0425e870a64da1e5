"""The end of a server: said at once, and come to when the running requests are answered."""

import asyncio
import socket
import time
from types import FrameType

import uvicorn

from wares.app.web.watching.readiness import Service

_GRACE_S = 5  # that running requests have, all in all
_LOOK_S = 0.05


class EndingServer(uvicorn.Server):
    """`/readyz` says `draining` from the signal on. New connections are taken, and answered, until the requests that
    ran at the signal are answered, so that whoever sends requests here hears of it and sends them elsewhere."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        config.timeout_graceful_shutdown = _GRACE_S
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has come; a second Ctrl-C ends it at once."""
        self._service.draining = True
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """First the requests that run now; then no more connections."""
        began_s, running = time.monotonic(), set(self.server_state.tasks)
        while running and not self.force_exit and time.monotonic() - began_s < _GRACE_S:
            _, running = await asyncio.wait(running, timeout=_LOOK_S)
        # who came meanwhile has the rest of the time
        self.config.timeout_graceful_shutdown = max(1, _GRACE_S - int(time.monotonic() - began_s))
        await super().shutdown(sockets)
