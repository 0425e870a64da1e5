"""How well a product's words answer a query's: what the learned order sees beside the sources' scores.

Features of this kind are those of Burges 2010 ("From RankNet to LambdaRank to LambdaMART") and of the LETOR collections
(Qin, Liu, Xu and Li 2010): scores by field, coverage, order and proximity, lengths.
"""

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.intent import Intent, Term
from wares.domain.result import Candidates, TitleWords

Floats = NDArray[np.float32]

FIELDS = ("title", "brand", "category", "description", "attributes")
PAIR_FEATURES = (
    *(f"bm25_{field}" for field in FIELDS),
    "coverage",  # share of the query's weight that the product holds
    "terms_held",
    "terms_missed",
    "weight_missed",  # idf of what it does not hold
    "rarest_held",
    "rarest_missed",
    "numbers_held",
    "numbers_missed",
    "order_kept",  # neighbours of the query that are neighbours in the title
    "span",  # words from the first to the last one held, per word held
    "first_word_held",  # the title begins with a word of the query: often the brand
    "head_held",  # the word that names the thing is a word of the query
    "last_term_held",  # the query's last word of letters names the thing sought
    "last_term_place",  # where it stands in the title, 0 = first, 1 = last; -1 = nowhere
    "title_length",
    "title_share",  # words of the title that the query says
    "best_likeness",  # likeness to the best candidates (Rocchio 1971)
    "best_likeness_apart",  # the same, once what all candidates share is taken away
    "meaning_apart",  # likeness to the query, likewise
    "place",  # in the first order
)
QUERY_FEATURES = ("query_terms", "query_numbers", "query_weight", "query_known", "best_lexical", "best_meaning")
RELATIVE = ("lexical", "letters", "meaning", "feedback")  # each also relative to the request's best, and as z-score
_FEEDBACK = 5  # best candidates that speak for the wish


def names_of(sources: tuple[str, ...]) -> tuple[str, ...]:
    """The names of what `match_features` gives, in its order."""
    relative = tuple(f"{name}_{how}" for name in RELATIVE if name in sources for how in ("share", "z"))
    return PAIR_FEATURES + relative + QUERY_FEATURES


def match_features(candidates: Candidates, intent: Intent, view: View) -> Floats:
    """(n, f) for the candidates of a request with a query, in the order of `names_of`."""
    rows, relative = candidates.rows, [name for name in RELATIVE if name in candidates.sources]
    n = len(rows)
    text = view.text_match(intent.terms)
    held = np.stack([holds[rows] for holds in text.holds], axis=1) if text.holds else np.zeros((n, 0), np.bool_)
    weights = np.array(text.weights, np.float32)  # (t,)
    numeric = np.array([term.said[:1].isdigit() for term in text.terms], np.bool_)
    missed = np.where(held, np.float32(0), weights)  # (n, t)
    by_field = [text.by_field[name][rows] if name in text.by_field else np.zeros(n, np.float32) for name in FIELDS]
    columns = [
        *by_field,
        text.coverage[rows],
        held.sum(axis=1),
        (~held).sum(axis=1),
        missed.sum(axis=1),
        np.where(held, weights, np.float32(0)).max(axis=1, initial=0.0),
        missed.max(axis=1, initial=0.0),
        held[:, numeric].sum(axis=1),
        (~held[:, numeric]).sum(axis=1),
        *_title_features(view.title_words(rows, intent.terms), text.terms, held),
        *_feedback(candidates, intent, view),
        np.arange(n),
    ]
    columns += _relative(candidates.by_source[:, [candidates.sources.index(name) for name in relative]])
    best = {name: candidates.by_source[:, i].max(initial=0.0) for i, name in enumerate(candidates.sources)}
    known = float((weights > 0).mean()) if len(weights) else 0.0
    constants = (len(text.terms), numeric.sum(), weights.sum(), known, best.get("lexical", 0), best.get("meaning", 0))
    found = np.empty((n, len(columns) + len(constants)), np.float32)
    for place, column in enumerate((*columns, *constants)):
        found[:, place] = column
    return found


