"""What a shopper's own history says of a product: how often, how lately, and how much of what they buy is its kind."""

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.shopper import History

Floats = NDArray[np.float32]
_DAY_MS = 86_400_000
_HALF_LIVES_DAYS = (7.0, 30.0, 120.0)
_NEVER_DAYS = 1_000.0
HABIT_FEATURES = (
    "times_met", "days_since", "met_7d", "met_30d", "met_120d", "kind_30d", "kind_days_since", "share_of_kind",
    "visits", "visit_size", "days_known",
)  # fmt: skip


def habit_features(rows: NDArray[np.int32], history: History, columns: Columns, now_ms: int) -> Floats:
    """(n, 11) of these products, by the events that speak for one.

    times_met: events on it; days_since: the last one (1,000 = never); met_*: interest that fades by half in so many
    days; kind_30d and kind_days_since: the same of its deepest category; share_of_kind: met_30d / kind_30d; then of the
    shopper, the same for every product: distinct days with events, events per such day, and days since the first.
    """
    spoke = history.take(history.interest > 0)
    found = np.zeros((len(rows), len(HABIT_FEATURES)), np.float32)
    if not len(spoke) or not len(rows):
        return found
    age_days = np.maximum(now_ms - spoke.times_ms, 0) / _DAY_MS  # (h,), falling
    met, place = np.unique(spoke.rows, return_inverse=True)
    own = _Sums(met, place, age_days)
    kinds, kind_of = _kinds(np.concatenate([rows, spoke.rows]), columns)
    kind = _Sums(np.arange(len(kinds)), kind_of[len(rows) :], age_days)
    faded = [spoke.interest * np.exp2(-age_days / half_life) for half_life in _HALF_LIVES_DAYS]
    met_days = [own.of(rows, own.summed(weights)) for weights in faded]
    kind_30d = kind.of(kind_of[: len(rows)], kind.summed(faded[1]))
    days = len(np.unique(spoke.times_ms // _DAY_MS))
    found[:, 0] = own.of(rows, own.summed(np.ones(len(spoke))))
    found[:, 1] = own.of(rows, own.latest(), _NEVER_DAYS)
    found[:, 2:5] = np.stack(met_days, axis=1)
    found[:, 5] = kind_30d
    found[:, 6] = kind.of(kind_of[: len(rows)], kind.latest(), _NEVER_DAYS)
    found[:, 7] = met_days[1] / np.maximum(kind_30d, 1e-6)
    found[:, 8:] = days, len(spoke) / days, age_days[0]
    return found


class _Sums:
    """Sums over a history by what each event is of: `names` (m,) growing, `place` (h,) of each event among them."""

    def __init__(self, names: NDArray[np.integer], place: NDArray[np.integer], age_days: NDArray[np.floating]) -> None:
        self.names, self.place, self.age_days = names, place, age_days

    def summed(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.bincount(self.place, weights, len(self.names)).astype(np.float64)

    def latest(self) -> NDArray[np.float64]:
        days = np.full(len(self.names), _NEVER_DAYS)
        days[self.place] = self.age_days  # the last event of each stays
        return days

    def of(self, asked: NDArray[np.integer], values: NDArray[np.floating], otherwise: float = 0.0) -> Floats:
        """The values of what is asked, `otherwise` where there is none."""
        at = np.searchsorted(self.names, asked).clip(max=len(self.names) - 1)
        return np.where(self.names[at] == asked, values[at], otherwise).astype(np.float32)


def _kinds(rows: NDArray[np.int32], columns: Columns) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """The distinct deepest categories of these products, and each one's place among them; none is one of them."""
    labels = columns.labels["category"]
    ends = labels.indptr[rows + 1]
    has = ends > labels.indptr[rows]
    codes = np.where(has, labels.codes[ends - 1] if len(labels.codes) else -1, -1)
    return np.unique(codes, return_inverse=True)
