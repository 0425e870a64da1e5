"""`wares doctor` on what a shop stands on: each thing is broken once, and named with what to do."""

import json
import os
import resource
import shutil
import socket
import sqlite3
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from served_shop import build
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.commands import upkeep
from wares.app.commands.finding import Finding
from wares.app.commands.upkeep import look_after
from wares.app.web.access.keys import Keys
from wares.engine.settings import load_settings
from wares.shop import open_shop
from wares.store.lock import Holder
from wares.training.child import train_here
from wares.training.progress import silent

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("WARES_ADMIN_KEY", raising=False)
    return build(tmp_path / "shop", "[server]\nport = 0\n")


def findings(folder: Path, backups: Path | None = None, now_ms: int = 0) -> dict[str, Finding]:
    """By what was looked at; of several of one name the last."""
    moment = now_ms or int(time.time() * 1000)
    return {one.what: one for one in look_after(folder, load_settings(folder), backups, moment)}


def add(folder: Path, settings: str) -> None:
    path = folder / "wares.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[server]\n", f"[server]\n{settings}\n"), encoding="utf-8")


def test_a_good_shop_has_nothing_to_be_told(folder: Path) -> None:
    found = findings(folder)
    assert {one.state for one in found.values()} == {"ok"}, found
    assert all(not one.advice for one in found.values())
    assert {"writer's lock", "port", "risks", "disk", "schema", "write-ahead log", "clock", "open files"} == set(found)


def holding(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(upkeep, "holder", lambda folder: Holder(4711, url))


class Answering:
    """A server that says one thing to everybody; "" = it takes the connection and says nothing."""

    def __init__(self, status: int, body: dict[str, Any] | None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        text = json.dumps(body).encode()
        self._said = b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(text), text) if body else b""
        self._held: list[socket.socket] = []
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.recv(4096)
            connection.sendall(self._said)
            self._held.append(connection) if not self._said else connection.close()

    def close(self) -> None:
        for one in (*self._held, self._listening):
            one.close()


@pytest.mark.parametrize(
    ("status", "body", "state", "told"),
    [
        (200, {"shops": {"default": {"degraded": []}}}, "ok", "and is ready"),
        (200, {"shops": {"default": {"degraded": [{"meaning": "Nothing was learnt yet."}]}}}, "warning", "Nothing was"),
        (503, {"shops": {"default": {"why": "It is ending."}}}, "problem", "It is ending."),
        (503, {"odd": 1}, "problem", "status 503"),
        (200, None, "problem", "does not answer"),
    ],
)
def test_whether_the_holder_of_the_lock_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any] | None, state: str, told: str
) -> None:
    monkeypatch.setattr(upkeep, "_PATIENCE_S", 0.3)
    server = Answering(status, body)
    holding(monkeypatch, server.url)
    found = findings(folder)
    server.close()
    assert (found["writer's lock"].state, told in found["writer's lock"].found) == (state, True), found
    assert "4711" in found["writer's lock"].found and "port" not in found


def test_a_server_that_is_gone_while_its_lock_is_held_is_a_problem(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    holding(monkeypatch, f"http://127.0.0.1:{port}")
    assert findings(folder)["writer's lock"].state == "problem"


def test_a_port_that_another_program_has_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        (folder / "wares.toml").write_text(
            (folder / "wares.toml").read_text(encoding="utf-8").replace("port = 0", f"port = {port}"), encoding="utf-8"
        )
        taken = findings(folder)["port"]
    assert taken.state == "warning" and str(port) in taken.found and "--port" in taken.advice
    assert findings(folder)["port"].state == "ok"


def test_an_open_address_without_a_key_is_a_problem_and_without_rates_a_warning(folder: Path) -> None:
    add(folder, 'host = "0.0.0.0"\nrate_per_key = 0')
    found = [one for one in look_after(folder, load_settings(folder), None, NOW_MS) if one.what == "risks"]
    assert [one.state for one in found] == ["problem", "warning"]
    assert "0.0.0.0" in found[0].found and "wares keys new" in found[0].advice and "rate_per_key" in found[1].found
    Keys(folder).new(["admin"])
    found = [one for one in look_after(folder, load_settings(folder), None, NOW_MS) if one.what == "risks"]
    assert [one.state for one in found] == ["warning"]


def test_a_short_admin_key_and_trainings_that_are_not_compared_are_risks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARES_ADMIN_KEY", "hunter2hunter2")
    assert findings(folder)["risks"].state == "warning"
    assert "hunter2" not in findings(folder)["risks"].found
    monkeypatch.delenv("WARES_ADMIN_KEY")
    with (folder / "wares.toml").open("a", encoding="utf-8") as file:
        file.write("[promotion]\ncompare = false\n")
    assert "promotion.compare" in findings(folder)["risks"].found


@pytest.mark.parametrize(("free_gb", "state"), [(50.0, "ok"), (0.5, "warning"), (0.05, "problem")])
def test_room_on_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch, free_gb: float, state: str) -> None:
    usage = shutil.disk_usage(folder)._replace(free=int(free_gb * 2**30))
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert findings(folder)["disk"].state == state


