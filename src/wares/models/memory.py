"""How a model becomes plain arrays and comes back: its fields under their own names, a sparse matrix as four arrays."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Sparse = csr_array[np.float32, tuple[int, int]]
State = dict[str, NDArray[np.generic]]
_PARTS = ("data", "indices", "indptr", "shape")


def sparse(data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], shape: tuple[int, int]) -> Sparse:
    """Compressed rows with 32-bit columns; the columns of each row in the order given."""
    index = np.int32 if len(data) < 2**31 else np.int64
    return csr_array((data.astype(np.float32), indices.astype(index), indptr.astype(index)), shape=shape)


def no_links(n_rows: int = 0, n_columns: int = 0) -> Sparse:
    """A matrix of this shape in which nothing is stored."""
    return sparse(np.empty(0), np.empty(0), np.zeros(n_rows + 1), (n_rows, n_columns))


def to_arrays(model: "DataclassInstance") -> State:
    """Every field of a model: numbers as arrays of no dimension, `links` as "links.data", "links.indices", ..."""
    state: State = {}
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        if isinstance(value, csr_array):
            state |= {f"{field.name}.{part}": np.array(getattr(value, part)) for part in _PARTS}
        else:
            state[field.name] = np.array(value)
    return state


def from_arrays(model: "DataclassInstance", state: Mapping[str, NDArray[np.generic]]) -> None:
    """Set every field of `model` from what `to_arrays` gave. KeyError names an array that is missing."""
    values: dict[str, object] = {}
    for field in dataclasses.fields(model):
        if isinstance(getattr(model, field.name), csr_array):
            data, indices, indptr, shape = (state[f"{field.name}.{part}"] for part in _PARTS)
            values[field.name] = sparse(data, indices, indptr, (int(shape[0]), int(shape[1])))
        else:
            array = state[field.name]
            values[field.name] = array.item() if array.ndim == 0 else np.array(array)
    for name, value in values.items():
        setattr(model, name, value)
