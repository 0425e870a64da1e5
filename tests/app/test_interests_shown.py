"""A shopper's interests as people see them: over HTTP, on the command line, as a reason, and gone with the shopper."""

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
from wares.app.web.wire import InterestsOut
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
SETTINGS = """
[encoder]
source = "none"
[models]
train = ["popular"]
[profiles.liked]
sources = ["interests", "popular"]
formula = { interests = 1.0, popular = 0.1 }
[profiles.search]
sources = ["lexical", "letters", "meaning", "feedback", "wished", "interests"]
formula = { lexical = 1.0, interests = 0.5 }
"""
KINDS = ("Food > Milk", "Food > Bread", "Pets > Cats", "Garden > Tools")
GOODS: list[Row] = [
    {"id": f"{kind}/{i}", "title": f"{kind.split()[-1]} {i}", "category": kind, "brand": "ABC"[i % 3], "price": 1 + i}
    for kind in KINDS
    for i in range(8)
]


def bought(shopper: str, product: str, days_ago: float) -> Row:
    then = int((time.time() - days_ago * 86_400) * 1000)
    return {"kind": "purchase", "time": then, "shopper_id": shopper, "product_id": product}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put(GOODS)
        everybody = [bought(f"s{s}", f"{KINDS[s % 2]}/{i}", 10 + i) for s in range(8) for i in range(8)]
        ann = [bought("ann/1", f"Garden > Tools/{i}", 90 + i) for i in range(5)]
        shop.record([*everybody, *ann, *(bought("ann/1", f"Pets > Cats/{i}", 3 + i) for i in range(5))])
        shop.put_shoppers([{"shopper_id": "ann/1", "age": "35-44"}, {"shopper_id": "new", "age": "65+"}])
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


def asked(client: TestClient, shopper: str) -> InterestsOut:
    answer = client.get(f"/v1/shoppers/{shopper}/interests")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return InterestsOut.model_validate(answer.json())


def wares_(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="wares")


def test_interests_over_http_are_the_latest_first_and_follow_the_very_next_event(client: TestClient) -> None:
    found = asked(client, "ann%2F1")
    assert [tag.value for tag in found.departments] == ["Pets", "Garden"]
    assert [tag.value for tag in found.categories] == ["Pets > Cats", "Garden > Tools"]
    assert (found.known, found.events) == (True, 10)
    client.post("/v1/events", json={"events": [bought("ann/1", f"Garden > Tools/{i}", i / 100) for i in range(7)]})
    assert asked(client, "ann%2F1").departments[0].value == "Garden"


def test_an_erased_shopper_has_none_and_neither_has_one_unheard_of(client: TestClient, shop: Shop) -> None:
    nothing: Row = {"departments": [], "categories": [], "brands": [], "prices": []}
    assert asked(client, "nobody").model_dump() == {"known": False, "events": 0} | nothing
    assert asked(client, "new").model_dump() == {"known": True, "events": 0} | nothing
    shop.erase_shopper("ann/1")
    assert asked(client, "ann%2F1").model_dump() == {"known": False, "events": 0} | nothing
    assert not shop.shopper("ann/1").attributes


def test_another_machine_needs_the_key_to_see_interests(shop: Shop) -> None:
    far = TestClient(make_app({"default": shop}, key="secret"), client=("203.0.113.9", 50_000))
    assert far.get("/v1/shoppers/ann%2F1/interests").status_code == 401
    told = far.get("/v1/shoppers/ann%2F1/interests", headers={"authorization": "Bearer secret"})
    assert told.status_code == 200


def test_an_endless_id_is_refused(client: TestClient) -> None:
    assert client.get(f"/v1/shoppers/{'x' * 201}/interests").status_code == 422


def test_the_command_shows_history_attributes_and_interests(folder: Path) -> None:
    told = wares_("shopper", folder, "ann/1")
    assert told.exit_code == 0, told.output
    assert "10 events on 10 products" in told.stdout
    assert "age: 35-44" in told.stdout
    assert "Pets > Cats" in told.stdout
    figures = json.loads(wares_("shopper", folder, "ann/1", "--json").stdout)
    assert figures["attributes"] == {"age": "35-44"}
    assert figures["by_kind"] == {"purchase": 10}
    assert figures["departments"][0]["value"] == "Pets"
    assert "No event on a product yet." in wares_("shopper", folder, "new").stdout
    missing = wares_("shopper", folder, "nobody")
    assert (missing.exit_code, missing.stdout) == (1, "")


def test_a_source_proposes_what_the_shopper_leans_to_and_says_so(shop: Shop) -> None:
    page = shop.recommend("ann/1", surface="liked", k=8)
    first = page.hits[0]
    assert first.product.category == ("Pets", "Cats")
    assert [(reason.code, reason.about, reason.shown) for reason in first.reasons] == [
        ("your_interest", ("Pets > Cats",), ("Cats",))
    ]
    everybody = shop.recommend("new", surface="liked", k=8)
    assert {hit.product.category[0] for hit in everybody.hits} == {"Food"}
    assert all(reason.code == "popular" for hit in everybody.hits for reason in hit.reasons)


def test_somebody_who_only_hides_leans_nowhere(shop: Shop) -> None:
    shop.record([bought("cross", f"Food > Milk/{i}", 1) | {"kind": "hide"} for i in range(4)])
    hits = shop.recommend("cross", surface="liked", k=8).hits
    assert hits
    assert not any(hit.features["interests"] for hit in hits)


def test_in_a_search_interests_stand_behind_the_gate(shop: Shop) -> None:
    hits = shop.search("milk", shopper="ann/1").hits
    assert hits
    assert {hit.product.category[-1] for hit in hits} == {"Milk"}  # no love of cats lifts what does not match
    assert all(0 <= hit.features["interests"] <= 1 for hit in hits)
    cats = shop.search("cats", shopper="ann/1").hits
    assert max(hit.features["interests"] for hit in cats) == 1
