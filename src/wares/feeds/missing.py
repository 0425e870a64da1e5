"""Missing values of a table, column by column: leave, drop, mean, median, mode, a constant, or nearest neighbours.

Which cells were filled stays known. How well each way does on real shoppers: `wares bench missing`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from wares.errors import InputError
from wares.feeds.nearest import nearest_values
from wares.feeds.values import is_missing_word, read_number

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_AMOUNT = r"[$€£]?\s*\d[\d.,]*\s*[km]?"
_BAND = re.compile(rf"(under|below|up to|over|<=?|>=?)?\s*({_AMOUNT})\s*(?:(?:-|–|to)\s*{_AMOUNT}|\+)?", re.IGNORECASE)
_BELOW = ("under", "below", "up to", "<", "<=")
_TIMES = {"k": 1e3, "m": 1e6}


class Method(StrEnum):
    """What to do about a missing value. `leave` does nothing, `drop` leaves the row out."""

    LEAVE = "leave"
    DROP = "drop"
    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"
    CONSTANT = "constant"
    NEAREST = "nearest"


class Scale(StrEnum):
    """What the values of a column are: numbers, bands in order ("19-24", "25-34", "65+"), or words without an order."""

    NUMBER = "number"
    BAND = "band"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Way:
    """How one column is filled; `constant` is what `Method.CONSTANT` writes."""

    method: Method
    constant: str = ""

    @staticmethod
    def read(text: str) -> "Way":
        """ "median", or "constant:0". Raises InputError for anything else."""
        name, colon, constant = text.strip().partition(":")
        if name in list(Method) and bool(colon) == (name == Method.CONSTANT) and (constant or not colon):
            return Way(Method(name), constant)
        ways = ", ".join(method for method in Method if method is not Method.CONSTANT)
        raise InputError(f"{text[:80]!r} is no way to fill a column. Use one of {ways}, or constant:VALUE.")


def ways_of(texts: Mapping[str, str]) -> dict[str, Way]:
    """Column -> "median", "constant:0", ... as people write it. Raises InputError for what is no way."""
    return {name: Way.read(text) for name, text in texts.items()}


LEAVE = Way(Method.LEAVE)
DEFAULT = Way(Method.NEAREST)  # the best on Complete Journey's households: docs/decisions/0014-missing-values.md


@dataclass(frozen=True, slots=True)
class Column:
    """One column of n rows. `values` (n,): the numbers themselves, else places in `labels`; nan = missing.

    `labels` are the bands from low to high, or the words; a column of numbers has none.
    """

    name: str
    scale: Scale
    values: Floats
    labels: tuple[str, ...] = ()

    @property
    def missing(self) -> Bools:
        return np.isnan(self.values)

    def texts(self) -> list[str]:
        """The cells as text; missing ones are ""."""
        if self.scale is Scale.NUMBER:
            return ["" if math.isnan(value) else f"{value:.15g}" for value in self.values.tolist()]
        return ["" if math.isnan(place) else self.labels[int(place)] for place in self.values.tolist()]


@dataclass(frozen=True, slots=True)
class Filled:
    """A table after filling: its columns, which cells were filled (n, m), and which rows are kept (n,)."""

    columns: tuple[Column, ...]
    filled: Bools
    kept: Bools


def column_of(name: str, cells: Sequence[str | None]) -> Column:
    """Read a column: numbers if every known cell is one, bands if every one is a band or number, else words.

    >>> column_of("age", ["65+", "19-24", None, "35-44"]).labels
    ('19-24', '35-44', '65+')
    """
    known = {cell: read_number(cell) for cell in cells if cell is not None and not is_missing_word(cell)}
    if known and all(math.isfinite(number) for number in known.values()):
        return Column(name, Scale.NUMBER, np.array([known.get(cell or "", math.nan) for cell in cells]))
    starts = {label: _start_of(label) for label in known}
    banded = bool(known) and all(math.isfinite(start) for start in starts.values())
    labels = sorted(known, key=lambda label: (starts[label], label) if banded else (0.0, label))
    place_of = {label: float(place) for place, label in enumerate(labels)}
    places = np.array([place_of.get(cell or "", math.nan) for cell in cells], np.float64)
    return Column(name, Scale.BAND if banded else Scale.WORD, places, tuple(labels))


def fill(columns: Sequence[Column], ways: Mapping[str, Way], beside: Floats | None = None) -> Filled:
    """Every column that `ways` names, filled from what all columns held before; the others stay as they are.

    `beside` (n, d) is what is known of every row besides the columns, compared by Euclidean distance ("what did this
    shopper buy"); only nearest neighbours look at it. A column without any known value stays empty, unless a constant
    fills it. Raises InputError for a mean or median of words, and a constant that is no number among numbers.
    """
    n = len(columns[0].values) if columns else 0
    done, filled, kept = list(columns), np.zeros((n, len(columns)), np.bool_), np.ones(n, np.bool_)
    for j, column in enumerate(columns):
        way, missing = ways.get(column.name), column.missing
        if way is None or way.method is Method.LEAVE or not missing.any():
            continue
        if way.method is Method.DROP:
            kept &= ~missing
            continue
        done[j] = _filled(column, way, columns, beside)
        filled[:, j] = missing & ~done[j].missing
    return Filled(tuple(done), filled, kept)


def shares_of(rows: NDArray[np.intp], places: NDArray[np.intp], amounts: Floats, n: int, most: int = 300) -> Floats:
    """How each of n rows spreads its amounts over places: square roots of the shares, (n, at most `most` + 1).

    `rows`, `places` and `amounts` are parallel: shopper, category, money spent, for one. The places with the largest
    sums have a column each, all others share the last. Euclidean distance of these is Hellinger's of the shares.
    """
    ranked = np.argsort(-np.bincount(places, amounts), kind="stable") if len(places) else np.empty(0, np.intp)
    column_of_place = np.full(len(ranked), min(most, len(ranked)))
    column_of_place[ranked[:most]] = np.arange(min(most, len(ranked)))
    width = min(most, len(ranked)) + 1
    sums = np.bincount(rows * width + column_of_place[places], amounts, minlength=n * width).reshape(n, width)
    found: Floats = np.sqrt(sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-12))
    return found


def _filled(column: Column, way: Way, columns: Sequence[Column], beside: Floats | None) -> Column:
    if way.method is Method.CONSTANT:
        return _with_constant(column, way.constant)
    known = column.values[~column.missing]
    if not len(known):
        return column
    if way.method is Method.NEAREST:
        others = [other for other in columns if other.name != column.name]
        words = [other.scale is Scale.WORD for other in (column, *others)]
        table = np.column_stack([column.values, *(other.values for other in others)])
        return _holding(column, nearest_values(table, np.array(words), beside))
    if way.method is Method.MODE:
        values, counts = np.unique(known, return_counts=True)
        value = float(values[counts.argmax()])
    elif column.scale is Scale.WORD:
        hint = "Use mode, nearest, leave, drop or constant:VALUE."
        raise InputError(f"The column {column.name!r} holds words, which have no {way.method}. {hint}")
    else:
        value = float(known.mean() if way.method is Method.MEAN else np.median(known))
    return _holding(column, np.full(int(column.missing.sum()), value))


def _holding(column: Column, found: Floats) -> Column:
    """The column with `found` in its gaps: bands in whole places, and whole numbers among whole numbers."""
    known = column.values[~column.missing]
    whole = column.scale is not Scale.NUMBER or bool((known == np.round(known)).all())
    values = column.values.copy()
    values[column.missing] = np.floor(found + 0.5) if whole else found
    return Column(column.name, column.scale, values, column.labels)


def _with_constant(column: Column, constant: str) -> Column:
    if column.scale is Scale.NUMBER and not math.isfinite(read_number(constant)):
        raise InputError(f"The column {column.name!r} holds numbers; {constant[:80]!r} is none. Use constant:NUMBER.")
    return column_of(column.name, [text or constant for text in column.texts()])


def _start_of(label: str) -> float:
    """Where a band starts: "35-49K" -> 35, "65+" -> 65, "Under 15K" -> just below 15; nan for what is no band."""
    found = _BAND.fullmatch(label.strip())
    if found is None:
        return math.nan
    sign, amount = (found.group(1) or "").lower(), found.group(2).strip().lower()
    start = read_number(amount.rstrip("km ")) * _times(label)
    return start - 1e-6 * max(start, 1.0) if sign in _BELOW else start


def _times(label: str) -> float:
    """ "50-74K" means thousands on both sides, "500K-1M" says it of each: the first letter counts."""
    letter = next((char for char in label.lower() if char in _TIMES), "")
    return _TIMES.get(letter, 1.0)
