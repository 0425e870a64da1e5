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


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int64, np.int32])
def test_scores_of_another_type_are_ordered_as_they_are(kind: type[np.generic]) -> None:
    """A plugin may give what numpy made of its sums."""
    scores = np.array([1, -2, 3, 1, 0]).astype(kind)
    assert best_first(scores).tolist() == [2, 0, 3, 4, 1]
    assert Scores.of_all(scores).best(np.ones(5, np.bool_), 2).tolist() == [2, 0]
