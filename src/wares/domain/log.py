"""A stretch of the event log in internal keys, as parallel arrays: how events travel in bulk."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EventBlock:
    """n events in order of `seqs`. Keys are the store's small integers for ids; -1 = none."""

    seqs: NDArray[np.int64]  # (n,) strictly growing
    times_ms: NDArray[np.int64]  # (n,)
    kinds: NDArray[np.int8]  # (n,) codes into domain.shopper.KINDS
    shopper_keys: NDArray[np.int64]  # (n,) -1 = anonymous
    product_keys: NDArray[np.int64]  # (n,) -1 = none (a search)
    quantities: NDArray[np.float32]  # (n,) units; of a rating its stars
    values_minor: NDArray[np.float64]  # (n,) of the whole line; nan = unknown
    basket_keys: NDArray[np.int64]  # (n,) -1 = none
    queries: Mapping[int, str]  # index -> words, for the events that have some

    def __len__(self) -> int:
        return len(self.seqs)
