"""Processes that answer beside the one that serves: they say what it would say, know what it knows, and may be lost."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from served_shop import Server, build

from wares.app.web.told.refusals import Refused
from wares.app.web.workers.raised import raised, told_of
from wares.errors import CursorExpired, DataError, SettingsError, UnknownName
from wares.shop import open_shop
from wares.store.impressions import read_shown
from wares.training.child import train_here
from wares.training.progress import silent

TWO = "[server]\nworkers = 2\n"
_OWN = ("impression_id", "took_ms", "cursor", "request_id")


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for place in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, place.read_text().split())
    return found


def begun(folder: Path, workers: int = 2) -> Server:
    """A server whose processes can be asked."""
    server = Server(folder)
    until_s = time.monotonic() + 60
    while ready(server) < workers:
        assert time.monotonic() < until_s
        time.sleep(0.05)
    return server


def ready(server: Server) -> int:
    _, text = server.ask("GET", "/metrics")
    lines = [line for line in text.splitlines() if line.startswith("wares_workers") and "ready" in line]
    return int(float(lines[0].split()[-1])) if lines else 0


def what(answer: tuple[int, Any]) -> tuple[int, Any]:
    """Without what is each answer's own."""
    status, told = answer
    if isinstance(told, dict):
        told = {name: value for name, value in told.items() if name not in _OWN}
    return status, told


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = begun(build(tmp_path_factory.mktemp("crew") / "shop", TWO))
    yield server
    server.end()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(build(tmp_path_factory.mktemp("alone") / "shop", "[server]\nworkers = 0\n"))
    yield server
    server.end()


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/search", {"query": "milk", "facets": ["price"]}),
    ("/v1/search", {"query": "milk", "filters": {"price": {"low": 1, "high": 2}}, "sort": "-price", "market": "at"}),
    ("/v1/browse", {"k": 2}),
    ("/v1/recommend", {"shopper": "nobody yet"}),
    ("/v1/recommend", {"surface": "cart", "seeds": ["p0", "who"]}),
    ("/v1/similar", {"product": "p1"}),
    ("/v1/similar", {"product": "p9"}),
    ("/v1/search", {"query": "milk", "surface": "serach"}),
    ("/v1/search", {"query": "milk", "market": "mars"}),
    ("/v1/search", {"query": "milk", "cursor": "nonsense"}),
    ("/v1/search", {"query": "milk", "filters": {"price": {"low": "x"}}}),
]


@pytest.mark.parametrize(("path", "asked"), QUESTIONS)
def test_a_process_says_what_the_server_itself_would_say(
    crew: Server, alone: Server, path: str, asked: dict[str, Any]
) -> None:
    assert what(crew.ask("POST", path, asked)) == what(alone.ask("POST", path, asked))


@pytest.mark.parametrize(
    "asked",
    [
        {"requests": [{"indexName": "default", "query": "milk"}, {"indexName": "default", "facets": ["*"]}]},
        {"requests": [{"indexName": "default", "query": "milk"}, {"indexName": "nowhere", "query": "milk"}]},
        {"requests": [{"indexName": "default", "query": "milk", "page": -1}]},
        {"requests": []},
    ],
)
def test_so_it_does_in_the_words_of_instantsearch(crew: Server, alone: Server, asked: dict[str, Any]) -> None:
    def told(server: Server) -> Any:
        status, found = server.ask("POST", "/1/indexes/*/queries", asked)
        return status, [
            {name: value for name, value in one.items() if name != "processingTimeMS"} if isinstance(one, dict) else one
            for one in (found.get("results") or [found])
        ]

    assert told(crew) == told(alone)


def test_all_pages_of_an_answer_come_from_where_it_is_kept(crew: Server) -> None:
    for _ in range(4):  # whichever process is asked
        _, first = crew.ask("POST", "/v1/browse", {"k": 1, "organic": True})
        _, second = crew.ask("POST", "/v1/browse", {"k": 1, "cursor": first["cursor"]})
        _, third = crew.ask("POST", "/v1/browse", {"k": 1, "cursor": second["cursor"]})
        assert {page["hits"][0]["product"]["id"] for page in (first, second, third)} == {"p0", "p1", "p2"}
        assert not third["cursor"]


