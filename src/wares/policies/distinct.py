"""A set of things that go together holds each thing once: no second brand of the same milk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Space, View
from wares.domain.intent import Intent
from wares.domain.result import Slate
from wares.policies.priority import ordered

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Distinct:
    """Leaves out hits whose text says nearly the same as a seed's or as that of a hit above, among the first `depth`.

    Nearness is 1 for the same text and 0 for texts that are no nearer than ordinary ones; from `bound` on they are near
    duplicates. Without an encoder nothing is left out.
    """

    bound: float = 0.75
    depth: int = 40
    name: str = "distinct"

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        space, m = view.space("text"), min(self.depth, len(slate))
        if not m:
            return slate
        slate = ordered(slate)
        vectors = space.vectors(slate.rows[:m])  # (m, d)
        keep = np.ones(len(slate), np.bool_)
        if len(intent.seeds):
            for own in space.vectors(intent.seeds):
                keep[:m] &= _nearness(own, vectors, space) < self.bound
        for place in range(m):
            if keep[place]:
                keep[place + 1 : m] &= _nearness(vectors[place], vectors[place + 1 :], space) < self.bound
        return slate if keep.all() else slate.take(keep)


def _nearness(own: Floats, others: Floats, space: Space) -> Floats:
    """(m,) of texts (m, d) to one (d,); 0 where either has no vector."""
    if not own.any() or not len(others):
        return np.zeros(len(others), np.float32)
    ordinary = space.ordinary(own)[0]
    share = (others @ own - np.float32(ordinary)) / np.float32(max(1 - ordinary, 1e-6))
    return np.where(others.any(axis=1), share, np.float32(0)).astype(np.float32)
