"""What a shopper's own history says of a product: a habit has a number, a day and a kind."""

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
PRODUCTS = [
    Product(f"p{i}", f"thing {i}", currency="USD", category=("Food", kind) if kind else ())
    for i, kind in enumerate(KIND)
]
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


def naive(rows: NDArray[np.int32], past: History) -> NDArray[np.float64]:
    """The same by a loop over products and events."""
    found = np.zeros((len(rows), len(HABIT_FEATURES)))
    spoke = [
        (int(row), (NOW_MS - int(time_ms)) / DAY_MS, float(INTEREST_BY_CODE[kind]), int(time_ms) // DAY_MS)
        for row, time_ms, kind in zip(past.rows, past.times_ms, past.kinds, strict=True)
        if INTEREST_BY_CODE[kind] > 0
    ]
    if not spoke:
        return found
    days = len({day for _, _, _, day in spoke})
    for i, row in enumerate(rows.tolist()):
        own = [(age, weight) for other, age, weight, _ in spoke if other == row]
        kind = [(age, weight) for other, age, weight, _ in spoke if KIND[other] == KIND[row]]
        faded = [sum(weight * 0.5 ** (age / half) for age, weight in own) for half in (7, 30, 120)]
        of_kind = sum(weight * 0.5 ** (age / 30) for age, weight in kind)
        found[i] = [
            len(own), min((age for age, _ in own), default=1000), *faded, of_kind,
            min((age for age, _ in kind), default=1000), faded[1] / max(of_kind, 1e-6), days, len(spoke) / days,
            max(age for _, age, _, _ in spoke),
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
