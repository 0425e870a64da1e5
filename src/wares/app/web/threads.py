"""Work that waits or computes, in threads beside the event loop. Handed over plainly, which costs a sixth of what the
framework's own way takes: there everything that is not async goes to a thread by itself, who asks as well as what."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from starlette.responses import Response

T = TypeVar("T")
# Who computes in Python lets others in after so long (`sys.setswitchinterval`). At the usual 5 ms a quick request that
# meets a snapshot being loaded, or another answer, waits 5 ms each time that it needs the interpreter again.
SWITCH_S = 0.0005


class Threads:
    """At most `most` of them, each begun when it is first needed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool = self._new_pool()

    async def run(self, work: Callable[..., T], *args: Any, **more: Any) -> T:
        """What the work returns or raises; it sees the context of who calls."""
        whole = functools.partial(copy_context().run, work, *args, **more)
        return await asyncio.get_running_loop().run_in_executor(self._pool, whole)

    def route(self, work: Callable[..., Response]) -> Callable[..., Coroutine[Any, Any, Response]]:
        """A route, described as before, that runs in a thread."""

        @functools.wraps(work)
        async def handed_over(*args: Any, **more: Any) -> Response:
            return await self.run(work, *args, **more)

        return handed_over

    def close(self) -> None:
        """Wait for what runs, and let the threads go; an app that is begun again gets new ones."""
        pool, self._pool = self._pool, self._new_pool()
        pool.shutdown()

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._most, thread_name_prefix="answers")
