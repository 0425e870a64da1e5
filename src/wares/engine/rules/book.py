"""The shop's rules as files: one draft to work on, and every version that was ever published.

`rules/0001.toml`, `rules/0002.toml`, ...: each says who published it, when and why, and the checksum of its rules. A
version is never changed; the one with the highest number serves, so there is no pointer that could be wrong.
"""

import hashlib
import json
import os
import re
import secrets
import time
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from wares.engine.durable import publish_once, replace_text, write_text
from wares.engine.manifest import checked_name, read_checked_name
from wares.engine.rules.settings import RuleSettings, RulesFile, read_rules
from wares.errors import InputError, RulesError, StoreError, StoreUnwritable, UnknownName

FOLDER = "rules"
DRAFT = "draft.toml"
LAST = "LAST"
_NAME = re.compile(r"(\d{4,9})\.toml")
_RULES_BEGIN = "# -- the rules, as they were published: never changed; `wares rules draft` opens a copy --\n"
_DRAFT_HEAD = "# Draft of version {}; `wares rules check`, `preview` and `publish` go on with it.\n"
_DRAFT_OF = re.compile(r"\A# Draft of version (\d+)\b[^\n]*\n")
_STALE_S = 86_400
_SEAL = "head_sha256 = "
_TOLD = {"version", "by", "at", "note", "same_as", "sha256", "head_sha256"}


@dataclass(frozen=True)
class Version:
    """One published state of the rules; number 0 = none was published yet.

    `same_as`: the version that it repeats (of an undo), its own number otherwise. `text` is the TOML as it was written.
    """

    number: int = 0
    by: str = ""
    at: datetime | None = None
    note: str = ""
    same_as: int = 0
    text: str = ""
    file: RulesFile = field(default_factory=RulesFile)

    @property
    def rules(self) -> tuple[RuleSettings, ...]:
        return self.file.rules


@dataclass(frozen=True)
class Draft:
    """What is being worked on. `based_on` is the version that it began as; None = it does not say."""

    text: str
    based_on: int | None = None


