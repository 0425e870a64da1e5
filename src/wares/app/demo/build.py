"""`wares demo`: fetch real purchases, build a shop of them, show what it can, serve it.

A build that was interrupted goes on at the next start: what was imported counts once, what was encoded is kept, and
only a finished build is marked as one.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wares.app.commands import screen
from wares.app.commands.importing import Writing, counted
from wares.app.demo.data import DemoData, demo_data
from wares.app.demo.model import FILE as MODEL
from wares.app.demo.model import be_ready_to_learn, learn_model, put_shipped
from wares.engine.durable import replace_text
from wares.engine.learnt import SNAPSHOTS
from wares.engine.settings import FILE_NAME
from wares.engine.shelf import current_name, kept_snapshots
from wares.errors import InputError
from wares.feeds.report import Reading
from wares.shop import Shop, open_shop

if TYPE_CHECKING:
    from wares.training.progress import Tell

MARK = "demo.json"
FEED = "feed"  # below the shop: the files that were fetched
WEEK_MS = 7 * 86_400_000


@dataclass
class Mark:
    """What is remembered of a build: which shop, how far its dates were moved, whether it is finished, and whether its
    shopper model was trained here."""

    shop: str
    moved_ms: int
    built: bool = False
    learned: bool = False


@dataclass
class Clock:
    """How long each step took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - started, 2)


def run_demo(
    name: str,
    *,
    data: Path | None,
    folder: Path | None,
    serve_it: bool,
    port: int | None,
    as_json: bool,
    learn: bool = False,
    yes: bool = False,
    life: bool = False,
) -> None:
    """The whole demo; see the module. `learn`: with a shopper model trained here; `yes` agrees to what that fetches.
    `life`: simulated shoppers use it after the tour."""
    from wares.app.demo.tour import print_tour, take_tour

    folder = folder or Path("shops") / name
    clock = Clock()
    with clock.of("all"):
        fresh = build_demo(name, data, folder, clock, learn=learn, yes=yes)
        with open_shop(folder, create=False) as shop:
            with clock.of("tour"):
                tour = take_tour(shop)
            with clock.of("evaluation"):
                table = evaluation(shop)
    if as_json:
        facts = {"folder": str(folder), "built": fresh, "seconds": clock.seconds}
        screen.print_json({**facts, "tour": tour.to_dict(), "evaluation": table})
    else:
        print_tour(screen.stdout(), tour, table, folder)
    if life:
        from wares.app.commands.simulating import play_in_demo

        play_in_demo(folder)
    elif not as_json:
        screen.note(f"To see it alive, let shoppers be played, all of it marked as simulated: wares simulate {folder}")
    if serve_it:
        from wares.app.web.serve import serve

        serve(folder, port=port, as_json=as_json)


