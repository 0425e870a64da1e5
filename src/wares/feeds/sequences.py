"""Files of sequences, as in published tables of recommenders: one line per user, `user item item ...`, oldest first."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.errors import DataError, InputError
from wares.feeds.readers import read_rows
from wares.feeds.report import Tally
from wares.feeds.values import is_missing, read_text

LEAST_ITEMS = 3  # of a user who is asked: one to learn from, one for validation, one for the test


@dataclass(frozen=True)
class Sequences:
    """User u met the items `rows[indptr[u]:indptr[u + 1]]`, oldest first; an item's row is its place in `items`."""

    users: tuple[str, ...]
    items: tuple[str, ...]
    rows: NDArray[np.int32]  # (n,)
    indptr: NDArray[np.int64]  # (users + 1,)


@dataclass(frozen=True)
class ItemTexts:
    """What is known of each item of some `Sequences`, in their order; "" and () = nothing."""

    texts: tuple[str, ...]
    attributes: tuple[tuple[str, ...], ...]
    keys: tuple[str, ...] = ()  # of the column that was asked for
    unknown: int = 0  # items that the table lacks


def read_sequences(path: Path) -> Sequences:
    """Raises DataError with file and line for an empty line, a user without items and a user who comes twice, and for
    an empty file; InputError for one that cannot be read."""
    number_of: dict[str, int] = {}
    line_of: dict[str, int] = {}
    rows: list[int] = []
    lengths: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line, text in enumerate(file, 1):
                user, *items = text.split() or [""]
                if not user:
                    raise DataError("an empty line; each holds a user and the user's items", file=str(path), line=line)
                if not items:
                    raise DataError("a user without items", file=str(path), line=line, field="user", value=user)
                if user in line_of:
                    problem = f"this user has line {line_of[user]} already; put all items of a user into one line"
                    raise DataError(problem, file=str(path), line=line, field="user", value=user)
                line_of[user] = line
                rows += [number_of.setdefault(item, len(number_of)) for item in items]
                lengths.append(len(items))
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}. Give a file with one line per user: user item item ..."
        raise InputError(problem) from None
    if not lengths:
        raise DataError("the file is empty; it needs one line per user: user item item ...", file=str(path))
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Sequences(tuple(line_of), tuple(number_of), np.array(rows, np.int32), indptr)


def read_item_texts(path: Path, items: tuple[str, ...], key: str = "") -> ItemTexts:
    """From a table (CSV, JSONL, Parquet) with `item_id` and, as far as known, `text` and `attributes`: a list, or a
    text with | between its parts. `key` names one more column to keep.

    Items that no user met are left out; items that the table lacks stay without text. Raises DataError with file and
    line for a row that cannot be read, one without item_id and an item that comes twice; for a table without the
    column `key`, and for one that knows none of the items.
    """
    tally = Tally(str(path))
    texts, keys = dict.fromkeys(items, ""), dict.fromkeys(items, "")
    attributes: dict[str, tuple[str, ...]] = dict.fromkeys(items, ())
    line_of: dict[str, int] = {}
    for line, row in read_rows(path, tally):
        if is_missing(row.get("item_id")):
            known = ", ".join(map(str, row)) or "nothing"
            raise DataError(f"a row without item_id; it has {known}", file=str(path), line=line)
        if key and key not in row:
            raise DataError(f"no column {key!r}; there are {', '.join(map(str, row))}", file=str(path), line=line)
        item = read_text(row["item_id"])
        if item in line_of:
            problem = f"this item has line {line_of[item]} already; describe each item once"
            raise DataError(problem, file=str(path), line=line, field="item_id", value=item)
        line_of[item] = line
        if item in texts:
            texts[item], attributes[item] = read_text(row.get("text")), _several(row.get("attributes"))
            keys[item] = read_text(row[key]) if key else ""
    for finding in tally.report().rejections:
        at = finding.examples[0]
        raise DataError(f"{finding.rule}. {at.fix}", file=str(path), line=at.line, field=at.field, value=at.value)
    unknown = sum(item not in line_of for item in items)
    if unknown == len(items):
        problem = f"none of its {len(line_of):,} items is one that a user met"
        raise DataError(problem, file=str(path), field="item_id", value=next(iter(line_of), ""))
    return ItemTexts(tuple(texts.values()), tuple(attributes.values()), tuple(keys.values()) if key else (), unknown)


def _several(given: Any) -> tuple[str, ...]:
    """A list, a list as JSON, or a text with | between its parts."""
    if not isinstance(given, list | tuple):
        text = read_text(given)
        try:
            given = json.loads(text) if text.startswith("[") else text.split("|")
        except ValueError:
            given = text.split("|")
    return tuple(word for one in given if (word := read_text(one)))
