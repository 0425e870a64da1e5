"""Intervals that hold the truth as often as they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wares.evaluation import intervals
from wares.evaluation.intervals import mean_interval, mean_intervals, paired_difference


def test_an_interval_of_95_percent_holds_the_true_mean_about_95_times_in_a_hundred() -> None:
    rng = np.random.default_rng(0)
    found = mean_intervals(rng.normal(loc=3, size=(200, 400)), rng)
    held = np.mean([i.low <= 3 <= i.high for i in found])
    assert 0.92 <= held <= 0.975


def test_a_truly_better_system_has_a_paired_interval_above_zero() -> None:
    rng = np.random.default_rng(1)
    ease = rng.random(500)  # some shoppers are easy, whoever serves them
    a = ease + 0.02 + rng.normal(scale=0.05, size=500)
    b = ease + rng.normal(scale=0.05, size=500)
    assert paired_difference(a, b, rng).above_zero
    assert paired_difference(b, a, rng).below_zero
    own_a, own_b = mean_interval(a, rng), mean_interval(b, rng)
    assert own_a.low < own_b.high  # unpaired, nobody could tell


@settings(max_examples=25)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), st.integers(0, 1000))
def test_the_mean_lies_within_its_interval_and_within_the_values(values: list[float], seed: int) -> None:
    found = mean_interval(np.array(values), np.random.default_rng(seed), resamples=200)
    assert found.low <= found.mean <= found.high
    assert min(values) - 1e-6 <= found.low
    assert found.high <= max(values) + 1e-6


def test_values_that_are_not_defined_take_no_part() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    first, second = mean_intervals(values, np.random.default_rng(0))
    assert first.mean == 2
    assert math.isnan(second.mean)
    assert math.isnan(second.low)


def test_the_same_seed_gives_the_same_interval_however_the_work_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random(100)
    whole = mean_interval(values, np.random.default_rng(0))
    monkeypatch.setattr(intervals, "AT_ONCE", 700)
    assert mean_interval(values, np.random.default_rng(0)) == whole


def test_nobody_asked_gives_no_figure() -> None:
    assert math.isnan(mean_interval(np.empty(0), np.random.default_rng(0)).mean)
