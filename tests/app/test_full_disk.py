"""A server whose disk is full says so, keeps nothing half-done, goes on answering, and goes on when there is room."""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_shop import Server, build

from wares.store.sqlite import Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bounds the size of another process's files")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(build(tmp_path / "shop"))
    yield running
    running.end()


def sold(numbers: range) -> dict[str, object]:
    return {"events": [{"kind": "purchase", "shopper_id": f"s{n}", "product_id": "p1", "id": f"e{n}"} for n in numbers]}


def test_events_are_refused_whole_while_the_disk_is_full_and_kept_when_it_has_room(
    server: Server, tmp_path: Path
) -> None:
    assert server.ask("POST", "/v1/events", sold(range(3)))[0] == 200
    most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    size = (tmp_path / "shop" / "wares.sqlite-wal").stat().st_size
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, most[1]))
    for _ in range(2):
        status, said = server.ask("POST", "/v1/events", sold(range(3, 400)))
        assert (status, said["code"]) == (507, "store-unwritable")
        assert "Nothing was half-done" in said["detail"]
    status, page = server.ask("POST", "/v1/search", {"query": "milk"})
    assert (status, page["total"]) == (200, 1)
    with Store.open(tmp_path / "shop", "read") as store:
        assert len(store.events.read()) == 3
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, most)
    status, said = server.ask("POST", "/v1/events", sold(range(3, 400)))
    assert (status, said["new"], said["repeated"]) == (200, 397, 0)
    with Store.open(tmp_path / "shop", "read") as store:
        assert len(store.events.read()) == store.events.last() == 400
