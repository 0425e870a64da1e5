"""What an import did with each row: read, kept, repaired, rejected, with examples that say how to put them right."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Generic, TypeVar

from wares.errors import InputError, StoreUnwritable

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")
MAX_SHOWN = 80  # characters of a faulty value that an example shows
MAX_NOTES = 50
MAX_LEFT_OUT = 40  # kinds of left-out rows that are counted by name
LEFT_OUT = "left out: "  # begins the reason of a row that is left out


class RowFault(Exception):
    """A row that cannot be used: raised while it is read, counted by the `Tally`, never seen outside feeds."""

    def __init__(self, reason: str, field: str, value: object, fix: str) -> None:
        super().__init__(reason)
        self.reason, self.field, self.value, self.fix = reason, field, value, fix


class LeftOut(RowFault):
    """A row that wares has no place for, by a stated rule. Rejected and counted by name; there is nothing to put right,
    so it is not written among the rejected rows."""

    def __init__(self, name: str, field: str, value: object, fix: str) -> None:
        super().__init__(LEFT_OUT + name, field, value, fix)


@dataclass(frozen=True, slots=True)
class Example:
    """One place where something was wrong, and what to do. `line` counts from 1, the header included; 0 = unknown."""

    file: str
    line: int
    field: str
    value: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule or reason: how often, and the first examples."""

    rule: str
    count: int
    examples: tuple[Example, ...]


