"""An engine comes to know what another one of the same shop knows, and no more often than it must."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from wares.app.web.workers.frames import read_frame
from wares.app.web.workers.worker import Worker
from wares.engine.assembly import Engine
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


def _ask(worker: Worker, known: tuple[int, ...], **asked: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, page)"""
    told = {"do": "page", "number": 1, "known": known, "id": "r1", "told": {"asked": {"market": "", **asked}}}
    frame = read_frame(BytesIO(worker.do(told)))
    assert frame is not None and frame[0]["status"] == 200
    return frame[0], json.loads(frame[1][0])


@pytest.fixture
def aside(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often what is there is set aside, which these tests leave."""
    done = list[str]()
    monkeypatch.setattr("wares.app.web.workers.worker.set_aside", lambda: done.append("done"))
    return done


def test_a_process_that_takes_up_a_snapshot_has_what_is_asked_often_before_it_comes_back(
    two: Two, aside: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = two
    renew = Engine._renew_one

    def badly(engine: Engine, *told: Any) -> None:
        engine.observer.degraded("no-encoder")
        renew(engine, *told)

    monkeypatch.setattr(Engine, "_renew_one", badly)
    worker, kept = Worker(reader, _begin(writer)), reader.engine.answers
    assert kept is not None

    def ask(query: str) -> tuple[dict[str, Any], dict[str, Any]]:
        return _ask(worker, writer.engine.known, surface="search", query=query)

    for query in ("milk", "milk", "oat"):
        assert ask(query)[1]["snapshot"] == ""
    train_here(writer.folder, silent)
    writer.engine.refresh()
    found, made = kept.found, kept.missed
    worker.do({"do": "swap", "number": 2, "known": writer.engine.known})
    header, page = ask("milk")
    assert page["snapshot"] == reader.engine.live.snapshot.name != ""
    assert (kept.found, kept.missed) == (found + 1, made)
    assert [name for name, *_ in header["notes"]] == ["answered"]  # of what was worked out anew nothing is told
    ask("oat")
    assert (kept.found, kept.missed) == (found + 1, made + 1)
    assert aside == ["done"]


def test_what_an_erased_shopper_asked_is_not_worked_out_anew(two: Two, aside: list[str]) -> None:
    writer, reader = two
    worker, kept = Worker(reader, _begin(writer)), reader.engine.answers
    assert kept is not None
    for _ in range(2):
        _ask(worker, writer.engine.known, surface="home", shopper="s1")
    assert [one.request.shopper_id for one in kept.given_again(9)] == ["s1"]
    train_here(writer.folder, silent)
    writer.erase_shopper("s1")
    worker.do({"do": "swap", "number": 2, "known": writer.engine.known})
    assert aside == ["done"] and reader.engine.live.snapshot.name
    assert reader.engine.known == writer.engine.known
    assert not kept.given_again(9) and not kept.nbytes
