"""Meanings: unit vectors of the products' passages and a scan over all of them.

Products with equal passages share one vector, so a catalogue with many variants is scanned once per text. Every product
gets a cosine, for filters and the match set need it. In a small catalogue all are exact; in a large one those of the
nearest are, and the others come from fewer bits (docs/decisions/0010-scan-with-few-bits.md).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State
from wares.retrieval.quantised import Bits, Quantised, widened

Floats = NDArray[np.float32]
Vectors = NDArray[np.float32] | NDArray[np.float16]
Begun = Callable[[], Floats]
_BACKGROUND = 2048  # vectors at most that tell what an ordinary similarity to a query is ...
_LEAST_BACKGROUND = 32  # ... and how many it takes to tell anything
_QUANTISED = 8_192  # from so many texts on the first look is one at fewer bits ...
_FOUR_BITS = 300_000  # ... and from so many on at four
_EXACT: Mapping[Bits, int] = {8: 1_024, 4: 3_072}  # the nearest that are computed exactly: about so many ...
_EXACT_SHARE = 256  # ... or one of so many
_AT_ONCE = 1024  # rows whose numbers stay in the cache


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and covariance of vectors: how products with any direction spread, without computing each."""

    mean: Floats  # (d,)
    covariance: Floats  # (d, d)

    @staticmethod
    def of(vectors: Floats) -> "Moments":
        mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], np.float32)
        apart = vectors - mean
        return Moments(mean, (apart.T @ apart / np.float32(max(len(vectors), 1))).astype(np.float32, copy=False))

    def spread(self, vector: Floats) -> tuple[float, float]:
        """Mean and deviation of the products with `vector` (d,)."""
        variance = float(vector @ (self.covariance @ vector))
        return float(self.mean @ vector), max(variance, 0.0) ** 0.5


