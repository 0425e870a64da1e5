"""How long the demo shop takes to build, to import and to start again, and how much memory. In processes of its own."""

import json
import sys
import tempfile
import time
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from wares.app.bench.memory import Peak
from wares.app.commands.importing import Writing
from wares.app.demo.build import Clock
from wares.app.demo.data import demo_data
from wares.errors import TrainingError
from wares.shop import open_shop


def build_figures(folder: Path, data: Path | None) -> dict[str, Any]:
    """`wares demo --no-serve` into an empty folder: the whole command's seconds, each step's, and peak memory."""
    peak = Peak()
    seconds, told = _demo(folder, data, peak)
    return {"seconds": seconds, "steps_s": told["seconds"], "peak_memory_mb": peak.megabytes}


def start_figures(folder: Path) -> dict[str, Any]:
    """A finished demo shop, started again in a fresh process: until it has answered a search, and the whole tour."""
    started = time.perf_counter()
    _run([sys.executable, "-m", "wares", "search", str(folder), "milk", "--json"], Peak())
    first = round(time.perf_counter() - started, 2)
    return {"first_answer_s": first, "tour_s": _demo(folder, None, Peak())[0]}


def import_figures(data: Path | None, feed: Path) -> dict[str, Any]:
    """Every purchase line into an empty shop, durable; reading the files is part of it."""
    source = demo_data("groceries", data, feed)
    with tempfile.TemporaryDirectory(prefix="wares-bench-") as scratch, open_shop(Path(scratch) / "shop") as shop:
        writing, clock, now_ms = Writing(shop), Clock(), int(time.time() * 1000)
        with clock.of("products"):
            products = source.products(0, now_ms)
            writing.put(products)
        with clock.of("events"):
            events = source.events(0, now_ms)
            writing.record(events)
        lines = events.report.read
        return {
            "lines": lines,
            "kept": shop.store.events.last(),
            "seconds": clock.seconds["events"],
            "products_seconds": clock.seconds["products"],
        }


def _demo(folder: Path, data: Path | None, peak: Peak) -> tuple[float, dict[str, Any]]:
    command = [sys.executable, "-m", "wares", "demo", "--no-serve", "--json", "--folder", str(folder)]
    started = time.perf_counter()
    told = _run([*command, "--data", str(data)] if data else command, peak)
    return round(time.perf_counter() - started, 2), told


def _run(command: list[str], peak: Peak) -> dict[str, Any]:
    with Popen(command, text=True, stdout=PIPE, stderr=PIPE) as child, peak.of(child.pid):  # noqa: S603 (our own words)
        stdout, stderr = child.communicate()
    if child.returncode:
        raise TrainingError(f"{' '.join(command[2:])} ended with {child.returncode}: {stderr.strip()[-800:]}")
    told: dict[str, Any] = json.loads(stdout)
    return told
