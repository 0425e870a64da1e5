"""An intent: what the shopper wishes, as far as it is understood. Every later stage reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.request import Request
from wares.domain.shopper import History

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Intent:
    """`words` are the query's normalised tokens; `open_word`: the last one may still be being typed.

    `vectors` maps a space ("text") to a unit vector (d,): spaces are never mixed. `history` is the shopper's,
    `seeds` the rows of the products on the page or in the cart.
    """

    request: Request
    words: tuple[str, ...] = ()
    open_word: bool = False
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    history: History = field(default_factory=History.empty)
    seeds: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
