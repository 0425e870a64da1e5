"""The learned order of what is recommended: what the declared formula says, and trees that correct it.

The formula's score becomes log odds, a + b log(share + 0.01), and the trees go on from there (`Boosted.correct`). Where
they have learnt nothing the formula's order stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State, pack, part, under, unpack
from wares.ranking.boosted import Boosted
from wares.ranking.formula import Formula, Scale, Term

Floats = NDArray[np.float32]
_LEAST = 0.01  # what nothing speaks for still has a chance
_STEPS = 15


@dataclass(frozen=True)
class Corrected:
    """`terms` are the formula's as it stood when the trees were grown, `odds` = (a, b)."""

    terms: Mapping[str, Term]
    odds: tuple[float, float]
    trees: Boosted

    @staticmethod
    def learn(
        formula: Formula,
        features: Floats,
        happened: NDArray[np.bool_],
        weights: NDArray[np.floating[Any]],
        scores: Floats,
        names: Sequence[str],
        **how: Any,
    ) -> "Corrected":
        """From candidates (n, f), whether each was taken, how much each counts (n,), and the scores (n,) that the
        formula gave it among all of its request; `how` as in `Boosted.correct`. Raises RankerUnavailable."""
        spoken = _spoken(scores, formula.terms)
        odds = _odds(spoken, happened, weights)
        trees = Boosted.correct(odds[0] + odds[1] * spoken, features, happened, weights, names, **how)
        return Corrected(formula.terms, odds, trees)

    def score(self, features: Floats, names: Sequence[str]) -> Floats:
        """(n, f) -> (n,) log odds, of all candidates of one request."""
        return self.trees.score(features, names, self._start(features, names))

    def parts(self, features: Floats, names: Sequence[str]) -> dict[str, Floats]:
        """What each feature adds to each score (n,) beside the formula, which is part of the rest, ""."""
        return self.trees.parts(features, names, self._start(features, names))

    def _start(self, features: Floats, names: Sequence[str]) -> Floats:
        spoken = _spoken(self._formula.score(features, names), self.terms)
        start: Floats = (self.odds[0] + self.odds[1] * spoken).astype(np.float32)
        return start

    @cached_property
    def _formula(self) -> Formula:
        return Formula(self.terms)

    def state(self) -> State:
        """Plain arrays."""
        scales = [term.scale for term in self.terms.values()]
        weights = np.array([term.weight for term in self.terms.values()], np.float64)
        told = pack("terms", list(self.terms)) | pack("scales", scales)
        return told | {"weights": weights, "odds": np.array(self.odds)} | under("trees", self.trees.state())

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Corrected":
        """Raises RankerUnavailable, so that a shop learns of it before its first answer."""
        scales: list[Scale] = list(unpack("scales", state))  # type: ignore[arg-type]
        weights = state["weights"].tolist()
        terms = {
            name: Term(weight, scale)
            for name, weight, scale in zip(unpack("terms", state), weights, scales, strict=True)
        }
        a, b = state["odds"].tolist()
        return Corrected(terms, (a, b), Boosted.restore(part("trees", state)))


def _spoken(scores: Floats, terms: Mapping[str, Term]) -> NDArray[np.float64]:
    """(n,) log of what the formula says, as a share of the most that it can say."""
    most = sum(max(term.weight, 0.0) for term in terms.values()) or 1.0
    spoken: NDArray[np.float64] = np.log(np.maximum(scores, 0).astype(np.float64) / most + _LEAST)
    return spoken


def _odds(spoken: NDArray[np.float64], happened: NDArray[np.bool_], weights: NDArray[Any]) -> tuple[float, float]:
    """(a, b) of the log odds a + b spoken, by Newton's method, held near (0, 1), b from 0 up."""
    x = np.stack([np.ones(len(spoken)), spoken], axis=1)  # (n, 2)
    weights = weights / max(float(weights.mean()), 1e-12)
    fitted = start = np.array([0.0, 1.0])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(x @ fitted, -30, 30)))
        slope = x.T @ (weights * (happened - chance)) - (fitted - start)
        curve = (x * (weights * chance * (1 - chance))[:, None]).T @ x + np.eye(2)
        fitted = fitted + np.linalg.solve(curve, slope)
    return float(fitted[0]), max(0.0, float(fitted[1]))
