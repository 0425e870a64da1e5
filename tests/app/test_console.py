"""What the operator's console asks over HTTP: who may, the labs, and every change it can make."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_shop import build
from starlette.testclient import TestClient

from wares.app.web.access.key_ring import KeyRing
from wares.app.web.access.keys import Keys
from wares.app.web.access.scopes import NEEDS
from wares.app.web.console.changing import HEADER
from wares.app.web.http import make_app
from wares.shop import Shop, open_shop
from wares.store.impressions import read_impressions
from wares.training.child import train_here
from wares.training.progress import silent

MORE = """
[profiles.dear]
sources = ["lexical"]
all_matches = true
formula = { price = 1.0 }
"""
CHANGES = {HEADER: "1"}
PINNED = '[[rules]]\nname = "Jam first"\nwhen = { query = "milk" }\npin = { "p2" = 1 }\n'
WRITING = [name.split() for name in NEEDS if "/console/" in name and not name.startswith("GET")]
LOOKING_POSTS = {"/v1/console/lab", "/v1/console/rules/check", "/v1/console/rules/preview"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of which each test has its copy."""
    folder = build(tmp_path_factory.mktemp("shops") / "shop", MORE)
    with open_shop(folder) as opened:
        opened.put([
            {"id": "p3", "title": "Oat milk, dear", "price": 9},
            {"id": "x", "title": "Rice milk <b>", "price": 4},
        ])  # fmt: skip
        opened.record([{"kind": "purchase", "time": 1_700_000_000, "shopper_id": "ann", "product_id": "p2"}])
        train_here(folder, silent)
    return folder


