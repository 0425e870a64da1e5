"""Several models' scores as one. Each model's scores are made comparable within one shopper, then added up by weights
that are learnt from what shoppers did next.

With z = (score - mean) / standard deviation over the catalogue, a product gets the sum over models of
a z + b sign(z) log(1 + |z|): sparse models (neighbours) have z far beyond those of dense ones (text), and the second
term says how far that may carry. Pure functions; a model without a score for this shopper adds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from wares.errors import TrainingError
from wares.models.memory import State

Floats = NDArray[np.float32]


def standardised(scores: NDArray[np.floating]) -> Floats:
    """Each row of (..., n) with mean 0 and standard deviation 1; a row of equal scores becomes 0."""
    away = scores - scores.mean(axis=-1, keepdims=True)
    spread = away.std(axis=-1, keepdims=True)
    z: Floats = (away / np.where(spread > 1e-9, spread, np.inf)).astype(np.float32)
    return z


def terms(z: Floats) -> Floats:
    """(..., k) -> (..., 2k): z, then sign(z) log(1 + |z|)."""
    return np.concatenate([z, np.sign(z) * np.log1p(np.abs(z))], axis=-1)


@dataclass
class Blend:
    """A weighted sum of the models `names`; `weights` (2k,) are those of `terms`."""

    names: tuple[str, ...] = ()
    weights: Floats = field(default_factory=lambda: np.empty(0, np.float32))

    def score(self, scores: Mapping[str, NDArray[np.floating]]) -> Floats:
        """One shopper's scores by model, each (n,) -> (n,). Models that are not there, or that the blend does not know,
        add nothing."""
        n = len(next(iter(scores.values()))) if scores else 0
        total = np.zeros(n, np.float32)
        for name, (plain, bent) in self.by_name().items():
            if name in scores:
                z = standardised(scores[name])
                total += plain * z + bent * np.sign(z) * np.log1p(np.abs(z))
        return total

    def by_name(self) -> dict[str, tuple[np.float32, np.float32]]:
        """a and b of each model."""
        k = len(self.names)
        return dict(zip(self.names, zip(self.weights[:k], self.weights[k:], strict=True), strict=True))

    def state(self) -> State:
        return {"names": np.array(self.names), "weights": self.weights}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        self.names = tuple(str(name) for name in state["names"])
        self.weights = np.array(state["weights"], np.float32)


@dataclass(frozen=True, slots=True)
class Choices:
    """What s shoppers could choose from and what they took: shopper i chose among the candidates
    `indptr[i]:indptr[i + 1]`, and took candidate `taken[i]` (-1: it is not among them)."""

    z: Floats  # (m, k) standardised scores of the candidates
    indptr: NDArray[np.int64]  # (s + 1,)
    taken: NDArray[np.int64]  # (s,)

    @staticmethod
    def join(parts: Sequence[tuple[Floats, int]]) -> "Choices":
        """From one (z, taken within it) per shopper."""
        indptr = np.concatenate([[0], np.cumsum([len(z) for z, _ in parts])]).astype(np.int64)
        taken = np.array([taken for _, taken in parts], np.int64)
        taken = np.where(taken >= 0, taken + indptr[:-1], -1)
        return Choices(np.concatenate([z for z, _ in parts]), indptr, taken)


def candidates(z: Floats, seen: NDArray[np.integer], top: int) -> NDArray[np.int64]:
    """The products that any model has among its `top`, without those `seen`: (k, n) -> (c,) growing."""
    allowed = np.array(z)
    allowed[:, seen] = -np.inf
    top = min(top, allowed.shape[1])
    best = np.unique(np.argpartition(-allowed, top - 1, axis=1)[:, :top])
    kept: NDArray[np.int64] = best[~np.isneginf(allowed[0, best])]
    return kept


def choice(scores: NDArray[np.floating], target: int, seen: NDArray[np.integer], top: int = 60) -> tuple[Floats, int]:
    """One shopper for `Choices.join`: scores (k, n), what they took next, and what is not asked for."""
    z = standardised(scores)
    rows = candidates(z, np.setdiff1d(seen, target), top)
    at = np.flatnonzero(rows == target)
    return z[:, rows].T, int(at[0]) if len(at) else -1


def fit_blend(names: Sequence[str], choices: Choices, l2: float = 1e-3) -> Blend:
    """The weights under which what was taken is likeliest among the candidates: a conditional logit (McFadden 1974)
    with ridge penalty `l2` on weights of features of spread 1. Shoppers whose choice is no candidate teach nothing.
    Raises TrainingError where that is everybody."""
    told = choices.taken >= 0
    if not told.any():
        raise TrainingError(
            "No shopper took a product that any of the models proposes: the blend has nothing to learn."
        )
    sizes = np.diff(choices.indptr)
    x = terms(choices.z[np.repeat(told, sizes)])  # (m, 2k)
    spread = np.maximum(x.std(axis=0), 1e-6)
    x = x / spread
    sizes = sizes[told]
    start = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(sizes)), sizes)
    taken = choices.taken[told] - choices.indptr[:-1][told] + start
    mean_taken = x[taken].mean(axis=0)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = (x @ weights.astype(np.float32)).astype(np.float64)
        highest = np.maximum.reduceat(scores, start)
        power = np.exp(scores - highest[owner])
        total = np.add.reduceat(power, start)
        share = (power / total[owner]).astype(np.float32)
        value = float((highest + np.log(total) - scores[taken]).mean()) + l2 * float(weights @ weights)
        return value, (share @ x / len(start) - mean_taken).astype(np.float64) + 2 * l2 * weights

    found = minimize(loss, np.full(x.shape[1], 0.1), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return Blend(tuple(names), (found.x / spread).astype(np.float32))
