"""A search by someone the shop knows: their own choice among what answers the query, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_shop import DAY_MS, NOW_MS, bought, learnt, product, settings_of

from wares.domain.event import Event
from wares.domain.product import Product
from wares.domain.request import Request
from wares.engine.assembly import Engine
from wares.store.sqlite import Store

MODELS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "buy_again", "item_knn", "ease"]\n'


def goods() -> list[Product]:
    """Three fresh milks that match alike, one of them twice under two prices; and what only mentions milk."""
    return [
        product("red", "red farm milk litre", price_minor=100),
        product("plain", "farm milk litre", price_minor=100),
        product("green", "green farm milk litre", price_minor=100),
        product("green-dear", "green farm milk litre", price_minor=300),
        product("bar", "chocolate bar nuts crunch box", description="goes with coffee and tea and a glass of milk"),
        product("rye", "rye bread loaf sliced"),
    ]


def habits() -> list[Event]:
    """Everybody buys the red milk; ann the dear green one and the bar, again and again."""
    crowd = [bought(f"s{i}", "red", day, basket_id=f"s{i}-{day}") for i in range(8) for day in (40, 20, 5)]
    own = [
        bought("ann", each, day, basket_id=f"ann-{day}") for day in (40, 30, 20, 10) for each in ("green-dear", "bar")
    ]
    return [*crowd, *own]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    folder = tmp_path / "shop"
    settings = settings_of(folder, MODELS)
    with Store.open(folder, "write") as store:
        store.catalogue.put(goods())
        store.events.append(habits())
        yield Engine(folder, settings, store, None, learnt(store, settings, folder))


def found(engine: Engine, query: str, shopper: str | None) -> list[str]:
    page = engine.ask(Request("search", NOW_MS + DAY_MS, query=query, shopper_id=shopper, k=10))
    return [hit.product.id for hit in page.hits]


def test_a_shopper_finds_first_what_they_buy_of_a_kind(engine: Engine) -> None:
    assert found(engine, "milk", None)[0] == "red"
    assert found(engine, "milk", "ann")[0] == "green-dear"


def test_the_variant_that_is_bought_stands_for_its_group(engine: Engine) -> None:
    assert "green-dear" not in found(engine, "milk", None)
    mine = found(engine, "milk", "ann")
    assert "green" not in mine
    assert "green-dear" in mine


def test_an_explained_hit_tells_what_being_known_added_to_its_score(engine: Engine) -> None:
    request = Request("search", NOW_MS + DAY_MS, query="milk", shopper_id="ann", k=10, explain=True)
    parts = {hit.product.id: hit.parts["buy_again"] for hit in engine.ask(request).hits}
    assert parts["green-dear"] > 0
    assert [parts[one] for one in ("red", "plain", "bar")] == [0, 0, 0]


def test_a_favourite_that_only_mentions_the_word_does_not_pass_what_is_meant(engine: Engine) -> None:
    mine = found(engine, "milk", "ann")
    assert mine.index("bar") > max(mine.index(one) for one in ("red", "plain", "green-dear"))


def test_who_names_a_product_gets_it_before_what_they_usually_buy(engine: Engine) -> None:
    mine = found(engine, "farm milk litre", "ann")
    assert mine.index("plain") < mine.index("green-dear")


def test_a_stranger_gets_what_everybody_gets(engine: Engine) -> None:
    assert found(engine, "milk", "nobody") == found(engine, "milk", None)
