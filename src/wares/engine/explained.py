"""How an answer came about, for those who ask: what each feature adds to a score, and what was made of the words."""

import numpy as np

from wares.contracts import Ranker
from wares.domain.intent import Intent
from wares.domain.request import Sort
from wares.domain.result import Explanation
from wares.features.table import FeatureTable
from wares.ranking.boosted import Boosted
from wares.ranking.corrected import Corrected
from wares.ranking.formula import Formula
from wares.retrieval.match_set import MatchSet


def parts_of(ranker: Ranker, table: FeatureTable) -> FeatureTable | None:
    """What each feature adds to each score, "" = base; each row sums to its score. None: the ranker does not tell."""
    if isinstance(ranker, Formula):
        return FeatureTable(table.names, ranker.parts(table.values, table.names))
    if isinstance(ranker, Boosted | Corrected) and len(table.values):
        parts = ranker.parts(table.values, table.names)
        return FeatureTable(tuple(parts), np.stack(list(parts.values()), axis=1))
    return None


def explained(intent: Intent, ranker: Ranker, match: MatchSet | None) -> Explanation:
    """What read the words, what they match, and what ranks it."""
    name = {Formula: "formula", Boosted: "learned", Corrected: "learned"}.get(type(ranker), type(ranker).__name__)
    rules = intent.actions.names
    if match is None:
        return Explanation(name, rules=rules)
    if intent.request.sort is not Sort.RELEVANCE:
        name = ""
    matched = int(match.matched.sum())
    return Explanation(name, intent.text, intent.terms, intent.excluded, matched, match.relaxed, rules)
