"""Which rows are of one product, and which are variants of one hit, without a look at all rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.sorting import distinct
from wares.engine.view import ShopView

Bools = NDArray[np.bool_]


def same_group(rows: NDArray[np.int32], view: ShopView) -> NDArray[np.int32]:
    """Every row that is one of these or a variant of one."""
    columns = view.columns
    if columns.n_groups == len(columns):  # nothing has variants
        return rows
    return view.state.filters.rows_of(distinct(columns.groups[rows]))


def of_products(rows: NDArray[np.int32], view: ShopView) -> NDArray[np.int32]:
    """Every row of these products, old ones and the one that took over, and every variant of theirs."""
    keys, n_learnt = view.columns.keys, view.state.n_learnt
    learnt = view.learnt_rows(rows)  # a product has one row in the snapshot, and any number of later ones
    later = n_learnt + np.flatnonzero(np.isin(keys[n_learnt:], keys[rows]))
    return same_group(np.concatenate([rows, learnt[learnt >= 0], later.astype(np.int32)]), view)


def without(mask: Bools, rows: NDArray[np.int32]) -> Bools:
    """The mask (n,) without these rows."""
    mask = mask.copy()
    mask[rows] = False
    return mask


def in_groups(rows: NDArray[np.int32], asked: NDArray[np.integer[Any]], columns: Columns) -> Bools:
    """(asked,) which of `asked` are one of `rows` or a variant of one."""
    marked = np.zeros(columns.n_groups, np.bool_)
    marked[columns.groups[rows]] = True
    found: Bools = marked[columns.groups[asked]]
    return found
