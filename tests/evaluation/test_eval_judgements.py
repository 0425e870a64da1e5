"""Judged queries as arrays, and answers measured against them."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wares.domain.judgement import Judgement
from wares.errors import InputError
from wares.evaluation.judgements import (
    Judged,
    Measured,
    differences,
    folds,
    gains_of,
    measure,
    ndcg_of,
    recall_of,
    summary,
    worst,
)
from wares.evaluation.metrics import ndcg

ROW_OF = {"ladder": 4, "ladder, long": 4, "steps": 0, "tea": 9, "green tea": 2}
JUDGED = [
    Judgement("tea", "tea", 1.0),
    Judgement("ladder", "steps", 0.5),
    Judgement("ladder", "ladder", 1.0),
    Judgement("ladder", "ladder, long", 2.0),
    Judgement("tea", "green tea", 2.0),
    Judgement("tea", "kettle", 2.0),
    Judgement("wheel", "tyre", 2.0),
]


def judged() -> Judged:
    return Judged.of(JUDGED, ROW_OF)


def rows(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def test_queries_stand_in_order_with_their_best_products_first() -> None:
    found = judged()
    assert found.queries == ("ladder", "tea", "wheel")
    assert found.starts.tolist() == [0, 2, 4, 4]
    assert found.rows.tolist() == [4, 0, 2, 9]
    assert found.gains.tolist() == [2.0, 0.5, 2.0, 1.0]


def test_of_several_products_of_one_row_the_best_judged_counts() -> None:
    found = judged()
    assert found.ids[found.of_query(0)] == ("ladder, long", "steps")


def test_products_that_are_not_sold_are_named_and_left_out() -> None:
    assert judged().missing == ("kettle", "tyre")
    assert judged().of_query(2) == slice(4, 4)


def test_some_of_the_queries_can_be_taken() -> None:
    some = judged().take([1, 0])
    assert some.queries == ("tea", "ladder")
    assert some.rows[some.of_query(0)].tolist() == [2, 9]
    assert some.ids[some.of_query(1)] == ("ladder, long", "steps")
    assert len(judged().take([])) == 0


def test_nothing_judged_is_an_empty_set() -> None:
    found = Judged.of([], {})
    assert len(found) == 0
    assert found.relevant_from == 0
    assert measure(found, []).ndcg.tolist() == []


def test_the_best_order_is_worth_1_and_unjudged_products_before_it_cost() -> None:
    best = ndcg_of(rows(4, 0), rows(4, 0), np.array([2.0, 0.5]))
    later = ndcg_of(rows(7, 4, 0), rows(4, 0), np.array([2.0, 0.5]))
    assert best == 1
    assert later == pytest.approx((2 / math.log2(3) + 0.5 / 2) / (2 + 0.5 / math.log2(3)))


def test_what_stands_behind_the_first_k_is_worth_nothing() -> None:
    assert ndcg_of(rows(*range(10, 20), 4), rows(4), np.array([2.0]), k=10) == 0


def test_a_query_for_which_nothing_is_wanted_has_no_figure() -> None:
    assert math.isnan(ndcg_of(rows(4), rows(4), np.array([0.0])))
    assert math.isnan(recall_of(rows(4), rows(4), np.array([1.0]), relevant_from=1.33))
    assert math.isnan(ndcg_of(rows(4), rows(), np.empty(0)))


def test_recall_counts_a_gain_on_the_threshold_however_it_was_subtracted() -> None:
    gains = np.array([2.33 - 1, 0.33 + 1.0, 1.0])
    assert recall_of(rows(1, 3), rows(1, 2, 3), gains, relevant_from=1.33) == 0.5


def test_a_row_twice_in_a_ranking_is_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        ndcg_of(rows(4, 4), rows(4), np.array([2.0]))


@settings(max_examples=50)
@given(st.permutations(range(12)), st.lists(st.floats(0, 5), min_size=1, max_size=12), st.integers(1, 12))
def test_ndcg_is_that_of_a_catalogue_where_every_product_is_judged(
    ranking: Sequence[int], gains: list[float], k: int
) -> None:
    whole = np.array([*gains, *[0.0] * (12 - len(gains))])
    found = ndcg_of(rows(*ranking), rows(*range(len(gains))), np.array(gains), k)
    expected = ndcg(whole[list(ranking)], whole, k)
    assert found == pytest.approx(expected, nan_ok=True)
    assert gains_of(rows(*ranking), rows(*range(len(gains))), np.array(gains)).tolist() == whole[list(ranking)].tolist()


def test_answers_are_measured_query_by_query() -> None:
    found = measure(judged(), [rows(0, 4), rows(), rows(5)])
    assert found.names == ("ndcg@10", "recall@100", "no results")
    assert found.ndcg[0] == pytest.approx((0.5 + 2 / math.log2(3)) / (2 + 0.5 / math.log2(3)))
    assert found.ndcg[1] == 0
    assert math.isnan(found.ndcg[2])
    assert found.recall[:2].tolist() == [1, 0]
    assert found.empty.tolist() == [0, 1, 0]
    assert found.wanted.tolist() == [2.5, 3.0, 0.0]


def test_there_must_be_one_ranking_per_query() -> None:
    with pytest.raises(InputError, match="2 rankings for 3 queries"):
        measure(judged(), [rows(), rows()])


def test_a_summary_has_an_interval_around_each_mean_and_leaves_out_what_is_not_defined() -> None:
    found = summary(measure(judged(), [rows(4, 0), rows(), rows(5)]), np.random.default_rng(0))
    assert found["ndcg@10"].mean == 0.5
    assert found["ndcg@10"].low <= 0.5 <= found["ndcg@10"].high
    assert found["no results"].mean == pytest.approx(1 / 3)


def test_the_worst_queries_come_lowest_first_and_of_equal_ones_the_greatest_loss() -> None:
    values, wanted = np.array([0.5, 0.0, np.nan, 0.0]), np.array([9.0, 1.0, 0.0, 4.0])
    measured = Measured(("a", "b", "c", "d"), values, values, np.zeros(4), wanted, k=10)
    assert worst(measured, 10) == [3, 1, 0]
    assert worst(measured, 1) == [3]
    assert worst(measured, 0) == []


def test_a_system_better_everywhere_has_a_paired_difference_above_0() -> None:
    rng = np.random.default_rng(3)
    ease = rng.random(200)
    queries = tuple(f"query {i}" for i in range(200))
    nothing = np.zeros(200)
    better = Measured(queries, ease * 0.9 + 0.05, ease, nothing, nothing, k=10)
    other = Measured(queries, ease * 0.9 + rng.normal(scale=0.01, size=200), ease, nothing, nothing, k=10)
    found = differences(better, other, np.random.default_rng(0))
    assert found["ndcg@10"].above_zero
    assert found["recall@100"].mean == 0
    with pytest.raises(InputError, match="same queries"):
        differences(better, measure(judged(), [rows()] * 3), rng)


def test_folds_are_even_and_the_same_whatever_the_order() -> None:
    queries = [f"query {i}" for i in range(23)]
    found = folds(queries, n=5, seed=1)
    assert sorted(np.bincount(found).tolist()) == [4, 4, 5, 5, 5]
    assert folds(queries[::-1], n=5, seed=1).tolist() == found[::-1].tolist()
    assert folds(queries, n=5, seed=2).tolist() != found.tolist()


def test_queries_that_read_the_same_are_in_one_fold() -> None:
    found = folds(["Café table", "cafe  table", "CAFE TABLE ", "ladder", "tea"], n=3)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("n", [1, 3])
def test_folds_need_at_least_two_and_a_query_each(n: int) -> None:
    with pytest.raises(InputError, match="2 distinct queries"):
        folds(["tea", "ladder"], n=n)
