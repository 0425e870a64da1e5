"""How a shop grows: building, memory, disk and answers at several sizes of a catalogue that is made by rule.

Each size is built and then asked in a process of its own (`python -m wares.app.bench.scale build|ask ...`), so that the
memory of one does not count for another.
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import numpy as np

from wares.app.bench.made_up import PhraseVectors, made_up_products
from wares.app.bench.memory import Peak
from wares.app.bench.queries import draw_query, titles_of
from wares.contracts import Encoder
from wares.engine.assembly import new_encoder
from wares.engine.learnt import SNAPSHOTS
from wares.engine.snapshot import write_snapshot
from wares.errors import InputError, TrainingError
from wares.shop import Shop, open_shop
from wares.training.build import build_snapshot

SIZES = (10_000, 100_000, 1_000_000)
_ENCODED = 20_000  # products up to which every text is really encoded
_ENCODED_FOR_TIME = 500  # texts that tell what encoding one takes
_BATCH = 50_000  # products of one transaction
_WARM_UP, _K = 20, 24
_NOTE = (
    f"Above {_ENCODED:,} products a text's vector is the encoder's vector of its phrase ('organic bread') plus a small "
    "variation, for encoding a million titles takes about an hour. full_build_s is an estimate there: build_s without "
    "that, plus the encoder's time per text, measured on 500, times the texts."
)


def scale_figures(
    sizes: Sequence[int], *, queries: int, seed: int, tell: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """What building and asking took, one entry of `sizes` each. `notes` tell what was not measured but estimated."""
    if not sizes or min(sizes) < 100:
        raise InputError("A size is a number of products, at least 100.")
    measured = []
    for place, size in enumerate(sizes):
        tell("Sizes", place, len(sizes))
        with tempfile.TemporaryDirectory(prefix="wares-scale-") as scratch:
            folder = Path(scratch) / "shop"
            built = _child("build", folder, size, seed)
            measured.append({"products": size, **built, **_child("ask", folder, queries, seed)})
    tell("Sizes", len(sizes), len(sizes))
    load = [round(one, 1) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None
    machine = {"cores": os.cpu_count(), "load": load, "platform": platform.platform(terse=True)}
    return {"machine": machine, "sizes": measured, "notes": [_NOTE]}


def _child(part: str, folder: Path, number: int, seed: int) -> dict[str, Any]:
    """What one of the parts below tells, and the most memory its process took."""
    peak = Peak()
    command = [sys.executable, "-m", "wares.app.bench.scale", part, str(folder), str(number), str(seed)]
    with Popen(command, text=True, stdout=PIPE, stderr=PIPE) as child, peak.of(child.pid):  # noqa: S603 (our own words)
        stdout, stderr = child.communicate()
    if child.returncode:
        raise TrainingError(f"{' '.join(command[2:])} ended with {child.returncode}: {stderr.strip()[-800:]}")
    told: dict[str, Any] = json.loads(stdout)
    return {**told, f"{part}_peak_mb": peak.megabytes}


class Steps:
    """Seconds between a step's first and last word to `tell`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started: dict[str, float] = {}

    def tell(self, step: str, done: int, total: int) -> None:
        started = self._started.setdefault(step, time.perf_counter())
        self.seconds[step] = round(time.perf_counter() - started, 2)


def build(folder: Path, n: int, seed: int) -> dict[str, Any]:
    """Make a shop of `n` products and learn it; seconds by step, and megabytes on disk by file."""
    steps, begun = Steps(), time.perf_counter()
    with open_shop(folder) as shop:
        store, settings = shop.writer(), shop.settings
        encoder = new_encoder(settings, folder)
        assert encoder is not None
        steps.tell("Writing the catalogue", 0, n)
        products = made_up_products(n, seed)
        while some := list(islice(products, _BATCH)):
            store.catalogue.put(some)
        steps.tell("Writing the catalogue", n, n)
        passage_ms = _passage_ms(encoder, n, seed)
        meant: Encoder = encoder if n <= _ENCODED else PhraseVectors(encoder, seed)
        started, now_ms = time.perf_counter(), int(time.time() * 1000)
        snapshots = folder / SNAPSHOTS
        snapshot = build_snapshot(store, settings, meant, snapshots, now_ms, steps.tell)
        built_s = time.perf_counter() - started
        learning = [step for step in steps.seconds if step != "Writing the catalogue"]
        steps.seconds["Everything else"] = round(built_s - sum(steps.seconds[step] for step in learning), 2)
        steps.tell("Writing the snapshot", 0, 1)
        place = write_snapshot(snapshot, snapshots)
        steps.tell("Writing the snapshot", 1, 1)
    full_s = sum(steps.seconds.values())
    if n > _ENCODED:
        full_s += n * passage_ms / 1000 - steps.seconds["Encoding the meanings"]
    return {
        "vectors": "encoded" if n <= _ENCODED else "phrases, varied",
        "build_s": round(time.perf_counter() - begun, 1),
        "encode_ms_per_text": round(passage_ms, 2),
        "full_build_s": round(full_s, 1),
        "steps_s": steps.seconds,
        "disk_mb": {
            "catalogue": _megabytes(*folder.glob("wares.sqlite*")),
            "snapshot": _megabytes(*place.iterdir()),
            **{path.stem: _megabytes(path) for path in sorted(place.glob("*.npz"))},
        },
    }


def ask(folder: Path, queries: int, seed: int) -> dict[str, Any]:
    """Seconds until the first answer, and times of searches with the shop's facets, k = 24."""
    started = time.perf_counter()
    with open_shop(folder, create=False) as shop:
        shop.search("anything")
        first_s = round(time.perf_counter() - started, 2)
        return {"first_answer_s": first_s, "search": _search_times(shop, queries, np.random.default_rng(seed))}


def _search_times(shop: Shop, n: int, rng: np.random.Generator) -> dict[str, float]:
    """p50, p95 and p99 of whole answers in ms: by the clock, and by the processor alone."""
    titles = titles_of(shop.store, shop.engine.live.state.columns, rng)
    drawn = list(dict.fromkeys(draw_query(titles, rng) for _ in range(2 * (n + _WARM_UP))))[: n + _WARM_UP]
    took_ms = []
    for query in drawn:
        started, began = time.perf_counter(), time.process_time()
        shop.search(query, facets=shop.settings.shop.facets, k=_K)
        took_ms.append(((time.perf_counter() - started) * 1000, (time.process_time() - began) * 1000))
    clock, processor = np.percentile(took_ms[_WARM_UP:], (50, 95, 99), axis=0).T.round(2).tolist()
    names = ("p50_ms", "p95_ms", "p99_ms")
    return {**dict(zip(names, clock, strict=True)), **{f"cpu_{n}": v for n, v in zip(names, processor, strict=True)}}


def _passage_ms(encoder: Encoder, n: int, seed: int) -> float:
    """Milliseconds that one text takes."""
    texts = [product.passage for product in islice(made_up_products(n, seed), _ENCODED_FOR_TIME)]
    encoder.encode(texts[:20], "passage")
    started = time.perf_counter()
    encoder.encode(texts, "passage")
    return (time.perf_counter() - started) * 1000 / len(texts)


def _megabytes(*paths: Path) -> float:
    return round(sum(path.stat().st_size for path in paths) / 2**20, 1)


if __name__ == "__main__":
    part, where, number, seed = sys.argv[1:]
    print(json.dumps({"build": build, "ask": ask}[part](Path(where), int(number), int(seed))))
