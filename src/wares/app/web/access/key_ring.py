"""The keys as a running server holds them: read again when their folder has changed, at most a moment later."""

import hmac
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from wares.app.web.access.caller import ADMIN, OF_TOKENS, Caller
from wares.app.web.access.keys import KEY, Key, Keys, is_same
from wares.app.web.access.tokens import MARK, read_token
from wares.app.web.told.refusals import Refused
from wares.errors import SettingsError

LOOK_EVERY_S = 0.25
_BEARER = {"www-authenticate": "Bearer"}
_NO_PAGE_KEY = (
    "server.storefront_key is no valid key of this shop: write the whole key, as `wares keys new` printed it, of one "
    "that was not revoked."
)
_log = logging.getLogger("wares")


class KeyRing:
    """`admin`: the key of the environment, "" = none. Without `folder` there are no others."""

    def __init__(
        self, folder: Path | None = None, admin: str = "", now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = Keys(folder) if folder is not None else None
        self._admin, self._now_s = admin, now_s
        self._by_id: dict[str, Key] = {}
        self._origins: frozenset[str] = frozenset()
        self._seen: object = None
        self._look_at_s = float("-inf")
        self._told: set[str] = set()
        self._were_keys = False

    def has_keys(self) -> bool:
        """Whether the shop was ever seen with a key of its own: from then on this server takes nothing without one."""
        self._look()
        return self._were_keys

    def has_active_keys(self) -> bool:
        self._look()
        now = datetime.now(UTC)
        return bool(self._admin) or any(key.state(now) == "active" for key in self._by_id.values())

    def origins(self) -> frozenset[str]:
        """The web origins that some key is for."""
        self._look()
        return self._origins

    def caller_of(self, given: str) -> Caller:
        """What a request with this key or token may do. Refused (401) for one that opens nothing, whatever it is."""
        self._look()
        if given.startswith(MARK):
            key, caller = read_token(given, self._by_id.get)
        else:
            is_admin = hmac.compare_digest(_bytes(given), _bytes(self._admin))
            named = KEY.fullmatch(given)
            found = self._by_id.get(named[1]) if named else None
            known = is_same(given, found)
            if is_admin and self._admin:
                return Caller(ADMIN)
            if found is None or not known:
                raise _unauthorised("This key is not known here." if given else "A key is needed.")
            key, caller = found, found.caller()
        state = key.state(datetime.now(UTC))
        if state == "expired":
            raise Refused(401, "key-expired", f"Key {key.id} has expired. `wares keys new` makes another.", _BEARER)
        if state == "revoked":
            raise _unauthorised(f"Key {key.id} was revoked.")
        return caller

    def check_storefront_key(self, text: str) -> None:
        """SettingsError for a key that is not fit to lie in a page that everybody can read. "" = there is none."""
        if not text:
            return
        try:
            caller = self.caller_of(text)
        except Refused as refused:
            told = f"server.storefront_key: {refused.detail}" if refused.code == "key-expired" else _NO_PAGE_KEY
            raise SettingsError(told) from None
        if not caller.scopes <= OF_TOKENS:
            names = ", ".join(sorted(caller.scopes - OF_TOKENS))
            raise SettingsError(
                f"server.storefront_key may {names}, and everybody can read it in the page. Make a key for it with "
                "`wares keys new --scope search --scope events`, and revoke this one."
            )

    def _look(self) -> None:
        now_s = self._now_s()
        if self._keys is None or now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_EVERY_S
        seen = [
            (path.name, at.st_ino, at.st_mtime_ns, at.st_size) for path in self._keys.files() if (at := _stat(path))
        ]
        if seen == self._seen:
            return
        keys, faults = self._keys.all()
        for fault in set(faults) - self._told:
            _log.warning("%s", fault)
        self._told |= set(faults)
        self._seen, self._by_id = seen, {key.id: key for key in keys}
        now = datetime.now(UTC)
        self._origins = frozenset(origin for key in keys if key.state(now) == "active" for origin in key.origins)
        self._were_keys = self._were_keys or bool(seen)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _unauthorised(what: str) -> Refused:
    return Refused(401, "unauthorised", f"{what} Send one: `Authorization: Bearer <key>`.", _BEARER)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # gone since the folder was listed
        return None
