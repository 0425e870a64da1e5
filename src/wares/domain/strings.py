"""Lists of strings as plain arrays, so that everything learnt can be stored without pickle."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

State = dict[str, NDArray[np.generic]]


def pack(name: str, strings: Sequence[str]) -> State:
    """Two arrays: the UTF-8 bytes one after the other, and where each string ends."""
    encoded = [string.encode("utf-8", "surrogatepass") for string in strings]
    ends = np.cumsum([len(part) for part in encoded], dtype=np.int64)
    return {f"{name}.bytes": np.frombuffer(b"".join(encoded), np.uint8), f"{name}.ends": ends}


def unpack(name: str, state: Mapping[str, NDArray[np.generic]]) -> tuple[str, ...]:
    """The strings that `pack` stored under this name."""
    blob = state[f"{name}.bytes"].tobytes()
    ends = state[f"{name}.ends"].tolist()
    return tuple(blob[start:end].decode("utf-8", "surrogatepass") for start, end in zip([0, *ends], ends, strict=False))


def part(prefix: str, state: Mapping[str, NDArray[np.generic]]) -> State:
    """The arrays below a prefix, without it: {"text.a": x} -> {"a": x}."""
    return {name[len(prefix) + 1 :]: array for name, array in state.items() if name.startswith(prefix + ".")}


def under(prefix: str, state: Mapping[str, NDArray[np.generic]]) -> State:
    """The same arrays with a prefix: {"a": x} -> {"text.a": x}."""
    return {f"{prefix}.{name}": array for name, array in state.items()}
