"""Links between products: which go together, the strongest of each row kept, and what a few rows together point at."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import vstack

from wares.domain.scores import Scores
from wares.models.memory import Sparse, no_links, sparse

_BLOCK_LINKS = 5_000_000  # products of pairs that are worked on at once: about 0.2 GB


def strongest(links: Sparse, k: int) -> Sparse:
    """The k entries of the greatest magnitude of each row, strongest first; of equals the lower column."""
    n = links.shape[0]
    kept = links.data != 0
    for row in np.flatnonzero(np.diff(links.indptr) > k):
        start, stop = links.indptr[row], links.indptr[row + 1]
        kept[start + np.argpartition(-np.abs(links.data[start:stop]), k)[k:]] = False
    rows = np.repeat(np.arange(n), np.diff(links.indptr))[kept]
    columns, values = links.indices[kept], links.data[kept]
    order = np.lexsort((columns, -np.abs(values), rows))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return sparse(values[order], columns[order], indptr, (n, links.shape[1]))


def go_together(groups: Sparse, k: int, shrink: float, damping: float, least: int = 1) -> Sparse:
    """Which products occur in the same groups (baskets, shoppers): (n_groups, n) -> (n, n), k links per row.

    link(i, j) = x_i . x_j / (|x_i|^(2 - 2 damping) |x_j|^(2 damping) + shrink), 0 for i = j. Damping 0.5 is the cosine,
    0 how many of i's groups have j, 1 how many of j's have i; shrinkage doubts rare pairs (Deshpande and Karypis 2004,
    "Item-based top-N recommendation algorithms", TOIS 22). Products in fewer than `least` groups have no links.
    """
    n = groups.shape[1]
    kept = np.bincount(groups.indices, minlength=n)[groups.indices] >= least
    if not kept.any():
        return no_links(n, n)
    owner = np.repeat(np.arange(groups.shape[0]), np.diff(groups.indptr))[kept]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=groups.shape[0]))])
    groups = sparse(groups.data[kept], groups.indices[kept], indptr, groups.shape)
    by_product = sparse_transpose(groups)
    squares = np.bincount(groups.indices, groups.data.astype(np.float64) ** 2, n)
    source, target = squares ** (1 - damping), squares**damping
    work = np.bincount(groups.indices, np.repeat(np.diff(groups.indptr), np.diff(groups.indptr)), n)
    blocks = np.searchsorted(np.cumsum(work), np.arange(0, work.sum(), _BLOCK_LINKS), side="right")
    edges = np.unique(np.concatenate([[0], blocks, [n]]))
    parts = []
    for start, stop in pairwise(edges.tolist()):
        block = by_product[start:stop] @ groups  # (b, groups) @ (groups, n) -> (b, n)
        rows = np.repeat(np.arange(start, stop), np.diff(block.indptr))
        value = np.where(rows == block.indices, 0, block.data / (source[rows] * target[block.indices] + shrink))
        parts.append(strongest(sparse(value, block.indices, block.indptr, block.shape), k))
    joined = vstack(parts, format="csr")
    return sparse(joined.data, joined.indices, joined.indptr, (n, n))


def sparse_transpose(matrix: Sparse) -> Sparse:
    """(a, b) -> (b, a)"""
    flipped = matrix.T.tocsr()
    return sparse(flipped.data, flipped.indices, flipped.indptr, (matrix.shape[1], matrix.shape[0]))


def pointed_at(links: Sparse, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> Scores:
    """The weighted sum of some rows of `links`: (m,) @ (m, n) -> of n products."""
    n = links.shape[1]
    inside = rows < links.shape[0]
    if not inside.all():
        rows, weights = rows[inside], weights[inside]
    starts = links.indptr[rows]
    counts = links.indptr[rows + 1] - starts
    ends = np.cumsum(counts)
    at = np.repeat(starts - (ends - counts), counts)
    at += np.arange(len(at), dtype=at.dtype)  # places of their links
    spoken = np.repeat(weights, counts)
    spoken *= links.data.take(at)
    return Scores.summed(n, links.indices.take(at), spoken)


def nearest_link(links: Sparse, row: int, among: NDArray[np.bool_]) -> int | None:
    """Which of these columns (n,) one row of `links` holds most of, if of any above 0; links are `strongest` ones."""
    start, end = links.indptr[row], links.indptr[row + 1]
    columns = links.indices[start:end]
    there = among[columns]
    if not there.any():
        return None
    there &= links.data[start:end] > 0
    first = int(there.argmax())
    return int(columns[first]) if there[first] else None


def heaviest(
    rows: NDArray[np.int32], weights: NDArray[np.float32], limit: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The `limit` rows of the greatest weight: bounds what one long history costs."""
    if len(rows) <= limit:
        return rows, weights
    kept = np.argpartition(-weights, limit)[:limit]
    return rows[kept], weights[kept]
