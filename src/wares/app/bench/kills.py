"""kill -9 at random moments of writing: nothing that was acknowledged may be missing, nothing may count twice.

`python -m wares.app.bench.kills FOLDER` is the process that is killed: it writes numbered batches, and says so after
each one.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.store.sqlite import Store

_BATCH = 200  # events of one batch; the same number of products before it
_LONGEST_S = 0.6  # from the first acknowledgement to the kill


def kill_figures(n: int, rng: np.random.Generator, tell: Callable[[str, int, int], None]) -> dict[str, Any]:
    """`n` kills, each of a process that goes on where the one before was killed."""
    lost = doubled = acknowledged = 0
    with tempfile.TemporaryDirectory(prefix="wares-kills-") as scratch:
        folder = Path(scratch) / "shop"
        for i in range(n):
            told = _killed_writer(folder, float(rng.uniform(0, _LONGEST_S)))
            acknowledged = max(acknowledged, told)
            with Store.open(folder, "read") as store:
                block = store.events.read()
                counts = Counter(block.values_minor.astype(int).tolist())
                known = store.catalogue.get([f"p{j}" for j in range(acknowledged * _BATCH)])
            lost += sum(counts[number] == 0 for number in range(acknowledged * _BATCH))
            lost += acknowledged * _BATCH - len(known)
            doubled += sum(count > 1 for count in counts.values())
            tell("Kills", i + 1, n)
    return {"kills": n, "acknowledged": acknowledged * _BATCH, "lost": lost, "counted_twice": doubled}


def _killed_writer(folder: Path, after_s: float) -> int:
    """Start a writer, kill it some time after its first word; how many batches it had acknowledged in all."""
    command = [sys.executable, "-m", "wares.app.bench.kills", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 (our own command)
        assert child.stdout is not None
        first = child.stdout.readline()
        try:
            child.wait(after_s)
        except subprocess.TimeoutExpired:
            child.kill()
        said = [first, *child.stdout.read().splitlines()]
    return max((int(line) for line in said if line.strip().isdecimal()), default=0)


def write_batches(folder: Path) -> None:
    """Write until killed. The batch at which an earlier writer was killed is sent again, as a shop would."""
    with Store.open(folder, "write") as store:
        done = store.events.last() // _BATCH
        for batch in range(max(done - 1, 0), 1_000_000):
            numbers = range(batch * _BATCH, (batch + 1) * _BATCH)
            store.catalogue.put(Product(f"p{number}", f"Product {number}") for number in numbers)
            store.events.append(_events(numbers))
            print(batch + 1, flush=True)


def _events(numbers: range) -> Iterator[Event]:
    for number in numbers:
        yield Event(EventKind.PURCHASE, 1_700_000_000_000, f"s{number % 50}", f"p{number}", value_minor=number)


if __name__ == "__main__":
    write_batches(Path(sys.argv[1]))
