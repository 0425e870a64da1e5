"""Every metric against a value by hand, a property, or another implementation."""

import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from wares.errors import InputError
from wares.evaluation import metrics


def random_run(seed: int) -> tuple[dict[str, int], list[str]]:
    """(judgements, ranking): half of what is ranked is judged, and some of what is judged is not ranked."""
    rng = np.random.default_rng(seed)
    documents = [f"d{i:02}" for i in range(40)]
    judged = {d: int(rng.integers(0, 4)) for d in rng.permutation(documents)[:20]}
    return {**judged, "d00": 2}, [str(d) for d in rng.permutation(documents)[:25]]


@pytest.mark.parametrize("seed", range(20))
def test_ranking_metrics_agree_with_ir_measures(seed: int) -> None:
    judged, ranking = random_run(seed)
    run = {"q": {d: float(-i) for i, d in enumerate(ranking)}}
    theirs = ir_measures.calc_aggregate(
        [nDCG @ 10, R @ 10, P @ 10, Success @ 10, AP, AP @ 10, RR, RR @ 10], {"q": judged}, run
    )
    gains = [judged.get(d, 0) for d in ranking]
    hits = [g > 0 for g in gains]
    relevant = sum(g > 0 for g in judged.values())
    assert metrics.ndcg(gains, list(judged.values()), 10) == pytest.approx(theirs[nDCG @ 10])
    assert metrics.recall(hits, relevant, 10) == pytest.approx(theirs[R @ 10])
    assert metrics.precision(hits, 10) == pytest.approx(theirs[P @ 10])
    assert metrics.hit_rate(hits, 10) == theirs[Success @ 10]
    assert metrics.average_precision(hits, relevant) == pytest.approx(theirs[AP])
    assert metrics.average_precision(hits, relevant, 10) == pytest.approx(theirs[AP @ 10])
    assert metrics.reciprocal_rank(hits) == pytest.approx(theirs[RR])
    assert metrics.reciprocal_rank(hits, 10) == pytest.approx(theirs[RR @ 10])


def test_the_best_order_of_all_judged_products_has_an_ndcg_of_one() -> None:
    assert metrics.ndcg([3, 2, 1], [1, 3, 2], k=3) == pytest.approx(1)
    assert metrics.ndcg([2, 1], [3, 2, 1], k=2) < 1  # the best product is missing


def test_gains_may_be_fractions() -> None:
    assert metrics.ndcg([0.5, 1.67], [1.67, 0.5], k=2) == pytest.approx(
        (0.5 + 1.67 / math.log2(3)) / (1.67 + 0.5 / math.log2(3))
    )


def test_a_question_without_a_relevant_product_has_no_figure() -> None:
    assert math.isnan(metrics.ndcg([0, 0], [0], k=2))
    assert math.isnan(metrics.recall([False], 0, k=1))
    assert math.isnan(metrics.average_precision([False], 0))
    assert math.isnan(metrics.auc([1, 1], [0.2, 0.3]))


labels_and_scores = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=30)


@given(labels_and_scores)
def test_auc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[bool, int]]) -> None:
    positive = [score for label, score in pairs if label]
    negative = [score for label, score in pairs if not label]
    won = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    found = metrics.auc([label for label, _ in pairs], [score for _, score in pairs])
    assert found == pytest.approx(np.mean(won)) if won else math.isnan(found)


def test_log_loss_of_a_sure_mistake_is_large_but_finite() -> None:
    assert metrics.log_loss([1], [0.0]) == pytest.approx(-math.log(1e-15))
    assert metrics.log_loss([1, 0], [0.8, 0.4]) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)


@pytest.mark.parametrize("chances", [[1.2], [-0.1], [math.nan]])
def test_log_loss_refuses_what_is_no_chance(chances: list[float]) -> None:
    with pytest.raises(InputError):
        metrics.log_loss([1], chances)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30))
def test_gini_is_half_the_relative_mean_difference(shown: list[int]) -> None:
    x = np.array(shown, float)
    found = metrics.gini(shown)
    if not x.sum():
        assert math.isnan(found)
    else:
        assert found == pytest.approx(np.abs(x[:, None] - x).mean() / (2 * x.mean()))
        assert 0 <= found + 1e-12 <= 1


@given(st.integers(2, 8), st.integers(1, 6), st.integers(0, 10_000))
def test_diversity_is_one_minus_the_mean_cosine_of_pairs(k: int, d: int, seed: int) -> None:
    v = np.random.default_rng(seed).normal(size=(k, d))
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    cosines = [unit[i] @ unit[j] for i in range(k) for j in range(i)]
    assert metrics.diversity(v) == pytest.approx(1 - np.mean(cosines), abs=1e-9)


def test_what_nobody_was_shown_lowers_coverage_and_empty_places_do_not_count() -> None:
    shown = metrics.exposure([[0, 1], [1, -1]], n_products=4)
    assert shown.tolist() == [1, 2, 0, 0]
    assert metrics.coverage(shown) == 0.5


def test_best_sellers_are_less_novel() -> None:
    surprises = metrics.surprise([90, 5, 0])
    assert metrics.novelty([0], surprises) < metrics.novelty([0, 1], surprises) < metrics.novelty([2], surprises)


def test_lists_of_one_category_have_a_share_of_one_over_k() -> None:
    assert metrics.distinct_share([3, 3, 3, 3]) == 0.25
    assert math.isnan(metrics.distinct_share([-1, -1]))