def test_what_was_written_the_next_answer_knows_whoever_gives_it(crew: Server) -> None:
    for i in range(20):
        asked = {"query": f"jam {i}", "k": 10}
        status, _ = crew.ask("PATCH", "/v1/products", [{"id": "p2", "price": 10 + i}])
        assert status == 200
        _, page = crew.ask("POST", "/v1/search", asked)
        assert [hit["product"]["price"] for hit in page["hits"] if hit["product"]["id"] == "p2"] == [10 + i]
        hidden = {"kind": "hide", "shopper_id": f"s{i}", "product_id": "p1"}
        assert crew.ask("POST", "/v1/events", {"events": [hidden]})[0] == 200
        _, page = crew.ask("POST", "/v1/browse", {"shopper": f"s{i}"})
        assert "p1" not in [hit["product"]["id"] for hit in page["hits"]]
        assert crew.ask("DELETE", f"/v1/shoppers/s{i}")[0] == 200
        _, page = crew.ask("POST", "/v1/browse", {"shopper": f"s{i}"})
        assert "p1" in [hit["product"]["id"] for hit in page["hits"]]


def test_what_was_shown_is_logged_once_for_whom_it_was_shown_to(tmp_path: Path) -> None:
    folder = build(tmp_path / "shop", TWO)
    server = begun(folder)
    for i in range(10):
        server.ask("POST", "/v1/search", {"query": "milk", "shopper": f"s{i}"})
    server.ask("POST", "/v1/search", {"query": "milk"})
    _, metrics = server.ask("GET", "/metrics")
    server.end()
    assert 'wares_answer_seconds_count{shop="default",surface="search"} 11.0' in metrics
    with open_shop(folder) as shop:
        shown = list(read_shown(folder))
        hashes = [shop.store.shoppers.hash(f"s{i}") for i in range(10)]
    assert sorted(str(whose) for whose, _ in shown) == sorted(map(str, [*hashes, None]))


def test_who_is_lost_is_replaced_and_nobody_waits_in_vain(tmp_path: Path) -> None:
    server = begun(build(tmp_path / "shop", TWO))
    _, page = server.ask("POST", "/v1/browse", {"k": 1})
    first = children_of(server.process.pid)
    for worker in first:
        os.kill(worker, signal.SIGKILL)
    for i in range(20):
        assert server.ask("POST", "/v1/search", {"query": f"milk {i}"})[0] == 200
    status, problem = server.ask("POST", "/v1/browse", {"k": 1, "cursor": page["cursor"]})
    assert (status, problem["code"]) == (410, "cursor-expired")
    until_s = time.monotonic() + 30
    while ready(server) < 2 and time.monotonic() < until_s:
        time.sleep(0.1)
    assert ready(server) == 2
    assert not set(first) & set(children_of(server.process.pid))
    assert server.end().count("worker-lost") == 2


_DEADLY = """
import os
import numpy as np

class Deadly:
    name = "deadly"

    def score(self, intent, view, rows=None):
        if intent.request.query == "poison":
            os.abort()
        return np.zeros(len(view.columns) if rows is None else len(rows), np.float32)

    def reason(self, row, intent, view):
        return None
"""
_WITH_IT = """
[plugins]
deadly = "deadly.py:Deadly"
[profiles.search]
sources = ["lexical", "deadly"]
"""


def deadly(folder: Path, settings: str) -> Path:
    """A shop in which a search for "poison" ends the process that works on it."""
    build(folder, settings + _WITH_IT)
    (folder / "deadly.py").write_text(_DEADLY, encoding="utf-8")
    return folder


def test_a_question_that_ends_processes_ends_two_and_never_the_one_that_serves(tmp_path: Path) -> None:
    server = begun(deadly(tmp_path / "shop", TWO))
    for _ in range(3):  # at once again: while none is there, and of no thread
        status, problem = server.ask("POST", "/v1/search", {"query": "poison"})
        assert (status, problem["code"]) == (500, "answering-failed")
    assert server.ask("POST", "/v1/search", {"query": "milk"})[0] == 200
    until_s = time.monotonic() + 30
    while ready(server) < 2 and time.monotonic() < until_s:
        time.sleep(0.1)
    assert ready(server) == 2
    for _ in range(3):
        assert server.ask("POST", "/v1/search", {"query": "poison"})[0] == 500
    assert server.end().count("worker-lost") == 2  # not one more by all the others


def test_where_there_is_one_process_it_ends_that_one_alone(tmp_path: Path) -> None:
    server = begun(deadly(tmp_path / "shop", "[server]\nworkers = 1\n"), 1)
    for _ in range(2):
        status, problem = server.ask("POST", "/v1/search", {"query": "poison"})
        assert (status, problem["code"]) == (500, "answering-failed")
    assert server.ask("POST", "/v1/search", {"query": "milk"})[0] == 200
    assert server.end().count("worker-lost") == 1


