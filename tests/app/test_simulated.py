"""Simulated shoppers leave marks: a played shopper's own answers follow them, and nothing that is real does."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from wares.app.cli import app as commands
from wares.app.web.access.key_ring import KeyRing
from wares.app.web.access.keys import Keys
from wares.app.web.http import make_app
from wares.domain.event import Event, EventKind
from wares.shop import Shop, open_shop
from wares.store.impressions import read_impressions
from wares.training.build import known
from wares.training.child import train_here
from wares.training.progress import silent

SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "buy_again", "item_knn"]\n'
GOODS = [
    {"id": f"{kind}{i}", "title": f"{title} {i}", "category": kind, "price": 1 + i}
    for kind, title in (("tea", "Green tea"), ("jam", "Plum jam"))
    for i in range(6)
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(tmp_path) as opened:
        opened.put(GOODS)
        opened.record([bought(f"s{s}", f"{kind}{s}") for s in range(6) for kind in ("tea", "jam")])
        train_here(tmp_path, silent)
        opened.engine.refresh()
        opened.log_impressions()
        yield opened


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop})) as client:
        yield client


def bought(who: str, product: str) -> dict[str, Any]:
    days = 1 + int(product[-1])
    return {"kind": "purchase", "shopper_id": who, "product_id": product, "time": time.time() - days * 86_400}


def played(kind: str, product: str, who: str = "sim-1", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "shopper_id": who, "product_id": product, "simulated": True} | more


def send(client: TestClient, *events: dict[str, Any], **options: Any) -> Any:
    return client.post("/v1/events", json={"events": events}, **options)


def home(client: TestClient, who: str = "sim-1", **more: Any) -> list[str]:
    answer = client.post("/v1/recommend", json={"shopper": who, "k": 12, **more})
    assert answer.status_code == 200, answer.text
    return [hit["product"]["id"] for hit in answer.json()["hits"]]


def satisfaction(shop: Shop, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(commands, ["satisfaction", str(shop.folder), "--json", *options])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_what_a_simulated_shopper_does_changes_their_next_simulated_answer_and_nobody_elses(client: TestClient) -> None:
    real, mine = home(client, "ann"), home(client, simulated=True)
    assert send(client, *(played("purchase", f"jam{i}") for i in range(4))).json()["new"] == 4
    assert home(client, simulated=True) != mine
    assert home(client, "ann") == real
    assert home(client) == real, "a real question in the played shopper's name"
    assert client.post("/v1/search", json={"query": "plum", "sort": "best_selling"}).json()["total"] == 6
    assert home(client, "new") == real, "what was played counts as no sale"


def test_what_was_played_in_a_real_shoppers_name_is_not_theirs(client: TestClient) -> None:
    send(client, {"kind": "purchase", "shopper_id": "ann", "product_id": "tea0"})
    before = home(client, "ann")
    send(client, *(played("purchase", f"jam{i}", "ann") for i in range(4)))
    assert home(client, "ann") == before
    assert home(client, "ann", simulated=True) != before


def test_nothing_is_learnt_from_simulated_events(shop: Shop) -> None:
    _, _, before = known(shop.store)
    shop.record([bought("ann", "tea0"), *(played("purchase", f"jam{i}", time=time.time()) for i in range(4))])
    _, columns, after = known(shop.store)
    assert (len(after.events), after.n_shoppers) == (len(before.events) + 1, before.n_shoppers + 1)
    assert columns.ids[after.events.rows[-1]] == "tea0"


def test_satisfaction_is_of_real_shoppers_or_of_simulated_ones_alone(shop: Shop, client: TestClient) -> None:
    first = client.post("/v1/search", json={"query": "tea", "shopper": "sim-1", "simulated": True}).json()
    client.post("/v1/search", json={"query": "tea", "shopper": "ann"})
    product = first["hits"][0]["product"]["id"]
    send(client, played("click", product, impression_id=first["impression_id"], position=1))
    send(client, played("rate", product, rating=4), played("rate", product, rating=5))
    shop.close()
    assert [shown["query"] for _, shown in read_impressions(shop.folder)] == ["tea"]
    real, simulated = satisfaction(shop), satisfaction(shop, "--simulated")
    lines = [told["lines"][0] for told in (real, simulated)]
    assert [(line["asks"], line["success"]["mean"]) for line in lines] == [(1, 0), (1, 1)]
    assert [line["stars"]["mean"] for line in lines] == [None, 4.5]
    assert simulated["simulated"] is True and "simulated" not in real
    said = CliRunner().invoke(commands, ["satisfaction", str(shop.folder), "--simulated"])
    assert "nobody did any of this" in said.output


def test_satisfaction_of_no_simulated_shopper_says_how_to_get_some(shop: Shop) -> None:
    shop.search("tea", shopper="ann")
    shop.close()
    said = CliRunner().invoke(commands, ["satisfaction", str(shop.folder), "--simulated"])
    assert said.exit_code == 1 and "wares simulate" in said.output


def test_the_service_counts_simulated_events_apart_and_removes_them(shop: Shop, client: TestClient) -> None:
    send(client, {"kind": "view", "shopper_id": "ann", "product_id": "tea0"}, played("purchase", "jam5"))
    before = home(client, simulated=True)
    told = client.get("/v1/shop").json()
    assert (told["events"], told["simulated_events"]) == (13, 1)
    assert client.delete("/v1/simulated").json() == {"events": 1, "impressions": 1}
    assert client.delete("/v1/simulated").json() == {"events": 0, "impressions": 0}
    told = client.get("/v1/shop").json()
    assert (told["events"], told["simulated_events"]) == (13, 0)
    assert home(client, simulated=True) == home(client, "nobody") != before, "what was played is forgotten at once"


@pytest.mark.parametrize(("scopes", "may"), [(["search", "events"], False), (["search", "events", "catalogue"], True)])
def test_a_key_that_lies_in_a_page_simulates_nothing(shop: Shop, tmp_path: Path, scopes: Any, may: bool) -> None:
    keys = Keys(tmp_path)
    secret, _ = keys.new(scopes)
    app = make_app({"default": shop}, ring=KeyRing(keys.place.parent, "the admin's own secret"), closed=True)
    client = TestClient(app, base_url="http://api.example")
    key = {"authorization": f"Bearer {secret}"}
    asked = client.post("/v1/search", json={"query": "tea", "simulated": True}, headers=key)
    answers = [asked, send(client, played("view", "tea0"), headers=key)]
    answers.append(send(client, {"kind": "view", "product_id": "tea0", " Simulated ": "1"}, headers=key))
    assert [answer.status_code for answer in answers] == ([200] * 3 if may else [403] * 3)
    if not may:
        assert {answer.json()["code"] for answer in answers} == {"scope-missing"}
        assert shop.store.events.count() + shop.store.events.count(simulated=True) == 12
        assert send(client, {"kind": "view", "product_id": "tea0", "simulated": False}, headers=key).status_code == 200
    assert client.delete("/v1/simulated", headers=key).status_code == 403


def test_a_mark_that_cannot_be_read_makes_no_event(client: TestClient) -> None:
    told = send(client, played("view", "tea0", simulated="perhaps"), played("view", "tea0", simulated="no")).json()
    assert told["new"] == 1 and told["rejected"][0]["field"] == "simulated"


# -- ratings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rating", [0, 6, "five", None, float("nan")])
def test_a_rating_lies_between_one_and_five(shop: Shop, rating: object) -> None:
    rated = {"kind": "rate", "shopper_id": "ann", "product_id": "tea0", "time": time.time(), "rating": rating}
    report = shop.record([rated, rated | {"rating": "4.5"}])
    assert report.kept == 1 and report.rejections[0].examples[0].field == "rating"
    assert shop.store.events.read(12).quantities.tolist() == [4.5]


def test_many_stars_are_liking_and_few_are_not(shop: Shop) -> None:
    now = time.time()

    def interests(stars: int) -> list[float]:
        who = f"rater{stars}"
        shop.record([{"kind": "rate", "shopper_id": who, "product_id": "tea0", "time": now, "rating": stars}])
        history, _ = shop.engine.history(who)
        assert history.units.tolist() == [1.0]
        return [round(float(one), 6) for one in history.interest]

    assert [interests(stars) for stars in (1, 2, 3, 4, 5)] == [[0], [0], [0], [0.4], [0.8]]


def test_a_rating_is_a_rating_after_a_way_through_the_server(tmp_path: Path) -> None:
    from wares.app.commands.remote import event_row
    from wares.feeds.events import read_events

    events = [
        Event(EventKind.RATE, 1_700_000_000_000, "ann", "tea0", 3.0),
        Event(EventKind.VIEW, 1_700_000_000_000, "ann", "tea0", 2.0, simulated=True),
    ]
    rows = [event_row(event, "EUR") for event in events]
    assert rows[0]["rating"] == 3.0 and "quantity" not in rows[0]
    assert list(read_events(rows, now_ms=1_800_000_000_000)) == events
