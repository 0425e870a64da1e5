"""Margin, stock cover and age of stock: what they are, how they move hits, and that they do nothing unless asked."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_shop import NOW_MS, SHOP, N, assert_honest, ids, intent, product, slate, slates, view

from wares.domain.aims import AIMS, DAY_MS, NEEDS, aim_values, scale_of, standing
from wares.domain.catalogue import TRADE, Columns
from wares.domain.offer import Market
from wares.domain.product import Product
from wares.domain.result import Slate
from wares.domain.rule import Actions
from wares.policies.aims import Aims
from wares.policies.availability import Availability

ROWS = np.arange(N, dtype=np.int32)


def weighed(**weights: float) -> Actions:
    return Actions(aims=tuple(weights.items()))


def values(aim: str, *products: Product, sold: float = 0.0) -> list[float]:
    columns = Columns.of(products, range(len(products)))
    rows = np.arange(len(products), dtype=np.int32)
    found = aim_values(aim, columns, rows, np.full(len(products), sold), half_life_days=60.0, now_ms=NOW_MS)
    return [round(value, 3) for value in found.tolist()]


# -- what they are -----------------------------------------------------------------------------------------------------


def test_a_margin_is_the_part_of_the_price_that_the_cost_leaves() -> None:
    cheap, dear = Product("a", price_minor=200, cost_minor=50), Product("b", price_minor=200, cost_minor=300)
    assert values("margin", cheap, dear) == [0.75, -0.5]


@pytest.mark.parametrize("said", [{"price_minor": 100}, {"cost_minor": 10}, {"price_minor": 0, "cost_minor": 10}])
def test_without_a_price_or_a_cost_the_margin_is_not_known(said: dict[str, int]) -> None:
    assert np.isnan(values("margin", Product("a", **said))).all()  # type: ignore[arg-type]


def test_stock_that_sells_lasts_shorter_than_stock_that_does_not() -> None:
    ten = Product("a", stock=10)
    assert values("stock_cover", ten, sold=86.56 - 1) == [pytest.approx(10, abs=0.01)]  # one a day
    assert values("stock_cover", ten)[0] > 800 > values("stock_cover", Product("b", stock=1))[0]
    assert np.isnan(values("stock_cover", Product("c"))).all()


def test_the_age_of_stock_counts_from_its_arrival_else_from_the_day_of_publishing() -> None:
    old = NOW_MS - 90 * DAY_MS
    came, never = Product("a", published_ms=old, stock_since_ms=NOW_MS - DAY_MS), Product("b", published_ms=old)
    assert values("stock_age", came, never, Product("d", published_ms=NOW_MS + DAY_MS)) == [1, 90, 0]
    assert np.isnan(values("stock_age", Product("c"))).all()


def test_a_cost_is_not_known_in_a_market_of_another_currency() -> None:
    columns = Columns.of([Product("a", price_minor=100, cost_minor=40)], [1])
    assert columns.at(NOW_MS, Market("de")).trade["cost"].tolist() == [40]
    assert np.isnan(columns.at(NOW_MS, Market("ch", "CHF", implies_prices=False)).trade["cost"]).all()


def test_a_snapshot_from_before_costs_were_kept_opens_and_knows_when_products_were_published() -> None:
    columns = Columns.of([Product("a", cost_minor=40, stock=2, published_ms=7)], [1])
    assert Columns.restore(columns.state()).trade["cost"].tolist() == [40]
    older = {name: array for name, array in columns.state().items() if not name.startswith("trade.")}
    trade = Columns.restore(older).trade
    assert tuple(trade) == TRADE and np.isnan(trade["cost"]).all() and np.isnan(trade["stock"]).all()
    assert trade["stock_since"].tolist() == [7]


def test_a_new_cost_or_stock_changes_the_row_and_indexes_nothing_anew() -> None:
    before = Product("a", "Tea", price_minor=100, stock=3)
    columns = Columns.of([before], [1])
    after = replace(before, cost_minor=60, stock=9, stock_since_ms=5)
    assert columns.indexes(after)
    changed = columns.with_changes([after]).trade
    assert [changed[name].tolist() for name in TRADE] == [[60], [9], [5]]
    assert np.isnan(columns.trade["cost"]).all()


@given(st.lists(st.one_of(st.just(float("nan")), st.sampled_from([0.1, 0.2]), st.floats(-5, 5)), max_size=60))
def test_a_standing_lies_between_the_ends_grows_with_the_value_and_means_nothing_where_nothing_is_known(
    told: list[float],
) -> None:
    found = np.array(told)
    places = standing(found, scale_of(found, np.ones(len(found), np.bool_)))
    known = ~np.isnan(found)
    assert (places[~known] == 0).all() and (np.abs(places) <= 1).all()
    order = np.argsort(found[known])
    assert (np.diff(places[known][order]) >= 0).all()
    assert abs(float(places[known].sum())) < 1e-3  # as many above the middle as below


def test_where_all_are_alike_nothing_stands_out() -> None:
    assert standing(np.full(3, 0.4), np.full(9, 0.4)).tolist() == [0, 0, 0]


def test_each_aim_needs_what_the_columns_keep() -> None:
    assert set(NEEDS) == set(AIMS) and set(NEEDS.values()) <= set(TRADE)
    with pytest.raises(KeyError):
        aim_values("fame", SHOP.columns, ROWS, np.zeros(N), 60.0, NOW_MS)


# -- how they move hits ------------------------------------------------------------------------------------------------


@given(before=slates())
def test_without_a_weight_the_slate_is_the_very_same(before: Slate) -> None:
    assert Aims().arrange(before, intent(), SHOP) is before
    assert Aims().arrange(before, intent(actions=weighed(margin=0.0, stock_age=0.0)), SHOP) is before


def test_the_best_margin_gains_the_weight_in_spans_and_says_so() -> None:
    shop = view([Product(f"p{i}", price_minor=100, cost_minor=10 * i) for i in range(101)])
    after = Aims().arrange(slate([10.0, 5.0, 0.0], [100, 50, 0]), intent(actions=weighed(margin=0.2)), shop)
    moved = dict(zip(ids(after), after.adjustments, strict=True))
    assert moved["p50"] == ()
    assert [(one.policy, one.why) for one in moved["p0"]] == [("aims", "margin")]
    assert moved["p0"][0].amount == pytest.approx(0.2 * 10, rel=0.02)
    assert moved["p100"][0].amount == pytest.approx(-0.2 * 10, rel=0.02)


def test_a_product_of_which_nothing_is_known_stays_where_it_was() -> None:
    before = slate([1.0, 0.5], [3, 0])  # nobody knows what p3 costs
    after = Aims().arrange(before, intent(actions=weighed(margin=1.0)), SHOP)
    place = ids(after).index("p3")
    assert after.adjustments[place] == () and after.priority[place] == after.scores[place]


@given(before=slates(), weights=st.fixed_dictionaries({aim: st.sampled_from([0.0, 0.05, 0.5, 1.0]) for aim in AIMS}))
def test_any_mix_is_honest(before: Slate, weights: dict[str, float]) -> None:
    assert_honest(before, Aims().arrange(before, intent(actions=weighed(**weights)), SHOP))


@given(
    scores=st.lists(st.integers(0, 50), min_size=N, max_size=N),
    weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=5),
    aim=st.sampled_from(AIMS),
)
def test_more_weight_never_lowers_what_the_first_hits_have_of_the_aim(
    scores: list[int], weights: list[float], aim: str
) -> None:
    before = slate([float(score) for score in scores])
    had = []
    for weight in [0.0, *sorted(weights)]:
        after = Aims().arrange(before, intent(actions=weighed(**{aim: weight})), SHOP)
        had.append(float(SHOP.standing(aim, after.rows[:5]).sum()))
        assert dict(zip(after.rows.tolist(), after.scores.tolist(), strict=True)) == dict(enumerate(scores))
    assert all(later >= earlier - 1e-3 for earlier, later in itertools.pairwise(had))


def test_what_cannot_be_bought_stays_last_whatever_it_earns() -> None:
    products = [replace(product(i), stock=0 if i == 4 else 5, cost_minor=0 if i == 4 else 90 * i) for i in range(N)]
    shop = view(products)
    after = slate([float(N - i) for i in range(N)])
    for policy in (Aims(), Availability()):
        after = policy.arrange(after, intent(actions=weighed(margin=1.0)), shop)
    assert ids(after)[-1] == "p4"


def test_of_two_rules_the_first_says_how_much_an_aim_counts() -> None:
    both = Actions(aims=(("margin", 0.0),)).then(Actions(aims=(("stock_age", 0.2), ("margin", 0.5))))
    assert both.weighed_aims == (("stock_age", 0.2),)


def test_four_hundred_candidates_cost_nothing_where_no_aim_is_set() -> None:
    random = np.random.default_rng(0)
    before, asked, policy = slate(random.random(400).tolist()), intent(), Aims()
    times = []
    for _ in range(50):
        start = time.perf_counter()
        policy.arrange(before, asked, SHOP)
        times.append(time.perf_counter() - start)
    assert min(times) < 1e-4
