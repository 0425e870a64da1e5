"""Where questions are worked out: in a thread, or in one of the processes that a service has for it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from wares.app.web.threads import Threads
from wares.app.web.work import WORK
from wares.app.web.workers.asked import digest_of
from wares.app.web.workers.crew import Crew, NobodyThere
from wares.engine.cursors import keeper_of
from wares.shop import Shop


class Answering:
    """`crews`: the processes of a shop, where it has some. Routes ask this one, and nobody else knows of processes.

    `at_once`: answers that threads work on beside the processes, whose number lets more questions in than that.
    """

    def __init__(self, threads: Threads, crews: Mapping[Shop, Crew] | None = None, at_once: int = 1) -> None:
        self._threads, self._crews = threads, crews or {}
        self._beside = asyncio.Semaphore(at_once)

    async def work(self, shop: Shop, work: str, told: Mapping[str, Any]) -> Response:
        """What the work of this name comes to (`wares.app.web.work`); raises what it raises, and Refused where
        processes have ended over it."""
        crew, asked = self._crews.get(shop), told["asked"]
        cursor = asked.get("cursor", "") if isinstance(asked, Mapping) else ""
        if crew is not None:
            digest = digest_of(work, told)
            if crew.ready and (keeper_of(cursor) or not _is_charged(shop, asked)):
                try:
                    return await crew.ask(work, told, digest, cursor)
                except NobodyThere:
                    pass
            crew.spare(digest)
        if any(crew.ready for crew in self._crews.values()):
            async with self._beside:
                return await self._threads.run(WORK[work], shop, told)
        return await self._threads.run(WORK[work], shop, told)


def _is_charged(shop: Shop, asked: object) -> bool:
    """Whether campaigns may offer money for places of this answer: their accounts are kept in this process."""
    if not shop.engine.campaigns.running or not isinstance(asked, Mapping):
        return False
    return bool(asked.get("shopper")) and not asked.get("organic")
