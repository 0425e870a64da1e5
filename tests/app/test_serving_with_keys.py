"""A really started server with keys: where it listens, when it notices a key, and what it writes about itself."""

import json
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from served_shop import Server, build
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.commands import remote
from wares.app.web import serve
from wares.app.web.access.keys import Keys
from wares.app.web.access.tokens import Claims, make_token
from wares.engine.durable import replace_text
from wares.engine.settings import load_settings

ADMIN = "0123456789abcdef-the-admins-own"
LOUD = """
[server]
access_log = true
[plugins]
broken = "parts.py:Broken"
[profiles.broken]
sources = ["popular"]
policies = ["broken"]
"""
PARTS = '''
class Broken:
    """A policy that fails with the shopper's words in its mouth."""
    name = "broken"
    def arrange(self, slate, intent, view):
        try:
            raise KeyError(f"cause {intent!r}")
        except KeyError as error:
            raise RuntimeError(f"said {intent!r}") from error
'''


@contextmanager
def served(folder: Path, *options: str, **environment: str) -> Iterator[Server]:
    server = Server(folder, *options, **environment)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def answers_within_a_second(server: Server, status: int, key: str = "") -> bool:
    end_s = time.monotonic() + 1
    while time.monotonic() < end_s:
        if server.ask("GET", "/v1/shop", key=key)[0] == status:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def refused_to_start(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What `wares serve` says where it must not start; a test that comes to listening fails."""
    monkeypatch.delenv("WARES_ADMIN_KEY", raising=False)
    monkeypatch.setattr(serve, "bound", lambda *where: pytest.fail("it listens"))

    def asked(folder: Path, *options: str) -> str:
        result = CliRunner().invoke(app, ["serve", str(folder), "--port", "0", *options], prog_name="wares")
        assert result.exit_code == 1 and not result.stdout, result.output
        return " ".join(result.stderr.split())

    return asked


def test_another_address_is_not_served_without_a_valid_key(
    tmp_path: Path, refused_to_start: Callable[..., str]
) -> None:
    folder = build(tmp_path / "shop")
    for host in ("0.0.0.0", "::", "192.0.2.1", "shop.example"):
        said = refused_to_start(folder, "--host", host)
        assert host in said and "wares keys new" in said and "WARES_ADMIN_KEY" in said and "127.0.0.1" in said
    _, revoked = Keys(folder).new(["admin"])
    Keys(folder).revoke(revoked.id)
    _, old = Keys(folder).new(["admin"])
    (folder / "keys" / f"{old.id}.json").write_text(
        old.model_copy(update={"expires": old.made}).model_dump_json(), encoding="utf-8"
    )
    assert "no valid key" in refused_to_start(folder, "--host", "0.0.0.0")


@pytest.mark.skipif(sys.platform != "linux", reason="others have one loopback address")
def test_without_keys_only_this_machine_can_connect(tmp_path: Path) -> None:
    with served(build(tmp_path / "shop")) as server:
        assert server.ask("GET", "/v1/shop")[0] == 200
        assert server.ask("GET", "/v1/shop", host="shop.example")[1]["code"] == "wrong-host"
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", server.port), timeout=2):
            pass


def test_the_environments_key_goes_on_working_as_admin(tmp_path: Path) -> None:
    with served(build(tmp_path / "shop"), "--host", "0.0.0.0", WARES_ADMIN_KEY=ADMIN) as server:
        assert server.ask("GET", "/v1/shop")[0] == 401
        assert server.ask("GET", "/v1/shop", key=ADMIN)[0] == 200
        assert server.ask("PUT", "/v1/products", [{"id": "new", "title": "Tea"}], key=ADMIN)[1]["kept"] == 1
        assert server.ask("GET", "/healthz")[0] == 200


def test_a_running_server_notices_new_and_revoked_keys_within_a_second(tmp_path: Path) -> None:
    folder = build(tmp_path / "shop")
    first, _ = Keys(folder).new(["search"])
    with served(folder, "--host", "0.0.0.0") as server:
        assert server.ask("GET", "/v1/shop", key=first)[0] == 200
        for _ in range(2):
            text, key = Keys(folder).new(["search"])
            token = make_token(key, Claims(shopper="anna", expires=int(time.time()) + 60))
            for given in (text, token):
                assert answers_within_a_second(server, 200, given)
            CliRunner().invoke(app, ["keys", "revoke", str(folder), key.id])
            for given in (text, token):
                assert answers_within_a_second(server, 401, given)
        assert server.ask("GET", "/v1/shop", key=first)[0] == 200


def test_a_key_expires_while_the_server_runs(tmp_path: Path) -> None:
    folder = build(tmp_path / "shop")
    text, key = Keys(folder).new(["search"])
    with served(folder) as server:
        assert server.ask("GET", "/v1/shop", key=text)[0] == 200  # however long the start took
        soon = key.model_copy(update={"expires": key.made.fromtimestamp(time.time() + 3, key.made.tzinfo)})
        replace_text(folder / "keys" / f"{key.id}.json", soon.model_dump_json())
        end_s = time.monotonic() + 30
        while server.ask("GET", "/v1/shop", key=text)[0] == 200:
            assert time.monotonic() < end_s
            time.sleep(0.1)
        assert server.ask("GET", "/v1/shop", key=text)[1]["code"] == "key-expired"


def test_a_server_of_this_machine_takes_keys_as_soon_as_there_is_one(tmp_path: Path) -> None:
    folder = build(tmp_path / "shop")
    with served(folder) as server:
        assert server.ask("GET", "/v1/shop")[0] == 200
        text, key = Keys(folder).new(["search"])
        assert answers_within_a_second(server, 401)
        assert server.ask("GET", "/v1/shop", key=text)[0] == 200
        Keys(folder).revoke(key.id)
        assert answers_within_a_second(server, 401, text)
        assert server.ask("GET", "/v1/shop")[0] == 401


def test_commands_reach_a_server_that_needs_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build(tmp_path / "shop", "[server]\nmax_records = 7\nrate_per_key = 3\n")
    weak, _ = Keys(folder).new(["search"])
    strong, _ = Keys(folder).new(["admin"], rate=600)
    rows = tmp_path / "events.jsonl"
    rows.write_text(
        "".join(
            json.dumps({"kind": "view", "product_id": "p1", "time": 1_700_000_000_000 + n}) + "\n" for n in range(20)
        ),
        encoding="utf-8",
    )
    with served(folder):
        for key, words in (("", "A key is needed"), (weak, "needs the scope events"), (strong, "")):
            monkeypatch.setenv("WARES_ADMIN_KEY", key)
            result = CliRunner().invoke(app, ["import", str(folder), "--events", str(rows)])
            assert (result.exit_code, words in result.output) == (int(bool(words)), True), result.output
            assert not words or "WARES_ADMIN_KEY must hold a key" in result.output


def test_commands_wait_where_the_server_says_that_they_ask_too_often() -> None:
    statuses = [429, 429, 200]

    class Busy(BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(statuses.pop(0))
            self.send_header("retry-after", "0")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *told: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Busy) as busy:
        Thread(target=busy.serve_forever, daemon=True).start()
        remote.Server(f"http://127.0.0.1:{busy.server_port}", load_settings(Path("nowhere"))).delete(["p1"])
        busy.shutdown()
    assert statuses == []


def test_the_storefronts_key_must_be_fit_for_a_page(tmp_path: Path, refused_to_start: Callable[..., str]) -> None:
    folder = build(tmp_path / "shop")
    good, key = Keys(folder).new(["search", "events"])
    wide, _ = Keys(folder).new(["search", "catalogue"])
    settings = (folder / "wares.toml").read_text(encoding="utf-8")

    def carries(text: str) -> None:
        (folder / "wares.toml").write_text(f'{settings}\n[server]\nstorefront_key = "{text}"\n', encoding="utf-8")

    carries(wide)
    said = refused_to_start(folder)
    assert "may catalogue" in said and "--scope search --scope events" in said and wide not in said
    carries(good[:-1] + ("0" if good[-1] != "0" else "1"))
    assert "no valid key of this shop" in refused_to_start(folder)
    carries('\\"><script>')
    assert "script" not in refused_to_start(folder)
    carries(good)
    with served(folder) as server:
        status, page = server.ask("GET", "/")
        carried = re.search(r'name="wares-key" content="([^"]+)"', page)
        assert status == 200 and carried and carried[1] == good
        assert server.ask("POST", "/v1/search", {"query": "milk"}, key=carried[1])[1]["total"] == 1
        assert server.ask("PUT", "/v1/products", [], key=carried[1])[1]["code"] == "scope-missing"
    Keys(folder).revoke(key.id)
    assert "not revoked" in refused_to_start(folder)


def test_nothing_that_the_server_writes_holds_a_key_a_token_words_or_an_id(tmp_path: Path) -> None:
    folder = build(tmp_path / "shop", LOUD)
    (folder / "parts.py").write_text(PARTS, encoding="utf-8")
    text, key = Keys(folder).new(["search", "events"], origins=["https://shop.example"])
    token = make_token(key, Claims(shopper="zzshopperzz", expires=int(time.time()) + 600))
    asked: dict[str, Any] = {"query": "zzqueryzz", "shopper": "zzshopperzz"}
    with served(folder, "--host", "0.0.0.0", WARES_ADMIN_KEY=ADMIN) as server:
        for given in (text, token, ADMIN, text[:-1] + "f", token[:-2] + "AA", "zzwrongkeyzz"):
            for headers in ({}, {"origin": "https://shop.example"}, {"origin": "https://zzoriginzz.example"}):
                server.ask("POST", "/v1/search", asked, given, **headers)
                server.ask("POST", "/v1/search", {**asked, "surface": "zzsurfacezz"}, given, **headers)
                server.ask("POST", "/v1/search", {**asked, "surface": "broken"}, given, **headers)
                server.ask("POST", "/v1/search", {**asked, "k": "zzbadzz"}, given, **headers)
            server.ask("GET", "/v1/shoppers/zzshopperzz/interests", key=given)
            server.ask("GET", "/v1/suggest?q=zzqueryzz", key=given)
            server.ask("GET", f"/1/indexes/default/zzproductzz?x-algolia-api-key={given}")
            server.ask("POST", f"/1/indexes/default/query?x-algolia-api-key={given}", {"params": "query=zzqueryzz"})
            server.ask("POST", "/v1/events", {"events": [{"kind": "view", "shopper_id": "zzshopperzz"}]}, given)
            server.ask("DELETE", "/v1/identify/zzshopperzz", key=given)
            server.ask("GET", f"/v1/nothing/zzpathzz/{given}", key=given)
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(f"zzmethodzz /v1/{text} HTTP/9.9\r\nauthorization: Bearer {text}\r\n\r\n".encode())
            raw.recv(1000)
        status, told = server.ask("POST", "/v1/search", {**asked, "surface": "broken"}, text)
        assert (status, told["code"]) == (500, "internal")
        said = server.end(signal.SIGTERM)
    assert "RuntimeError" in said and "KeyError" in said and "parts.py" in said  # faults are told ...
    assert not re.search(r"zz\w+zz", said), said  # ... without anybody's words
    for secret in (
        text,
        token,
        ADMIN,
        text.split("_")[2],
        token.split(".")[2],
        token.split(".")[3],
        key.hash,
        key.signing,
    ):
        assert secret not in said
    told = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    lines = [line for line in told if line["event"] == "request"]
    assert len(lines) > 100 and {frozenset(line) for line in lines} == {
        frozenset(
            ("time", "level", "event", "id", "method", "route", "status", "key", "surface", "degraded", "bytes", "ms")
        )
    }
    assert {line["key"] for line in lines} == {key.id, "admin", ""}
    assert {"POST /v1/search", "GET /1/indexes/{index}/{object_id:path}", "unknown"} <= {
        line["route"] for line in lines
    }
    assert {200, 401, 403, 404, 422, 500} <= {line["status"] for line in lines}


def test_no_line_is_written_for_a_request_unless_it_is_wished(tmp_path: Path) -> None:
    with served(build(tmp_path / "shop")) as server:
        assert server.ask("POST", "/v1/search", {"query": "milk"})[0] == 200
        said = server.end().splitlines()[1:]  # the first says where it serves
        assert [json.loads(line)["event"] for line in said] == ["start", "stop"]