@dataclass(frozen=True)
class VectorIndex:
    """`text_of[r]` is the place of row r's vector among all blocks (the snapshot's, then later ones); -1 = none.

    A part of the snapshot's vectors, evenly spread, is the background: a threshold learnt from it depends on the query
    alone. The snapshot's vectors are held as 16-bit floats where they are `quantised`, too.
    """

    blocks: tuple[Vectors, ...]  # each (m, d), rows of length 1
    text_of: NDArray[np.int32]  # (n,)
    background: Floats  # (b, d)
    moments: Moments  # of the background
    quantised: Quantised | None = None  # of the first block

    @staticmethod
    def of(vectors: Vectors, text_of: NDArray[np.int32]) -> "VectorIndex":
        """From the vectors (m, d) of the distinct texts and each row's text (n,)."""
        m = len(vectors)
        if m < _QUANTISED:
            exact = vectors.astype(np.float32, copy=False)
            background = _background(exact)
            return VectorIndex((exact,), text_of, background, Moments.of(background))
        halves = vectors.astype(np.float16, copy=False)  # as a snapshot holds them
        bits: Bits = 4 if m >= _FOUR_BITS else 8
        background = _background(halves)
        return VectorIndex((halves,), text_of, background, Moments.of(background), Quantised.of(halves, bits))

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

    def begin(self, vector: Floats) -> Begun | None:
        """The first look at a large catalogue, by other threads while something else is done; for `scan`. None = not
        worth it."""
        return self.quantised.begin(vector) if self.quantised is not None and self.quantised.is_shared else None

    def scan(self, vector: Floats, begun: Begun | None = None) -> tuple[Floats, float, float]:
        """(n,) cosines with `vector` (d,), -1 for rows without a vector; mean and deviation of the background's.

        With too few products for a background these are 0 and 1. `begun`: what `begin` gave for this vector.
        """
        parts, spread = list[Floats](), self.ordinary(vector)
        for place, block in enumerate(self.blocks):
            if len(block) and place == 0 and self.quantised is not None:
                parts.append(begun() if begun is not None else self.quantised.products(vector))
                _look_twice(block, vector, parts[0], _EXACT[self.quantised.bits])
            elif len(block):
                parts.append(block @ vector)  # (m, d) @ (d,) -> (m,)
        if self._one_each:
            return parts[0] if len(parts) == 1 else _joined(parts), *spread
        cosines = _joined([*parts, np.full(1, -1, np.float32)])  # at its end what the place -1 reads
        return cosines.take(self.text_of), *spread

    @cached_property
    def _one_each(self) -> bool:
        """Has every row a text of its own, in the same order?"""
        n = sum(map(len, self.blocks))
        return n == len(self.text_of) and bool((self.text_of == np.arange(n)).all())

    def ordinary(self, vector: Floats) -> tuple[float, float]:
        """Mean and deviation of the background's cosines with `vector`; without a background 0 and 1."""
        if len(self.background) < _LEAST_BACKGROUND:
            return 0.0, 1.0
        mean, deviation = self.moments.spread(vector)
        return mean, max(deviation, 1e-6)

    def cosines(self, rows: NDArray[np.int32], vector: Floats) -> Floats:
        """(len(rows),) exact cosines with `vector` (d,); 0 for rows without a vector."""
        found = np.zeros(len(rows), np.float32)
        for start in range(0, len(rows), _AT_ONCE):
            vectors = self.vectors(rows[start : start + _AT_ONCE])
            if vectors.size:
                np.matmul(vectors, vector, out=found[start : start + _AT_ONCE])  # (k, d) @ (d,) -> (k,)
        return found

    def state(self) -> State:
        """Plain arrays; vectors as 16-bit floats, which moves a cosine by less than 0.001."""
        vectors = np.concatenate([block.astype(np.float16) for block in self.blocks])
        return {"vectors": vectors, "text_of": self.text_of}

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "VectorIndex":
        return VectorIndex.of(state["vectors"], state["text_of"])

    def vectors(self, rows: NDArray[np.int32]) -> Floats:
        """(len(rows), d); zeros where a row has none."""
        places = self.text_of[rows]
        if len(places) and places.min() >= 0 and places.max() < len(self.blocks[0]):  # as nearly always
            return _exact(self.blocks[0], places)
        found = np.zeros((len(rows), self.blocks[-1].shape[1]), np.float32)
        start = 0
        for block in self.blocks:
            inside = (places >= start) & (places < start + len(block))
            if inside.any():  # an empty block has no width either
                found[inside] = _exact(block, places[inside] - start)
            start += len(block)
        return found


def _background(vectors: Vectors) -> Floats:
    """Every so many-th vector, at most `_BACKGROUND` of them."""
    return vectors[:: _step(len(vectors))].astype(np.float32)


def _step(n: int) -> int:
    return max(1, -(-n // _BACKGROUND))


def _look_twice(vectors: NDArray[Any], vector: Floats, cosines: Floats, least: int) -> None:
    """Of `cosines` (m,), which are estimates, make the nearest exact, about `least` or more."""
    nearest = _nearest(cosines, max(least, len(cosines) // _EXACT_SHARE))
    for start in range(0, len(nearest), _AT_ONCE):
        places = nearest[start : start + _AT_ONCE]
        cosines[places] = _exact(vectors, places) @ vector


def _nearest(cosines: Floats, many: int) -> NDArray[np.intp]:
    """The places of about `many` highest, ascending: an even sample tells how high these are, which spares ordering
    all."""
    some = cosines[:: _step(len(cosines))]
    share = max(many * len(some) // len(cosines), 1)
    places = np.flatnonzero(cosines >= np.partition(some, -share)[-share])
    if many // 2 <= len(places) <= 2 * many:
        return places
    return np.sort(np.argpartition(cosines, -many)[-many:])


def _exact(vectors: NDArray[Any], places: NDArray[np.integer[Any]]) -> Floats:
    """(len(places), d) as 32-bit floats."""
    found = vectors.take(places, axis=0)
    return widened(found) if found.dtype == np.float16 else found


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.empty(0, np.float32), *parts])
