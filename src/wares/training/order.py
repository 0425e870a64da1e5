"""The learned order in a training: kept only if it orders queries that it did not learn from better."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.engine.assembly import Engine
from wares.engine.snapshot import Snapshot
from wares.errors import RankerUnavailable
from wares.evaluation.judgements import Judged, differences, folds, measure
from wares.features.query_memory import QueryMemory
from wares.training.progress import Tell
from wares.training.ranker import Examples, fit_ranker, gather_examples, order_by, remember, with_order

LEAST_QUERIES = 50  # with something wanted
_FOLDS = 5
_MOST_TRIED = 1_000  # queries: with more, one held-out fold says enough


def learn_order(engine: Engine, judged: Judged, now_ms: int, seed: int, tell: Tell) -> Snapshot:
    """The engine's snapshot with the order that these judgements teach, or without one; its facts say which and why."""
    snapshot = engine.live.snapshot
    wanted = np.array([judged.gains[judged.of_query(i)].any() for i in range(len(judged))], np.bool_)
    if int(wanted.sum()) < LEAST_QUERIES:
        return snapshot if not len(judged) else _told(snapshot, kept=False, why="too few judged queries", judged=judged)
    judged = judged.take(np.flatnonzero(wanted))
    examples = gather_examples(engine, judged, now_ms, seed, lambda done, n: tell("Asking the judged queries", done, n))
    if examples.taught < LEAST_QUERIES:
        return _told(
            snapshot, kept=False, why="the catalogue's words find too little of what was wanted", judged=judged
        )
    memory = remember(examples, judged, snapshot)
    try:
        tried = _trial(examples, judged, memory, snapshot, seed, tell)
        if tried["gain"][0] <= 0:
            return _told(snapshot, kept=False, why="no better than the formula", judged=judged, **tried)
        tell("Learning the order", 0, 1)
        ranker = fit_ranker(examples, range(len(judged)), memory, snapshot, seed=seed)
        tell("Learning the order", 1, 1)
    except RankerUnavailable as error:
        return _told(snapshot, kept=False, why=str(error), judged=judged)
    return with_order(_told(snapshot, kept=True, judged=judged, **tried), ranker, memory)


def _trial(
    examples: Examples, judged: Judged, memory: QueryMemory | None, snapshot: Snapshot, seed: int, tell: Tell
) -> dict[str, Any]:
    """nDCG@10 of the formula's order and of the learned one on queries that it did not learn from."""
    fold = folds(judged.queries, _FOLDS, seed)
    asked = list(range(_FOLDS)) if len(judged) <= _MOST_TRIED else [0]
    places, before, after = list[int](), list[NDArray[np.int64]](), list[NDArray[np.int64]]()
    for done, i in enumerate(asked):
        tell("Trying the order", done, len(asked))
        learn, ask = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
        known = memory.take(learn) if memory is not None else None
        ranker = fit_ranker(examples, learn.tolist(), known, snapshot, seed=seed)
        places += ask.tolist()
        before += order_by(examples, ask, None, None, snapshot)
        after += order_by(examples, ask, ranker, known, snapshot)
    tell("Trying the order", len(asked), len(asked))
    part = judged.take(places)
    formula, learned = measure(part, before), measure(part, after)
    gain = differences(learned, formula, np.random.default_rng(seed))["ndcg@10"]
    return {
        "ndcg_formula": round(float(np.nanmean(formula.ndcg)), 4),
        "ndcg_learned": round(float(np.nanmean(learned.ndcg)), 4),
        "gain": [round(float(value), 4) for value in (gain.mean, gain.low, gain.high)],
    }


def _told(snapshot: Snapshot, *, kept: bool, judged: Judged, why: str = "", **figures: Any) -> Snapshot:
    order = {"queries": len(judged), "kept": kept, **({"why": why} if why else {}), **figures}
    return replace(snapshot, facts={**snapshot.facts, "order": order})
