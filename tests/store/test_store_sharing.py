"""One writer, any number of readers, in one process and in several."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import wares.errors
from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.errors import StoreError, StoreLocked
from wares.store.lock import FILE, Holder, holder
from wares.store.sqlite import Store

SOURCE = str(Path(wares.errors.__file__).parents[1])
BATCH = 5

WRITER = """
import sys
from pathlib import Path
from wares.domain.event import Event, EventKind
from wares.store.sqlite import Store
folder, batches = Path(sys.argv[1]), int(sys.argv[2])
with Store.open(folder, "write") as shop:
    shop.announce("http://localhost:7000")
    print("open", flush=True)
    for batch in range(batches):
        shop.events.append([Event(EventKind.VIEW, batch, "ann", f"p{i}") for i in range(5)])
    sys.stdin.readline()
"""


@dataclass
class Watcher:
    """Reads the log over and over in a thread of its own, and notes how many events it saw."""

    shop: Store
    stop: threading.Event
    seen: list[int] = field(default_factory=list)

    def run(self) -> None:
        while not self.stop.is_set():
            self.seen.append(len(self.shop.events.read()))


@contextmanager
def child(folder: Path, batches: int) -> Iterator["subprocess.Popen[str]"]:
    """Another process that writes, says "open", and stays until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(batches)],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            yield process
        finally:
            process.kill()


def test_a_second_writer_is_told_who_writes_and_what_to_do(tmp_path: Path) -> None:
    with child(tmp_path, 1) as process:
        with pytest.raises(StoreLocked, match=rf"process {process.pid}\b.*http://localhost:7000.*stop it") as told:
            Store.open(tmp_path, "write")
        assert told.value.code == "store-locked"
        assert holder(tmp_path) == Holder(process.pid, "http://localhost:7000")
        process.communicate("\n")
    assert holder(tmp_path) is None
    Store.open(tmp_path, "write").close()


def test_a_second_writer_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write"):
        with pytest.raises(StoreLocked, match=f"process {os.getpid()}"):
            Store.open(tmp_path, "write")
        assert holder(tmp_path) == Holder(os.getpid())


def test_a_lock_file_of_a_dead_process_is_no_obstacle(tmp_path: Path) -> None:
    with child(tmp_path, 1) as process:
        process.kill()
    assert "pid" in (tmp_path / FILE).read_text()
    assert holder(tmp_path) is None
    Store.open(tmp_path, "write").close()


def test_looking_who_writes_does_not_keep_writers_out(tmp_path: Path) -> None:
    Store.open(tmp_path, "write").close()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            holder(tmp_path)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(20):
            Store.open(tmp_path, "write").close()
    finally:
        stop.set()
        thread.join()


def test_nobody_holds_a_shop_that_is_not_there(tmp_path: Path) -> None:
    assert holder(tmp_path / "nowhere") is None


def test_a_reader_cannot_change_the_shop(tmp_path: Path) -> None:
    Store.open(tmp_path, "write").close()
    with Store.open(tmp_path, "read") as shop, pytest.raises(StoreError, match="open for reading"):
        shop.catalogue.put([Product("loaf")])


def test_reading_a_folder_without_a_shop_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no shop in .*wares demo"):
        Store.open(tmp_path, "read")
    assert list(tmp_path.iterdir()) == []


def test_readers_see_whole_batches_while_another_process_writes(tmp_path: Path) -> None:
    stop = threading.Event()
    with child(tmp_path, 300) as process, Store.open(tmp_path, "read") as shop:
        watchers = [Watcher(shop, stop) for _ in range(3)]
        threads = [threading.Thread(target=watcher.run) for watcher in watchers]
        for thread in threads:
            thread.start()
        process.communicate("\n")
        stop.set()
        for thread in threads:
            thread.join()
        assert len(shop.events.read()) == 300 * BATCH
    for watcher in watchers:
        assert watcher.seen == sorted(watcher.seen)
        assert all(count % BATCH == 0 for count in watcher.seen)


def test_readers_see_whole_batches_while_a_thread_of_the_same_process_writes(tmp_path: Path) -> None:
    stop = threading.Event()
    with Store.open(tmp_path, "write") as shop:
        watcher = Watcher(shop, stop)
        thread = threading.Thread(target=watcher.run)
        thread.start()
        for batch in range(100):
            shop.events.append([Event(EventKind.VIEW, batch, "ann", f"p{i}") for i in range(BATCH)])
        assert len(shop.events.read()) == 100 * BATCH
        stop.set()
        thread.join()
    assert watcher.seen == sorted(watcher.seen)
    assert all(count % BATCH == 0 for count in watcher.seen)


def test_writing_threads_take_turns(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:

        def write(shopper: str) -> None:
            for i in range(50):
                shop.events.append([Event(EventKind.VIEW, i, shopper, "loaf")])

        threads = [threading.Thread(target=write, args=(name,)) for name in ("ann", "bob", "cid")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert shop.events.last() == 150
