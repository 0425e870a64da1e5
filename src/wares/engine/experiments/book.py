"""The experiments of a shop as a ledger of files: each says that one was started, or stopped, by whom, when and why.

`experiments/0001.toml`, `0002.toml`, ...: written once, never changed. What runs follows from reading them in order.
Where an entry cannot be read, everything that began before it counts as stopped: it may have been the stop.
"""

import hashlib
import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from wares.engine.durable import publish_once, write_text
from wares.engine.experiments.settings import ExperimentFile, read_experiment
from wares.errors import ExperimentError, InputError, StoreError, StoreUnwritable, UnknownName, WaresError

FOLDER = "experiments"
BUCKETS = 1000  # into which a surface's shoppers are parted; an experiment takes some of them for itself
_NAME = re.compile(r"(\d{4,9})\.toml")
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


class ExperimentBook:
    """The ledger of one shop. Needs no lock: an entry appears whole or not at all, and takes its number once."""

    def __init__(self, shop_folder: Path) -> None:
        self.place = shop_folder / FOLDER

    def numbers(self) -> list[int]:
        """Of all entries, oldest first."""
        try:
            names = [path.name for path in self.place.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    def last(self) -> int:
        """The number of the newest entry; 0 = none."""
        return max(self.numbers(), default=0)

    def read(self) -> tuple[list[Experiment], list[str]]:
        """Every experiment in the order of starting, and warnings about entries that cannot be used."""
        found, warnings = dict[str, Experiment](), list[str]()
        for number in self.numbers():
            try:
                head, text = self._entry(number)
                if head["what"] == "start":
                    file = read_experiment(text, str(self.place / _file_of(number)))
                    buckets = tuple((int(low), int(high)) for low, high in head["buckets"])
                    found[file.name] = Experiment(number, file, head["by"], head["at"], buckets, head["note"])
                elif (one := found.get(head["name"])) is not None and one.running:
                    found[one.name] = replace(one, stopped=head["at"], stopped_by=head["by"], why=head["note"])
            except (WaresError, KeyError, TypeError, ValueError) as error:
                why = f"{self.place / _file_of(number)}: cannot be used ({error})"
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
        by, note = _signed(by, note)
        while True:
            number = self.last() + 1
            known, _ = self.read()
            buckets = free_buckets(file, known, where)
            head = _head(number, "start", file.name, by, now, note, buckets)
            if self._write(number, head, text):
                return Experiment(number, file, by, now, buckets, note)

    def stop(self, name: str, by: str, why: str = "", *, now: datetime) -> Experiment:
        """End it; all get control. UnknownName, InputError where it does not run."""
        by, why = _signed(by, why)
        while True:
            number = self.last() + 1
            one = self.find(name)
            if not one.running:
                raise InputError(f"Experiment {name!r} does not run: {one.stopped_by} stopped it on {one.stopped}.")
            if self._write(number, _head(number, "stop", name, by, now, why, ()), ""):
                return replace(one, stopped=now, stopped_by=by, why=why)

    def _entry(self, number: int) -> tuple[Mapping[str, Any], str]:
        try:
            whole = (self.place / _file_of(number)).read_bytes().decode("utf-8")
        except OSError as error:
            raise StoreError(str(error.strerror)) from error
        head, mark, text = whole.partition(_FILE_BEGINS)
        told = tomllib.loads(head)
        signed, _, _ = head.rpartition("sha256")
        if not mark or told["sha256"] != _sha256(signed + text) or told["entry"] != number:
            raise StoreError("it was cut or altered after it was written")
        return told, text

    def _write(self, number: int, head: str, text: str) -> bool:
        text = text if not text or text.endswith("\n") else text + "\n"
        signed = f"{head}sha256 = {json.dumps(_sha256(head + text))}\n"
        draft = self.place / f".{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            self.place.mkdir(exist_ok=True)
            write_text(draft, signed + _FILE_BEGINS + text, 0o444)
            publish_once(draft, self.place / _file_of(number))  # takes the number, or fails: somebody was faster
            return True
        except FileExistsError:
            return False
        except OSError as error:
            where = error.filename or self.place
            raise StoreUnwritable(f"{where}: cannot be written ({error.strerror}). Nothing was changed.") from error
        finally:
            draft.unlink(missing_ok=True)


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


def _head(
    number: int, what: str, name: str, by: str, at: datetime, note: str, buckets: Sequence[tuple[int, int]]
) -> str:
    told = {
        "entry": str(number),
        "what": json.dumps(what),
        "name": json.dumps(name),
        "by": json.dumps(by, ensure_ascii=False),
        "at": at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "note": json.dumps(note, ensure_ascii=False),
        "buckets": json.dumps([list(pair) for pair in buckets]),
    }
    return "".join(f"{key} = {value}\n" for key, value in told.items())


def _signed(by: str, note: str) -> tuple[str, str]:
    for text, what, most in ((by, "by: the name of who does it", 100), (note, "note", 500)):
        if len(text.strip()) > most or not text.strip().isprintable():
            raise InputError(f"{what} must be one line of at most {most} characters; got {text[:80]!r}.")
    if not by.strip():
        raise InputError("Who does it? Give a name, as by='Anna' (--by Anna): the ledger tells who changed what.")
    return by.strip(), note.strip()


def _file_of(number: int) -> str:
    return f"{number:04}.toml"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
