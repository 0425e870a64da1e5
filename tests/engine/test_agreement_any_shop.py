"""Totals, facets and pages agree in shops drawn at random: their goods, settings and rules, and what came later."""

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

SHOPS, QUESTIONS = 10, 25
WORDS = ("milk", "oat", "rye", "bread", "tea", "green", "black", "cake", "jam", "whole", "牛奶", "500", "ml")
WISHES = ("under $2", "over $5", "-bread", "no milk", "without oat", "cheap")
BRANDS = ("Acme", "Apex", "Bolt", "Ünï", "")
PATHS = ("Food", "Food > Bread", "Food > Milk", "Drinks > Tea", "Drinks", "")
COLOURS = ("red", "blue", "green", "white")
SORTS = ("relevance", "relevance", "price", "-price", "newest", "best_selling")


def some_products(draw: random.Random, n: int, start: int = 0) -> list[dict[str, Any]]:
    """Titles of few words, so that some are variants by their shown fields and others by a group id."""
    return [
        {
            "id": f"p{i}",
            "title": " ".join(draw.choices(WORDS, k=draw.randint(0, 3))),
            "brand": draw.choice(BRANDS),
            "category": draw.choice(PATHS),
            "price": draw.choice([None, 0, 1, 1.5, 2.25, 10]),
            "stock": draw.choice([None, None, 0, 3]),
            "item_group_id": draw.choice(["", "", "", "g1", "g2", "g3"]),
            "published": draw.choice([None, "2026-01-01", "2026-03-01", "2025-06-01"]),
            "colour": draw.sample(COLOURS, k=draw.randint(0, 2)),
        }
        for i in range(start, start + n)
    ]


def some_rules(draw: random.Random, n: int) -> str:
    """Pins, hides and filters for some queries, surfaces and categories, or for everything."""

    def one() -> str:
        when = draw.choice([
            "", f'when = {{ query = "{draw.choice(WORDS[:9])}" }}', 'when = { surface = "search" }',
            f'when = {{ category = "{draw.choice(PATHS[:5])}" }}',
            f'when = {{ query_contains = "{draw.choice(WORDS[:9])}" }}',
        ])  # fmt: skip
        acts = draw.sample([
            f"pin = {{ p{draw.randrange(n)} = 1, p{draw.randrange(n, 2 * n)} = {draw.randint(1, 9)} }}",
            f'hide = ["p{draw.randrange(n)}", "nobody"]',
            f'filter = {{ brand = {{ not = ["{draw.choice(BRANDS[:3])}"] }} }}',
            f'boost = [{{ where = {{ brand = "{draw.choice(BRANDS[:3])}" }}, factor = 1.7 }}]',
        ], k=draw.randint(1, 2))  # fmt: skip
        if "query" in when and draw.random() < 0.5:
            acts.append(f'synonym = ["{draw.choice(WORDS)}"]')
        return "\n".join(["[[rules]]", when, *acts])

    return "\n".join(one() for _ in range(draw.randint(0, 3)))


def settings_toml(draw: random.Random) -> str:
    hiding = draw.choice(["sink", "hide"])
    return f"""
[encoder]
source = "none"
[models]
train = ["popular", "item_knn"]
[search]
coverage = {draw.choice([0.0, 0.3, 0.6, 1.0])}
rank_depth = {draw.choice([1, 5, 400])}
[profiles.search]
unsellable = "{hiding}"
policies = {draw.choice(['["availability", "rules"]', '["availability", "diversity", "brand_cap", "rules"]'])}
diversity = 0.3
brand_cap = 1
[profiles.browse]
unsellable = "{draw.choice(["sink", "hide"])}"
"""


def some_shop(folder: Path, draw: random.Random) -> Shop:
    """Learnt, and then changed: new products, rewritten ones, prices, departures."""
    folder.mkdir()
    n = draw.randint(1, 60)
    (folder / "wares.toml").write_text(settings_toml(draw))
    if rules := some_rules(draw, n):
        RuleBook(folder).publish(rules, "Ann")
    shop = open_shop(folder)
    rows = some_products(draw, n)
    shop.put(rows)
    shop.record([
        {"kind": "purchase", "time": f"2026-02-{1 + i % 28:02d}", "shopper_id": f"s{i % 5}",
         "product_id": f"p{draw.randrange(n)}"}
        for i in range(draw.randint(0, 60))
    ])  # fmt: skip
    if draw.random() < 0.8:
        train_here(folder, lambda *told: None)
    shop.engine.refresh()
    shop.put(some_products(draw, draw.randint(0, 12), start=n))
    shop.put(some_products(draw, draw.randint(0, min(n, 6))))
    shop.update({"id": row["id"], "price": draw.randint(0, 9)} for row in draw.sample(rows, k=min(n, 4)))
    shop.delete([f"p{draw.randrange(n)}" for _ in range(draw.randint(0, 3))])
    return shop


