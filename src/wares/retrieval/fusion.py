"""Several opinions -> one list of candidates."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wares.domain.result import Candidates

Floats = NDArray[np.float32]
_RRF_K = 60  # Cormack, Clarke and Buettcher 2009


def fuse(rows: NDArray[np.int32], opinions: Mapping[str, Floats], weights: Mapping[str, float], how: str) -> Candidates:
    """Candidates for `rows` (n,) from each source's scores of them (n,).

    `how`: "convex" adds weight x score / best score; "rrf" adds weight / (60 + rank), for sources whose scores have
    no meaning beyond their order.
    """
    by_source = np.stack(list(opinions.values()), axis=1) if opinions else _none(len(rows))
    fused = np.zeros(len(rows), np.float32)
    for name, scores in opinions.items():
        weight = np.float32(weights.get(name, 1.0))
        if how == "rrf":
            rank = np.empty(len(rows), np.float32)
            rank[np.argsort(-scores, kind="stable")] = np.arange(1, len(rows) + 1)
            fused += np.where(scores > 0, weight / (_RRF_K + rank), np.float32(0))
        elif (best := float(scores.max(initial=0.0))) > 0:
            fused += weight * np.maximum(scores, 0) / np.float32(best)
    return Candidates(rows, by_source, tuple(opinions), fused)


def _none(n: int) -> Floats:
    return np.zeros((n, 0), np.float32)


def one_per_group(groups: NDArray[np.int32], n_groups: int) -> NDArray[np.intp]:
    """Places of the first of each group, in order; `groups` (m,) are those of rows, numbered below `n_groups`."""
    first = np.empty(n_groups, np.int32)  # of a table of all, only what is touched costs anything
    places = np.arange(len(groups), dtype=np.int32)
    first[groups[::-1]] = places[::-1]  # the earliest is written last
    return np.flatnonzero(first[groups] == places)
