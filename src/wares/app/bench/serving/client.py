"""Clients of a served shop, in a process of their own: `python -m wares.app.bench.serving.client` < a plan in JSON.

Closed loop: each of so many clients asks again as soon as it is answered; only the throughput of that means anything.
Open loop: questions come at random moments (a Poisson process) whether or not earlier ones are answered, and a latency
counts from the moment at which the question should have been sent, so that a server that stalls cannot hide it.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, cast

import numpy as np

from wares.errors import InputError

_LONGEST_S = 10.0  # that an answer is waited for, once all questions are sent
_MOST_CONNECTIONS = 1_024
_STEAL = 8  # place of what is stolen in the first line of /proc/stat


@dataclass(frozen=True, slots=True)
class Question:
    """One request, ready to be sent."""

    method: str
    path: str
    body: str = ""

    def raw(self, headers: Mapping[str, str]) -> bytes:
        content = self.body.encode()
        lines = [f"{self.method} {self.path} HTTP/1.1", "host: localhost", *(f"{n}: {v}" for n, v in headers.items())]
        if content:
            lines += ["content-type: application/json", f"content-length: {len(content)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@dataclass
class Told:
    """What the clients saw. `latencies_ms` are of the answers below 400."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)  # 0 = the connection was lost, or nothing came in time
    latencies_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    with_retry_after: int = 0  # of the 429s and 503s
    client_cpu_s: float = 0.0
    stolen_s: float = 0.0  # of the processors, by the host of a virtual machine, from all who wanted them meanwhile

    @property
    def answered(self) -> int:
        """How many were served."""
        return sum(many for status, many in self.statuses.items() if 200 <= status < 400)

    def figures(self) -> dict[str, Any]:
        """Rates per second, percentiles in ms, every status with its number."""
        figures: dict[str, Any] = {
            "per_s": round(self.answered / self.seconds, 1) if self.seconds else 0.0,
            "statuses": {str(status): many for status, many in sorted(self.statuses.items())},
            "client_cpu_share": round(self.client_cpu_s / self.seconds, 2) if self.seconds else 0.0,
        }
        if self.latencies_ms:
            percentiles = np.percentile(self.latencies_ms, (50, 95, 99)).round(2).tolist()
            figures |= dict(zip(("p50_ms", "p95_ms", "p99_ms"), percentiles, strict=True))
        return figures


def ask_closed(
    port: int,
    questions: Sequence[Question],
    seconds: float,
    clients: int = 16,
    headers: Mapping[str, str] | None = None,
) -> Told:
    """As much as `clients` at a time get answered within `seconds`."""
    return _in_a_process({"port": port, "seconds": seconds, "clients": clients, "rate": 0.0}, questions, headers)