def some_question(draw: random.Random) -> dict[str, Any]:
    """What `Shop.ask` takes; category pages among them."""
    filters: dict[str, Any] = {}
    if draw.random() < 0.4:
        filters["brand"] = draw.choice([BRANDS[0], list(BRANDS[:2]), {"not": [BRANDS[1]]}, ["no such brand"]])
    if draw.random() < 0.4:
        filters["colour"] = draw.choice(
            ["red", ["red", "blue"], {"any": ["white", "green"], "not": ["red"]}, {"not": list(COLOURS[:3])}]
        )
    if draw.random() < 0.3:
        filters["price"] = draw.choice([{"low": 1}, {"high": 2.25}, {"low": 1, "high": 2}])
    if draw.random() < 0.2:
        filters["category"] = draw.choice(["Food", ["Food > Bread", "Drinks"]])
    browsing = draw.random() < 0.4
    return {
        "surface": "browse" if browsing else "search",
        "query": "" if browsing else " ".join(draw.choices((*WORDS, "zebra", "mlik", *WISHES), k=draw.randint(0, 3))),
        "category": draw.choice(PATHS) if browsing else "",
        "filters": filters,
        "facets": ["brand", "colour", "category", "price"],
        "sort": draw.choice(SORTS),
        "shopper": draw.choice([None, "s1", "nobody"]),
        "k": draw.choice([1, 2, 7, 24, 1000]),
    }


def all_pages(shop: Shop, question: dict[str, Any], draw: random.Random) -> Iterator[Page]:
    page = shop.ask(**question)
    yield page
    while page.cursor:
        page = shop.ask(**{**question, "k": draw.choice([question["k"], 3]), "cursor": page.cursor})
        yield page


def check(shop: Shop, question: dict[str, Any], draw: random.Random) -> int:
    """Everything that must agree about one question; the number of totals and counts compared."""
    pages = list(all_pages(shop, question, draw))
    ids = [hit.product.id for page in pages for hit in page.hits]
    total = pages[0].total
    assert len(ids) == len(set(ids)) == total, question
    assert {page.total for page in pages} == {total}, question
    columns = shop.engine.live.state.columns
    groups = [int(columns.groups[columns.row_of[product_id]]) for product_id in ids]
    assert len(set(groups)) == total, question
    for hit in (hit for page in pages for hit in page.hits):
        for variant in hit.variants:
            assert columns.groups[columns.row_of[variant]] == columns.groups[columns.row_of[hit.product.id]]
        assert hit.product.id not in hit.variants
    compared = 1
    for facet in pages[0].facets:
        for value in facet.values:
            told = question["filters"].get(facet.field)
            kept = {"not": told["not"]} if isinstance(told, dict) and "not" in told else {}
            chosen = {**question["filters"], facet.field: {"any": [value.value], **kept}}
            narrowed = shop.ask(**{**question, "filters": chosen, "facets": [], "k": 1}).total
            assert narrowed == value.count, (question, facet.field, value)
            compared += 1
    return compared


@pytest.mark.parametrize("seed", range(SHOPS))
def test_totals_facets_and_pages_agree(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    with some_shop(tmp_path / "shop", draw) as shop:
        compared = sum(check(shop, some_question(draw), draw) for _ in range(QUESTIONS))
        assert compared >= QUESTIONS
        again = check_agreement(shop, QUESTIONS, np.random.default_rng(seed))
        assert (again.questions, again.count, again.disagreements) == (QUESTIONS, 0, [])


def test_two_pinned_variants_of_one_product_count_once_and_under_either_brand(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text('[encoder]\nsource = "none"\n')
    RuleBook(folder).publish("[[rules]]\npin = { a = 1, b = 1 }\n", "Ann")
    with open_shop(folder) as shop:
        shop.put([
            {"id": "a", "title": "rye", "brand": "Apex", "item_group_id": "g"},
            {"id": "b", "title": "oat", "brand": "Acme", "item_group_id": "g"},
            {"id": "c", "title": "tea", "brand": "Acme"},
        ])  # fmt: skip
        page = shop.search("tea", facets=["brand"])
        assert page.total == 2
        assert {value.value: value.count for value in page.facets[0].values} == {"Acme": 2, "Apex": 1}
        assert shop.search("tea", filters={"brand": "Acme"}).total == 2
        assert shop.search("tea", filters={"brand": "Apex"}).total == 1


def test_the_number_beside_a_category_holds_whatever_rules_its_page_has(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    rule = '[[rules]]\nwhen = { category = "Food" }\nhide = ["a"]\npin = { c = 1 }\n'
    (folder / "wares.toml").write_text('[encoder]\nsource = "none"\n')
    RuleBook(folder).publish(rule, "Ann")
    with open_shop(folder) as shop:
        shop.put([{"id": name, "title": f"thing {name}", "category": "Food"} for name in "ab"])
        shop.put([{"id": "c", "title": "thing c"}])
        (facet,) = shop.search("thing", facets=["category"]).facets
        assert [(value.value, value.count) for value in facet.values] == [("Food", 2)]
        assert shop.search("thing", filters={"category": "Food"}).total == 2
        assert [hit.product.id for hit in shop.browse("Food").hits] == ["b"]  # the page itself keeps the rule
