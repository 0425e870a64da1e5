"""How long until a server that is started anew answers, by the number of products; and where the time goes."""

import json
import tempfile
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from wares.app.bench.scale import build
from wares.app.bench.swaps import serving
from wares.engine.learnt import SNAPSHOTS
from wares.engine.shelf import current_name
from wares.engine.snapshot import verify
from wares.training.progress import Tell

_MOST_S = 600.0


def restart_figures(sizes: Sequence[int], *, times: int, seed: int, tell: Tell) -> list[dict[str, Any]]:
    """For each size: seconds from the start of `wares serve` to its first answered search, every one of `times`, and
    what checking the snapshot's files alone takes of them. Files are mostly in the system's cache."""
    rows = []
    for place, size in enumerate(sizes):
        tell("Restarts", place, len(sizes))
        with tempfile.TemporaryDirectory(prefix="wares-restart-") as scratch:
            folder = Path(scratch) / "shop"
            build(folder, size, seed)
            snapshot = folder / SNAPSHOTS / current_name(folder / SNAPSHOTS)
            took_s = [_first_answer_s(folder) for _ in range(times)]
            started_s = time.perf_counter()
            verify(snapshot)
            checking_s = time.perf_counter() - started_s
            megabytes = sum(path.stat().st_size for path in snapshot.iterdir()) / 2**20
        rows.append(
            {
                "products": size,
                "ready_s": [round(one, 2) for one in took_s],
                "checking_s": round(checking_s, 2),
                "snapshot_mb": round(megabytes, 1),
            }
        )
    tell("Restarts", len(sizes), len(sizes))
    return rows


def _first_answer_s(folder: Path) -> float:
    """Asks until a search is answered from the snapshot: a server may listen before it is ready."""
    started_s = time.perf_counter()
    with serving(folder) as port:
        while True:
            connection = HTTPConnection("127.0.0.1", port, timeout=_MOST_S)
            try:
                connection.request(
                    "POST", "/v1/search", json.dumps({"query": "bread"}), {"content-type": "application/json"}
                )
                answer = connection.getresponse()
                if answer.status == 200 and json.loads(answer.read())["snapshot"]:
                    return time.perf_counter() - started_s
            finally:
                connection.close()
            time.sleep(0.05)
