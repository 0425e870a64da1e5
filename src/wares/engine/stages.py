"""The walk of one request: understand, retrieve, describe, score, arrange, present. Read it from top to bottom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Policy, Ranker, SayingSource, Source
from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.intent import Intent
from wares.domain.request import Request, Sort
from wares.domain.result import Candidates, Explanation, Facet, Page, Slate
from wares.domain.row_set import RowSet
from wares.domain.scores import Scores
from wares.domain.sorting import best_first, distinct
from wares.engine.explained import explained, parts_of
from wares.engine.same_products import in_groups, of_products, same_group, without
from wares.engine.view import ShopView
from wares.features.personal import BESIDE_EVENTS, PERSONAL_FEATURES, favour
from wares.features.table import FeatureTable, describe
from wares.policies.exploration import NAME as EXPLORATION
from wares.policies.rules import allowed, pinnable_rows
from wares.policies.swaps import NAME as SWAPS
from wares.ranking.formula import Formula
from wares.retrieval.fusion import fuse, one_per_group
from wares.retrieval.match_set import Matching, MatchSet

Bools = NDArray[np.bool_]
_REST_OF_AN_ANSWER = 24_576  # bytes: the slate, the intent, facets
_PAGES_OF_AN_ANSWER = 73_728  # bytes: a page as objects and as text
_NO_ROWS = np.empty(0, np.int32)
_HIDDEN = "Some of what matches is left out, because this shopper hid it."
CHANCE = (SWAPS, EXPLORATION)
_RELAXED = {
    "words": ("No product holds enough of these words: these hold the most of them.",),
    "wishes": ("No product meets every wish in the query: these match its other words.",),
}


@dataclass(frozen=True)
class Walk:
    """How one surface answers: a profile with its names resolved.

    `matching` set: the hits are a match set, counted exactly (search, category pages). None: they are what the sources
    propose (recommendations).
    """

    sources: Mapping[str, Source]
    formula: Formula
    ranker: Ranker  # where nothing is learned yet, or nobody is known and nothing was said
    policies: tuple[Policy, ...]
    matching: Matching | None = None
    learned: bool = False  # the snapshot's learned orders rank what answers a query, or what is for a known shopper
    fusion: str = "convex"
    per_source: int = 200
    depth: int = 400
    exclude_seeds: bool = False
    exclude_bought: bool = False
    exclude_hidden: bool = True
    fold_variants: bool = True
    hide_unsellable: bool = False

    @cached_property
    def without_chance(self) -> "Walk":
        """The same without the policies that leave something to chance."""
        return replace(self, policies=tuple(policy for policy in self.policies if policy.name not in CHANCE))

    @cached_property
    def chance(self) -> tuple[Policy, ...]:
        """Those that do, where no other comes after them."""
        plain = len(self.without_chance.policies)
        return self.policies[plain:] if self.policies[:plain] == self.without_chance.policies else ()

    @property
    def weights(self) -> Mapping[str, float]:
        """What the declared formula weighs each feature."""
        return {name: term.weight for name, term in self.formula.terms.items()}


@dataclass(frozen=True)
class Answer:
    """All hits of a request in order, from which pages are cut.

    `order` (total,) has one row per group. The first `len(slate)` of it were ranked and arranged; behind them a match
    set goes on in order of plain relevance.
    """

    intent: Intent
    view: ShopView
    walk: Walk
    slate: Slate
    features: FeatureTable
    order: NDArray[np.int32]
    shown: RowSet | None  # every row of the answer, variants included; None = nothing has any
    facets: tuple[Facet, ...]
    notes: tuple[str, ...]
    explanation: Explanation | None = None  # where the request asks for it, like the next
    scored_by: FeatureTable | None = None  # what each feature adds to the scores, "" = base; row by row as `features`
    experiment: str = ""  # what the shopper takes part in, and as what
    variant: str = ""
    pages: dict[tuple[int, int, str], Page] | None = None  # of an answer that many get: by (offset, k, experiment)

    def to_keep(self) -> "Answer":
        """The same without what can be computed again, and what later pages do not need."""
        intent = self.intent if self.intent.feedback is None else replace(self.intent, feedback=None)
        return replace(self, view=self.view.fresh(), intent=intent, pages=None)

    @property
    def nbytes(self) -> int:
        """About the memory that it takes once it is kept, its pages included, beside the shop of its moment."""
        tables = self.features.values.nbytes + (0 if self.scored_by is None else self.scored_by.values.nbytes)
        shown = 0 if self.shown is None else self.shown.nbytes
        rest = _REST_OF_AN_ANSWER + (0 if self.pages is None else _PAGES_OF_AN_ANSWER)
        return self.order.nbytes + shown + tables + self.slate.nbytes + rest

    @property
    def shares(self) -> Iterable[tuple[object, int]]:
        """The catalogue of its moment, which a change of it has replaced since, perhaps."""
        return ((self.view.state, self.view.state.nbytes),)

    @cached_property
    def parts(self) -> NDArray[np.float32]:
        """(len(slate), f) what each feature adds to the score by the declared formula."""
        return self.walk.formula.parts(self.features.values, self.features.names)


def answer(intent: Intent, walk: Walk, view: ShopView, notes: tuple[str, ...] = ()) -> Answer:
    """Everything up to the page."""
    request, columns, filters = intent.request, view.columns, view.state.filters
    permitted = view.state.on_sale if walk.hide_unsellable else columns.alive
    if intent.actions.filter.clauses or intent.actions.hide:
        permitted = permitted & allowed(intent.actions, None, columns)
    hidden = intent.history.hidden.rows if walk.exclude_hidden and len(intent.history) else _NO_ROWS
    if len(hidden):
        kept_away = of_products(hidden, view)
        permitted = without(permitted, kept_away)
    may_show = permitted & filters.passing(request.filter) if request.filter.clauses else permitted
    match: MatchSet | None = None
    if walk.matching is None:
        if walk.exclude_seeds:
            may_show = without(may_show, same_group(intent.seeds, view))
        if walk.exclude_bought:
            may_show = without(may_show, of_products(intent.history.of(EventKind.PURCHASE).rows, view))
        slate, features, parts = _recommend(intent, walk, view, may_show)
        order = slate.rows
        variants = same_group(order, view)
        found = np.zeros(len(columns), np.bool_)
        found[variants] = may_show[variants]
        shown = found
    else:
        match = _matches(intent, walk.matching, view)
        intent = replace(intent, feedback=match.feedback)
        notes = (*notes, *_RELAXED.get(match.relaxed, ()))
        found = match.matched & permitted
        shown = found & may_show
        if len(hidden) and (match.matched & columns.alive)[kept_away].any():
            notes = (*notes, _HIDDEN)
        if not request.k:
            slate, features, parts = *_nothing(), None
            order = _one_per_group(np.flatnonzero(shown).astype(np.int32), view.columns)
            view.laps.end("retrieve")
        elif request.sort is Sort.RELEVANCE:
            slate, features, parts, order = _rank(intent, walk, view, shown, match.relevance)
        else:
            slate, features, parts = *_nothing(), None
            order = _sorted(request.sort, view, shown, match.relevance)
            view.laps.end("retrieve")
    facets = filters.facets(request.facets, found, request.filter, request.facet_values)
    view.laps.end("count")
    explanation = explained(intent, _ranker(intent, walk, view), match) if request.explain else None
    with_variants = RowSet.of(shown) if columns.n_groups < len(columns) else None
    return Answer(intent, view, walk, slate, features, order, with_variants, facets, notes, explanation, parts)


def _matches(intent: Intent, matching: Matching, view: ShopView) -> MatchSet:
    """The match set; a pinned product belongs to it."""
    found = matching.match(intent, view)
    pins = pinnable_rows(intent.actions, view.columns)
    if not len(pins):
        return found
    matched = found.matched.copy()
    matched[pins] = True
    return replace(found, matched=matched)


def _rank(
    intent: Intent, walk: Walk, view: ShopView, shown: Bools, relevance: NDArray[np.float32]
) -> tuple[Slate, FeatureTable, FeatureTable | None, NDArray[np.int32]]:
    """The best `walk.depth` groups by relevance are ranked and arranged; the others follow."""
    rows = np.flatnonzero(shown).astype(np.int32)
    liked = favour(_opinions(intent, walk, view, rows), walk.weights) if len(intent.history) else None
    order = _one_per_group(_by(relevance, rows, liked), view.columns)
    view.laps.end("retrieve")
    slate, features, parts = _score(intent, walk, view, order[: walk.depth])
    rest = order[~in_groups(slate.rows, order, view.columns)]
    return slate, features, parts, np.concatenate([slate.rows, rest])


def _recommend(
    intent: Intent, walk: Walk, view: ShopView, may_show: Bools
) -> tuple[Slate, FeatureTable, FeatureTable | None]:
    """What the sources propose, merged."""
    rows, opinions = _proposed(intent, walk, view, may_show)
    view.laps.end("retrieve")
    return _score(intent, walk, view, rows, opinions)


def _proposed(
    intent: Intent, walk: Walk, view: ShopView, may_show: Bools
) -> tuple[NDArray[np.int32], Mapping[str, NDArray[np.float32]]]:
    """The rows (n,) that any source proposes, growing, and what each source says of them."""
    said = {name: _said(source, intent, view) for name, source in _asked(intent, walk).items()}
    proposals = [of_one.best(may_show, walk.per_source) for of_one in said.values()]
    rows = distinct(np.concatenate([_NO_ROWS, *proposals]))
    unknown = np.zeros(len(rows), np.float32)
    return rows, {name: said[name].at(rows) if name in said else unknown for name in walk.sources}


def _said(source: Source, intent: Intent, view: ShopView) -> Scores:
    if _knows_few(source):
        return source.says(intent, view)
    return Scores.of_all(source.score(intent, view))


def _knows_few(source: Source) -> TypeGuard[SayingSource]:
    return hasattr(source, "says")


def _score(
    intent: Intent,
    walk: Walk,
    view: ShopView,
    rows: NDArray[np.int32],
    opinions: Mapping[str, NDArray[np.float32]] | None = None,
) -> tuple[Slate, FeatureTable, FeatureTable | None]:
    """Describe, score, and arrange these rows, one per group; and what each feature adds, where that is asked."""
    candidates, table = describe_rows(intent, walk, view, rows, opinions)
    ranker = _ranker(intent, walk, view)
    view.laps.end("describe")
    scores = ranker.score(table.values, table.names)
    parts = parts_of(ranker, table) if intent.request.explain else None
    best = _best_first(scores, candidates.rows)
    if walk.fold_variants and view.columns.n_groups < len(view.columns):
        best = best[one_per_group(view.columns.groups[candidates.rows[best]], view.columns.n_groups)]
    scores = scores[best]
    slate = Slate(candidates.take(best), scores, scores.copy(), ((),) * len(best))
    view.laps.end("score")
    slate = arranged(slate, walk.policies, intent, view)
    view.laps.end("arrange")
    return slate, _follow(table, candidates, slate), parts and _follow(parts, candidates, slate)


def arranged(slate: Slate, policies: Sequence[Policy], intent: Intent, view: ShopView) -> Slate:
    """What the policies make of a slate, one after the other."""
    for policy in policies:
        slate = policy.arrange(slate, intent, view)
    return slate


def drawn(found: Answer, chance: Sequence[Policy], request: Request) -> Answer:
    """The answer with what these policies leave to chance, drawn anew for this request. They move hits of the slate."""
    intent = found.intent if found.intent.request is request else replace(found.intent, request=request)
    slate = arranged(found.slate, chance, intent, found.view)
    if not slate.chances and np.array_equal(slate.rows, found.slate.rows):
        return found
    features = _follow(found.features, found.slate.candidates, slate)
    parts = found.scored_by and _follow(found.scored_by, found.slate.candidates, slate)
    order = np.concatenate([slate.rows, found.order[len(found.slate) :]])
    return replace(found, intent=intent, slate=slate, features=features, scored_by=parts, order=order, pages=None)


def _ranker(intent: Intent, walk: Walk, view: ShopView) -> Ranker:
    learned: Ranker | None = None
    if walk.learned and intent.terms:
        learned = view.snapshot.ranker
    elif walk.learned and walk.matching is None and len(intent.history):
        learned = view.snapshot.home_order
    return learned or walk.ranker


def describe_rows(
    intent: Intent,
    walk: Walk,
    view: ShopView,
    rows: NDArray[np.int32],
    opinions: Mapping[str, NDArray[np.float32]] | None = None,
    *,
    to_learn: bool = False,
) -> tuple[Candidates, FeatureTable]:
    """What every source says of these rows, and what the ranker is to see of them; `to_learn`: one that is to come."""
    opinions = _opinions(intent, walk, view, rows) if opinions is None else opinions
    weights = walk.weights
    if intent.terms:  # relevance is the query's alone
        weights = {**weights, **dict.fromkeys(PERSONAL_FEATURES, 0.0)}
    candidates = fuse(rows, opinions, weights, walk.fusion)
    memory = view.snapshot.memory if walk.learned else None
    pairs = to_learn or not isinstance(_ranker(intent, walk, view), Formula)  # a formula cannot name their features
    return candidates, describe(candidates, intent, view, memory, pairs=pairs)


def _opinions(intent: Intent, walk: Walk, view: ShopView, rows: NDArray[np.int32]) -> Mapping[str, NDArray[np.float32]]:
    """What every source says of `rows` (n,)."""
    asked, unknown = _asked(intent, walk), np.zeros(len(rows), np.float32)
    return {name: asked[name].score(intent, view, rows) if name in asked else unknown for name in walk.sources}


def _asked(intent: Intent, walk: Walk) -> Mapping[str, Source]:
    """The sources that may have something to say; nobody asks about a shopper of whom nothing is known. Who has only
    searched is known to those that read searches, but not in a search, where the gate needs a history."""
    if len(intent.history):
        return walk.sources
    known = () if intent.terms or intent.history.says_nothing else BESIDE_EVENTS
    return {name: source for name, source in walk.sources.items() if name in known or name not in PERSONAL_FEATURES}


def retrieved(intent: Intent, walk: Walk, view: ShopView) -> tuple[Candidates, FeatureTable]:
    """The candidates of a request before ranking, without filters, rules and folding: what a ranker learns from."""
    if walk.matching is None:
        rows, opinions = _proposed(intent, walk, view, view.columns.alive)
        return describe_rows(intent, walk, view, rows, opinions, to_learn=True)
    match = walk.matching.match(intent, view)
    intent = replace(intent, feedback=match.feedback)
    order = _by(match.relevance, np.flatnonzero(match.matched).astype(np.int32))
    return describe_rows(intent, walk, view, order[: walk.depth], to_learn=True)


def _follow(table: FeatureTable, candidates: Candidates, slate: Slate) -> FeatureTable:
    """The table's rows in the slate's order; zeros for what a policy brought in."""
    by_row = np.argsort(candidates.rows)
    ascending = candidates.rows[by_row]
    place = np.searchsorted(ascending, slate.rows)
    there = place < len(ascending)
    there[there] = ascending[place[there]] == slate.rows[there]
    if there.all():
        return FeatureTable(table.names, table.values[by_row[place]].astype(np.float32, copy=False))
    values = np.zeros((len(slate), len(table.names)), np.float32)
    values[there] = table.values[by_row[place[there]]]
    return FeatureTable(table.names, values)


def _sorted(sort: Sort, view: ShopView, shown: Bools, relevance: NDArray[np.float32]) -> NDArray[np.int32]:
    """One row per group by price, date or sales; unknown values last, ties by relevance, then the older row."""
    rows = np.flatnonzero(shown)
    by = {
        Sort.PRICE_UP: view.columns.numbers["price"],
        Sort.PRICE_DOWN: -view.columns.numbers["price"],
        Sort.NEWEST: -view.columns.numbers["published"],
        Sort.BEST_SELLING: -view.popularity().astype(np.float64),
    }[sort][rows]
    order = rows[np.lexsort((rows, -relevance[rows], by))]  # nan sorts last
    return _one_per_group(order.astype(np.int32), view.columns)


def _by(
    scores: NDArray[np.float32], rows: NDArray[np.int32], liked: NDArray[np.float32] | None = None
) -> NDArray[np.int32]:
    """The rows (ascending) by score; where it is equal, what the shopper likes (len(rows),) first, then the older
    one."""
    if liked is not None:
        rows = rows[best_first(liked)]
    return rows[best_first(scores[rows])]


def _one_per_group(rows: NDArray[np.int32], columns: Columns) -> NDArray[np.int32]:
    return rows[one_per_group(columns.groups[rows], columns.n_groups)]


def _best_first(scores: NDArray[np.floating], rows: NDArray[np.int32]) -> NDArray[np.intp]:
    """Places by score, highest first; of equal ones the older row."""
    is_plain = scores.dtype == np.float32 and not np.isnan(scores).any()  # what a plugin gives may be anything
    if is_plain and (rows[1:] > rows[:-1]).all():
        return best_first(scores)
    return np.lexsort((rows, -scores))


def _nothing() -> tuple[Slate, FeatureTable]:
    none = np.empty(0, np.float32)
    candidates = Candidates(np.empty(0, np.int32), np.empty((0, 0), np.float32), (), none)
    return Slate(candidates, none, none, ()), FeatureTable((), np.empty((0, 0), np.float32))
