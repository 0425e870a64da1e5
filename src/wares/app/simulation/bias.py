"""How a simulated shopper looks at a list: the click model that the summary states.

Position-based (Richardson, Dominowska and Ragno, WWW 2007): a click needs a look and a wish. The place `r`, from 1, is
looked at with the chance 1 / r ** eta, whatever stands above it; what is looked at is clicked with the chance of its
`wish`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wares.app.simulation.wants import Want
from wares.evaluation.click_simulator import Floats, click_by_position, power_curve


@dataclass(frozen=True, slots=True)
class Bias:
    """`eta` 0 = every place is looked at. The others are the chances of a click on what is looked at: a product that is
    wanted, one of the same narrowest category, one of the same department, any other."""

    eta: float = 1.0
    wanted: float = 0.9
    alike: float = 0.2
    same_department: float = 0.05
    other: float = 0.01

    def wishes(self, hits: Sequence[Mapping[str, Any]], wants: Sequence[Want]) -> Floats:
        """(n,) the chance of a click on each hit once it is looked at."""
        return np.array([self._wish(hit, wants) for hit in hits], np.float64)

    def looks(self, n: int) -> Floats:
        """(n,) the chance that each place is looked at."""
        return power_curve(n, self.eta)

    def clicks(self, wishes: Floats, rng: np.random.Generator) -> list[int]:
        """The places, from 0, that are clicked."""
        drawn = click_by_position(wishes[None, :], self.looks(len(wishes)), rng)[0]
        return [int(place) for place in np.flatnonzero(drawn)]

    def told(self) -> str:
        """In words, for the summary."""
        return (
            f"place r is looked at with the chance 1 / r^{self.eta:g}; what is looked at is clicked with the chance "
            f"{self.wanted:g} if it is wanted, {self.alike:g} if of its category, {self.same_department:g} if of its "
            f"department, else {self.other:g}"
        )

    def _wish(self, hit: Mapping[str, Any], wants: Sequence[Want]) -> float:
        product, category = hit["product"], tuple(hit["product"]["category"])
        ids = {product["id"], *hit["variants"]}
        best = self.other
        for want in wants:
            if want.product in ids:
                return self.wanted
            if category and category == want.category:
                best = max(best, self.alike)
            elif category and category[:1] == want.category[:1]:
                best = max(best, self.same_department)
        return best
