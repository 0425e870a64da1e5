"""What a shopper is interested in: against what everybody buys, and lately more than long ago."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.product import Product
from wares.domain.shopper import KIND_CODES, History, Shopper
from wares.domain.traits import BANDS, Leanings, Traits, leanings
from wares.features.interests import Interests, Tag, interests_of, summary_of

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
KINDS_OF_GOODS = ("Food > Milk", "Food > Bread", "Pets > Cats", "Pets > Dogs", "Garden > Tools", "Books > Novels")
EACH = 10  # products of a kind, priced 1.00 to 10.00; brands in turn
Floats = NDArray[np.float32]


def goods() -> Columns:
    products = [
        Product(
            f"{kind}-{i}",
            brand=("Acme", "Apex", "Bolt", "Crux", "Dune")[i % 5],
            category=tuple(kind.split(" > ")),
            price_minor=100 * (i + 1),
        )
        for kind in KINDS_OF_GOODS
        for i in range(EACH)
    ]
    return Columns.of(products, range(len(products)))


COLUMNS = goods()
EVERYBODY: Floats = np.ones(len(COLUMNS), np.float32)  # every product is bought as often as any


def did(*events: tuple[str, int, float], kind: EventKind = EventKind.PURCHASE) -> History:
    """(kind of goods, which of them, days ago), oldest first."""
    ordered = sorted(events, key=lambda event: -event[2])
    rows = [KINDS_OF_GOODS.index(goods) * EACH + which for goods, which, _ in ordered]
    times_ms = [int(NOW_MS - days * DAY_MS) for _, _, days in ordered]
    n = len(ordered)
    return History(
        np.array(rows, np.int32),
        np.array(times_ms, np.int64),
        np.full(n, KIND_CODES[kind], np.int8),
        np.ones(n, np.float32),
    )


def leaning(history: History, bought: Floats = EVERYBODY, columns: Columns = COLUMNS) -> Leanings:
    return leanings(history, Traits.of(columns), bought, NOW_MS)


def told(history: History, bought: Floats = EVERYBODY) -> Interests:
    return interests_of(history, leaning(history, bought))


def values(tags: tuple[Tag, ...]) -> list[str]:
    return [tag.value for tag in tags]


def several(goods: str, days: float, n: int = 6) -> list[tuple[str, int, float]]:
    return [(goods, i, days + i / 10) for i in range(n)]


def test_a_shopper_who_lately_turned_to_pets_has_pets_above_the_older_interest() -> None:
    tags = told(did(*several("Garden > Tools", 100, n=8), *several("Pets > Cats", 5, n=5))).departments
    assert values(tags) == ["Pets", "Garden"]
    assert tags[0].share > tags[1].share
    assert tags[0].last_ms == NOW_MS - 5 * DAY_MS


def test_the_same_purchases_in_the_other_order_of_time_tell_the_other_story() -> None:
    tags = told(did(*several("Garden > Tools", 5, n=8), *several("Pets > Cats", 100, n=5))).departments
    assert values(tags)[0] == "Garden"


def test_what_everybody_buys_is_no_interest() -> None:
    bought = EVERYBODY.copy()
    bought[: 2 * EACH] = 40  # food is nearly all that anybody buys
    tags = told(did(*several("Food > Milk", 3, n=8), *several("Pets > Dogs", 3, n=3)), bought)
    assert values(tags.departments) == ["Pets"]
    assert values(tags.categories) == ["Pets > Dogs"]


def test_a_lift_says_how_many_times_as_often_as_everybody() -> None:
    history = did(*several("Pets > Cats", 0, n=10), *several("Books > Novels", 0, n=10))
    found = leaning(history).department
    pets = found.trait.values.index("Pets")
    assert found.share(np.array([pets]))[0] == pytest.approx(0.5, rel=0.01)
    assert found.lift[pets] == pytest.approx((0.5 / (1 / 3) * 20 + 5) / 25, rel=0.01)  # a third of all are for pets
    assert found.lift[found.trait.values.index("Garden")] == pytest.approx(5 / 25, rel=0.01)


def test_a_category_that_was_never_chosen_leans_with_its_department() -> None:
    found = leaning(did(*several("Pets > Cats", 0))).category
    lift = dict(zip(found.trait.values, found.lift.tolist(), strict=True))
    assert lift["Pets > Cats"] > lift["Pets > Dogs"] > lift["Garden > Tools"]
    assert "Pets > Dogs" not in values(told(did(*several("Pets > Cats", 0))).categories)


def test_a_glance_is_no_interest_and_a_purchase_is() -> None:
    assert told(did(("Pets > Cats", 0, 1), kind=EventKind.VIEW)) == Interests()
    assert values(told(did(("Pets > Cats", 0, 1))).categories) == ["Pets > Cats"]


def test_what_was_hidden_or_sent_back_is_no_interest() -> None:
    assert told(did(*several("Pets > Cats", 1), kind=EventKind.HIDE)) == Interests()
    assert told(did(*several("Pets > Cats", 1), kind=EventKind.REFUND)) == Interests()


def test_who_stays_away_keeps_their_interests() -> None:
    lately, long_ago = told(did(*several("Pets > Cats", 1))), told(did(*several("Pets > Cats", 900)))
    assert values(long_ago.departments) == values(lately.departments) == ["Pets"]
    assert long_ago.departments[0].lift == pytest.approx(lately.departments[0].lift)


def test_a_shopper_without_history_has_none() -> None:
    assert told(History.empty()) == Interests()
    assert leaning(History.empty()).nowhere
    assert (leaning(History.empty()).pull({"category": 1.0, "brand": 1.0, "price": 1.0}) == 1).all()


def test_a_brand_across_all_goods_is_an_interest() -> None:
    history = did(*((goods, which, 2.0) for goods in KINDS_OF_GOODS for which in (0, 5)))
    tags = told(history)
    assert values(tags.brands) == ["Acme"]
    assert tags.departments == tags.categories == ()


def test_who_takes_the_cheapest_of_everything_likes_it_cheap() -> None:
    assert values(told(did(*((goods, which, 1.0) for goods in KINDS_OF_GOODS for which in (0, 1)))).prices) == ["cheap"]
    assert values(told(did(*((goods, which, 1.0) for goods in KINDS_OF_GOODS for which in (8, 9)))).prices) == ["dear"]
    evenly = did(*((goods, which, 1.0) for goods in KINDS_OF_GOODS for which in (0, 5, 9)))
    assert told(evenly).prices == ()


def test_a_price_is_cheap_or_dear_for_its_category_and_not_for_the_shop() -> None:
    products = [
        Product(f"{kind}{i}", category=(kind,), price_minor=price * (i + 1))
        for kind, price in (("Cars", 1_000_000), ("Gum", 50))
        for i in range(9)
    ]
    bands = bands_of(products)
    assert bands[:9] == bands[9:] == ["cheap"] * 3 + ["middle"] * 3 + ["dear"] * 3


def test_equal_prices_share_a_band_and_an_unknown_price_has_none() -> None:
    same = [Product(f"a{i}", category=("A",), price_minor=500) for i in range(8)]
    assert bands_of([*same, Product("b", category=("A",))]) == ["middle"] * 8 + [""]


def test_small_categories_of_a_department_are_compared_with_one_another() -> None:
    products = [Product(f"p{i}", category=("Tea", f"sort {i}"), price_minor=100 * (i + 1)) for i in range(3)]
    assert bands_of(products) == ["cheap", "middle", "dear"]


def bands_of(products: list[Product]) -> list[str]:
    codes = Traits.of(Columns.of(products, range(len(products)))).price.codes
    return [(*BANDS, "")[code] for code in codes.tolist()]


def test_products_without_category_or_brand_lean_nowhere() -> None:
    columns = COLUMNS.with_products([Product("odd", price_minor=None)], [999])
    history = did(*several("Pets > Cats", 1))
    bought = np.ones(len(columns), np.float32)
    assert leaning(history, bought, columns).pull({"category": 1.0, "brand": 1.0, "price": 1.0})[-1] == 1


def test_some_rows_are_scored_as_all_of_them_are() -> None:
    found, rows = leaning(did(*several("Pets > Cats", 1))), np.array([3, 25, 41], np.int32)
    weights = {"category": 1.0, "brand": 0.25, "price": 1.0}
    assert found.pull(weights, rows).tolist() == found.pull(weights)[rows].tolist()


def test_an_empty_catalogue_and_a_shop_that_sold_nothing_are_no_trouble() -> None:
    nothing = Columns.of([], [])
    found = leaning(History.empty(), np.empty(0, np.float32), nothing)
    assert interests_of(History.empty(), found) == Interests()
    unsold = np.zeros(len(COLUMNS), np.float32)
    assert values(told(did(*several("Pets > Cats", 1)), unsold).departments) == ["Pets"]


def test_the_summary_counts_what_was_done() -> None:
    history = did(("Pets > Cats", 0, 9), ("Pets > Cats", 0, 4)).then(did(("Food > Milk", 1, 2), kind=EventKind.VIEW))
    summary = summary_of(Shopper("ann", {"age": "35-44"}), history, leaning(history))
    assert (summary.known, summary.events, summary.products) == (True, 3, 2)
    assert summary.by_kind == {"view": 1, "purchase": 2}
    assert (summary.first_ms, summary.last_ms) == (NOW_MS - 9 * DAY_MS, NOW_MS - 2 * DAY_MS)
    assert summary.attributes == {"age": "35-44"}


def test_of_somebody_unknown_the_summary_knows_nothing() -> None:
    summary = summary_of(None, History.empty(), leaning(History.empty()))
    assert (summary.known, summary.events, summary.first_ms, summary.interests) == (False, 0, None, Interests())
    assert not summary.attributes
    assert not summary.by_kind
