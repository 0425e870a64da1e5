"""The journal: who changed what from the console, one JSON line each, in the shop's folder."""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wares.engine.durable import replace_text
from wares.errors import InputError, StoreUnwritable

FILE = "console.jsonl"
_MOST_BYTES = 1_000_000  # then the older half goes
_GUARD = threading.Lock()


def note_change(folder: Path, at_ms: int, by: str, what: str, facts: Mapping[str, Any]) -> None:
    """Append one line, on disk when this returns. `what` is a code, `facts` name no shopper."""
    line = json.dumps({"at_ms": at_ms, "by": by, "what": what, **facts}, ensure_ascii=False) + "\n"
    path = folder / FILE
    try:
        with _GUARD:
            if path.exists() and path.stat().st_size > _MOST_BYTES:
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                replace_text(path, "".join(lines[len(lines) // 2 :]))
            with path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise StoreUnwritable(f"{path}: cannot be written ({error.strerror}). The change itself was made.") from error


def changes_noted(folder: Path, most: int = 200) -> list[dict[str, Any]]:
    """The newest first; a line that was cut is left out."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in reversed(lines):
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            found.append(told)
        if len(found) >= most:
            break
    return found


def signed(by: str) -> str:
    """Who does it, as one line. InputError where nobody says so."""
    by = by.strip()
    if not by or len(by) > 100 or not by.isprintable():
        raise InputError("Who does this? `by` must be a name of 1 to 100 characters on one line.")
    return by
