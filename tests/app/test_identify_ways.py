"""The ways in for a login: over HTTP, on the command line, through a running server, and in the logs of others."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

import wares.app.commands.remote
from wares.app.cli import app
from wares.app.web.http import make_app
from wares.errors import AmbiguousShopper, StoreError
from wares.shop import Shop, open_shop

Row = dict[str, Any]
NOW_MS = int(time.time() * 1000) - 86_400_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shop in which a cookie looked at something and two customers bought something."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text('[encoder]\nsource = "none"\n', encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put([{"id": "mug", "title": "Mug"}])
        shop.record(
            {"kind": kind, "time": NOW_MS, "shopper_id": who, "product_id": "mug"}
            for who, kind in (("cookie", "view"), ("anna", "purchase"), ("ben", "purchase"))
        )
    return folder


def wares_(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def events_of(folder: Path, shopper: str) -> int:
    with open_shop(folder, create=False) as shop:
        return shop.shopper(shopper).events


# -- over HTTP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder) as opened:
        yield opened


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop}), raise_server_exceptions=False) as client:
        yield client


def login(anonymous: str, known: str, **more: object) -> Row:
    return {"anonymous": anonymous, "known": known, **more}


def identify(client: TestClient, *logins: Row) -> Row:
    answer = client.post("/v1/identify", json={"logins": logins})
    assert answer.status_code == 200, answer.text
    told: Row = answer.json()
    return told


def test_a_login_with_consent_joins_two_histories(client: TestClient) -> None:
    assert identify(client, login("cookie", "anna", consent=True)) == {
        "new": 1, "repeated": 0, "apart": 0, "refused": [], "note": "",
    }  # fmt: skip
    assert client.get("/v1/shoppers/anna/interests").json()["events"] == 2
    assert identify(client, login("cookie", "anna", consent=True))["repeated"] == 1


def test_a_login_without_consent_says_that_nothing_was_stored(client: TestClient, shop: Shop) -> None:
    told = identify(client, login("cookie", "anna"))
    assert (told["new"], told["apart"]) == (0, 1) and "Nothing was stored" in told["note"]
    assert shop.store.aliases.count() == 0


def test_good_logins_count_even_where_others_are_ambiguous(client: TestClient) -> None:
    logins = [login(one, other, consent=True) for one, other in (("cookie", "anna"), ("cookie", "ben"), ("x", "ben"))]
    told = identify(client, *logins)
    assert told["new"] == 2
    (refused,) = told["refused"]
    assert refused["line"] == 2 and "another known shopper" in refused["reason"]


def test_a_login_can_be_undone_over_http(client: TestClient) -> None:
    identify(client, login("coo/kie", "anna", consent=True))
    assert client.delete("/v1/identify/coo%2Fkie").status_code == 204
    assert client.delete("/v1/identify/coo%2Fkie").status_code == 422


@pytest.mark.parametrize("body", [{}, {"logins": [{"anonymous": "a"}]}, {"logins": [login("a", "b", concent=True)]}])
def test_a_login_that_is_none_is_refused(client: TestClient, body: Row) -> None:
    assert client.post("/v1/identify", json=body).json()["code"] == "invalid-request"


def test_a_page_of_another_origin_may_not_join_shoppers(client: TestClient) -> None:
    answer = client.post("/v1/identify", json={"logins": []}, headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403


# -- on the command line -----------------------------------------------------------------------------------------------


def test_the_command_joins_and_undoes(folder: Path) -> None:
    assert "Nothing was stored" in wares_("identify", folder, "cookie", "anna").stdout
    assert events_of(folder, "anna") == 1
    assert "one shopper" in wares_("identify", folder, "cookie", "anna", "--consent").stdout
    assert events_of(folder, "anna") == 2
    assert json.loads(wares_("identify", folder, "cookie", "anna", "--consent", "--json").stdout)["repeated"] == 1
    refused = wares_("identify", folder, "cookie", "ben", "--consent")
    assert refused.exit_code == 1 and "another known shopper" in " ".join(refused.stderr.split())
    assert "two shoppers again" in wares_("identify", folder, "cookie", "--undo").stdout
    assert events_of(folder, "anna") == 1
    assert wares_("identify", folder, "cookie", "--undo").exit_code == 1


def test_the_command_needs_two_ids(folder: Path) -> None:
    assert wares_("identify", folder, "cookie").exit_code == 2
    assert wares_("identify", folder, "cookie", "anna", "--undo").exit_code == 2


@pytest.fixture
def served(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A server that holds the shop's lock; commands reach it without a network."""

    def send(server: Any, method: str, route: str, body: object) -> Row:
        answer = client.request(method, f"/v1/{route}", json=body)
        if answer.status_code >= 400:
            raise StoreError(answer.json()["detail"])
        told: Row = answer.json() if answer.content else {}
        return told

    monkeypatch.setattr(wares.app.commands.remote.Server, "_send", send)
    monkeypatch.setattr(wares.app.commands.remote, "_EVENTS", 2)
    return client


