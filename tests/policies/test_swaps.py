"""Exchanges by chance: rare, near the top, as likely as they say, and never against the shopkeeper's word."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_shop import SHOP, assert_honest, ids, intent, slate, slates

from wares.domain.filter import AnyOf, Filter
from wares.domain.result import Slate
from wares.domain.rule import Actions, Weighting
from wares.policies.availability import Availability
from wares.policies.rules import Rules
from wares.policies.swaps import Swaps, draw_order, place_chances

SOLD = [i for i in range(24) if i % 5 != 4 and i != 21]  # what can be bought, one of each group
PINS = Actions(pins=(("p3", 2), ("p8", 5)))


def falling(rows: list[int]) -> Slate:
    return slate([float(-i) for i in range(len(rows))], rows)


def test_a_shop_that_did_not_ask_for_exchanges_has_none() -> None:
    before = falling(SOLD)
    assert Swaps(0.0).arrange(before, intent(), SHOP) is before


def test_the_same_request_at_the_same_moment_is_answered_the_same() -> None:
    swaps, before = Swaps(0.5), falling(SOLD)
    again = [ids(swaps.arrange(before, intent("tea", now_ms=7), SHOP)) for _ in range(2)]
    assert again[0] == again[1]
    assert len({tuple(ids(swaps.arrange(before, intent("tea", now_ms=at), SHOP))) for at in range(30)}) > 10


@given(before=slates(), now_ms=st.integers(0, 10**6), probability=st.floats(0.01, 0.5))
def test_exchanges_are_honest_and_stay_within_reach_of_the_top(before: Slate, now_ms: int, probability: float) -> None:
    swaps = Swaps(probability)
    after = swaps.arrange(before, intent(now_ms=now_ms), SHOP)
    assert_honest(before, after)
    assert set(ids(after)[:10]) == set(ids(before)[:10])
    assert ids(after)[10:] == ids(before)[10:]
    sellable = [row for row in before.rows[:10].tolist() if SHOP.columns.sellable[row]]
    new_place = {row: i for i, row in enumerate(r for r in after.rows[:10].tolist() if SHOP.columns.sellable[r])}
    assert all(abs(new_place[row] - i) <= swaps.reach for i, row in enumerate(sellable))


def test_whoever_changed_places_carries_the_name_of_the_policy() -> None:
    before = falling(SOLD)
    for now_ms in range(50):
        after = Swaps(0.5).arrange(before, intent(now_ms=now_ms), SHOP)
        moved = after.rows != before.rows
        named = [any(one.policy == "swaps" and one.why == "swap" for one in of_hit) for of_hit in after.adjustments]
        assert moved.tolist() == named


@given(before=slates(), now_ms=st.integers(0, 10**6))
def test_a_pin_stays_where_the_shopkeeper_put_it(before: Slate, now_ms: int) -> None:
    asked = intent(now_ms=now_ms, actions=PINS)
    ruled = Rules().arrange(before, asked, SHOP)
    after = Swaps(0.5).arrange(ruled, asked, SHOP)
    for pinned in ("p3", "p8"):
        assert ids(after).index(pinned) == ids(ruled).index(pinned)


def test_a_pin_stays_even_where_it_had_nothing_to_change() -> None:
    """The product stands at its position by itself, so that no adjustment tells of the pin."""
    pin = Actions(pins=((f"p{SOLD[0]}", 1),))
    for now_ms in range(50):
        after = Swaps(0.5).arrange(falling(SOLD), intent(now_ms=now_ms, actions=pin), SHOP)
        assert ids(after)[0] == f"p{SOLD[0]}"


def test_what_a_rule_boosted_stays_on_top() -> None:
    boost = Actions(weightings=(Weighting(Filter((AnyOf("id", ("p8",)),)), 9.0),))
    for now_ms in range(50):
        asked = intent(now_ms=now_ms, actions=boost)
        after = Swaps(0.5).arrange(Rules().arrange(falling(SOLD), asked, SHOP), asked, SHOP)
        assert ids(after)[0] == "p8"


def test_what_cannot_be_bought_does_not_come_up() -> None:
    before = falling([0, 1, 4, 2, 3])  # p4 is sold out
    for now_ms in range(50):
        asked = intent(now_ms=now_ms)
        after = Swaps(0.5).arrange(Availability().arrange(before, asked, SHOP), asked, SHOP)
        assert ids(after)[-1] == "p4"


@pytest.mark.parametrize("m", [2, 3, 7, 10])
@pytest.mark.parametrize("reach", [1, 2, 3])
def test_chances_are_what_happens(m: int, reach: int) -> None:
    rng, n = np.random.default_rng(1), 4000
    came = np.zeros((m, m))
    for _ in range(n):
        came[draw_order(m, 0.3, reach, rng), np.arange(m)] += 1
    chances = place_chances(m, 0.3, reach)
    assert np.allclose(chances.sum(axis=0), 1) and np.allclose(chances.sum(axis=1), 1)
    assert (np.abs(came / n - chances) <= 5 * np.sqrt(chances * (1 - chances) / n)).all()


def test_about_the_stated_share_moves() -> None:
    chances = place_chances(10, 0.1, 3)
    assert 0.07 < 1 - float(np.diag(chances).mean()) <= 0.1


def test_each_hit_knows_where_it_could_have_stood_beside_pins() -> None:
    """Over many requests a hit stands at a place as often as every one of its answers says."""
    before, n = falling(SOLD), 1000
    row, told, came = SOLD[4], dict[int, float](), np.zeros(len(SOLD) + 2)
    for now_ms in range(n):
        asked = intent(now_ms=now_ms, actions=PINS)
        after = Swaps(0.4).arrange(Rules().arrange(before, asked, SHOP), asked, SHOP)
        place = after.rows.tolist().index(row)
        came[place] += 1
        told = dict(after.chances[place])
        assert after.chances[1] == after.chances[4] == {}  # the pins: surely there
    assert sum(told.values()) == pytest.approx(1)
    assert len(told) > 2
    for place, chance in told.items():
        assert abs(came[place] / n - chance) < 5 * np.sqrt(chance * (1 - chance) / n)


def test_chances_do_not_outlive_another_order() -> None:
    after = Swaps(0.4).arrange(falling(SOLD), intent(), SHOP)
    assert after.chances
    assert after.take(np.arange(len(after))[::-1]).chances == ()
