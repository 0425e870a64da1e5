"""A set of product rows that is kept for long: one bit a row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RowSet:
    """Some of the rows 0..n-1."""

    _bits: NDArray[np.uint8]  # (n / 8, rounded up)

    @staticmethod
    def of(members: NDArray[np.bool_]) -> "RowSet":
        """(n,) whether each row is one of them."""
        return RowSet(np.packbits(members, bitorder="little"))

    def has(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Of these rows, each below n, whether it is one of them.

        >>> RowSet.of(np.array([True, False, True])).has(np.array([2, 1]))
        array([ True, False])
        """
        found: NDArray[np.bool_] = (self._bits[rows >> 3] >> (rows & 7).astype(np.uint8) & 1) > 0
        return found

    @property
    def nbytes(self) -> int:
        return self._bits.nbytes
