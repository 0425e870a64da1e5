"""Snapshots are exchanged under load: does every answer come from exactly one of them, and what does it cost?

A server of a made-up shop is asked all the time while the current snapshot changes among three that answer
differently. What each of them answers is noted before; afterwards every answer must be word for word that of the
snapshot that it names, the pages behind a cursor those of the snapshot that the first page named.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from wares.app.bench.made_up import made_up_products
from wares.app.bench.serving.judging import Answer, Seen, ask, asked_meanwhile, connected, questions, said
from wares.domain.event import Event, EventKind
from wares.engine.learnt import SNAPSHOTS
from wares.engine.settings import FILE_NAME
from wares.engine.shelf import all_snapshot_names, make_current
from wares.errors import TrainingError
from wares.shop import open_shop
from wares.training.child import train_here
from wares.training.progress import Tell

_SETTINGS = (
    '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "co_bought"]\n[promotion]\ncompare = false\n'
    "[server]\nrate_per_address = 0\nrate_per_shopper = 0\n"
)
_SNAPSHOTS = 3
_WAIT_S, _WARM_UP_S = 120.0, 5.0


def swap_figures(
    times: int, *, products: int, rate: float, seed: int, tell: Tell, workers: int = 2, kept: bool = False
) -> dict[str, Any]:
    """`times` swaps at `rate` requests a second, after the same load without any. `workers`: the setting of the
    server, for as few requests as these would start none. `kept`: let it give again what it has kept, as a shop does,
    and have its processes work out anew behind a swap what is asked often."""
    with tempfile.TemporaryDirectory(prefix="wares-swaps-") as scratch:
        folder = Path(scratch) / "shop"
        _build(folder, products, workers, kept, seed, tell)
        with serving(folder) as port:
            known = _known_answers(folder, port, tell)
            asked = partial(asked_meanwhile, port, known, rate)
            asked(seed, lambda: _wait(_WARM_UP_S, tell))  # whoever answers has seen each question
            before = asked(seed + 1, lambda: _wait(max(4.0, 0.3 * times), tell))
            during = asked(seed + 2, lambda: _swap(folder, port, times, tell))
    alone, swapped = _figures(before), _figures(during)
    return {
        "products": products, "workers": workers, "kept": kept, "swaps": times, "rate_per_s": rate,
        "without": alone, "with": swapped,
        "p99_ratio": round(swapped["p99_ms"] / alone["p99_ms"], 2),
        "mixed_answers": len(before.mixed) + len(during.mixed), "cursors_expired": before.expired + during.expired,
        "answers_by_snapshot": dict(sorted(during.by_snapshot.items())),
        "examples": [*during.errors, *during.mixed, *before.errors, *before.mixed][:5],
    }  # fmt: skip


def _figures(seen: Seen) -> dict[str, Any]:
    p50, p95, p99 = np.percentile(seen.took_ms, (50, 95, 99)).round(1).tolist()
    return {"requests": len(seen.took_ms), "errors": len(seen.errors), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def _build(folder: Path, n: int, workers: int, kept: bool, seed: int, tell: Tell) -> None:
    """Snapshots that differ by what sold best before each."""
    tell("Building a shop", 0, _SNAPSHOTS)
    folder.mkdir(parents=True)
    own = f"workers = {workers}\n" + ("" if kept else "answers_kept_s = 0\n")
    (folder / FILE_NAME).write_text(_SETTINGS + own, encoding="utf-8")
    rng, day_ms, now_ms = np.random.default_rng(seed), 86_400_000, int(time.time() * 1000)
    with open_shop(folder) as shop:
        made = made_up_products(n, seed)
        while some := list(islice(made, 20_000)):
            shop.write_products(some)
        for place in range(_SNAPSHOTS):
            liked, buyers = rng.integers(0, n, 4_000), rng.integers(0, 500, 4_000)
            shop.writer().events.append(
                Event(EventKind.PURCHASE, now_ms - (_SNAPSHOTS - place) * day_ms + i, f"s{buyer}", f"p{product}")
                for i, (buyer, product) in enumerate(
                    zip(buyers.tolist(), (liked % (n // 20 + 1) * 17 % n).tolist(), strict=True)
                )
            )
            train_here(folder, lambda *told: None)
            tell("Building a shop", place + 1, _SNAPSHOTS)


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """The port of a `wares serve` in a process of its own."""
    command = [sys.executable, "-m", "wares", "serve", str(folder), "--port", "0", "--json"]
    free = {name: value for name, value in os.environ.items() if name != "WARES_ADMIN_KEY"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=free) as server:  # noqa: S603 (our own words)
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            if not said.strip():
                raise TrainingError("The server that was to be measured did not start.")
            yield int(urlsplit(json.loads(said)["url"]).port or 0)
        finally:
            server.terminate()
            server.wait(20)


def _known_answers(folder: Path, port: int, tell: Tell) -> dict[tuple[str, int, int], Answer]:
    """(snapshot, question, page 0 or 1) -> the answer, with nothing else going on."""
    known: dict[tuple[str, int, int], Answer] = {}
    names = all_snapshot_names(folder / SNAPSHOTS)[-_SNAPSHOTS:]
    for place, name in enumerate(names):
        tell("Noting the answers", place, len(names))
        make_current(folder / SNAPSHOTS, name)
        _await(port, name)
        connection = connected(port)
        for number, (path, body) in enumerate(questions()):
            status, page = _page(connection, path, body)
            if status != 200 or page["snapshot"] != name:
                raise TrainingError(f"{path} was answered with {status} by {page.get('snapshot')}, not by {name}.")
            known[name, number, 0] = said(page)
            if page["cursor"]:
                known[name, number, 1] = said(_page(connection, path, {**body, "cursor": page["cursor"]})[1])
        connection.close()
    tell("Noting the answers", len(names), len(names))
    differ = sum(len({known[name, number, 0] for name in names}) == len(names) for number in range(len(questions())))
    if differ < 3:
        raise TrainingError("The snapshots answer alike: a mixed answer could not be told.")
    return known


def _page(connection: HTTPConnection, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    status, told = ask(connection, path, body)
    return status, json.loads(told)


def _await(port: int, name: str) -> None:
    """Until the server answers from this snapshot."""
    deadline_s = time.monotonic() + _WAIT_S
    connection = connected(port)
    try:
        while time.monotonic() < deadline_s:
            if _page(connection, "/v1/recommend", {"k": 1})[1].get("snapshot") == name:
                return
            time.sleep(0.1)
    finally:
        connection.close()
    raise TrainingError(f"The server did not take up snapshot {name} within {_WAIT_S:.0f} s.")


def _wait(seconds: float, tell: Tell) -> None:
    for second in range(int(seconds)):
        tell("Asking without swaps", second, int(seconds))
        time.sleep(1.0)
    tell("Asking without swaps", int(seconds), int(seconds))


def _swap(folder: Path, port: int, times: int, tell: Tell) -> None:
    names = all_snapshot_names(folder / SNAPSHOTS)[-_SNAPSHOTS:]
    for turn in range(times):
        tell("Asking while snapshots swap", turn, times)
        make_current(folder / SNAPSHOTS, names[turn % len(names)])
        _await(port, names[turn % len(names)])
    tell("Asking while snapshots swap", times, times)
