"""Sources that remember for the shopper: what they viewed lately, what they put on their wish list, what they hid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.intent import Intent
from wares.domain.result import Reason
from wares.domain.shopper import History

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class RecentlyViewed:
    """The products that the shopper looked at last, the latest first; at most `most`."""

    name: str = "recently_viewed"
    most: int = 100

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        return _latest_first(intent.history.of(EventKind.VIEW), self.most, view.columns, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return Reason("recently_viewed")


@dataclass(frozen=True, slots=True)
class WishList:
    """What the shopper wished for and did not take off the list since, the latest first; at most `most`."""

    name: str = "wish_list"
    most: int = 1000

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        wished = intent.history.standing(EventKind.WISH, EventKind.UNWISH)
        return _latest_first(wished, self.most, view.columns, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return Reason("wish_listed")


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the shopper hid and may want back, the latest first; at most `most`."""

    name: str = "hidden"
    most: int = 1000

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        return _latest_first(intent.history.hidden, self.most, view.columns, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return None


def _latest_first(history: History, most: int, columns: Columns, rows: Rows | None) -> Floats:
    """(n,) 1 for the product of the latest event, less for each earlier one, 0 for all others. A product that was
    rewritten since is meant in its new row."""
    latest = history.rows[::-1]
    _, first = np.unique(latest, return_index=True)
    listed = latest[np.sort(first)][:most]
    scores = np.zeros(len(columns), np.float32)
    for place, row in enumerate(listed.tolist()):
        if (now := columns.row_of.get(columns.ids[row])) is not None:
            scores[now] = 1 - place / len(listed)
    return scores if rows is None else scores[rows]
