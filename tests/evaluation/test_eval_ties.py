"""The expectations under ties against all orders, one by one."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.errors import InputError
from wares.evaluation import metrics, ties
from wares.evaluation.ties import NOWHERE, Places

few_scores = st.lists(st.integers(0, 3), min_size=2, max_size=6)


def over_all_orders(scores: list[int], targets: list[int], measure: Callable[[list[bool]], float]) -> float:
    """The mean of a metric over every order of the catalogue that the scores allow."""
    found = [
        measure([row in targets for row in order])
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    return float(np.mean(found))


@given(few_scores, st.data())
def test_every_expectation_is_the_mean_over_all_orders(scores: list[int], data: st.DataObject) -> None:
    n = len(scores)
    targets = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True))
    k = data.draw(st.integers(1, n + 1))
    places = ties.places_of(np.array(scores, np.float32), np.array(targets))
    m = len(targets)
    assert ties.expected_recall(places, k) == pytest.approx(
        over_all_orders(scores, targets, lambda hits: metrics.recall(hits, m, k))
    )
    assert ties.expected_ndcg(places, k) == pytest.approx(
        over_all_orders(scores, targets, lambda hits: metrics.ndcg(hits, [1] * m, k))
    )
    assert ties.expected_hit(places, k) == pytest.approx(
        over_all_orders(scores, targets, lambda hits: metrics.hit_rate(hits, k))
    )
    assert ties.expected_reciprocal_rank(places, k) == pytest.approx(
        over_all_orders(scores, targets, lambda hits: metrics.reciprocal_rank(hits, k))
    )


def test_a_tie_counts_half() -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.1], np.float32)
    assert ties.ranks_of(scores, np.array([0, 1, 2, 3])).tolist() == [1, 2.5, 2.5, 4]


def test_a_model_without_any_opinion_gets_what_chance_would_give() -> None:
    places = ties.places_of(np.zeros(1000, np.float32), np.array([0, 1, 2]))
    assert ties.expected_recall(places, 10) == pytest.approx(10 / 1000)


@given(st.integers(0, 10_000))
def test_places_are_what_counting_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 200, 500).astype(np.float32)
    many = rng.choice(500, 200, replace=False)
    found = ties.places_of(scores, many)
    assert found.above.tolist() == [(scores > scores[row]).sum() for row in many]
    assert found.tied.tolist() == [(scores == scores[row]).sum() for row in many]


@given(few_scores, st.data())
def test_leaving_products_out_is_ranking_the_rest(scores: list[int], data: st.DataObject) -> None:
    n = len(scores)
    out = data.draw(st.lists(st.integers(0, n - 1), max_size=n - 1, unique=True))
    rest = [row for row in range(n) if row not in out]
    target = data.draw(st.sampled_from(rest))
    values = np.array(scores, np.float32)
    found = ties.places_among_others(values, np.array([target]), np.array(out, np.int64))
    alone = ties.places_of(values[rest], np.array([rest.index(target)]))
    assert (found.above[0], found.tied[0]) == (alone.above[0], alone.tied[0])


def test_rows_of_scores_are_ranked_each_by_itself() -> None:
    places = ties.places_in_rows(np.array([[0.1, 0.2, 0.2], [0.3, 0.3, 0.9]]), np.array([1, 0]))
    assert places.above.tolist() == [0, 1]
    assert places.tied.tolist() == [2, 2]


def test_a_product_that_is_not_in_the_list_earns_nothing() -> None:
    places = ties.places_in_list(np.array([7, 3, 5]), np.array([5, 4]))
    assert places.above.tolist() == [2, NOWHERE]
    assert ties.credit(places, 10).tolist() == [1, 0]
    assert ties.gain(places, 10).tolist() == pytest.approx([0.5, 0])
    assert ties.expected_reciprocal_rank(places, 10) == pytest.approx(1 / 3)
    assert ties.expected_hit(ties.places_in_list(np.array([], np.int64), np.array([4])), 10) == 0


def test_a_product_that_must_not_be_ranked_earns_nothing() -> None:
    scores = np.array([1.0, -np.inf, -np.inf])
    assert ties.expected_recall(ties.places_of(scores, np.array([1])), 3) == 0
    assert ties.ranks_of(scores, np.array([0, 1])).tolist() == [1, math.inf]
    assert ties.ordered_top(scores, 3, np.arange(3)).tolist() == [0]


def test_nan_is_refused_since_it_would_rank_first() -> None:
    with pytest.raises(InputError):
        ties.places_of(np.array([math.nan, 1.0]), np.array([0]))
    with pytest.raises(InputError):
        ties.places_in_rows(np.array([[math.nan, 1.0]]), np.array([0]))


def test_no_target_has_no_figure() -> None:
    nobody = Places(np.empty(0, np.int64), np.empty(0, np.int64))
    assert math.isnan(ties.expected_recall(nobody, 10))
    assert math.isnan(ties.expected_ndcg(nobody, 10))
    assert math.isnan(ties.expected_hit(nobody, 10))
    assert math.isnan(ties.expected_reciprocal_rank(nobody, 10))


@given(few_scores, st.integers(0, 8), st.integers(0, 1000))
def test_the_shown_list_holds_the_best_and_repeats_itself(scores: list[int], k: int, seed: int) -> None:
    values, order = np.array(scores, np.float32), np.random.default_rng(seed).permutation(len(scores))
    top = ties.ordered_top(values, k, order)
    assert values[top].tolist() == sorted(scores, reverse=True)[:k]
    assert len(set(top.tolist())) == min(k, len(scores))
    assert top.tolist() == ties.ordered_top(values.copy(), k, order).tolist()
