"""What correcting the spelling is worth: pairs of a query as typed and as it was meant, known to the bench alone."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.app.bench.trial import DEPTH, NOW_MS, Ranking, Tell, Trial, unfolded
from wares.domain.request import Request
from wares.domain.shopper import History
from wares.engine.assembly import Engine
from wares.engine.snapshot import Snapshot
from wares.evaluation.intervals import mean_intervals
from wares.evaluation.judgements import Judged, ndcg_of

FILE = "spelling.json"  # {query as typed: query as meant}
Parts = Sequence[tuple[Snapshot, NDArray[np.intp]]]


def spelling_figures(data: Path, trial: Trial, parts: Parts, answered: Ranking, tell: Tell) -> dict[str, Any]:
    """{} without `FILE`. nDCG@10 of the misspelt queries as typed, as corrected and as meant, each by the shop of its
    fold; how many of the meant ones are changed; and what correction does to all other queries."""
    path = data / FILE
    if not path.exists():
        return {}
    pairs: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))
    asked = trial.asked
    typed, corrected, meant = (np.full(len(asked), np.nan) for _ in range(3))
    changed = given = done = 0
    for snapshot, places in parts:
        engine = trial.with_snapshot(snapshot)
        for place in places.tolist():
            query = asked.queries[place]
            corrected[place] = _ndcg(asked, place, answered.rows[place])
            wanted = pairs.get(query)
            if wanted is not None:
                given += 1
                meant[place] = _ndcg(asked, place, _ask(engine, wanted, as_typed=True)[0])
                changed += bool(_ask(engine, wanted)[1])
            fires = wanted is not None or bool(engine.live.snapshot.language.speller.correct(query))
            typed[place] = _ndcg(asked, place, _ask(engine, query, as_typed=True)[0]) if fires else corrected[place]
            done += 1
            if done % 50 == 0 or done == len(asked):
                tell("Spelling", done, len(asked))
    pair = ~np.isnan(meant)
    before, after, goal = (float(np.nanmean(values[pair])) for values in (typed, corrected, meant))
    others = (corrected - typed)[~pair]
    change = mean_intervals(others[:, None], np.random.default_rng(trial.seed))[0]
    return {
        "pairs": int(pair.sum()),
        "ndcg_as_typed": round(before, 4),
        "ndcg_corrected": round(after, 4),
        "ndcg_as_meant": round(goal, 4),
        "gap_recovered": round((after - before) / max(goal - before, 1e-9), 4),
        "meant_changed": round(changed / max(given, 1), 4),
        "others": {
            "queries": int((~pair).sum()),
            "differing": int(np.count_nonzero(np.nan_to_num(others))),
            "ndcg_change": [round(float(value), 5) for value in (change.mean, change.low, change.high)],
        },
    }


def _ask(engine: Engine, query: str, *, as_typed: bool = False) -> tuple[NDArray[np.int32], str]:
    found = engine.answer(Request("search", NOW_MS, query=query, as_typed=as_typed), History.empty())
    return unfolded(found)[:DEPTH], found.intent.correction


def _ndcg(asked: Judged, place: int, ranking: NDArray[np.int32]) -> float:
    at = asked.of_query(place)
    return ndcg_of(ranking, asked.rows[at], asked.gains[at])
