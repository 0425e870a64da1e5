"""What shoppers did since the snapshot. Events come by the thousand, and few of these shoppers ask soon: so an event is
noted as it is, and arrays are made when somebody asks."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from wares.domain.shopper import History

LENGTH = 500  # events remembered per shopper until the next training
_NOTED = 32  # that wait to become arrays

Did = tuple[int, int, int, float]  # row, kind, time, quantity


class Sessions:
    """Who adds takes turns; reading takes no lock."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[History, tuple[Did, ...]]] = {}  # replaced, never changed

    def __len__(self) -> int:
        """How many shoppers did something."""
        return len(self._of)

    def add(self, did: Mapping[int, Sequence[Did]]) -> None:
        """Shopper's key (below 0 = unknown, not kept) -> what they did, as it came."""
        for shopper, events in did.items():
            if shopper >= 0:
                known, noted = self._of.get(shopper, _NOTHING)
                noted = (*noted, *events)
                self._of[shopper] = (known, noted) if len(noted) < _NOTED else (_joined(known, noted), ())

    def forget(self, shoppers: Iterable[int]) -> None:
        """These shoppers were erased."""
        for shopper in shoppers:
            self._of.pop(shopper, None)

    def of(self, shopper: int) -> History:
        """The last 500 events of this shopper in order of time."""
        known, noted = self._of.get(shopper, _NOTHING)
        return _joined(known, noted) if noted else known


def _joined(known: History, noted: Sequence[Did]) -> History:
    rows, kinds, times_ms, quantities = zip(*noted, strict=True)
    later = History(
        np.array(rows, np.int32), np.array(times_ms, np.int64),
        np.array(kinds, np.int8), np.array(quantities, np.float32),
    ).in_order()  # fmt: skip
    return known.then(later).take(slice(-LENGTH, None))


_NOTHING = (History.empty(), ())
