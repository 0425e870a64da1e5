"""A shopper who is erased while a snapshot loads is in nothing that serves afterwards."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_shop import NO_ENCODER, baskets, bought, learnt, products, settings_of

from wares.domain.log import EventBlock
from wares.engine.snapshot import write_snapshot
from wares.shop import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """It serves one snapshot, and another one was made."""
    folder = tmp_path / "shop"
    settings = settings_of(folder, NO_ENCODER + '[models]\ntrain = ["popular"]\n[privacy]\nmerge_at_login = "always"\n')
    with open_shop(folder) as shop:
        store = shop.writer()
        store.catalogue.put(products())
        store.events.append(baskets())
        write_snapshot(learnt(store, settings, folder), folder / "snapshots")
        assert shop.engine.live.snapshot.name
        write_snapshot(learnt(store, settings, folder), folder / "snapshots")
        yield shop


class Held:
    """Swaps in the newer snapshot, held when what came since was read and does not serve yet."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read, self.go_on = threading.Event(), threading.Event()
        read = type(shop.engine.store.events).read

        def slowly(log: Any, *args: Any, **more: Any) -> EventBlock:
            block = read(log, *args, **more)
            if threading.current_thread() is self.thread and more.get("simulated") and not self.read.is_set():
                self.read.set()
                assert self.go_on.wait(10)
            return block

        self.thread = threading.Thread(target=shop.engine.refresh)
        self.before, self.engine = shop.engine.live.snapshot.name, shop.engine
        monkeypatch.setattr(type(shop.engine.store.events), "read", slowly)

    def __enter__(self) -> None:
        self.thread.start()
        assert self.read.wait(10)

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self.thread.join(10)
        assert self.engine.live.snapshot.name != self.before  # it did swap


def test_who_is_erased_while_a_snapshot_loads_is_in_nothing_that_serves(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.writer().events.append([bought("new", "p1"), bought("other", "p1")])
    shop.engine.serving.catch_up()
    (key,), (other,) = (shop.store.shoppers.keys_of(who) for who in ("new", "other"))
    with Held(shop, monkeypatch):
        assert shop.erase_shopper("new") == 1
        assert not len(shop.engine.live.history(key))
    assert not len(shop.engine.live.history(key))
    assert len(shop.engine.live.history(other)) == 1


def test_a_device_erased_meanwhile_is_in_the_history_of_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.identify("cookie", "ann")
    shop.writer().events.append([bought("cookie", "p1"), bought("ann", "p3")])
    shop.engine.serving.catch_up()
    before = len(shop.engine.history("ann")[0])
    with Held(shop, monkeypatch):
        assert shop.erase_shopper("cookie") == 1
        assert len(shop.engine.history("ann")[0]) == before - 1
    assert len(shop.engine.history("ann")[0]) == before - 1


def test_simulated_events_erased_meanwhile_are_gone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.writer().events.append([bought("ann", "p1", simulated=True)])
    shop.engine.serving.catch_up()
    before = len(shop.engine.history("ann", simulated=True)[0])
    with Held(shop, monkeypatch):
        shop.erase_simulated()
    assert len(shop.engine.history("ann", simulated=True)[0]) == before - 1
