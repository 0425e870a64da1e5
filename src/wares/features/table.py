"""The feature table: what the ranker sees of each candidate, and what an impression remembers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.intent import Intent
from wares.domain.result import Candidates
from wares.features.habit import HABIT_FEATURES, habit_features
from wares.features.match import match_features
from wares.features.match import names_of as match_names
from wares.features.personal import gate, gated
from wares.features.query_memory import NAMES as MEMORY_FEATURES
from wares.features.query_memory import QueryMemory

PRODUCT_FEATURES = ("relevance", "popularity", "freshness", "sellable", "price")
_FRESH_HALF_LIFE_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row per candidate, one named column per feature."""

    names: tuple[str, ...]  # (f,)
    values: NDArray[np.float32]  # (n, f)


def describe(
    candidates: Candidates, intent: Intent, view: View, memory: QueryMemory | None = None, *, pairs: bool = True
) -> FeatureTable:
    """Every source's score, then `PRODUCT_FEATURES`. Unless nobody looks at features of `pairs`: for a query, also how
    well the words match (`features/match.py`) and, with a `memory` of earlier queries, what was wanted for those
    (`features/query_memory.py`); without one, what the shopper's history says (`features/habit.py`).

    relevance: the fused score; popularity: log(1 + fading purchases); freshness in [0, 1]: 1 = published now, half
    after 30 days, 0 = unknown; sellable: 1 or 0; price: log(1 + price), 0 = unknown. For a query, what is known of
    the shopper stands behind the gate of `features/personal.py`.
    """
    rows, columns = candidates.rows, view.columns
    ages = intent.request.now_ms - columns.numbers["published"][rows]
    price = columns.numbers["price"][rows]
    products = np.empty((len(rows), len(PRODUCT_FEATURES)), np.float32)
    products[:, 0] = candidates.scores
    products[:, 1] = np.log1p(view.popularity(rows))
    products[:, 2] = np.exp2(-np.maximum(np.where(np.isnan(ages), np.inf, ages), 0) / _FRESH_HALF_LIFE_MS)
    products[:, 3] = columns.sellable[rows]
    products[:, 4] = np.log1p(np.where(np.isnan(price), 0, price))
    names, values = candidates.sources + PRODUCT_FEATURES, [candidates.by_source, products]
    if intent.terms and (pairs or len(intent.history)):
        match_columns, matched = match_names(candidates.sources), match_features(candidates, intent, view)
        if len(intent.history):
            coverage, title_share = (matched[:, match_columns.index(name)] for name in ("coverage", "title_share"))
            values[0] = gated(candidates, gate(candidates.scores, coverage, title_share, len(intent.terms)))
        names += match_columns
        values.append(matched)
        if memory is not None and (vector := intent.vectors.get("text")) is not None:
            names += MEMORY_FEATURES
            vectors = view.space("text").vectors(rows)
            values.append(memory.features(intent.request.query, vector, view.learnt_rows(rows), vectors))
    elif pairs and not intent.terms and len(intent.history):
        names += HABIT_FEATURES
        values.append(habit_features(rows, intent.history, columns, intent.request.now_ms))
    return FeatureTable(names, np.concatenate(values, axis=1))
