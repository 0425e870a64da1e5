"""The keys of a shop: one small file each in its folder `keys`, which hold no secret that a request could use.

A key is shown once, when it is made: `wares_<id>_<64 hex digits>`. It is 256 random bits, so a plain SHA-256 of it is
as good as any slow hash: there is nothing to guess. Why one file each, and what `signing` is: docs/decisions/0020.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wares.app.web.access.caller import SCOPES, Caller, ScopeName
from wares.engine.durable import replace_text
from wares.errors import InputError, StoreError, StoreUnwritable, UnknownName

FOLDER = "keys"
KEY = re.compile(r"wares_([0-9a-f]{8})_[0-9a-f]{64}")
_FILE = re.compile(r"([0-9a-f]{8})\.json")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?")
_NOBODY = "0" * 64  # what an unknown key is compared with, so that it takes as long as a known one

Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Key(BaseModel):
    """What is kept of one key. `rate`: requests per minute, 0 = as the settings say; `origins`: web pages that may use
    it; `surfaces`, `markets`: what it is confined to; empty = no bounds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    name: Annotated[str, Field(max_length=100)]
    scopes: Annotated[tuple[ScopeName, ...], Field(min_length=1)]
    hash: Hex
    signing: Hex
    made: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    rate: Annotated[int, Field(ge=0)] = 0
    origins: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()

    def state(self, now: datetime) -> str:
        """ "active", "expired" or "revoked"."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"

    def caller(self) -> Caller:
        """What a request with this key may do."""
        return Caller(
            self.id, frozenset(self.scopes), surfaces=self.surfaces, markets=self.markets, origins=self.origins,
            rate_per_minute=self.rate,
        )  # fmt: skip


class Keys:
    """The folder of a shop's keys. Needs no lock: a key's file appears whole, and only its own revoking changes it."""

    def __init__(self, shop_folder: Path) -> None:
        self.place = shop_folder / FOLDER

    def all(self) -> tuple[list[Key], list[str]]:
        """Every key ever made, oldest first, and a sentence on each file that cannot be read: its key opens nothing."""
        keys, faults = list[Key](), list[str]()
        for path in self.files():
            try:
                keys.append(self._read(path))
            except StoreError as error:
                faults.append(str(error))
        return sorted(keys, key=lambda key: (key.made, key.id)), faults

    def files(self) -> list[Path]:
        """Of all keys; [] = none was ever made."""
        try:
            return sorted(path for path in self.place.iterdir() if _FILE.fullmatch(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def new(
        self, scopes: Sequence[str], *, name: str = "", expires: datetime | None = None, rate: int = 0,
        origins: Sequence[str] = (), surfaces: Sequence[str] = (), markets: Sequence[str] = (),
    ) -> tuple[str, Key]:  # fmt: skip
        """A new key, on disk when it returns: the text to give out, which nothing can show again, and what is kept."""
        for scope in scopes:
            if scope not in SCOPES:
                raise UnknownName("scope", scope, SCOPES)
        if not scopes:
            raise InputError(f"Say what the key is for: at least one scope of {', '.join(SCOPES)}.")
        wide = sorted({"catalogue", "admin"} & set(scopes))
        if wide and (origins or surfaces or markets):
            raise InputError(
                f"A key with the scope {' and '.join(wide)} cannot be for web pages, surfaces or markets: it is "
                "no key to give away. Make two keys."
            )
        origins = [_origin(origin) for origin in origins]
        if not name.isprintable() or len(name) > 100:
            raise InputError("A key's name must be one line of at most 100 characters.")
        now = datetime.now(UTC).replace(microsecond=0)
        if expires is not None and expires <= now:
            raise InputError(f"The key would have expired already ({expires.isoformat()}).")
        key_id = secrets.token_hex(4)
        text = f"wares_{key_id}_{secrets.token_hex(32)}"
        key = Key(
            id=key_id, name=name, scopes=tuple(scope for scope in SCOPES if scope in scopes), hash=hash_of(text),
            signing=signing_of(text), made=now, expires=expires, rate=rate, origins=tuple(dict.fromkeys(origins)),
            surfaces=tuple(dict.fromkeys(surfaces)), markets=tuple(dict.fromkeys(markets)),
        )  # fmt: skip
        self._write(key)
        return text, key

    def find(self, key_id: str) -> Key:
        """UnknownName if there is no such key, StoreError where its file cannot be read."""
        path = self.place / f"{key_id}.json"
        if not _FILE.fullmatch(path.name) or not path.is_file():
            raise UnknownName("key", key_id, [file.stem for file in self.files()])
        return self._read(path)

    def revoke(self, key_id: str) -> Key:
        """It opens nothing any more, for good. Its file stays, so that the list tells of it."""
        key = self.find(key_id)
        if key.revoked is None:
            key = key.model_copy(update={"revoked": datetime.now(UTC).replace(microsecond=0)})
            self._write(key)
        return key

    def _read(self, path: Path) -> Key:
        try:
            key = Key.model_validate_json(path.read_bytes())
        except OSError as error:
            raise StoreError(f"{path}: cannot be read ({error.strerror}).") from error
        except ValidationError:
            key = None
        if key is None or key.id != path.stem:
            raise StoreError(f"{path}: is no key. Take the file away, and make a new key with `wares keys new`.")
        return key

    def _write(self, key: Key) -> None:
        try:
            self.place.mkdir(mode=0o700, exist_ok=True)
            replace_text(self.place / f"{key.id}.json", key.model_dump_json(indent=1) + "\n", mode=0o600)
        except OSError as error:
            raise StoreUnwritable(f"{self.place}: cannot be written ({error.strerror}).") from error


def hash_of(text: str) -> str:
    """What is kept to know a key again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def signing_of(text: str) -> str:
    """What signs a key's tokens: a part of its own, so that it can lie here without giving the key away."""
    return hmac.new(text.encode(), b"wares tokens 1", hashlib.sha256).hexdigest()


def is_same(text: str, key: Key | None) -> bool:
    """Whether this is the text of the key, in a time that says nothing; None = there is no such key."""
    return hmac.compare_digest(hash_of(text), key.hash if key else _NOBODY) and key is not None


def _origin(text: str) -> str:
    origin = text.strip().lower().rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise InputError(
            f"{text[:80]!r} is no web origin. Give scheme and host, as https://shop.example; * is not taken."
        )
    return origin
