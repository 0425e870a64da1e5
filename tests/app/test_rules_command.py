"""`wares rules`: a merchandiser's day at the command line, and what a server answers meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

import wares.errors
from wares.app.cli import app
from wares.app.web.http import make_app
from wares.app.web.wire import PageOut
from wares.engine.settings_file import without_rules
from wares.errors import SettingsError
from wares.shop import open_shop

SOURCE = str(Path(wares.errors.__file__).parents[1])
SETTINGS = '[encoder]\nsource = "none"\n'
PIN = '[[rules]]\nname = "Gifts"\nwhen = { query = "gift" }\npin = { p2 = 1 }\n'
BANNER = '[[rules]]\nwhen = { query = "gift" }\nbanner = { text = "<i>Hi</i>", url = "/hi" }\nredirect = "/gifts"\n'


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    place.mkdir()
    (place / "wares.toml").write_text(SETTINGS)
    with open_shop(place) as shop:
        shop.put([{"id": f"p{i}", "title": f"Gift {i}", "price": i} for i in range(3)])
    return place


def wares_(*words: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, words)], prog_name="wares")


def answer(*words: object) -> Any:
    result = wares_(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def written(folder: Path, text: str) -> Path:
    path = folder.parent / "new.toml"
    path.write_text(text)
    return path


def published(folder: Path, text: str) -> None:
    answer("draft", folder, written(folder, text))
    answer("publish", folder, "--by", "Ann", "--yes")


def test_a_draft_is_begun_checked_previewed_published_and_undone(folder: Path) -> None:
    path = Path(wares_("draft", folder).stdout.strip())
    assert path.read_text().startswith("# Draft of version 0;")
    path.write_text(PIN)
    assert wares_("draft", folder).stdout.strip() == str(path)  # it is opened, not begun again
    assert path.read_text() == PIN
    assert wares_("check", folder).exit_code == 0
    seen = wares_("preview", folder)
    assert seen.exit_code == 0
    assert 'search, "gift"' in seen.stdout and "▲2" in seen.stdout
    done = wares_("publish", folder, "--by", "Ann", "--note", "for Christmas")
    assert done.stdout.startswith("Version 1 serves now, with 1 rule.")
    shown = wares_("show", folder).stdout
    assert "Version 1, 1 rule, by Ann" in shown and "pin = { p2 = 1 }" in shown
    assert answer("undo", folder, "--by", "Bob")["version"] == 2
    told = wares_("log", folder).stdout
    assert told.index("Bob") < told.index("Ann") < told.index("for Christmas")
    assert '+ rule 1 "Gifts"' in told and '- rule 1 "Gifts"' in told
    assert answer("show", folder)["rules"] == []
    assert answer("show", folder, "1")["rules"][0]["name"] == "Gifts"
    assert answer("undo", folder, "--by", "Bob", "--to", "1")["same_as"] == 1


def test_a_draft_from_a_file_does_not_overwrite_the_one_that_is_there(folder: Path) -> None:
    answer("draft", folder, written(folder, PIN))
    refused = wares_("draft", folder, written(folder, BANNER))
    assert refused.exit_code == 1 and "there is a draft already" in refused.stderr
    assert answer("draft", folder, written(folder, BANNER), "--discard")["based_on"] == 0
    assert "banner" in (folder / "rules" / "draft.toml").read_text()


def test_faults_and_conflicts_are_shown_and_end_with_one(folder: Path) -> None:
    answer("draft", folder, written(folder, '[[rules]]\nredirect = "javascript:alert(1)"\n'))
    checked = wares_("check", folder)
    assert checked.exit_code == 1
    assert "draft.toml:2: rule 1, redirect: 'javascript:alert(1)' is no address of a page" in checked.stdout
    assert wares_("publish", folder, "--by", "Ann", "--yes").exit_code == 1
    answer("draft", folder, written(folder, PIN + '[[rules]]\nhide = ["p2"]\n'), "--discard")
    found = json.loads(wares_("check", folder, "--json").stdout)
    assert found["faults"] == []
    assert [(one["kind"], one["rules"], one["new"]) for one in found["conflicts"]] == [
        ("pinned-and-hidden", [1, 2], True)
    ]
    assert 'rule 1 "Gifts", rule 2' in wares_("check", folder).stdout
    refused = wares_("publish", folder, "--by", "Ann")
    assert refused.exit_code == 1 and "--yes" in refused.stderr
    assert answer("publish", folder, "--by", "Ann", "--yes")["version"] == 1


def test_nobody_publishes_without_a_name(folder: Path) -> None:
    answer("draft", folder, written(folder, PIN))
    refused = wares_("publish", folder)
    assert refused.exit_code == 1 and "Who publishes?" in refused.stderr
    assert answer("log", folder) == []


def test_a_preview_can_be_asked_for_any_question(folder: Path) -> None:
    published(folder, PIN)
    answer("draft", folder, written(folder, PIN + '[[rules]]\nhide = ["p0"]\n'))
    asked = answer("preview", folder, "--query", "gift", "--query", "nothing", "--category", "Toys", "-k", "2")
    assert [(one["surface"], one["query"], one["category"]) for one in asked] == [
        ("search", "gift", ""), ("search", "nothing", ""), ("browse", "", "Toys")
    ]  # fmt: skip
    assert asked[0]["before"]["ids"] == ["p2", "p0"]
    assert asked[0]["after"]["ids"] == ["p2", "p1"]
    assert asked[0]["ranks"][2] == {"id": "p0", "title": "Gift 0", "before": 2, "after": None}
    assert [one["changes"] for one in asked] == [True, False, False]
    (everything,) = answer("preview", folder, "--surface", "browse")
    assert set(everything["after"]["ids"]) == {"p1", "p2"}


def test_a_diff_tells_line_by_line_what_differs(folder: Path) -> None:
    published(folder, PIN)
    assert wares_("diff", folder).stdout.strip() == "Nothing differs."
    answer("draft", folder, written(folder, PIN.replace("= 1", "= 2")))
    told = wares_("diff", folder).stdout
    assert '~ rule 1 "Gifts": changed' in told and "- pin = { p2 = 1 }" in told and "+ pin = { p2 = 2 }" in told
    (change,) = answer("diff", folder, "--from", "0", "--to", "1")
    assert (change["kind"], change["was"], change["is"]) == ("added", 0, 1)
    assert "There is no version of the rules '7'" in wares_("show", folder, "7").stderr
    assert wares_("show", folder, "last").exit_code == 2


def test_rules_of_an_older_settings_file_move_with_their_comments(folder: Path) -> None:
    older = (
        f"# mine\n{SETTINGS}# of the season\n{PIN}hide = ['p0']\n\n# why\n[[rules.boost]]\nwhere = {{ id = 'p1' }}\n"
    )
    (folder / "wares.toml").write_text(f"{older}\n# kept\n[shop]\ntitle = 'Mine'\n")
    refused = wares_("show", folder)
    assert refused.exit_code == 1 and f"wares rules move {folder} --by" in refused.stderr
    moved = wares_("move", folder, "--by", "Ann")
    assert moved.exit_code == 0, moved.output
    assert (
        folder / "wares.toml"
    ).read_text() == f"# mine\n{SETTINGS}# of the season\n\n# kept\n[shop]\ntitle = 'Mine'\n"
    (rule,) = answer("show", folder)["rules"]
    assert rule["pin"] == {"p2": 1} and rule["hide"] == ["p0"] and rule["boost"]
    assert "# why" in (folder / "rules" / "0001.toml").read_text()


def test_rules_that_cannot_be_taken_out_line_by_line_stay_where_they_are() -> None:
    for text in ("rules = [{ hide = ['a'] }]\n", "[shop]\nabout = '''\n[[rules]]\n'''\n", "[shop]\n"):
        with pytest.raises(SettingsError, match="by hand"):
            without_rules(text)


def test_search_at_the_command_line_shows_banner_redirect_and_rules(folder: Path) -> None:
    published(folder, PIN + BANNER)
    told = CliRunner().invoke(app, ["search", str(folder), "gift", "--explain"], prog_name="wares").stdout
    assert "Sent on to: /gifts" in told
    assert "Banner: <i>Hi</i> </hi>" in told
    assert "rules of the shop that hold: Gifts, rule 2" in told


def test_doctor_tells_which_rules_serve_and_which_are_damaged(folder: Path) -> None:
    published(folder, PIN)
    (folder / "rules" / "0002.toml").write_text("version = 2\n")
    told = CliRunner().invoke(app, ["doctor", str(folder)], prog_name="wares").stdout
    assert "rules: version 1 by Ann: 1" in told
    assert "0002.toml: was cut or altered" in told


def test_a_page_over_http_has_banners_and_redirect(folder: Path) -> None:
    published(folder, PIN + BANNER)
    with open_shop(folder, create=False) as shop, TestClient(make_app({"default": shop})) as client:
        body = client.post("/v1/search", json={"query": "gift"}).json()
        assert body["banners"] == [{"text": "<i>Hi</i>", "url": "/hi", "image_url": ""}]
        assert body["redirect"] == "/gifts"
        assert body["hits"][0]["product"]["id"] == "p2"
        assert set(body) == set(PageOut.model_fields)
        other = client.post("/v1/search", json={"query": "else"}).json()
        assert (other["banners"], other["redirect"]) == ([], "")


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "wares", "serve", str(folder), "--port", "0", "--json"]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_a_running_server_takes_up_what_is_published_beside_it(folder: Path, server: str) -> None:
    def first() -> str:
        asked = Request(f"{server}/v1/search", b'{"query": "gift"}', {"content-type": "application/json"})
        with urlopen(asked, timeout=20) as response:
            return str(json.load(response)["hits"][0]["product"]["id"])

    def becomes(product: str) -> bool:
        until = time.monotonic() + 20
        while time.monotonic() < until and first() != product:
            time.sleep(0.1)
        return first() == product

    before = first()
    assert before != "p2"
    published(folder, PIN)  # the server holds the writer's lock
    assert becomes("p2")
    answer("undo", folder, "--by", "Ann")
    assert becomes(before)
