"""Judgements are kept as they were said, all or none; a shop of an older version gets the table and loses nothing."""

import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wares.domain.event import Event, EventKind
from wares.domain.judgement import Judgement
from wares.domain.product import Product
from wares.errors import DataError, StoreError
from wares.store.schema import FILE, SCHEMA_VERSION, UPGRADES
from wares.store.sqlite import Store

TEA = [Judgement("tea", "black", 2.0), Judgement("tea", "green", 1.33)]
# What version 1 made, word for word.
VERSION_1 = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE product_ids (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)",
    "CREATE TABLE products (key INTEGER PRIMARY KEY, change INTEGER NOT NULL UNIQUE, row TEXT)",
    "CREATE TABLE shoppers (key INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE,"
    " attributes TEXT NOT NULL DEFAULT '{}')",
    "CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, time_ms INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, shopper INTEGER, product INTEGER, quantity REAL NOT NULL, value_minor INTEGER,"
    " basket INTEGER, query TEXT)",
)


@pytest.fixture
def old_shop(tmp_path: Path) -> Path:
    """A shop of version 1 with a product and an event on another one."""
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as shop:
        shop.execute("PRAGMA journal_mode = WAL")
        for table in VERSION_1:
            shop.execute(table)
        shop.executemany("INSERT INTO meta VALUES (?, ?)", [("schema_version", 1), ("secret", bytes(32))])
        shop.executemany("INSERT INTO product_ids VALUES (?, ?)", [(1, "black"), (2, "green")])
        shop.execute("""INSERT INTO products VALUES (1, 1, '{"title":"Black tea"}')""")
        shop.execute("INSERT INTO events (key, time_ms, kind, product, quantity) VALUES (x'01', 1000, 0, 2, 1)")
    return tmp_path


def tables(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / FILE)) as shop:
        return dict(shop.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def version(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE)) as shop:
        return int(shop.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()[0])


def test_judgements_come_back_by_query_and_product_in_another_process_too(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        assert shop.judgements.put([Judgement("红茶", "black", 0), *reversed(TEA)]) == 3
    with Store.open(tmp_path, "read") as shop:
        assert shop.judgements.read() == [*TEA, Judgement("红茶", "black", 0.0)]
        assert shop.judgements.count() == 3


def test_a_pair_judged_again_is_replaced_and_others_stay(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.judgements.put(TEA)
        assert shop.judgements.put([Judgement("tea", "green", 0), Judgement("tea", "green", 2)]) == 1
        assert shop.judgements.read() == [TEA[0], Judgement("tea", "green", 2.0)]


def test_new_judgements_can_take_the_place_of_all_others(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.judgements.put(TEA)
        shop.judgements.put([Judgement("milk", "oat", 1)], instead=True)
        assert shop.judgements.read() == [Judgement("milk", "oat", 1.0)]
        assert shop.judgements.clear() == 1
        assert shop.judgements.read() == []
        assert shop.judgements.count() == 0
        assert shop.events.shown() == {}


@pytest.mark.parametrize("relevance", [-0.1, math.nan, math.inf])
def test_a_relevance_that_is_no_gain_is_refused_and_nothing_is_kept(tmp_path: Path, relevance: float) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.judgements.put(TEA[:1])
        with pytest.raises(DataError, match="at least 0"):
            shop.judgements.put([TEA[1], Judgement("milk", "oat", relevance)], instead=True)
        assert shop.judgements.read() == TEA[:1]


def test_a_fault_in_the_middle_undoes_the_removal_of_the_others(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.judgements.put(TEA)
        with pytest.raises(DataError, match="not valid Unicode"):
            shop.judgements.put([Judgement("oat", "a", 1), Judgement("half a pair: \ud83d", "b", 1)], instead=True)
        assert shop.judgements.read() == TEA


def test_judging_a_product_the_catalogue_lacks_is_no_change_of_the_catalogue(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.judgements.put(TEA)
        assert list(shop.catalogue.changes()) == []
        shop.catalogue.put([Product("green")])
        shop.catalogue.delete(["green"])
        assert shop.judgements.read() == TEA


def test_a_reader_cannot_judge(tmp_path: Path) -> None:
    Store.open(tmp_path, "write").close()
    with Store.open(tmp_path, "read") as shop, pytest.raises(StoreError, match="open for reading"):
        shop.judgements.put(TEA)


def test_a_writer_upgrades_an_old_shop_and_keeps_all_that_is_in_it(old_shop: Path) -> None:
    with Store.open(old_shop, "write") as shop:
        assert shop.judgements.read() == []
        assert shop.judgements.put(TEA) == 2
        assert shop.catalogue.get(["black", "green"]) == {"black": Product("black", title="Black tea")}
        assert shop.events.read().product_keys.tolist() == [2]
        met = Event(EventKind.VIEW, 2000, "ann", "black", impression_id="page-1", position=3)
        assert shop.events.append([met]) == (1, 0)
        assert shop.events.shown() == {2: ("page-1", 3)}
    assert version(old_shop) == SCHEMA_VERSION
    with Store.open(old_shop, "read") as shop:
        assert shop.judgements.read() == TEA


def test_an_upgraded_shop_has_the_tables_of_a_new_one(old_shop: Path) -> None:
    Store.open(old_shop, "write").close()
    Store.open(old_shop / "new", "write").close()
    assert tables(old_shop) == tables(old_shop / "new")


def test_a_reader_finds_no_judgements_in_an_old_shop_and_leaves_it_old(old_shop: Path) -> None:
    with Store.open(old_shop, "read") as shop:
        assert shop.judgements.read() == []
        assert shop.judgements.count() == 0
        assert version(old_shop) == 1
        with Store.open(old_shop, "write") as other:
            other.judgements.put(TEA)
        assert shop.judgements.read() == TEA


def test_an_upgrade_that_fails_leaves_the_shop_as_it_was(old_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(old_shop)
    monkeypatch.setitem(UPGRADES, 1, (*UPGRADES[1], "CREATE TABLE judgements (twice)"))
    with pytest.raises(StoreError, match="could not be used"):
        Store.open(old_shop, "write")
    assert tables(old_shop) == before
    assert version(old_shop) == 1
    monkeypatch.undo()
    with Store.open(old_shop, "write") as shop:
        assert shop.judgements.put(TEA) == 2