def test_the_command_goes_through_the_server_that_holds_the_lock(served: TestClient, shop: Shop, folder: Path) -> None:
    shop.writer().announce("http://127.0.0.1:1")
    assert "one shopper" in wares_("identify", folder, "cookie", "anna", "--consent").stdout
    assert served.get("/v1/shoppers/anna/interests").json()["events"] == 2
    refused = wares_("identify", folder, "cookie", "ben", "--consent")
    assert isinstance(refused.exception, SystemExit | AmbiguousShopper) and refused.exit_code == 1
    assert wares_("identify", folder, "cookie", "--undo").exit_code == 0
    log = segment_log(folder.parent)
    (report,) = json.loads(wares_("import", folder, "--events", log, "--join-logins", "--json").stdout)
    assert report["logins"] == {"joined": 3, "known_already": 0, "ambiguous": 1}


# -- in the logs of others ---------------------------------------------------------------------------------------------


def segment_log(folder: Path) -> Path:
    """Three devices of two customers, one device of both, and a look by each device."""
    people = [("d1", "anna"), ("d2", "anna"), ("d3", "ben"), ("shared", "anna"), ("shared", "ben")]
    rows: list[Row] = [
        {
            "type": "identify",
            "messageId": f"i{i}",
            "anonymousId": one,
            "userId": other,
            "timestamp": "2026-01-31T12:00:00Z",
        }
        for i, (one, other) in enumerate(people)
    ]
    rows += [
        {
            "type": "track", "event": "Product Viewed", "messageId": f"m-{one}", "anonymousId": one,
            "timestamp": "2026-01-31T11:00:00Z", "properties": {"product_id": "mug"},
        }
        for one in ("d1", "d2", "d3", "shared")
    ]  # fmt: skip
    path = folder / "segment.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_an_import_joins_logins_only_when_it_is_told_to(folder: Path, tmp_path: Path) -> None:
    log = segment_log(tmp_path)
    plain = wares_("import", folder, "--events", log)
    assert "--join-logins joins them" in " ".join((plain.stdout + plain.stderr).split())
    assert events_of(folder, "anna") == 1
    told = wares_("import", folder, "--events", log, "--join-logins")
    assert "newly joined to known ones: 3; joined before: 0" in " ".join((told.stdout + told.stderr).split())
    assert (events_of(folder, "anna"), events_of(folder, "ben"), events_of(folder, "shared")) == (3, 2, 1)
    (again,) = json.loads(wares_("import", folder, "--events", log, "--join-logins", "--json").stdout)
    assert again["logins"] == {"joined": 0, "known_already": 3, "ambiguous": 1}


def test_a_dry_run_joins_nobody(folder: Path, tmp_path: Path) -> None:
    log = segment_log(tmp_path)
    (report,) = json.loads(wares_("import", folder, "--events", log, "--join-logins", "--dry-run", "--json").stdout)
    assert report["logins"]["joined"] == 3
    assert events_of(folder, "anna") == 1


def test_the_settings_decide_where_an_import_says_nothing(folder: Path, tmp_path: Path) -> None:
    log, settings = segment_log(tmp_path), folder / "wares.toml"
    base = settings.read_text(encoding="utf-8")
    settings.write_text(base + '[privacy]\nmerge_at_login = "never"\n', encoding="utf-8")
    refused = wares_("import", folder, "--events", log, "--join-logins")
    assert refused.exit_code == 1 and "Nothing was imported" in " ".join(refused.stderr.split())
    settings.write_text(base + '[privacy]\nmerge_at_login = "always"\n', encoding="utf-8")
    (apart,) = json.loads(wares_("import", folder, "--events", log, "--no-join-logins", "--json").stdout)
    assert apart["logins"] == {}
    (joined,) = json.loads(wares_("import", folder, "--events", log, "--json").stdout)
    assert joined["logins"]["joined"] == 3


def test_a_program_joins_the_logins_of_a_log(folder: Path, tmp_path: Path) -> None:
    with open_shop(folder) as shop:
        assert shop.record(segment_log(tmp_path), join_logins=True).logins["joined"] == 3
        assert shop.shopper("anna").events == 3


def test_robots_are_left_out_of_an_import_unless_they_are_to_be_kept(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    lines = [f"view,{NOW_MS // 3_600_000 * 3_600_000 + i},robot,mug" for i in range(310)]
    log.write_text("\n".join(["kind,time,shopper_id,product_id", *lines]), encoding="utf-8")
    done = wares_("import", folder, "--events", log)
    told = " ".join((done.stdout + done.stderr).split())
    assert "kept 300" in told and "Robots: 1 shopper with more than 300 looks in an hour, first in line 302" in told
    (kept,) = json.loads(wares_("import", folder, "--events", log, "--keep-robots", "--json").stdout)
    assert (kept["kept"], kept["robots"]) == (310, {"more than 300 looks in an hour": 1})
