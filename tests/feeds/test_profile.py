"""What a feed looks like as a whole: every number of a profile, on data whose answer is known."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.feeds import counts
from wares.feeds.counts import ZERO, Names, Shoppers, Spread, bin_of, quantile_bin, size_of
from wares.feeds.profile import EventProfiler, ProductProfiler, Profile

DAY_MS = 86_400_000


def profile_of(*products: Product) -> Profile:
    profiler = ProductProfiler()
    assert list(profiler.watching(products)) == list(products)
    return profiler.profile()


def events_profile(*events: Event) -> Profile:
    profiler = EventProfiler("EUR")
    assert list(profiler.watching(events)) == list(events)
    return profiler.profile()


def teas(prices: list[int], category: str = "Tea") -> list[Product]:
    return [
        Product(f"{category}{i}", f"{category} {i}", category=("Food", category), price_minor=price, currency="EUR")
        for i, price in enumerate(prices)
    ]


def test_missing_values_are_counted_by_field() -> None:
    full = Product("a", "A", "Text", "Brand", ("Food",), 100, "EUR", 3, True, "", "i", "u", 5)
    told = profile_of(full, replace(full, title="", stock=None), replace(full, price_minor=None, title=""))
    assert told.rows == 3
    assert {name: n for name, (n, of) in told.missing.items() if n and of == 3} == {"title": 2, "stock": 1, "price": 1}


def test_prices_are_counted_in_their_own_currency_and_whole_units() -> None:
    yen = Product("y", price_minor=400, currency="JPY")
    told = profile_of(yen, *teas([100, 100, 200, 400]))
    assert told.spreads["price, EUR"].counts == {bin_of(1): 2, bin_of(2): 1, bin_of(4): 1}
    assert told.spreads["price, JPY"].counts == {bin_of(400): 1}
    assert next(iter(told.spreads)) == "price, EUR"


def test_stock_categories_and_brands_are_counted() -> None:
    told = profile_of(
        Product("a", brand="X", category=("Food", "Tea"), stock=0),
        Product("b", brand="X", category=("Food", "Tea"), stock=2),
        Product("c", brand="Y"),
    )
    assert told.spreads["stock"].counts == {ZERO: 1, bin_of(2): 1}
    assert told.spreads["brand"].counts == {"X": 2, "Y": 1}
    assert told.spreads["category"].counts == {"Food > Tea": 2}


def test_a_price_far_from_those_of_its_category_is_told_with_its_id() -> None:
    usual = [100 + 10 * i for i in range(30)]  # quartiles near 1.70 and 3.20
    told = profile_of(*teas([*usual, 99_900, 2]), *teas([90_000 + 1000 * i for i in range(30)], "Wine"))
    (prices,) = told.outliers
    assert (prices.judged, prices.found) == (62, 2)
    assert [(far.id, far.value, far.group) for far in prices.examples] == [
        ("Tea30", 999.0, "Food > Tea"),
        ("Tea31", 0.02, "Food > Tea"),
    ]
    assert all(far.low < 1.0 and 4.0 < far.high < 999.0 for far in prices.examples)


def test_a_category_with_few_prices_or_equal_ones_has_no_far_price_by_chance() -> None:
    assert profile_of(*teas([100] * 18 + [99_900])).outliers[0].judged == 0
    assert profile_of(*teas([100] * 30 + [170, 0])).outliers[0].found == 0
    assert profile_of(*teas([100] * 30 + [250])).outliers[0].found == 1


def test_events_are_counted_by_kind_day_and_shopper() -> None:
    views = [Event(EventKind.VIEW, DAY_MS * (20_000 + i % 2), f"u{i % 3}", "p") for i in range(6)]
    told = events_profile(*views, Event(EventKind.PURCHASE, DAY_MS * 20_000, "u0", "p", value_minor=250))
    assert told.spreads["kind"].counts == {"view": 6, "purchase": 1}
    assert told.spreads["events per day"].counts == {"2024-10-04": 4, "2024-10-05": 3}
    assert told.spreads["events per shopper"].counts == {bin_of(2): 2, bin_of(3): 1}
    assert told.spreads["value of a purchase line"].counts == {bin_of(2.5): 1}


def test_what_only_a_purchase_has_is_missing_among_purchases() -> None:
    bought = Event(EventKind.PURCHASE, DAY_MS, "u", "p", value_minor=100, basket_id="b")
    told = events_profile(bought, replace(bought, basket_id=""), Event(EventKind.VIEW, DAY_MS, None, "p"))
    assert told.missing["shopper_id"] == (1, 3)
    assert told.missing["basket_id of a purchase"] == (1, 2)
    assert told.missing["value of a purchase"] == (0, 2)


def test_a_shopper_with_far_more_events_than_others_is_counted_and_not_named() -> None:
    people = [Event(EventKind.VIEW, DAY_MS, f"u{i % 40}", "p") for i in range(400)]
    told = events_profile(*people, *[Event(EventKind.VIEW, DAY_MS, "robot", "p")] * 500)
    shoppers = next(one for one in told.outliers if one.what == "events of a shopper")
    assert (shoppers.judged, shoppers.found) == (41, 1)
    assert "robot" not in str(told) + str(told.to_dict())


def test_a_sample_of_shoppers_holds_each_one_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MAX_SHOPPERS", 500)
    sample, order = Shoppers(), [f"u{i}" for i in range(4_000) for _ in range(1 + i % 2)]
    random.Random(1).shuffle(order)
    for one in order:
        sample.add(one)
    spread = sample.spread()
    assert set(spread.counts) == {bin_of(1), bin_of(2)}
    assert spread.total <= 500
    assert spread.total * sample.times == pytest.approx(4_000, rel=0.2)
    assert spread.counts[bin_of(1)] / spread.total == pytest.approx(0.5, abs=0.1)


def test_names_beyond_the_limit_are_merged_and_frequent_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MAX_NAMES", 10)
    names = Names()
    for i in range(1_000):
        names.add(f"rare {i}")
        names.add("frequent")
    spread = names.spread()
    assert len(spread.counts) < 20
    assert spread.counts["frequent"] == 1_000
    assert spread.total == 2_000


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50), st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]))
def test_a_quantile_is_right_within_two_and_a_half_percent(sizes: list[int], share: float) -> None:
    told: dict[int, int] = {}
    for size in sizes:
        counts.count(told, bin_of(size))
    exact = sorted(sizes)[max(0, -int(-(share * len(sizes) - 1e-9) // 1) - 1)]
    assert size_of(quantile_bin(told, share)) == pytest.approx(exact, rel=0.0225)


def test_what_is_kept_for_the_next_import_comes_back_as_it_was() -> None:
    told = profile_of(*teas([100, 200, 0]), Product("x", brand="B", stock=4))
    again = Profile.from_dict(told.to_dict())
    assert again == replace(told, outliers=(), notes=())
    assert Spread("size", {}).quantile(0.5) != Spread("size", {}).quantile(0.5)  # nan
