"""The learned order: gradient-boosted trees on the features of query and product (after LambdaMART, Burges 2010).

LightGBM does the work. It needs the system's OpenMP library; where that is missing `RankerUnavailable` says which
package brings it, and the shop goes on with the declared formula.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State, pack, unpack
from wares.errors import RankerUnavailable

Floats = NDArray[np.float32]
GRADES = 6  # gains are rounded to this many steps, because ranking objectives take integer labels
PARAMETERS: Mapping[str, Any] = {
    # Listwise cross-entropy (Bruch 2021): as good as lambdarank on Home Depot's folds, in a quarter of the time.
    "objective": "rank_xendcg",
    "label_gain": list(range(GRADES + 1)),  # linear, like the measure
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "deterministic": True,
    "force_col_wise": True,
    "verbose": -1,
}
ROUNDS = 300
_FIRST, _REFINED = 75, 150  # the first trees say which candidates the others are asked about: half the time, same order


@dataclass(frozen=True)
class Boosted:
    """Trees that score candidates. `names` (f,) are the features they were grown on, in order."""

    names: tuple[str, ...]
    model: str  # LightGBM's own text format

    @staticmethod
    def fit(
        features: Floats,
        gains: NDArray[np.floating[Any]],
        sizes: Sequence[int],
        names: Sequence[str],
        *,
        rounds: int = ROUNDS,
        seed: int = 0,
        threads: int = 0,
        **changes: Any,
    ) -> "Boosted":
        """From the candidates (n, f) of several queries one after the other, `sizes` (q,) of each, and their gains
        (n,) from 0 up; `changes` to `PARAMETERS`. Raises RankerUnavailable."""
        lightgbm = _lightgbm()
        top = float(gains.max(initial=0.0)) or 1.0
        labels = np.rint(gains / top * GRADES).astype(np.int32)
        data = lightgbm.Dataset(features, labels, group=list(sizes), feature_name=list(names), free_raw_data=True)
        parameters = {**PARAMETERS, "seed": seed, "num_threads": threads, **changes}
        return Boosted(tuple(names), lightgbm.train(parameters, data, rounds).model_to_string())

    @staticmethod
    def correct(
        start: NDArray[np.floating[Any]],
        features: Floats,
        happened: NDArray[np.bool_],
        weights: NDArray[np.floating[Any]],
        names: Sequence[str],
        *,
        rounds: int = ROUNDS,
        seed: int = 0,
        threads: int = 0,
        **changes: Any,
    ) -> "Boosted":
        """Trees that, added to `start` (n,), give the log odds that something happened, from examples (n, f) of these
        weights (n,). So they learn what the start gets wrong; ask them with the start. Raises RankerUnavailable."""
        lightgbm = _lightgbm()
        data = lightgbm.Dataset(
            features, happened.astype(np.int32), weight=weights / weights.mean(), init_score=start,
            feature_name=list(names), free_raw_data=True,
        )  # fmt: skip
        plain = {name: value for name, value in PARAMETERS.items() if name != "label_gain"}
        parameters = {**plain, "objective": "binary", "seed": seed, "num_threads": threads, **changes}
        return Boosted(tuple(names), lightgbm.train(parameters, data, rounds).model_to_string())

    def score(self, features: Floats, names: Sequence[str], start: Floats | None = None) -> Floats:
        """(n, f) -> (n,), on top of a `start` (n,) if there is one. Features that are not there count as missing,
        others are ignored.

        All trees score the `_REFINED` candidates that the first ones hold best; the others stand below them, in the
        order of the first ones (a cascade: Wang, Lin and Metzler, SIGIR 2011).
        """
        return self._asked(features, names, start)[:, -1]

    def parts(self, features: Floats, names: Sequence[str], start: Floats | None = None) -> dict[str, Floats]:
        """What each feature adds to each score (n,), by Shapley values (Lundberg and Lee 2017), and "" the rest, the
        start among it."""
        asked = self._asked(features, names, start, pred_contrib=True)
        return dict(zip((*self.names, ""), asked.T, strict=True))

    def _asked(self, features: Floats, names: Sequence[str], start: Floats | None, **how: Any) -> Floats:
        """(n, 1) scores, or (n, f + 1) what they are made of, the rest last."""
        if not len(features):
            return np.empty((0, len(self.names) + 1), np.float32)
        chosen = self._chosen(features, names)
        first = self._trees(chosen, 0, _FIRST, **how)
        if start is not None:
            first[:, -1] += start
        total = first.sum(axis=1)
        best = np.argsort(-total, kind="stable")[:_REFINED]
        first[best] += self._trees(chosen[best], _FIRST, -1, **how)
        if len(best) < len(first):
            others = np.ones(len(first), np.bool_)
            others[best] = False
            first[others, -1] += min(0.0, first[best].sum(axis=1).min() - total[others].max())
        return first.astype(np.float32)

    def _trees(self, chosen: Floats, start: int, many: int, **how: Any) -> NDArray[np.float64]:
        """(n, 1) or (n, f + 1) what some of the trees say; -1 = all from `start`."""
        # A LightGBM booster remembers which trees the last call asked for: one that two threads ask for different ones
        # answers with the wrong ones.
        trees = self._booster if start == 0 else self._later_trees
        plainly = {"raw_score": True, "num_threads": 1, "predict_disable_shape_check": True}
        found = trees.predict(chosen, start, many, **plainly, **how)
        return np.asarray(found, np.float64).reshape(len(chosen), -1)

    def importance(self) -> dict[str, float]:
        """How much each feature gained in all splits, the greatest first; sums to 1."""
        gains = self._booster.feature_importance("gain")
        total = float(gains.sum()) or 1.0
        found = {name: float(gain) / total for name, gain in zip(self.names, gains, strict=True)}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def state(self) -> State:
        """Plain arrays."""
        return pack("names", self.names) | pack("model", [self.model])

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Boosted":
        """Raises RankerUnavailable, so that a shop learns of it before its first answer."""
        boosted = Boosted(unpack("names", state), unpack("model", state)[0])
        _ = boosted._booster, boosted._later_trees
        return boosted

    @cached_property
    def _booster(self) -> Any:
        return _lightgbm().Booster(model_str=self.model)

    @cached_property
    def _later_trees(self) -> Any:
        return _lightgbm().Booster(model_str=self.model)

    def _chosen(self, features: Floats, names: Sequence[str]) -> Floats:
        """(n, f) the features in the order in which the trees know them."""
        if tuple(names) == self.names:
            return features
        place = {name: i for i, name in enumerate(names)}
        chosen = np.full((len(features), len(self.names)), np.nan, np.float32)
        for column, name in enumerate(self.names):
            if name in place:
                chosen[:, column] = features[:, place[name]]
        return chosen


def _lightgbm() -> Any:
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise RankerUnavailable(
            f"The learned order needs LightGBM and the system's OpenMP library ({error}). On Debian and Ubuntu: "
            "apt install libgomp1. Until then answers are ordered by the declared formula."
        ) from None
    return lightgbm
