"""The ranker before there is data: a declared weighted sum of features that explains itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wares.errors import InputError, UnknownName

Floats = NDArray[np.float32]
Scale = Literal["max", "minmax", "log", "raw"]


@dataclass(frozen=True, slots=True)
class Term:
    """What one feature counts. `scale` says how its values x become comparable among the candidates of a request:

    max: x / max; minmax: (x - min) / (max - min); log: log(1 + x) / its max; all three in [0, 1]. raw: x as it is.
    """

    weight: float
    scale: Scale = "max"

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            raise UnknownName("scale", self.scale, get_args(Scale))
        if not np.isfinite(self.weight):
            raise InputError(f"The weight of a feature must be a finite number, not {self.weight}.")


class Formula:
    """score = sum over features of weight x scaled value.

    A missing value (nan), and a feature that a request does not have, counts 0. `known`: the feature names there are;
    a term on any other one raises UnknownName.
    """

    def __init__(self, terms: Mapping[str, Term | float], known: Iterable[str] | None = None) -> None:
        self.terms = {name: term if isinstance(term, Term) else Term(term) for name, term in terms.items()}
        if known is not None:
            known = list(known)
            for name in self.terms:
                if name not in known:
                    raise UnknownName("feature", name, known)

    def score(self, features: Floats, names: Sequence[str]) -> Floats:
        """(n, f) -> (n,), higher is better."""
        by_feature = np.ascontiguousarray(self.parts(features, names).T)  # (f, n): added up feature after feature, so
        scores: Floats = by_feature.sum(axis=0)  # that one without a say does not even change how sums are rounded
        return scores

    def parts(self, features: Floats, names: Sequence[str]) -> Floats:
        """(n, f) -> (n, f): what each feature adds to each candidate's score, in the order of `names`."""
        if features.ndim != 2 or features.shape[1] != len(names):
            raise InputError(f"Features of shape {features.shape} do not go with {len(names)} names: need (n, f), f.")
        of_scale: dict[Scale, list[int]] = {}
        for i, name in enumerate(names):
            if (term := self.terms.get(name)) is not None:
                of_scale.setdefault(term.scale, []).append(i)
        by_feature = np.ascontiguousarray(features.T)  # (f, n): each feature's values side by side
        parts = np.zeros(by_feature.shape, np.float32)
        for scale, at in of_scale.items():
            weights = np.array([self.terms[names[i]].weight for i in at], np.float32)
            parts[at] = (scaled(by_feature[at].T, scale) * weights).T  # (n, t) * (t,)
        return parts.T


def scaled(values: Floats, scale: Scale) -> Floats:
    """(n, t) -> (n, t), each column by itself; nan and infinities become 0.

    A column whose values are all equal tells nothing about order: under minmax it is 1 where above 0, else 0.
    """
    if not len(values):
        return values
    present = np.isfinite(values)
    zeroed = np.where(present, values, np.float32(0))
    if scale == "raw":
        return zeroed
    if scale == "minmax":
        low = np.where(present, values, np.float32(np.inf)).min(axis=0)  # (t,)
        high = np.where(present, values, np.float32(-np.inf)).max(axis=0)
        flat = ~(high > low)
        low = np.where(flat, np.float32(0), low)
        span = np.where(flat, np.where(high > 0, high, np.float32(1)), high - low)
        return np.where(present, np.clip((zeroed - low) / span, 0, 1), np.float32(0)).astype(np.float32)
    above = np.maximum(zeroed, np.float32(0))
    if scale == "log":
        above = np.log1p(above)
    best = above.max(axis=0)  # (t,)
    return (above / np.where(best > 0, best, 1)).astype(np.float32)
