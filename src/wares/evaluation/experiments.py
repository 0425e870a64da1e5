"""What a shop does with its experiments: start, stop, list, read; and the look that ends one which does harm."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wares.domain.money import scale_of
from wares.engine.durable import replace_text
from wares.engine.experiments.book import FOLDER, Experiment, ExperimentBook
from wares.engine.experiments.settings import faults_in, read_experiment
from wares.engine.settings import Settings
from wares.errors import ExperimentError, InputError
from wares.evaluation.experiment import Reading, read_experiment_log, ripe
from wares.evaluation.shown import ShownLog
from wares.store.sqlite import Store

GUARD = "wares"  # who stops an experiment that broke a guardrail


@dataclass(frozen=True)
class Checked:
    """What one look found: the readings that were made, and the names of the experiments that it stopped."""

    readings: tuple[Reading, ...]
    stopped: tuple[str, ...] = ()


class Experiments:
    """The experiments of one shop, without any lock: whoever may write to its folder may start one.

    `caught_up` is called when there is a new entry.
    """

    def __init__(self, folder: Path, settings: Settings, store: Store, caught_up: Callable[[], None]) -> None:
        self._folder, self._settings, self._store, self._caught_up = folder, settings, store, caught_up
        self._book = ExperimentBook(folder)

    def all(self) -> tuple[list[Experiment], list[str]]:
        """Every experiment in the order of starting, and warnings about entries that cannot be used."""
        return self._book.read()

    def find(self, name: str) -> Experiment:
        """UnknownName where none was ever called so."""
        return self._book.find(name)

    def start(self, text: str, by: str, note: str = "", *, where: str = "the experiment", now: datetime) -> Experiment:
        """Begin the experiment of this file's text: at once here, within a second in a server.

        ExperimentError with every fault, of which an experiment that is in the way is one; nothing is changed then.
        """
        if self._settings.privacy.impressions_retention_days == 0:
            raise InputError("privacy.impressions_retention_days is 0: nothing of an experiment could be read.")
        file = read_experiment(text, where)
        if faults := faults_in(file, self._settings, where):
            raise ExperimentError(faults)
        if file.days > self._settings.privacy.impressions_retention_days:
            raise ExperimentError([
                f"{where}: days: {file.days:g} days outlast what the shop remembers of answers, "
                f"{self._settings.privacy.impressions_retention_days} days (privacy.impressions_retention_days)."
            ])  # fmt: skip
        started = self._book.start(text, by, note, where=where, now=now)
        self._caught_up()
        return started

    def stop(self, name: str, by: str, why: str = "", *, now: datetime) -> Experiment:
        """All get control again. UnknownName, InputError where it does not run."""
        stopped = self._book.stop(name, by, why, now=now)
        self._caught_up()
        return stopped

    def read(self, name: str, now: datetime, *, simulated: bool = False) -> Reading:
        """What it has shown so far, of real shoppers or of `simulated` ones alone."""
        return self._read(self._book.find(name), ShownLog(self._folder, self._store, simulated=simulated), now)

    def check(self, now: datetime) -> Checked:
        """Read every experiment that is not over, keep what was found for `results`, and stop those that surely broke
        a guardrail."""
        log, readings, stopped = ShownLog(self._folder, self._store), list[Reading](), list[str]()
        for one in self._book.read()[0]:
            if self._is_final(one):
                continue
            reading = self._read(one, log, now)
            if reading.broken and one.running:
                self.stop(one.name, GUARD, f"Guardrail: {reading.broken}.", now=now)
                stopped.append(one.name)
                reading = self._read(self._book.find(one.name), log, now)
            readings.append(reading)
            told = reading.to_dict() | {
                "read": now.isoformat(),
                "final": not reading.experiment.running or now >= ripe(one),
            }
            replace_text(self._result_path(one.name), json.dumps(told, ensure_ascii=False, indent=1))
        return Checked(tuple(readings), tuple(stopped))

    def result(self, name: str) -> dict[str, Any] | None:
        """What the last look found, as `Reading.to_dict` has it, and its moment in `read`; None = nobody looked yet."""
        try:
            found: dict[str, Any] = json.loads(self._result_path(name).read_text(encoding="utf-8"))
            return found
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def _read(self, one: Experiment, log: ShownLog, now: datetime) -> Reading:
        since_ms = round(one.started.timestamp() * 1000)
        holding = f'"experiment":{json.dumps(one.name)}'
        columns = log.columns(log.answers(since_ms, holding))
        scale = scale_of(self._settings.shop.currency)
        return read_experiment_log(one, log.answers(since_ms, holding), log.block, columns, now, log.named, scale)

    def _is_final(self, one: Experiment) -> bool:
        """Whether the result on disk was made when all was known."""
        found = self.result(one.name)
        return found is not None and bool(found.get("final")) and found.get("running") == one.running

    def _result_path(self, name: str) -> Path:
        return self._folder / FOLDER / f"{name}.json"
