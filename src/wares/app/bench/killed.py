"""The process that is killed by `kills.py`: `python -m wares.app.bench.killed PART FOLDER`.

It loads only what its part needs, says so, and then says a number after each thing that is done.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.store.sqlite import Store

BATCH = 200  # events of one batch; the same number of products before it
FEED = "events.csv"  # beside the shop's folder


def events(numbers: range) -> Iterator[Event]:
    """A purchase for each number, which is its value."""
    for number in numbers:
        yield Event(
            EventKind.PURCHASE, 1_700_000_000_000 + number, f"s{number % 50}", f"p{number % 200}", value_minor=number
        )


def write_batches(folder: Path) -> None:
    """Write until killed. The batch at which an earlier writer was killed is sent again, as a shop would."""
    _say("ready")
    with Store.open(folder, "write") as store:
        done = store.events.last() // BATCH
        for batch in range(max(done - 1, 0), 1_000_000):
            numbers = range(batch * BATCH, (batch + 1) * BATCH)
            store.catalogue.put(Product(f"p{number}", f"Product {number}") for number in numbers)
            store.events.append(events(numbers))
            _say(batch + 1)


def import_feed(folder: Path) -> None:
    """One import of the whole file."""
    from wares.shop import open_shop

    _say("ready")
    with open_shop(folder, create=False) as shop:
        shop.record(folder.with_name(FEED))
    _say(1)


def train(folder: Path) -> None:
    """Train until killed."""
    from wares.training.child import train_here

    _say("ready")
    while True:
        _say(int(train_here(folder, lambda *told: None)))


def back_up(folder: Path) -> None:
    """Make backups until killed."""
    from wares.engine.backup.making import make_backup

    _say("ready")
    while True:
        make_backup(folder, folder.with_name("backups"), int(time.time() * 1000), lambda *told: None)
        _say(1)


def _say(what: object) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    part = {"writing": write_batches, "import": import_feed, "training": train, "backup": back_up}[sys.argv[1]]
    part(Path(sys.argv[2]))
