"""A table of results: one line per system, each figure with its interval, and the paired difference to a reference."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wares.errors import UnknownName
from wares.evaluation.intervals import Interval, mean_intervals

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]
Plain = str | int | float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One system. `seconds` is what its scoring took, all questions together, without the cost of measuring."""

    system: str
    seconds: float
    metrics: Mapping[str, Interval]
    differences: Mapping[str, Interval]  # this system - the reference, paired; empty for the reference itself


@dataclass(frozen=True, slots=True)
class EvaluationTable:
    """What was measured on `asked` questions (shoppers or purchases). nan inside, None in every plain form."""

    metrics: tuple[str, ...]
    lines: tuple[Line, ...]
    reference: str
    asked: int
    k: int
    values: Mapping[str, Floats] = field(default_factory=dict, repr=False, compare=False)  # system -> (asked, some)

    def line(self, system: str) -> Line:
        for line in self.lines:
            if line.system == system:
                return line
        raise UnknownName("system", system, known=[line.system for line in self.lines])

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns of `rows`."""
        parts = [(name, f"{name} low", f"{name} high") for name in self.metrics]
        parts += [(f"{name} diff", f"{name} diff low", f"{name} diff high") for name in self.metrics]
        return ("system", *(column for three in parts for column in three), "seconds")

    @property
    def rows(self) -> tuple[tuple[Plain, ...], ...]:
        """One tuple of plain numbers per system, in the order of `header`; None = not defined."""
        return tuple(
            (
                line.system,
                *(number for name in self.metrics for number in _three(line.metrics.get(name))),
                *(number for name in self.metrics for number in _three(line.differences.get(name))),
                line.seconds,
            )
            for line in self.lines
        )

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""

        def plain(found: Mapping[str, Interval]) -> dict[str, dict[str, float | None]]:
            return {name: dict(zip(("mean", "low", "high"), _three(i), strict=True)) for name, i in found.items()}

        return {
            "asked": self.asked,
            "k": self.k,
            "reference": self.reference,
            "systems": [
                {
                    "system": line.system,
                    "seconds": line.seconds,
                    "metrics": plain(line.metrics),
                    "differences": plain(line.differences),
                }
                for line in self.lines
            ],
        }

    def to_polars(self) -> "pl.DataFrame":
        """`rows` under `header`."""
        import polars as pl

        schema = {name: pl.String if name == "system" else pl.Float64 for name in self.header}
        return pl.DataFrame(self.rows, schema=schema, orient="row")


def table_of(
    names: Sequence[str],
    values: Mapping[str, Floats],
    rng: np.random.Generator,
    *,
    seconds: Mapping[str, float],
    k: int,
    whole: Mapping[str, Mapping[str, float]] | None = None,
    reference: str | None = None,
) -> EvaluationTable:
    """Join each system's values (n, m), one column per name, into a table with intervals.

    `whole` holds figures of all lists together ("coverage"): those have no interval, since a resample of the shoppers
    shows fewer products than all of them do, whatever the system. `reference` is the first system unless given.

    >>> values = {"a": np.array([[0.5], [0.7]]), "b": np.array([[0.6], [0.9]])}
    >>> table = table_of(["recall@1"], values, np.random.default_rng(0), seconds={"a": 1.0, "b": 2.0}, k=1)
    >>> round(table.line("b").differences["recall@1"].mean, 2)
    0.15
    """
    whole = whole or {}
    reference = next(iter(values), "") if reference is None else reference
    if reference not in values:
        raise UnknownName("system", reference, known=values)
    lines = []
    for system, found in values.items():
        metrics = dict(zip(names, mean_intervals(found, rng), strict=True))
        metrics |= {name: Interval(figure) for name, figure in whole.get(system, {}).items()}
        against = mean_intervals(found - values[reference], rng) if system != reference else []
        differences = dict(zip(names, against, strict=True)) if against else {}
        lines.append(Line(system, seconds[system], metrics, differences))
    columns = dict.fromkeys([*names, *(name for figures in whole.values() for name in figures)])
    asked = len(values[reference])
    return EvaluationTable(tuple(columns), tuple(lines), reference, asked, k, dict(values))


def _three(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    if interval is None:
        return (None, None, None)
    mean, low, high = (None if math.isnan(x) else x for x in (interval.mean, interval.low, interval.high))
    return (mean, low, high)
