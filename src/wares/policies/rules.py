"""The shopkeeper's own word on the order: pin, hide, boost, bury and filter (`domain.rule` says for whom)."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.filter import Filter
from wares.domain.intent import Intent
from wares.domain.result import Candidates, Slate
from wares.domain.rule import NOTHING, Actions, Weighting
from wares.domain.selection import known_rows, passing
from wares.policies.priority import changed, ordered, placed, rescaled


class Rules:
    """What the shop's rules want of a request, as one policy; the last one of a profile, so that nothing moves a pin
    again.

    A pinned product enters even where no source named it, with score 0, if it can be bought and passes the shopper's
    filter. Its variants on the slate give way to it. The engine looks at `intent.actions` before retrieval, too, to
    let the match set (and with it totals and facets) know of filter, hide and pins.
    """

    name = "rules"

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        actions = intent.actions
        if actions == NOTHING:
            return slate
        columns = view.columns
        pins = pinned_rows(actions, intent.request.filter, columns)
        slate = _only(slate, allowed(actions, slate.rows, columns))
        slate = ordered(_weighted(slate, actions.weightings, columns))
        return _pinned(_with_rows(slate, np.array(list(pins), np.int32), columns), pins)


def allowed(actions: Actions, rows: NDArray[np.int32] | None, columns: Columns) -> NDArray[np.bool_]:
    """(n,) which of `rows` (all if None) are neither hidden nor filtered out."""
    shown = passing(actions.filter, columns, rows)
    if actions.hide:
        hidden = known_rows(actions.hide, columns)
        if rows is None:
            shown[hidden] = False
        else:
            shown &= ~np.isin(rows, hidden)
    return shown


def pinnable_rows(actions: Actions, columns: Columns) -> NDArray[np.int32]:
    """Every row that some choice of the shopper's would pin, variants of each other included."""
    rows = known_rows(tuple(product_id for product_id, _ in actions.pins), columns)
    return rows[columns.sellable[rows] & allowed(actions, rows, columns)]


def pinned_rows(actions: Actions, chosen: Filter, columns: Columns) -> dict[int, int]:
    """Row -> position from 1, for the pins that can be kept; `chosen` is the shopper's filter."""
    rows = pinnable_rows(actions, columns)
    rows = rows[passing(chosen, columns, rows)]
    position_of = {columns.row_of.get(product_id): position for product_id, position in reversed(actions.pins)}
    _, first = np.unique(columns.groups[rows], return_index=True)  # one variant of each
    return {row: position_of[row] for row in rows[np.sort(first)].tolist()}


def _only(slate: Slate, keep: NDArray[np.bool_]) -> Slate:
    return slate if keep.all() else slate.take(keep)


def _with_rows(slate: Slate, wanted: NDArray[np.int32], columns: Columns) -> Slate:
    """The slate with these rows, each instead of its other variants; new ones come last, with score 0."""
    variant = np.isin(columns.groups[slate.rows], columns.groups[wanted]) & ~np.isin(slate.rows, wanted)
    slate = _only(slate, ~variant)
    new = np.setdiff1d(wanted, slate.rows)
    if not len(new):
        return slate
    old, zeros = slate.candidates, np.zeros(len(new), np.float32)
    candidates = Candidates(
        np.concatenate([old.rows, new]),
        np.concatenate([old.by_source, np.zeros((len(new), len(old.sources)), np.float32)]),
        old.sources,
        np.concatenate([old.scores, zeros]),
    )
    return replace(
        slate,
        candidates=candidates,
        scores=np.concatenate([slate.scores, zeros]),
        priority=np.concatenate([slate.priority, zeros]),
        adjustments=slate.adjustments + ((),) * len(new),
    )


def _weighted(slate: Slate, weightings: tuple[Weighting, ...], columns: Columns) -> Slate:
    if not weightings or not len(slate):
        return slate
    unit, span = rescaled(slate.priority)
    worth = 1 + unit
    for weighting in weightings:
        meant = passing(weighting.where, columns, slate.rows)
        gain = np.where(meant, worth * (weighting.factor - 1), 0)
        worth += gain
        priority = (slate.priority + span * gain).astype(np.float32)
        slate = changed(slate, priority, Rules.name, "boost" if weighting.factor > 1 else "bury")
    return slate


def _pinned(slate: Slate, pins: dict[int, int]) -> Slate:
    """Each pin at its position, or the next free one; at the end if the slate is shorter than that."""
    n, m = len(slate), len(pins)
    places: list[int] = []
    by_position = sorted(pins, key=pins.__getitem__)  # stable: an earlier rule first
    for row in by_position:
        places.append(max(pins[row] - 1, places[-1] + 1 if places else 0))
    places = [min(place, n - m + i) for i, place in enumerate(places)]
    old_place = {row: place for place, row in enumerate(slate.rows.tolist()) if row in pins}
    order, moved = np.empty(n, np.intp), np.zeros(n, np.bool_)
    moved[np.array(places, np.intp)] = True
    order[moved] = [old_place[row] for row in by_position]
    order[~moved] = np.setdiff1d(np.arange(n), order[moved])
    return placed(slate, order, moved, Rules.name, "pin")
