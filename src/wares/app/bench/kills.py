"""kill -9 at random moments: nothing that was acknowledged may be missing, nothing may count twice, nothing half-made
may be taken for whole.

The process that is killed stands in `killed.py`. It goes on where the one before was killed, and says so after each
thing that is done.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wares.app.bench.killed import BATCH, FEED, events
from wares.engine.backup.making import backups_in
from wares.engine.backup.restoring import verified
from wares.engine.learnt import SNAPSHOTS
from wares.engine.settings import FILE_NAME
from wares.engine.shelf import all_snapshot_names, current_name
from wares.engine.snapshot import verify
from wares.errors import UnknownName, WaresError
from wares.shop import open_shop
from wares.store.sqlite import Store
from wares.training.child import train_here

Tell = Callable[[str, int, int], None]
_LONGEST_S = 0.6  # from the first acknowledgement to the kill
_ANEW = 40  # kills after which writing begins in an empty shop, so that a look at all of it stays short
_SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "item_knn"]\n[promotion]\ncompare = false\n'


def kill_figures(n: int, rng: np.random.Generator, tell: Tell, parts: Sequence[str] = ("writing",)) -> dict[str, Any]:
    """`n` kills, shared among the parts: "writing" (products and events), "import" (a file, over and over), "training"
    and "backup". Of "writing" what was acknowledged in all; of all what was lost, doubled or broken."""
    for part in parts:
        if part not in PARTS:
            raise UnknownName("part", part, PARTS)
    shares = {part: n // len(parts) + (place < n % len(parts)) for place, part in enumerate(parts)}
    found, done = Counter[str](), 0
    for part, share in shares.items():
        while share:
            some = min(share, _ANEW)
            with tempfile.TemporaryDirectory(prefix="wares-kills-") as scratch:
                found += PARTS[part](Path(scratch) / "shop", some, rng, partial(_tell_after, tell, done, n))
            share, done = share - some, done + some
    figures = {name: found[name] for name in ("acknowledged", "lost", "counted_twice", "broken")}
    return {"kills": n, **({"by_part": shares} if len(parts) > 1 else {}), **figures}


def _tell_after(tell: Tell, before: int, n: int, more: int) -> None:
    tell("Kills", before + more, n)


# -- looking after each kill -------------------------------------------------------------------------------------------


def _writing(folder: Path, n: int, rng: np.random.Generator, tell: Callable[[int], None]) -> Counter[str]:
    acknowledged, found = 0, Counter[str]()
    for i in range(n):
        acknowledged = max([acknowledged, *_killed("writing", folder, rng)])
        with Store.open(folder, "read") as store:
            counts = Counter(store.events.read().values_minor.astype(int).tolist())
            known = store.catalogue.get([f"p{j}" for j in range(acknowledged * BATCH)])
        found["lost"] += sum(counts[number] == 0 for number in range(acknowledged * BATCH))
        found["lost"] += acknowledged * BATCH - len(known)
        found["counted_twice"] += sum(count > 1 for count in counts.values())
        tell(i + 1)
    found["acknowledged"] = acknowledged * BATCH
    return found


def _import(folder: Path, n: int, rng: np.random.Generator, tell: Callable[[int], None]) -> Counter[str]:
    """A file is imported again until it is once in: then it is in exactly once."""
    found, rows = Counter[str](), 60_000
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text(_SETTINGS, encoding="utf-8")
    feed = folder.with_name(FEED)
    lines = (f"purchase,{1_700_000_000 + i},s{i % 50},p{i % 90},{i}\n" for i in range(rows))
    feed.write_text("kind,time,shopper_id,product_id,value\n" + "".join(lines), encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put([{"id": f"p{i}", "title": f"Thing {i}"} for i in range(90)])
    for i in range(n):
        done = bool(_killed("import", folder, rng))
        with Store.open(folder, "read") as store:
            counts = Counter(store.events.read().times_ms.tolist())
        found["counted_twice"] += sum(count > 1 for count in counts.values())
        found["lost"] += (rows - len(counts)) if done else 0
        tell(i + 1)
    return found


def _training(folder: Path, n: int, rng: np.random.Generator, tell: Callable[[int], None]) -> Counter[str]:
    """After each kill the current snapshot is whole, no older than the one that was acknowledged, and answers."""
    found, acknowledged = Counter[str](), 0
    _small_shop(folder)
    for i in range(n):
        acknowledged = max([acknowledged, *_killed("training", folder, rng)])
        current = current_name(folder / SNAPSHOTS)
        found["lost"] += int(current or 0) < acknowledged
        with _counting(found), open_shop(folder, create=False) as shop:
            for name in all_snapshot_names(folder / SNAPSHOTS):
                verify(folder / SNAPSHOTS / name)
            found["broken"] += shop.search("thing").snapshot != current or bool(shop.engine.warnings)
        tell(i + 1)
    return found


def _backup(folder: Path, n: int, rng: np.random.Generator, tell: Callable[[int], None]) -> Counter[str]:
    """After each kill every backup is whole, and those that were acknowledged are there."""
    found, acknowledged = Counter[str](), 0
    _small_shop(folder)
    train_here(folder, lambda *told: None)
    for i in range(n):
        acknowledged += len(_killed("backup", folder, rng))
        places = backups_in(folder.with_name("backups"))
        found["lost"] += max(0, acknowledged - len(places))
        for place in places[-5:]:
            with _counting(found):
                verified(place, lambda *told: None)
        tell(i + 1)
    return found


@contextmanager
def _counting(found: Counter[str]) -> Iterator[None]:
    try:
        yield
    except WaresError:
        found["broken"] += 1


def _small_shop(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text(_SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put([{"id": f"p{i}", "title": f"Thing {i}"} for i in range(200)])
        shop.writer().events.append(events(range(600)))


def _killed(part: str, folder: Path, rng: np.random.Generator) -> list[int]:
    """Start the process, kill it some time after it began its work; the numbers that it said."""
    command = [sys.executable, "-m", "wares.app.bench.killed", part, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 (our own command)
        assert child.stdout is not None
        child.stdout.readline()  # it has loaded what it needs
        try:
            child.wait(float(rng.uniform(0, _LONGEST_S)))
        except subprocess.TimeoutExpired:
            child.kill()
        said = child.stdout.read().splitlines()
    return [int(line) for line in said if line.strip().isdecimal()]


PARTS: dict[str, Callable[[Path, int, np.random.Generator, Callable[[int], None]], Counter[str]]] = {
    "writing": _writing,
    "import": _import,
    "training": _training,
    "backup": _backup,
}