def _title_features(titles: TitleWords, terms: tuple[Term, ...], held: NDArray[np.bool_]) -> list[NDArray[np.generic]]:
    """order_kept, span, first_word_held, head_held, last_term_held, last_term_place, title_length, title_share."""
    lengths, which = titles.lengths, titles.which
    n = len(lengths)
    owner = np.repeat(np.arange(n), lengths)
    starts = np.cumsum(lengths) - lengths
    place = np.arange(len(which)) - np.repeat(starts, lengths)
    hit = which >= 0
    hits = np.bincount(owner[hit], minlength=n)
    follows = (which[1:] == which[:-1] + 1) & hit[1:] & hit[:-1] & (owner[1:] == owner[:-1]) if len(which) else hit
    order = np.bincount(owner[1:][follows], minlength=n) if len(which) else np.zeros(n)
    first, last = np.zeros(n), np.full(n, -1.0)
    whose, where = owner[hit], place[hit]
    last[whose] = where  # places grow within a title: what is written last stays
    first[whose[::-1]] = where[::-1]
    span = np.where(last >= 0, last - first + 1, 0) / np.maximum(hits, 1)
    filled = lengths > 0
    begins, head_held = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    begins[filled] = hit[starts[filled]]
    head_held[filled] = hit[starts[filled] + np.minimum(titles.heads[filled], lengths[filled] - 1)]
    sought = [i for i, term in enumerate(terms) if term.said[:1].isalpha()]
    last_held: NDArray[np.generic] = np.zeros(n, np.bool_)
    last_place = np.full(n, -1.0)
    if sought:
        last_held = held[:, sought[-1]]
        at = which == sought[-1]
        last_place[owner[at]] = place[at] / np.maximum(lengths[owner[at]] - 1, 1)
    return [order, span, begins, head_held, last_held, last_place, lengths, hits / np.maximum(lengths, 1)]


def _feedback(candidates: Candidates, intent: Intent, view: View) -> list[Floats]:
    """best_likeness, best_likeness_apart, meaning_apart (n,): cosines with the best candidates and with the query."""
    space = view.space("text")
    vectors = space.vectors(candidates.rows)
    if not vectors.size:
        return [np.zeros(len(candidates), np.float32)] * 3
    best = vectors[np.argsort(-candidates.scores, kind="stable")[: 2 * _FEEDBACK]]
    shared = vectors.mean(axis=0)
    apart = _directions(best[:_FEEDBACK] - shared)
    query = intent.vectors.get("text", np.zeros(vectors.shape[1], np.float32))
    asked = np.stack([best.mean(axis=0), shared, apart.mean(axis=0), query - shared], axis=1)
    products = vectors @ asked  # (n, d) @ (d, 4) -> (n, 4)
    # |v - shared| and (v - shared) . q of each v, without writing v - shared for all of them
    lengths = np.sqrt(np.maximum(np.einsum("nd,nd->n", vectors, vectors) - 2 * products[:, 1] + shared @ shared, 1e-12))
    likeness, meaning = ((products[:, i] - shared @ asked[:, i]) / lengths for i in (2, 3))
    return [products[:, 0], likeness, meaning]


def _directions(vectors: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays."""
    directions: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return directions


def _relative(by_source: Floats) -> list[Floats]:
    """Of each column of scores (n, s) the share of its best, and the z-scores among the candidates."""
    columns = np.ascontiguousarray(by_source.T)  # (s, n)
    if not columns.size:
        return [column for column in columns for _ in range(2)]
    best = np.maximum(columns.max(axis=1, initial=0.0), np.float32(1e-9))
    middle, spread = columns.mean(axis=1), columns.std(axis=1) + np.float32(1e-6)
    shares, z = columns / best[:, None], (columns - middle[:, None]) / spread[:, None]
    return [column for pair in zip(shares, z, strict=True) for column in pair]
