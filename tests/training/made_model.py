"""A shopper model with random weights, made without torch."""

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.shopper import KIND_CODES, History
from wares.models.sequence import SequenceModel, unit

D, N = 8, 30
PURCHASE = KIND_CODES[EventKind.PURCHASE]


def made(*, own_inputs: bool = False, until_ms: int = 1_234_567_890_123) -> SequenceModel:
    """A network of one block with random weights."""
    rng = np.random.default_rng(0)

    def some(*size: int) -> NDArray[np.float32]:
        drawn: NDArray[np.float32] = (rng.normal(size=size) / np.sqrt(size[0])).astype(np.float32)
        return drawn

    inputs = some(N, D)
    arrays = {
        "inputs": inputs, "products": unit(some(N, D)) if own_inputs else unit(inputs), "biases": some(N),
        "near": some(2, 5), "out": some(D, D), "scale": np.array([1.5], np.float32), "heads": np.array(2),
        "norm.weight": np.ones(D, np.float32), "norm.bias": np.zeros(D, np.float32),
        "0.qkv.weight": some(D, 3 * D), "0.qkv.bias": some(3 * D), "0.mix.weight": some(D, D), "0.mix.bias": some(D),
        "0.widen.weight": some(D, 4 * D), "0.widen.bias": some(4 * D), "0.narrow.weight": some(4 * D, D),
        "0.narrow.bias": some(D),
        "words": np.array(["brand=Acme", "größe=3", "category=Food"]), "attributes": some(3, D),
        "until_ms": np.array(until_ms),
    }  # fmt: skip
    for name in ("0.norm1", "0.norm2"):
        arrays |= {f"{name}.weight": np.ones(D, np.float32), f"{name}.bias": np.zeros(D, np.float32)}
    return SequenceModel(arrays)


def bought(*rows: int) -> History:
    n = len(rows)
    return History(np.array(rows, np.int32), np.arange(n), np.full(n, PURCHASE, np.int8), np.ones(n, np.float32))
