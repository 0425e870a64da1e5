"""The facade from end to end, and the bad input that gets a clear answer and loses nothing."""

import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wares.domain.filter import AnyOf, Between, Either, Filter
from wares.domain.result import Page
from wares.errors import (
    CursorExpired,
    InputError,
    SettingsError,
    StoreError,
    StoreLocked,
    TrainingError,
    UnknownName,
    WaresError,
)
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
DAY_S = 86_400
SETTINGS = """
[shop]
title = "Corner shop"
currency = "EUR"
[encoder]
source = "none"
[models]
train = ["popular", "popular_lately", "buy_again", "co_bought", "item_knn", "ease"]
"""
NAMES = ("Whole milk", "Oat milk", "Rye bread", "Butter", "Green tea", "Dark coffee", "Milk chocolate", "Jam")
SURFACES = ("search", "browse", "home", "similar", "bought_together", "cart")
OPEN: list[Shop] = []


@pytest.fixture(autouse=True)
def _close_what_was_opened() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def new_shop(folder: Path, more: str = "") -> Shop:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wares.toml").write_text(SETTINGS + more, encoding="utf-8")
    OPEN.append(open_shop(folder))
    return OPEN[-1]


def goods() -> list[Row]:
    return [
        {
            "id": f"p{i}",
            "title": name,
            "brand": ("Acme", "Apex")[i % 2],
            "category": ("Food > Drinks", "Food > Bread")[i % 3 == 2],
            "price": 1 + i / 2,
        }
        for i, name in enumerate(NAMES)
    ]


def bought(shopper: str, product: str, days_ago: float = 1, **more: Any) -> Row:
    then = int((time.time() - days_ago * DAY_S) * 1000)
    return {"kind": "purchase", "time": then, "shopper_id": shopper, "product_id": product, **more}


def habits() -> list[Row]:
    """Each shopper buys two products every week, in one basket."""
    return [
        bought(f"s{s}", f"p{(s + extra) % 8}", 7 * week + s, basket_id=f"{s}-{week}")
        for s in range(5)
        for week in range(1, 5)
        for extra in (0, 1)
    ]


def trained(shop: Shop) -> Shop:
    train_here(shop.folder, silent)
    shop.engine.refresh()
    return shop


