"""What the shop earns and what it wants to be rid of: margin, stock cover and age of stock, by stated weights."""

from dataclasses import dataclass

import numpy as np

from wares.contracts import View
from wares.domain.intent import Intent
from wares.domain.result import Slate
from wares.policies.priority import changed, ordered, rescaled


@dataclass(frozen=True, slots=True)
class Aims:
    """Moves each hit up or down by weight x standing x span, for each aim that the shop's rules weigh.

    The span is the distance between the best and the last candidate; the standing in [-1, 1] compares the product with
    the rest of the shop (`domain.aims`), and 0 = in the middle, or not known. So with a weight of 0.2 what serves an
    aim best gains a fifth of the span, and what serves it least loses as much. The first policy of a profile: what
    cannot be bought sinks afterwards, and a page of different things is made of what the aims have left.
    """

    name: str = "aims"

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate:
        aims = intent.actions.weighed_aims
        if not aims:
            return slate
        span = rescaled(slate.priority)[1]
        for aim, weight in aims:
            gain = weight * span * view.standing(aim, slate.rows)
            slate = changed(slate, (slate.priority + gain).astype(np.float32), self.name, aim)
        return ordered(slate)
