"""An engine comes to know what another one of the same shop knows, and no more often than it must."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from wares.app.web.workers.frames import read_frame
from wares.app.web.workers.worker import Worker
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

DID = {"kind": "view", "product_id": "p0", "time": "2026-11-01T00:00:00Z"}
Two = tuple[Shop, Shop]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Who writes, and a reader that knows as much."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text('[encoder]\nsource = "none"\n', encoding="utf-8")
    with open_shop(folder) as writer, open_shop(folder, create=False) as reader:
        writer.put([{"id": "p0", "title": "Oat milk", "price": 1}])
        assert writer.engine is not reader.engine
        writer.record([DID | {"shopper_id": "s1"}, DID | {"shopper_id": "s2", "simulated": True}])
        reader.engine.come_to(writer.engine.known)
        assert reader.engine.known == writer.engine.known
        yield writer, reader


def test_what_was_erased_is_looked_for_once(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, reader = two
    writer.erase_simulated()
    writer.erase_shopper("s1")
    looks, follow = [0], reader.engine.follow

    def counted() -> None:
        looks[0] += 1
        follow()

    monkeypatch.setattr(reader.engine, "follow", counted)
    for _ in range(5):
        reader.engine.come_to(writer.engine.known)
    assert looks == [1]
    writer.record([DID | {"shopper_id": "s3"}])
    for _ in range(5):
        reader.engine.come_to(writer.engine.known)
    assert looks == [2]
    assert reader.engine.history("s3")[0].rows.tolist() == [0]


def _begin(writer: Shop) -> dict[str, Any]:
    settings = writer.settings.model_dump(mode="json")
    return {"settings": settings, "known": writer.engine.known, "keeper": "1", "share": 1, "logged": False}


def test_a_process_begun_after_a_change_of_the_past_reads_nothing_twice(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, _ = two
    writer.erase_shopper("s1")
    writer.engine.serving.reload()
    with open_shop(writer.folder, create=False) as late:
        worker, live = Worker(late, _begin(writer)), late.engine.live
        worker.do({"do": "look", "number": 1, "known": writer.engine.known})
        assert late.engine.live is live
        writer.engine.serving.reload()
        worker.do({"do": "look", "number": 2, "known": writer.engine.known})
        assert late.engine.live is not live


def test_a_process_that_nobody_asks_forgets_whom_the_shop_forgets(two: Two) -> None:
    writer, reader = two
    worker, (key,) = Worker(reader, _begin(writer)), reader.store.shoppers.keys_of("s1")
    assert len(reader.engine.live.history(key).rows) == 1
    writer.erase_shopper("s1")
    worker.do({"do": "look", "number": 1, "known": writer.engine.known})
    assert len(reader.engine.live.history(key).rows) == 0


def test_a_process_that_takes_up_a_snapshot_has_what_is_asked_often_before_it_comes_back(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.app.web.workers.worker.set_aside", lambda: None)
    writer, reader = two
    worker = Worker(reader, _begin(writer))

    def ask(query: str) -> str:
        asked = {"surface": "search", "query": query, "market": ""}
        told = {"do": "page", "number": 1, "known": writer.engine.known, "id": "r1", "told": {"asked": asked}}
        header, parts = read_frame(BytesIO(worker.do(told))) or ({}, [b"{}"])
        assert header["status"] == 200
        return str(json.loads(parts[0])["snapshot"])

    for query in ("milk", "milk", "oat"):
        assert ask(query) == ""
    train_here(writer.folder, silent)
    writer.engine.refresh()
    kept = reader.engine.answers
    assert kept is not None
    found, made = kept.found, kept.missed
    worker.do({"do": "swap", "number": 2, "known": writer.engine.known})
    assert ask("milk") == reader.engine.live.snapshot.name != ""
    assert (kept.found, kept.missed) == (found + 1, made)
    ask("oat")
    assert (kept.found, kept.missed) == (found + 1, made + 1)
