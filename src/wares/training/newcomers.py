"""Newcomers: products that nobody has touched since they came. What neighbours say of their kin goes on counting for
them when a training makes them rows of the snapshot."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.interactions import Interactions
from wares.engine.learnt import SNAPSHOTS
from wares.engine.shelf import current_name
from wares.engine.snapshot import load_parts
from wares.errors import SnapshotError

_NEW_MS = 90 * 86_400_000  # after its publication
SCANNED = 160_000_000  # rows at most that are looked at for their kin: about ten seconds


def newcomers_of(
    columns: Columns, interactions: Interactions, folder: Path, now_ms: int
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The rows of the newcomers, the latest first, and (n,) which products have events.

    New is what was published within 90 days, what came since the snapshot that serves, and what was new to that one.
    """
    touched = np.bincount(interactions.events.rows, minlength=len(columns)) > 0
    published = columns.numbers["published"]
    new = (published > now_ms - _NEW_MS) & (published <= now_ms)
    new |= _came_since(columns, folder / SNAPSHOTS)
    rows = np.flatnonzero(new & ~touched).astype(np.int32)
    return rows[np.argsort(-columns.keys[rows], kind="stable")], touched


def _came_since(columns: Columns, snapshots: Path) -> NDArray[np.bool_]:
    """(n,) which products the serving snapshot did not have, or had as newcomers; keys grow as products come."""
    name = current_name(snapshots)
    try:
        parts = load_parts(snapshots / name, {"columns", "kin"})[1] if name else {}
    except SnapshotError:
        parts = {}  # a damaged one
    if not parts:
        return np.zeros(len(columns), np.bool_)
    known = np.asarray(parts["columns"]["keys"], np.int64)
    still_new = known[parts["kin"]["newcomers"]] if "kin" in parts else np.empty(0, np.int64)
    came: NDArray[np.bool_] = ~np.isin(columns.keys, known) | np.isin(columns.keys, still_new)
    return came
