"""A ledger of files: each tells one thing that somebody did, and is written once and never changed.

`0001.toml`, `0002.toml`, ... in a folder of their own. What holds now follows from reading them in order. An entry
appears whole or not at all, and takes its number once, so that a ledger needs no lock.
"""

import hashlib
import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wares.engine.durable import publish_once, write_text
from wares.errors import InputError, StoreError, StoreUnwritable

_NAME = re.compile(r"(\d{4,9})\.toml")


class Ledger:
    """The entries in `place`; `mark` is the line that parts what wares tells from the text that was handed in."""

    def __init__(self, place: Path, mark: str) -> None:
        self.place, self._mark = place, mark

    def numbers(self) -> list[int]:
        """Of all entries, oldest first."""
        try:
            names = [path.name for path in self.place.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    def last(self) -> int:
        """The number of the newest entry; 0 = none."""
        return max(self.numbers(), default=0)

    def path_of(self, number: int) -> Path:
        """Where an entry lies, or will."""
        return self.place / f"{number:04}.toml"

    def entry(self, number: int) -> tuple[Mapping[str, Any], str]:
        """(what wares told, the text). Raises StoreError, KeyError, TypeError or ValueError for one that cannot be
        used: it was cut or altered."""
        try:
            whole = self.path_of(number).read_bytes().decode("utf-8")
        except OSError as error:
            raise StoreError(str(error.strerror)) from error
        head, mark, text = whole.partition(self._mark)
        told = tomllib.loads(head)
        signed, _, _ = head.rpartition("sha256")
        if not mark or told["sha256"] != _sha256(signed + text) or told["entry"] != number:
            raise StoreError("it was cut or altered after it was written")
        return told, text

    def write(self, number: int, told: Mapping[str, object], at: datetime, text: str) -> bool:
        """Whether this entry now has this number, on disk; else somebody was faster, and nothing was written. `told`:
        texts and lists. Raises StoreUnwritable."""
        text = text if not text or text.endswith("\n") else text + "\n"
        moment = at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
        lines = [f"entry = {number}\n", f"at = {moment}\n"]
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in told.items()]
        head = "".join(lines)
        signed = f"{head}sha256 = {json.dumps(_sha256(head + text))}\n"
        draft = self.place / f".{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            self.place.mkdir(exist_ok=True)
            write_text(draft, signed + self._mark + text, 0o444)
            publish_once(draft, self.path_of(number))  # takes the number, or fails: somebody was faster
            return True
        except FileExistsError:
            return False
        except OSError as error:
            where = error.filename or self.place
            raise StoreUnwritable(f"{where}: cannot be written ({error.strerror}). Nothing was changed.") from error
        finally:
            draft.unlink(missing_ok=True)


def signature(by: str, note: str) -> tuple[str, str]:
    """Who did it and why, as a ledger tells it. InputError without a name of who does it, or for a long one."""
    for text, what, most in ((by, "by: the name of who does it", 100), (note, "note", 500)):
        if len(text.strip()) > most or not text.strip().isprintable():
            raise InputError(f"{what} must be one line of at most {most} characters; got {text[:80]!r}.")
    if not by.strip():
        raise InputError("Who does it? Give a name, as by='Anna' (--by Anna): the ledger tells who changed what.")
    return by.strip(), note.strip()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
