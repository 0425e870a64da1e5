"""Which of the equal lines of a feed is this one? Two honest equal lines stay two; the same file again adds none."""

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


class Ordinals:
    """Counts equal lines over the chunks of one feed, in 8 bytes per line: sorted runs, merged as they grow."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def count(self, hashes: Hashes) -> NDArray[np.int64]:
        """(n,) -> (n,): how many equal ones came before each, in this chunk or an earlier one.

        >>> ordinals = Ordinals()
        >>> ordinals.count(np.array([7, 8, 7], np.uint64)).tolist()
        [0, 0, 1]
        >>> ordinals.count(np.array([9, 7], np.uint64)).tolist()
        [0, 2]
        """
        order = np.argsort(hashes, kind="stable")
        run = hashes[order]
        before = np.arange(len(run)) - np.searchsorted(run, run)  # (n,) equal ones earlier in this chunk
        for earlier in self._runs:
            before += np.searchsorted(earlier, run, "right") - np.searchsorted(earlier, run, "left")
        self._keep(run)
        counts = np.empty(len(run), np.int64)
        counts[order] = before
        return counts

    def _keep(self, run: Hashes) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)
