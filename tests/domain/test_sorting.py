"""Sorts against numpy's own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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
