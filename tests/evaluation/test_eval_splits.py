"""What may be learnt and what is asked."""

import numpy as np
import pytest
from eval_shop import DAY_MS, shop_of

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.errors import InputError
from wares.evaluation.splits import (
    cut_ms,
    split_cold_products,
    split_leave_one_out,
    split_next_basket,
    with_shuffled_ties,
)

A_YEAR = [
    (0, 1, 10, 1),
    (0, 2, 80, 2),  # the basket of days 80: shopper 0's first after the cut at day 72
    (0, 1, 80, 2),
    (0, 1, 80, 2),  # twice in one basket: one target
    (0, 3, 90, 3),  # a later basket
    (1, 4, 85, 4),  # no history before the cut
    (2, 1, 50, 5),  # nothing after it
    (3, 2, 60, 6),
    (3, 5, 100, 7),
    (-1, 2, 20, 8),
    (-1, 5, 99, 9),
]


def test_a_shopper_is_asked_for_the_distinct_products_of_the_first_basket_after_the_cut() -> None:
    split = split_next_basket(shop_of(A_YEAR, n_shoppers=4, n_products=6))
    assert split.cut_ms == 72 * DAY_MS
    assert split.shoppers.tolist() == [0, 3]
    assert [t.tolist() for t in split.targets] == [[1, 2], [5]]
    assert [h.rows.tolist() for h in split.histories] == [[1], [2]]


def test_nothing_after_the_cut_is_learnt_and_the_anonymous_crowd_teaches() -> None:
    train = split_next_basket(shop_of(A_YEAR, n_shoppers=4, n_products=6)).train
    assert train.events.times_ms.max() < 72 * DAY_MS
    assert train.has_anonymous
    assert sorted(train.events.rows.tolist()) == [1, 1, 2, 2]


def test_the_validation_window_ends_where_the_test_window_begins() -> None:
    shop = shop_of(A_YEAR, n_shoppers=4, n_products=6)
    split = split_next_basket(shop, earlier=1)
    assert split.cut_ms == 44 * DAY_MS
    assert cut_ms(shop) == 72 * DAY_MS
    assert len(split) == 0  # shoppers 2 and 3 bought in the window, but had no history yet
    late = split_next_basket(shop_of([*A_YEAR, (2, 3, 5, 10)], 4, 6), earlier=1)
    assert late.shoppers.tolist() == [2]
    assert late.targets[0].tolist() == [1]


def test_purchases_in_no_basket_count_as_one_basket_per_day() -> None:
    lines = [(0, 0, 1, -1), (0, 1, 50.2, -1), (0, 2, 50.6, -1), (0, 3, 51.2, -1), (0, 0, 60, -1)]
    split = split_next_basket(shop_of(lines, n_shoppers=1, n_products=4))
    assert [t.tolist() for t in split.targets] == [[1, 2]]


def test_only_purchases_are_asked_for() -> None:
    kinds = [EventKind.VIEW, EventKind.VIEW, EventKind.PURCHASE, EventKind.VIEW]
    shop = shop_of([(0, 0, 1, -1), (0, 1, 50, -1), (0, 2, 50.1, -1), (0, 3, 60, -1)], 1, 4, kinds)
    split = split_next_basket(shop)
    assert [t.tolist() for t in split.targets] == [[2]]


def test_some_shoppers_of_a_split_can_be_taken() -> None:
    split = split_next_basket(shop_of(A_YEAR, n_shoppers=4, n_products=6)).take([1])
    assert split.shoppers.tolist() == [3]
    assert [t.tolist() for t in split.targets] == [[5]]


def test_an_empty_log_cannot_be_split() -> None:
    nothing = Interactions(History.empty(), np.empty(0, np.int64), np.zeros(1, np.int64), 5)
    with pytest.raises(InputError, match="no event"):
        split_next_basket(nothing)


def test_leave_one_out_asks_for_the_last_and_validates_on_the_one_before() -> None:
    shop = shop_of([(0, p, d, -1) for d, p in enumerate([3, 1, 4, 2])] + [(1, 0, 1, -1), (1, 1, 2, -1)], 2, 5)
    split = split_leave_one_out(shop)
    assert split.shoppers.tolist() == [0]
    assert (split.validation.tolist(), split.test.tolist()) == ([4], [2])
    assert split.train.history(0).rows.tolist() == [3, 1]
    assert split.train_and_validation.history(0).rows.tolist() == [3, 1, 4]
    assert split.train.history(1).rows.tolist() == [0, 1]  # too short to ask, but it teaches


def test_shuffling_ties_moves_only_what_happened_at_one_moment() -> None:
    shop = shop_of([(0, p, 1 + (p == 9), -1) for p in range(10)] + [(1, 3, 0, -1)], 2, 10)
    orders = {
        tuple(with_shuffled_ties(shop, np.random.default_rng(seed)).history(0).rows.tolist()) for seed in range(5)
    }
    assert len(orders) > 1
    assert all(order[-1] == 9 and sorted(order) == list(range(10)) for order in orders)


def test_cold_products_are_those_that_nobody_touched_before_the_cut() -> None:
    split = split_cold_products(shop_of(A_YEAR, n_shoppers=4, n_products=6))
    assert split.products.tolist() == [3, 4, 5]
    assert list(zip(split.shoppers.tolist(), split.targets.tolist(), strict=True)) == [(0, 3), (3, 5)]


def test_a_view_before_the_cut_makes_a_product_warm() -> None:
    kinds = [EventKind.VIEW, EventKind.PURCHASE, EventKind.PURCHASE, EventKind.PURCHASE]
    shop = shop_of([(0, 0, 1, -1), (0, 0, 50, -1), (0, 1, 50, -1), (0, 1, 60, -1)], 1, 2, kinds)
    split = split_cold_products(shop)
    assert split.products.tolist() == [1]
    assert split.targets.tolist() == [1, 1]  # each purchase asks
