"""Missing facts of shoppers or products, filled from the others' and marked: "age_filled": "nearest"."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.domain.text import tokens
from wares.errors import UnknownName
from wares.feeds.missing import Column, Floats, Method, Way, column_of, fill, shares_of
from wares.feeds.report import RowFault, Tally
from wares.feeds.values import read_number

FILLED = "_filled"  # ends the name of the attribute that marks a filled value and says how it was filled
_AT_ONCE = 20_000  # rows whose gaps are filled together from their neighbours
_KNOWN = 5_000  # rows with a known value that those neighbours come from


@dataclass(frozen=True, slots=True)
class Known:
    """One kept row before filling: where it stands, what it was, its facts as text, and words that neighbours share."""

    line: int
    raw: object
    facts: Mapping[str, str]
    text: str = ""


def complete(rows: Sequence[Known], ways: Mapping[str, Way], whose: str, tally: Tally) -> list[dict[str, str] | None]:
    """The facts of each row with the columns filled that `ways` names; None for a row that lacks one with `drop`, which
    is rejected.

    A filled cell is marked by "<column>_filled", and each column is noted in the report. Raises UnknownName for a
    column that no row has, InputError for a way that a column's values do not have (the mean of words).
    """
    facts, texts = [row.facts for row in rows], [row.text for row in rows]
    names = list(dict.fromkeys(name for row in facts for name in row))
    if unknown := [name for name in ways if name not in names]:
        raise UnknownName("column to fill", unknown[0], names)
    columns = {name: column_of(name, [row.get(name) for row in facts]) for name in names}
    done: list[dict[str, str] | None] = [dict(row) for row in facts]
    for name, way in ways.items():
        gaps = np.flatnonzero(columns[name].missing)
        if way.method is Method.DROP:
            for place in gaps.tolist():
                if done[place] is not None:
                    tally.line, done[place] = rows[place].line, None
                    fix = f"Give the {name}, or choose another way than drop."
                    tally.kept -= 1
                    tally.reject(RowFault(f"{whose} without {name}", name, "", fix), rows[place].raw)
            continue
        n_filled = 0
        as_written = {f"{read_number(text):.15g}": text for row in facts if (text := row.get(name))}
        for place, value in _found(list(columns.values()), name, way, gaps, texts):
            value = as_written.get(value, value)  # "038" stays that, if that is how the others write it
            if value and (told := done[place]) is not None:
                told[name], told[name + FILLED] = value, way.method.value
                n_filled += 1
        if n_filled:
            tally.note(f"{name}: {n_filled:,} of {len(facts):,} {whose}s filled by {way.method}.")
    return done


def _found(
    columns: list[Column], name: str, way: Way, gaps: NDArray[np.intp], texts: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """(row, text) for each of the gaps, from the top."""
    target = next(column for column in columns if column.name == name)
    if way.method is not Method.NEAREST:
        filled = fill([target], {name: way}).columns[0].texts()
        yield from ((row, filled[row]) for row in gaps.tolist())
        return
    known = np.flatnonzero(~target.missing)
    known = known[np.linspace(0, len(known) - 1, min(len(known), _KNOWN)).astype(np.intp)]
    for start in range(0, len(gaps), _AT_ONCE):
        some = gaps[start : start + _AT_ONCE]
        rows = np.concatenate([known, some])
        part = [Column(one.name, one.scale, one.values[rows], one.labels) for one in columns]
        beside = _words([texts[row] for row in rows.tolist()])
        place = next(i for i, one in enumerate(part) if one.name == name)
        filled = fill(part, {name: way}, beside).columns[place].texts()
        yield from zip(some.tolist(), filled[len(known) :], strict=True)


def _words(texts: Sequence[str]) -> Floats | None:
    """How each text spreads over words, (n, d); None where there are none."""
    code: dict[str, int] = {}
    pairs = [(row, code.setdefault(word, len(code))) for row, text in enumerate(texts) for word in tokens(text)]
    if len(code) < 2:
        return None
    rows, places = np.array(pairs, np.intp).T
    return shares_of(rows, places, np.ones(len(rows)), len(texts))