def build_demo(
    name: str, data: Path | None, folder: Path, clock: Clock, *, learn: bool = False, yes: bool = False
) -> bool:
    """Make the shop unless it is finished, and teach it unless it has learnt; whether there was anything to do."""
    mark = _mark(name, folder)
    learn = learn and not (mark is not None and mark.learned)
    if learn:
        with clock.of("installing"):
            be_ready_to_learn(name, yes=yes)
    if mark is not None and mark.built:
        return learn and _learn_again(mark, folder, clock)
    screen.note(f"Building the demo shop {name!r} in {folder}. This happens once.")
    with clock.of("fetching"):
        source = demo_data(name, data, folder / FEED)
        n_events, end_ms = source.events_and_end()
    if mark is None:
        now_ms = int(time.time() * 1000)
        mark = Mark(name, max(now_ms - end_ms, 0) // WEEK_MS * WEEK_MS)
    folder.mkdir(parents=True, exist_ok=True)
    _keep(mark, folder)
    if not (folder / FILE_NAME).exists():
        replace_text(folder / FILE_NAME, _settings(name))
    with open_shop(folder) as shop, screen.progress() as tell:
        fill(shop, source, mark.moved_ms, n_events, tell, clock)
        if learn:
            _learn(mark, folder, tell, clock)
        elif not (folder / MODEL).exists():
            put_shipped(name, folder, mark.moved_ms)
        with clock.of("training"):
            shop.train(tell)
        with clock.of("evaluating"):
            evaluation(shop, tell)
    mark.built = True
    _keep(mark, folder)
    return True


def _learn(mark: Mark, folder: Path, tell: "Tell", clock: Clock) -> None:
    with clock.of("shopper model"):
        learn_model(folder, tell)
    mark.learned = True
    _keep(mark, folder)


def _learn_again(mark: Mark, folder: Path, clock: Clock) -> bool:
    """A finished shop gets a shopper model of its own, and learns everything else again."""
    screen.note(f"Training a shopper model for the demo shop in {folder}. This happens once.")
    with open_shop(folder) as shop, screen.progress() as tell:
        _learn(mark, folder, tell, clock)
        with clock.of("training"):
            name = shop.train(tell)
        with clock.of("evaluating"):
            evaluation(shop, tell)
    made = next(one for one in kept_snapshots(folder / SNAPSHOTS) if one.name == name)
    if made.state != "current":
        why = "; ".join(made.report.get("why", ()))
        screen.note(f"The new snapshot {name} is kept aside: {why}. `wares promote {folder} {name}` takes it.")
    return True


def fill(shop: Shop, source: DemoData, moved_ms: int, n_events: int, tell: "Tell", clock: Clock) -> None:
    """Products, shoppers and events into the store; again is the same as once."""
    writing, now_ms = Writing(shop), int(time.time() * 1000)
    with clock.of("products"):
        products = source.products(moved_ms, now_ms)
        writing.put(counted(products, "Products", None, tell))
    with clock.of("shoppers"):
        shoppers = source.shoppers()
        writing.put_shoppers(counted(shoppers, "Shoppers", None, tell))
    with clock.of("events"):
        events = source.events(moved_ms, now_ms)
        writing.record(counted(events, "Purchases", n_events, tell))
    for what, reading in (("products", products), ("shoppers", shoppers), ("events", events)):
        _tell_outcome(what, reading)
    for text in source.dialect.notes:
        screen.note(f"  {text}")


def built_of(folder: Path, data: Path | None) -> DemoData | None:
    """The data that the demo shop in this folder was built of; None = it is no demo shop."""
    if not (folder / MARK).exists():
        return None
    name = str(json.loads((folder / MARK).read_text(encoding="utf-8"))["shop"])
    return demo_data(name, data, folder / FEED)


def evaluation(shop: Shop, tell: "Tell | None" = None) -> dict[str, Any]:
    """The table of the present snapshot as plain values: kept beside it, or made now."""
    place = shop.folder / SNAPSHOTS
    path = place / f"{current_name(place)}.evaluation.json"
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    except (OSError, ValueError):
        pass
    table = (shop.evaluate(tell=tell) if tell else shop.evaluate()).to_dict()
    _write(path, table)
    return table


def _tell_outcome(what: str, reading: Reading[Any]) -> None:
    report = reading.report
    repaired = f", repaired {sum(report.repaired.values()):,}" if report.repairs else ""
    reasons = ", ".join(f"{count:,} {rule}" for rule, count in report.rejected_by_reason.items())
    rejected = f", left out {report.rejected:,} ({reasons})" if report.rejected else ""
    screen.note(f"{what}: read {report.read:,}, kept {report.kept:,}{repaired}{rejected}")
    for text in report.notes:
        screen.note(f"  {text}")


def _mark(name: str, folder: Path) -> Mark | None:
    """What an earlier run left; None = nothing. InputError for a folder that holds something else."""
    try:
        said = json.loads((folder / MARK).read_text(encoding="utf-8"))
        mark = Mark(str(said["shop"]), int(said["moved_ms"]), bool(said["built"]), bool(said.get("learned", False)))
    except FileNotFoundError:
        if (folder / "wares.sqlite").exists():
            raise InputError(f"There is a shop in {folder} that is no demo. Choose another --folder.") from None
        return None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{folder / MARK} cannot be read. Delete the folder {folder} and start again.") from None
    if mark.shop != name:
        raise InputError(f"{folder} holds the demo shop {mark.shop!r}, not {name!r}. Choose another --folder.")
    return mark


def _keep(mark: Mark, folder: Path) -> None:
    _write(folder / MARK, asdict(mark))


def _write(path: Path, value: object) -> None:
    """All or nothing."""
    replace_text(path, json.dumps(value, indent=1, allow_nan=False))


def _settings(name: str) -> str:
    return (resources.files("wares.app.demo") / f"{name}.toml").read_text(encoding="utf-8")
