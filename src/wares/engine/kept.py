"""How much memory takes what is kept for later: what several share counts once."""

from collections.abc import Iterable
from typing import Protocol


class Sized(Protocol):
    """What says how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Of its own."""
        ...

    @property
    def shares(self) -> Iterable[tuple[object, int]]:
        """What it holds that others may hold, too, and the memory that this takes."""
        ...


class KeptBytes:
    """The memory of all that was added and not taken away. Who calls sees to it that one thread does so at a time."""

    def __init__(self) -> None:
        self.now = 0
        self._holders: dict[int, int] = {}  # identity of what is shared -> how many of those kept hold it

    def add(self, one: Sized) -> None:
        """It is kept from now on."""
        self.now += one.nbytes
        for shared, nbytes in one.shares:
            holders = self._holders.get(id(shared), 0)
            self._holders[id(shared)] = holders + 1
            self.now += 0 if holders else nbytes

    def take(self, one: Sized) -> None:
        """It is kept no more."""
        self.now -= one.nbytes
        for shared, nbytes in one.shares:
            holders = self._holders.pop(id(shared)) - 1
            if holders:
                self._holders[id(shared)] = holders
            else:
                self.now -= nbytes
