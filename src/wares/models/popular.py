"""What sells: the same answer for everyone, and the fallback where nothing is known of a shopper."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.interactions import Interactions
from wares.domain.scores import Scores, ranked
from wares.domain.shopper import History
from wares.models.memory import State, from_arrays, to_arrays
from wares.models.taste import fading


def sold(interactions: Interactions, now_ms: int, half_life_days: float) -> NDArray[np.float32]:
    """(n_products,) sum over events, the anonymous ones too, of interest * log(1 + units) * fading.

    The logarithm keeps what is sold by the gram or the litre from burying everything else.
    """
    events = interactions.events
    units = np.log1p(np.maximum(events.units, 0))
    weight = events.interest * units * fading(events.times_ms, now_ms, half_life_days)
    return np.bincount(events.rows, weight, interactions.n_products).astype(np.float32)


@dataclass
class Popular:
    """Everything ever sold counts alike. Scores are the counts of `sold`, from 0."""

    counts: NDArray[np.float32] = field(init=False, default_factory=lambda: np.empty(0, np.float32))

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        self.counts = sold(interactions, now_ms, np.inf)

    def score(self, history: History, now_ms: int) -> NDArray[np.float32]:
        """(n_products,) the counts, whoever asks."""
        return self.counts.copy()

    def says(self, history: History, now_ms: int) -> Scores:
        """The same with its ranking."""
        return _said(self)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)


@dataclass
class PopularLately:
    """Sales fade: a sale `half_life_days` ago counts half. Scores are those counts at the time of fitting, from 0."""

    half_life_days: float = 7.0
    counts: NDArray[np.float32] = field(init=False, default_factory=lambda: np.empty(0, np.float32))

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        self.counts = sold(interactions, now_ms, self.half_life_days)

    def score(self, history: History, now_ms: int) -> NDArray[np.float32]:
        """(n_products,) the faded counts, whoever asks."""
        return self.counts.copy()

    def says(self, history: History, now_ms: int) -> Scores:
        """The same with its ranking."""
        return _said(self)

    def state(self) -> State:
        return to_arrays(self)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        from_arrays(self, state)


def _said(model: Popular | PopularLately) -> Scores:
    """The counts with their ranking, which is found once."""
    counts = model.counts
    found = vars(model).get("_ranked")
    if found is None or found[0] is not counts:  # fitted anew
        found = vars(model)["_ranked"] = counts, ranked(counts)
    return Scores(len(counts), counts, None, found[1], len(counts))
