"""What nobody can buy now should not stand in the way of what somebody can."""

from dataclasses import dataclass

import numpy as np

from wares.contracts import View
from wares.domain.intent import Intent
from wares.domain.result import Slate
from wares.policies.priority import demoted, ordered, placed


@dataclass(frozen=True, slots=True)
class Availability:
    """Products that cannot be bought sink below all others; a search should still find them.

    A profile that hides them does so before retrieval, so that totals know of it.
    """

    name: str = "availability"

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        sellable = view.columns.sellable[slate.rows]
        if sellable.all():
            return slate
        slate = ordered(slate)
        order = np.argsort(~view.columns.sellable[slate.rows], kind="stable")
        return placed(slate, order, demoted(order), self.name, "unsellable")
