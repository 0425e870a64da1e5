"""Threads that write at one moment share a transaction; each gets its own outcome."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wares.domain.event import Event, EventKind
from wares.errors import DataError, StoreError, StoreUnwritable
from wares.store.connections import Connections
from wares.store.schema import FILE
from wares.store.sqlite import Store


@pytest.fixture
def connections(tmp_path: Path) -> Iterator[Connections]:
    with Store.open(tmp_path, "write"):
        pass
    connections = Connections(tmp_path / FILE, "write")
    yield connections
    connections.close()


class Crowd:
    """Threads that all want to write while somebody else has the turn."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.outcomes: dict[str, Any] = {}

    def write(self, **works: Any) -> list[str]:
        """What each work led to; returns the statements of the writer's connection that begin or end a transaction."""
        said: list[str] = []
        threads = [threading.Thread(target=self._one, args=(name, work)) for name, work in works.items()]
        with self._connections._turn:
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + 10
            while len(self._connections._pieces) < len(works) and time.monotonic() < deadline:
                time.sleep(0.001)
            writer = self._connections._writer
            assert writer is not None
            writer.set_trace_callback(said.append)
        for thread in threads:
            thread.join(10)
        writer.set_trace_callback(None)
        return [one for one in said if one.startswith(("BEGIN", "COMMIT", "ROLLBACK")) and "piece" not in one]

    def _one(self, name: str, work: Any) -> None:
        try:
            self.outcomes[name] = self._connections.together(work)
        except BaseException as fault:
            self.outcomes[name] = fault


def _remember(name: str, value: int) -> Any:
    def work(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
        return value

    return work


def _remembered(connections: Connections) -> dict[str, int]:
    with connections.reading() as connection:
        return dict(connection.execute("SELECT name, value FROM meta WHERE name LIKE 'x%'"))


def test_all_that_wait_are_written_in_one_transaction(connections: Connections) -> None:
    crowd = Crowd(connections)
    said = crowd.write(**{f"x{i}": _remember(f"x{i}", i) for i in range(8)})
    assert crowd.outcomes == {f"x{i}": i for i in range(8)}
    assert _remembered(connections) == {f"x{i}": i for i in range(8)}
    assert said == ["BEGIN IMMEDIATE", "COMMIT"]


def test_what_fails_is_undone_and_the_others_stay(connections: Connections) -> None:
    def half(connection: sqlite3.Connection) -> None:
        _remember("x9", 9)(connection)
        raise DataError("this one is no good")

    crowd = Crowd(connections)
    crowd.write(x1=_remember("x1", 1), bad=half, x2=_remember("x2", 2))
    assert isinstance(crowd.outcomes["bad"], DataError)
    assert (crowd.outcomes["x1"], crowd.outcomes["x2"]) == (1, 2)
    assert _remembered(connections) == {"x1": 1, "x2": 2}


def test_when_the_disk_is_full_nobody_is_told_that_anything_was_kept(connections: Connections) -> None:
    def full(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # as SQLite does by itself then
        fault = sqlite3.OperationalError("database or disk is full")
        fault.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise fault

    crowd = Crowd(connections)
    crowd.write(x1=_remember("x1", 1), full=full, x2=_remember("x2", 2))
    assert {type(outcome) for outcome in crowd.outcomes.values()} == {StoreUnwritable}
    assert _remembered(connections) == {}
    assert connections.together(_remember("x3", 3)) == 3  # there is room again


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write"):
        pass
    reader = Connections(tmp_path / FILE, "read")
    with pytest.raises(StoreError, match="open for reading"):
        reader.together(_remember("x1", 1))
    reader.close()


def test_sixteen_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as store:
        told: list[tuple[int, int]] = []

        def write(who: int) -> None:
            for i in range(20):
                mine = Event(EventKind.VIEW, 1_000 + i, f"s{who}", "p1", id=f"{who}-{i}")
                everybodys = Event(EventKind.VIEW, 1_000, "s", "p2", id=f"all-{i}")
                told.append(store.events.append([mine, everybodys]))

        threads = [threading.Thread(target=write, args=(who,)) for who in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.events.count() == 16 * 20 + 20 == sum(new for new, _ in told)
        assert sum(repeated for _, repeated in told) == 15 * 20
        assert store.events.last() == 16 * 20 + 20  # repeated ones took no number
