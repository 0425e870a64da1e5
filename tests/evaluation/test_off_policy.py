"""What another policy would have earned: on a slot machine whose arms are known, and on Open Bandit."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.app.bench.off_policy import CAMPAIGNS, off_policy_figures
from wares.errors import InputError
from wares.evaluation.off_policy import (
    Estimate,
    clipped_ips,
    direct,
    doubly_robust,
    effective_rounds,
    ips,
    self_normalised,
    weights_of,
)

FILE = Path(os.environ.get("WARES_DATA", "../shared/data")) / "open-bandit" / "obp-0.4.1-py3-none-any.whl"
ARMS = np.array([0.1, 0.2, 0.5, 0.7])  # chance of a reward
LOGGED = np.array([0.4, 0.3, 0.2, 0.1])
TARGET = np.array([0.1, 0.1, 0.2, 0.6])
VALUE = float(ARMS @ TARGET)
Floats = NDArray[np.float64]


def play(rng: np.random.Generator, n: int = 500) -> tuple[NDArray[np.int64], Floats, Floats]:
    """(arms, rewards, weights)"""
    arms = rng.choice(4, n, p=LOGGED)
    rewards = (rng.random(n) < ARMS[arms]).astype(np.float64)
    return arms, rewards, weights_of(TARGET[arms], LOGGED[arms])


def robust(arms: NDArray[np.int64], rewards: Floats, weights: Floats, model: Floats) -> Estimate:
    return doubly_robust(rewards, weights, model[arms], np.full(len(arms), float(model @ TARGET)))


@pytest.fixture(scope="module")
def plays() -> list[tuple[NDArray[np.int64], Floats, Floats]]:
    return [play(np.random.default_rng(seed)) for seed in range(400)]


def test_estimates_are_right_on_average_and_intervals_hold_what_they_promise(
    plays: list[tuple[NDArray[np.int64], Floats, Floats]],
) -> None:
    wrong = np.array([0.9, 0.0, 0.3, 0.1])
    estimators = {
        "ips": [ips(r, w) for _, r, w in plays],
        "snips": [self_normalised(r, w) for _, r, w in plays],
        "dr, good model": [robust(a, r, w, ARMS) for a, r, w in plays],
        "dr, wrong model": [robust(a, r, w, wrong) for a, r, w in plays],
    }
    for name, found in estimators.items():
        values = np.array([one.value for one in found])
        spread = values.std()
        assert abs(values.mean() - VALUE) < 4 * spread / np.sqrt(len(found)) + 0.002, name
        assert 0.92 <= np.mean([one.holds(VALUE) for one in found]) <= 0.98, name
        assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.1), name


def test_a_good_model_makes_doubly_robust_narrower_and_a_bad_one_does_not_bias_it(
    plays: list[tuple[NDArray[np.int64], Floats, Floats]],
) -> None:
    arms, rewards, weights = plays[0]
    assert robust(arms, rewards, weights, ARMS).error < 0.8 * ips(rewards, weights).error
    assert direct(np.full(500, 0.1)).value != pytest.approx(VALUE, abs=0.1)


def test_clipping_narrows_and_lowers() -> None:
    _, rewards, weights = play(np.random.default_rng(5))
    free, clipped = ips(rewards, weights), clipped_ips(rewards, weights, 2.0)
    assert clipped.error < free.error
    assert clipped.value < free.value
    assert clipped_ips(rewards, weights, float(weights.max())) == free


def test_self_normalised_moves_with_the_rewards_and_stays_within_them() -> None:
    _, rewards, weights = play(np.random.default_rng(6), n=20)
    found = self_normalised(rewards, weights)
    assert self_normalised(rewards + 3, weights).value == pytest.approx(found.value + 3)
    assert 0 <= found.value <= 1


def test_the_policy_that_was_at_work_is_estimated_by_its_own_mean() -> None:
    arms, rewards, _ = play(np.random.default_rng(7))
    same = weights_of(LOGGED[arms], LOGGED[arms])
    for found in (ips(rewards, same), self_normalised(rewards, same), robust(arms, rewards, same, np.zeros(4))):
        assert found.value == pytest.approx(rewards.mean())
    assert effective_rounds(same) == pytest.approx(500)


def test_one_heavy_round_is_worth_one_round() -> None:
    assert effective_rounds(np.array([1000.0, 1e-6, 1e-6])) == pytest.approx(1, abs=1e-3)
    assert np.isnan(self_normalised([0.0, 1.0], np.zeros(2)).value)


def test_impossible_rounds_are_refused() -> None:
    with pytest.raises(InputError, match="above 0"):
        weights_of([0.5], [0.0])
    with pytest.raises(InputError, match="outside"):
        weights_of([1.5], [0.5])
    with pytest.raises(InputError, match="one of each"):
        ips([1.0, 0.0], np.ones(3))


def test_a_file_that_is_not_open_bandit_says_what_to_fetch(tmp_path: Path) -> None:
    (tmp_path / "other.whl").write_bytes(b"nothing")
    with pytest.raises(InputError, match="pip download"):
        off_policy_figures(tmp_path / "other.whl")


@pytest.mark.skipif(not FILE.is_file(), reason=f"no {FILE}; WARES_DATA names the folder of data sets")
def test_estimates_on_open_bandit_agree_with_what_the_policies_earned() -> None:
    rows = off_policy_figures(FILE)["rows"]
    assert len(rows) == 2 * len(CAMPAIGNS)
    for campaign in CAMPAIGNS:
        told = rows[f"{campaign}: bts from random's log"]
        assert told["mean_weight"] == pytest.approx(1, abs=0.05)  # else the propensities would not be true
        assert all(told["estimates"][name]["agrees"] for name in ("ips", "snips", "dr"))
