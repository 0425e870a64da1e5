"""What a shopper's own history says of a product: a habit has a number, a day and a kind."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.product import Product
from wares.domain.shopper import INTEREST_BY_CODE, KIND_CODES, History
from wares.features.habit import HABIT_FEATURES, habit_features

DAY_MS = 86_400_000
NOW_MS = 1_790_035_200_000  # some day's noon
BUY, REFUND = KIND_CODES[EventKind.PURCHASE], KIND_CODES[EventKind.REFUND]
KIND = ("Milk", "Milk", "Bread", "Bread", "")  # of p0 to p4; p4 has none
BRAND = ("Acme", "", "Acme", "Acme", "")
PRICE = (100, 250, 0, 90, 400)  # 0 = unknown
TITLE = ("milk", "more milk", "bread", "bread", "thing")  # p2 and p3 are variants of one hit
PRODUCTS = [
    Product(
        f"p{i}", TITLE[i], currency="USD", group_id=TITLE[i], category=("Food", kind) if kind else (), brand=BRAND[i],
        price_minor=PRICE[i] or None,
    )
    for i, kind in enumerate(KIND)
]  # fmt: skip
COLUMNS = Columns.of(PRODUCTS, range(len(PRODUCTS)))
ALL = np.arange(len(PRODUCTS), dtype=np.int32)


def history(*events: tuple[int, float], kind: int = BUY) -> History:
    """Of (row, days ago), oldest first."""
    rows, ago = zip(*events, strict=True)
    times_ms = np.array([NOW_MS - int(days * DAY_MS) for days in ago])
    n = len(rows)
    return History(np.array(rows, np.int32), times_ms, np.full(n, kind, np.int8), np.ones(n, np.float32))


def told(past: History, rows: NDArray[np.int32] = ALL, columns: Columns = COLUMNS) -> dict[str, list[float]]:
    values = habit_features(rows, past, columns, NOW_MS)
    return {name: [round(float(one), 4) for one in values[:, i]] for i, name in enumerate(HABIT_FEATURES)}


def test_it_counts_how_often_and_how_long_ago() -> None:
    found = told(history((0, 60), (0, 30), (2, 4)))
    assert found["times_met"] == [2, 0, 1, 0, 0]
    assert found["days_since"] == [30, 1000, 4, 1000, 1000]


def test_interest_fades_by_half_in_its_half_life() -> None:
    one = float(INTEREST_BY_CODE[BUY])
    found = told(history((0, 60), (0, 30)))
    assert found["met_30d"][0] == pytest.approx(one * (0.25 + 0.5), abs=1e-3)
    assert found["met_7d"][0] < found["met_30d"][0] < found["met_120d"][0] < 2 * one


def test_what_was_bought_of_a_kind_speaks_for_its_other_products_too() -> None:
    found = told(history((0, 60), (0, 30), (2, 4)))
    assert found["kind_days_since"] == [30, 30, 4, 4, 1000]
    assert found["kind_30d"][0] == found["kind_30d"][1] > 0
    assert found["share_of_kind"][:2] == [1, 0]


def test_of_the_shopper_it_tells_visits_their_size_and_since_when() -> None:
    found = told(history((0, 60), (1, 60), (0, 30), (2, 30), (4, 30), (3, 4)))
    assert (found["visits"], found["visit_size"], found["days_known"]) == ([3] * 5, [2] * 5, [60] * 5)


def test_it_tells_which_visits_held_a_product_and_whether_it_is_due_again() -> None:
    found = told(history((0, 61), (1, 61), (0, 31), (2, 31), (2, 1)))
    assert found["visits_since"] == [1, 2, 0, 1000, 1000]
    assert found["overdue"][:4] == [1.0333, 61, 0.0333, 1000]  # in days between its purchases
    assert found["of_visits_30"][0] > found["of_visits_3"][0] > 0  # once every visit, no more of late
    assert found["visit_share"][2] > found["visit_share"][0] > found["visit_share"][1] > found["visit_share"][3] == 0


def test_what_was_bought_in_another_variant_or_of_the_brand_speaks_for_a_product() -> None:
    found = told(history((3, 10), (4, 5)))
    assert found["variant_visits"][2] == found["variant_visits"][3] > 0 == found["variant_visits"][0]
    assert found["like_visits"][2] > 0 == found["like_visits"][1]
    assert found["brand_visits"][0] == found["brand_visits"][3] > 0


def test_a_product_is_dearer_than_what_is_usually_chosen() -> None:
    found = told(history((0, 3)))
    assert found["dearer"][0] == found["dearer"][2] == 0 < found["dearer"][1] < found["dearer"][4]


def test_of_the_shopper_it_tells_how_long_they_stay_away_and_how_much_is_new() -> None:
    found = told(history((0, 60), (1, 60), (0, 30), (2, 30), (4, 30), (0, 4)))
    assert found["days_away"] == [4] * 5 and found["visit_gap"] == [28] * 5
    assert found["visit_size_lately"] == [2] * 5 and found["new_lately"] == [round(4 / 6, 4)] * 5


def test_what_has_no_category_is_a_kind_of_its_own() -> None:
    found = told(history((4, 10)))
    assert found["kind_days_since"] == [1000, 1000, 1000, 1000, 10]


def test_a_shopper_without_a_history_has_no_habit() -> None:
    assert not habit_features(ALL, History.empty(), COLUMNS, NOW_MS).any()
    assert not habit_features(ALL, history((0, 3), kind=REFUND), COLUMNS, NOW_MS).any()  # nothing speaks for a product


def test_no_product_asked_and_no_category_anywhere_are_no_trouble() -> None:
    assert habit_features(ALL[:0], history((0, 3)), COLUMNS, NOW_MS).shape == (0, len(HABIT_FEATURES))
    plain = Columns.of([Product(f"p{i}", f"thing {i}", currency="USD") for i in range(2)], range(2))
    assert told(history((0, 3)), ALL[:2], plain)["times_met"] == [1, 0]


def naive(rows: NDArray[np.int32], past: History, columns: Columns = COLUMNS) -> NDArray[np.float64]:
    """The same by a loop over products and events."""
    found = np.zeros((len(rows), len(HABIT_FEATURES)))
    spoke = [
        (int(row), (NOW_MS - int(time_ms)) / DAY_MS, float(interest), int(time_ms) // DAY_MS)
        for row, time_ms, interest in zip(past.rows, past.times_ms, past.interest, strict=True)
        if interest > 0
    ]
    if not spoke:
        return found
    days = sorted({day for *_, day in spoke}, reverse=True)  # newest first
    n = len(days)
    ago = {day: i for i, day in enumerate(days)}
    size = {day: sum(other == day for *_, other in spoke) for day in days}

    def overdue(events: list[tuple[int, float, float, int]]) -> float:
        if not events:
            return 1000
        ages = [age for _, age, _, _ in events]
        return min(ages) / max((max(ages) - min(ages)) / max(len(ages) - 1, 1), 1)

    def lately(events: list[tuple[int, float, float, int]]) -> float:
        return float(sum(0.5 ** (ago[day] / 10) for *_, day in events))

    recent, seen, new = [event for event in spoke if ago[event[3]] < 10], set[int](), 0
    for event in spoke:  # oldest first
        new += event[0] not in seen and ago[event[3]] < 10
        seen.add(event[0])
    for i, row in enumerate(rows.tolist()):
        own = [event for event in spoke if event[0] == row]
        kind = [event for event in spoke if KIND[event[0]] == KIND[row]]
        variant = [event for event in spoke if columns.groups[event[0]] == columns.groups[row]]
        like = [event for event in kind if BRAND[event[0]] == BRAND[row]]
        brand = [event for event in spoke if BRAND[event[0]] == BRAND[row]]
        faded = [sum(weight * 0.5 ** (age / half) for _, age, weight, _ in own) for half in (7, 30, 120)]
        of_kind = sum(weight * 0.5 ** (age / 30) for _, age, weight, _ in kind)
        with_it = {day for *_, day in own}
        prices = [(math.log1p(PRICE[event[0]]), 0.5 ** (ago[event[3]] / 10)) for event in spoke if PRICE[event[0]]]
        usual = sum(price * weight for price, weight in prices) / max(sum(weight for _, weight in prices), 1e-9)
        found[i] = [
            len(own), min((age for _, age, _, _ in own), default=1000), *faded, of_kind,
            min((age for _, age, _, _ in kind), default=1000), faded[1] / max(of_kind, 1e-6), len(days),
            len(spoke) / len(days), max(age for _, age, _, _ in spoke),
            *(sum(0.5 ** (ago[d] / h) for d in with_it) / sum(0.5 ** (a / h) for a in range(n)) for h in (3, 10, 30)),
            sum(0.5 ** (ago[day] / 10) / size[day] for *_, day in own) / sum(0.5 ** (a / 10) for a in ago.values()),
            min((ago[day] for day in with_it), default=1000), overdue(own),
            lately(kind), overdue(kind), lately(variant), overdue(variant), lately(like), lately(brand) / lately(spoke),
            math.log1p(PRICE[row]) - usual if PRICE[row] and prices else 0,
            min(age for _, age, _, _ in spoke),
            (max(age for _, age, _, _ in spoke) - min(age for _, age, _, _ in spoke)) / max(len(days) - 1, 1),
            np.mean([size[day] for day in days[:5]]), new / len(recent),
        ]  # fmt: skip
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.floats(0, 400), st.sampled_from(sorted(KIND_CODES.values()))), max_size=12
    ),
    st.lists(st.integers(0, 4), min_size=1, max_size=8),
)
def test_it_agrees_with_a_loop_over_all_events(events: list[tuple[int, float, int]], asked: list[int]) -> None:
    events = sorted(events, key=lambda event: -event[1])
    past = history(*[(row, ago) for row, ago, _ in events]) if events else History.empty()
    past = History(past.rows, past.times_ms, np.array([kind for *_, kind in events], np.int8), past.quantities)
    rows = np.array(asked, np.int32)
    got = habit_features(rows, past, COLUMNS, NOW_MS)
    np.testing.assert_allclose(got, naive(rows, past), rtol=2e-4, atol=1e-4)
