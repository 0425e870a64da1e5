"""The event log: every event once, in order, and forgotten when a shopper asks for it."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wares.store.events
from wares.contracts import Catalogue, EventLog, Shoppers
from wares.domain.event import Event, EventKind
from wares.domain.ordinals import Ordinals
from wares.domain.product import Product
from wares.domain.shopper import KINDS, Shopper
from wares.errors import DataError, StoreError
from wares.store.sqlite import Store

NOON_MS = 1_500_000_000_000
LOAF = Event(EventKind.PURCHASE, NOON_MS, "ann", "loaf", 2.0, 350, basket_id="b1")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, "write") as store:
        yield store


def test_the_store_keeps_its_contracts(shop: Store) -> None:
    catalogue: Catalogue = shop.catalogue
    events: EventLog = shop.events
    shoppers: Shoppers = shop.shoppers
    assert catalogue.get(["loaf"]) == {}
    assert events.last() == 0
    assert shoppers.key("ann") is None


def test_an_empty_log_is_empty(shop: Store) -> None:
    assert shop.events.last() == 0
    assert len(shop.events.read()) == 0
    assert shop.events.append([]) == (0, 0)


def test_an_event_comes_back_as_it_went_in(shop: Store) -> None:
    shop.events.append([LOAF, Event(EventKind.SEARCH, NOON_MS + 1, query="rye bread")])
    block = shop.events.read()
    assert block.seqs.tolist() == [1, 2]
    assert block.times_ms.tolist() == [NOON_MS, NOON_MS + 1]
    assert [KINDS[code] for code in block.kinds] == [EventKind.PURCHASE, EventKind.SEARCH]
    assert block.shopper_keys.tolist() == [shop.shoppers.key("ann"), -1]
    assert block.product_keys.tolist() == [1, -1]
    assert block.quantities.tolist() == [2.0, 1.0]
    assert block.values_minor[0] == 350
    assert np.isnan(block.values_minor[1])
    assert block.basket_keys[0] >= 0
    assert block.basket_keys[1] == -1
    assert block.queries == {1: "rye bread"}


def test_a_later_read_starts_after_the_last_one(shop: Store) -> None:
    shop.events.append([LOAF])
    seen = shop.events.last()
    shop.events.append([Event(EventKind.SEARCH, NOON_MS + 1, query="jam")])
    block = shop.events.read(seen)
    assert block.seqs.tolist() == [2]
    assert block.queries == {0: "jam"}


def test_kinds_keep_the_codes_that_are_on_disk() -> None:
    codes = ("view", "click", "search", "cart", "uncart", "wish", "purchase", "refund", "like", "hide")
    assert tuple(kind.value for kind in KINDS)[: len(codes)] == codes


def test_a_repeated_event_counts_once(shop: Store) -> None:
    assert shop.events.append([LOAF]) == (1, 0)
    assert shop.events.append([LOAF]) == (0, 1)
    assert len(shop.events.read()) == 1


def test_a_repeated_event_does_not_move_the_end_of_the_log(shop: Store) -> None:
    shop.events.append([LOAF])
    shop.events.append([LOAF, LOAF])
    last = shop.events.last()
    shop.events.append([LOAF, LOAF])
    assert shop.events.last() == last == shop.events.read().seqs[-1]


def test_a_known_id_counts_once_whatever_else_the_event_says(shop: Store) -> None:
    first = replace(LOAF, id="order-7-1")
    assert shop.events.append([first]) == (1, 0)
    assert shop.events.append([replace(first, time_ms=NOON_MS + 9, quantity=5.0), first]) == (0, 2)
    assert shop.events.read().quantities.tolist() == [2.0]


def test_an_event_with_an_id_is_not_the_same_without_one(shop: Store) -> None:
    assert shop.events.append([LOAF, replace(LOAF, id="order-7-1")]) == (2, 0)


def test_two_honest_equal_lines_of_a_feed_stay_two(shop: Store) -> None:
    assert shop.events.append([LOAF, LOAF]) == (2, 0)
    assert shop.events.append([LOAF, LOAF]) == (0, 2)
    assert shop.events.append([LOAF, LOAF, LOAF]) == (1, 2)


def test_equal_lines_far_apart_in_a_feed_stay_apart(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wares.store.events, "CHUNK", 3)
    feed = [LOAF if i % 4 == 0 else replace(LOAF, time_ms=i) for i in range(20)]
    assert shop.events.append(iter(feed)) == (20, 0)
    monkeypatch.setattr(wares.store.events, "CHUNK", 7)
    assert shop.events.append(iter(feed)) == (0, 20)


def test_words_that_run_together_differently_are_different_events(shop: Store) -> None:
    one = Event(EventKind.VIEW, NOON_MS, "ab", "c")
    other = Event(EventKind.VIEW, NOON_MS, "a", "bc")
    assert shop.events.append([one, other]) == (2, 0)


def test_an_event_on_an_unknown_product_is_kept_until_the_product_comes(shop: Store) -> None:
    shop.events.append([LOAF])
    shop.catalogue.put([Product("jam"), Product("loaf")])
    keys = {product_id: key for _, key, product_id, _ in shop.catalogue.changes()}
    assert shop.events.read().product_keys.tolist() == [keys["loaf"]]


def test_the_same_basket_id_of_two_shoppers_is_two_baskets(shop: Store) -> None:
    shop.events.append([LOAF, replace(LOAF, product_id="jam"), replace(LOAF, shopper_id="bob")])
    mine, also_mine, theirs = shop.events.read().basket_keys.tolist()
    assert mine == also_mine != theirs


@pytest.mark.parametrize(
    "wrong", [replace(LOAF, quantity=float("nan")), replace(LOAF, time_ms=1 << 70), replace(LOAF, query="\ud800")]
)
def test_a_value_that_cannot_be_kept_leaves_nothing_half_done(shop: Store, wrong: Event) -> None:
    with pytest.raises(DataError):
        shop.events.append([LOAF, wrong])
    assert shop.events.last() == 0
    assert shop.shoppers.key("ann") is None


def test_a_feed_that_breaks_off_is_completed_by_importing_it_again(
    shop: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wares.store.events, "CHUNK", 4)
    feed = [LOAF] * 3 + [replace(LOAF, time_ms=i) for i in range(7)] + [LOAF] * 2

    def broken() -> Iterator[Event]:
        yield from feed[:6]
        raise OSError("the cable came out")

    with pytest.raises(OSError, match="cable"):
        shop.events.append(broken())
    assert len(shop.events.read()) == 4
    assert shop.events.append(feed) == (8, 4)


def test_erasing_a_shopper_removes_events_attributes_and_the_shopper(shop: Store) -> None:
    shop.shoppers.put([Shopper("ann", {"age": "35-44"}), Shopper("bob", {"age": "25-34"})])
    shop.events.append(
        [LOAF, replace(LOAF, shopper_id="bob"), replace(LOAF, time_ms=1), replace(LOAF, shopper_id=None)]
    )
    assert shop.events.erase("ann") == 2
    assert shop.events.erase("ann") == 0
    assert shop.shoppers.get("ann") is None
    assert shop.shoppers.key("ann") is None
    assert shop.events.read().shopper_keys.tolist() == [shop.shoppers.key("bob"), -1]


def test_erasing_leaves_the_end_of_the_log_and_gives_no_number_twice(shop: Store) -> None:
    shop.events.append([replace(LOAF, shopper_id="bob"), LOAF])
    erased_key = shop.shoppers.key("ann")
    shop.events.erase("ann")
    assert shop.events.last() == 2
    shop.events.append([replace(LOAF, shopper_id="cid"), replace(LOAF, shopper_id="cid")])
    assert shop.events.read().seqs.tolist() == [1, 3, 4]
    assert shop.shoppers.key("cid") != erased_key


def test_what_was_erased_is_in_no_file(shop: Store, tmp_path: Path) -> None:
    hashed = shop.shoppers.hash("ann")
    shop.shoppers.put([Shopper("ann", {"note": "peculiar-note"})])
    shop.events.append([Event(EventKind.SEARCH, NOON_MS, "ann", query="peculiar-words")])
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert hashed in written
    assert b"peculiar-words" in written
    shop.events.erase("ann")
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert hashed not in left
    assert b"peculiar" not in left


def test_a_shopper_id_is_never_written(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.shoppers.put([Shopper("ann@example.org")])
        shop.events.append([replace(LOAF, shopper_id="ann@example.org", id="order of ann@example.org")])
        assert all(b"ann@example.org" not in path.read_bytes() for path in tmp_path.iterdir())


def test_two_shops_hash_the_same_shopper_differently(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a", "write") as one, Store.open(tmp_path / "b", "write") as other:
        assert one.shoppers.hash("ann") != other.shoppers.hash("ann")


def test_a_closed_shop_says_so(tmp_path: Path) -> None:
    shop = Store.open(tmp_path, "write")
    shop.close()
    shop.close()
    with pytest.raises(StoreError, match="closed"):
        shop.events.last()
    with pytest.raises(StoreError, match="closed"):
        shop.events.append([LOAF])


def test_ordinals_do_not_depend_on_how_a_feed_is_cut() -> None:
    hashes = np.random.default_rng(7).integers(0, 50, 2_000).astype(np.uint64)
    whole = Ordinals().count(hashes)
    cut = Ordinals()
    parts = [cut.count(part) for part in np.array_split(hashes, 37)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert sorted(whole[hashes == 3].tolist()) == list(range(int((hashes == 3).sum())))


EVENTS = st.lists(
    st.builds(
        Event,
        kind=st.sampled_from([EventKind.VIEW, EventKind.SEARCH, EventKind.PURCHASE]),
        time_ms=st.integers(-2, 2),
        shopper_id=st.sampled_from([None, "ann", "bob"]),
        product_id=st.sampled_from([None, "loaf", "jam\0jar", "果酱"]),
        quantity=st.sampled_from([1.0, 2.5]),
        value_minor=st.sampled_from([None, 0, 350]),
        basket_id=st.sampled_from(["", "b1"]),
        query=st.sampled_from(["", "rye"]),
        id=st.sampled_from(["", "", "", "x", "y"]),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(feed=EVENTS, first_cut=st.integers(1, 9), second_cut=st.integers(1, 9))
def test_any_feed_appended_twice_in_any_chunks_gives_the_same_log(
    feed: list[Event], first_cut: int, second_cut: int
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        Store.open(Path(folder), "write") as shop,
    ):
        patch.setattr(wares.store.events, "CHUNK", first_cut)
        new, repeated = shop.events.append(iter(feed))
        once = shop.events.read()
        distinct_ids = {event.id for event in feed if event.id}
        assert new == sum(not event.id for event in feed) + len(distinct_ids)
        assert new + repeated == len(feed)
        patch.setattr(wares.store.events, "CHUNK", second_cut)
        assert shop.events.append(iter(feed)) == (0, len(feed))
        twice = shop.events.read()
        assert np.array_equal(once.seqs, twice.seqs)
        assert shop.events.last() == (twice.seqs[-1] if new else 0)


def test_each_event_of_a_batch_is_told_to_be_new_or_repeated(shop: Store) -> None:
    once, twice, thrice = (replace(LOAF, id=name) for name in "abc")
    assert shop.events.append_each([once, twice, once]) == [True, True, False]
    assert shop.events.append_each([twice, thrice, LOAF, LOAF]) == [False, True, True, True]
    assert shop.events.append_each([]) == []
    assert len(shop.events.read()) == 5
