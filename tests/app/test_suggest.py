"""Suggestions over HTTP, on the command line and from the log of what shoppers searched for."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.web.http import make_app
from wares.app.web.wire import SuggestionsOut
from wares.domain.event import Event, EventKind
from wares.shop import Shop, open_shop
from wares.store.sqlite import Store
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
SETTINGS = """
[encoder]
source = "none"
[models]
train = ["popular"]
"""
GOODS: list[Row] = [
    {"id": "p1", "title": "Leather shoes brown", "brand": "Acme", "category": "Clothes > Shoes"},
    {"id": "p2", "title": "Running shoes", "brand": "Acme", "category": "Clothes > Shoes"},
    {"id": "p3", "title": "手机壳", "category": "手机配件"},
]


def searched(query: str, shoppers: int) -> list[Row]:
    return [{"kind": "search", "time": time.time(), "shopper_id": f"s{i}", "query": query} for i in range(shoppers)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put(GOODS)
        shop.record([*searched("leather laces", 5), *searched("lea my secret", 4), *searched("lea@example.com", 9)])
        train_here(folder, silent)
    return folder


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder) as opened:
        yield opened


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop}), raise_server_exceptions=False) as client:
        yield client


def texts(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one.text for one in SuggestionsOut.model_validate(answer.json()).suggestions]


def test_half_a_word_is_completed(client: TestClient) -> None:
    assert texts(client.get("/v1/suggest", params={"q": "lea"})) == ["leather laces", "Leather shoes brown"]
    assert "Leather shoes brown" in texts(client.get("/v1/shops/default/suggest?q=lea+sho&k=3"))
    assert texts(client.get("/v1/suggest?q=shouj")) == ["手机配件", "手机壳"]


def test_a_suggestion_says_where_it_leads(client: TestClient) -> None:
    found = {one["text"]: one for one in client.get("/v1/suggest?q=sho").json()["suggestions"]}
    assert (found["Shoes"]["kind"], found["Shoes"]["about"]) == ("category", "Clothes > Shoes")
    assert (found["Running shoes"]["kind"], found["Running shoes"]["about"]) == ("product", "p2")


def test_nothing_typed_offers_queries_and_categories(client: TestClient) -> None:
    assert texts(client.get("/v1/suggest"))[0] == "leather laces"
    assert len(texts(client.get("/v1/suggest?k=2"))) == 2


@pytest.mark.parametrize("query", ["k=0", "k=101", "k=many", "q=" + "x" * 1001])
def test_what_cannot_be_asked_is_refused_in_words(client: TestClient, query: str) -> None:
    answer = client.get(f"/v1/suggest?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid-request"


def test_a_product_that_has_left_is_not_suggested(shop: Shop) -> None:
    assert [one.about for one in shop.suggest("running")] == ["p2"]
    shop.delete(["p2"])
    assert shop.suggest("running") == []
    shop.put(GOODS[1:2])
    assert [one.about for one in shop.suggest("running")] == ["p2"]


def test_a_shop_that_has_learnt_nothing_suggests_nothing(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(tmp_path) as shop:
        shop.put(GOODS)
        assert shop.suggest("lea") == shop.suggest("") == []


def test_the_command_shows_suggestions(folder: Path) -> None:
    told = CliRunner().invoke(app, ["suggest", str(folder), "lea"], prog_name="wares")
    assert told.exit_code == 0, told.output
    assert "leather laces" in told.stdout
    assert "p1" in told.stdout
    told = CliRunner().invoke(app, ["suggest", str(folder), "lea", "-k", "1", "--json"], prog_name="wares")
    assert [one["text"] for one in json.loads(told.stdout)["suggestions"]] == ["leather laces"]
    told = CliRunner().invoke(app, ["suggest", str(folder), "zzzz"], prog_name="wares")
    assert (told.exit_code, told.stdout.strip()) == (0, "Nothing begins like this.")


# -- the log -----------------------------------------------------------------------------------------------------------


def test_queries_are_counted_by_different_shoppers(tmp_path: Path) -> None:
    def search(query: str, shopper: str | None, kind: EventKind = EventKind.SEARCH) -> Event:
        return Event(kind, 1_700_000_000_000, shopper, query=query)

    with Store.open(tmp_path, "write") as store:
        store.events.append(
            [
                *(search(query, shopper) for query in ("Oat  milk", "oat milk ", "ｏａｔ milk") for shopper in "abc"),
                *(search("tea", shopper) for shopper in ("a", "a", "a", None, None)),
                *(search("bread", shopper, EventKind.CLICK) for shopper in "abc"),
                *(search("jam", shopper) for shopper in "ab"),
            ]
        )
        assert store.events.typed_queries(1) == {"oat milk": 3, "jam": 2, "tea": 1}
        assert store.events.typed_queries(3) == {"oat milk": 3}
        store.events.erase("c")
        assert store.events.typed_queries(3) == {}
