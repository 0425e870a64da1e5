"""When a share, a level or a distribution is said to have moved."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.evaluation.moved import by_name, deciles, distinct_among, distribution_shift, level_shift, share_shift


def verdicts(rate: float, now: float, crowd: float, weeks: int = 12, tries: int = 300) -> float:
    """How often a share is said to have moved, whose weeks differ by themselves as much as `crowd`."""
    rng = np.random.default_rng(5)
    moved = 0
    for _ in range(tries):
        rates = np.clip(rng.normal(rate, crowd, weeks), 0.001, 0.999)
        rates[-1] = np.clip(rates[-1] + now - rate, 0, 1)
        of = np.full(weeks, 2_000)
        moved += share_shift("x", rng.binomial(of, rates), of).verdict in ("moved", "alarm")
    return moved / tries


def test_an_unchanged_share_raises_few_false_alarms_even_where_weeks_differ_by_themselves() -> None:
    assert verdicts(0.1, 0.1, crowd=0.0) < 0.01
    assert verdicts(0.1, 0.1, crowd=0.005) < 0.02
    assert verdicts(0.1, 0.1, crowd=0.03) < 0.01  # by the binomial alone most of these weeks would be alarms


def test_a_changed_share_is_found() -> None:
    assert verdicts(0.1, 0.16, crowd=0.0) > 0.95
    assert verdicts(0.1, 0.3, crowd=0.03) > 0.9


def test_a_share_that_was_always_zero_may_have_a_first_case() -> None:
    of = np.full(8, 1_000)
    assert share_shift("x", np.array([0] * 7 + [1]), of).verdict == "steady"
    assert share_shift("x", np.array([0] * 7 + [100]), of).verdict == "alarm"


def test_a_certain_but_tiny_change_is_nobodys_trouble() -> None:
    of = np.full(8, 10_000_000)
    hits = np.array([5_000_000] * 7 + [5_100_000])
    assert share_shift("x", hits, of).verdict == "steady"


def test_too_few_periods_or_rows_say_nothing() -> None:
    assert share_shift("x", np.array([1, 1, 90]), np.array([100, 100, 100])).verdict == "too few"
    assert share_shift("x", np.array([1, 1, 1, 1, 9]), np.array([100, 100, 100, 100, 10])).verdict == "too few"
    assert level_shift("x", np.array([1.0, 1, 1, math.nan]), 0).verdict == "too few"


def test_a_log_that_stops_is_an_alarm() -> None:
    assert level_shift("x", np.array([90.0, 110, 100, 105, 95, 0]), 0, least_change=0.3).verdict == "alarm"


def test_a_distribution_that_changes_every_week_is_as_usual() -> None:
    rng = np.random.default_rng(1)
    restless = np.array([rng.multinomial(1_000, rng.dirichlet([8, 8, 8, 8])) for _ in range(12)])
    calm = np.array([rng.multinomial(1_000, [0.25] * 4) for _ in range(12)])
    names = list("abcd")
    assert distribution_shift("x", restless, names).verdict == "steady"
    assert distribution_shift("x", calm, names).verdict == "steady"
    calm[-1] = [700, 100, 100, 100]
    moved = distribution_shift("x", calm, names, ordered=True)
    assert moved.verdict == "alarm" and moved.now["a"] == 0.7 and moved.ks == pytest.approx(0.45, abs=0.02)


@pytest.mark.parametrize("shares", [[0.1, 0.9], [0.02, 0.98], [0.1] * 10, [0.5, 0.3, 0.2]])
def test_an_unchanged_distribution_raises_few_false_alarms_also_of_few_rows(shares: list[float]) -> None:
    rng, names, moved = np.random.default_rng(7), [str(i) for i in range(len(shares))], 0
    for _ in range(300):
        counts = rng.multinomial(100, shares, size=8)
        moved += distribution_shift("x", counts, names).verdict in ("moved", "alarm")
    assert moved / 300 < 0.01


def test_sizes_go_into_tenths_of_the_earlier_periods_and_unknown_ones_into_none() -> None:
    values = np.array([*range(100), 5.0, 500.0, np.nan])
    periods = np.array([0] * 100 + [1, 1, 1])
    counts, names = deciles(values, periods, 2)
    assert counts[0].tolist() == [10] * 10 and counts[1].sum() == 2 and len(names) == 10
    assert names[0].startswith("to ") and names[-1].startswith("above ")
    assert deciles(np.full(5, np.nan), np.zeros(5, np.int64), 2)[0].sum() == 0


def test_many_names_become_the_twenty_most_frequent_and_the_others() -> None:
    names = [f"n{i}" for i in range(60) for _ in range(60 - i)] * 4
    periods = np.repeat(np.arange(4), len(names) // 4)
    found = distribution_shift("x", *by_name(names, periods, 4))
    assert len(found.now) == 21 and sum(found.now.values()) == pytest.approx(1) and "all others" in found.now


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 200))
def test_more_draws_find_more_and_never_more_than_there_are(counts: list[int], draws: int) -> None:
    array = np.array(counts)
    found, more = distinct_among(array, draws), distinct_among(array, draws + 1)
    assert 0 < found <= more <= len(counts) + 1e-9 and found <= draws + 1e-9
