"""What was tried so far, kept in the shop's folder: a search for settings that is stopped goes on where it was."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wares.engine.durable import replace_text

FILE_NAME = "tuning.json"
FORMAT = 1
Numbers = dict[str, int | float]


@dataclass(frozen=True, slots=True)
class Trial:
    """Numbers that were tried, their mean on the folds for choosing, and what that took."""

    numbers: Numbers
    value: float
    seconds: float


class Studies:
    """The trials of each model, as long as the question they answer is the same one. Written after every trial."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._kept = self._read()

    def trials(self, model: str, question: Mapping[str, Any]) -> list[Trial]:
        """Those of this model for this very question; where the question changed, none."""
        kept = self._kept.get(model)
        if kept is None or kept["question"] != question:
            return []
        return [Trial(**trial) for trial in kept["trials"]]

    def keep(self, model: str, question: Mapping[str, Any], trials: list[Trial]) -> None:
        """Replace what is kept of this model, on disk before it returns."""
        self._kept[model] = {"question": dict(question), "trials": [asdict(trial) for trial in trials]}
        replace_text(self.path, json.dumps({"format": FORMAT, "studies": self._kept}, indent=1))

    def _read(self) -> dict[str, Any]:
        """A file that cannot be read is as good as none: it can always be made again."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if kept["format"] == FORMAT and all(
                isinstance(study["question"], dict) and all(Trial(**trial) for trial in study["trials"])
                for study in kept["studies"].values()
            ):
                return dict(kept["studies"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return {}
