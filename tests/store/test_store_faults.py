"""What can go wrong under a shop: power, disk, permissions, files of another kind. Nothing is ever half-done."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import wares.errors
from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.errors import StoreError, StoreUnwritable
from wares.store.schema import FILE
from wares.store.sqlite import Store

SOURCE = str(Path(wares.errors.__file__).parents[1])
KILLS = int(os.environ.get("WARES_KILLS", "5"))
BATCH = 5

APPENDER = """
import itertools, sys
from pathlib import Path
from wares.domain.event import Event, EventKind
from wares.store.sqlite import Store
folder, start = Path(sys.argv[1]), int(sys.argv[2])
with Store.open(folder, "write") as shop:
    for batch in itertools.count(start):
        shop.events.append([Event(EventKind.VIEW, batch, "ann", f"p{i}") for i in range(5)])
        print(batch, flush=True)
"""


def batch_of(number: int) -> list[Event]:
    return [Event(EventKind.VIEW, number, "ann", f"p{i}") for i in range(BATCH)]


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount something at the folder; skips the test where that is not allowed."""
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder without write permission, for root, too."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield


def test_no_acknowledged_event_is_lost_or_doubled_when_the_process_is_killed(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged = -1
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(tmp_path), str(acknowledged + 1)],
            env={**os.environ, "PYTHONPATH": SOURCE},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(chance.uniform(0, 0.15))
            process.kill()
            said = [first, *process.stdout]
        whole = [int(line) for line in said if line.endswith("\n")]
        acknowledged = max([acknowledged, *whole])
        with Store.open(tmp_path, "write") as shop:
            times = shop.events.read().times_ms.tolist()
            assert set(range(acknowledged + 1)) <= set(times)
            assert all(times.count(number) == BATCH for number in (acknowledged, times[-1]))
            assert len(times) == BATCH * len(set(times)), "a batch is half-done"
            repeated = (event for number in range(acknowledged + 1) for event in batch_of(number))
            assert shop.events.append(repeated) == (0, BATCH * (acknowledged + 1))
            assert len(shop.events.read()) == len(times)


def test_a_full_disk_is_named_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    with mounted(tmp_path, "-t", "tmpfs", "-o", "size=3m", "tmpfs"):
        with Store.open(tmp_path, "write") as shop:
            shop.catalogue.put([Product("loaf")])
            shop.events.append(batch_of(0))
            many = [Event(EventKind.VIEW, i, f"s{i}", f"p{i}") for i in range(40_000)]
            with pytest.raises(StoreUnwritable, match="Make room"):
                shop.events.append(many)
            with pytest.raises(StoreUnwritable, match="Make room"):
                shop.catalogue.put(Product(f"p{i}", "words " * 50) for i in range(40_000))
            assert len(shop.events.read()) == shop.events.last() == BATCH
            assert shop.shoppers.key("s1") is None
            assert [product_id for _, _, product_id, _ in shop.catalogue.changes()] == ["loaf"]
            subprocess.run(["mount", "-o", "remount,size=64m", str(tmp_path)], check=True)
            assert shop.events.append(many) == (40_000, 0)
        with Store.open(tmp_path, "read") as shop:
            assert len(shop.events.read()) == 40_000 + BATCH


def test_no_shop_is_made_on_a_full_disk(tmp_path: Path) -> None:
    with mounted(tmp_path, "-t", "tmpfs", "-o", "size=32k", "tmpfs"):
        with pytest.raises(StoreUnwritable):
            Store.open(tmp_path, "write")
        subprocess.run(["mount", "-o", "remount,size=8m", str(tmp_path)], check=True)
        Store.open(tmp_path, "write").close()


def test_a_read_only_folder_can_be_read_and_says_why_it_cannot_be_written(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.events.append(batch_of(0))
    with read_only(tmp_path):
        with pytest.raises(StoreUnwritable, match="make the folder writable"):
            Store.open(tmp_path, "write")
        with pytest.raises(StoreUnwritable, match="make the folder writable"):
            Store.open(tmp_path / "new", "write")
        with Store.open(tmp_path, "read") as shop:
            assert len(shop.events.read()) == BATCH


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"my shopping list " * 500)
    for mode in ("read", "write", "write"):
        with pytest.raises(StoreError, match="not a readable SQLite database"):
            Store.open(tmp_path, "read" if mode == "read" else "write")
    assert (tmp_path / FILE).read_bytes().startswith(b"my shopping list")


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match="not a shop"):
        Store.open(tmp_path, "write")
    with pytest.raises(StoreError, match="not a shop"):
        Store.open(tmp_path, "read")


def test_a_shop_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path, "write").close()
    with closing(sqlite3.connect(tmp_path / FILE)) as shop:
        shop.execute("UPDATE meta SET value = 99 WHERE name = 'schema_version'")
        shop.commit()
    with pytest.raises(StoreError, match=r"version 99.*update wares"):
        Store.open(tmp_path, "write")
    with pytest.raises(StoreError, match=r"version 99.*update wares"):
        Store.open(tmp_path, "read")


def test_an_empty_file_left_by_a_kill_becomes_a_shop(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with pytest.raises(StoreError, match="no shop"):
        Store.open(tmp_path, "read")
    Store.open(tmp_path, "write").close()
    Store.open(tmp_path, "read").close()
