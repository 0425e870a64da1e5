"""Whether shoppers were served, measured on answers that a real shop gave and logged."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from wares.app.cli import app
from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.product import Product
from wares.domain.result import Page
from wares.domain.shopper import KIND_CODES
from wares.evaluation.satisfaction import asks_of, outcomes
from wares.shop import Shop, open_shop

SETTINGS = '[shop]\ntitle = "Tea & Co"\n[encoder]\nsource = "none"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(tmp_path) as opened:
        opened.put([{"id": f"t{i}", "title": f"Green tea {i}", "category": "Tea", "price": i} for i in range(1, 13)])
        opened.log_impressions()
        yield opened


def measured(shop: Shop, *options: str) -> Result:
    shop.close()
    return CliRunner().invoke(app, ["satisfaction", str(shop.folder), *options])


def figures(shop: Shop, *options: str) -> dict[str, Any]:
    result = measured(shop, "--json", *options)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    return {line["label"]: line for line in [*told["lines"], *told["groups"]]}


def does(shop: Shop, who: str, what: str, product: str, after_s: float = 5) -> None:
    shop.record([{"kind": what, "shopper_id": who, "product_id": product, "time": time.time() + after_s}])


def first(page: Page) -> str:
    return page.hits[0].product.id


def test_an_answer_from_which_something_is_chosen_is_a_success_and_the_seconds_are_told(shop: Shop) -> None:
    before_s = time.time()
    page = shop.search("green tea", shopper="ann")
    does(shop, "ann", "click", first(page), 8)
    waited_s = time.time() - before_s  # for the answer
    shop.search("green tea", shopper="bob")
    found = figures(shop)
    assert (found["all"]["success"]["mean"], found["search"]["abandoned"]["mean"]) == (0.5, 0.5)
    assert 7.9 <= found["all"]["seconds"]["mean"] <= 8.1 + waited_s
    assert found["all"]["asks"] == 2 and found["all"]["shoppers"] == 2


def test_a_reworded_search_an_empty_one_and_one_that_was_given_up_are_told_apart(shop: Shop) -> None:
    shop.search("green te", shopper="ann")
    does(shop, "ann", "view", first(shop.search("green tea", shopper="ann")))
    shop.search("bicycle", shopper="bob")
    shop.search("tea", shopper="cy")
    search = figures(shop)["search"]
    shares = {name: search[name]["mean"] for name in ("success", "reworded", "empty", "abandoned")}
    assert shares == {"success": 0.25, "reworded": 0.25, "empty": 0.25, "abandoned": 0.25}


def test_further_pages_are_the_same_ask_and_their_hits_count(shop: Shop) -> None:
    page = shop.search("green tea", shopper="ann", k=5)
    later = shop.search("green tea", shopper="ann", k=5, cursor=page.cursor)
    does(shop, "ann", "cart", first(later))
    found = figures(shop)["all"]
    assert (found["asks"], found["success"]["mean"], found["cart"]["mean"]) == (1, 1.0, 1.0)


def test_a_purchase_counts_for_a_day_and_a_click_for_half_an_hour(shop: Shop) -> None:
    for who, what, after_s in (("a", "purchase", 7_200), ("b", "click", 7_200), ("c", "purchase", 86_000)):
        does(shop, who, what, first(shop.search("green tea", shopper=who)), after_s)
    found = figures(shop)["all"]
    assert (found["bought"]["mean"], found["success"]["mean"]) == (pytest.approx(2 / 3), 0)


def test_what_was_not_shown_and_what_others_did_is_no_success(shop: Shop) -> None:
    page = shop.search("green tea", shopper="ann", k=3)
    missed = next(f"t{i}" for i in range(1, 13) if f"t{i}" not in {hit.product.id for hit in page.hits})
    does(shop, "ann", "click", missed)
    does(shop, "bob", "click", first(page))
    assert figures(shop)["all"]["success"]["mean"] == 0


def test_an_event_that_names_its_answer_belongs_to_that_one(shop: Shop) -> None:
    early = shop.search("green tea", shopper="ann")
    shop.browse("Tea", shopper="ann")
    shop._impressions.flush()  # type: ignore[union-attr]
    seen = {"shopper_id": "ann", "product_id": first(early), "impression_id": early.impression_id, "position": 1}
    shop.record([{"kind": "click", "time": time.time() + 60, **seen}])
    found = figures(shop)
    assert (found["search"]["success"]["mean"], found["browse"]["success"]["mean"]) == (1, 0)


def test_an_event_that_names_an_answer_of_somebody_else_belongs_to_none(shop: Shop) -> None:
    page = shop.search("green tea", shopper="ann")
    shop.search("green tea", shopper="bob")
    shop._impressions.flush()  # type: ignore[union-attr]
    seen = {"shopper_id": "bob", "product_id": first(page), "impression_id": page.impression_id, "position": 1}
    shop.record([{"kind": "click", "time": time.time() + 60, **seen}])
    does(shop, "ann", "search", first(page))  # so that she is known
    assert figures(shop)["all"]["success"]["mean"] == 0


@pytest.mark.parametrize(("after_minutes", "share"), [(-1, 0), (10, 1), (31, 0)])
def test_the_half_hour_of_an_event_that_names_a_further_page_begins_with_that_page(
    after_minutes: int, share: float
) -> None:
    minute, start = 60_000, 1_700_000_000_000
    columns = Columns.of([Product(id="a", title="A"), Product(id="b", title="B")], [1, 2])
    asked: dict[str, Any] = {"surface": "search", "query": "lamp", "total": 50}
    asks = asks_of(
        [
            (5, asked | {"id": "i1", "time_ms": start, "hits": [{"product": "a", "position": 0}]}),
            (5, asked | {"id": "i2", "time_ms": start + 25 * minute, "hits": [{"product": "b", "position": 24}]}),
        ],
        columns,
    )
    events = EventBlock(
        seqs=np.array([1]),
        times_ms=np.array([start + (25 + after_minutes) * minute]),
        kinds=np.array([KIND_CODES[EventKind.CLICK]], np.int8),
        shopper_keys=np.array([5]),
        product_keys=np.array([2]),
        quantities=np.array([1.0]),
        values_minor=np.array([-1]),
        basket_keys=np.array([-1]),
        queries={},
    )
    for named in ({}, {1: "i2"}):
        assert outcomes(asks, events, columns, named)["success"].tolist() == [share]


def test_likes_and_hides_are_counted_on_every_surface(shop: Shop) -> None:
    for who, what in (("a", "like"), ("b", "hide"), ("c", "wish"), ("d", "click")):
        does(shop, who, what, first(shop.browse("Tea", shopper=who)))
    browse = figures(shop)["browse"]
    assert (browse["liked"]["mean"], browse["hidden"]["mean"], browse["success"]["mean"]) == (0.5, 0.25, 0.75)
    assert browse["abandoned"]["mean"] is None  # no search


def test_groups_of_shoppers_are_set_side_by_side_with_intervals(shop: Shop, tmp_path: Path) -> None:
    people = [f"{age}-{i}" for age in ("young", "old") for i in range(40)]
    shop.put_shoppers([{"id": who, "age": who.split("-")[0]} for who in people])
    for who in people:
        page = shop.search("green tea", shopper=who)
        if who.startswith("young") and int(who.split("-")[1]) % 4:
            does(shop, who, "click", first(page))
    shop.search("green tea")  # nobody
    report = tmp_path / "page.html"
    found = figures(shop, "--by", "age", "--report", str(report))
    assert found["young"]["success"]["mean"] == 0.75 and found["old"]["success"]["mean"] == 0
    assert 0.5 < found["young"]["success"]["low"] < 0.75 < found["young"]["success"]["high"] < 0.95
    told = report.read_text(encoding="utf-8")
    assert "Tea &amp; Co: were shoppers served?" in told and "Groups of shoppers" in told and "<svg" in told
    wrong = CliRunner().invoke(app, ["satisfaction", str(shop.folder), "--by", "shoe"])
    assert wrong.exit_code == 1 and "There is no attribute of shoppers 'shoe'" in wrong.output
    assert "1 more answers went to nobody" in CliRunner().invoke(app, ["satisfaction", str(shop.folder)]).output


def test_without_a_log_or_without_names_it_is_said_what_is_missing(shop: Shop) -> None:
    told = CliRunner().invoke(app, ["satisfaction", str(shop.folder)])
    assert told.exit_code == 1 and "No answer was logged" in told.output
    shop.search("green tea")
    told = measured(shop)
    assert told.exit_code == 1 and "went to nobody in particular" in told.output
