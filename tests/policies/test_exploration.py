"""New products get their stated share of places, by chances that are exactly as they are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_shop import NOW_MS, assert_honest, ids, intent, slate, view

from wares.domain.aims import DAY_MS
from wares.domain.filter import AnyOf, Filter
from wares.domain.product import Product
from wares.domain.result import Slate
from wares.domain.rule import Actions, Weighting
from wares.evaluation.click_simulator import power_curve
from wares.evaluation.off_policy import ips, weights_of
from wares.policies.exploration import FLOOR, Exploration, Exposures, thompson_chances
from wares.policies.rules import Rules

N, OLD = 40, 26  # p0..p25 are old, p26..p39 came yesterday; p38 is sold out
SHOP = view([
    Product(
        f"p{i}",
        title=f"Product {i}",
        category=("Tea" if i % 2 else "Cups",),
        published_ms=NOW_MS - (DAY_MS if i >= OLD else 400 * DAY_MS),
        stock=0 if i == 38 else None,
    )
    for i in range(N)
])  # fmt: skip
NEW = {f"p{i}" for i in range(OLD, N)}


def falling(n: int = N) -> Slate:
    return slate([float(-i) for i in range(n)])


def arranged(explore: Exploration, at: int, **more: object) -> Slate:
    return explore.arrange(falling(), intent(surface="home", now_ms=NOW_MS + at, **more), SHOP)  # type: ignore[arg-type]


@given(at=st.integers(0, 10**6), share=st.floats(0.01, 0.4), first=st.integers(1, 10), last=st.integers(10, 26))
def test_exploration_is_honest_and_leaves_the_places_outside_alone(
    at: int, share: float, first: int, last: int
) -> None:
    after = arranged(Exploration(share, first=first, last=last), at)
    assert_honest(falling(), after)
    assert sorted(ids(after)) == sorted(ids(falling()))
    assert ids(after)[: first - 1] == [f"p{i}" for i in range(first - 1)]
    assert "p38" not in ids(after)[:last]  # cannot be bought
    for told in after.chances:
        assert not told or sum(told.values()) == pytest.approx(1)
        assert all(0 < chance < 1 for chance in told.values())


def test_about_the_stated_share_of_the_places_goes_to_new_products() -> None:
    explore, slots = Exploration(0.1, first=4, last=24), 21
    given_away = [len(NEW & set(ids(arranged(explore, at))[:24])) for at in range(600)]
    assert np.mean(given_away) / slots == pytest.approx(0.1, abs=0.01)
    assert set(given_away) > {0, 1, 2, 3}


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_every_hit_stands_where_it_stands_as_often_as_is_told(share: float) -> None:
    """Over many requests, each place of each hit; what the log says does not depend on what was drawn."""
    explore, n = Exploration(share, first=3, last=12), 500
    came, told = np.zeros((N, N)), np.zeros((N, N))
    for at in range(n):
        after = arranged(explore, at)
        came[after.rows, np.arange(N)] += 1
        for place, (row, chances) in enumerate(zip(after.rows.tolist(), after.chances, strict=True)):
            expected: dict[int, float] = dict(chances) or {place: 1.0}
            if told[row].any():
                assert dict(enumerate(told[row])) | expected == dict(enumerate(told[row]))
            told[row, list(expected)] = list(expected.values())
    assert told.sum(axis=1) == pytest.approx(np.ones(N)) and told.sum(axis=0) == pytest.approx(np.ones(N))
    spread = np.sqrt(told * (1 - told) / n)
    assert (np.abs(came / n - told) <= 5 * spread + 1e-9).all()


def test_the_place_that_a_hit_has_by_itself_is_told_first() -> None:
    for share in (0.02, 0.2, 0.4):
        after = arranged(Exploration(share, first=1, last=20), 7)
        for row, chances in zip(after.rows.tolist(), after.chances, strict=True):
            assert not chances or next(iter(chances)) == row


def test_nothing_happens_without_new_products_on_later_pages_or_where_it_is_off() -> None:
    asked = intent(surface="home", now_ms=NOW_MS)
    for explore in (Exploration(0.0), Exploration(0.4, days=0.5), Exploration(0.4, last=60)):
        assert ids(explore.arrange(falling(), asked, SHOP)) == ids(falling())
    assert ids(Exploration(0.4).arrange(falling(OLD), asked, SHOP)) == ids(falling(OLD))


def test_a_product_that_was_hardly_ever_shown_counts_as_new_where_that_is_asked() -> None:
    shown = Exposures({f"p{i}": (500.0, 500.0, 5.0) for i in range(N) if i != 25})
    explore = Exploration(0.4, lambda: shown, last=20, days=0, impressions=100)
    brought = {one for at in range(100) for one in ids(arranged(explore, at))[:20]} - {f"p{i}" for i in range(20)}
    assert brought == {"p25"}


def test_what_the_rules_put_somewhere_stays_and_what_they_buried_is_not_brought_up() -> None:
    buried = tuple(sorted(NEW - {"p30", "p39"}))
    actions = Actions(
        pins=(("p30", 5), ("p2", 8), ("p8", 10)), weightings=(Weighting(Filter((AnyOf("id", buried),)), 0.5),)
    )  # p8 would stand there without its pin; of the new ones p39 alone is free to come up
    ruled = Rules().arrange(falling(), intent(surface="home", now_ms=NOW_MS, actions=actions), SHOP)
    seen = set[str]()
    for at in range(30):
        after = Exploration(0.4).arrange(ruled, intent(surface="home", now_ms=NOW_MS + at, actions=actions), SHOP)
        assert (ids(after)[4], ids(after)[7], ids(after)[9]) == ("p30", "p2", "p8")
        seen |= NEW & set(ids(after)[:24])
    assert seen == {"p30", "p39"}


def test_the_draw_is_near_thompson_sampling_and_never_forgets_anybody() -> None:
    known = [(1.0, 19.0), (3.0, 17.0), (2.0, 98.0), (1.2, 40.0)]
    rng = np.random.default_rng(0)
    alpha, beta = np.array(known).T
    best = rng.beta(alpha, beta, size=(200_000, 4)).argmax(axis=1)
    exact = (1 - FLOOR) * np.bincount(best, minlength=4) / 200_000 + FLOOR / 4
    chances = thompson_chances(known)
    assert chances.sum() == pytest.approx(1) and chances.min() >= FLOOR / 4
    assert np.abs(chances - exact).max() < 0.01


# -- shoppers whose wishes are known -----------------------------------------------------------------------------------


def rounds(
    n: int, explore: Exploration, worth: np.ndarray, seed: int, each: int = 10**9
) -> list[tuple[Slate, np.ndarray]]:
    """n pages of 24 hits and what was clicked on each; exploration learns after every `each` of them."""
    rng, curve, pages = np.random.default_rng(seed), power_curve(24, 0.5), list[tuple[Slate, np.ndarray]]()
    counts = np.zeros((N, 3))
    known = Exposures()
    learning = Exploration(explore.share, lambda: known, explore.first, explore.last)
    for at in range(n):
        after = arranged(learning, seed * 1_000_000 + at)
        clicked = rng.random(24) < worth[after.rows[:24]] * curve
        counts[after.rows[:24]] += np.stack([np.ones(24), curve, clicked], axis=1)
        if (at + 1) % each == 0:
            known = Exposures({f"p{i}": tuple(counts[i]) for i in range(N) if counts[i, 0]}, {"": 0.05})
        pages.append((after, clicked))
    return pages


def test_the_planted_good_new_product_is_found() -> None:
    """One of fourteen new products is worth five times the others."""
    worth = np.full(N, 0.06)
    worth[34] = 0.3
    pages = rounds(800, Exploration(0.1), worth, seed=1, each=100)
    shown = np.zeros(N)
    for after, _ in pages[-300:]:
        shown[after.rows[:24]] += 1
    others = [i for i in range(OLD, N) if i not in (34, 38)]
    assert shown[34] > 3 * shown[others].max()
    assert shown[others].min() > 0


def test_the_log_tells_what_another_policy_would_have_earned() -> None:
    """From pages that were arranged by Thompson sampling: the clicks of pages without exploration, and of pages whose
    new products are drawn evenly. The truth is what is expected of such pages."""
    worth = np.where(np.arange(N) % 3 == 0, 0.5, 0.1)
    curve, known = power_curve(24, 0.5), Exposures({f"p{i}": (200, 200, 2 + 2 * (i % 7)) for i in range(OLD, N)})
    explore = Exploration(0.3, lambda: known)
    misses = 0
    for seed in range(6):
        rng, plain = np.random.default_rng(seed), list[float]()
        for at in range(100):
            after = arranged(explore, seed * 10_000 + at)
            clicked = rng.random(24) < worth[after.rows[:24]] * curve
            told = [chances.get(place, 1.0) for place, chances in enumerate(after.chances[:24])]
            stays = (after.rows[:24] == np.arange(24)).astype(float)  # what the page is without exploration
            plain.append(float(ips(clicked, weights_of(stays, told)).value) * 24)
        truth = float((worth[:24] * curve).sum())
        error = np.std(plain, ddof=1) / np.sqrt(len(plain))
        misses += abs(np.mean(plain) - truth) > 1.96 * error
    assert misses <= 2  # of 6; more has a chance of .002


def test_the_value_of_drawing_evenly_is_told_by_the_log_of_thompson_sampling() -> None:
    worth = np.linspace(0.02, 0.6, N)
    known = Exposures({f"p{i}": (200, 200, 2 + 3 * (i % 5)) for i in range(OLD, N)})
    logged, even = Exploration(0.3, lambda: known), Exploration(0.3)  # to the second all are alike
    slot = 10
    earned, weights = list[float](), list[float]()
    rng = np.random.default_rng(4)
    chance_of = {int(r): c for r, c in zip(arranged(even, 0).rows, arranged(even, 0).chances, strict=True)}
    for at in range(700):
        after = arranged(logged, at)
        row = int(after.rows[slot])
        told = after.chances[slot].get(slot, 1.0)
        weights.append(chance_of[row].get(slot, 0.0) / told)
        earned.append(float(rng.random() < worth[row]))
    truth = sum(worth[row] * chances.get(slot, 0.0) for row, chances in chance_of.items())
    assert ips(earned, np.array(weights)).holds(float(truth))
    assert np.mean(weights) == pytest.approx(1, abs=0.15)
