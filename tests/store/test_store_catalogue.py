"""The catalogue and the shoppers as the store keeps them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.product import Product
from wares.domain.shopper import Shopper
from wares.errors import DataError
from wares.store.catalogue import from_row, to_row
from wares.store.sqlite import Store

LOAF = Product("loaf", "Rye loaf", category=("Food", "Bread"), price_minor=350, attributes={"grain": ("rye", "wheat")})


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, "write") as store:
        yield store


def test_a_product_comes_back_as_it_went_in(shop: Store) -> None:
    shop.catalogue.put([LOAF, Product("jam")])
    assert shop.catalogue.get(["jam", "loaf", "unknown"]) == {"loaf": LOAF, "jam": Product("jam")}


def test_after_a_row_that_cannot_be_read_the_next_question_sees_what_was_put_since(
    shop: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(product_id: str, row: str) -> Product:
        raise ValueError(row)

    shop.catalogue.put([LOAF, Product("jam", "Plum jam")])
    with monkeypatch.context() as patched:
        patched.setattr("wares.store.catalogue.from_row", damaged)
        with pytest.raises(ValueError, match="jam") as held:  # and with its traceback all that it had begun
            shop.catalogue.get(["jam", "loaf"])
    shop.catalogue.put([Product("jam", "Cherry jam")])
    assert shop.catalogue.get(["jam"])["jam"].title == "Cherry jam"
    assert held.value is not None


def test_a_product_survives_closing_the_shop(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.catalogue.put([LOAF])
    with Store.open(tmp_path, "read") as shop:
        assert shop.catalogue.get(["loaf"]) == {"loaf": LOAF}


def test_changes_tell_each_products_last_change_in_order(shop: Store) -> None:
    first = shop.catalogue.put([LOAF, Product("jam"), Product("tea")])
    assert [(n, i) for n, _, i, _ in shop.catalogue.changes()] == [(1, "loaf"), (2, "jam"), (3, "tea")]
    last = shop.catalogue.put([Product("loaf", "Wheat loaf")])
    assert last > first
    assert [(n, i) for n, _, i, _ in shop.catalogue.changes()] == [(2, "jam"), (3, "tea"), (last, "loaf")]
    assert [i for _, _, i, _ in shop.catalogue.changes(after=first)] == ["loaf"]


def test_a_product_put_again_unchanged_is_no_change(shop: Store) -> None:
    last = shop.catalogue.put([LOAF, Product("jam")])
    assert shop.catalogue.put([LOAF, Product("jam")]) == last
    assert list(shop.catalogue.changes(after=last)) == []


def test_of_equal_ids_in_one_feed_the_last_stays(shop: Store) -> None:
    shop.catalogue.put([Product("loaf", "old"), Product("loaf", "new")])
    assert shop.catalogue.get(["loaf"])["loaf"].title == "new"


def test_a_deleted_product_leaves_word_that_it_left(shop: Store) -> None:
    first = shop.catalogue.put([LOAF, Product("jam")])
    last = shop.catalogue.delete(["loaf", "unknown"])
    assert shop.catalogue.get(["loaf"]) == {}
    (change,) = shop.catalogue.changes(after=first)
    assert change == (last, 1, "loaf", None)
    assert shop.catalogue.delete(["loaf", "unknown"]) == last


def test_a_product_that_returns_keeps_its_key(shop: Store) -> None:
    shop.catalogue.put([LOAF])
    shop.catalogue.delete(["loaf"])
    last = shop.catalogue.put([LOAF])
    assert list(shop.catalogue.changes()) == [(last, 1, "loaf", LOAF)]


def test_a_feed_that_breaks_off_changes_nothing(shop: Store) -> None:
    def broken() -> Iterator[Product]:
        yield LOAF
        raise DataError("no title", file="products.csv", line=2)

    with pytest.raises(DataError, match=r"products.csv:2"):
        shop.catalogue.put(broken())
    assert list(shop.catalogue.changes()) == []


def test_a_stream_of_changes_shows_one_moment(shop: Store) -> None:
    shop.catalogue.put([LOAF, Product("jam")])
    stream = shop.catalogue.changes()
    assert next(stream)[2] == "loaf"
    shop.catalogue.put([Product("tea")])
    assert [product_id for _, _, product_id, _ in stream] == ["jam"]


WORDS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.builds(
        Product,
        id=WORDS,
        title=WORDS,
        category=st.lists(WORDS, max_size=3).map(tuple),
        price_minor=st.none() | st.integers(0, 10**9),
        stock=st.none() | st.integers(0, 5),
        available=st.booleans(),
        attributes=st.dictionaries(WORDS, st.lists(WORDS, min_size=1, max_size=2).map(tuple), max_size=3),
    )
)
def test_any_product_survives_its_row(product: Product) -> None:
    assert from_row(product.id, to_row(product)) == product


def test_a_shopper_keeps_what_the_shop_told_last(shop: Store) -> None:
    assert shop.shoppers.get("ann") is None
    assert shop.shoppers.put([Shopper("ann", {"age": "35-44", "home": "owner"}), Shopper("bob")]) == 2
    shop.shoppers.put([Shopper("ann", {"age": "45-54"})])
    assert shop.shoppers.get("ann") == Shopper("ann", {"age": "45-54"})
    assert shop.shoppers.get("bob") == Shopper("bob")


def test_all_attributes_carry_the_keys_that_events_carry(shop: Store) -> None:
    shop.shoppers.put([Shopper("bob"), Shopper("ann", {"age": "35-44"})])
    assert list(shop.shoppers.all_attributes()) == [(shop.shoppers.key("ann"), {"age": "35-44"})]
