"""Totals, facets and pages tell the same story, whatever is asked and whatever the shopkeeper wishes."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wares.app.bench.agreement import check_agreement
from wares.domain.result import Page
from wares.engine.rules.book import RuleBook
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
DAY_MS = 86_400_000
START_MS = 1_780_000_000_000
SETTINGS = """
[shop]
currency = "EUR"
[encoder]
source = "none"
[models]
train = ["popular", "popular_lately", "buy_again", "item_knn", "co_bought"]
[search]
rank_depth = 20
"""
RULES = """
[[rules]]
when = { surface = "search" }
pin = { "p3" = 1, "p7" = 4, "never" = 2, "p11" = 900 }
hide = ["p5", "p6"]
[[rules]]
when = { query = "milk" }
pin = { "p20" = 2, "p5" = 1 }
boost = [{ where = { brand = "Acme" }, factor = 1.8 }]
[[rules]]
when = { query = "tea" }
filter = { brand = { not = ["Zenith"] }, price = { high = 900 } }
[[rules]]
when = { category = "Food > Bread" }
bury = [{ where = { colour = "red" }, factor = 0.2 }]
"""
WORDS = ("milk", "bread", "rye", "oat", "whole", "dark", "green", "tea", "cake", "berries", "苹果", "牛奶")
WISHES = ("", "", "", " under 3 €", " over 100 €", " -tea", " without oat", " not red", " cheap", "，10欧元以下")
BRANDS = ("Acme", "Apex", "Zenith", "")
CATEGORIES = ("Food > Bread", "Food > Milk", "Food", "Home > Kitchen > Cups", "")
COLOURS = ("red", "blue", "green")


def row(name: str, draw: random.Random) -> Row:
    """A product with few distinct values, so that many are variants by all that is shown."""
    made: Row = {
        "id": name,
        "title": " ".join(draw.sample(WORDS, draw.randint(1, 2))),
        "brand": draw.choice(BRANDS),
        "category": draw.choice(CATEGORIES),
    }
    if draw.random() < 0.8:
        made["price"] = draw.choice((1, 2.5, 2.5, 9.99, 20))
    if draw.random() < 0.5:
        made["colour"] = draw.sample(COLOURS, draw.randint(1, 3))
    if draw.random() < 0.2:
        made["item_group_id"] = f"g{draw.randint(0, 3)}"
    if draw.random() < 0.2:
        made["stock"] = draw.randint(0, 1)
    if draw.random() < 0.5:
        made["published"] = START_MS + draw.randint(0, 9) * DAY_MS
    return made


def purchases(names: list[str], draw: random.Random, n: int = 80) -> list[Row]:
    return [
        {
            "kind": draw.choice(("purchase", "purchase", "view", "refund")),
            "time": START_MS + draw.randrange(40 * DAY_MS),
            "shopper_id": f"s{draw.randint(0, 4)}",
            "product_id": draw.choice(names),
            "basket_id": f"b{draw.randint(0, 20)}",
        }
        for _ in range(n)
    ]


def make(folder: Path, seed: int, *, rules: bool, live: bool) -> Shop:
    """A shop of up to 90 products; with `live`, a part of them came, changed or left after the training."""
    draw = random.Random(seed)
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    if rules:
        RuleBook(folder).publish(RULES, "Ann")
    shop = open_shop(folder)
    names = [f"p{i}" for i in range(draw.randint(30, 90))]
    rows = [row(name, draw) for name in names]
    early = rows if not live else rows[: len(rows) // 2]
    shop.put(early)
    shop.record(purchases(names, draw))
    train_here(folder, silent)
    assert shop.engine.live.snapshot.name == "000001"
    if live:
        shop.put(rows[len(early) :])
        shop.record(purchases(names, draw, 20))
        shop.put([row(name, draw) for name in draw.sample(names, 10)])
        shop.delete(draw.sample(names, 5))
        shop.put([row(name, draw) for name in draw.sample(names, 5)])
        known = [name for name in names if shop.knows(name)]
        shop.update([{"id": name, "price": 3, "stock": draw.randint(0, 1)} for name in draw.sample(known, 6)])
    return shop


@pytest.fixture(
    scope="module",
    params=[(0, False, False), (1, True, False), (2, False, True), (3, True, True)],
    ids=["plain", "rules", "live", "rules-live"],
)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    seed, rules, live = request.param
    with make(tmp_path_factory.mktemp("agreement") / "shop", seed, rules=rules, live=live) as made:
        yield made


def pages_of(shop: Shop, question: dict[str, Any]) -> list[Page]:
    """All of them."""
    pages = [shop.ask(**question)]
    while pages[-1].cursor:
        pages.append(shop.ask(**question, cursor=pages[-1].cursor))
        assert len(pages) < 1000
    return pages


def a_question(draw: random.Random) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    if draw.random() < 0.4:
        values = draw.sample(BRANDS[:3], draw.randint(1, 2))
        filters["brand"] = draw.choice([values, {"not": values}])
    if draw.random() < 0.3:
        filters["colour"] = draw.sample(COLOURS, draw.randint(1, 2))
    if draw.random() < 0.3:
        filters["price"] = draw.choice([{"low": 2.5}, {"high": 9.99}, {"low": 1, "high": 2.5}])
    if draw.random() < 0.2:
        filters["category"] = draw.choice(("Food", "Food > Bread", "Home"))
    query = " ".join(draw.sample(WORDS, draw.randint(1, 2))) + draw.choice(WISHES)
    where = draw.choice(
        [
            {"surface": "search", "query": query},
            {"surface": "search", "query": query[:-1]},
            {"surface": "search"},
            {"surface": "browse"},
            {"surface": "browse", "category": draw.choice(("Food", "Food > Bread", "Home > Kitchen", "Nowhere"))},
        ]
    )
    return {
        **where,
        "filters": filters,
        "facets": draw.sample(("brand", "category", "colour"), draw.randint(0, 3)),
        "sort": draw.choice(("relevance", "relevance", "price", "-price", "newest", "best_selling")),
        "k": draw.choice((1, 2, 3, 7, 24, 1000)),
        "shopper": draw.choice((None, "s0", "s3", "stranger")),
    }


def test_the_bench_finds_no_disagreement(shop: Shop) -> None:
    found = check_agreement(shop, 60, np.random.default_rng(0))
    assert found.count == 0, found.disagreements
    assert found.questions == 60 and found.facet_values > 20


def test_the_total_is_the_number_of_distinct_hits_over_all_pages(shop: Shop) -> None:
    draw = random.Random(1)
    for _ in range(60):
        question = a_question(draw)
        pages = pages_of(shop, question)
        ids = [hit.product.id for page in pages for hit in page.hits]
        assert len(ids) == len(set(ids)) == pages[0].total, question
        assert {page.total for page in pages} == {pages[0].total}, question
        assert all(page.facets == pages[0].facets for page in pages), question
        assert all(len(page.hits) == question["k"] for page in pages[:-1]), question


def test_a_variant_stands_under_one_hit_only(shop: Shop) -> None:
    draw = random.Random(2)
    columns = shop.engine.live.state.columns
    for _ in range(40):
        question = a_question(draw)
        hits = [hit for page in pages_of(shop, question) for hit in page.hits]
        shown = [product for hit in hits for product in (hit.product.id, *hit.variants)]
        assert len(shown) == len(set(shown)), question
        for hit in hits:
            groups = {int(columns.groups[columns.row_of[p]]) for p in (hit.product.id, *hit.variants)}
            assert len(groups) == 1, question


def test_choosing_a_facet_value_gives_as_many_hits_as_it_said(shop: Shop) -> None:
    draw = random.Random(3)
    checked = 0
    for _ in range(60):
        question = a_question(draw)
        for facet in shop.ask(**question).facets:
            told = question["filters"].get(facet.field)
            kept = told if isinstance(told, dict) else {}
            for value in draw.sample(facet.values, min(3, len(facet.values))):
                filters = {**question["filters"], facet.field: {**kept, "any": [value.value]}}
                assert shop.ask(**{**question, "filters": filters}).total == value.count, (question, value)
                checked += 1
    assert checked > 100


def test_a_chosen_facet_value_is_always_listed(shop: Shop) -> None:
    page = shop.search("", filters={"brand": ["Acme", "Nobody's"]}, facets=["brand"])
    chosen = {value.value: value.count for value in page.facets[0].values if value.chosen}
    assert chosen.keys() == {"Acme", "Nobody's"}
    assert chosen["Nobody's"] == 0


@pytest.mark.parametrize("surface", ["home", "cart", "similar", "bought_together"])
def test_pages_of_recommendations_hold_each_hit_once(shop: Shop, surface: str) -> None:
    seed = next(iter(shop.engine.live.state.columns.row_of))
    for shopper in (None, "s1", "stranger"):
        for k in (1, 5, 24):
            pages = pages_of(shop, {"surface": surface, "shopper": shopper, "seeds": [seed], "k": k})
            ids = [hit.product.id for page in pages for hit in page.hits]
            assert len(ids) == len(set(ids)) == pages[0].total


@pytest.mark.parametrize("sort", ["price", "-price"])
def test_a_sort_by_price_is_one_and_unknown_prices_come_last(shop: Shop, sort: str) -> None:
    pages = pages_of(shop, {"surface": "browse", "sort": sort, "k": 7})
    prices = [hit.product.price_minor for page in pages for hit in page.hits]
    known = [price for price in prices if price is not None]
    assert known == sorted(known, reverse=sort == "-price")
    assert prices == [*known, *[None] * (len(prices) - len(known))]


def test_totals_are_what_counting_by_hand_gives(shop: Shop) -> None:
    """Of questions without words and rules: every living product that meets the filters, once per group."""
    products = [product for *_, product in shop.store.catalogue.changes() if product is not None]
    for brand in ("Acme", "Apex", "Zenith"):
        for low, high in ((None, 2.5), (2.5, None), (1, 9.99)):
            meant = [
                p
                for p in products
                if p.brand == brand
                and p.price_minor is not None
                and (low is None or p.price_minor >= round(low * 100))
                and (high is None or p.price_minor <= round(high * 100))
            ]
            shown = {
                p.group_id or (p.title, p.brand, p.category, tuple(sorted(dict(p.attributes).items()))) for p in meant
            }
            page = shop.browse(filters={"brand": brand, "price": {"low": low, "high": high}}, k=1000)
            assert page.total == len(shown)
            assert {i for hit in page.hits for i in (hit.product.id, *hit.variants)} == {p.id for p in meant}


def test_all_pages_agree_though_products_come_and_go_between_them(tmp_path: Path) -> None:
    with make(tmp_path / "shop", 9, rules=False, live=False) as shop:
        whole = shop.browse(k=1000)
        first = shop.browse(k=5, facets=["brand"])
        seen = [hit.product.id for hit in first.hits]
        left = whole.hits[-1].product.id
        shop.put([{"id": "late", "title": "milk"}])
        shop.put([{"id": whole.hits[7].product.id, "title": "renamed"}])
        shop.delete([left])
        page = first
        while page.cursor:
            page = shop.browse(k=5, cursor=page.cursor)
            assert page.total == whole.total and page.facets == first.facets
            seen += [hit.product.id for hit in page.hits]
        assert seen == [hit.product.id for hit in whole.hits][:-1]
        assert shop.browse().total == whole.total + len(shop.browse(filters={"id": "late"}).hits) - 1 + (
            1 if len(whole.hits[7].variants) else 0
        )
