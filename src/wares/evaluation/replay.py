"""Replay: ask every system what past shoppers were about to do, and measure the answers.

A system is a function (shopper, history) -> answer. An answer is either a score for every product, floats
(n_products,), or a slate as it would be served: distinct product rows, best first, integers (m,).

Scores rank the whole catalogue, equal ones counted at half (`ties`). A slate ranks what it holds; everything else is
missed, so let it hold k products and, for the columns on new products, some more. All ranks are cut at k, for both.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.contracts import BehaviourModel, Progress
from wares.domain.cores import on_all_cores
from wares.domain.event import EventKind
from wares.domain.shopper import History
from wares.evaluation.baselines import Popular
from wares.evaluation.metrics import coverage, distinct_share, exposure, gini, novelty, surprise
from wares.evaluation.ranking import Answer, Ranking, read
from wares.evaluation.splits import ColdProducts, LeaveOneOut, NextBasket
from wares.evaluation.table import EvaluationTable, table_of
from wares.evaluation.ties import (
    credit,
    expected_hit,
    expected_ndcg,
    expected_recall,
    expected_reciprocal_rank,
    gain,
    reciprocal,
)

System = Callable[[int, History], Answer]
OnRanked = Callable[[str, int, NDArray[np.int64], NDArray[np.float64]], None]  # (system, shopper, rows, scores)


def asking(model: BehaviourModel, now_ms: int) -> System:
    """A fitted model as a system that answers at one moment."""
    return lambda shopper, history: model.score(history, now_ms)


@dataclass(slots=True)
class _Stopwatch:
    """Asks a system and keeps the time of the processor that its thread took."""

    name: str
    system: System
    n_products: int
    _took: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(self._took)

    def ask(self, shopper: int, history: History) -> Ranking:
        start = time.thread_time()
        answer = self.system(shopper, history)
        self._took.append(time.thread_time() - start)
        return read(answer, self.name, self.n_products)


def next_basket_table(
    systems: Mapping[str, System],
    split: NextBasket,
    rng: np.random.Generator,
    *,
    k: int = 10,
    reference: str | None = None,
    categories: NDArray[np.signedinteger] | None = None,
    on_progress: Progress | None = None,
    on_ranked: OnRanked | None = None,
    in_threads: bool = False,
) -> EvaluationTable:
    """Who foresees the next basket? Means over the split's shoppers with 95% intervals.

    - recall@k, ndcg@k, hit@k, mrr@k: of all distinct products of the basket, in the ranking of the whole catalogue.
    - new recall@k: targets are the basket's products which this shopper never bought before; those bought before are
      taken out of the ranking, too, so that it is the list of a "discover" shelf. Shoppers without a new product in
      their basket do not count.
    - novelty (bits) and, with `categories` (n_products,) codes, -1 = unknown, category share: of the k shown.
    - coverage, gini: of the k shown to all shoppers together; no interval.

    `reference` (default: the first system) is what the paired differences are against. `on_ranked` receives the k
    shown. `in_threads`: on all cores; for systems that may be asked from several threads at once.
    """
    names = [f"recall@{k}", f"ndcg@{k}", f"hit@{k}", f"mrr@{k}", f"new recall@{k}", "novelty"]
    names += ["category share"] if categories is not None else []
    n_products = split.train.n_products
    sales = Popular()
    sales.fit(split.train, split.cut_ms)
    surprises, tie_order = surprise(sales.counts), rng.permutation(n_products)
    histories = split.histories
    bought = [np.unique(history.of(EventKind.PURCHASE).rows) for history in histories]
    fresh = [np.setdiff1d(basket, old) for basket, old in zip(split.targets, bought, strict=True)]
    values, whole, seconds = {}, {}, {}
    for name, system in systems.items():
        watch = _Stopwatch(name, system, n_products)
        found = np.full((len(split), len(names)), np.nan)
        shown = np.full((len(split), k), -1, np.int64)

        def ask(i: int, watch: _Stopwatch = watch) -> tuple[list[float], NDArray[np.int64], NDArray[np.float64]]:
            ranking = watch.ask(int(split.shoppers[i]), histories[i])
            places = ranking.places(split.targets[i])
            top, scores = ranking.top(k, tie_order)
            figures = [
                expected_recall(places, k),
                expected_ndcg(places, k),
                expected_hit(places, k),
                expected_reciprocal_rank(places, k),
                expected_recall(ranking.places_without(fresh[i], bought[i]), k),
                novelty(top, surprises),
            ]
            return figures + ([distinct_share(categories[top])] if categories is not None else []), top, scores

        answers = on_all_cores(ask, len(split)) if in_threads else map(ask, range(len(split)))
        for i, (figures, top, scores) in enumerate(answers):
            found[i] = figures
            shown[i, : len(top)] = top
            if on_ranked:
                on_ranked(name, int(split.shoppers[i]), top, scores)
            if on_progress:
                on_progress(1)
        counts = exposure(shown, n_products)
        values[name], seconds[name] = found, watch.seconds
        whole[name] = {f"coverage@{k}": coverage(counts), f"gini@{k}": gini(counts)}
    return table_of(names, values, rng, seconds=seconds, k=k, whole=whole, reference=reference)


def leave_one_out_table(
    systems: Mapping[str, System],
    split: LeaveOneOut,
    rng: np.random.Generator,
    *,
    k: int = 10,
    ask_validation: bool = False,
    reference: str | None = None,
    on_progress: Progress | None = None,
) -> EvaluationTable:
    """Who foresees the last event? recall@k, ndcg@k and mrr@k over shoppers; products in the history are taken out.

    The history is everything before the asked event (so the test history holds the validation event, whatever the
    systems were fitted on). A target that is in the history itself stays in the ranking.
    """
    before = split.train if ask_validation else split.train_and_validation
    asked = split.validation if ask_validation else split.test
    values, seconds = {}, {}
    for name, system in systems.items():
        watch = _Stopwatch(name, system, before.n_products)
        found = np.empty((len(split), 3))
        for i, shopper in enumerate(split.shoppers.tolist()):
            history, target = before.history(shopper), asked[i : i + 1]
            places = watch.ask(shopper, history).places_without(target, np.setdiff1d(history.rows, target))
            found[i] = credit(places, k)[0], gain(places, k)[0], reciprocal(places, k)[0]
            if on_progress:
                on_progress(1)
        values[name], seconds[name] = found, watch.seconds
    return table_of([f"recall@{k}", f"ndcg@{k}", f"mrr@{k}"], values, rng, seconds=seconds, k=k, reference=reference)


def cold_product_table(
    systems: Mapping[str, System],
    split: ColdProducts,
    rng: np.random.Generator,
    *,
    k: int = 20,
    reference: str | None = None,
    on_progress: Progress | None = None,
) -> EvaluationTable:
    """Who finds buyers for products nobody knows yet? recall@k and mrr over purchases; only cold products are ranked.

    `mrr` is not cut at k. Shoppers with several such purchases are asked once; intervals are over purchases.
    """
    order = np.argsort(split.shoppers, kind="stable")
    shoppers, starts = np.unique(split.shoppers[order], return_index=True)
    values, seconds = {}, {}
    for name, system in systems.items():
        watch = _Stopwatch(name, system, split.train.n_products)
        found = np.empty((len(split), 2))
        for shopper, own in zip(shoppers.tolist(), np.split(order, starts[1:]), strict=True):
            ranking = watch.ask(shopper, split.train.history(shopper))
            places = ranking.places_among(split.targets[own], split.products)
            found[own, 0] = credit(places, k)
            found[own, 1] = reciprocal(places, len(split.products))
            if on_progress:
                on_progress(1)
        values[name], seconds[name] = found, watch.seconds
    return table_of([f"recall@{k}", "mrr"], values, rng, seconds=seconds, k=k, reference=reference)