@pytest.fixture
def shop(trained: Path, tmp_path: Path) -> Iterator[Shop]:
    with open_shop(shutil.copytree(trained, tmp_path / "shop")) as opened:
        opened.log_impressions()
        yield opened


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop}), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def looking(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """For tests that change nothing."""
    with (
        open_shop(shutil.copytree(trained, tmp_path_factory.mktemp("looking") / "shop")) as opened,
        TestClient(make_app({"default": opened}), raise_server_exceptions=False) as client,
    ):
        yield client


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def change(
    client: TestClient, path: str, sent: dict[str, Any], status: int = 200, method: str = "POST"
) -> dict[str, Any]:
    return told(client.request(method, f"/v1/console/{path}", json={"by": "Anna"} | sent, headers=CHANGES), status)


def look(client: TestClient, path: str) -> dict[str, Any]:
    return told(client.get(f"/v1/console/{path}"))


def lab(client: TestClient, *sides: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    asked = {"sides": list(sides) or [{"surface": "search"}], **more}
    found: list[dict[str, Any]] = told(client.post("/v1/console/lab", json=asked))["sides"]
    return found


def ids(side: dict[str, Any]) -> list[str]:
    return [hit["product"]["id"] for hit in side["page"]["hits"]]


# -- who may -----------------------------------------------------------------------------------------------------------


def test_where_the_shop_has_keys_the_page_is_open_and_what_it_asks_needs_an_admin_key(shop: Shop) -> None:
    keys = Keys(shop.folder)
    searching, admin = keys.new(["search", "events", "catalogue"])[0], keys.new(["admin"])[0]
    with TestClient(make_app({"default": shop}, ring=KeyRing(shop.folder))) as client:
        page = client.get("/console")
        assert page.status_code == 200 and "text/html" in page.headers["content-type"]
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert client.get("/console/js/main.js").status_code == 200
        for name in NEEDS:
            if "/v1/console/" not in name:
                continue
            method, path = name.replace("{name}", "x").split()
            answers = [
                client.request(method, path, headers={"authorization": f"Bearer {key}"} if key else {}).status_code
                for key in ("", searching)
            ]
            assert answers == [401, 403], name
        assert told(client.get("/v1/console/about", headers={"authorization": f"Bearer {admin}"}))["key"]


def test_a_slash_at_the_end_leads_to_the_same_page(looking: TestClient) -> None:
    answer = looking.get("/console/", follow_redirects=False)
    assert answer.status_code == 307 and answer.headers["location"] == "../console"


def test_a_change_without_the_consoles_header_or_from_another_origin_is_refused(looking: TestClient) -> None:
    changing = [one for one in WRITING if one[1] not in LOOKING_POSTS]
    assert len(changing) >= 7
    for method, path in changing:
        assert told(looking.request(method, path, json={}), 403)["code"] == "not-from-the-console", path
        foreign = {"origin": "https://elsewhere.example", HEADER: "1"}
        assert told(looking.request(method, path, json={}, headers=foreign), 403)["code"] == "foreign-origin", path


def test_who_changes_something_must_say_who_they_are(looking: TestClient) -> None:
    assert change(looking, "rules/publish", {"by": " ", "text": PINNED, "was": None}, 422)["code"] == "invalid-input"
    assert look(looking, "rules")["published"]["version"] == 0


# -- labs --------------------------------------------------------------------------------------------------------------


def test_the_lab_takes_each_score_apart_and_tells_how_the_query_was_read(looking: TestClient) -> None:
    (side,) = lab(looking, query="oat milk", k=3)
    for hit in side["page"]["hits"]:
        assert sum(part["part"] for part in hit["explanation"].values()) == pytest.approx(hit["score"], abs=1e-4)
    assert [term["said"] for term in side["page"]["explanation"]["terms"]] == ["oat", "milk"]
    assert side["page"]["hits"][0]["votes"]["lexical"] > 0


def test_what_is_looked_at_in_the_lab_counts_as_seen_by_nobody(shop: Shop, client: TestClient) -> None:
    lab(client, {"surface": "search", "shopper": "ann"}, query="milk")
    told(client.post("/v1/search", json={"query": "milk", "shopper": "ann"}))
    shop.close()
    assert len(list(read_impressions(shop.folder))) == 1


def test_two_sides_tell_where_each_hit_stands_on_the_other(looking: TestClient) -> None:
    first, second = lab(looking, {"surface": "search"}, {"surface": "dear"}, query="milk")
    assert ids(first) != ids(second)
    for one, other in ((first, second), (second, first)):
        assert [hit["elsewhere"] for hit in one["page"]["hits"]] == [ids(other).index(name) + 1 for name in ids(one)]


def test_a_side_may_leave_out_the_rules(client: TestClient) -> None:
    change(client, "rules/publish", {"text": PINNED, "was": None})
    with_rules, without = lab(client, {"surface": "search"}, {"surface": "search", "without_rules": True}, query="milk")
    assert ids(with_rules)[0] == "p2" and with_rules["page"]["hits"][0]["adjustments"]
    assert "p2" not in ids(without) and with_rules["page"]["hits"][0]["elsewhere"] is None


def test_the_recommendation_lab_tells_which_sources_spoke_for_a_hit(looking: TestClient) -> None:
    (side,) = lab(looking, {"surface": "home", "shopper": "ann"})
    bought = next(hit for hit in side["page"]["hits"] if hit["product"]["id"] == "p2")
    assert bought["votes"]["popular"] > 0 and set(bought["votes"]) <= set(side["sources"])
    assert look(looking, "interests?shopper=ann")["events"] == 1


def test_the_lab_refuses_a_surface_that_is_not_there_and_names_the_known_ones(looking: TestClient) -> None:
    answer = told(looking.post("/v1/console/lab", json={"query": "milk", "sides": [{"surface": "serch"}]}), 422)
    assert answer["code"] == "unknown-name" and "search" in answer["known"]


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rules_are_drafted_checked_previewed_published_and_undone(client: TestClient) -> None:
    assert change(client, "rules/draft", {"text": PINNED, "was": None}, method="PUT")["based_on"] == 0
    assert look(client, "rules")["draft"] == {"text": PINNED, "based_on": 0}
    faulty = told(client.post("/v1/console/rules/check", json={"text": '[[rules]]\npinn = { "p2" = 1 }\n'}))
    assert faulty["faults"] and "pinn" in faulty["faults"][0]
    assert told(client.post("/v1/console/rules/check", json={"text": PINNED}))["faults"] == []
    (preview,) = told(client.post("/v1/console/rules/preview", json={"text": PINNED}))["previews"]
    assert preview["changes"] and preview["after"]["ids"][0] == "p2" != preview["before"]["ids"][0]
    version = change(client, "rules/publish", {"text": PINNED, "was": PINNED, "note": "for breakfast"})
    assert (version["version"], version["by"], version["note"]) == (1, "Anna", "for breakfast")
    assert told(client.post("/v1/search", json={"query": "milk"}))["hits"][0]["product"]["id"] == "p2"
    rules = look(client, "rules")
    assert rules["draft"] is None and [rule["name"] for rule in rules["published"]["rules"]] == ["Jam first"]
    change(client, "rules/undo", {"by": "Bo", "serving": 1})
    assert told(client.post("/v1/search", json={"query": "milk"}))["hits"][0]["product"]["id"] != "p2"
    assert [entry["by"] for entry in look(client, "rules")["log"]] == ["Bo", "Anna"]
    assert [(one["by"], one["what"]) for one in look(client, "journal")["changes"]] == [
        ("Bo", "rules-undone"),
        ("Anna", "rules-published"),
    ]


def test_of_two_who_write_the_draft_the_second_is_told_and_loses_nothing(client: TestClient) -> None:
    change(client, "rules/draft", {"text": PINNED, "was": None}, method="PUT")
    refused = change(client, "rules/draft", {"text": "# other\n", "was": None}, 422, method="PUT")
    assert "Somebody else" in refused["detail"]
    change(client, "rules/discard", {"was": "# other\n"}, 422)
    assert look(client, "rules")["draft"]["text"] == PINNED
    assert change(client, "rules/discard", {"was": PINNED}) == {"discarded": True}
    assert look(client, "rules")["draft"] is None


def test_what_is_refused_at_publishing_stays_as_a_draft(client: TestClient) -> None:
    both = PINNED + PINNED.replace("Jam first", "Other").replace('"p2"', '"p1"')
    refused = change(client, "rules/publish", {"text": both, "was": None}, 422)
    assert refused["code"] == "invalid-rules" and look(client, "rules")["draft"]["text"] == both
    assert change(client, "rules/publish", {"text": both, "was": both, "anyway": True})["version"] == 1


def test_an_undo_of_what_serves_no_more_is_refused(client: TestClient) -> None:
    change(client, "rules/publish", {"text": PINNED, "was": None})
    change(client, "rules/publish", {"text": PINNED + "# more\n", "was": None})
    assert "Version 2 serves" in change(client, "rules/undo", {"serving": 1}, 422)["detail"]


# -- synonyms and snapshots --------------------------------------------------------------------------------------------


def test_a_synonym_holds_at_once_and_a_known_one_is_not_written_twice(shop: Shop, client: TestClient) -> None:
    assert not ids(lab(client, query="marmalade")[0])
    sent = {"said": "marmalade", "meant": "jam"}
    assert change(client, "synonyms", sent) == {"line": "marmalade => jam", "new": True}
    assert ids(lab(client, query="marmalade")[0]) == ["p2"]
    assert change(client, "synonyms", sent)["new"] is False
    assert look(client, "synonyms")["lines"] == ["marmalade => jam"]
    assert [one["line"] for one in look(client, "journal")["changes"]] == ["marmalade => jam"]


def test_words_that_would_break_the_file_of_synonyms_are_refused(client: TestClient) -> None:
    for said, meant in (("a => b", "jam"), ("a, b", "jam"), ("x", "#"), ("jam", "Jam"), ("a\nb", "c")):
        assert change(client, "synonyms", {"said": said, "meant": meant}, 422)["code"] == "invalid-input", said
    assert look(client, "synonyms")["lines"] == []


def test_the_shop_goes_back_to_an_older_snapshot_and_on_again(shop: Shop, client: TestClient) -> None:
    first = look(client, "about")["serving"]["snapshot"]
    second = train_here(shop.folder, silent)
    shop.engine.refresh()
    assert change(client, "snapshots/rollback", {"name": first, "serving": first}, 422)["code"] == "invalid-input"
    assert change(client, "snapshots/rollback", {"name": first, "serving": second})["current"] == first
    listed = look(client, "snapshots")
    assert (listed["current"], listed["held"], listed["serving"]["snapshot"]) == (first, first, first)
    assert [one["state"] for one in listed["snapshots"]] == ["current", "kept aside"]
    assert look(client, "about")["serving"]["aside"]["name"] == second
    assert change(client, "snapshots/promote", {"name": second, "serving": first})["current"] == second
    assert look(client, "snapshots")["held"] == ""
    assert change(client, "snapshots/promote", {"name": "../../etc", "serving": second}, 422)["code"] == "unknown-name"
    assert [one["what"] for one in look(client, "journal")["changes"]] == ["snapshot-promoted", "snapshot-rolled-back"]
