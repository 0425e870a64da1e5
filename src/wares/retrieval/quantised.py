"""Many vectors in 8 or 4 bits per number, multiplied with one vector by onnxruntime's kernel for such matrices.

A scan waits for memory, so a quarter or an eighth of the bytes is nearly that share of the time. Numbers are quantised
around the mean vector, in blocks of 128 with a scale each, symmetrically (Jacob et al. 2018). Over unit vectors of 384
numbers the error of a cosine has a standard deviation of 0.0002 with 8 bits and 0.0025 with 4.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wares.domain.cores import n_cores

Floats = NDArray[np.float32]
Bits = Literal[4, 8]
_BLOCK = 128  # numbers with one scale
_ROWS = 65_536  # vectors of one graph: building it takes several copies of it
_SHARED = 4  # graphs from which on all cores share a scan


@dataclass(frozen=True, slots=True)
class Quantised:
    """May be shared by threads."""

    mean: Floats  # (d,)
    graphs: tuple[Any, ...]  # onnxruntime sessions of up to `_ROWS` vectors each
    n: int
    bits: Bits

    @staticmethod
    def of(vectors: NDArray[np.float16], bits: Bits) -> "Quantised":
        """From vectors (n, d) of length about 1."""
        mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        parts = [vectors[start : start + _ROWS] for start in range(0, len(vectors), _ROWS)]
        return Quantised(mean, tuple(_graph(widened(part) - mean, bits) for part in parts), len(vectors), bits)

    @property
    def is_shared(self) -> bool:
        """Whether a scan is long enough for all cores to share it."""
        return len(self.graphs) >= _SHARED and n_cores() > 1

    def products(self, vector: Floats) -> Floats:
        """(n,) estimates of the products of all vectors with `vector` (d,)."""
        return self.begin(vector)() if self.is_shared else self._with(vector, range(len(self.graphs)))

    def begin(self, vector: Floats) -> Callable[[], Floats]:
        """The same, computed by other threads from now on; call the result for the estimates."""
        parts = [_pool().submit(self._with, vector, range(i, i + 1)) for i in range(len(self.graphs))]
        return lambda: np.concatenate([part.result() for part in parts])

    def _with(self, vector: Floats, graphs: range) -> Floats:
        centre = self.mean @ vector
        asked = _padded(vector[None])
        found: Floats = np.concatenate([self.graphs[i].run(None, {"vector": asked})[0][0] for i in graphs])
        found += centre
        return found


@cache
def _pool() -> ThreadPoolExecutor:
    """One for all scans of the process, so that many requests do not make many threads."""
    return ThreadPoolExecutor(n_cores(), "scan")


def widened(halves: NDArray[np.float16]) -> Floats:
    """(n, d) the same as 32-bit floats, by onnxruntime's kernel: a tenth of the time of numpy's conversion."""
    found: Floats = _widening().run(None, {"halves": halves})[0]
    return found


@cache
def _widening() -> Any:
    node = _bytes(1, "halves") + _bytes(2, "floats") + _bytes(4, "Cast") + _attributes({"to": _FLOAT})
    shape = ("n", "d")
    return _session(_file(node, b"", _value("halves", shape, _HALF), _value("floats", shape, _FLOAT)))


def _graph(vectors: Floats, bits: Bits) -> Any:
    return _session(_scan(*_quantise(_padded(vectors), bits), bits))


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False  # it grows by powers of two
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # requests do not stand in each other's way
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _padded(vectors: Floats) -> Floats:
    """(n, d) with zeros up to whole blocks."""
    return np.pad(vectors, ((0, 0), (0, -vectors.shape[1] % _BLOCK)))


def _quantise(vectors: Floats, bits: Bits) -> tuple[NDArray[np.uint8], Floats]:
    """(n, blocks, bytes of a block) codes, of which the middle one means 0, and (n * blocks,) scales."""
    blocks = vectors.reshape(len(vectors), -1, _BLOCK)
    middle = 1 << (bits - 1)
    scales = np.maximum(np.abs(blocks).max(axis=2), 1e-9) / np.float32(middle - 1)
    codes = (np.rint(blocks / scales[:, :, None]) + middle).astype(np.uint8)
    if bits == 4:  # two in a byte, the first one low
        pairs = codes.view("<u2")
        codes = (pairs | pairs >> 4).astype(np.uint8)
    return codes, scales.ravel()


# -- ONNX files of one node, written out by the field numbers of onnx.proto --------------------------------------------

_FLOAT, _UINT8, _HALF = 1, 2, 10  # TensorProto.DataType
_IR_VERSION, _OPSET = 8, 17


def _scan(codes: NDArray[np.uint8], scales: Floats, bits: Bits) -> bytes:
    """A graph "vector" (1, d) -> "products" (1, n), by the operator com.microsoft.MatMulNBits."""
    n, d = codes.shape[0], codes.shape[1] * _BLOCK
    # accuracy_level 4: the asked vector is quantised to 8 bits as well, and products are sums of integers
    settings = {"K": d, "N": n, "bits": bits, "block_size": _BLOCK, "accuracy_level": 4}
    node = b"".join(_bytes(1, name) for name in ("vector", "codes", "scales"))
    node += _bytes(2, "products") + _bytes(4, "MatMulNBits") + _bytes(7, "com.microsoft") + _attributes(settings)
    tensors = _bytes(5, _tensor("codes", _UINT8, codes)) + _bytes(5, _tensor("scales", _FLOAT, scales))
    return _file(node, tensors, _value("vector", (1, d), _FLOAT), _value("products", (1, n), _FLOAT))


def _file(node: bytes, tensors: bytes, asked: bytes, found: bytes) -> bytes:
    graph = _bytes(1, node) + _bytes(2, "one node") + tensors + _bytes(11, asked) + _bytes(12, found)
    opsets = _bytes(8, _bytes(1, "") + _number(2, _OPSET)) + _bytes(8, _bytes(1, "com.microsoft") + _number(2, 1))
    return _number(1, _IR_VERSION) + _bytes(7, graph) + opsets


def _attributes(settings: Mapping[str, int]) -> bytes:
    return b"".join(_bytes(5, _bytes(1, name) + _number(3, value) + _number(20, 2)) for name, value in settings.items())


def _tensor(name: str, kind: int, values: NDArray[Any]) -> bytes:
    shape = b"".join(_number(1, size) for size in values.shape)
    return (
        shape + _number(2, kind) + _bytes(8, name) + _bytes(9, values.astype(values.dtype.newbyteorder("<")).tobytes())
    )


def _value(name: str, shape: tuple[int | str, ...], kind: int) -> bytes:
    """A size that has a name is any."""
    sizes = (_number(1, size) if isinstance(size, int) else _bytes(2, size) for size in shape)
    dims = b"".join(_bytes(1, size) for size in sizes)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, dims)))


def _bytes(field: int, content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    """Seven bits a byte, low ones first, the high bit set on all but the last."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
