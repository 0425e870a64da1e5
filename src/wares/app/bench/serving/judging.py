"""Clients that judge each answer by what its snapshot has answered before, in a process of their own:
`python -m wares.app.bench.serving.judging` < a plan in JSON, which ends them when it ends.

A latency counts from the moment at which the question should have been sent until the answer is there, unread.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from subprocess import PIPE, Popen
from typing import Any

import numpy as np

_K, _CLIENTS = 12, 16
_LONGEST_S = 120.0  # that an answer is waited for
_FOLLOWED = 0.2  # of the answers, whose next page is asked for, too
Answer = tuple[int, tuple[tuple[str, float | None], ...]]  # total, (product, price) of each hit
Known = Mapping[tuple[str, int, int], Answer]  # (snapshot, question, page 0 or 1)


@dataclass
class Seen:
    """What the clients met."""

    took_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    expired: int = 0
    by_snapshot: dict[str, int] = field(default_factory=dict)


def questions() -> list[tuple[str, dict[str, Any]]]:
    """(path, body) of all that is asked."""
    words = ("bread", "steel kettle", "cotton shirt", "tea", "red lamp", "drill")
    asked: list[tuple[str, dict[str, Any]]] = [("/v1/search", {"query": query}) for query in words]
    asked += [("/v1/recommend", {"shopper": f"s{i}"}) for i in range(4)]
    return [*asked, ("/v1/recommend", {}), ("/v1/browse", {}), ("/v1/browse", {"category": "Food"})]


def connected(port: int) -> HTTPConnection:
    return HTTPConnection("127.0.0.1", port, timeout=_LONGEST_S)


def ask(connection: HTTPConnection, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """Status and body of one answer."""
    connection.request("POST", path, json.dumps({"k": _K, **body}), {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def said(page: dict[str, Any]) -> Answer:
    """What is compared. A hit is its product, or has its fields."""
    hits = (hit.get("product", hit) for hit in page["hits"])
    return int(page["total"]), tuple((hit["id"], hit["price"]) for hit in hits)


def asked_meanwhile(port: int, known: Known, rate: float, seed: int, work: Callable[[], None]) -> Seen:
    """What clients meet that ask at random moments (a Poisson process), `rate` a second, as long as `work` takes."""
    plan = {"port": port, "rate": rate, "seed": seed, "known": [[*at, *answer] for at, answer in known.items()]}
    with Popen([sys.executable, "-m", __spec__.name], text=True, stdin=PIPE, stdout=PIPE) as child:  # noqa: S603 (our own words)
        assert child.stdin is not None
        child.stdin.write(json.dumps(plan) + "\n")
        child.stdin.flush()
        try:
            work()
        finally:
            told, _ = child.communicate()
    return Seen(**json.loads(told))


class _Clients:
    def __init__(self, port: int, known: Known) -> None:
        self._port, self._known = port, known
        self._lock, self._own = threading.Lock(), threading.local()
        self.seen = Seen()

    def one(self, due_s: float, number: int, follow: bool) -> None:
        """Ask one question, that was due then, and its second page where that is wanted."""
        seen = self.seen
        try:
            path, body = questions()[number]
            status, told = self._first(path, body)
            took_ms = (time.monotonic() - due_s) * 1000
            page = json.loads(told)
            name = page.get("snapshot", "")
            with self._lock:
                seen.took_ms.append(took_ms)
                seen.by_snapshot[name] = seen.by_snapshot.get(name, 0) + 1
                self._judge(status, page, (name, number, 0))
            if follow and status == 200 and page["cursor"]:
                status, told = ask(self._own.connection, path, {**body, "cursor": page["cursor"]})
                with self._lock:
                    self._judge(status, json.loads(told), (name, number, 1))
        except (OSError, HTTPException, ValueError, KeyError) as error:
            self._own.__dict__.pop("connection", None)
            with self._lock:
                seen.errors.append(f"{type(error).__name__}: {error}")

    def _first(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        """On this thread's connection, or on a new one where the server has closed that since it was last used."""
        if hasattr(self._own, "connection"):
            try:
                return ask(self._own.connection, path, body)
            except (ConnectionError, HTTPException):
                self._own.connection.close()
        self._own.connection = connected(self._port)
        return ask(self._own.connection, path, body)

    def _judge(self, status: int, page: dict[str, Any], at: tuple[str, int, int]) -> None:
        if status == 410 and at[2]:
            self.seen.expired += 1
        elif status != 200:
            self.seen.errors.append(f"{status}: {page.get('detail', '')}")
        elif page["snapshot"] != at[0] or self._known.get(at) != said(page):
            named = page["snapshot"]
            self.seen.mixed.append(f"question {at[1]}, page {at[2] + 1}: named {named}, began with {at[0]}")


def _await_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _main() -> None:
    plan = json.loads(sys.stdin.readline())
    known = {
        (name, number, page): (total, tuple((one, price) for one, price in hits))
        for name, number, page, total, hits in plan["known"]
    }
    ended = threading.Event()
    threading.Thread(target=_await_the_end, args=(ended,), daemon=True).start()
    clients, rng, asked = _Clients(plan["port"], known), np.random.default_rng(plan["seed"]), len(questions())
    due_s = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        while not ended.is_set():
            due_s += float(rng.exponential(1 / plan["rate"]))
            time.sleep(max(0.0, due_s - time.monotonic()))
            pool.submit(clients.one, due_s, int(rng.integers(asked)), bool(rng.random() < _FOLLOWED))
    print(json.dumps(vars(clients.seen)))


if __name__ == "__main__":
    _main()
