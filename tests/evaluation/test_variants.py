"""Groups of shoppers side by side: a difference that is not there is found in 5 of 100 experiments, and no more by
looking every day; one that was planted is found."""

import numpy as np
import pytest

from wares.evaluation.intervals import Floats
from wares.evaluation.variants import Group, compared, mismatch


def shoppers(n: int, rng: np.random.Generator, lift: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Successes and answers of n shoppers who differ much, and how busy each was before."""
    busy = rng.gamma(1.0, 3.0, n)
    asks = 1 + rng.poisson(busy)
    rates = rng.beta(2, 4, n) * (1 + lift)
    return rng.binomial(asks, np.minimum(rates, 1)).astype(np.float64), asks.astype(np.float64), np.log1p(busy)


def found(seeds: int, n: int, lift: float = 0.0) -> tuple[float, float]:
    """How often a difference is called sure, with and without what shoppers did before."""
    plain, freed = 0, 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        (s, c, x), (s2, c2, x2) = shoppers(n, rng), shoppers(n, rng, lift)
        a, b = Group.of(s, c), Group.of(s2, c2)
        plain += not compared(a, b).interval().low <= 0 <= compared(a, b).interval().high
        freed += not compared(a, b, (x, x2)).interval().low <= 0 <= compared(a, b, (x, x2)).interval().high
    return plain / seeds, freed / seeds


def test_where_nothing_differs_five_of_a_hundred_experiments_say_otherwise() -> None:
    plain, freed = found(1000, 300)
    assert 0.03 < plain < 0.07 and 0.03 < freed < 0.07  # three standard errors are .02


def test_a_planted_effect_is_found() -> None:
    assert min(found(60, 2000, lift=0.10)) > 0.9


def test_a_shopper_with_many_answers_is_still_one_shopper() -> None:
    """As if each answer were somebody else's, the error would be far too small."""
    s, c, _ = shoppers(500, np.random.default_rng(1))
    as_answers = np.sqrt(s.sum() / c.sum() * (1 - s.sum() / c.sum()) / c.sum())
    assert Group.of(s, c).error > 1.3 * as_answers


def test_what_was_so_before_narrows_the_interval_and_moves_the_expectation_nowhere() -> None:
    plain, freed, errors = [], [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        before, of = rng.normal(size=400), rng.random(400) < 0.5
        result = 2 * before + rng.normal(size=400) + 0.3 * of
        control, new = (Group.of(result[of == side], np.ones((of == side).sum())) for side in (False, True))
        one = compared(control, new)
        other = compared(control, new, (before[~of], before[of]))
        plain.append(one.value)
        freed.append(other.value)
        errors.append(other.error)
    assert np.mean(freed) == pytest.approx(0.3, abs=0.02)
    assert np.std(freed) < 0.6 * np.std(plain)
    assert np.mean(errors) == pytest.approx(np.std(freed), rel=0.1)


def test_who_looks_every_day_is_not_misled_by_an_always_valid_bound() -> None:
    """15 looks at each of 200 experiments in which nothing differs."""
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 200, 3000)) < 0.3
    misled = {"fixed": np.zeros(200, bool), "always": np.zeros(200, bool)}
    for n in range(200, 3001, 200):
        for i in range(200):
            control, new = (Group.of(side[i, :n].astype(float), np.ones(n)) for side in (a, b))
            one = compared(control, new)
            misled["fixed"][i] |= not one.interval().low <= 0 <= one.interval().high
            misled["always"][i] |= abs(one.value) > one.reach(0.025)
    assert misled["always"].mean() <= 0.05
    assert misled["fixed"].mean() > 0.15


def test_shoppers_who_were_not_parted_as_planned_are_noticed() -> None:
    shares, noticed = np.array([0.5, 0.5]), 0
    for seed in range(1000):
        came = np.random.default_rng(seed).binomial(2000, 0.5)
        noticed += mismatch(np.array([came, 2000 - came]), shares) < 0.05
    assert 0.03 < noticed / 1000 < 0.07
    assert mismatch(np.array([1000, 1200]), shares) < 0.001
    assert mismatch(np.array([1000, 3000]), np.array([0.25, 0.75])) == 1.0
