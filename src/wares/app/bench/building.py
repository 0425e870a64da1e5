"""How long the demo shop takes to build, to import and to start again, and how much memory. In processes of its own."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from wares.app.demo import Clock
from wares.app.demo_data import demo_data
from wares.app.importing import Writing
from wares.errors import TrainingError
from wares.shop import open_shop


def build_figures(folder: Path, data: Path | None) -> dict[str, Any]:
    """`wares demo --no-serve` into an empty folder: the whole command's seconds, each step's, and peak memory."""
    seconds, told = _demo(folder, data)
    return {"seconds": seconds, "steps_s": told["seconds"], "peak_memory_mb": told["peak_memory_mb"]}


def start_figures(folder: Path) -> dict[str, Any]:
    """A finished demo shop, started again in a fresh process: until it has answered a search, and the whole tour."""
    started = time.perf_counter()
    _run([sys.executable, "-m", "wares", "search", str(folder), "milk", "--json"])
    first = round(time.perf_counter() - started, 2)
    return {"first_answer_s": first, "tour_s": _demo(folder, None)[0]}


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


def _demo(folder: Path, data: Path | None) -> tuple[float, dict[str, Any]]:
    command = [sys.executable, "-m", "wares", "demo", "--no-serve", "--json", "--folder", str(folder)]
    started = time.perf_counter()
    told = _run([*command, "--data", str(data)] if data else command)
    return round(time.perf_counter() - started, 2), told


def _run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own commands)
    if done.returncode:
        raise TrainingError(f"{' '.join(command[2:])} ended with {done.returncode}: {done.stderr.strip()[-800:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
