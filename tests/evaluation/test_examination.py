"""What a place is worth: found from exchanges where the truth is planted."""

import numpy as np
import pytest

from wares.app.bench.clicks import SHOWN, Sessions, click_figures, live
from wares.evaluation.click_simulator import PlantedShop, click_in_cascade, plant, power_curve
from wares.evaluation.examination import (
    Examination,
    Shown,
    examination_by_em,
    examination_from_swaps,
    relevance_of,
)

CURVE = power_curve(SHOWN)


def planted(seed: int = 0) -> PlantedShop:
    return plant(60, SHOWN + 5, np.random.default_rng(seed))


def shown_in(shop: PlantedShop, lived: Sessions) -> Shown:
    """The sessions as lines, without the detour through impressions and events."""
    n = shop.relevance.shape[1]
    _, pairs = np.unique((lived.query[:, None] * n + lived.listed).ravel(), return_inverse=True)
    return Shown(
        pairs.astype(np.int64),
        np.tile(np.arange(SHOWN), len(lived.query)),
        lived.clicked.ravel(),
        lived.chances.reshape(-1, SHOWN).astype(np.float32),
        shop.features[np.repeat(lived.query, SHOWN), lived.listed.ravel()],
    )


@pytest.fixture(scope="module")
def exchanged() -> Shown:
    shop = planted()
    return shown_in(shop, live(shop, 40_000, 0.2, CURVE, np.random.default_rng(1)))


def test_exchanges_tell_how_likely_each_place_is_looked_at(exchanged: Shown) -> None:
    found = examination_from_swaps(exchanged)
    assert found is not None and found.method == "swaps" and len(found.curve) == SHOWN
    off = np.log(found.curve) - np.log(CURVE)
    assert np.abs(off).mean() < 0.15
    assert (np.abs(off[1:]) < 4 * found.errors[1:]).all()  # it knows how far it may be off
    clicks = np.array([exchanged.clicked[exchanged.positions == k].mean() for k in range(SHOWN)])
    naive = np.log(clicks / clicks[0]) - np.log(CURVE)
    assert np.abs(off).mean() < np.abs(naive).mean()  # the order is no help: better products stand above


def test_without_exchanges_nothing_is_claimed() -> None:
    shop = planted()
    lived = live(shop, 2_000, 0.0, CURVE, np.random.default_rng(1))
    assert examination_from_swaps(shown_in(shop, lived)) is None


def test_too_few_clicks_claim_nothing(exchanged: Shown) -> None:
    few = np.arange(300)
    some = Shown(*(getattr(exchanged, name)[few] for name in ("pairs", "positions", "clicked", "chances", "features")))
    assert examination_from_swaps(some) is None


def test_features_that_tell_relevance_can_stand_in_for_exchanges() -> None:
    shop = planted()
    shown = shown_in(shop, live(shop, 20_000, 0.0, CURVE, np.random.default_rng(1)))
    found = examination_by_em(shown)
    assert found is not None and found.method == "regression-em"
    assert np.abs(np.log(found.curve) - np.log(CURVE)).mean() < 0.25
    bare = Shown(shown.pairs, shown.positions, shown.clicked, shown.chances, shown.features[:, :0])
    assert examination_by_em(bare) is None


def test_places_behind_the_curve_go_on_falling() -> None:
    known = Examination(power_curve(5), np.zeros(5), "swaps")
    far = known.at(np.arange(20))
    assert far[:5] == pytest.approx(power_curve(5))
    assert far == pytest.approx(power_curve(20))
    assert Examination(np.array([1.0, 1.2]), np.zeros(2), "swaps").at(np.array([9])) == pytest.approx(1.2)


def test_clicks_over_looks_forget_the_place_and_start_from_the_mean() -> None:
    """One product was shown first 100 times, the other tenth; both are clicked by every second look."""
    pairs, positions = np.repeat([0, 1], 100), np.repeat([0, 9], 100)
    clicked = np.concatenate([np.arange(100) < 50, np.arange(100) < 5])
    none = np.zeros((200, 0), np.float32)
    shown = Shown(pairs, positions, clicked, none, none)
    relevance, looks = relevance_of(shown, CURVE[positions], strength=0.0)
    assert relevance == pytest.approx([0.5, 0.5])
    assert looks == pytest.approx([100, 10])
    lonely, _ = relevance_of(Shown(pairs, positions, pairs == 1, none, none), CURVE[positions], strength=1000.0)
    assert lonely[1] < 2 * lonely[0]


def test_a_cascade_ends_with_whoever_is_content() -> None:
    rng = np.random.default_rng(0)
    clicks = click_in_cascade(np.ones((500, 4)), 1.0, rng)
    assert clicks[:, 0].all() and not clicks[:, 1:].any()
    assert click_in_cascade(np.ones((500, 4)), 0.0, rng).all()


def test_planted_wishes_are_found_again_where_plain_clicks_keep_the_first_order() -> None:
    told = click_figures(queries=30, sessions=6_000, swaps=0.2, steepness=1.0, seeds=1, models=("position",))
    rows = told["rows"]["position"]
    assert rows["exchanges"]["ndcg@10"]["mean"] > rows["clicks as they are"]["ndcg@10"]["mean"]
    assert rows["exchanges"]["against clicks as they are"]["low"] > 0
    assert rows["true curve"]["ndcg@10"]["mean"] - rows["exchanges"]["ndcg@10"]["mean"] < 0.02