def ask_open(
    port: int, questions: Sequence[Question], seconds: float, rate: float, seed: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Told:  # fmt: skip
    """`rate` questions a second in the mean, for `seconds`."""
    plan = {"port": port, "seconds": seconds, "clients": 0, "rate": rate, "seed": seed}
    return _in_a_process(plan, questions, headers)


def _in_a_process(plan: dict[str, Any], questions: Sequence[Question], headers: Mapping[str, str] | None) -> Told:
    if not questions:
        raise InputError("There is nothing to ask.")
    raw = [one.raw(headers or {}).decode("latin-1") for one in questions]
    with Popen([sys.executable, "-m", __spec__.name], text=True, stdin=PIPE, stdout=PIPE) as child:  # noqa: S603 (our own words)
        told, _ = child.communicate(json.dumps({**plan, "raw": raw}))
    found = json.loads(told)
    statuses = Counter({int(status): many for status, many in found.pop("statuses").items()})
    return Told(statuses=statuses, **found)


class _Connection(asyncio.Protocol):
    """Sends one question at a time and says when its answer is whole: status, or 0 when the connection broke."""

    def __init__(self) -> None:
        self._buffer, self._need = bytearray(), -1
        self._answered: asyncio.Future[tuple[int, bool]] | None = None
        self._transport: asyncio.Transport | None = None
        self._status, self._retry = 0, False

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, and does not derive from it

    def ask(self, raw: bytes) -> "asyncio.Future[tuple[int, bool]]":
        """(status, whether a 429 or 503 says when to come again)"""
        assert self._transport is not None
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._need < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[: end + 2]).lower()
            self._status, self._retry = int(head[9:12]), b"\r\nretry-after:" in head
            _, _, length = head.partition(b"\r\ncontent-length:")
            self._need = end + 4 + int(length.partition(b"\r\n")[0] or 0)
        if len(self._buffer) >= self._need:
            del self._buffer[: self._need]
            self._need = -1
            self._done(self._status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._done(0)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _done(self, status: int) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result((status, self._retry))


async def _connect(port: int) -> _Connection:
    _, connection = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", port)
    return connection


class _Clients:
    def __init__(self, port: int, raw: Sequence[bytes]) -> None:
        self._port, self._raw, self._next = port, raw, 0
        self.told = Told()

    async def closed(self, clients: int, seconds: float) -> None:
        started = time.perf_counter()
        await asyncio.gather(*(self._client(started + seconds) for _ in range(clients)))
        self.told.seconds = time.perf_counter() - started

    async def open(self, rate: float, seconds: float, rng: np.random.Generator) -> None:
        gaps = rng.exponential(1 / rate, int(rate * seconds * 1.2) + 16)
        moments = np.cumsum(gaps)
        idle: list[_Connection] = []
        started, tasks = time.perf_counter(), set[asyncio.Task[None]]()
        for moment in moments[moments < seconds].tolist():
            wait = started + moment - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.add(task := asyncio.create_task(self._one(idle, started + moment)))
            task.add_done_callback(tasks.discard)
            if len(tasks) > _MOST_CONNECTIONS:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self.told.seconds = time.perf_counter() - started
        if tasks:
            await asyncio.wait(tasks, timeout=_LONGEST_S)
        self.told.statuses[0] += len(tasks)
        for connection in idle:
            connection.close()

    async def _client(self, until: float) -> None:
        connection = await _connect(self._port)
        while time.perf_counter() < until:
            if not connection.is_open:
                connection = await _connect(self._port)
            await self._ask(connection, time.perf_counter())
        connection.close()

    async def _one(self, idle: list[_Connection], meant_at: float) -> None:
        connection = None
        while idle and connection is None:
            last = idle.pop()
            connection = last if last.is_open else None
        try:
            connection = connection or await _connect(self._port)
        except OSError:
            self.told.statuses[0] += 1
            return
        await self._ask(connection, meant_at)
        if connection.is_open:
            idle.append(connection)

    async def _ask(self, connection: _Connection, meant_at: float) -> None:
        raw = self._raw[self._next % len(self._raw)]
        self._next += 1
        status, retry = await connection.ask(raw)
        took_ms = (time.perf_counter() - meant_at) * 1000
        self.told.statuses[status] += 1
        if 200 <= status < 400:
            self.told.latencies_ms.append(took_ms)
        elif status in (429, 503):
            self.told.refused_ms.append(took_ms)
            self.told.with_retry_after += retry


def stolen_s() -> float:
    """Processor seconds so far that the host of this machine has given to others while somebody here waited for them;
    0 where the system does not tell."""
    try:
        first, _, _ = Path("/proc/stat").read_text(encoding="ascii").partition("\n")
        return int(first.split()[_STEAL]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def _light_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, as the server has it: clients share the cores with it, and are not what is measured."""
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


def _main() -> None:
    plan = json.load(sys.stdin)
    clients = _Clients(plan["port"], [one.encode("latin-1") for one in plan["raw"]])
    began, stolen = time.process_time(), stolen_s()
    if plan["rate"]:
        work = clients.open(plan["rate"], plan["seconds"], np.random.default_rng(plan["seed"]))
    else:
        work = clients.closed(plan["clients"], plan["seconds"])
    with asyncio.Runner(loop_factory=_light_loop()) as runner:
        runner.run(work)
    told = clients.told
    told.client_cpu_s, told.stolen_s = time.process_time() - began, stolen_s() - stolen
    print(json.dumps(vars(told)))


if __name__ == "__main__":
    _main()
