"""What is now: a fold over the log that gives the same state however it is cut into pieces."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_shop import DAY_MS, NOW_MS, FakeEncoder, baskets, bought, learnt, product, products, settings_of

from wares.domain.event import Event, EventKind
from wares.domain.filter import AnyOf, Filter
from wares.domain.intent import Reading, Term
from wares.domain.product import Product
from wares.domain.request import Request, Sort
from wares.domain.shopper import KIND_CODES, KINDS, History
from wares.engine.assembly import Engine
from wares.engine.live import MAX_TEXTS_ENCODED_LIVE, Live
from wares.engine.settings import Settings
from wares.engine.view import ShopView
from wares.retrieval.reading import read_terms
from wares.store.sqlite import Store

MODELS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "buy_again", "co_bought", "item_knn"]\n'
PURCHASED = np.array([KIND_CODES[EventKind.PURCHASE]], np.int8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shop"


@pytest.fixture
def shop_settings(folder: Path) -> Settings:
    return settings_of(folder, MODELS)


@pytest.fixture
def store(folder: Path, shop_settings: Settings) -> Iterator[Store]:
    """Eight products and the baskets of four shoppers."""
    with Store.open(folder, "write") as opened:
        opened.catalogue.put(products())
        opened.events.append(baskets())
        yield opened


@pytest.fixture
def live(store: Store, shop_settings: Settings, folder: Path) -> Live:
    return Live(learnt(store, shop_settings, folder), None)


def caught_up(live: Live, store: Store) -> Live:
    live.catch_up(store.catalogue, store.events)
    return live


def found(live: Live, query: str) -> set[str]:
    """Ids of living products that hold a word of the query."""
    columns = live.state.columns
    terms = read_terms(query, live.snapshot.language, live.state.text)
    scores = live.state.text.match(terms).scores
    return {columns.ids[row] for row in np.flatnonzero((scores > 0) & columns.alive).tolist()}


def told(live: Live, store: Store, shoppers: tuple[str, ...]) -> dict[str, Any]:
    """Everything that answers are made from, by the shop's own ids, whatever the rows are.

    Of histories what concerns products that are there or learnt: one that came and left again is nowhere in a replay.
    """
    state, columns = live.state, live.state.columns
    rows = columns.row_of
    sold = live.purchases(NOW_MS)
    view = ShopView(live, NOW_MS)
    popular = view.model_scores("popular", History.empty(), NOW_MS)
    seeds = {}
    for product_id, row in rows.items():
        seed = History(np.array([row], np.int32), np.array([NOW_MS]), PURCHASED, np.ones(1, np.float32))
        scores = view.model_scores("co_bought", seed, NOW_MS)
        seeds[product_id] = {other: round(float(scores[r]), 4) for other, r in rows.items()}
    histories = {}
    for shopper in shoppers:
        if (key := store.shoppers.key(shopper)) is not None:
            history = live.history(key)
            histories[shopper] = sorted(
                (time_ms, columns.ids[row], kind, quantity)
                for time_ms, row, kind, quantity in zip(
                    history.times_ms.tolist(), history.rows.tolist(), history.kinds.tolist(),
                    history.quantities.tolist(), strict=True,
                )
                if columns.ids[row] in rows or row < state.n_learnt
            )  # fmt: skip
    return {
        "price": {product_id: repr(columns.numbers["price"][row]) for product_id, row in rows.items()},
        "sellable": {product_id: bool(columns.sellable[row]) for product_id, row in rows.items()},
        "alive": sorted(columns.ids[row] for row in np.flatnonzero(columns.alive).tolist()),
        "variants": sorted(
            sorted(a for a in rows if columns.groups[rows[a]] == columns.groups[rows[b]]) for b in rows
        ),
        "brands": {
            brand: sorted(columns.ids[row] for row in np.flatnonzero(
                state.filters.passing(Filter((AnyOf("brand", (brand,)),)))).tolist())
            for brand in ("A", "B", "C")
        },
        "words": {word: sorted(found(live, word)) for word in ("milk", "tea", "bread", "thing")},
        "sold": {product_id: round(float(sold[row]), 3) for product_id, row in rows.items()},
        "popular": {product_id: round(float(popular[row]), 4) for product_id, row in rows.items()},
        "goes with": seeds,
        "histories": histories,
        "numbers": (live.last_event, live.last_change),
    }  # fmt: skip


# -- replaying = living through ----------------------------------------------------------------------------------------

IDS = ("p0", "p1", "p2", "p3", "p4", "n0", "n1", "n2")
SHOPPERS = ("ann", "bob", "new")

puts = st.builds(
    product,
    st.sampled_from(IDS),
    st.sampled_from(["whole milk", "green tea", "rye bread", "thing", "other thing"]),
    brand=st.sampled_from(["A", "B", "C"]),
    price_minor=st.one_of(st.none(), st.integers(0, 3)),
    stock=st.sampled_from([None, 0, 5]),
    group_id=st.sampled_from(["", "", "g"]),
)
happenings = st.builds(
    bought,
    st.sampled_from([*SHOPPERS, ""]).map(lambda name: name or None),
    st.sampled_from(IDS),
    st.integers(0, 200),
    kind=st.sampled_from([EventKind.PURCHASE, EventKind.REFUND, EventKind.VIEW]),
    id=st.uuids().map(str),
)
steps = st.lists(
    st.one_of(st.lists(puts, min_size=1, max_size=3), st.sampled_from(IDS), st.lists(happenings, max_size=3)),
    max_size=8,
)


def do(step: Any, store: Store) -> None:
    if isinstance(step, str):
        store.catalogue.delete([step])
    elif step and isinstance(step[0], Product):
        store.catalogue.put(step)
    else:
        store.events.append([one for one in step if isinstance(one, Event)])


@settings(max_examples=60, deadline=None)
@given(steps, steps)
def test_replaying_the_log_gives_the_same_state_as_living_through_it(before: list[Any], after: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shop_settings = settings_of(folder, MODELS)
        with Store.open(folder, "write") as store:
            store.catalogue.put(products()[:5])
            store.events.append(baskets()[:12])
            for step in before:
                do(step, store)
            snapshot = learnt(store, shop_settings, folder)
            lived = Live(snapshot, None)
            for step in after:
                do(step, store)
                caught_up(lived, store)
            replayed = caught_up(Live(snapshot, None), store)
            assert told(lived, store, SHOPPERS) == told(replayed, store, SHOPPERS)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_a_snapshot_taken_now_knows_what_living_through_it_knew(after: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shop_settings = settings_of(folder, MODELS)
        with Store.open(folder, "write") as store:
            store.catalogue.put(products()[:5])
            lived = Live(learnt(store, shop_settings, folder), None)
            for step in after:
                do(step, store)
                caught_up(lived, store)
            fresh = Live(learnt(store, shop_settings, folder), None)
            one, other = told(lived, store, SHOPPERS), told(fresh, store, SHOPPERS)
            for what in ("price", "sellable", "alive", "variants", "brands", "words"):
                assert one[what] == other[what], what


# -- products ----------------------------------------------------------------------------------------------------------


def test_price_and_stock_touch_no_text_index_and_no_vector(live: Live, store: Store) -> None:
    before = live.state
    first = products()[0]
    store.catalogue.put([product("p0", first.title, brand="A", category=first.category, price_minor=5, stock=0)])
    after = caught_up(live, store).state
    assert after.text is before.text
    assert after.vectors is before.vectors
    assert after.columns.labels is before.columns.labels
    assert len(after.columns) == len(before.columns)
    assert (after.columns.numbers["price"][0], after.columns.sellable[0]) == (5, False)
    assert (before.columns.numbers["price"][0], before.columns.sellable[0]) == (100, True)


def test_a_request_keeps_the_view_it_started_with(live: Live, store: Store) -> None:
    view = ShopView(live, NOW_MS)
    sold = view.popularity()
    store.catalogue.put([product("p0", "sour cream", brand="C", price_minor=1), product("n0", "goat milk")])
    store.catalogue.delete(["p1"])
    store.events.append([bought("ann", "p2")])
    caught_up(live, store)
    assert len(view.columns) == 8
    assert view.columns.alive.all()
    assert view.columns.numbers["price"][0] == 100
    milk = [Term("milk", (Reading(("milk",)),))]
    assert len(view.text_match(milk).scores) == len(view.letters_match("milk")) == 8
    assert view.text_match(milk).scores[0] > 0
    assert view.letters_match("milk")[0] > 0
    assert view.title_words(np.array([0], np.int32), milk).which.tolist() == [-1, 0]
    assert np.array_equal(view.popularity(), sold)
    assert len(ShopView(live, NOW_MS).columns) == 10


def test_a_rewritten_product_keeps_what_was_learnt(live: Live, store: Store) -> None:
    before = told(live, store, ("ann",))
    store.catalogue.put([product("p0", "cow juice", brand="C")])
    after = told(caught_up(live, store), store, ("ann",))
    for what in ("sold", "popular", "goes with", "histories"):
        assert after[what] == before[what], what
    assert after["sold"]["p0"] > 0
    assert after["goes with"]["p0"]["p2"] > 0  # as a seed, too
    assert found(live, "whole") == set()
    assert found(live, "juice") == {"p0"}


def test_a_product_rewritten_twice_lives_once(live: Live, store: Store) -> None:
    for title in ("one", "two"):
        store.catalogue.put([product("p0", title)])
        caught_up(live, store)
    columns = live.state.columns
    assert [columns.ids[row] for row in np.flatnonzero(columns.alive)].count("p0") == 1
    assert found(live, "one") == set()
    assert found(live, "two") == {"p0"}


def test_a_deleted_product_is_gone_and_comes_back_with_its_past(live: Live, store: Store) -> None:
    before = told(live, store, ("ann",))
    store.catalogue.delete(["p0"])
    assert "p0" not in found(caught_up(live, store), "milk")
    store.catalogue.put([products()[0]])
    after = told(caught_up(live, store), store, ("ann",))
    for what in ("sold", "popular", "goes with", "histories", "price", "words"):
        assert after[what] == before[what], what


def test_a_new_product_is_searchable_at_once(live: Live, store: Store) -> None:
    store.catalogue.put([product("n0", "goat milk", brand="C")])
    caught_up(live, store)
    assert found(live, "goat") == {"n0"}
    assert live.state.filters.passing(Filter((AnyOf("brand", ("C",)),))).sum() == 1


def test_a_new_product_is_recommended_once_it_sells(store: Store, shop_settings: Settings, folder: Path) -> None:
    snapshot = learnt(store, shop_settings, folder)
    engine = Engine(folder, shop_settings, store, None, snapshot)
    store.catalogue.put([product("n0", "goat milk", published_ms=NOW_MS - DAY_MS)])
    engine.live.catch_up(store.catalogue, store.events)
    page = engine.ask(Request("home", NOW_MS, shopper_id="ann"))
    assert "n0" in [hit.product.id for hit in page.hits]
    assert "new" in [reason.code for hit in page.hits for reason in hit.reasons if hit.product.id == "n0"]
    store.events.append([bought("ann", "n0", i / 100) for i in range(9)])
    engine.live.catch_up(store.catalogue, store.events)
    best = engine.ask(Request("browse", NOW_MS, sort=Sort.BEST_SELLING)).hits[0]
    assert best.product.id == "n0"


def test_a_rewritten_product_is_still_bought_before(store: Store, shop_settings: Settings, folder: Path) -> None:
    engine = Engine(folder, shop_settings, store, None, learnt(store, shop_settings, folder))
    store.catalogue.put([product("p0", "cow juice", brand="C")])
    engine.live.catch_up(store.catalogue, store.events)
    hits = {hit.product.id: hit for hit in engine.ask(Request("home", NOW_MS, shopper_id="ann")).hits}
    (reason,) = [reason for reason in hits["p0"].reasons if reason.code == "bought_before"]
    assert reason.shown == ("3",)


def test_what_was_bought_can_be_left_out_even_when_rewritten(store: Store, folder: Path) -> None:
    chosen = settings_of(folder, f"{MODELS}[profiles.home]\nexclude_bought = true\n")
    engine = Engine(folder, chosen, store, None, learnt(store, chosen, folder))
    store.catalogue.put([product("p0", "cow juice", brand="C")])
    engine.live.catch_up(store.catalogue, store.events)
    shown = {hit.product.id for hit in engine.ask(Request("home", NOW_MS, shopper_id="ann")).hits}
    assert shown
    assert not shown & {"p0", "p2"}


def test_new_texts_are_encoded_once_and_a_flood_of_them_waits(folder: Path) -> None:
    encoder, chosen = FakeEncoder(), settings_of(folder, MODELS)
    with Store.open(folder, "write") as store:
        store.catalogue.put(products())
        live = Live(learnt(store, chosen, folder, encoder), encoder)
        encoder.asked.clear()
        store.catalogue.put([product("n0", "same"), product("n1", "same"), product("n2", "else")])
        caught_up(live, store)
        assert encoder.asked == ["same", "else"]
        assert live.state.vectors.text_of[-3:].tolist() == [8, 8, 9]
        store.catalogue.put([product(f"m{i}", f"title {i}") for i in range(MAX_TEXTS_ENCODED_LIVE + 1)])
        caught_up(live, store)
        assert (live.state.vectors.text_of[11:] == -1).all()
        assert found(live, "title") >= {"m0", "m256"}
        assert len(live.state.vectors) == len(live.state.columns) == len(live.state.text)


def test_a_price_change_encodes_nothing(folder: Path) -> None:
    encoder, chosen = FakeEncoder(), settings_of(folder, MODELS)
    with Store.open(folder, "write") as store:
        store.catalogue.put(products())
        live = Live(learnt(store, chosen, folder, encoder), encoder)
        encoder.asked.clear()
        first = products()[0]
        store.catalogue.put([product("p0", first.title, brand="A", category=first.category, price_minor=7)])
        before = live.state.vectors
        assert caught_up(live, store).state.vectors is before
        assert encoder.asked == []


# -- events ------------------------------------------------------------------------------------------------------------


def test_an_event_on_a_product_that_is_not_there_yet_waits_for_it(live: Live, store: Store) -> None:
    store.events.append([bought("ann", "n0", 1), bought("ann", "n0", 2, kind=EventKind.VIEW)])
    caught_up(live, store)
    key = store.shoppers.key("ann")
    assert key is not None
    assert len(live.history(key)) == 6
    store.catalogue.put([product("n0", "goat milk")])
    caught_up(live, store)
    history = live.history(key)
    assert [KINDS[kind] for kind in history.kinds[-2:]] == [EventKind.VIEW, EventKind.PURCHASE]
    assert live.purchases(NOW_MS)[live.state.columns.row_of["n0"]] == pytest.approx(0.5 ** (1 / 60), rel=1e-3)


def test_a_refund_takes_a_purchase_back_and_never_more(live: Live, store: Store) -> None:
    row = live.state.columns.row_of["p7"]
    store.events.append([bought("ann", "p7", id="a"), bought("ann", "p7", kind=EventKind.REFUND, id="b")])
    assert caught_up(live, store).purchases(NOW_MS)[row] == 0
    store.events.append([bought("ann", "p7", kind=EventKind.REFUND, id="c")])
    assert caught_up(live, store).purchases(NOW_MS)[row] == 0


def test_an_anonymous_event_counts_but_belongs_to_nobody(live: Live, store: Store) -> None:
    before = live.purchases(NOW_MS)[3]
    store.events.append([Event(EventKind.PURCHASE, NOW_MS, None, "p3"), Event(EventKind.SEARCH, NOW_MS, query="x")])
    assert caught_up(live, store).purchases(NOW_MS)[3] == before + 1
    assert len(live.history(-1)) == 0


def test_catching_up_with_nothing_changes_nothing(live: Live, store: Store) -> None:
    state = live.state
    assert caught_up(live, store).state is state


def test_an_event_that_came_late_stands_in_its_place_in_time(live: Live, store: Store) -> None:
    store.events.append([bought("ann", "p7", 1), bought("ann", "p6", 15), bought("ann", "p5", 400)])
    caught_up(live, store)
    key = store.shoppers.key("ann")
    assert key is not None
    times = live.history(key).times_ms
    assert (np.diff(times) >= 0).all()
    assert live.history(key).rows[0] == 5
