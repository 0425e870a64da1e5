"""Sorts against numpy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.scores import Scores
from wares.domain.sorting import best_first, distinct, numbered

scores = st.one_of(
    st.floats(width=32, allow_nan=False), st.sampled_from([0.0, -0.0, 0.5, -0.5, float("inf"), -float("inf"), 1e-45])
)


@given(st.lists(scores, max_size=40))
def test_the_highest_comes_first_and_of_equal_ones_the_earlier(told: list[float]) -> None:
    array = np.array(told, np.float32)
    assert best_first(array).tolist() == np.argsort(-array, kind="stable").tolist()
    assert array.tolist() == np.array(told, np.float32).tolist()  # untouched


@given(st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 3), max_size=40))
def test_distinct_rows_grow_and_each_has_its_place(told: list[int]) -> None:
    rows = np.array(told, np.int32)
    names, places = numbered(rows)
    expected, inverse = np.unique(rows, return_inverse=True)
    assert names.tolist() == distinct(rows).tolist() == expected.tolist()
    assert places.tolist() == inverse.tolist()
    assert names.dtype == distinct(rows).dtype == np.int32
    assert rows.tolist() == told


@given(st.lists(st.integers(0, 99), max_size=40), st.integers(100, 5_000))
def test_rows_are_numbered_alike_whatever_is_known_of_them(told: list[int], below: int) -> None:
    """By marking, where there are many for what they lie below, or by sorting."""
    rows = np.array(told, np.int32)
    marked, known = numbered(rows, below), numbered(rows)
    assert [marked[0].tolist(), marked[1].tolist()] == [known[0].tolist(), known[1].tolist()]
    assert (marked[0].dtype, marked[1].dtype) == (known[0].dtype, known[1].dtype)


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int64, np.int32])
def test_scores_of_another_type_are_ordered_as_they_are(kind: type[np.generic]) -> None:
    """A plugin may give what numpy made of its sums."""
    scores = np.array([1, -2, 3, 1, 0]).astype(kind)
    assert best_first(scores).tolist() == [2, 0, 3, 4, 1]
    assert Scores.of_all(scores).best(np.ones(5, np.bool_), 2).tolist() == [2, 0]
