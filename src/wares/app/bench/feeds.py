"""`wares bench feeds`: how fast a shop takes in what it is given, in how much memory, and how soon answers show it.

The feeds are made by rule. Each import is the command `wares import` in a process of its own, so that seconds hold its
start and memory is its alone; what answers show is measured in a further one (`feed_changes`).
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from wares.app.bench.made_up_feeds import write_events, write_products
from wares.app.bench.memory import Peak
from wares.errors import InputError, StoreError, TrainingError
from wares.store.sqlite import Store

Tell = Callable[[str, int, int], None]
LEAST = 1_000  # products, events
_INTERRUPTED = (150_000, 500_000)  # events of the import that is killed, at least and at most
_LOOK_EVERY_S = 0.05


def feed_figures(*, products: int, events: int, answering: int, changes: int, seed: int, tell: Tell) -> dict[str, Any]:
    """`products` and `events` are imported; a shop of `answering` products is asked while `changes` come in."""
    for name, n in (("products", products), ("events", events), ("answering", answering), ("changes", changes)):
        if n < LEAST:
            raise InputError(f"{name} is {n}; it must be at least {LEAST:,}.")
    figures: dict[str, Any] = {"machine": _machine()}
    with tempfile.TemporaryDirectory(prefix="wares-feeds-") as scratch:
        place = Path(scratch)
        shop, goods, log = place / "shop", place / "products.csv", place / "events.csv"
        steps = ("Writing the feeds", "Products", "Events", "An import that is killed", "Changes")
        tell(steps[0], 0, 1)
        faulty = {
            "products": write_products(goods, products, seed),
            "events": write_events(log, events, products, seed),
        }
        tell(steps[0], 1, 1)
        for step, kind, path, n in ((steps[1], "products", goods, products), (steps[2], "events", log, events)):
            tell(step, 0, 1)
            figures[kind] = _imported(shop, kind, path, n, faulty[kind])
            path.unlink()
            tell(step, 1, 1)
        tell(steps[3], 0, 1)
        figures["killed_import"] = _killed_import(place, min(max(_INTERRUPTED[0], events // 10), _INTERRUPTED[1]), seed)
        tell(steps[3], 1, 1)
        tell(steps[4], 0, 1)
        figures["changes"] = _run([sys.executable, "-m", "wares.app.bench.feed_changes", str(place / "answering"),
                                   str(answering), str(changes), str(seed)], Peak())  # fmt: skip
        tell(steps[4], 1, 1)
    return figures


def _imported(shop: Path, kind: str, path: Path, n: int, faulty: int) -> dict[str, Any]:
    """The file twice. The second time nothing may be added: `added_again`."""
    command = [sys.executable, "-m", "wares", "import", str(shop), f"--{kind}", str(path), "--json"]
    peak, started = Peak(), time.perf_counter()
    (report,) = _run(command, peak)
    seconds, before = time.perf_counter() - started, _numbers(shop)
    started = time.perf_counter()
    _run(command, Peak())
    return {
        "rows": n + faulty,
        "file_mb": round(path.stat().st_size / 2**20, 1),
        "seconds": round(seconds, 2),
        "rows_per_s": round((n + faulty) / seconds),
        "peak_mb": peak.megabytes,
        "kept": report["kept"],
        "rejected": report["rejected"],
        "unexplained": report["read"] - report["kept"] - report["rejected"] + abs(report["rejected"] - faulty),
        "again_seconds": round(time.perf_counter() - started, 2),
        "added_again": sum(_numbers(shop)) - sum(before),
    }


def _killed_import(place: Path, n: int, seed: int) -> dict[str, Any]:
    """An import that is killed after its first transaction and then repeated: how many events are lost or doubled."""
    shop, log = place / "killed", place / "killed.csv"
    write_events(log, n, LEAST, seed)
    command = [sys.executable, "-m", "wares", "import", str(shop), "--events", str(log), "--json"]
    with Popen(command, stdout=DEVNULL, stderr=DEVNULL) as child:  # noqa: S603 (our own words)
        while child.poll() is None and not _events_in(shop):
            time.sleep(_LOOK_EVERY_S)
        child.kill()
    kept = _events_in(shop)
    _run(command, Peak())
    found = _events_in(shop)
    return {"events": n, "kept_at_the_kill": kept, "lost": max(0, n - found), "counted_twice": max(0, found - n)}


def _events_in(shop: Path) -> int:
    try:
        with Store.open(shop, "read") as store:
            return store.events.last()
    except StoreError:
        return 0  # not made yet


def _numbers(shop: Path) -> tuple[int, int]:
    """The numbers of the last change of the catalogue and of the last event."""
    with Store.open(shop, "write") as store:
        return store.catalogue.put(()), store.events.last()


def _run(command: list[str], peak: Peak) -> Any:
    with Popen(command, text=True, stdout=PIPE, stderr=PIPE) as child, peak.of(child.pid):  # noqa: S603 (our own words)
        stdout, stderr = child.communicate()
    if child.returncode:
        raise TrainingError(f"{' '.join(command[2:])} ended with {child.returncode}: {stderr.strip()[-800:]}")
    return json.loads(stdout)


def _machine() -> dict[str, Any]:
    load = [round(one, 1) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None
    return {"cores": os.cpu_count(), "load": load, "platform": platform.platform(terse=True)}
