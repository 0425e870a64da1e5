"""Counts that copies share are those that each alone would have, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wares.features.behaviour import FadingCounts

DAY_MS = 86_400_000
NOW_MS = 1_790_000_000_000
ROWS = 40

Event = tuple[int, int, float]


class Alone:
    """The same counts as one array that nobody shares."""

    def __init__(self, n: int) -> None:
        self.counts = np.zeros(n, np.float64)

    def learn(self, rows: list[int], days: list[int], amounts: list[float]) -> None:
        fade = np.exp2(-np.asarray(NOW_MS - _times(days), np.float64) / (60 * DAY_MS))
        np.add.at(self.counts, rows, np.array(amounts, np.float32) * fade)

    def values(self) -> NDArray[np.float32]:
        return np.asarray(np.maximum(self.counts * np.exp2(-0.0), 0), np.float32)


def _times(days: list[int]) -> NDArray[np.int64]:
    return NOW_MS - DAY_MS * np.array(days, np.int64)


def _learn(counts: FadingCounts, rows: list[int], days: list[int], amounts: list[float]) -> FadingCounts:
    counts.learn(np.array(rows, np.int32), _times(days), np.array(amounts, np.float32))
    return counts


_EVENTS = st.lists(
    st.tuples(st.integers(0, ROWS - 1), st.integers(0, 200), st.sampled_from([1.0, -1.0])), min_size=1, max_size=6
)


@given(st.lists(_EVENTS, max_size=8))
def test_a_copy_that_learns_is_as_one_that_shares_nothing_and_the_old_ones_stay(turns: list[list[Event]]) -> None:
    now, alone = FadingCounts(ROWS, reference_ms=NOW_MS), Alone(ROWS)
    seen = []
    for events in turns:
        rows, days, amounts = (list(one) for one in zip(*events, strict=True))
        now = _learn(now.copy(), rows, days, amounts)
        alone.learn(rows, days, amounts)
        seen.append((now, alone.values()))
    some = np.array([3, 0, 39, 3], np.int32)
    for counts, expected in seen:
        assert np.array_equal(counts.values(NOW_MS), expected)
        assert np.array_equal(counts.values(NOW_MS, some), expected[some])
        assert np.array_equal(counts.values(NOW_MS, slice(7)), expected[:7])
        assert np.array_equal(FadingCounts.restore(counts.state()).values(NOW_MS), expected)


def test_a_copy_that_moves_or_grows_leaves_the_others_alone() -> None:
    first = _learn(FadingCounts(4, reference_ms=NOW_MS), [0, 1], [0, 0], [2.0, 1.0])
    second = _learn(first.copy(), [1], [0], [1.0])
    third = second.copy()
    third.grow(5)
    third.move(1, 4)
    assert [one.values(NOW_MS).tolist() for one in (first, second, third)] == [
        [2.0, 1.0, 0.0, 0.0],
        [2.0, 2.0, 0.0, 0.0],
        [2.0, 0.0, 0.0, 0.0, 2.0],
    ]


def test_a_copy_takes_the_memory_of_what_changed_until_that_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wares.features.behaviour._MOST_CHANGED", 2)
    first = FadingCounts(100_000, reference_ms=NOW_MS)
    second = _learn(first.copy(), [5, 7], [0, 0], [1.0, 1.0])
    assert second.own_nbytes == 2 * 12
    third = _learn(second.copy(), [9], [0], [1.0])
    assert third.own_nbytes == 800_000
    assert np.flatnonzero(third.values(NOW_MS)).tolist() == [5, 7, 9]
    assert np.flatnonzero(second.values(NOW_MS)).tolist() == [5, 7]


def test_a_sale_long_after_the_others_does_not_overflow_and_leaves_copies_alone() -> None:
    first = _learn(FadingCounts(3, reference_ms=NOW_MS), [0], [0], [1.0])
    second = _learn(first.copy(), [1], [-60 * 101], [1.0])
    later_ms = NOW_MS + 60 * 101 * DAY_MS
    assert second.values(later_ms).tolist() == pytest.approx([0.0, 1.0, 0.0], abs=1e-30)
    assert first.values(NOW_MS).tolist() == [1.0, 0.0, 0.0]
