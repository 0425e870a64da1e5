"""What shoppers did since the snapshot is the same, in whatever pieces it comes and whenever somebody asks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wares.engine.sessions import LENGTH, Did, Sessions

_EVENT = st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 50), st.sampled_from([1.0, 2.0]))
_PIECES = st.lists(st.tuples(st.integers(-1, 2), st.lists(_EVENT, min_size=1, max_size=40)), max_size=30)


@given(_PIECES, st.integers(1, 5))
def test_a_session_is_all_that_came_in_order_of_time_the_last_500(
    pieces: list[tuple[int, list[Did]]], ask_each: int
) -> None:
    sessions, told = Sessions(), dict[int, list[Did]]()
    for number, (shopper, events) in enumerate(pieces):
        sessions.add({shopper: events})
        if shopper >= 0:
            told.setdefault(shopper, []).extend(events)
        if number % ask_each == 0:
            sessions.of(shopper)  # which changes nothing
    assert len(sessions) == len(told)
    for shopper in range(-1, 4):
        rows = sorted(told.get(shopper, []), key=lambda event: event[2])[-LENGTH:]
        found = sessions.of(shopper)
        columns = (found.rows, found.kinds, found.times_ms, found.quantities)
        assert list(zip(*(column.tolist() for column in columns), strict=True)) == rows
        assert [column.dtype for column in columns] == [np.int32, np.int8, np.int64, np.float32]
