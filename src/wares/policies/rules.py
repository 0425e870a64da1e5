"""The shopkeeper's own word: pin, hide, boost, bury and filter, for a query, category, surface or season."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Filter
from wares.domain.intent import Intent
from wares.domain.product import PATH_SEPARATOR
from wares.domain.result import Candidates, Slate
from wares.domain.selection import known_rows, passing
from wares.policies.priority import changed, ordered, placed, rescaled


@dataclass(frozen=True, slots=True)
class When:
    """The requests that a rule is for; what is left empty does not matter."""

    words: tuple[str, ...] = ()  # the query's tokens (`domain.text.tokens`): these and no others
    category: str = ""  # the page or the shopper's filter is this category or one below it
    surfaces: tuple[str, ...] = ()  # one of these
    from_ms: int | None = None  # first moment, Unix milliseconds
    until_ms: int | None = None  # first moment after

    def holds(self, intent: Intent) -> bool:
        """Whether this request is meant."""
        request = intent.request
        return (
            (not self.words or self.words == intent.words)
            and (not self.surfaces or request.surface in self.surfaces)
            and (self.from_ms is None or request.now_ms >= self.from_ms)
            and (self.until_ms is None or request.now_ms < self.until_ms)
            and (not self.category or any(map(self._covers, request.filter.choices_of("category", fixed=True))))
        )

    def is_of_page(self, intent: Intent) -> bool:
        """Whether it would hold without the shopper's own choice of categories."""
        page = [c for c in intent.request.filter.clauses if isinstance(c, AnyOf) and c.fixed and c.field == "category"]
        return not self.category or any(self._covers(value) for clause in page for value in clause.values)

    def _covers(self, chosen: str) -> bool:
        return (chosen + PATH_SEPARATOR).startswith(self.category + PATH_SEPARATOR)


@dataclass(frozen=True, slots=True)
class Weighting:
    """Products that count `factor` times as much: above 1 a boost, below 1 a bury.

    What is weighed is 1 for the last candidate up to 2 for the best, so that no scale of scores matters: 1.5 lifts a
    product from the middle above the best, 0.5 sends the best to the end.
    """

    where: Filter  # the field "id" means the product itself
    factor: float  # 0 or more


@dataclass(frozen=True, slots=True)
class Actions:
    """What is to be done. Where they disagree, hide and filter win over pin, and an earlier pin over a later one."""

    pins: tuple[tuple[str, int], ...] = ()  # (product id, position from 1)
    hide: tuple[str, ...] = ()  # product ids
    weightings: tuple[Weighting, ...] = ()
    filter: Filter = field(default_factory=Filter)

    def then(self, more: "Actions") -> "Actions":
        """Both; these first."""
        return Actions(
            self.pins + more.pins,
            self.hide + more.hide,
            self.weightings + more.weightings,
            self.filter.and_also(*more.filter.clauses),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One wish of the shopkeeper."""

    when: When
    actions: Actions
    name: str = ""


class Rules:
    """All rules of the shop as one policy; the last one of a profile, so that nothing moves a pin again.

    A pinned product enters even where no source named it, with score 0, if it can be bought and passes the shopper's
    filter. Its variants on the slate give way to it. The engine asks `actions` before retrieval, too, to let the match
    set (and with it totals and facets) know of filter, hide and pins.
    """

    name = "rules"

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)

    def actions(self, intent: Intent) -> Actions:
        """Everything that the rules want of this request.

        A category that the shopper chose may change the order of what they see, not what belongs to it: its number
        was told beside the choice. So pin, hide and filter are for the pages of a category.
        """
        actions = Actions()
        for rule in self.rules:
            if rule.when.holds(intent):
                of_page = rule.when.is_of_page(intent)
                actions = actions.then(rule.actions if of_page else Actions(weightings=rule.actions.weightings))
        return actions

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        actions = self.actions(intent)
        if actions == Actions():
            return slate
        columns = view.columns
        pins = pinned_rows(actions, intent.request.filter, columns)
        slate = _only(slate, allowed(actions, slate.rows, columns))
        slate = ordered(_weighted(slate, actions.weightings, columns))
        return _pinned(_with_rows(slate, np.array(list(pins), np.int32), columns), pins)


def allowed(actions: Actions, rows: NDArray[np.int32], columns: Columns) -> NDArray[np.bool_]:
    """(n,) which of `rows` are neither hidden nor filtered out."""
    shown = passing(actions.filter, columns, rows)
    if actions.hide:
        shown &= ~np.isin(rows, known_rows(actions.hide, columns))
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