def ids(page: Page) -> list[str]:
    return [hit.product.id for hit in page.hits]


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A small trained shop that nobody changes."""
    folder = tmp_path_factory.mktemp("shops") / "corner"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put(goods())
        shop.record(habits())
        train_here(folder, silent)
        yield shop


# -- the whole walk ----------------------------------------------------------------------------------------------------


def test_a_shop_answers_on_every_surface(corner: Shop) -> None:
    assert set(ids(corner.search("milk"))) == {"p0", "p1", "p6"}
    assert corner.browse("Food > Bread").total == 2
    assert ids(corner.recommend("s2"))[:2] in (["p2", "p3"], ["p3", "p2"])
    assert ids(corner.similar("p2", surface="bought_together"))[0] in ("p1", "p3")
    assert "p2" not in ids(corner.similar("p2"))
    assert corner.ask("cart", seeds=["p0", "p1"], shopper="s0").total > 0


def test_prices_are_asked_in_whole_units(corner: Shop) -> None:
    page = corner.browse(filters={"price": {"low": 1.5, "high": 2.5}}, sort="price", facets=["price"])
    assert [hit.product.price_minor for hit in page.hits] == [150, 200, 250]
    assert (page.facets[0].low, page.facets[0].high) == (100, 450)


def test_what_is_put_is_found_at_once_without_training(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    assert shop.search("milk").total == 0
    report = shop.put(goods())
    assert (report.read, report.kept, report.rejected) == (8, 8, 0)
    assert set(ids(shop.search("milk"))) == {"p0", "p1", "p6"}


def test_training_in_a_child_process_takes_effect_at_once(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    shop.put(goods())
    shop.record(habits())
    stages: list[str] = []
    assert shop.browse().snapshot == ""
    name = shop.train(lambda stage, done, total: stages.append(stage))
    assert name == "000001" and "Learning: ease" in stages
    assert shop.recommend("s2").snapshot == name
    assert shop.search("milk").snapshot == name


def test_an_update_changes_what_it_names_and_no_more(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    shop.update([{"id": "p0", "price": 99.5, "stock": 0, "colour": "white"}])
    product = shop.store.catalogue.get(["p0"])["p0"]
    assert (product.price_minor, product.stock, product.title) == (9950, 0, "Whole milk")
    assert product.brand == "Acme" and product.attributes == {"colour": ("white",)}
    assert ids(shop.search("milk"))[-1] == "p0"  # sold out: below all others
    shop.update([{"id": "p0", "title": "Sheep's yoghurt"}])
    assert ids(shop.search("yoghurt")) == ["p0"]
    assert shop.store.catalogue.get(["p0"])["p0"].price_minor == 9950


def test_several_changes_of_one_product_in_one_update_all_count(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    shop.update([{"id": "p0", "price": 5}, {"id": "p1", "title": "Barley drink"}, {"id": "p0", "stock": 3}])
    known = shop.store.catalogue.get(["p0", "p1"])
    assert (known["p0"].title, known["p0"].price_minor, known["p0"].stock) == ("Whole milk", 500, 3)
    assert (known["p1"].title, known["p1"].price_minor, known["p1"].stock) == ("Barley drink", 150, None)


def test_an_update_counts_a_price_in_the_products_own_currency(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    shop.put([{"id": "tea", "title": "Sencha", "price": 500, "currency": "JPY"}])
    shop.update([{"id": "tea", "price": 600}])
    product = shop.store.catalogue.get(["tea"])["tea"]
    assert (product.price_minor, product.currency) == (600, "JPY")


@pytest.mark.parametrize("price", [-4, math.nan, "cheap"])
def test_an_update_with_an_unreadable_price_is_reported_and_keeps_the_old_one(tmp_path: Path, price: Any) -> None:
    shop = trained_shop(tmp_path)
    report = shop.update([{"id": "p0", "price": price, "stock": "many"}])
    assert report.repaired["price is no amount: unknown"] == 1
    assert shop.store.catalogue.get(["p0"])["p0"].price_minor == 100
    shop.update([{"id": "p0", "price": None}])
    assert shop.store.catalogue.get(["p0"])["p0"].price_minor is None


def test_an_update_knows_the_other_names_of_a_field(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    shop.update([{"id": "p0", "image_link": "https://x/y.png", "Price": 7, "item_group_id": "g"}])
    product = shop.store.catalogue.get(["p0"])["p0"]
    assert (product.image_url, product.price_minor, product.group_id) == ("https://x/y.png", 700, "g")


def test_an_update_of_an_unknown_product_says_so_and_changes_nothing(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    with pytest.raises(UnknownName, match="'p99'"):
        shop.update([{"id": "p0", "price": 7}, {"id": "p99", "price": 1}])
    assert shop.store.catalogue.get(["p0"])["p0"].price_minor == 100


def test_a_deleted_product_is_gone_at_once_and_comes_back_with_its_past(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    before = ids(shop.recommend("s2"))
    shop.delete(["p2", "nobody's"])
    assert "p2" not in ids(shop.recommend("s2")) and "p2" not in ids(shop.search("bread"))
    with pytest.raises(UnknownName):
        shop.similar("p2")
    shop.put([row for row in goods() if row["id"] == "p2"])
    assert ids(shop.recommend("s2"))[0] == before[0]


def test_a_product_with_a_new_title_keeps_what_was_learnt_of_it(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    together = ids(shop.similar("p2", surface="bought_together"))[:2]
    shop.update([{"id": "p2", "title": "Dark rye loaf"}])
    assert "p2" in ids(shop.recommend("s2"))[:2]
    assert ids(shop.similar("p2", surface="bought_together"))[:2] == together
    reasons = {hit.product.id: [r.code for r in hit.reasons] for hit in shop.recommend("s2").hits}
    assert "bought_before" in reasons["p2"]


def test_a_surface_without_bought_products_keeps_leaving_out_a_renamed_one(tmp_path: Path) -> None:
    profile = '[profiles.fresh]\nsources = ["popular", "ease"]\nexclude_bought = true\n'
    shop = trained_shop(tmp_path, profile)
    assert not {"p2", "p3"} & set(ids(shop.recommend("s2", surface="fresh")))
    shop.update([{"id": "p2", "title": "Dark rye loaf"}])
    assert not {"p2", "p3"} & set(ids(shop.recommend("s2", surface="fresh")))


def test_an_event_changes_the_next_recommendation(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    stranger = shop.recommend("new")
    assert any("'new' is not known yet" in note for note in stranger.notes)
    shop.record([bought("new", "p7", n / 24) for n in range(1, 4)])
    page = shop.recommend("new")
    assert ids(page)[0] != ids(stranger)[0] or ids(page) != ids(stranger)
    assert not page.notes


def test_a_repeated_event_counts_once(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    feed = [bought("s0", "p5", 0.5, id="e1"), bought("s0", "p5", 0.4)]
    assert shop.record(feed).repeated == 0
    again = shop.record(feed)
    assert again.repeated == 2 and "2 events were known already" in again.notes[-1]


def test_an_erased_shopper_is_a_stranger_everywhere(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    shop.put_shoppers([{"shopper_id": "s2", "age": "35-44"}])
    shop.log_impressions()
    shop.recommend("s2")
    shop.record([bought("s2", "p5")])
    assert shop._engine is not None and shop._engine.live.size()[2] == 1
    assert shop.erase_shopper("s2") == 9
    assert shop._engine.live.size()[2] == 0  # nor is it remembered until the next training
    assert shop.store.shoppers.get("s2") is None
    assert ids(shop.recommend("s2")) == ids(shop.recommend("nobody"))
    assert any("'s2' is not known yet" in note for note in shop.recommend("s2").notes)
    assert shop.erase_shopper("s2") == 0
    trained(shop)
    assert ids(shop.recommend("s2")) == ids(shop.recommend("nobody"))


def trained_shop(folder: Path, more: str = "") -> Shop:
    shop = new_shop(folder / "shop", more)
    shop.put(goods())
    shop.record(habits())
    return trained(shop)


def test_a_closed_shop_lets_the_next_writer_in_and_forgets_nothing(tmp_path: Path) -> None:
    with new_shop(tmp_path / "shop") as shop:
        shop.put(goods())
    shop.close()
    with open_shop(tmp_path / "shop") as again:
        again.put([{"id": "late", "title": "Late milk"}])
        assert again.search("milk").total == 4


# -- shops that are hardly there ---------------------------------------------------------------------------------------

Fill = Callable[[Shop], object]
SPARSE: dict[str, Fill] = {
    "nothing": lambda shop: None,
    "one product": lambda shop: shop.put(goods()[:1]),
    "one event": lambda shop: shop.record([bought("s1", "p0")]),
    "one product, one event": lambda shop: (shop.put(goods()[:1]), shop.record([bought("s1", "p0")])),
    "only events": lambda shop: shop.record(habits()),
    "only a catalogue": lambda shop: shop.put(goods()),
    "only refunds": lambda shop: (shop.put(goods()), shop.record([bought("s1", "p0", quantity=-1)])),
    "only anonymous events": lambda shop: (shop.put(goods()), shop.record([bought("", "p0"), bought("", "p1")])),
    "products without titles": lambda shop: shop.put([{"id": "a"}, {"id": "b"}]),
    "nothing for sale": lambda shop: shop.put([row | {"stock": 0} for row in goods()]),
}


@pytest.mark.parametrize("learnt", [False, True], ids=["untrained", "trained"])
@pytest.mark.parametrize("fill", SPARSE.values(), ids=SPARSE)
def test_a_sparse_shop_answers_on_every_surface(tmp_path: Path, fill: Fill, learnt: bool) -> None:
    shop = new_shop(tmp_path / "shop", "[models.als]\nfactors = 4\n")
    fill(shop)
    if learnt:
        trained(shop)
    n = int(shop.engine.live.state.columns.alive.sum())
    for surface in SURFACES:
        for sort in ("relevance", "price", "newest", "best_selling"):
            for shopper in (None, "s1", "stranger"):
                page = shop.ask(surface, shopper=shopper, sort=sort, facets=["brand", "price"], seeds=["p0"])
                assert page.total == len(page.hits) <= n
    assert shop.search("whole milk").total <= n
    assert shop.browse().total == n
    assert (shop.browse().snapshot == "000001") == learnt


def test_a_shop_trained_on_only_events_recommends_products_once_they_come(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    shop.record(habits())
    trained(shop)
    shop.put(goods())
    assert shop.browse(sort="best_selling").total == 8
    assert trained(shop).recommend("s2").hits[0].product.id in ("p2", "p3")


def test_evaluating_where_nothing_can_be_measured_says_why(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    with pytest.raises(TrainingError, match="wares train"):
        shop.evaluate()
    shop.put(goods())
    trained(shop)
    with pytest.raises(WaresError):
        shop.evaluate()


# -- odd questions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["x" * 10_000, "milk " * 2_000, "😀" * 10_000, "牛" * 10_000])
def test_a_query_of_10000_characters_is_answered_and_said_to_be_cut(corner: Shop, query: str) -> None:
    page = corner.search(query)
    assert any("first 500 characters" in note for note in page.notes)
    assert page.took_ms < 2_000


@pytest.mark.parametrize("query", ["", " ", "\t\n  ", " " * 10_000, "\u3000"])
def test_a_query_of_spaces_is_one_without_words(corner: Shop, query: str) -> None:
    assert corner.search(query).total == 8


@pytest.mark.parametrize(
    "query", ["😀", "👩‍👩‍👧‍👦🍞", "鹿角", "!!!", "\x00", "%", "\ud800", "ﷺ", "*" * 50, "'; DROP TABLE"]
)
def test_a_query_of_signs_that_no_product_has_finds_nothing(corner: Shop, query: str) -> None:
    assert corner.search(query).total == 0


def test_what_the_shop_sells_is_found_in_another_language(corner: Shop) -> None:
    assert set(ids(corner.search("牛奶"))) == set(ids(corner.search("milk")))


def test_a_slip_is_mended_and_the_answer_says_so_with_the_way_back(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    shop.put([{"id": f"c{i}", "title": f"chocolate bar {i}"} for i in range(12)])
    page = trained(shop).search("choclate")
    assert (page.correction, page.total) == ("chocolate", 12)
    assert shop.search("chocolate").correction == ""
    assert shop.search("choclate", as_typed=True).correction == ""


def test_matched_words_are_shown_as_the_shops_language_reads_them(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text(SETTINGS.replace("[shop]", '[shop]\nlanguage = "de"'), encoding="utf-8")
    with open_shop(tmp_path) as shop:
        shop.put([{"id": "a", "title": "Rote Schuhe"}])
        assert trained(shop).search("rot").hits[0].highlights["title"] == "<mark>Rote</mark> Schuhe"


def test_a_wish_in_words_narrows_until_the_shopper_takes_it_back(corner: Shop) -> None:
    page = corner.search("milk under 2 €")
    (wish,) = page.wishes
    assert {hit.product.price_minor for hit in page.hits} <= set(range(201))
    assert 0 < page.total < corner.search("milk").total
    assert corner.search("milk under 2 €", without_wishes=[wish.key]).wishes == ()


def test_the_words_of_a_strict_wish_agree_with_totals_facets_and_pages(corner: Shop) -> None:
    page = corner.search("milk under 2 €", facets=["brand"], k=1)
    for value in page.facets[0].values:
        assert corner.search("milk under 2 €", filters={"brand": value.value}).total == value.count
    assert page.total == len(corner.search("milk under 2 €", k=1000).hits)


def test_a_wish_that_nothing_meets_is_let_go_with_a_note(corner: Shop) -> None:
    page = corner.search("milk under 0.01 €")
    assert page.total == corner.search("milk").total
    assert any("meets every wish" in note for note in page.notes)


def test_what_is_being_typed_is_completed(corner: Shop) -> None:
    assert "oat milk" in [suggestion.text.lower() for suggestion in corner.suggest("oat")]
    assert corner.suggest("zzzz") == []
    for k in (0, 101):
        with pytest.raises(InputError, match=rf"k is {k}"):
            corner.suggest("oat", k=k)


def test_emoji_beside_a_word_do_not_matter(corner: Shop) -> None:
    assert set(ids(corner.search("🥛 milk 😀"))) == set(ids(corner.search("milk")))


def test_chinese_titles_are_found(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    shop.put([{"id": "a", "title": "纯牛奶 1L"}, {"id": "b", "title": "全麦面包"}])
    assert ids(shop.search("牛奶")) == ["a"]
    assert ids(trained(shop).search("面包")) == ["b"]


@pytest.mark.parametrize("k", [-1, 1001, 10**9])
def test_an_impossible_page_size_is_refused_with_what_is_possible(corner: Shop, k: int) -> None:
    with pytest.raises(InputError, match=rf"k is {k}; it must lie in 0\.\.1000"):
        corner.search("milk", k=k)


def test_a_page_of_no_hits_counts_all_the_same(corner: Shop) -> None:
    asked = corner.search("milk", k=0, facets=["brand"])
    full = corner.search("milk", facets=["brand"])
    assert (asked.hits, asked.total, asked.facets, asked.cursor) == ((), full.total, full.facets, "")


def test_a_page_further_down_is_the_rest_of_the_whole(corner: Shop) -> None:
    whole = ids(corner.browse(k=8))
    assert ids(corner.browse(k=3, offset=4)) == whole[4:7]
    assert ids(corner.browse(k=3, offset=99)) == []
    with pytest.raises(InputError, match="offset is -1; it must be 0 or more"):
        corner.browse(offset=-1)


def test_a_filter_as_a_value_may_choose_between_fields(corner: Shop) -> None:
    cheap_or_bread = Either((Between("price", high=1.5), AnyOf("category", ("Food > Bread",))))
    found = corner.browse(filters=Filter((cheap_or_bread,)), k=8)
    of_bread, cheap = corner.browse("Food > Bread", k=8), corner.browse(filters={"price": {"high": 1.5}}, k=8)
    assert 0 < found.total < 8
    assert set(ids(found)) == set(ids(of_bread)) | set(ids(cheap))


def test_facets_can_count_the_hits_as_they_are(corner: Shop) -> None:
    chosen = AnyOf("brand", ("Acme",))
    open_, narrow = (
        corner.browse(filters=Filter((chosen,), narrows_facets=narrows), facets=["brand"]).facets[0].values
        for narrows in (False, True)
    )
    assert {value.value: value.count > 0 for value in open_} == {"Acme": True, "Apex": True}
    assert [value.value for value in narrow] == ["Acme"]


def test_a_facet_gives_as_many_values_as_are_asked_for(corner: Shop) -> None:
    assert len(corner.browse(facets=["category"], facet_values=1).facets[0].values) == 1


def test_a_page_size_above_the_catalogue_gives_all_of_it(corner: Shop) -> None:
    page = corner.browse(k=1000)
    assert (len(page.hits), page.total, page.cursor) == (8, 8, "")


@pytest.mark.parametrize(
    ("asked", "known", "hint"),
    [
        ({"surface": "serach"}, "home", "'search'"),
        ({"surface": "search", "filters": {"brnad": "Acme"}}, "category", "'brand'"),
        ({"surface": "search", "facets": ["brnad"]}, "category", "'brand'"),
        ({"surface": "search", "sort": "pirce"}, "newest", "'price'"),
        ({"surface": "search", "filters": {"brand": {"low": 1}}}, "published", ""),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(
    corner: Shop, asked: dict[str, Any], known: str, hint: str
) -> None:
    with pytest.raises(UnknownName) as fault:
        corner.ask(**asked)
    assert known in fault.value.known
    assert not hint or f"Did you mean {hint}?" in str(fault.value)


@pytest.mark.parametrize(
    "choice", [{}, [], "", {"low": 3, "high": 1}, {"lo": 1}, {"low": "cheap"}, 5, None, {"low": math.nan}]
)
def test_a_filter_that_cannot_be_read_is_refused(corner: Shop, choice: Any) -> None:
    with pytest.raises(InputError, match="filter"):
        corner.browse(filters={"price": choice})


def test_an_unknown_value_of_a_known_filter_finds_nothing(corner: Shop) -> None:
    assert corner.browse(filters={"brand": "Nobody's"}).total == 0
    assert corner.browse("No such category").total == 0


def test_an_unknown_shopper_gets_what_everybody_gets_and_is_told(corner: Shop) -> None:
    page = corner.recommend("stranger")
    assert ids(page) == ids(corner.recommend()) and page.total > 0
    assert any("'stranger' is not known yet" in note for note in page.notes)


@pytest.mark.parametrize("shopper", ["", " ", "x" * 100_000, "\x00", "😀", "\ud800"])
def test_odd_shopper_ids_do_no_harm(corner: Shop, shopper: str) -> None:
    assert corner.recommend(shopper).total > 0


def test_unknown_seeds_are_noted(corner: Shop) -> None:
    assert "Product 'p99' is not in the catalogue." in corner.ask("cart", seeds=["p99", "p1"]).notes
    with pytest.raises(UnknownName, match="'p99'"):
        corner.similar("p99")


@pytest.mark.parametrize("cursor", ["nonsense", ".", "a.", ".5", "a.-1", "a.1e5", "😀.1", "a." + "9" * 50])
def test_what_is_no_cursor_is_refused(corner: Shop, cursor: str) -> None:
    with pytest.raises(InputError):
        corner.browse(cursor=cursor)


def test_a_cursor_lasts_ten_minutes_after_its_last_use(corner: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("wares.engine.cursors.time.monotonic", lambda: now[0])
    cursor = corner.browse(k=3).cursor
    for _ in range(3):
        now[0] += 590
        assert len(corner.browse(k=3, cursor=cursor).hits) == 3
    now[0] += 601
    with pytest.raises(CursorExpired, match="10 minutes"):
        corner.browse(k=3, cursor=cursor)


def test_a_cursor_goes_on_in_the_old_order_after_a_training(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    whole, first = ids(shop.browse()), shop.browse(k=3)
    shop.record([bought("s9", "p7", 0.1, quantity=n) for n in range(1, 40)])
    trained(shop)
    second = shop.browse(k=5, cursor=first.cursor)
    assert ids(first) + ids(second) == whole
    assert second.snapshot == "000001" and shop.browse().snapshot == "000002"


# -- odd feeds ---------------------------------------------------------------------------------------------------------


def test_an_event_on_an_unknown_product_is_kept_and_used_once_it_comes(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    report = shop.record([bought("s1", "late", n / 10, basket_id=f"b{n}") for n in range(1, 6)])
    assert report.kept == 5
    assert shop.recommend("s1").total > 0
    shop.put([{"id": "late", "title": "Late arrival"}])
    assert ids(shop.browse(sort="best_selling")).index("late") < 8
    assert shop.engine.live.purchases(int(time.time() * 1000))[-1] > 4
    assert ids(trained(shop).recommend("s1"))[0] == "late"


def test_an_event_from_the_future_is_reported_and_loses_no_other(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    report = shop.record([bought("s1", "p0"), bought("s1", "p0", -30), bought("s1", "p1")])
    assert report.rejected_by_reason == {"in the future": 1} and report.kept == 2
    assert report.rejections[0].examples[0].line == 2
    assert shop.store.events.last() == 2


def test_nan_and_negative_numbers_are_reported_and_the_rows_kept(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    report = shop.put(
        [
            {"id": "a", "title": "Nan", "price": math.nan},
            {"id": "b", "title": "Below", "price": -5},
            {"id": "c", "title": "Endless", "price": math.inf, "stock": -3},
            {"id": "d", "title": math.nan, "price": "1e400"},
        ]
    )
    assert report.kept == 4 and report.repaired["price is no amount: unknown"] == 4
    assert report.repaired["negative stock: 0"] == 1
    page = shop.browse(sort="price", facets=["price"])
    assert page.total == 4 and all(hit.product.price_minor is None for hit in page.hits)
    told = shop.record([bought("s", "a", quantity=math.nan), bought("s", "a", value=math.nan, quantity=-2)])
    assert told.kept == 2 and told.repaired["quantity is no number: 1"] == 1
    assert trained(shop).recommend("s").total > 0


def test_a_title_of_10_mb_is_cut_and_said_so(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    report = shop.put([{"id": "big", "title": "milk " * 2_000_000, "description": "tea"}, {"id": "b", "title": "tea"}])
    assert report.kept == 2 and report.repaired["title cut"] == 1
    assert len(shop.store.catalogue.get(["big"])["big"].title) <= 20_000
    assert set(ids(shop.search("tea"))) == {"big", "b"}
    assert ids(trained(shop).search("milk")) == ["big"]


def test_rows_without_an_id_and_repeated_ids_are_reported(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    report = shop.put([{"title": "nameless"}, {"id": "a", "title": "first"}, {"id": "a", "title": "second"}, {}])
    assert report.rejected_by_reason == {"no id": 2} and report.read == 4
    assert shop.store.catalogue.get(["a"])["a"].title == "second"


def test_an_empty_feed_changes_nothing(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    assert shop.put([]).read == shop.record([]).read == shop.update([]).read == 0
    shop.delete([])
    for text in ("", "id,title\n"):
        (tmp_path / "products.csv").write_text(text)
        try:
            assert shop.put(tmp_path / "products.csv").kept == 0
        except InputError as error:
            assert "products.csv" in str(error)


# -- writers, folders, plugins -----------------------------------------------------------------------------------------


def test_a_second_writer_is_told_who_writes_and_reading_goes_on(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    shop.put(goods())
    code = "import sys; from wares.shop import open_shop; s = open_shop(sys.argv[1]); "
    command = [sys.executable, "-c", code + "print(s.search('milk').total); s.put([{'id': 'x'}])", str(shop.folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.stdout == "3\n" and told.returncode == 1
    assert "StoreLocked" in told.stderr and "Reading goes on" in told.stderr
    with open_shop(tmp_path / "shop") as second, pytest.raises(StoreLocked):
        second.put([])
    shop.put([{"id": "x", "title": "still the writer"}])


def test_threads_that_write_first_at_the_same_time_share_one_lock(tmp_path: Path) -> None:
    with new_shop(tmp_path / "shop") as made:
        made.put(goods())
    shop, faults = open_shop(tmp_path / "shop"), []
    OPEN.append(shop)
    together = threading.Barrier(6)

    def write(i: int) -> None:
        try:
            together.wait()
            shop.record([bought("s1", f"p{i}")])
            shop.search("milk")
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert shop.store.events.last() == 6


def test_a_folder_without_a_shop_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_shop(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_wrong_settings_stop_a_shop_and_leave_the_lock_free(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="coverage"):
        new_shop(tmp_path / "shop", "[search]\ncoverge = 1\n")
    new_shop(tmp_path / "shop").put(goods())


PARTS = '''
from dataclasses import replace
import numpy as np
from wares.domain.result import Reason
from wares.domain.scores import Scores


class Margin:
    """The dearest first."""

    name = "margin"

    def score(self, intent, view, rows=None):
        prices = np.nan_to_num(view.columns.numbers["price"]).astype(np.float32)
        return prices if rows is None else prices[rows]

    def reason(self, row, intent, view):
        return Reason("margin", (view.columns.ids[row],))


class Shelf(Margin):
    """Two products, named without a look at the others."""

    name = "shelf"

    def score(self, intent, view, rows=None):
        said = self.says(intent, view)
        return said.all() if rows is None else said.at(rows)

    def says(self, intent, view):
        rows = np.array([2, 5], np.int32)
        return Scores(len(view.columns), super().score(intent, view, rows), rows)


class Backwards:
    def score(self, features, names):
        return -features[:, list(names).index("margin")]


class Two:
    name = "two"

    def arrange(self, slate, intent, view):
        return slate.take(slice(0, 2))
'''
OWN = """
[plugins]
margin = "parts.py:Margin"
shelf = "parts.py:Shelf"
backwards = "parts.py:Backwards"
two = "parts.py:Two"
[profiles.dear]
sources = ["margin"]
formula = { margin = 1.0 }
policies = []
[profiles.shelf]
sources = ["shelf", "margin"]
formula = { shelf = 1.0 }
k_per_source = 1
policies = []
[profiles.cheap]
sources = ["margin"]
ranker = "backwards"
policies = ["two", "rules"]
"""


def test_a_shops_own_source_ranker_and_policy_answer_their_surface(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "parts.py").write_text(PARTS)
    shop = new_shop(tmp_path / "shop", OWN)
    shop.put(goods())
    dear = shop.recommend(surface="dear")
    assert ids(dear) == [f"p{i}" for i in range(7, -1, -1)]
    assert dear.hits[0].reasons[0].code == "margin" and dear.hits[0].reasons[0].shown == ("Jam",)
    cheap = shop.recommend(surface="cheap")
    assert ids(cheap) == ["p0", "p1"] and cheap.total == 2
    shelf = shop.recommend(surface="shelf")  # each of both sources proposes one
    assert ids(shelf) == ["p5", "p7"]
    assert [hit.features["shelf"] for hit in shelf.hits] == [
        hit.features["margin"] * (i == 0) for i, hit in enumerate(shelf.hits)
    ]


def test_a_plugin_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "parts.py").write_text("class Margin\n")
    shop = new_shop(tmp_path / "shop", OWN)
    with pytest.raises(SettingsError, match=r"parts\.py:1"):
        shop.browse()


def test_a_failed_training_leaves_the_last_snapshot_serving(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    before = ids(shop.recommend("s2"))
    (shop.folder / "wares.toml").write_text(SETTINGS + "[models.ease]\nno_such_number = 1\n", encoding="utf-8")
    with pytest.raises(TrainingError):
        shop.train()
    (shop.folder / "wares.toml").write_text("[search]\ncoverage = 7\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="coverage"):
        shop.train()
    page = shop.recommend("s2")
    assert page.snapshot == "000001" and ids(page) == before
    assert not [path for path in (shop.folder / "snapshots").iterdir() if path.name.endswith(".part")]


def test_ctrl_c_while_training_leaves_the_last_snapshot_serving(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    before = ids(shop.recommend("s2"))

    def impatient(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.train(impatient)
    assert sorted(path.name for path in (shop.folder / "snapshots").iterdir()) == ["000001", "CURRENT"]
    assert ids(shop.recommend("s2")) == before
    assert shop.train() == "000002"


# -- tables ------------------------------------------------------------------------------------------------------------


def test_a_page_becomes_a_table_with_a_row_per_hit(corner: Shop) -> None:
    page = corner.recommend("s2")
    table = page.to_polars()
    columns = ["rank", "id", "title", "brand", "price_minor", "currency", "score", "priority", "reasons", "variants"]
    assert table.columns == columns
    assert table["rank"].to_list() == list(range(1, len(page.hits) + 1))
    assert table["id"].to_list() == ids(page)
    assert "bought_before" in table["reasons"].to_list()[0]
    assert corner.search("nothing like it").to_polars().columns == columns


def test_an_evaluation_becomes_a_table_with_a_row_per_system(corner: Shop) -> None:
    found = corner.evaluate(days=14)
    table = found.to_polars()
    assert table.height == len(found.lines) > 5
    assert {"system", "recall@10"} <= set(table.columns)
    assert "wares" in table["system"].to_list()


# -- reading beside a writer -------------------------------------------------------------------------------------------


def test_a_reader_takes_no_lock_and_sees_what_the_writer_wrote(tmp_path: Path) -> None:
    shop = trained_shop(tmp_path)
    with open_shop(shop.folder, create=False) as reader:
        assert reader.search("milk").total == 3
        shop.put([{"id": "late", "title": "Late milk"}])
        reader.engine.refresh()
        assert reader.search("milk").total == 4
    shop.close()
    with open_shop(shop.folder, create=False) as reader:
        with open_shop(shop.folder) as writer:
            writer.put([{"id": "later", "title": "Later milk"}])
        reader.put([{"id": "last", "title": "Last milk"}])  # the first write takes the lock
        assert reader.search("milk").total == 6
