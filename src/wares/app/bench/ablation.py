"""`wares bench ablation`: what each part of search adds, and what it costs, on judged queries.

The same folds are learned and asked again without one part at a time, in one run. Queries of a fold are answered by a
shop that learnt from the others.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wares.app.bench.search import Part, answers, learned_shops, parts_of, rounded
from wares.app.bench.trial import NOW_MS, Ranking, Tell, Trial, make_trial
from wares.domain.text import normalise
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.evaluation.judgements import Measured, differences
from wares.features.match import PAIR_FEATURES, QUERY_FEATURES
from wares.retrieval.language.analyser import Analyser
from wares.retrieval.language.shop_language import Language
from wares.retrieval.language.synonyms.groups import Synonyms
from wares.retrieval.text_index import TextIndex
from wares.store.sqlite import Store
from wares.training.ranker import Examples, gather_examples

SURFACE = "search"


@dataclass(frozen=True)
class Without:
    """How a shop is made that lacks one part."""

    settings: Callable[[Settings], Settings] = lambda settings: settings
    snapshot: Callable[[Snapshot, Store], Snapshot] = lambda snapshot, store: snapshot
    features: tuple[str, ...] = ()  # that the learned order is not told
    remembers: bool = True
    learns: bool = True


def ablation_figures(
    data: Path,
    *,
    lowest: float,
    n_folds: int,
    ask_folds: int,
    only: tuple[str, ...],
    cache: Path,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """One row per part: quality without it, what it adds with a 95% interval (paired), and ms of an answer it costs."""
    with tempfile.TemporaryDirectory(prefix="wares-bench-") as scratch, Store.open(Path(scratch), "write") as store:
        trial = make_trial(data, None, lowest, cache, None, Path(scratch), store, seed, tell)
        trial, parts = parts_of(trial, n_folds, ask_folds)
        examples = _examples(trial, "whole", tell)
        whole = answers(trial, learned_shops(trial, examples, parts, tell), "Asking: whole", tell)
        with_all = trial.measured(whole)
        rng = np.random.default_rng(seed)
        rows = {}
        for name in only or tuple(WITHOUT):
            ranking, measured = _row(trial, examples, parts, name, tell)
            rows[name] = _told(with_all, whole, measured, ranking, rng)
        p50, p95 = np.percentile(whole.took_ms, (50, 95))
        return {
            "queries": len(trial.asked),
            "whole": {
                "ndcg@10": round(float(np.nanmean(with_all.ndcg)), 4),
                "recall@100": round(float(np.nanmean(with_all.recall)), 4),
                "p50_ms": round(float(p50), 2),
                "p95_ms": round(float(p95), 2),
            },
            "without": rows,
        }


def _row(trial: Trial, examples: Examples, parts: list[Part], name: str, tell: Tell) -> tuple[Ranking, Measured]:
    without = WITHOUT[name]
    snapshot, settings = without.snapshot(trial.snapshot, trial.store), without.settings(trial.settings)
    changed = trial
    if snapshot is not trial.snapshot or settings is not trial.settings:
        bare = replace(trial, settings=settings)
        engine = bare.with_snapshot(snapshot)
        changed = replace(bare, engine=engine)
        if without.learns:
            examples = _examples(changed, name, tell)
    if without.features:
        kept = [i for i, feature in enumerate(examples.names) if feature not in without.features]
        examples = replace(examples, names=tuple(examples.names[i] for i in kept), features=examples.features[:, kept])
    shops = [(changed.snapshot, ask) for _, ask in parts]
    if without.learns:
        shops = learned_shops(changed, examples, parts, tell, remember_queries=without.remembers)
    ranking = answers(changed, shops, f"Asking: without {name}", tell)
    return ranking, changed.measured(ranking)


def _examples(trial: Trial, name: str, tell: Tell) -> Examples:
    return gather_examples(
        trial.engine, trial.judged, NOW_MS, trial.seed, lambda done, n: tell(f"Gathering examples: {name}", done, n)
    )


def _told(
    with_all: Measured, whole: Ranking, measured: Measured, ranking: Ranking, rng: np.random.Generator
) -> dict[str, Any]:
    adds = differences(with_all, measured, rng)
    costs = np.array(whole.took_ms) - np.array(ranking.took_ms)  # the same queries
    return {
        "ndcg@10": round(float(np.nanmean(measured.ndcg)), 4),
        "recall@100": round(float(np.nanmean(measured.recall)), 4),
        "adds": {key: rounded(interval) for key, interval in adds.items() if key != "no results"},
        "costs_ms": round(float(np.median(costs)), 2),
    }


# -- how to leave a part out -------------------------------------------------------------------------------------------


def _without_source(name: str) -> Callable[[Settings], Settings]:
    def changed(settings: Settings) -> Settings:
        profile = settings.profiles[SURFACE]
        sources = tuple(source for source in profile.sources if source != name)
        formula = {feature: term for feature, term in profile.formula.items() if feature != name}
        less = profile.model_copy(update={"sources": sources, "formula": formula})
        return settings.model_copy(update={"profiles": {**settings.profiles, SURFACE: less}})

    return changed


def _without_spelling(settings: Settings) -> Settings:
    return settings.model_copy(update={"search": settings.search.model_copy(update={"spelling": False})})


def _without_encoder(settings: Settings) -> Settings:
    return settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"source": "none"})})


def _without_synonyms(snapshot: Snapshot, store: Store) -> Snapshot:
    language = replace(snapshot.language)
    language.__dict__["synonyms"] = Synonyms({}, language.analyser.said_words)  # the cached property, filled
    return replace(snapshot, language=language)


class _Plain(Analyser):
    """Words as they are written: '2 in.', '2-inch' and '2\"' stay what they are."""

    def prepared(self, text: str) -> str:
        return normalise(text)


def _without_measures(snapshot: Snapshot, store: Store) -> Snapshot:
    known = snapshot.language.analyser
    analyser = _Plain(known.language, known.cutter, known.compounds, known.hyphenated)
    products = [product for *_, product in store.catalogue.changes() if product is not None]
    language: Language = replace(snapshot.language, analyser=analyser)
    return replace(snapshot, language=language, text=TextIndex.of(products, snapshot.text.boosts, analyser))


_FEEDBACK = ("feedback", "feedback_share", "feedback_z", "best_likeness", "best_likeness_apart")
_OF_WORDS = tuple(name for name in (*PAIR_FEATURES, *QUERY_FEATURES) if name not in _FEEDBACK)

WITHOUT: Mapping[str, Without] = {
    "learned order": Without(learns=False),
    "query memory": Without(remembers=False),
    "features of word matches": Without(features=_OF_WORDS),
    "feedback of the best": Without(settings=_without_source("feedback"), features=_FEEDBACK),
    "meaning": Without(settings=_without_encoder),
    "letters": Without(settings=_without_source("letters")),
    "measures and numbers": Without(snapshot=_without_measures),
    "synonyms": Without(snapshot=_without_synonyms),
    "spelling": Without(settings=_without_spelling),
}
