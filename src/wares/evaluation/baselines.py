"""What anything learnt has to beat: four rankings that a shop can do by hand. Each is a `contracts.BehaviourModel`.

Only purchases count, one per line of a basket: how many units a line holds says more about the product than about
taste. In a shop without any purchase every event counts with its interest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.contracts import BehaviourModel, Floats
from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History

DAY_MS = 86_400_000
PURCHASE = KIND_CODES[EventKind.PURCHASE]


@dataclass(slots=True)
class Popular:
    """score(product) = how often it was bought in the last `days` (None = ever), whoever asks."""

    days: float | None = None
    counts: Floats = field(default_factory=lambda: np.empty(0, np.float32))  # (n_products,)

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        events = interactions.events
        weights = _weights(events)
        if self.days is not None:
            weights = weights * (events.times_ms >= now_ms - self.days * DAY_MS)
        self.counts = np.bincount(events.rows, weights, interactions.n_products).astype(np.float32)

    def score(self, history: History, now_ms: int) -> Floats:
        """(n_products,) the same for everybody."""
        return self.counts

    def state(self) -> dict[str, NDArray[np.generic]]:
        return {"counts": self.counts}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        self.counts = np.asarray(state["counts"], np.float32)


@dataclass(slots=True)
class PersonalFrequency:
    """score(product) = sum over this shopper's purchases of it of 2^(-age / half life); without one their number.

    With `fallback`, products this shopper never bought follow below all others in the order of `Popular`; without it
    they score 0. Source: the personal top list of Hu et al., "Modeling personalized item frequency information for
    next-basket recommendation" (2020), with decay.
    """

    half_life_days: float | None = None
    fallback: bool = False
    popularity: Floats = field(default_factory=lambda: np.empty(0, np.float32))  # (n_products,) in [0, 1]

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        popular = Popular()
        popular.fit(interactions, now_ms)
        self.popularity = popular.counts / max(1.0, float(popular.counts.max(initial=0.0)))

    def score(self, history: History, now_ms: int) -> Floats:
        """(n_products,)"""
        weights = _weights(history).astype(np.float64)
        if self.half_life_days is not None:
            ages = np.maximum(0, now_ms - history.times_ms) / (self.half_life_days * DAY_MS)
            weights *= np.exp2(-np.minimum(ages, 110))  # 2^-110 times a popularity still fits into float32
        rows, place = np.unique(history.rows[weights > 0], return_inverse=True)
        own = np.bincount(place, weights[weights > 0], len(rows))
        lowest = 0.5 * own.min(initial=1.0)  # popularity ends below the weakest own product
        scores = self.popularity * np.float32(lowest if self.fallback else 0.0)
        scores[rows] = own
        return scores

    def state(self) -> dict[str, NDArray[np.generic]]:
        return {"popularity": self.popularity}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        self.popularity = np.asarray(state["popularity"], np.float32)


def by_hand() -> dict[str, BehaviourModel]:
    """The rows that every time-split table starts with, not yet fitted."""
    return {
        "popular": Popular(),
        "popular, 7 days": Popular(days=7),
        "personal": PersonalFrequency(),
        "personal, fading + popular": PersonalFrequency(half_life_days=60, fallback=True),
    }


def _weights(events: History) -> Floats:
    """(n,) 1 for a purchase, else 0; the interest of each event where nothing was bought."""
    bought = events.kinds == PURCHASE
    return bought.astype(np.float32) if bought.any() else events.interest