def test_a_folder_that_cannot_be_written_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, how: False)  # root may write everywhere
    assert findings(folder)["folder"].state == "warning"


def test_an_older_schema_is_told(folder: Path) -> None:
    with sqlite3.connect(folder / "wares.sqlite") as connection:
        connection.execute("UPDATE meta SET value = 3 WHERE name = 'schema_version'")
    connection.close()
    found = findings(folder)["schema"]
    assert found.state == "warning" and "version 3" in found.found


def test_a_write_ahead_log_that_grows_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_LARGE_WAL_MB", 0.01)
    with open_shop(folder) as shop:
        shop.put([{"id": f"x{i}", "title": f"Thing {i}"} for i in range(300)])
        assert findings(folder)["write-ahead log"].state == "warning"


def test_a_damaged_older_snapshot_is_named(folder: Path) -> None:
    names = []
    for price in (1, 2):
        with open_shop(folder) as shop:
            shop.put([{"id": "p9", "title": "Tea", "price": price}])
        names.append(train_here(folder, silent))
    assert findings(folder)["older snapshots"].state == "ok"
    (folder / "snapshots" / names[0] / "columns.npz").write_bytes(b"cut")
    found = findings(folder)["older snapshots"]
    assert found.state == "warning" and names[0] in found.found and "columns.npz" in found.found


def test_events_from_the_future_and_a_clock_that_went_back_are_told(folder: Path) -> None:
    with open_shop(folder) as shop:
        shop.record([{"kind": "view", "product_id": "p1", "time": NOW_MS - DAY_MS}])
    assert findings(folder, now_ms=NOW_MS)["clock"].state == "ok"
    ahead = findings(folder, now_ms=NOW_MS - 2 * DAY_MS)["clock"]
    assert ahead.state == "warning" and "1 events lie in the future" in ahead.found
    train_here(folder, silent)
    back = findings(folder, now_ms=int(time.time() * 1000) - 30 * DAY_MS)["clock"]
    assert back.state == "problem" and "NTP" in back.advice


def test_few_open_files_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda what: (256, 4096))
    found = findings(folder)["open files"]
    assert found.state == "warning" and "ulimit -n 4096" in found.advice


def test_the_newest_backup_is_looked_at(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    assert findings(folder, target)["backup"].state == "problem"
    assert CliRunner().invoke(app, ["backup", str(folder), str(target)]).exit_code == 0
    assert findings(folder, target)["backup"].state == "ok"
    later = int(time.time() * 1000) + 8 * DAY_MS
    assert findings(folder, target, later)["backup"].state == "warning"
    next(target.glob("*/backup.json")).write_text("{}", encoding="utf-8")
    assert findings(folder, target)["backup"].state == "problem"


def test_the_command_ends_with_1_where_there_is_a_problem(folder: Path, tmp_path: Path) -> None:
    def told(*options: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(app, ["doctor", str(folder), "--json", *options])
        return result.exit_code, {one["what"]: one for one in json.loads(result.stdout)}

    code, found = told()
    assert (code, found["schema"]["state"]) == (0, "ok")
    code, found = told("--backups", str(tmp_path / "none"))
    assert (code, found["backup"]["state"]) == (1, "problem")
