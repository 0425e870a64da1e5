"""Keys as files and as commands: shown once, kept as a hash, taken back for good."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from served_shop import build
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.commands.keys import moment
from wares.app.web.access.keys import KEY, Keys, hash_of, is_same
from wares.errors import InputError, StoreError, UnknownName


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build(tmp_path / "shop")


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["keys", *words], prog_name="wares")


def test_a_key_is_256_random_bits_and_its_file_does_not_hold_it(folder: Path) -> None:
    text, key = Keys(folder).new(["search"], name="shop window")
    other, _ = Keys(folder).new(["search"])
    assert KEY.fullmatch(text) and text != other and text.split("_")[1] == key.id
    secret = text.split("_")[2]
    assert len(bytes.fromhex(secret)) == 32
    for path in (folder / "keys").iterdir():
        assert secret not in path.read_text(encoding="utf-8")
    assert is_same(text, key) and not is_same(other, key) and not is_same(text, None)
    assert key.hash == hash_of(text) and secret not in repr(key)


@pytest.mark.skipif(os.name == "nt", reason="rights of other systems")
def test_only_the_owner_may_read_the_files_of_keys(folder: Path) -> None:
    before = os.umask(0)
    try:
        _, key = Keys(folder).new(["search"])
        Keys(folder).revoke(key.id)
    finally:
        os.umask(before)
    assert (folder / "keys").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in (folder / "keys").iterdir()] == [0o600]


@pytest.mark.parametrize(
    ("asked", "fault", "words"),
    [
        ({"scopes": []}, InputError, "at least one scope"),
        ({"scopes": ["serach"]}, UnknownName, "Did you mean 'search'"),
        ({"scopes": ["search", "admin"], "origins": ["https://a.example"]}, InputError, "Make two keys"),
        ({"scopes": ["catalogue"], "markets": ["de"]}, InputError, "Make two keys"),
        ({"scopes": ["search"], "origins": ["*"]}, InputError, "no web origin"),
        ({"scopes": ["search"], "origins": ["https://a.example/path"]}, InputError, "no web origin"),
        ({"scopes": ["search"], "origins": ["null"]}, InputError, "no web origin"),
        ({"scopes": ["search"], "name": "two\nlines"}, InputError, "one line"),
        ({"scopes": ["search"], "expires": datetime(2020, 1, 1, tzinfo=UTC)}, InputError, "expired already"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    folder: Path, asked: dict[str, Any], fault: type[Exception], words: str
) -> None:
    with pytest.raises(fault, match=re.escape(words)):
        Keys(folder).new(**asked)
    assert Keys(folder).files() == []


def test_a_revoked_key_stays_in_the_list_and_cannot_come_back(folder: Path) -> None:
    _, key = Keys(folder).new(["search"])
    first = Keys(folder).revoke(key.id)
    assert Keys(folder).revoke(key.id) == first
    (listed,), faults = Keys(folder).all()
    assert listed.state(datetime.now(UTC)) == "revoked" and faults == []
    with pytest.raises(UnknownName, match=key.id):
        Keys(folder).revoke("00000000")
    with pytest.raises(UnknownName):
        Keys(folder).find("../wares")


def test_a_key_that_was_altered_opens_nothing_and_is_named(folder: Path) -> None:
    _, key = Keys(folder).new(["search"])
    _, good = Keys(folder).new(["events"])
    path = folder / "keys" / f"{key.id}.json"
    for damage in ("", "{", path.read_text("utf-8").replace(key.id, good.id), path.read_text("utf-8")[:-40]):
        path.write_text(damage, encoding="utf-8")
        keys, (fault,) = Keys(folder).all()
        assert keys == [good] and str(path) in fault
        with pytest.raises(StoreError, match="is no key"):
            Keys(folder).find(key.id)


def test_keys_made_at_the_same_time_are_all_there(folder: Path) -> None:
    made: list[str] = []
    jobs = [threading.Thread(target=lambda: made.append(Keys(folder).new(["search"])[1].id)) for _ in range(8)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert {key.id for key in Keys(folder).all()[0]} == set(made) and len(made) == 8


def test_a_key_that_was_told_is_there_after_a_kill(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from wares.app.web.access.keys import Keys\n"
        "while True: print(Keys(Path(sys.argv[1])).new(['search'])[0], flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        told = [maker.stdout.readline().strip()]
        time.sleep(0.3)
        maker.kill()
        told += [line.strip() for line in maker.stdout if KEY.fullmatch(line.strip())]
    keys, faults = Keys(folder).all()
    assert faults == []
    known = {key.hash for key in keys}
    assert told and all(hash_of(text) in known for text in told)


def test_the_commands_make_list_and_revoke_a_key(folder: Path) -> None:
    made = run(
        "new", str(folder), "--scope", "events", "--scope", "search", "--name", "shop window", "--expires", "90d",
        "--rate", "600", "--origin", "https://Shop.example/", "--surface", "home", "--market", "de",
    )  # fmt: skip
    text = made.stdout.strip()
    assert made.exit_code == 0 and KEY.fullmatch(text) and "only time" in made.stderr
    (told,) = json.loads(run("list", str(folder), "--json").stdout)
    assert told["id"] == text.split("_")[1] and told["scopes"] == ["search", "events"] and told["rate"] == 600
    assert told["origins"] == ["https://shop.example"] and told["state"] == "active"
    assert (told["surfaces"], told["markets"]) == (["home"], ["de"])
    assert not {"hash", "signing"} & set(told)
    table = run("list", str(folder)).stdout
    assert told["id"] in table and "shop window" in table and text.split("_")[2] not in table
    assert "revoked" in run("revoke", str(folder), told["id"]).stdout
    assert json.loads(run("list", str(folder), "--json").stdout)[0]["state"] == "revoked"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new", "SHOP"], "at least one scope"),
        (["new", "SHOP", "--scope", "search", "--surface", "hmoe"], "Did you mean 'home'"),
        (["new", "SHOP", "--scope", "search", "--market", "fr"], "There is no market 'fr'"),
        (["new", "SHOP", "--scope", "search", "--expires", "soon"], "is no time"),
        (["new", "NOWHERE", "--scope", "search"], "There is no shop"),
        (["list", "NOWHERE"], "There is no shop"),
        (["revoke", "SHOP", "0badcafe"], "There is no key '0badcafe'"),
        (["token", "SHOP", "0badcafe", "--shopper", "anna"], "There is no key '0badcafe'"),
        (["token", "SHOP", "0badcafe"], "for whom"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(folder: Path, words: list[str], said: str) -> None:
    places = {"SHOP": str(folder), "NOWHERE": str(folder.parent / "nowhere")}
    result = run(*(places.get(word, word) for word in words))
    assert result.exit_code == 1 and said in result.stderr and "Traceback" not in result.output


def test_a_shop_without_keys_says_so(folder: Path) -> None:
    assert "There are no keys" in run("list", str(folder)).stderr
    assert json.loads(run("list", str(folder), "--json").stdout) == []


def test_doctor_tells_of_keys_that_end_soon_are_damaged_or_can_be_read_by_others(folder: Path) -> None:
    def told() -> list[tuple[str, str]]:
        found = json.loads(CliRunner().invoke(app, ["doctor", str(folder), "--json"]).stdout)
        return [(one["state"], one["found"]) for one in found if one["what"] == "keys"]

    assert told() == []
    _, key = Keys(folder).new(["search"])
    _, gone = Keys(folder).new(["search"])
    Keys(folder).revoke(gone.id)
    assert told() == [("ok", "1 valid, 1 expired or revoked")]
    _, soon = Keys(folder).new(["search"], expires=datetime.now(UTC) + timedelta(days=13))
    assert told() == [("warning", f"{soon.id} will expire within 14 days")]
    Keys(folder).revoke(soon.id)
    path = folder / "keys" / f"{key.id}.json"
    if os.name != "nt":
        path.chmod(0o640)
        assert told()[0] == ("warning", f"others on this machine may read {path.name}")
        path.chmod(0o600)
    path.write_text("{", encoding="utf-8")
    assert [state for state, _ in told()] == ["problem"]


def test_an_expiry_is_a_span_or_a_date() -> None:
    for text, span in (("30m", timedelta(minutes=30)), ("12h", timedelta(hours=12)), ("90d", timedelta(days=90))):
        assert abs(moment(text) - datetime.now(UTC) - span) < timedelta(seconds=2)
    assert moment("2099-01-31") == datetime(2099, 1, 31, tzinfo=UTC)
    for wrong in ("", "5", "-3d", "999999d 1", "tomorrow"):
        with pytest.raises(InputError, match="is no time"):
            moment(wrong)