def test_what_waited_behind_it_is_answered(tmp_path: Path) -> None:
    server = begun(deadly(tmp_path / "shop", TWO + "patience_ms = 60000\n"))
    asked = [{"query": "poison"}, *({"query": f"milk {i}"} for i in range(12))]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda body: server.ask("POST", "/v1/search", body)[0], asked))
    assert answers == [500, *[200] * 12]
    server.end()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_they_end_with_the_server_however_it_ends(tmp_path: Path, how: signal.Signals) -> None:
    server = begun(build(tmp_path / "shop", TWO))
    workers = children_of(server.process.pid)
    assert len(workers) == 2
    server.end(how)
    until_s = time.monotonic() + 10
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def test_a_signal_to_all_processes_of_the_service_is_for_the_one_that_serves(tmp_path: Path) -> None:
    server = begun(build(tmp_path / "shop", TWO))
    _, page = server.ask("POST", "/v1/browse", {"k": 1})
    for worker in children_of(server.process.pid):
        os.kill(worker, signal.SIGTERM)
    time.sleep(0.2)
    assert server.ask("POST", "/v1/browse", {"k": 1, "cursor": page["cursor"]})[0] == 200
    assert "worker-lost" not in server.end()


def test_so_it_is_while_they_are_begun(tmp_path: Path) -> None:
    server = Server(build(tmp_path / "shop", TWO))
    until_s = time.monotonic() + 30
    while ready(server) + len(children_of(server.process.pid)) < 2 and time.monotonic() < until_s:
        time.sleep(0.02)
    time.sleep(0.3)  # their interpreter is there, and imports
    for worker in children_of(server.process.pid):
        os.kill(worker, signal.SIGINT)
    time.sleep(0.3)
    said = server.end(signal.SIGINT)
    assert "Traceback" not in said and "worker-lost" not in said


def test_they_take_up_a_newer_snapshot(tmp_path: Path) -> None:
    folder = build(tmp_path / "shop", TWO)
    server = begun(folder)
    train_here(folder, silent)
    until_s, found = time.monotonic() + 30, ""
    while not found and time.monotonic() < until_s:
        time.sleep(0.1)
        found = server.ask("POST", "/v1/search", {"query": f"milk {time.monotonic()}"})[1]["snapshot"]
    assert found
    for i in range(10):
        assert server.ask("POST", "/v1/search", {"query": f"milk {i}"})[0] == 200
    server.end()


def test_before_they_are_there_threads_answer(tmp_path: Path) -> None:
    server = Server(build(tmp_path / "shop", TWO))
    status, page = server.ask("POST", "/v1/browse", {"k": 1})
    assert status == 200 and ready(server) == 0
    server.end()
    again = begun(tmp_path / "shop")
    assert again.ask("POST", "/v1/browse", {"k": 1, "cursor": page["cursor"]})[0] == 410
    again.end()


def test_they_are_begun_when_many_wait_and_not_for_one_person(tmp_path: Path) -> None:
    server = Server(build(tmp_path / "shop", '[server]\nworkers = "auto"\nanswers_at_once = 1\n'))
    for i in range(60):
        server.ask("POST", "/v1/search", {"query": f"milk {i}"})
    assert not children_of(server.process.pid)
    asked = [("POST", "/v1/search", {"query": f"jam {i}"}) for i in range(400)]
    until_s = time.monotonic() + 30
    with ThreadPoolExecutor(16) as people:
        while not children_of(server.process.pid) and time.monotonic() < until_s:
            assert {status for status, _ in people.map(lambda one: server.ask(*one), asked)} <= {200, 503}
    assert children_of(server.process.pid)
    server.end()


def test_an_error_is_the_same_after_its_way_between_processes() -> None:
    for error in (UnknownName("sort", "x", ["y"]), CursorExpired("gone"), DataError("bad", field="a", value="b")):
        again = raised(told_of(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    refused = raised(told_of(Refused(403, "confined", "no", {"retry-after": "1"}, more="x")))
    assert isinstance(refused, Refused)
    assert (refused.status_code, refused.code, refused.more) == (403, "confined", {"more": "x"})


@pytest.mark.parametrize("given", ["true", "-1", '"many"'])
def test_what_is_no_number_of_processes_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="workers"):
        open_shop(build(tmp_path / "shop", f"[server]\nworkers = {given}\n"))
