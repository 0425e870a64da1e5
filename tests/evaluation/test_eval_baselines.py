"""The rankings by hand."""

import numpy as np
import pytest
from eval_shop import DAY_MS, shop_of

from wares.contracts import BehaviourModel
from wares.domain.event import EventKind
from wares.domain.shopper import History
from wares.evaluation.baselines import PersonalFrequency, Popular, by_hand

NOW = 100 * DAY_MS
SHOP = shop_of(
    [(0, 0, 1, 1), (0, 0, 2, 2), (0, 1, 99, 3), (1, 2, 98, 4), (1, 2, 97, 5), (1, 2, 40, 6), (-1, 3, 99, 7)], 2, 5
)


def test_popular_counts_purchases_of_everybody() -> None:
    model = Popular()
    model.fit(SHOP, NOW)
    assert model.score(History.empty(), NOW).tolist() == [2, 1, 3, 1, 0]


def test_popular_lately_forgets_the_old_ones() -> None:
    model = Popular(days=7)
    model.fit(SHOP, NOW)
    assert model.score(History.empty(), NOW).tolist() == [0, 1, 2, 1, 0]


def test_personal_counts_the_shoppers_own_purchases() -> None:
    model = PersonalFrequency()
    model.fit(SHOP, NOW)
    assert model.score(SHOP.history(0), NOW).tolist() == [2, 1, 0, 0, 0]


def test_old_purchases_fade_by_half_per_half_life_and_others_follow_by_popularity() -> None:
    model = PersonalFrequency(half_life_days=60, fallback=True)
    model.fit(SHOP, NOW)
    scores = model.score(SHOP.history(0), NOW)
    assert scores[1] == pytest.approx(2 ** (-1 / 60))
    assert scores[0] == pytest.approx(2 ** (-99 / 60) + 2 ** (-98 / 60))
    assert np.argsort(-scores, kind="stable").tolist() == [1, 0, 2, 3, 4]


def test_a_purchase_of_many_years_ago_still_beats_what_is_merely_popular() -> None:
    model = PersonalFrequency(half_life_days=60, fallback=True)
    model.fit(SHOP, NOW)
    scores = model.score(SHOP.history(0), NOW + 10_000 * DAY_MS)
    assert min(scores[0], scores[1]) > scores[2] > scores[3] > scores[4] >= 0


def test_a_new_shopper_gets_what_is_popular() -> None:
    model = PersonalFrequency(half_life_days=60, fallback=True)
    model.fit(SHOP, NOW)
    assert np.argsort(-model.score(History.empty(), NOW), kind="stable").tolist() == [2, 0, 1, 3, 4]


def test_where_nothing_was_ever_bought_views_count() -> None:
    shop = shop_of([(0, 0, 1, -1), (0, 1, 2, -1)], 1, 3, [EventKind.VIEW, EventKind.CART])
    model = Popular()
    model.fit(shop, NOW)
    assert model.score(History.empty(), NOW) == pytest.approx([0.2, 0.5, 0])


@pytest.mark.parametrize("name", by_hand())
def test_every_model_survives_its_own_state(name: str) -> None:
    model, again = by_hand()[name], by_hand()[name]
    model.fit(SHOP, NOW)
    again.restore(model.state())
    for shopper in (0, 1):
        history = SHOP.history(shopper)
        assert np.array_equal(model.score(history, NOW), again.score(history, NOW))
        assert model.score(history, NOW).dtype == np.float32


@pytest.mark.parametrize("model", by_hand().values(), ids=by_hand())
def test_scoring_changes_nothing_in_the_model(model: BehaviourModel) -> None:
    model.fit(SHOP, NOW)
    before = model.score(SHOP.history(0), NOW).copy()
    model.score(SHOP.history(1), NOW)
    assert np.array_equal(model.score(SHOP.history(0), NOW), before)
