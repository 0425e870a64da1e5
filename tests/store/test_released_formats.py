"""Every format that a version of wares has ever written opens: made here word for word as it was written then.

Released is what a tagged version wrote, and every schema version since 1, tagged or not.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from test_store_judgements import VERSION_1

from wares.engine.backup.making import make_backup
from wares.engine.backup.restoring import restore
from wares.engine.rules.book import RuleBook
from wares.engine.shelf import current_name, held_at
from wares.shop import open_shop
from wares.store.schema import FILE, SCHEMA_VERSION
from wares.store.sqlite import Store

# What made each version of the one before it, as it was then: never to be changed.
THEN = {
    2: (
        "CREATE TABLE judgements (query TEXT NOT NULL, product INTEGER NOT NULL, gain REAL NOT NULL,"
        " PRIMARY KEY (query, product)) WITHOUT ROWID",
    ),
    3: (
        "CREATE TABLE aliases (shopper INTEGER PRIMARY KEY, known INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
        " consent INTEGER NOT NULL)",
        "CREATE INDEX aliases_by_known ON aliases (known)",
    ),
    4: ("ALTER TABLE events ADD COLUMN impression TEXT", "ALTER TABLE events ADD COLUMN position INTEGER"),
}
SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'


def written_by(folder: Path, version: int) -> Path:
    """A shop with two products, one of them sold, as this schema version kept it."""
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS)
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as shop:
        shop.execute("PRAGMA journal_mode = WAL")
        for statement in (*VERSION_1, *(one for step in range(2, version + 1) for one in THEN[step])):
            shop.execute(statement)
        shop.executemany("INSERT INTO meta VALUES (?, ?)", [("schema_version", version), ("secret", bytes(32))])
        shop.executemany("INSERT INTO product_ids VALUES (?, ?)", [(1, "black"), (2, "green")])
        for key, title in ((1, "Black tea"), (2, "Green tea")):
            shop.execute("INSERT INTO products VALUES (?, ?, ?)", (key, key, json.dumps({"title": title})))
        shop.execute("INSERT INTO events (key, time_ms, kind, product, quantity) VALUES (x'01', 1000, 0, 2, 1)")
    return folder


def found(folder: Path) -> tuple[list[str], int]:
    with open_shop(folder, create=False) as shop:
        return [hit.product.id for hit in shop.search("tea").hits], len(shop.store.events.read())


def test_there_is_a_shop_of_every_version() -> None:
    assert {1, *THEN} >= set(range(1, 5))
    assert SCHEMA_VERSION >= 4


@pytest.mark.parametrize("version", [1, *THEN])
def test_a_shop_of_every_version_answers_is_upgraded_and_backed_up(tmp_path: Path, version: int) -> None:
    folder = written_by(tmp_path / "shop", version)
    ids, events = found(folder)
    assert (sorted(ids), events) == (["black", "green"], 1)
    made, backup = make_backup(folder, tmp_path / "backups", 1_790_000_000_000, lambda *told: None)
    assert backup.schema == version
    Store.open(folder, "write").close()
    with closing(sqlite3.connect(folder / FILE)) as shop:
        assert shop.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone() == (SCHEMA_VERSION,)
    assert (found(folder)[1], sorted(found(folder)[0])) == (1, ["black", "green"])
    restore(made, tmp_path / "again", 1_790_000_000_000, lambda *told: None, lambda at: None)
    Store.open(tmp_path / "again", "write").close()
    assert sorted(found(tmp_path / "again")[0]) == ["black", "green"]


def test_marks_without_a_checksum_are_read(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("000003\n")
    assert current_name(tmp_path) == "000003"
    (tmp_path / "HELD").write_text("000003")
    assert held_at(tmp_path) == "000003"


def test_rules_whose_head_has_no_seal_are_read(tmp_path: Path) -> None:
    book = RuleBook(tmp_path)
    book.publish('[[rules]]\nname = "a"\nhide = ["p1"]\n', "Anna")
    path = tmp_path / "rules" / "0001.toml"
    path.chmod(0o644)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("head_sha256")))
    (tmp_path / "rules" / "LAST").unlink()
    version, warnings = book.current()
    assert (version.number, version.by, warnings) == (1, "Anna", [])


@pytest.mark.parametrize("said", ["Anna", "note", "2026"])
def test_who_when_and_why_of_a_version_cannot_be_altered(tmp_path: Path, said: str) -> None:
    book = RuleBook(tmp_path)
    book.publish("", "Bob")
    book.publish('[[rules]]\nname = "a"\nhide = ["p1"]\n', "Anna", "a note")
    path = tmp_path / "rules" / "0002.toml"
    text = path.read_text()
    path.chmod(0o644)
    at = text.index(said if said != "2026" else "at = ") + (0 if said != "2026" else 5)
    path.write_text(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :])
    version, warnings = book.current()
    assert version.number == 1
    assert len(warnings) == 1


def test_a_version_of_the_rules_that_vanishes_is_missed(tmp_path: Path) -> None:
    book = RuleBook(tmp_path)
    for name in ("Bob", "Anna"):
        book.publish("", name)
    (tmp_path / "rules" / "0002.toml").unlink()
    version, warnings = book.current()
    assert version.number == 1
    assert "version 2 of the rules is gone" in warnings[0]
