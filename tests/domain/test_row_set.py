"""A set of rows says of each row whether it is in it, in an eighth of the memory."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.row_set import RowSet


@given(st.lists(st.booleans(), max_size=70))
def test_each_row_is_in_it_or_not_as_it_was_said(members: list[bool]) -> None:
    rows = np.arange(len(members), dtype=np.int32)[::-1]
    assert RowSet.of(np.array(members, np.bool_)).has(rows).tolist() == members[::-1]


def test_a_row_takes_one_bit() -> None:
    assert RowSet.of(np.ones(100_000, np.bool_)).nbytes == 12_500
