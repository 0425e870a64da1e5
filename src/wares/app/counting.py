"""Counts what came of answers, in a process of its own, so that a server never stops answering.

`python -m wares.app.counting FOLDER` looks at the running experiments, ends those that do harm, and counts for
exploration how often products were shown and chosen. A server starts it every now and then.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any

from wares.engine.experiments.book import ExperimentBook
from wares.engine.exposures import write_exposures
from wares.engine.settings import Settings, load_settings
from wares.errors import WaresError
from wares.evaluation.experiments import Experiments
from wares.evaluation.exposure import exposures_of, lines_of
from wares.evaluation.shown import ShownLog
from wares.store.impressions import FILE as SHOWN
from wares.store.sqlite import Store

LEAST_S = 60.0  # between two looks
MOST_ANSWERS = 100_000  # of a surface, the latest, that exploration goes by
_REST = 20  # times as long as a look took is waited before the next
_LATER = 19  # how much less the processor is to care for it


class Counting:
    """Starts the counting process from a server's thread, at most every `least_s` seconds, while there is something to
    count: an experiment runs or a surface explores, and something was shown since. `warn` is told of faults."""

    def __init__(self, folder: Path, settings: Settings, warn: Callable[[str], None], least_s: float = LEAST_S) -> None:
        self._folder, self._warn, self._least_s = folder, warn, least_s
        self._explores = bool(exploring(settings))
        self._stop, self._seen = Signal(), (0, 0)
        self._child: subprocess.Popen[str] | None = None
        self._thread = Thread(target=self._run, name="counting", daemon=True)

    def __enter__(self) -> "Counting":
        self._thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._stop.set()
        if (child := self._child) is not None:
            child.terminate()
        self._thread.join()

    def _run(self) -> None:
        wait_s = self._least_s
        while not self._stop.wait(wait_s):
            started_s = time.monotonic()
            if self._is_due():
                self._look()
            wait_s = max(self._least_s, _REST * (time.monotonic() - started_s))

    def _is_due(self) -> bool:
        experiments, _ = ExperimentBook(self._folder).read()
        if not (self._explores or any(one.running for one in experiments)):
            return False
        shown = [path.stat() for path in (self._folder / SHOWN, self._folder / f"{SHOWN}-wal") if path.exists()]
        seen = (sum(one.st_size for one in shown), max((one.st_mtime_ns for one in shown), default=0))
        due, self._seen = seen != self._seen, seen
        return due

    def _look(self) -> None:
        command = [*gently(), sys.executable, "-m", "wares.app.counting", str(self._folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:  # noqa: S603
            self._child = child
            said, fault = child.communicate()
            self._child = None
        if self._stop.is_set():
            return
        try:
            told: dict[str, Any] = json.loads(said.splitlines()[-1])
        except (IndexError, json.JSONDecodeError):
            told = {"problem": fault[-500:]}
        if told.get("problem"):
            self._warn(f"What came of answers could not be counted: {told['problem']}")
        for name in told.get("stopped", ()):
            self._warn(f"Experiment {name} broke a guardrail and was stopped: `wares experiments show` says why.")


def gently() -> list[str]:
    """What to put before a command that may take its time, from its first moment on."""
    nice = shutil.which("nice")
    return [nice, "-n", str(_LATER)] if nice else []


def exploring(settings: Settings) -> list[str]:
    """The surfaces that give new products places."""
    return [
        surface
        for surface, profile in settings.profiles.items()
        if profile.exploration.share > 0 and "exploration" in profile.policies
    ]


def count(folder: Path, now: datetime) -> dict[str, Any]:
    """One look: which experiments were read, which were stopped, and of how many products exploration knows."""
    settings = load_settings(folder)
    with Store.open(folder, "read") as store:
        checked = Experiments(folder, settings, store, lambda: None).check(now)
        told: dict[str, Any] = {
            "read": [reading.experiment.name for reading in checked.readings],
            "stopped": list(checked.stopped),
        }
        if surfaces := exploring(settings):
            log = ShownLog(folder, store)
            columns = log.columns(pair for one in surfaces for pair in answers_of(log, one))
            lines = [lines_of(one, answers_of(log, one), log.block, columns, log.named) for one in surfaces]
            found = exposures_of(lines, columns)
            write_exposures(folder, found)
            told["products"] = len(found.of)
    return told


def answers_of(log: ShownLog, surface: str, since_ms: int = 0) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The latest answers of a surface, oldest first."""
    return log.answers(since_ms, f'"surface":{json.dumps(surface)}', MOST_ANSWERS)


def main() -> int:
    """The child's side."""
    try:
        told = count(Path(sys.argv[1]), datetime.now(UTC))
    except (WaresError, OSError, MemoryError) as error:
        print(json.dumps({"problem": str(error) or type(error).__name__}))
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
