"""Counts of values that stream by, in memory that does not grow with them.

Sizes (prices, stock, numbers of events) are counted in bins of a logarithmic scale, 32 to each doubling, so that every
quantile is right within 2.2 percent. Names are counted exactly up to 20,000 different ones; beyond, rare ones are
merged. Shoppers are sampled, 50,000 at most, each whole or absent: distinct sampling, Gibbons (VLDB 2001).
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

PER_DOUBLING = 32  # bins between a size and its double
ZERO = -100_000  # the bin of 0
MAX_NAMES = 20_000
MAX_SHOPPERS = 50_000
EXTREMES = 3  # of each end of a group

Scale = Literal["size", "name", "day"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How often each value comes. Keys are bins (`bin_of`) of a "size", the "name" itself, or an ISO "day".

    `rest` counts rare names that were merged. `unit` is of sizes: a currency, or "".
    """

    scale: Scale
    counts: Mapping[Any, int]
    rest: int = 0
    unit: str = ""

    @property
    def total(self) -> int:
        return sum(self.counts.values()) + self.rest

    def quantile(self, share: float) -> float:
        """Of sizes, within 2.2 percent; nan where there is none."""
        return size_of(quantile_bin(self.counts, share)) if self.counts else math.nan


def bin_of(size: float) -> int:
    """The bin of a size of at least 0.

    >>> bin_of(1.0), bin_of(2.0), bin_of(0.0) == ZERO
    (0, 32, True)
    """
    return math.floor(math.log2(size) * PER_DOUBLING) if size > 0 else ZERO


def size_of(place: int) -> float:
    """The middle of a bin."""
    return 0.0 if place == ZERO else 2.0 ** ((place + 0.5) / PER_DOUBLING)


class Names:
    """Counts names: exactly up to MAX_NAMES different ones; when there are twice as many, the rarer half is merged."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._rest = 0

    def add(self, name: str) -> None:
        count(self._counts, name)
        if len(self._counts) >= 2 * MAX_NAMES:
            kept = heapq.nlargest(MAX_NAMES, self._counts.items(), key=lambda pair: pair[1])
            self._rest += sum(self._counts.values()) - sum(n for _, n in kept)
            self._counts = dict(kept)

    def spread(self) -> Spread:
        """Most frequent first."""
        return Spread("name", dict(sorted(self._counts.items(), key=lambda pair: (-pair[1], pair[0]))), self._rest)


class Group:
    """Sizes in bins, and the few lowest and highest above 0 with what they belong to."""

    def __init__(self) -> None:
        self.bins: dict[int, int] = {}
        self._lowest: list[tuple[float, str, str]] = []  # a heap by the negated size
        self._highest: list[tuple[float, str, str]] = []

    def add(self, size: float, id_: str, label: str) -> None:
        count(self.bins, bin_of(size))
        if not size:
            return
        for ends, key in ((self._lowest, -size), (self._highest, size)):
            if len(ends) < EXTREMES:
                heapq.heappush(ends, (key, id_, label))
            elif key > ends[0][0]:
                heapq.heappushpop(ends, (key, id_, label))

    @property
    def extremes(self) -> set[tuple[float, str, str]]:
        """(size, id, label) of the lowest and the highest."""
        return {(-key, id_, label) for key, id_, label in self._lowest} | set(self._highest)


class Shoppers:
    """Events of each shopper whose hash is small enough; how small halves whenever there are too many of them."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._halved = 0

    @property
    def times(self) -> int:
        """Each shopper of the sample stands for so many."""
        return 1 << self._halved

    def add(self, shopper_id: str) -> None:
        known = self._counts.get(shopper_id)
        if known is not None:
            self._counts[shopper_id] = known + 1
        elif self._chosen(shopper_id):
            self._counts[shopper_id] = 1
            if len(self._counts) > MAX_SHOPPERS:
                self._halved += 1
                self._counts = {one: n for one, n in self._counts.items() if self._chosen(one)}

    def spread(self) -> Spread:
        bins: dict[int, int] = {}
        for n in self._counts.values():
            count(bins, bin_of(n))
        return Spread("size", bins)

    def _chosen(self, shopper_id: str) -> bool:
        if not self._halved:
            return True
        digest = blake2b(shopper_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") & (self.times - 1) == 0


def count(counts: dict[Any, int], key: object) -> None:
    counts[key] = counts.get(key, 0) + 1


def quantile_bin(counts: Mapping[int, int], share: float) -> int:
    """The lowest bin at which at least this share of the sizes is counted."""
    wanted, counted, places = share * sum(counts.values()) - 1e-9, 0, sorted(counts)
    for place in places:
        counted += counts[place]
        if counted >= wanted:
            return place
    return places[-1]