def added_up(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding per rule, with the examples of the first that came; the most frequent first."""
    first: dict[str, Finding] = {}
    counts: dict[str, int] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
        counts[finding.rule] = counts.get(finding.rule, 0) + finding.count
    told = (replace(finding, count=counts[rule]) for rule, finding in first.items())
    return tuple(sorted(told, key=lambda finding: -finding.count))


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of one import. `read == kept + rejected`; a row can be repaired in several places and still be kept.

    A kept row whose id comes again later gives way to the later one, which is among the repairs.

    `missing` counts the values that were absent, by field. `notes` are sentences for a person.
    `repeated` are kept rows that an earlier import had brought already; they count once. `remarks` are kept rows that
    look odd and are as they were. `returns` says of how many refunds the purchase was found (`feeds.returns`), `robots`
    how many shoppers each rule found (`feeds.robots`), `logins` how many anonymous shoppers were joined to known ones.
    """

    source: str
    read: int
    kept: int
    repairs: tuple[Finding, ...] = ()
    rejections: tuple[Finding, ...] = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    repeated: int = 0
    remarks: tuple[Finding, ...] = ()
    returns: Mapping[str, int] = field(default_factory=dict)
    robots: Mapping[str, int] = field(default_factory=dict)
    logins: Mapping[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """Rows that could not be used."""
        return sum(finding.count for finding in self.rejections)

    @property
    def unreadable(self) -> int:
        """Rejected rows without those that are left out by a rule: what these were about is not known."""
        return sum(finding.count for finding in self.rejections if not finding.rule.startswith(LEFT_OUT))

    @property
    def rejected_by_reason(self) -> dict[str, int]:
        return {finding.rule: finding.count for finding in self.rejections}

    @property
    def repaired(self) -> dict[str, int]:
        """How often each rule put something right."""
        return {finding.rule: finding.count for finding in self.repairs}

    def to_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "rejected": self.rejected}

    def to_polars(self) -> "pl.DataFrame":
        """One row per example: outcome, rule, count (of the rule), file, line, field, value, fix."""
        import polars as pl

        rows = [
            (outcome, finding.rule, finding.count, e.file, e.line, e.field, e.value, e.fix)
            for outcome, findings in self._by_outcome
            for finding in findings
            for e in finding.examples
        ]
        text, number = pl.String(), pl.Int64()
        schema = {"outcome": text, "rule": text, "count": number, "file": text, "line": number}
        return pl.DataFrame(rows, {**schema, "field": text, "value": text, "fix": text}, orient="row")

    def __str__(self) -> str:
        lines = [f"{self.source}: read {self.read:,}, kept {self.kept:,}, rejected {self.rejected:,}"]
        for verb, findings in self._by_outcome:
            for finding in findings:
                lines.append(f"  {verb} {finding.count:,}: {finding.rule}")
                lines += [f"    line {e.line}, {e.field} = {e.value!r}: {e.fix}" for e in finding.examples[:1]]
        lines += [f"  missing {name}: {count:,}" for name, count in self.missing.items()]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    @property
    def _by_outcome(self) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
        return ("rejected", self.rejections), ("repaired", self.repairs), ("odd", self.remarks)


@dataclass(slots=True)
class Tally:
    """Counts while rows pass by. Readers set `line`; at most `examples` examples are kept per rule.

    With `rejects`, every rejected row is also written to that file, one JSON object per line. `names` says what the
    source calls wares' fields, with "#" where the `place` of an item in its row stands.
    """

    source: str
    rejects: Path | None = None
    examples: int = 5
    line: int = 0
    kept: int = 0
    rejected: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    place: int = 0
    returns: dict[str, int] = field(default_factory=dict)
    robots: dict[str, int] = field(default_factory=dict)
    _repairs: dict[str, tuple[list[Example], list[int]]] = field(default_factory=dict)
    _rejections: dict[str, tuple[list[Example], list[int]]] = field(default_factory=dict)
    _remarks: dict[str, tuple[list[Example], list[int]]] = field(default_factory=dict)
    _file: IO[str] | None = None

    def repair(self, rule: str, field: str, value: object, fix: str) -> None:
        """Something of the present row was put right."""
        self._count(self._repairs, rule, field, value, fix)

    def remark(self, rule: str, field: str, value: object, fix: str) -> None:
        """The present row is kept as it is, though it looks odd."""
        self._count(self._remarks, rule, field, value, fix)

    def reject(self, fault: RowFault, row: object) -> None:
        """The present row cannot be used."""
        self.rejected += 1
        reason = fault.reason
        if isinstance(fault, LeftOut):
            if reason not in self._rejections and len(self._rejections) >= MAX_LEFT_OUT:
                reason = LEFT_OUT + "other kinds"
        elif self.rejects is not None:
            self._write(self.rejects, fault, row)
        self._count(self._rejections, reason, fault.field, fault.value, fault.fix)

    def miss(self, field: str) -> None:
        self.missing[field] = self.missing.get(field, 0) + 1

    def note(self, text: str) -> None:
        """Said once, however often it happens."""
        if len(self.notes) < MAX_NOTES:
            self.notes[text] = None

    def report(self) -> ImportReport:
        def findings(found: dict[str, tuple[list[Example], list[int]]]) -> tuple[Finding, ...]:
            listed = (Finding(rule, count[0], tuple(examples)) for rule, (examples, count) in found.items())
            return tuple(sorted(listed, key=lambda finding: -finding.count))

        return ImportReport(
            self.source,
            self.kept + self.rejected,
            self.kept,
            findings(self._repairs),
            findings(self._rejections),
            dict(self.missing),
            tuple(self.notes),
            remarks=findings(self._remarks),
            returns=dict(self.returns),
            robots=dict(self.robots),
        )

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _count(
        self, found: dict[str, tuple[list[Example], list[int]]], rule: str, field: str, value: object, fix: str
    ) -> None:
        examples, count = found.setdefault(rule, ([], [0]))
        count[0] += 1
        if len(examples) < self.examples:
            examples.append(Example(self.source, self.line, self._named(field), _shown(value), fix))

    def _named(self, field: str) -> str:
        """What the source calls this field of the present row."""
        name = self.names.get(field)
        return field if name is None else name.replace("#", str(self.place))

    def _write(self, path: Path, fault: RowFault, row: object) -> None:
        try:
            if self._file is None:
                self._file = path.open("w", encoding="utf-8")
            told = {"file": self.source, "line": self.line, "reason": fault.reason, "field": self._named(fault.field)}
            told |= {"value": _shown(fault.value), "fix": fault.fix}
            self._file.write(json.dumps({**told, "row": row}, default=str) + "\n")
        except OSError as error:
            raise StoreUnwritable(f"The rejected rows cannot be written to {path}: {error}.") from error


class Reading(Generic[T]):
    """A feed being read: iterate it once, as a stream, for the domain objects; `report` then tells how it went."""

    def __init__(self, entries: Iterable[T], tally: Tally) -> None:
        self._entries, self._tally, self._begun = entries, tally, False

    def __iter__(self) -> Iterator[T]:
        if self._begun:
            raise InputError(f"{self._tally.source}: this reading is used up. Read the source again for another one.")
        self._begun = True
        if self._tally.rejects is not None:
            self._tally.rejects.unlink(missing_ok=True)  # of an earlier import
        try:
            yield from self._entries
        finally:
            self._tally.close()

    @property
    def line(self) -> int:
        """Of the row that the last object was made of."""
        return self._tally.line

    @property
    def report(self) -> ImportReport:
        """The outcome so far; complete once the iteration has ended."""
        return self._tally.report()


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else f"a list of {len(value)}" if isinstance(value, list) else str(value)
    shown = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return shown.encode("utf-8", "replace").decode("utf-8")  # halves of surrogate pairs cannot be written anywhere
