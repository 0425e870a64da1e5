"""The match set: which products answer a query at all. Totals, facets and pages count exactly this set.

A product matches when it covers enough of the query's words, or when its meaning is so near that chance is no
explanation. Both thresholds depend on the query alone, never on ranks or filters, so a filter only ever narrows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.filter import Filter
from wares.domain.intent import Intent, Reading, Term
from wares.domain.selection import passing
from wares.domain.sorting import best_first

Floats = NDArray[np.float32]
_BEST = 10
_FEEDBACK = 5  # products that speak for the wish
_SURE = 0.75  # share of the best relevance from which they do
_SOMETHING = float(np.finfo(np.float32).smallest_subnormal)
SECOND = 2_048  # products that are asked again


@dataclass(frozen=True, slots=True)
class MatchSet:
    """`matched` before any filter; `relevance` orders it when no ranker does (0 = does not match)."""

    matched: NDArray[np.bool_]  # (n,)
    relevance: Floats  # (n,) in [0, 1]
    feedback: Floats | None = None  # (n,) deviations by which the refined query finds it above the ordinary, or 0
    relaxed: str = ""  # what was asked for less strictly, because nothing met it: "words" or "wishes"


@dataclass(frozen=True, slots=True)
class Matching:
    """`coverage`: the least share of a query's idf weight that a match by words covers. A match by meaning lies at
    least `meaning` standard deviations above the background, and at least at `meaning_share` of the height of the
    query's tenth best. The weights mix words, letters and meaning for the order.
    """

    coverage: float = 0.5
    meaning: float = 2.0
    meaning_share: float = 0.5
    lexical_weight: float = 0.6
    letters_weight: float = 0.1
    meaning_weight: float = 0.3

    def match(self, intent: Intent, view: View) -> MatchSet:
        """Without words everything matches and popularity gives the order."""
        if not intent.request.query.strip():
            popularity = np.log1p(view.popularity())
            return MatchSet(np.ones(len(popularity), np.bool_), _unit(popularity))
        text = view.text_match(intent.terms)
        eligible = view.columns.alive  # a row that left or was replaced must not keep the query from being relaxed
        if intent.excluded:
            eligible = eligible & ~_holds(intent.excluded, view)
        matched = eligible & _covers(text.coverage, self.coverage)
        cosines, mean = None, 0.0
        if (vector := intent.vectors.get("text")) is not None:
            cosines, mean, deviation = view.space("text").scan(vector)
            near = self._near(cosines, mean, deviation)
            matched[near] |= eligible[near]
        relaxed = ""
        if not matched.any() and (best := float(text.coverage[eligible].max(initial=0.0))) > 0:
            matched, relaxed = eligible & _covers(text.coverage, best), "words"
        if strict := tuple(wish.clause for wish in intent.wishes if wish.strict and wish.clause is not None):
            meets = matched & passing(Filter(strict), view.columns)
            if meets.any() or not matched.any():
                matched = meets
            else:
                relaxed = "wishes"
        rows = np.flatnonzero(matched)
        found = _part(self.lexical_weight, text.scores, 0.0, rows)
        if self.letters_weight:
            found += _part(self.letters_weight, view.letters_match(intent.text), 0.0, rows)
        feedback = None
        if vector is not None and cosines is not None:
            found, feedback = self._second_round(
                vector, found, _part(self.meaning_weight, cosines, mean, rows), rows, view
            )
        relevance = np.zeros(len(matched), np.float32)
        relevance[rows] = found
        return MatchSet(matched, relevance, feedback, relaxed)

    def _second_round(
        self, vector: Floats, by_words: Floats, by_meaning: Floats, rows: NDArray[np.intp], view: View
    ) -> tuple[Floats, Floats]:
        """(relevance (len(rows),), feedback (n,)): the best of the first round are asked again with the query moved
        towards the very best of them (pseudo-relevance feedback, Rocchio 1971). It finds more of their kind."""
        found, feedback = by_words + by_meaning, np.zeros(len(view.columns), np.float32)
        near = np.argpartition(-found, SECOND)[:SECOND] if len(rows) > SECOND else np.arange(len(rows))
        near = near[best_first(found[near])]
        if not len(near):
            return found, feedback
        space, asked = view.space("text"), rows[near].astype(np.int32)
        speak = found[near[:_FEEDBACK]] >= np.float32(_SURE) * found[near[0]]
        best = space.vectors(asked[:_FEEDBACK])[speak]
        if not best.size:  # nothing has been encoded yet
            return found, feedback
        refined = vector + best.mean(axis=0)
        refined /= np.float32(max(float(np.linalg.norm(refined)), 1e-9))
        mean, deviation = space.ordinary(refined)
        above = np.maximum(space.cosines(asked, refined) - np.float32(mean), 0)
        feedback[rows[near]] = above / np.float32(deviation)
        if (top := float(above.max())) > 0:
            found[near] = by_words[near] + np.float32(self.meaning_weight) * above / np.float32(top)
        return found, feedback

    def _near(self, cosines: Floats, mean: float, deviation: float) -> NDArray[np.intp]:
        """The rows that match by meaning: the better a query's best ones, the more it takes."""
        rows = np.flatnonzero(cosines >= mean + self.meaning * deviation)
        if len(rows) <= _BEST:
            return rows
        above = cosines.take(rows)
        tenth = float(np.partition(above, -_BEST)[-_BEST])
        return rows[above >= mean + self.meaning_share * (tenth - mean)]


def _part(weight: float, scores: Floats, none: float, rows: NDArray[np.intp]) -> Floats:
    """(len(rows),) weight x the share of the best score among all products; at or below `none` it is 0."""
    top = float(scores.max(initial=none) - none)
    if top <= 0:
        return np.zeros(len(rows), np.float32)
    part: Floats = np.float32(weight) * (np.maximum(scores.take(rows) - np.float32(none), 0) / np.float32(top))
    return part


def _covers(coverage: Floats, least: float) -> NDArray[np.bool_]:
    """(n,) which rows cover so much, and something."""
    covers: NDArray[np.bool_] = coverage >= np.float32(max(least - 1e-6, _SOMETHING))
    return covers


def _holds(words: tuple[str, ...], view: View) -> NDArray[np.bool_]:
    """(n,) the rows that hold one of these index words."""
    text = view.text_match([Term(word, (Reading((word,)),)) for word in words])
    return text.coverage > 0


def _unit(scores: Floats) -> Floats:
    """Scaled so that the best is 1; zeros stay."""
    top = float(scores.max(initial=0.0))
    return scores / np.float32(top) if top > 0 else np.zeros_like(scores)