class RuleBook:
    """The rules' folder of one shop. Needs no lock: a version appears whole or not at all, and once."""

    def __init__(self, shop_folder: Path) -> None:
        self.place = shop_folder / FOLDER

    @property
    def draft_path(self) -> Path:
        return self.place / DRAFT

    # -- versions ----------------------------------------------------------------------------------------------------

    def numbers(self) -> list[int]:
        """Of all published versions, oldest first."""
        try:
            names = [path.name for path in self.place.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    def last(self) -> int:
        """The number of the newest version; 0 = none."""
        return max(self.numbers(), default=0)

    def read(self, number: int) -> Version:
        """UnknownName if there is no such version, StoreError where its file was cut, altered or cannot be read."""
        if number == 0:
            return Version()
        path = self.place / _file_of(number)
        try:
            whole = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            raise UnknownName("version of the rules", str(number), map(str, self.numbers())) from None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{path}: cannot be read ({error}). {_REMEDY}") from error
        head, mark, text = whole.partition(_RULES_BEGIN)
        try:
            told = tomllib.loads(head)
            if not mark or told["sha256"] != _sha256(text) or told["version"] != number or not _is_sealed(head, told):
                raise StoreError(f"{path}: was cut or altered after it was published. {_REMEDY}")
            file = read_rules(text, str(path))
            return Version(number, told["by"], told["at"], told["note"], told.get("same_as", number), text, file)
        except (KeyError, TypeError, tomllib.TOMLDecodeError, RulesError) as error:
            raise StoreError(f"{path}: cannot be used ({error}). {_REMEDY}") from error

    def current(self) -> tuple[Version, list[str]]:
        """What serves: the newest version that is whole, and warnings about newer ones that are not."""
        warnings = list[str]()
        numbers = self.numbers()
        if (last := self._last_said()) > max(numbers, default=0):
            warnings.append(f"{self.place}: version {last} of the rules is gone. An older one serves. {_REMEDY}")
        for number in reversed(numbers):
            try:
                return self.read(number), warnings
            except StoreError as error:
                warnings.append(f"{error} An older version of the rules serves.")
            except UnknownName:  # gone since the folder was listed
                continue
        return Version(), warnings

    def publish(
        self, text: str, by: str, note: str = "", *, based_on: int | None = None, same_as: int | None = None
    ) -> Version:
        """A new version with these rules, on disk when it returns.

        `based_on`: refuse with RulesError if another version than this is the newest by now. RulesError for rules that
        cannot be read, InputError without a name, StoreUnwritable where the folder refuses.
        """
        by, note = _one_line(by, "by: the name of who publishes", 100), _one_line(note, "note", 500)
        if not by:
            raise InputError("Who publishes? Give a name, as by='Anna' (--by Anna): the log tells who changed what.")
        text = text if not text or text.endswith("\n") else text + "\n"
        file = read_rules(text, "the rules")
        draft = self.place / f".{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            self.place.mkdir(exist_ok=True)
            self._tidy()
            while True:
                last = self.last()
                if based_on is not None and based_on != last:
                    raise RulesError([f"Version {last} was published since this draft was begun from {based_on}."])
                number, at = last + 1, datetime.now(UTC).replace(microsecond=0)
                repeats = number if same_as is None else same_as
                write_text(draft, _head(number, by, at, note, repeats, text) + _RULES_BEGIN + text)
                draft.chmod(0o444)
                try:
                    publish_once(draft, self.place / _file_of(number))  # takes the number, or somebody was faster
                except FileExistsError:
                    draft.unlink()
                    continue
                self._say_last(number)
                return Version(number, by, at, note, repeats, text, file)
        except OSError as error:
            raise _unwritable(self.place, error) from error
        finally:
            draft.unlink(missing_ok=True)

    def _last_said(self) -> int:
        """The number of the newest version as it was said when it was published; 0 = unknown."""
        try:
            name = read_checked_name((self.place / LAST).read_bytes()[:100].decode("utf-8", "replace"))
        except OSError:
            return 0
        return int(name) if name.isascii() and name.isdecimal() else 0

    def _say_last(self, number: int) -> None:
        """Only so that a version that vanishes is missed: no version is found by it."""
        if number > self._last_said():
            with suppress(OSError):
                replace_text(self.place / LAST, checked_name(str(number)))

    def before(self, version: Version) -> int:
        """The number of the version that an undo of this one brings back; 0 = no rules. InputError: there is none."""
        if not version.same_as:
            raise InputError("There is nothing to undo: no version stands before the first one.")
        known = [number for number in self.numbers() if number < version.same_as]
        return self.read(known[-1]).same_as if known else 0

    # -- the draft ---------------------------------------------------------------------------------------------------

    def draft(self) -> Draft | None:
        """None = nobody is working on one. StoreError where it cannot be read."""
        try:
            text = self.draft_path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.draft_path}: cannot be read as UTF-8 text ({error}).") from error
        text = text.replace("\r\n", "\n")
        head = _DRAFT_OF.match(text)
        return Draft(text[head.end() :], int(head[1])) if head else Draft(text)

    def begin_draft(self, text: str | None = None) -> Path:
        """A draft from `text`, or from what serves; one that is there already is never overwritten: InputError."""
        if self.draft_path.exists():
            raise InputError(f"{self.draft_path}: there is a draft already. Publish it, or discard it first.")
        version, _ = self.current()
        if text is None:
            text = version.text if version.number else _example()
        head = _DRAFT_HEAD.format(self.last())
        try:
            self.place.mkdir(exist_ok=True)
            replace_text(self.draft_path, head + text)
        except OSError as error:
            raise _unwritable(self.place, error) from error
        return self.draft_path

    def write_draft(self, text: str, was: str | None) -> Draft:
        """The draft says `text` from now on; it stays based on the version that it began as. `was`: what it said when
        the writer last looked, None = there was none. InputError where it says something else by now."""
        draft = self.draft()
        if (draft.text if draft is not None else None) != was:
            raise InputError("Somebody else changed the draft meanwhile. Read it again, then write your changes.")
        based_on = self.last() if draft is None else draft.based_on
        head = _DRAFT_HEAD.format(based_on) if based_on is not None else ""
        try:
            self.place.mkdir(exist_ok=True)
            replace_text(self.draft_path, head + text)
        except OSError as error:
            raise _unwritable(self.place, error) from error
        return Draft(text, based_on)

    def discard_draft(self) -> bool:
        """Whether there was one."""
        was_there = self.draft_path.exists()
        self.draft_path.unlink(missing_ok=True)
        return was_there

    def _tidy(self) -> None:
        """Remove what a publisher that was killed left behind."""
        for left in self.place.glob(".*.part"):
            with suppress(FileNotFoundError):  # another publisher's, who is done with it
                if time.time() - left.stat().st_mtime > _STALE_S:
                    left.unlink()


_REMEDY = "`wares rules undo` publishes an older version again; `wares rules draft` begins a new one."


def _head(number: int, by: str, at: datetime, note: str, same_as: int, text: str) -> str:
    told: Mapping[str, Any] = {
        "version": str(number),
        "by": json.dumps(by, ensure_ascii=False),
        "at": at.isoformat().replace("+00:00", "Z"),
        "note": json.dumps(note, ensure_ascii=False),
        **({"same_as": str(same_as)} if same_as != number else {}),
        "sha256": json.dumps(_sha256(text)),
    }
    lines = "".join(f"{name} = {value}\n" for name, value in told.items())
    return f'{lines}{_SEAL}"{_sha256(lines)}"\n'


def _is_sealed(head: str, told: Mapping[str, Any]) -> bool:
    """Whether who, when and why are as they were written; versions before the seal say nothing of it."""
    lines, seal, digest = head.partition(_SEAL)
    return told.keys() <= _TOLD and (not seal or digest == f'"{_sha256(lines)}"\n')


def _example() -> str:
    return (resources.files("wares.engine") / "default_rules.toml").read_text(encoding="utf-8")


def _file_of(number: int) -> str:
    return f"{number:04}.toml"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _one_line(text: str, what: str, most: int) -> str:
    text = text.strip()
    if len(text) > most or not (text.isprintable()):
        raise InputError(f"{what} must be one line of at most {most} characters; got {text[:80]!r}.")
    return text


def _unwritable(place: Path, error: OSError) -> StoreUnwritable:
    return StoreUnwritable(f"{error.filename or place}: cannot be written ({error.strerror}). Nothing was published.")
