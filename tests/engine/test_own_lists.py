"""What a shopper looked at, wished for and hid: lists of their own, and what they never want to see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wares
from wares.shop import Shop

SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "co_bought", "buy_again"]\n'
NOW = 1_790_000_000
GOODS: list[dict[str, Any]] = [
    {"id": "milk", "title": "Whole milk", "category": "Food > Milk", "price": 2.0},
    {"id": "skim", "title": "Skim milk", "category": "Food > Milk", "price": 2.2},
    {"id": "cream", "title": "Clotted milk cream", "category": "Food > Milk", "price": 9.0},
    {"id": "brie", "title": "Milk cheese", "category": "Food > Cheese", "price": 2.1},
    {"id": "tea-s", "title": "Green tea", "category": "Tea", "price": 3.0, "group_id": "tea", "size": "small"},
    {"id": "tea-l", "title": "Green tea", "category": "Tea", "price": 5.0, "group_id": "tea", "size": "large"},
]
OWN = ("recent", "wish_list", "hidden", "alternatives", "buy_again", "ideas")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "wares.toml").write_text(SETTINGS)
    with wares.open(tmp_path) as opened:
        opened.put(GOODS)
        yield opened


def did(shop: Shop, *acts: str, shopper: str = "ann", start: int = NOW) -> None:
    """ "view milk", one a minute."""
    rows = []
    for minute, act in enumerate(acts):
        kind, product = act.split()
        rows.append({"kind": kind, "product_id": product, "shopper_id": shopper, "time": start + 60 * minute})
    shop.record(rows)


def shown(shop: Shop, surface: str, shopper: str | None = "ann", **more: Any) -> list[str]:
    return [hit.product.id for hit in shop.ask(surface, shopper=shopper, **more).hits]


@pytest.mark.parametrize("surface", OWN)
def test_a_new_shop_answers_every_list_with_nothing(tmp_path: Path, surface: str) -> None:
    (tmp_path / "wares.toml").write_text(SETTINGS)
    with wares.open(tmp_path) as empty:
        assert shown(empty, surface, None) == shown(empty, surface, "ann") == []
        assert shown(empty, surface, seeds=["nothing"]) == []


@pytest.mark.parametrize("surface", ["recent", "wish_list", "hidden", "buy_again"])
def test_who_gives_no_id_has_no_list(shop: Shop, surface: str) -> None:
    did(shop, "view milk", "wish milk", "hide brie")
    assert shown(shop, surface, None) == []
    assert shown(shop, surface, "bob") == []


def test_what_was_viewed_comes_back_latest_first_and_once(shop: Shop) -> None:
    did(shop, "view milk", "view brie", "view tea-s", "view milk", "cart skim")
    assert shown(shop, "recent") == ["milk", "tea-s", "brie"]
    assert shown(shop, "recent", seeds=["milk"]) == ["tea-s", "brie"], "the page shows it already"
    assert shop.ask("recent", shopper="ann").hits[0].reasons[0].code == "recently_viewed"


def test_one_view_of_an_anonymous_shopper_is_enough(shop: Shop) -> None:
    did(shop, "view brie", shopper="cookie-7")
    assert shown(shop, "recent", "cookie-7") == ["brie"]


def test_what_was_viewed_follows_its_product_through_changes(shop: Shop) -> None:
    did(shop, "view milk", "view brie", "view skim")
    shop.put([{**GOODS[0], "title": "Whole milk, now in glass"}])
    assert shown(shop, "recent") == ["skim", "brie", "milk"]
    shop.update([{"id": "brie", "available": False}])
    assert shown(shop, "recent") == ["skim", "milk"], "what cannot be bought is left out"
    shop.delete(["skim"])
    assert shown(shop, "recent") == ["milk"]


def test_variants_that_were_viewed_are_one_hit_the_later_one(shop: Shop) -> None:
    did(shop, "view tea-l", "view tea-s")
    (hit,) = shop.ask("recent", shopper="ann").hits
    assert (hit.product.id, hit.variants) == ("tea-s", ("tea-l",))


def test_a_wish_stays_until_it_is_taken_back(shop: Shop) -> None:
    did(shop, "wish milk", "wish brie", "unwish milk")
    assert shown(shop, "wish_list") == ["brie"]
    did(shop, "wish milk", start=NOW + 900)
    assert shown(shop, "wish_list") == ["milk", "brie"]


def test_a_wish_that_sold_out_stands_in_its_place(shop: Shop) -> None:
    did(shop, "wish milk", "wish brie", "wish skim")
    shop.update([{"id": "brie", "available": False}])
    assert shown(shop, "wish_list") == ["skim", "brie", "milk"]


def test_each_wished_variant_is_a_wish(shop: Shop) -> None:
    did(shop, "wish tea-s", "wish tea-l")
    assert shown(shop, "wish_list") == ["tea-l", "tea-s"]


def test_what_was_hidden_is_gone_from_the_next_answer_and_comes_back(shop: Shop) -> None:
    did(shop, "view milk", "view skim", "hide milk")
    assert shown(shop, "recent") == ["skim"]
    assert shown(shop, "hidden") == ["milk"]
    assert "milk" in shown(shop, "browse", "bob"), "others see it as before"
    did(shop, "unhide milk", start=NOW + 900)
    assert shown(shop, "recent") == ["skim", "milk"]
    assert shown(shop, "hidden") == []


@pytest.mark.parametrize("kind", ["wish", "like", "cart", "purchase"])
def test_who_wants_it_after_all_sees_it_again(shop: Shop, kind: str) -> None:
    did(shop, "hide milk", f"{kind} milk")
    assert "milk" in shown(shop, "browse")


def test_a_view_brings_nothing_back(shop: Shop) -> None:
    did(shop, "hide milk", "view milk")
    assert "milk" not in shown(shop, "browse")


def test_a_search_leaves_out_what_was_hidden_counts_without_it_and_says_so(shop: Shop) -> None:
    before = shop.search("milk", shopper="ann", facets=["category"])
    did(shop, "hide skim")
    after = shop.search("milk", shopper="ann", facets=["category"])
    assert "skim" in [hit.product.id for hit in before.hits]
    assert "skim" not in [hit.product.id for hit in after.hits]
    assert after.total == before.total - 1 == len(after.hits)
    counts = [{value.value: value.count for value in page.facets[0].values} for page in (before, after)]
    assert counts[1]["Food > Milk"] == counts[0]["Food > Milk"] - 1
    assert any("hid it" in note for note in after.notes)
    assert shop.search("tea", shopper="ann").notes == ()


def test_a_hidden_product_goes_with_its_variants(shop: Shop) -> None:
    did(shop, "hide tea-s")
    assert not {"tea-s", "tea-l"} & set(shown(shop, "browse"))


def test_a_hidden_product_stays_hidden_when_its_text_changes(shop: Shop) -> None:
    did(shop, "hide milk")
    shop.put([{**GOODS[0], "title": "Whole milk, now in glass"}])
    assert "milk" not in shown(shop, "browse")


def test_a_shop_may_show_what_was_hidden(shop: Shop, tmp_path: Path) -> None:
    did(shop, "hide milk")
    shop.close()
    (tmp_path / "wares.toml").write_text(SETTINGS + "[profiles.browse]\nexclude_hidden = false\n")
    with wares.open(tmp_path) as opened:
        assert "milk" in shown(opened, "browse")


def test_an_alternative_is_of_the_same_kind_in_stock_and_near_in_price(shop: Shop) -> None:
    shop.update([{"id": "milk", "available": False}])
    assert shown(shop, "alternatives", None, seeds=["milk"]) == ["skim", "cream"], "no cheese, and the dearer last"
    shop.update([{"id": "skim", "available": False}])
    assert shown(shop, "alternatives", None, seeds=["milk"]) == ["cream"]
    assert shown(shop, "alternatives", None, seeds=["tea-s"]) == [], "a variant is the same thing"
    (hit,) = shop.ask("alternatives", seeds=["milk"]).hits
    assert [(reason.code, reason.shown) for reason in hit.reasons] == [("like_this", ("Whole milk",))]


def test_lists_are_as_before_after_a_training(shop: Shop) -> None:
    did(shop, "view milk", "view brie", "wish tea-s", "hide skim")
    before = [shown(shop, surface) for surface in ("recent", "wish_list", "hidden")]
    shop.train()
    assert [shown(shop, surface) for surface in ("recent", "wish_list", "hidden")] == before
    did(shop, "unwish tea-s", "view cream", start=NOW + 900)
    assert shown(shop, "wish_list") == []
    assert shown(shop, "recent") == ["cream", "brie", "milk"]


def test_ideas_are_what_sells_and_was_not_bought_yet(shop: Shop) -> None:
    did(shop, "purchase milk", "purchase brie", shopper="bob")
    did(shop, "purchase milk", "purchase tea-s", shopper="cleo")
    did(shop, "purchase brie")
    shop.train()
    ideas = shown(shop, "ideas")
    assert ideas[0] == "milk" and "brie" not in ideas
    assert "milk" not in shown(shop, "ideas", seeds=["milk"])
    assert "brie" in shown(shop, "ideas", None)
