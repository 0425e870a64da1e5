"""Shopper tokens: what a shop's backend signs with its key, so that a browser may ask as one shopper and no other.

    token     = "wt1." key id "." payload "." signature
    payload   = base64url, without "=", of JSON: {"shopper": "anna", "expires": 1767225600, ...}
    signature = base64url, without "=", of HMAC-SHA256(signing, "wt1." key id "." payload)
    signing   = HMAC-SHA256(key, "wares tokens 1")

The signature is over the text as sent, so there is no second way to write the same token. It is checked before anything
in the payload is read.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from wares.app.web.access.caller import OF_TOKENS, Caller
from wares.app.web.access.keys import Key
from wares.app.web.told.refusals import Refused
from wares.errors import InputError

MARK = "wt1."
SKEW_S = 60  # by which clocks may differ
LONGEST_S = 30 * 86_400
_MOST_CHARACTERS = 4096
_TOKEN = re.compile(r"wt1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")
_NOBODYS = "0" * 64

Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=50)]


class Claims(BaseModel):
    """What a token says. A field that is not known is refused: it may have been meant to narrow."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    shopper: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, strict=True)]
    expires: Annotated[int, Field(strict=True)]  # Unix seconds
    surfaces: Names = ()  # empty = those of the key
    markets: Names = ()


def make_token(key: Key, claims: Claims) -> str:
    """Signed with the key. InputError where it would say nothing, or more than the key may."""
    if not OF_TOKENS & {*key.scopes, *(OF_TOKENS if "admin" in key.scopes else ())}:
        raise InputError(f"Key {key.id} may neither search nor send events, and a token could do nothing else.")
    _narrowed(key, claims)  # refuses what the server would refuse
    said = {name: value for name, value in claims.model_dump(mode="json").items() if value not in ([], ())}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    signed = f"{MARK}{key.id}.{_encoded(text.encode())}"
    return f"{signed}.{_signature(key.signing, signed)}"


def read_token(
    text: str, key_of: Callable[[str], Key | None], now_s: Callable[[], float] = time.time
) -> tuple[Key, Caller]:
    """The key that signed this token, whatever its state, and what a request with the token may do. `key_of`: by id.

    Raises Refused for everything that is not a whole, valid token: one answer for whatever is wrong with it.
    """
    parts = _TOKEN.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    if parts is None:
        raise _invalid()
    key_id, payload, signature = parts.groups()
    key = key_of(key_id)
    expected = _signature(key.signing if key else _NOBODYS, f"{MARK}{key_id}.{payload}")
    if not hmac.compare_digest(expected, signature) or key is None:
        raise _invalid()
    try:
        claims = Claims.model_validate_json(base64.b64decode(payload + "=" * (-len(payload) % 4), b"-_", validate=True))
    except (ValidationError, binascii.Error, ValueError):
        raise _invalid() from None
    left_s = claims.expires - now_s()
    if left_s < -SKEW_S:
        raise Refused(401, "token-expired", "This token has expired. Get a new one from the shop's backend.")
    if left_s > LONGEST_S + SKEW_S:
        raise Refused(401, "unauthorised", f"A token may hold for at most {LONGEST_S // 86_400} days.")
    return key, _narrowed(key, claims)


def _narrowed(key: Key, claims: Claims) -> Caller:
    """The key's caller with what both allow."""
    caller = key.caller()
    scopes = frozenset(scope for scope in OF_TOKENS if caller.may(scope))
    for what, own, asked in (
        ("surfaces", caller.surfaces, claims.surfaces),
        ("markets", caller.markets, claims.markets),
    ):
        if own and not set(asked) <= set(own):
            raise Refused(403, "confined", f"This token names {what} that its key may not ask: it may only narrow it.")
    return replace(
        caller, scopes=scopes, shopper=claims.shopper, surfaces=claims.surfaces or caller.surfaces,
        markets=claims.markets or caller.markets,
    )  # fmt: skip


def _signature(signing: str, signed: str) -> str:
    return _encoded(hmac.new(bytes.fromhex(signing), signed.encode(), hashlib.sha256).digest())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _invalid() -> Refused:
    return Refused(401, "unauthorised", "This token is not valid. Get a new one from the shop's backend.")
