"""The order by score against numpy's own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.sorting import best_first

scores = st.one_of(
    st.floats(width=32, allow_nan=False), st.sampled_from([0.0, -0.0, 0.5, -0.5, float("inf"), -float("inf"), 1e-45])
)


@given(st.lists(scores, max_size=40))
def test_the_highest_comes_first_and_of_equal_ones_the_earlier(told: list[float]) -> None:
    array = np.array(told, np.float32)
    assert best_first(array).tolist() == np.argsort(-array, kind="stable").tolist()
    assert array.tolist() == np.array(told, np.float32).tolist()  # untouched
