"""A JSON document -> rows: a list of objects, one object, or an object that holds the list. Read whole."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from wares.feeds.encodings import guess_encoding
from wares.feeds.report import RowFault, Tally

LISTS = ("products", "items", "records", "data", "results", "hits", "documents", "rows")
Row = dict[str, Any]
MAX_FAULTS = 1000  # objects of a list that are given up, each for itself, before the rest is
_BLANKS = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()
_FIX = "Write one JSON document: a list of objects, or an object per line in a .jsonl file"


def read_json(file: BinaryIO, tally: Tally) -> Iterator[tuple[int, Row]]:
    """(line, row) of each object of the list, or of the one object; places where all of it is one line.

    A fault costs one object where the next one begins a line of its own, else the rest of the list.
    """
    text = _decoded(file.read(), tally).strip()
    if not text:
        tally.note(f"{tally.source} is empty.")
    elif text.startswith("["):
        yield from _elements(text, tally)
    else:
        try:
            document = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            tally.line = getattr(error, "lineno", 0)
            tally.reject(RowFault("broken JSON", "", text[:80], f"{_FIX} ({error})."[:300]), text[:10_000])
            return
        yield from _rows_of(document, tally)


def _elements(text: str, tally: Tally) -> Iterator[tuple[int, Row]]:
    at, line, counted, place, faults = 1, 1, 0, 0, 0
    one_line = "\n" not in text
    while True:
        blanks = _BLANKS.match(text, at)
        at = blanks.end() if blanks else at
        line, counted = line + text.count("\n", counted, at), at
        if text.startswith("]", at):
            behind = _BLANKS.match(text, at + 1)
            at = behind.end() if behind else at + 1
            if text.startswith("[", at):  # lists one after the other, as pages of an export
                at += 1
                continue
            if at < len(text):
                tally.line = place + 1 if one_line else line + text.count("\n", counted, at)
                tally.reject(RowFault("text behind the list", "", text[at : at + 80], f"{_FIX}."), text[at:][:10_000])
            break
        place += 1
        tally.line = place if one_line else line
        try:
            element, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            tally.line = place if one_line else getattr(error, "lineno", line)
            faults += 1
            end = _next_object(text, at) if faults < MAX_FAULTS else -1
            lost = "" if end > 0 else " Nothing behind this place was read."
            shown = text[at : end if end > 0 else None][:10_000]
            tally.reject(RowFault("broken JSON", "", shown.strip(), f"{_FIX} ({error}).{lost}"[:300]), shown)
            if end < 0:
                return
            at = end
            continue
        at = end
        if isinstance(element, dict):
            yield place if one_line else line, element
        else:
            tally.reject(RowFault("not an object", "", element, 'Give each entry as {"id": ...}.'), element)
    if not place:
        tally.note(f"{tally.source} is an empty list.")


def _next_object(text: str, at: int) -> int:
    """Where behind this place a line begins an object with the same indent; -1 = nowhere."""
    indent = text[text.rfind("\n", 0, at) + 1 : at]
    if indent.strip() or "\n" not in text:
        return -1
    found = text.find(f"\n{indent}{{", at + 1)
    return found if found < 0 else found + 1 + len(indent)


def _rows_of(document: Any, tally: Tally) -> Iterator[tuple[int, Row]]:
    if not isinstance(document, dict):
        tally.line = 1
        tally.reject(RowFault("not an object", "", document, f"{_FIX}."), document)
        return
    held = next((document[name] for name in LISTS if isinstance(document.get(name), list)), None)
    if held is None or any(name in document for name in ("id", "@graph", "@type")):
        yield 1, document
        return
    tally.note("The lines of a list within an object are not known: rows are counted instead.")
    for place, element in enumerate(held, 1):
        tally.line = place
        if isinstance(element, dict):
            yield place, element
        else:
            tally.reject(RowFault("not an object", "", element, 'Give each entry as {"id": ...}.'), element)


def _decoded(raw: bytes, tally: Tally) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        tally.note("The file is in UTF-16.")
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        tally.line = raw.count(b"\n", 0, error.start) + 1
        tally.repair("not UTF-8", "", raw[error.start : error.start + 20], "Save the file as UTF-8.")
        return raw.decode(guess_encoding(raw), "replace")
