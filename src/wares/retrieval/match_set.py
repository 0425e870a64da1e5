"""The match set: which products answer a query at all. Totals, facets and pages count exactly this set.

A product matches when it covers enough of the query's words, or when its meaning is so near that chance is no
explanation. Both thresholds depend on the query alone, never on ranks or filters, so a filter only ever narrows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.intent import Intent

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MatchSet:
    """`matched` before any filter; `relevance` orders it when no ranker does (0 = does not match)."""

    matched: NDArray[np.bool_]  # (n,)
    relevance: Floats  # (n,) in [0, 1]


@dataclass(frozen=True, slots=True)
class Matching:
    """`coverage`: the least share of a query's idf weight that a match by words covers. `meaning`: how many standard
    deviations above the background a match by meaning lies. `lexical_weight` in [0, 1] mixes both for the order."""

    coverage: float = 0.6
    meaning: float = 3.0
    lexical_weight: float = 0.7

    def match(self, intent: Intent, view: View) -> MatchSet:
        """Without words everything matches and popularity gives the order."""
        if not intent.request.query.strip():
            popularity = np.log1p(view.popularity)
            return MatchSet(np.ones(len(popularity), np.bool_), _unit(popularity))
        text = view.text_match(intent.words, intent.open_word)
        matched = text.coverage >= np.float32(self.coverage - 1e-6)
        matched &= text.coverage > 0
        relevance = np.float32(self.lexical_weight) * _unit(text.scores)
        if (vector := intent.vectors.get("text")) is not None:
            cosines, mean, deviation = view.space("text").scan(vector)
            floor = mean + self.meaning * deviation
            matched |= cosines >= floor
            relevance = relevance + np.float32(1 - self.lexical_weight) * _unit(np.maximum(cosines - mean, 0))
        return MatchSet(matched, np.where(matched, relevance, 0).astype(np.float32))


def _unit(scores: Floats) -> Floats:
    """Scaled so that the best is 1; zeros stay."""
    top = float(scores.max(initial=0.0))
    return scores / np.float32(top) if top > 0 else np.zeros_like(scores)
