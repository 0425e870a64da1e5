"""`wares bench serve`: how much a served shop withstands, and how fast it answers meanwhile.

Peaks come from a closed loop of 16 clients and say nothing of latency. Latencies come from an open loop (Poisson
arrivals at a stated rate) and count from the moment at which a question should have been sent. Clients run in a process
of their own and share the cores with the server.
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY
from subprocess import run
from typing import Any

import numpy as np

from wares.app.bench.serving import made_up_shop
from wares.app.bench.serving.client import Question, Told, ask_closed, ask_open
from wares.app.bench.serving.made_up_shop import shoppers_of
from wares.app.bench.serving.questions import Questions, hiding, home_of
from wares.app.bench.serving.server import Server, served
from wares.errors import InputError, TrainingError, UnknownName

Tell = Callable[[str, int, int], None]
_RATES = {  # questions a second of the open loop
    "search_cold": 60.0, "search_warm": 240.0, "recommend": 240.0, "suggest": 240.0, "ingest": 60.0,
    "ingest_single": 400.0,
}  # fmt: skip
ROWS = (*_RATES, "event_to_answer", "overload", "soak")
_LEAST = 1_000
_CLIENTS = 16
_BATCH = 100  # events
_WARM_UP_S, _UNTIL_KEPT_S = 2.0, 60.0  # the latter where repeated questions are asked
_CHANGES = 200  # events whose answer is looked at
_TIMES_PEAK = 3.0
_FILLING_STEP_S = 15.0
_STEPS, _STAYS = 4, 0.005  # memory that keeps within this share for so many of them is at its bound


def serve_figures(
    products: int,
    *,
    shop: Path | None,
    only: Sequence[str],
    seconds: float,
    overload_s: float,
    soak_s: float,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """One entry for each of `ROWS`, or of `only`; the soak where `soak_s` is above 0. `shop`: where the made-up shop is
    kept for another time."""
    for name in only:
        if name not in ROWS:
            raise UnknownName("row", name, ROWS)
    if products < _LEAST:
        raise InputError(f"products is {products}; it must be at least {_LEAST:,}.")
    if "soak" in only and soak_s <= 0:
        raise InputError("The row soak takes its time from --soak SECONDS.")
    chosen = [name for name in ROWS if name in only or (not only and (name != "soak" or soak_s > 0))]
    with tempfile.TemporaryDirectory(prefix="wares-serve-") as scratch:
        folder = shop or Path(scratch) / "shop"
        if not (folder / "snapshots").exists():
            tell("Building a shop", 0, 1)
            _build(folder, products, seed)
            tell("Building a shop", 1, 1)
        questions = Questions(products, seed)
        figures: dict[str, Any] = {"machine": _machine(), "products": products, "shoppers": shoppers_of(products)}
        with served(folder) as server:
            figures["ready_s"] = round(server.ready_s, 2)
            rows = _Rows(server, questions, seconds, np.random.default_rng(seed))
            for done, name in enumerate(chosen):
                tell(name, done, len(chosen))
                figures[name] = rows.measure(name, overload_s, soak_s)
            tell(chosen[-1], len(chosen), len(chosen))
            figures["memory_mb"] = round(server.memory_mb(), 1)
    return figures


class _Rows:
    def __init__(self, server: Server, questions: Questions, seconds: float, rng: np.random.Generator) -> None:
        self._server, self._questions, self._seconds, self._rng = server, questions, seconds, rng
        self._peaks: dict[str, float] = {}

    def measure(self, name: str, overload_s: float, soak_s: float) -> dict[str, Any]:
        """The row of this name."""
        if name == "event_to_answer":
            return self.event_to_answer()
        if name == "overload":
            return self.overload(overload_s)
        return self.soak(soak_s) if name == "soak" else self.asked(name)

    def asked(self, name: str) -> dict[str, Any]:
        """Peak and latency of one kind of question; no question comes twice unless the row is about that."""
        rate = _RATES[name]
        self._warm_up(name, min(_WARM_UP_S, 2 * self._seconds))
        self._server.wait_for_workers()
        if name == "search_warm":
            self._warm_up(name, min(_UNTIL_KEPT_S, 8 * self._seconds))
        before, cpu_s = self._kept(), self._server.cpu_s()
        closed = ask_closed(self._server.port, self._draw(name, int(2_500 * self._seconds)), self._seconds, _CLIENTS)
        closed_cpu_s, kept = self._server.cpu_s() - cpu_s, self._kept()
        peak = self._peaks[name] = closed.answered / closed.seconds
        cpu_s = self._server.cpu_s()
        opened = ask_open(self._server.port, self._draw(name, int(2 * rate * self._seconds)), self._seconds, rate)
        found = {
            "peak_rps": round(peak, 1),
            "rate": rate,
            **opened.figures(),
            "cores_at_peak": _shares(closed, closed_cpu_s),
            "cores_at_rate": _shares(opened, self._server.cpu_s() - cpu_s),
            "server_ms_per_request": round(1000 * closed_cpu_s / max(closed.answered, 1), 2),
            "statuses_at_peak": closed.figures()["statuses"],
        }
        asked = kept[0] + kept[1] - sum(before)
        if name.startswith("search") or name == "recommend":
            found["kept_share"] = round((kept[0] - before[0]) / asked, 3) if asked else 0.0
        if name == "ingest":
            found["events_per_s"] = round(peak * _BATCH)
        return found

    def _warm_up(self, name: str, seconds: float) -> None:
        ask_closed(self._server.port, self._draw(name, int(1_000 * seconds)), seconds, _CLIENTS)

    def event_to_answer(self) -> dict[str, Any]:
        """From sending an event until an answer that knows of it is here, in ms; how many answers did not."""
        line = HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        line.connect()
        line.sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # else the body waits 40 ms for word that the headers came
        took_ms, unchanged = [], 0
        for whose in (f"u{i}" for i in self._rng.permutation(self._questions.shoppers)[:_CHANGES].tolist()):
            if not (first := _ask(line, home_of(whose))["hits"]):
                continue
            top = first[0]["product"]["id"]
            started = time.perf_counter()
            _ask(line, hiding(whose, top))
            then = _ask(line, home_of(whose))["hits"]
            took_ms.append((time.perf_counter() - started) * 1000)
            unchanged += any(hit["product"]["id"] == top for hit in then)
        line.close()
        p50, p99 = np.percentile(took_ms, (50, 99)).round(2).tolist()
        return {"events": len(took_ms), "p50_ms": p50, "p99_ms": p99, "unchanged": unchanged}

    def overload(self, seconds: float) -> dict[str, Any]:
        """New searches at three times the rate that the server can answer."""
        peak = self._peaks.get("search_cold") or self.asked("search_cold")["peak_rps"]
        rate, before_mb = _TIMES_PEAK * peak, self._server.memory_mb()
        asked = self._draw("search_cold", min(int(rate * seconds), 20_000))
        told = ask_open(self._server.port, asked, seconds, rate)
        refused = {f"refused_{name}_ms": round(float(np.percentile(told.refused_ms, share)), 2) for name, share in
                   (("p50", 50), ("p99", 99)) if told.refused_ms}  # fmt: skip
        others = {status: many for status, many in told.statuses.items() if many and status not in (200, 429, 503)}
        return {
            "rate": round(rate, 1),
            **told.figures(),
            "goodput_of_peak": round(told.answered / told.seconds / peak, 3),
            **refused,
            "refused_without_retry_after": told.statuses[429] + told.statuses[503] - told.with_retry_after,
            "other_statuses": others,
            "memory_growth": round(self._server.memory_mb() / before_mb - 1, 4),
        }

    def soak(self, seconds: float) -> dict[str, Any]:
        """All kinds of questions at a moderate rate, once what is kept up to a bound has come to it: what grows then
        would go on growing. Memory at the end is compared with that when the soak began, and with that after half."""
        rate, sixth, filling = 60.0, seconds / 6, self._fill(seconds)
        told, memory_mb = [], [filling[-1]]
        for seed in range(6):
            asked = self._questions.mixed(int(rate * sixth) + 10)
            told.append(ask_open(self._server.port, asked, sixth, rate, seed))
            memory_mb.append(self._server.memory_mb())
        statuses = sum((one.statuses for one in told), start=type(told[0].statuses)())
        return {
            "seconds": seconds,
            "rate": rate,
            "statuses": {str(status): many for status, many in sorted(statuses.items()) if many},
            "memory_mb": round(memory_mb[0], 1),
            "memory_growth": round(memory_mb[-1] / memory_mb[0] - 1, 4),
            "memory_growth_last_half": round(memory_mb[-1] / memory_mb[3] - 1, 4),
            "memory_mb_by_sixth": [round(one, 1) for one in memory_mb[1:]],
            "memory_mb_filling": [round(one, 1) for one in filling],
        }

    def _fill(self, most_s: float) -> list[float]:
        """Ask as much as can be answered until memory stays where it is, `most_s` at most; what it was before and after
        each step."""
        step_s, memory_mb = min(most_s, _FILLING_STEP_S), [self._server.memory_mb()]
        for _ in range(int(most_s / step_s)):
            asked = self._questions.mixed(int(1_000 * step_s))
            ask_closed(self._server.port, asked, step_s, _CLIENTS)
            self._server.wait_for_workers()
            memory_mb.append(self._server.memory_mb())
            late = memory_mb[-_STEPS - 1 :]
            if len(late) > _STEPS and max(late) < (1 + _STAYS) * min(late):
                break
        return memory_mb

    def _draw(self, name: str, n: int) -> list[Question]:
        questions = self._questions
        draw: dict[str, Callable[[int], list[Question]]] = {
            "search_cold": questions.new_searches,
            "search_warm": questions.repeated_searches,
            "recommend": questions.homes,
            "suggest": questions.suggestions,
            "ingest": lambda n: questions.events(min(n, int(400 * self._seconds)), _BATCH),
            "ingest_single": lambda n: questions.events(n, 1),
        }
        return draw[name](n)

    def _kept(self) -> tuple[int, int]:
        """(answers that were given again, that were worked out) so far, by the server's own count."""
        line = HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        line.request("GET", "/metrics")
        told = line.getresponse().read().decode()
        line.close()
        found = {line.partition("{")[0]: line.rpartition(" ")[2] for line in told.splitlines() if line[:1] != "#"}
        kept, made = (float(found.get(f"wares_answers_{name}_total", 0)) for name in ("kept", "made"))
        return int(kept), int(made)


def _build(folder: Path, products: int, seed: int) -> None:
    """In a process of its own, so that its memory does not count."""
    command = [sys.executable, "-m", made_up_shop.__name__, str(folder), str(products), str(seed)]
    if run(command, check=False).returncode:  # noqa: S603 (our own words)
        raise TrainingError(f"{' '.join(command[2:])} failed.")


def _ask(line: HTTPConnection, question: Question) -> dict[str, Any]:
    line.request(question.method, question.path, question.body, {"content-type": "application/json"})
    answer: dict[str, Any] = json.loads(line.getresponse().read())
    return answer


def _shares(told: Told, server_cpu_s: float) -> dict[str, float]:
    """How many cores were busy with what. `stolen`: this machine is a guest, and its host gave them to others."""
    spent_s = {"server": server_cpu_s, "clients": told.client_cpu_s, "stolen": told.stolen_s}
    return {name: round(one / told.seconds, 2) for name, one in spent_s.items()}


def _machine() -> dict[str, Any]:
    load = [round(one, 1) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None
    return {"cores": os.cpu_count(), "load": load, "platform": platform.platform(terse=True)}
