"""Many write at one moment: one fold shows it all, and nobody is answered before their own event is in it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from live_shop import NOW_MS, learnt, products, settings_of

from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.engine.live import Live
from wares.store.sqlite import Store


class Slow:
    """A catalogue whose next look at the changes lasts until it is told to go on; counts the looks."""

    def __init__(self, store: Store) -> None:
        self._store, self.looks = store, 0
        self.begun, self.go_on = threading.Event(), threading.Event()

    def changes(self, after: int = 0) -> Iterator[tuple[int, int, str, Product | None]]:
        self.looks += 1
        self.begun.set()
        assert self.go_on.wait(10)
        return self._store.catalogue.changes(after)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store.catalogue, name)


def test_who_writes_while_a_fold_runs_waits_for_one_fold_and_all_for_the_same(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n')
    with Store.open(tmp_path, "write") as store:
        store.catalogue.put(products())
        live, slow = Live(learnt(store, settings, tmp_path), None), Slow(store)

        def write(who: int) -> None:
            store.events.append([Event(EventKind.VIEW, NOW_MS, f"s{who}", "p1")])
            live.catch_up(slow, store.events)
            key = store.shoppers.key(f"s{who}")
            assert key is not None
            seen[who] = len(live.history(key))

        seen: dict[int, int] = {}
        threads = [threading.Thread(target=write, args=(who,)) for who in range(9)]
        threads[0].start()
        assert slow.begun.wait(10)
        for thread in threads[1:]:
            thread.start()
        deadline = time.monotonic() + 10
        while store.events.count() < 9 and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(0.05)  # until each has asked for its fold
        slow.go_on.set()
        for thread in threads:
            thread.join(10)
        assert seen == dict.fromkeys(range(9), 1)
        assert slow.looks < 9
