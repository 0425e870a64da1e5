"""The bench of a served shop: its clients, and a small run of the whole."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from typer.testing import CliRunner

from wares.app.bench.serving.client import Question, Told, ask_closed, ask_open
from wares.app.bench.serving.figures import _Rows as Rows
from wares.app.bench.serving.figures import serve_figures
from wares.app.bench.serving.questions import Questions
from wares.app.bench.serving.server import Server
from wares.app.cli import app
from wares.errors import InputError

SHOP = 1_000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        type(self).seen.append(body)
        status = 503 if body == "refuse" else 200
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "2")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *told: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    _Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_clients_of_a_closed_loop_ask_again_and_again(port: int) -> None:
    told = ask_closed(port, [Question("POST", "/x", f"{i}") for i in range(50)], 0.3, clients=4)
    assert told.answered == told.statuses[200] == len(told.latencies_ms) >= 4
    assert set(_Handler.seen) <= {str(i) for i in range(50)}
    assert told.figures()["per_s"] > 0


def test_an_open_loop_asks_at_its_rate_whatever_is_answered(port: int) -> None:
    questions = [Question("POST", "/x", body) for body in ("take", "refuse")]
    told = ask_open(port, questions, 1.0, rate=100.0, seed=3)
    sent = sum(told.statuses.values())
    assert 60 <= sent <= 140  # a Poisson number of mean 100
    assert told.statuses[200] + told.statuses[503] == sent
    assert told.with_retry_after == told.statuses[503] == len(told.refused_ms) > 0


def test_new_searches_are_all_different_and_repeated_ones_are_not() -> None:
    questions = Questions(SHOP, 0)
    new, repeated = questions.new_searches(300), questions.repeated_searches(2_000)
    assert len(set(new)) == 300
    often = np.unique([one.body for one in repeated], return_counts=True)[1]
    assert often.max() > 20 > np.median(often)
    whole = Questions(SHOP, 0).homes(100)
    assert len(set(whole)) == 100 == questions.shoppers  # nobody twice before everybody once


def test_no_event_is_sent_twice() -> None:
    sent = [json.loads(one.body)["events"] for one in Questions(SHOP, 0).events(20, 50)]
    assert len({event["id"] for batch in sent for event in batch}) == 1_000


def test_a_small_shop_is_measured_from_end_to_end(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "item_knn"]\n')
    asked = ["bench", "serve", "--products", str(SHOP), "--seconds", "0.5", "--shop", str(tmp_path), "--only"]
    ran = CliRunner().invoke(app, [*asked, "search_warm,event_to_answer", "--json"])
    assert ran.exit_code == 0, ran.output
    figures = json.loads(ran.stdout)
    assert {"search_warm", "event_to_answer", "ready_s", "memory_mb"} <= set(figures)
    assert figures["search_warm"]["peak_rps"] > 0 and figures["search_warm"]["kept_share"] > 0
    for moment in ("cores_at_peak", "cores_at_rate"):
        cores = figures["search_warm"][moment]
        assert cores.keys() == {"server", "clients", "stolen"} and cores["clients"] > 0 <= cores["stolen"]
    assert figures["event_to_answer"]["unchanged"] == 0
    assert CliRunner().invoke(app, [*asked, "search_hot"]).exit_code != 0


class _Growing:
    """A server of whose memory each look finds more."""

    port = 0

    def __init__(self, *memory_mb: float) -> None:
        self._memory_mb = iter(memory_mb)

    def memory_mb(self) -> float:
        return next(self._memory_mb)

    def wait_for_workers(self) -> None: ...


def test_a_soak_begins_when_what_is_kept_is_at_its_bound_and_tells_how_memory_grew_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[float]()

    def ask(port: int, questions: list[Question], seconds: float, rate: float, seed: int = 0) -> Told:
        asked.append(seconds)
        return Told(seconds, Counter({200: len(questions)}))

    monkeypatch.setattr("wares.app.bench.serving.figures.ask_open", ask)
    monkeypatch.setattr("wares.app.bench.serving.figures.ask_closed", ask)
    monkeypatch.setattr("wares.app.bench.serving.figures._FILLING_STEP_S", 0.5)
    filling, soaking = (50.0, 90.0, 99.8, 100.0, 100.2, 99.9, 100.0), (101.0, 102.0, 103.0, 103.0, 104.0, 104.03)
    server = cast(Server, _Growing(*filling, *soaking))
    told = Rows(server, Questions(SHOP, 0), 1.0, np.random.default_rng(0)).measure("soak", 0.0, 6.0)
    assert asked == [0.5] * 6 + [1.0] * 6
    assert (told["memory_mb"], told["memory_growth"], told["memory_growth_last_half"]) == (100.0, 0.0403, 0.01)
    assert told["memory_mb_by_sixth"] == [round(mb, 1) for mb in soaking]
    assert told["memory_mb_filling"] == list(filling)


def test_filling_ends_in_time_though_memory_goes_on_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wares.app.bench.serving.figures.ask_closed", lambda *told: None)
    rows = Rows(cast(Server, _Growing(*range(1, 100))), Questions(SHOP, 0), 1.0, np.random.default_rng(0))
    assert rows._fill(60.0) == [1, 2, 3, 4, 5]


def test_a_soak_without_its_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--soak"):
        serve_figures(
            1_000, shop=tmp_path, only=["soak"], seconds=1, overload_s=1, soak_s=0, seed=0, tell=lambda *told: None
        )
