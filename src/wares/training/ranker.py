"""Judgements -> the learned order: the engine's own candidates and features, labelled, and trees grown on them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wares.domain.request import Request
from wares.domain.result import Candidates
from wares.engine.assembly import Engine
from wares.engine.snapshot import Snapshot
from wares.evaluation.judgements import Judged
from wares.features.query_memory import NAMES as MEMORY_FEATURES
from wares.features.query_memory import QueryMemory
from wares.ranking.boosted import Boosted

Floats = NDArray[np.float32]
Done = Callable[[int, int], None]
NEGATIVES = 300  # candidates of a query that nobody judged, taken as worth nothing
_FIRST = 20.0  # the smaller, the more of them come from the top of the first order


@dataclass(frozen=True)
class Examples:
    """The candidates of q queries one after the other: features (n, f) without the memory's, gains (n,)."""

    queries: tuple[str, ...]
    sizes: NDArray[np.int64]  # (q,)
    rows: NDArray[np.int32]  # (n,)
    features: Floats
    names: tuple[str, ...]
    gains: NDArray[np.float32]
    vectors: Floats  # (q, d) of the queries as understood; (q, 0) without an encoder

    @property
    def taught(self) -> int:
        """The number of queries of which a wanted product is among the candidates."""
        ends = np.cumsum(self.sizes)
        return sum(bool(self.gains[_slice(ends, place)].any()) for place in range(len(self.sizes)))


def gather_examples(engine: Engine, judged: Judged, now_ms: int, seed: int = 0, done: Done | None = None) -> Examples:
    """Ask every judged query as of `now_ms` and keep what was judged, and some of what was not.

    Without unjudged ones a ranker would only know what another engine had found.
    """
    rng = np.random.default_rng(seed)
    sizes, rows, features, gains, vectors = [], [], [], [], []
    names: tuple[str, ...] = ()
    for place, query in enumerate(judged.queries):
        intent, candidates, table = engine.retrieve(Request("search", now_ms, query=query))
        within = judged.of_query(place)
        kept, worth = _chosen(candidates, judged.rows[within], judged.gains[within], rng)
        if not intent.terms:  # signs without a word: it has no features of words, and the learned order never ranks it
            kept, worth = kept[:0], worth[:0]
        if len(kept) and not names:
            names = tuple(name for name in table.names if name not in MEMORY_FEATURES)
        own = [i for i, name in enumerate(table.names) if name not in MEMORY_FEATURES]
        sizes.append(len(kept))
        rows.append(candidates.rows[kept])
        features.append(table.values[kept][:, own] if len(kept) else np.empty((0, len(names)), np.float32))
        gains.append(worth)
        vectors.append(intent.vectors.get("text", np.empty(0, np.float32)))
        if done:
            done(place + 1, len(judged))
    width = len(names)
    return Examples(
        judged.queries,
        np.array(sizes, np.int64),
        np.concatenate([np.empty(0, np.int32), *rows]),
        np.concatenate([np.empty((0, width), np.float32), *(f for f in features if f.shape[1] == width)]),
        names,
        np.concatenate([np.empty(0, np.float32), *gains]),
        np.stack(vectors) if vectors else np.empty((0, 0), np.float32),
    )


def _chosen(
    candidates: Candidates, judged: NDArray[np.int64], gains: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """(places among the candidates, their gains): all judged ones and `NEGATIVES` others, mostly from the top."""
    gain_of = dict(zip(judged.tolist(), gains.tolist(), strict=True))
    worth = np.array([gain_of.get(row, -1.0) for row in candidates.rows.tolist()], np.float32)
    others = np.flatnonzero(worth < 0)
    if len(others) > NEGATIVES:
        chance = 1 / (_FIRST + others)
        others = rng.choice(others, NEGATIVES, replace=False, p=chance / chance.sum())
    kept = np.sort(np.concatenate([np.flatnonzero(worth >= 0), others]))
    return kept, np.maximum(worth[kept], 0)


def remember(examples: Examples, judged: Judged, snapshot: Snapshot) -> QueryMemory | None:
    """The judged queries as a memory; None without an encoder."""
    if not examples.vectors.size:
        return None
    products = snapshot.vectors.vectors(np.arange(len(snapshot.columns), dtype=np.int32))
    return QueryMemory.of(judged.queries, examples.vectors, judged.starts, judged.rows, judged.gains, products)


def fit_ranker(
    examples: Examples, places: Iterable[int], memory: QueryMemory | None, snapshot: Snapshot, *, seed: int = 0
) -> Boosted:
    """Trees grown on the queries at `places`; the memory must hold no others. Raises RankerUnavailable."""
    ends = np.cumsum(examples.sizes)
    chosen = [place for place in places if examples.gains[_slice(ends, place)].any()]
    features = np.concatenate([_described(examples, place, _slice(ends, place), memory, snapshot) for place in chosen])
    gains = np.concatenate([examples.gains[_slice(ends, place)] for place in chosen])
    return Boosted.fit(features, gains, examples.sizes[chosen].tolist(), _names(examples, memory), seed=seed)


def order_by(
    examples: Examples, places: NDArray[np.intp], ranker: Boosted | None, memory: QueryMemory | None, snapshot: Snapshot
) -> list[NDArray[np.int64]]:
    """The candidates of each query, best first: by the ranker, or as they were retrieved."""
    ends = np.cumsum(examples.sizes)
    found = []
    for place in places.tolist():
        at = _slice(ends, place)
        rows = examples.rows[at].astype(np.int64)
        if ranker is not None:
            features = _described(examples, place, at, memory, snapshot)
            rows = rows[np.argsort(-ranker.score(features, _names(examples, memory)), kind="stable")]
        found.append(rows)
    return found


def _names(examples: Examples, memory: QueryMemory | None) -> tuple[str, ...]:
    return examples.names + (MEMORY_FEATURES if memory is not None else ())


def _described(examples: Examples, place: int, at: slice, memory: QueryMemory | None, snapshot: Snapshot) -> Floats:
    """(n, f) the features of one query's candidates, the memory's with them."""
    if memory is None:
        return examples.features[at]
    rows = examples.rows[at]
    products = snapshot.vectors.vectors(rows)
    asked = memory.features(examples.queries[place], examples.vectors[place], rows, products)
    return np.concatenate([examples.features[at], asked], axis=1)


def with_order(snapshot: Snapshot, ranker: Boosted | None, memory: QueryMemory | None) -> Snapshot:
    """The same snapshot with another learned order."""
    return replace(snapshot, ranker=ranker, memory=memory)


def _slice(ends: NDArray[np.int64], place: int) -> slice:
    return slice(int(ends[place - 1]) if place else 0, int(ends[place]))
