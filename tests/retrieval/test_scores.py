"""What is said of few products is the same as what is said of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.scores import Scores, best, ranked

N = 12
floats = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 7.0])
scores_of = st.lists(floats, min_size=N, max_size=N)
allowed_of = st.lists(st.booleans(), min_size=N, max_size=N)


def few(values: list[float], n: int) -> Scores:
    """The same by the rows that are named: those that are not 0."""
    named = np.flatnonzero(np.array(values, np.float32)).astype(np.int32)
    return Scores(n, np.array(values, np.float32)[named], named)


@given(scores_of, allowed_of, st.integers(1, N + 2))
def test_a_source_proposes_its_best_allowed_rows(scores: list[float], allowed: list[bool], k: int) -> None:
    rows = best(np.array(scores, np.float32), np.array(allowed), k).tolist()
    possible = [row for row in range(N) if allowed[row] and scores[row] > 0]
    assert len(rows) == min(k, len(possible))
    assert set(rows) <= set(possible)
    assert rows == sorted(rows, key=lambda row: (-scores[row], row))
    left_out = [scores[row] for row in possible if row not in rows]
    assert not left_out or max(left_out) <= min(scores[row] for row in rows)


@pytest.mark.parametrize("levels", [3, 40, 100_000])
@pytest.mark.parametrize("share_allowed", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("k", [1, 7, 100])
def test_a_sample_that_spares_sorting_changes_nothing(levels: int, share_allowed: float, k: int) -> None:
    rng = np.random.default_rng(k)
    values = (rng.integers(-levels, levels, 5_000) / levels).astype(np.float32)
    values[::97] = np.nan
    allowed = rng.random(5_000) < share_allowed
    possible = np.flatnonzero(allowed & (values > 0))
    expected = possible[np.lexsort((possible, -values[possible]))][:k]
    assert best(values, allowed, k).tolist() == expected.tolist()
    order = Scores(5_000, values, None, ranked(values), 5_000)
    assert order.best(allowed, k).tolist() == expected.tolist()


@given(scores_of, scores_of, allowed_of, st.integers(1, N))
def test_every_form_says_the_same(before: list[float], later: list[float], allowed: list[bool], k: int) -> None:
    values, may = np.array(before, np.float32), np.array(allowed)
    rows = np.array([0, N - 1, 5, 5], np.int32)
    both = np.concatenate([values, np.array(later, np.float32)])
    forms = Scores.of_all(values), few(before, N), Scores(N, values, None, ranked(values), N)
    for said in forms:
        assert said.all().tolist() == before
        assert said.at(rows).tolist() == values[rows].tolist()
        assert said.best(may, k).tolist() == best(values, may, k).tolist()
        longer = said.then(np.array(later, np.float32))
        assert longer.n == 2 * N
        assert longer.all().tolist() == both.tolist()
        assert longer.best(np.tile(may, 2), k).tolist() == best(both, np.tile(may, 2), k).tolist()
        more = said.plus(np.array([2, 4], np.int32), np.array([0.5, -1], np.float32))
        assert (more.all() - values).tolist() == [0, 0, 0.5, 0, -1, *[0] * (N - 5)]
        assert said.all().tolist() == before


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(-3, 3)), max_size=200))
def test_sums_are_the_same_however_many_there_are(spoken: list[tuple[int, int]]) -> None:
    rows = np.array([row for row, _ in spoken], np.int32)
    amounts = np.array([amount for _, amount in spoken], np.float64)
    for n in (100, 10_000):
        said = Scores.summed(n, rows, amounts)
        assert said.all().tolist() == np.bincount(rows, amounts, n).tolist()
        assert said.rows is None or len(said.rows) == len(set(rows.tolist()))


def test_nothing_is_said_of_any() -> None:
    said = Scores.none(3)
    assert said.all().tolist() == [0, 0, 0]
    assert said.at(np.array([1], np.int32)).tolist() == [0]
    assert said.best(np.ones(3, np.bool_), 2).tolist() == []
