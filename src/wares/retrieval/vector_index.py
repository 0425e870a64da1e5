"""Meanings: unit vectors of the products' passages and an exact scan over all of them.

Products with equal passages share one vector, so a catalogue with many variants is scanned once per text. Exact on
purpose: filters and the match set need the similarity of every product (see docs/decisions/0002-exact-vectors.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State

Floats = NDArray[np.float32]
_BACKGROUND = 2048  # vectors that tell what an ordinary similarity to a query is ...
_LEAST_BACKGROUND = 32  # ... and how many it takes to tell anything


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """`text_of[r]` is the place of row r's vector among all blocks (the snapshot's, then later ones); -1 = none.

    Every `step`-th vector of the snapshot is the background: a threshold learnt from it depends on the query alone.
    """

    blocks: tuple[Floats, ...]  # each (m, d), rows of length 1
    text_of: NDArray[np.int32]  # (n,)
    step: int = 1

    @staticmethod
    def of(vectors: Floats, text_of: NDArray[np.int32]) -> "VectorIndex":
        """From the vectors (m, d) of the distinct texts and each row's text (n,)."""
        return VectorIndex((vectors,), text_of, max(1, len(vectors) // _BACKGROUND))

    @staticmethod
    def empty(n: int) -> "VectorIndex":
        """A space without vectors for n rows."""
        return VectorIndex.of(np.empty((0, 0), np.float32), np.full(n, -1, np.int32))

    def with_vectors(self, vectors: Floats, text_of: Sequence[int]) -> "VectorIndex":
        """Append rows whose texts are `text_of`, counted within `vectors`; -1 = no vector."""
        before = sum(len(block) for block in self.blocks)
        places = np.array([before + text if text >= 0 else -1 for text in text_of], np.int32)
        blocks = (*self.blocks, vectors) if len(vectors) else self.blocks
        return replace(self, blocks=blocks, text_of=np.concatenate([self.text_of, places]))

    def __len__(self) -> int:
        return len(self.text_of)

    def scan(self, vector: Floats) -> tuple[Floats, float, float]:
        """(n,) cosines with `vector` (d,), -1 for rows without a vector; mean and deviation of the background's.

        With too few products for a background these are 0 and 1.
        """
        parts = [block @ vector for block in self.blocks if len(block)]  # (m, d) @ (d,) -> (m,)
        cosines = np.concatenate([*parts, np.array([-1], np.float32)])[self.text_of]  # place -1 reads the last
        background = parts[0][:: self.step] if len(self.blocks[0]) else cosines[:0]
        if len(background) < _LEAST_BACKGROUND:
            return cosines, 0.0, 1.0
        return cosines, float(background.mean()), max(float(background.std()), 1e-6)

    def state(self) -> State:
        """Plain arrays; vectors as 16-bit floats, which moves a cosine by less than 0.001."""
        vectors = np.concatenate(self.blocks).astype(np.float16)
        return {"vectors": vectors, "text_of": self.text_of}

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "VectorIndex":
        return VectorIndex.of(state["vectors"].astype(np.float32), state["text_of"])

    def vectors(self, rows: NDArray[np.int32]) -> Floats:
        """(len(rows), d); zeros where a row has none."""
        d = self.blocks[-1].shape[1]
        found = np.zeros((len(rows), d), np.float32)
        places = self.text_of[rows]
        start = 0
        for block in self.blocks:
            inside = (places >= start) & (places < start + len(block))
            if inside.any():  # an empty block has no width either
                found[inside] = block[places[inside] - start]
            start += len(block)
        return found
