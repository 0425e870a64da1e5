"""Everything that can go wrong, in one tree.

    WaresError
    |-- InputError             the caller asked for something that cannot be
    |   |-- UnknownName        a name that is not there; says which are, and the nearest
    |   |-- DataError          a row of a feed; names file, line, field and value
    |   |-- AmbiguousShopper   a login would make one shopper of two known ones
    |   |-- RulesError         rules that cannot be read, or that stand in each other's way
    |   |-- ExperimentError    an experiment that cannot be read, or that another one is in the way of
    |   |-- CampaignError      a campaign that cannot be read, or that does not fit the shop
    |   |-- TooManyGone        a full feed lacks so many products that it may be broken
    |   `-- CursorExpired      the page behind a cursor is gone
    |-- SettingsError          the settings file is wrong
    |-- StoreError             the shop's folder cannot be read or written
    |   |-- StoreLocked        another process is writing
    |   `-- StoreUnwritable    read-only folder, full disk
    |-- BackupError            a backup is cut, altered or of a newer version
    |-- SnapshotError          a snapshot is cut, altered or of another version
    |-- EncoderError           the text encoder cannot be loaded
    |-- RankerUnavailable      the learned order cannot be computed on this machine
    `-- TrainingError          training stopped; the last good snapshot stays

Each message says what happened, what was received, what is valid and what to do.
"""

import difflib
from collections.abc import Iterable


class WaresError(Exception):
    """Base of all errors that wares raises on purpose. `code` is stable; texts may change."""

    code = "error"


class InputError(WaresError):
    code = "invalid-input"


class UnknownName(InputError):
    """`UnknownName("surface", "hmoe", known=["home", "search"])`."""

    code = "unknown-name"

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        self.what, self.name, self.known = what, name, sorted(known)
        nearest = difflib.get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
        listed = ", ".join(self.known[:30]) + (", ..." if len(self.known) > 30 else "")
        super().__init__(f"There is no {what} {name[:80]!r}.{hint}" + (f" Known: {listed}." if listed else ""))


class DataError(InputError):
    """A row that cannot be used. `line` counts from 1 in the file; 0 = no line is known."""

    code = "invalid-data"

    def __init__(self, problem: str, *, file: str = "", line: int = 0, field: str = "", value: object = None) -> None:
        self.problem, self.file, self.line, self.field, self.value = problem, file, line, field, value
        place = ":".join(part for part in (file, str(line) if line else "") if part)
        named = f" (field {field!r}, got {str(value)[:80]!r})" if field else ""
        super().__init__(f"{place + ': ' if place else ''}{problem}{named}")


class AmbiguousShopper(InputError):
    """A login would join two known shoppers, or an anonymous one who is somebody else's. Texts name no id."""

    code = "ambiguous-shopper"


class TooManyGone(InputError):
    """A full feed lacks so many products that it may be broken."""

    code = "too-many-gone"


class RulesError(InputError):
    """Each entry of `faults` is a sentence with its place."""

    code = "invalid-rules"

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class ExperimentError(InputError):
    """Each entry of `faults` is a sentence with its place."""

    code = "invalid-experiment"

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class CampaignError(InputError):
    """Each entry of `faults` is a sentence with its place."""

    code = "invalid-campaign"

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class CursorExpired(InputError):
    code = "cursor-expired"


class SettingsError(WaresError):
    code = "invalid-settings"


class StoreError(WaresError):
    code = "store"


class StoreLocked(StoreError):
    code = "store-locked"


class StoreUnwritable(StoreError):
    code = "store-unwritable"


class BackupError(WaresError):
    code = "backup"


class SnapshotError(WaresError):
    code = "snapshot"


class EncoderError(WaresError):
    code = "encoder"


class RankerUnavailable(WaresError):
    code = "ranker-unavailable"


class TrainingError(WaresError):
    code = "training"
