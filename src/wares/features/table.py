"""The feature table: what the ranker sees of each candidate, and what an impression remembers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.intent import Intent
from wares.domain.result import Candidates

PRODUCT_FEATURES = ("relevance", "popularity", "freshness", "sellable")
_FRESH_HALF_LIFE_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row per candidate, one named column per feature."""

    names: tuple[str, ...]  # (f,)
    values: NDArray[np.float32]  # (n, f)


def describe(candidates: Candidates, intent: Intent, view: View) -> FeatureTable:
    """Every source's score, then `PRODUCT_FEATURES`.

    relevance: the fused score; popularity: log(1 + fading purchases); freshness in [0, 1]: 1 = published now, half
    after 30 days, 0 = unknown; sellable: 1 or 0.
    """
    rows, columns = candidates.rows, view.columns
    ages = intent.request.now_ms - columns.numbers["published"][rows]
    freshness = np.nan_to_num(np.exp2(-np.maximum(ages, 0) / _FRESH_HALF_LIFE_MS), nan=0.0)
    products = np.stack(
        [candidates.scores, np.log1p(view.popularity[rows]), freshness, columns.sellable[rows]], axis=1
    ).astype(np.float32)
    return FeatureTable(candidates.sources + PRODUCT_FEATURES, np.concatenate([candidates.by_source, products], axis=1))
