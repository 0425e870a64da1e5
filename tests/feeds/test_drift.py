"""Has the data moved since the last import? Known distances, and none where there is only chance."""

import math

import numpy as np
import pytest

from wares.feeds.counts import Spread, bin_of, count
from wares.feeds.drift import by_chance, drifts, stability_index
from wares.feeds.profile import Profile


def prices(values: list[float]) -> Profile:
    counted: dict[int, int] = {}
    for value in values:
        count(counted, bin_of(value))
    return Profile("products", len(values), {"price": (0, len(values))}, {"price": Spread("size", counted, unit="EUR")})


def test_the_index_is_the_sum_over_bins_of_share_differences_times_log_ratios() -> None:
    exact = (0.7 - 0.5) * math.log(0.7 / 0.5) + (0.3 - 0.5) * math.log(0.3 / 0.5)
    assert stability_index([50_000, 50_000], [70_000, 30_000]) == pytest.approx(exact, rel=1e-3)
    assert stability_index([10, 20], [10, 20]) == 0
    assert math.isfinite(stability_index([100, 0], [0, 100]))


def test_chance_alone_stays_below_its_bound_in_about_99_of_100_imports() -> None:
    rng, shares = np.random.default_rng(1), np.full(10, 0.1)
    drawn = [(rng.multinomial(2_000, shares).tolist(), rng.multinomial(3_000, shares).tolist()) for _ in range(2_000)]
    below = np.mean([stability_index(a, b) < by_chance(2_000, 3_000, 10) for a, b in drawn])
    assert 0.983 < below < 0.996


def test_prices_that_rose_by_half_have_moved_much_and_the_same_prices_have_not() -> None:
    values = np.random.default_rng(2).lognormal(2, 0.4, 5_000)
    (steady, _) = drifts(prices(values.tolist()), prices(values.tolist()))
    assert (steady.psi, steady.verdict) == (0, "steady")
    moved = {one.what: one for one in drifts(prices(values.tolist()), prices((values * 1.5).tolist()))}
    assert moved["price"].verdict == "moved much"
    assert moved["missing: price"].verdict == "steady"
    assert float(moved["price"].now.split()[1]) == pytest.approx(
        float(moved["price"].before.split()[1]) * 1.5, rel=0.05
    )


def test_a_difference_that_few_rows_make_by_chance_has_not_moved() -> None:
    before = Profile("events", 12, {}, {"kind": Spread("name", {"view": 7, "purchase": 5})})
    now = Profile("events", 12, {}, {"kind": Spread("name", {"view": 10, "purchase": 2})})
    (one,) = drifts(before, now)
    assert 0.1 < one.psi < one.by_chance
    assert one.verdict == "steady"


def test_names_that_came_new_are_seen() -> None:
    before = Profile("products", 1_000, {}, {"brand": Spread("name", {"Old": 1_000})})
    now = Profile("products", 1_000, {}, {"brand": Spread("name", {"New": 600, "Old": 400})})
    (one,) = drifts(before, now)
    assert one.verdict == "moved much"
    assert (one.before, one.now) == ("Old: 100.0%", "New: 60.0%")


def test_a_field_that_is_missing_more_often_has_moved() -> None:
    before, now = Profile("products", 1_000, {"price": (10, 1_000)}), Profile("products", 900, {"price": (270, 900)})
    (one,) = drifts(before, now)
    assert (one.what, one.before, one.now, one.verdict) == ("missing: price", "1.0%", "30.0%", "moved much")


def test_days_are_not_compared() -> None:
    before = Profile("events", 5, {}, {"events per day": Spread("day", {"2026-01-01": 5})})
    now = Profile("events", 5, {}, {"events per day": Spread("day", {"2026-02-01": 5})})
    assert drifts(before, now) == ()
