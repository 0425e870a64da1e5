"""A shopper model as one file that another shop folder can take over: its products by id, a number a byte.

npz without pickle. Tables with a row per product are kept as int8 with a scale per row, all else as it is.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import pack, unpack
from wares.engine.durable import publish
from wares.errors import SettingsError, SnapshotError
from wares.models.sequence import SequenceModel, unit

FORMAT = 1
_BY_PRODUCT = ("inputs", "products")


def write_model(path: Path, ids: Sequence[str], model: SequenceModel) -> None:
    """Write the model of these products; all or nothing."""
    arrays = dict(model.state())
    inputs, products = (np.asarray(arrays.pop(name), np.float32) for name in _BY_PRODUCT)
    state = {**arrays, **pack("ids", ids), "format": np.array(FORMAT), **_small("inputs", inputs)}
    if not np.allclose(unit(inputs), products, atol=1e-4):  # what an event says is learnt apart from v
        state |= _small("products", products)
    _write(path, state)


def read_model(path: Path) -> tuple[tuple[str, ...], SequenceModel]:
    """The ids of its products and the model. Raises SettingsError for a file that is not there or not one."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            state = {name: file[name] for name in file.files}
        if int(state.pop("format")) != FORMAT:
            raise ValueError("another format")
        ids = unpack("ids", state)
        arrays = {name: value for name, value in state.items() if name.partition(".")[0] not in ("ids", *_BY_PRODUCT)}
        arrays["inputs"] = _large("inputs", state)
        arrays["products"] = _large("products", state) if "products.bytes" in state else unit(arrays["inputs"])
        model = SequenceModel()
        model.restore(arrays)
    except FileNotFoundError:
        raise SettingsError(f"models.sequence.fitted: there is no file {path}.") from None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error, SnapshotError) as error:
        raise SettingsError(f"models.sequence.fitted: {path} is no shopper model of this version ({error}).") from None
    return ids, model


def copy_model(source: Path, target: Path, moved_ms: int) -> None:
    """Write the same model with its dates moved, all or nothing. Raises SettingsError for a file that is not one."""
    read_model(source)
    with np.load(source, allow_pickle=False) as file:
        state = {name: file[name] for name in file.files}
    state["until_ms"] = state["until_ms"] + moved_ms
    _write(target, state)


def _write(path: Path, state: dict[str, NDArray[np.generic]]) -> None:
    draft = path.with_name(path.name + ".part")
    with draft.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **state)
    publish(draft, path)


def _small(name: str, table: NDArray[np.float32]) -> dict[str, NDArray[np.generic]]:
    scale = np.maximum(np.abs(table).max(axis=1, initial=0), 1e-12) / 127
    return {
        f"{name}.bytes": np.round(table / scale[:, None]).astype(np.int8),
        f"{name}.scale": scale.astype(np.float16),
    }


def _large(name: str, state: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    table: NDArray[np.float32] = state[f"{name}.bytes"].astype(np.float32)
    return table * state[f"{name}.scale"].astype(np.float32)[:, None]
