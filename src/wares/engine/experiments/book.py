"""The experiments of a shop as a ledger of files: each says that one was started, or stopped, by whom, when and why.

`experiments/0001.toml`, `0002.toml`, ...: written once, never changed. What runs follows from reading them in order.
Where an entry cannot be read, everything that began before it counts as stopped: it may have been the stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from wares.engine.experiments.settings import ExperimentFile, read_experiment
from wares.engine.ledger import Ledger, signature
from wares.errors import ExperimentError, InputError, UnknownName, WaresError

FOLDER = "experiments"
BUCKETS = 1000  # into which a surface's shoppers are parted; an experiment takes some of them for itself
_FILE_BEGINS = "# -- the experiment, as it was started --\n"


@dataclass(frozen=True)
class Experiment:
    """One experiment with its history. `buckets` are [from, to) pairs of the surface's `BUCKETS`."""

    number: int
    file: ExperimentFile
    by: str
    started: datetime
    buckets: tuple[tuple[int, int], ...]
    note: str = ""
    stopped: datetime | None = None
    stopped_by: str = ""
    why: str = ""

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def running(self) -> bool:
        return self.stopped is None

    @property
    def ends(self) -> datetime:
        """The moment up to which answers count, however long it runs."""
        planned = self.started + timedelta(days=self.file.days)
        return planned if self.stopped is None else min(planned, self.stopped)

    @property
    def is_whole(self) -> bool:
        """Whether it was left to run as long as was planned."""
        return self.stopped is None or self.stopped >= self.started + timedelta(days=self.file.days)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as commands and routes tell them."""
        return {
            "name": self.name,
            "surface": self.file.surface,
            "kind": self.file.kind,
            "share": self.file.share,
            "days": self.file.days,
            "measure": self.file.measure,
            "variants": dict(self.file.shares),
            "guardrails": self.file.guardrails.model_dump(),
            "by": self.by,
            "note": self.note,
            "started": self.started.isoformat(),
            "ends": self.ends.isoformat(),
            "running": self.running,
            "stopped": self.stopped.isoformat() if self.stopped else None,
            "stopped_by": self.stopped_by,
            "why": self.why,
        }


class ExperimentBook:
    """The ledger of one shop."""

    def __init__(self, shop_folder: Path) -> None:
        self.place = shop_folder / FOLDER
        self._ledger = Ledger(self.place, _FILE_BEGINS)

    def last(self) -> int:
        """The number of the newest entry; 0 = none."""
        return self._ledger.last()

    def read(self) -> tuple[list[Experiment], list[str]]:
        """Every experiment in the order of starting, and warnings about entries that cannot be used."""
        found, warnings = dict[str, Experiment](), list[str]()
        for number in self._ledger.numbers():
            path = self._ledger.path_of(number)
            try:
                head, text = self._ledger.entry(number)
                if head["what"] == "start":
                    file = read_experiment(text, str(path))
                    buckets = tuple((int(low), int(high)) for low, high in head["buckets"])
                    found[file.name] = Experiment(number, file, head["by"], head["at"], buckets, head["note"])
                elif (one := found.get(head["name"])) is not None and one.running:
                    found[one.name] = replace(one, stopped=head["at"], stopped_by=head["by"], why=head["note"])
            except (WaresError, KeyError, TypeError, ValueError) as error:
                why = f"{path}: cannot be used ({error})"
                warnings.append(f"{why}: every experiment that began before it is taken as stopped.")
                for name, one in found.items():
                    if one.running:
                        found[name] = replace(one, stopped=one.started, why=why)
        return list(found.values()), warnings

    def find(self, name: str) -> Experiment:
        """UnknownName where none was ever called so."""
        experiments = {one.name: one for one in self.read()[0]}
        if name not in experiments:
            raise UnknownName("experiment", name, experiments)
        return experiments[name]

    def start(self, text: str, by: str, note: str = "", *, where: str = "the experiment", now: datetime) -> Experiment:
        """Begin it, on disk when it returns. ExperimentError where it cannot be read, its name was used before, or
        running experiments leave too few of the surface's shoppers; InputError without a name of who does it."""
        file = read_experiment(text, where)
        by, note = signature(by, note)
        while True:
            number = self.last() + 1
            known, _ = self.read()
            buckets = free_buckets(file, known, where)
            if self._ledger.write(number, _told("start", file.name, by, note, buckets), now, text):
                return Experiment(number, file, by, now, buckets, note)

    def stop(self, name: str, by: str, why: str = "", *, now: datetime) -> Experiment:
        """End it; all get control. UnknownName, InputError where it does not run."""
        by, why = signature(by, why)
        while True:
            number = self.last() + 1
            one = self.find(name)
            if not one.running:
                raise InputError(f"Experiment {name!r} does not run: {one.stopped_by} stopped it on {one.stopped}.")
            if self._ledger.write(number, _told("stop", name, by, why, ()), now, ""):
                return replace(one, stopped=now, stopped_by=by, why=why)


def free_buckets(file: ExperimentFile, known: Sequence[Experiment], where: str) -> tuple[tuple[int, int], ...]:
    """Those that a new experiment gets: running ones on its surface keep theirs, so that no shopper is in two.

    ExperimentError where too few are left, or its name was used before.
    """
    if any(one.name == file.name for one in known):
        raise ExperimentError([
            f"{where}: name: there was an experiment {file.name!r} already; a name is used once, so that every answer "
            "in the log belongs to one experiment. Give it another."
        ])  # fmt: skip
    here = [one for one in known if one.running and one.file.surface == file.surface]
    taken = {bucket for one in here for low, high in one.buckets for bucket in range(low, high)}
    free, wanted = [bucket for bucket in range(BUCKETS) if bucket not in taken], round(file.share * BUCKETS)
    if wanted > len(free) or not wanted:
        others = ", ".join(f"{one.name} ({one.file.share:.0%})" for one in here) or "nobody"
        raise ExperimentError([
            f"{where}: share: {file.share:g} of the shoppers of {file.surface!r} are wanted and "
            f"{len(free) / BUCKETS:g} are free: {others} has the others. Each shopper takes part in one experiment of "
            "a surface. Take a smaller share, or stop one: `wares experiments stop FOLDER NAME`."
        ])  # fmt: skip
    pairs = list[tuple[int, int]]()
    for bucket in free[:wanted]:
        if pairs and pairs[-1][1] == bucket:
            pairs[-1] = (pairs[-1][0], bucket + 1)
        else:
            pairs.append((bucket, bucket + 1))
    return tuple(pairs)


def _told(what: str, name: str, by: str, note: str, buckets: Sequence[tuple[int, int]]) -> dict[str, object]:
    return {"what": what, "name": name, "by": by, "note": note, "buckets": [list(pair) for pair in buckets]}
