"""`wares bench sequence`: what the shopper model costs by the number of products, and how fast it answers.

Products and events are made up by rule, and so are the weights that answer: neither changes what a step or an answer
takes. Each measurement runs in a process of its own, on one thread
(`python -m wares.app.bench.sequence_cost train|serve ...`), so that the memory of one does not count for another.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from subprocess import PIPE, Popen
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.app.bench.memory import Peak
from wares.domain.event import EventKind
from wares.domain.shopper import KIND_CODES, KINDS, History
from wares.errors import InputError, TrainingError
from wares.models.sequence import MINUTE_MS, SequenceModel, unit

SIZES = (10_000, 100_000, 1_000_000)
ANSWERED = 12_101  # products of the shop whose answers are timed: as many as Amazon Beauty has
TARGET_MS = 3.0  # of p99
_LEAST = 100  # products
_EVENTS, _K, _WARM_UP = 50, 10, 30
_LONG = 16  # events of a made-up shopper
_KINDS_OF_PRODUCTS = 200
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_NOTE = (
    "Made up by rule: every product has an event and a category, and no text. Texts would add 1 KB of memory a product "
    "to training. A step is 256 histories of 16 events against 1,024 sampled products; one thread."
)

Tell = Callable[[str, int, int], None]


def sequence_figures(
    sizes: Sequence[int], *, dimension: int, requests: int, seconds: float, seed: int, tell: Tell
) -> dict[str, Any]:
    """One entry of `sizes` each, and the answers of a shop of 12,101 products; `seconds` of training for each size.

    Without torch there are no training figures, and a note says so.
    """
    if not sizes or min(sizes) < _LEAST:
        raise InputError(f"A size is a number of products, at least {_LEAST}.")
    if dimension % 2:
        raise InputError(f"The dimension must be even, for two heads, got {dimension}.")
    trains, measured = find_spec("torch") is not None, []
    for place, size in enumerate(sizes):
        tell("Sizes", place, len(sizes) + 1)
        one = _child("train", size, dimension, seconds, seed) if trains else {}
        one |= _child("serve", size, dimension, max(20, min(requests, 20_000_000 // size)), seed)
        measured.append({"products": size, **one})
    tell("Sizes", len(sizes), len(sizes) + 1)
    answered = _child("serve", ANSWERED, dimension, requests, seed)
    tell("Sizes", len(sizes) + 1, len(sizes) + 1)
    load = [round(one, 1) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None
    return {
        "machine": {"cores": os.cpu_count(), "load": load, "platform": platform.platform(terse=True)},
        "dimension": dimension,
        "answer": {"products": ANSWERED, "events": _EVENTS, "k": _K, "target_p99_ms": TARGET_MS, **answered},
        "sizes": measured,
        "notes": [_NOTE] if trains else [_NOTE, "Training was not measured: pip install 'wares[train]'."],
    }


def _child(part: str, size: int, dimension: int, number: float, seed: int) -> dict[str, Any]:
    """What one of the parts below tells, and the most memory that its process took."""
    peak = Peak()
    words = [part, str(size), str(dimension), str(number), str(seed)]
    command = [sys.executable, "-m", "wares.app.bench.sequence_cost", *words]
    with (
        Popen(command, text=True, stdout=PIPE, stderr=PIPE, env={**os.environ, **_ONE_THREAD}) as child,  # noqa: S603 (our own words)
        peak.of(child.pid),
    ):
        stdout, stderr = child.communicate()
    if child.returncode:
        raise TrainingError(f"{' '.join(command[2:])} ended with {child.returncode}: {stderr.strip()[-800:]}")
    told: dict[str, Any] = json.loads(stdout)
    return {**told, f"{part}_peak_mb": peak.megabytes}


def train(size: int, dimension: int, seconds: float, seed: int) -> dict[str, Any]:
    """Train for so many seconds: steps, and what the middle one takes in ms, by the clock and of the processor."""
    from wares.training.lessons import Lessons
    from wares.training.network import load_torch
    from wares.training.recipe import Recipe
    from wares.training.sequence import fit_sequence

    load_torch().set_num_threads(1)
    rng = np.random.default_rng(seed)
    # every product once and as many by a steep popularity, in random order
    often = (size * rng.random(size) ** 3).astype(np.int32)
    rows = rng.permutation(np.concatenate([np.arange(size, dtype=np.int32), often]))
    indptr = np.append(np.arange(0, len(rows), _LONG), len(rows))
    codes = (np.arange(size) % min(_KINDS_OF_PRODUCTS, size // 2))[:, None].astype(np.int32)
    at: list[tuple[float, float]] = []

    def tell(stage: str, done: int, total: int) -> None:
        at.append((time.perf_counter(), time.process_time()))

    recipe = Recipe(dimension=dimension, epochs=1_000, seconds=seconds, seed=seed)
    fitted = fit_sequence(Lessons(rows, indptr, size, codes=codes), recipe, tell)
    took_ms = np.diff(np.array(at), axis=0) * 1000
    clock, processor = np.median(took_ms, axis=0).round(2).tolist() if len(took_ms) else (None, None)
    return {"parameters": fitted.parameters, "steps": len(at), "step_ms": clock, "step_cpu_ms": processor}


def serve(size: int, dimension: int, requests: float, seed: int) -> dict[str, Any]:
    """p50, p95 and p99 in ms of whole answers (50 events -> u -> all scores -> the best 10) and of their parts, by the
    clock; and p50 and p99 of whole answers by the processor alone."""
    rng = np.random.default_rng(seed)
    model = made_up_model(size, dimension, rng)
    parts: list[tuple[float, float, float]] = []
    cpu: list[float] = []
    for _ in range(int(requests) + _WARM_UP):
        history = made_up_history(size, rng)
        began, started = time.process_time(), time.perf_counter()
        u = model.embed(history)
        assert u is not None
        embedded = time.perf_counter()
        scores = model.rate(u[None])[0]
        scored = time.perf_counter()
        best(scores, _K)
        parts.append((embedded - started, scored - embedded, time.perf_counter() - scored))
        cpu.append(time.process_time() - began)
    took_ms = np.array(parts[_WARM_UP:]) * 1000
    processor = np.percentile(np.array(cpu[_WARM_UP:]) * 1000, (50, 99))
    return {
        "requests": int(requests),
        **_spread(took_ms.sum(axis=1)),
        "cpu_p50_ms": round(float(processor[0]), 3),
        "cpu_p99_ms": round(float(processor[1]), 3),
        "parts": {name: _spread(took_ms[:, i]) for i, name in enumerate(("encode", "score", "top"))},
    }


def best(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """The places of the k highest scores (n,), best first."""
    top = np.argpartition(scores, -k)[-k:]
    ordered: NDArray[np.intp] = top[np.argsort(-scores[top])]
    return ordered


def made_up_model(n: int, d: int, rng: np.random.Generator, blocks: int = 2, heads: int = 2) -> SequenceModel:
    """Of the shape of the recipe "base", with random weights."""

    def normal(*shape: int) -> NDArray[np.float32]:
        made = rng.standard_normal(shape, np.float32)
        made /= np.float32(np.sqrt(shape[0]))
        return made

    told = rng.standard_normal((n, d), np.float32)
    arrays: dict[str, NDArray[np.generic]] = {
        "products": unit(told), "inputs": told, "biases": rng.standard_normal(n, np.float32),
        "near": normal(heads, _EVENTS), "out": np.eye(d, dtype=np.float32), "heads": np.array(heads),
        "scale": np.array([np.log(16.0)], np.float32), "kinds": normal(len(KINDS), d), "gaps": normal(24, d),
        "norm.weight": np.ones(d, np.float32), "norm.bias": np.zeros(d, np.float32),
    }  # fmt: skip
    for i in range(blocks):
        for name, n_in, n_out in (("qkv", d, 3 * d), ("mix", d, d), ("widen", d, 4 * d), ("narrow", 4 * d, d)):
            arrays[f"{i}.{name}.weight"] = normal(n_in, n_out)
            arrays[f"{i}.{name}.bias"] = np.zeros(n_out, np.float32)
        for name in ("norm1", "norm2"):
            arrays[f"{i}.{name}.weight"], arrays[f"{i}.{name}.bias"] = np.ones(d, np.float32), normal(d)
    return SequenceModel(arrays)


def made_up_history(n: int, rng: np.random.Generator) -> History:
    """50 events on n products: views mostly, minutes to days apart."""
    kinds = rng.choice([KIND_CODES[EventKind.VIEW], KIND_CODES[EventKind.PURCHASE]], _EVENTS, p=[0.8, 0.2])
    gaps_ms = (MINUTE_MS * 2 ** (14 * rng.random(_EVENTS))).astype(np.int64)
    rows, ones = rng.integers(n, size=_EVENTS).astype(np.int32), np.ones(_EVENTS, np.float32)
    return History(rows, np.cumsum(gaps_ms), kinds.astype(np.int8), ones)


def _spread(took_ms: NDArray[np.float64]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(took_ms, (50, 95, 99)).round(3).tolist()
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


if __name__ == "__main__":
    asked, n, wide, number, chosen = sys.argv[1:]
    print(json.dumps({"train": train, "serve": serve}[asked](int(n), int(wide), float(number), int(chosen))))
