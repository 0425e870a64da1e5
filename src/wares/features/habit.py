"""What a shopper's own history says of a product: how often and how lately it was met, whether it is due again, and how
much of what they buy is of its kind, its brand, or a variant of it. A visit is a day (UTC) with events."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns, Labels
from wares.domain.shopper import History

Floats = NDArray[np.float32]
_DAY_MS = 86_400_000
_HALF_LIVES_DAYS = (7.0, 30.0, 120.0)
_HALF_LIVES_VISITS = (3.0, 10.0, 30.0)
_LATELY = 10  # visits
_NEVER_DAYS = 1_000.0
HABIT_FEATURES = (
    "times_met", "days_since", "met_7d", "met_30d", "met_120d", "kind_30d", "kind_days_since", "share_of_kind",
    "visits", "visit_size", "days_known",
    "of_visits_3", "of_visits_10", "of_visits_30", "visit_share", "visits_since", "overdue",
    "kind_visits", "kind_overdue", "variant_visits", "variant_overdue", "like_visits", "brand_visits",
    "dearer", "days_away", "visit_gap", "visit_size_lately", "new_lately",
)  # fmt: skip


def habit_features(rows: NDArray[np.int32], history: History, columns: Columns, now_ms: int) -> Floats:
    """(n, 28) of these products, by the events that speak for one.

    times_met: events on it; days_since: the last one (1,000 = never); met_*: interest that fades by half in so many
    days; kind_30d and kind_days_since: the same of its deepest category; share_of_kind: met_30d / kind_30d; then of the
    shopper, the same for every product: distinct days with events, events per such day, and days since the first.

    of_visits_*: the share of visits with it, which fade by half in so many visits; visit_share: the part of a visit's
    events that it is, averaged so; visits_since: the last one with it; overdue: days since, in mean gaps between its
    events. *_visits: events that fade by half in 10 visits, of its kind, of its variants (itself included), of its kind
    and brand ("like"), and of its brand as a share of all. dearer: log price above the mean log price of what the
    shopper lately chose, 0 = unknown. Last, of the shopper: days since the last event, days between visits, events per
    visit in the last five, and which part of the last ten visits' events was met for the first time.
    """
    spoke = history.take(history.interest > 0)
    found = np.zeros((len(rows), len(HABIT_FEATURES)), np.float32)
    if not len(spoke) or not len(rows):
        return found
    age_days = np.maximum(now_ms - spoke.times_ms, 0) / _DAY_MS  # (h,), falling
    days = spoke.times_ms // _DAY_MS
    visit = np.cumsum(np.append(True, days[1:] != days[:-1])) - 1  # (h,) growing
    n_visits, since = int(visit[-1]) + 1, visit[-1] - visit  # visits ago
    own = _Sums.of(rows, *np.unique(spoke.rows, return_inverse=True), age_days)
    n, met = len(rows), own.names
    both = np.concatenate([rows, met])
    kinds, brands = _last(both, columns.labels["category"]), _last(both, columns.labels["brand"])
    likes = (kinds + 1) * (int(brands.max()) + 2) + brands + 1
    groups = columns.groups[both]
    kind, brand, like, variant = (own.wider(code[:n], code[n:]) for code in (kinds, brands, likes, groups))
    faded = [spoke.interest * np.exp2(-age_days / half_life) for half_life in _HALF_LIVES_DAYS]
    met_days = [own.summed(weights) for weights in faded]
    kind_30d = kind.summed(faded[1])
    found[:, 0] = own.summed(np.ones(len(spoke)))
    found[:, 1] = own.since()
    found[:, 2:5] = np.stack(met_days, axis=1)
    found[:, 5] = kind_30d
    found[:, 6] = kind.since()
    found[:, 7] = met_days[1] / np.maximum(kind_30d, 1e-6)
    found[:, 8:11] = n_visits, len(spoke) / n_visits, age_days[0]
    ago, sizes = np.arange(n_visits)[::-1], np.bincount(visit)
    before = own.visit_before(visit)
    first_of_visit = before != visit  # (h,) a product counts once in a visit
    for column, half_life in enumerate(_HALF_LIVES_VISITS, start=11):
        share = np.exp2(-since / half_life) * first_of_visit
        found[:, column] = own.summed(share / np.exp2(-ago / half_life).sum())
    lately = np.exp2(-since / _LATELY)
    found[:, 14] = own.summed(lately / sizes[visit] / np.exp2(-ago / _LATELY).sum())
    found[:, 15] = own.last(since, _NEVER_DAYS)
    found[:, 16] = own.overdue()
    found[:, 17:19] = np.stack([kind.summed(lately), kind.overdue()], axis=1)
    found[:, 19:21] = np.stack([variant.summed(lately), variant.overdue()], axis=1)
    found[:, 21] = like.summed(lately)
    found[:, 22] = brand.summed(lately / lately.sum())
    found[:, 23] = _dearer(columns.numbers["price"][rows], columns.numbers["price"][spoke.rows], lately)
    gap = (age_days[0] - age_days[-1]) / max(n_visits - 1, 1)
    recent = since < _LATELY
    found[:, 24:] = age_days[-1], gap, sizes[-5:].mean(), (before < 0)[recent].mean()
    return found


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over a history by what each event is of. `names` (m,) grow, `place` (h,) numbers them event by event, `at`
    (n,) is the place of what is asked, -1 where the history has nothing of it; `age_days` (h,) falls."""

    at: NDArray[np.integer]
    names: NDArray[np.integer]
    place: NDArray[np.integer]
    age_days: NDArray[np.floating]

    @staticmethod
    def of(
        asked: NDArray[np.integer],
        names: NDArray[np.integer],
        place: NDArray[np.integer],
        age_days: NDArray[np.floating],
    ) -> "_Sums":
        at = np.searchsorted(names, asked).clip(max=len(names) - 1)
        return _Sums(np.where(names[at] == asked, at, -1), names, place, age_days)

    def wider(self, asked: NDArray[np.integer], codes: NDArray[np.integer]) -> "_Sums":
        """The same by a code of each name (m,), and of what is asked (n,)."""
        names, inverse = np.unique(codes, return_inverse=True)
        return _Sums.of(asked, names, inverse[self.place], self.age_days)

    @property
    def m(self) -> int:
        return len(self.names)

    def summed(self, weights: NDArray[np.floating]) -> Floats:
        """(n,) of weights (h,)."""
        return self._asked(np.bincount(self.place, weights, self.m).astype(np.float64), 0.0)

    def last(self, values: NDArray[np.generic], otherwise: float) -> Floats:
        """(n,) the value (h,) of the last event."""
        last = np.empty(self.m)
        last[self.place] = values  # the last event of each stays
        return self._asked(last, otherwise)

    def since(self) -> Floats:
        """(n,) days since the last event."""
        return self.last(self.age_days, _NEVER_DAYS)

    def overdue(self) -> Floats:
        """(n,) days since the last event in mean gaps between events, a day at least; 1,000 = never met."""
        last, first = np.empty(self.m), np.empty(self.m)
        last[self.place] = self.age_days
        first[self.place[::-1]] = self.age_days[::-1]
        gaps = (first - last) / np.maximum(np.bincount(self.place, minlength=self.m) - 1, 1)
        return self._asked(last / np.maximum(gaps, 1), _NEVER_DAYS)

    def visit_before(self, visit: NDArray[np.integer]) -> NDArray[np.integer]:
        """(h,) in which visit an event's product was met the last time before, -1 = never."""
        order = np.argsort(self.place, kind="stable")
        same = self.place[order][1:] == self.place[order][:-1]
        before = np.full(len(order), -1, visit.dtype)
        before[order[1:][same]] = visit[order[:-1][same]]
        return before

    def _asked(self, values: NDArray[np.floating], otherwise: float) -> Floats:
        return np.where(self.at >= 0, values[self.at], otherwise).astype(np.float32)


def _last(rows: NDArray[np.int32], labels: Labels) -> NDArray[np.int64]:
    """The last code of these products' labels, of a category the deepest; -1 where there is none."""
    ends = labels.indptr[rows + 1]
    has = ends > labels.indptr[rows]
    return np.where(has, labels.codes[ends - 1] if len(labels.codes) else -1, -1).astype(np.int64)


def _dearer(asked: NDArray[np.float64], met: NDArray[np.float64], weights: NDArray[np.floating]) -> Floats:
    """(n,) log price above the weighted mean log price of what was met; 0 where that or the price is unknown."""
    priced = np.isfinite(met) & (met > 0)
    if not priced.any():
        return np.zeros(len(asked), np.float32)
    usual = np.average(np.log1p(met[priced]), weights=weights[priced])
    return np.where(asked > 0, np.log1p(np.nan_to_num(asked)) - usual, 0).astype(np.float32)
