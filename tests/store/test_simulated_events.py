"""What simulated shoppers do lies beside what real ones did, never among it, and goes with one call."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from wares.domain.event import Event, EventKind
from wares.domain.shopper import Login, Shopper
from wares.store.impressions import FILE as SHOWN
from wares.store.impressions import ImpressionLog, read_impressions, read_known_impressions, read_shown
from wares.store.schema import FILE, SCHEMA_VERSION, TABLES
from wares.store.sqlite import Store

REAL = Event(EventKind.VIEW, 1_000, "ann", "tea", impression_id="page-1", position=1)
PLAYED = Event(EventKind.PURCHASE, 2_000, "sim-1", "tea", impression_id="page-2", position=2, simulated=True)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, "write") as store:
        yield store


def test_who_reads_the_log_meets_real_events_unless_simulated_ones_are_asked_for(shop: Store) -> None:
    shop.events.append([REAL, PLAYED, replace(REAL, time_ms=3_000)])
    assert shop.events.read().times_ms.tolist() == [1_000, 3_000]
    assert shop.events.read(simulated=True).times_ms.tolist() == [2_000]
    assert shop.events.shown() == {1: ("page-1", 1), 3: ("page-1", 1)}
    assert shop.events.shown(simulated=True) == {2: ("page-2", 2)}
    assert (shop.events.count(), shop.events.count(simulated=True), shop.events.last()) == (2, 1, 3)


def test_a_simulated_search_is_no_past_query(shop: Store) -> None:
    def search(who: str, simulated: bool) -> Event:
        return Event(EventKind.SEARCH, 1_000, who, query="green tea", simulated=simulated)

    shop.events.append([search("ann", False), search("sim-1", True), search("sim-2", True)])
    assert shop.events.typed_queries(1) == {"green tea": 1}
    assert shop.events.read(simulated=True).queries == {0: "green tea", 1: "green tea"}


@pytest.mark.parametrize("event_id", ["", "e1"])
def test_a_simulated_event_never_takes_the_place_of_the_real_one_that_equals_it(shop: Store, event_id: str) -> None:
    real = replace(REAL, id=event_id)
    assert shop.events.append([replace(real, simulated=True)] * 1) == (1, 0)
    assert shop.events.append([real]) == (1, 0)
    assert shop.events.append([real, replace(real, simulated=True)]) == (0, 2)
    assert (shop.events.count(), shop.events.count(simulated=True)) == (1, 1)


def test_removing_what_was_simulated_leaves_nothing_of_it_and_all_else(shop: Store, tmp_path: Path) -> None:
    with_attributes, joined = "sim-known", "sim-cookie"
    shop.shoppers.put([Shopper(with_attributes, {"age": "35-44"})])
    shop.aliases.join(Login(joined, "bob", consent=True), 1_000)
    both = replace(REAL, shopper_id="ann", time_ms=4_000, simulated=True)
    shop.events.append([REAL, PLAYED, both, *(replace(PLAYED, shopper_id=who) for who in (with_attributes, joined))])
    assert shop.events.erase_simulated() == 4
    assert shop.events.read(simulated=True).seqs.tolist() == [] and shop.events.read().seqs.tolist() == [1]
    assert shop.shoppers.key("sim-1") is None
    assert all(shop.shoppers.key(who) is not None for who in ("ann", with_attributes, joined, "bob"))
    assert shop.events.last() == 5, "numbers are never given again"
    assert shop.events.erase_simulated() == 0
    with Store.open(tmp_path, "read") as reader:
        assert (reader.events.count(), reader.events.count(simulated=True)) == (1, 0)


def as_version(folder: Path, version: int) -> None:
    """What an older wares wrote: the same tables without what came later."""
    undo = {
        5: "DROP INDEX events_simulated; ALTER TABLE events DROP COLUMN simulated;",
        4: "ALTER TABLE events DROP COLUMN impression; ALTER TABLE events DROP COLUMN position;",
        3: "DROP TABLE aliases;",
        2: "DROP TABLE judgements;",
    }
    with closing(sqlite3.connect(folder / FILE)) as file:
        for later in range(SCHEMA_VERSION, version, -1):
            file.executescript(undo[later])
        file.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (version,))
        file.commit()


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_an_older_shop_is_read_as_it_is_and_upgraded_by_the_first_writer(tmp_path: Path, version: int) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.events.append([Event(EventKind.SEARCH, 1_000, "ann", query="tea")])
    as_version(tmp_path, version)
    with Store.open(tmp_path, "read") as reader:
        assert (len(reader.events.read()), len(reader.events.read(simulated=True))) == (1, 0)
        assert (reader.events.count(), reader.events.count(simulated=True)) == (1, 0)
        assert (reader.events.shown(simulated=True), reader.events.typed_queries(1)) == ({}, {"tea": 1})
        with Store.open(tmp_path, "write") as writer:
            writer.events.append([PLAYED])
        assert (len(reader.events.read()), len(reader.events.read(simulated=True))) == (1, 1)
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert file.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone() == (SCHEMA_VERSION,)
        made = {sql for (sql,) in file.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    assert set(TABLES) <= made


def test_what_simulated_shoppers_were_shown_is_read_apart_and_erased_apart(tmp_path: Path) -> None:
    with ImpressionLog(tmp_path, flush_s=60) as log:
        log.record({"id": "real"}, b"a" * 16)
        log.record({"id": "played"}, b"b" * 16, simulated=True)
        log.flush()
        for read in (read_impressions, read_shown, read_known_impressions):
            assert [shown["id"] for _, shown in read(tmp_path)] == ["real"]
            assert [shown["id"] for _, shown in read(tmp_path, simulated=True)] == ["played"]
        log.record({"id": "waiting"}, simulated=True)
        assert log.erase_simulated() == 2
        assert [shown["id"] for _, shown in read_impressions(tmp_path)] == ["real"]
        assert not list(read_impressions(tmp_path, simulated=True))


def test_impressions_of_an_older_file_are_real(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / SHOWN, isolation_level=None)) as file:
        file.execute(
            "CREATE TABLE impressions (seq INTEGER PRIMARY KEY AUTOINCREMENT, written_ms INTEGER NOT NULL,"
            " shopper BLOB, body TEXT NOT NULL)"
        )
        file.execute("""INSERT INTO impressions (written_ms, body) VALUES (4e12, '{"id": "old"}')""")
    assert [shown["id"] for _, shown in read_impressions(tmp_path)] == ["old"]
    assert not list(read_impressions(tmp_path, simulated=True))
    with ImpressionLog(tmp_path) as log:
        log.record({"id": "played"}, simulated=True)
        log.flush()
        assert [shown["id"] for _, shown in read_impressions(tmp_path)] == ["old"]
        assert log.erase_simulated() == 1
