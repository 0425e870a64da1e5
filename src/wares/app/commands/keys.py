"""The commands for keys and shopper tokens. On stdout stands the key or token alone, so that it can be piped."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wares.app.commands import screen
from wares.app.commands.tables import new_table
from wares.app.web.access.keys import Key, Keys
from wares.app.web.access.tokens import LONGEST_S, Claims, make_token
from wares.app.web.told.refusals import Refused
from wares.engine.settings import Settings, load_settings
from wares.errors import InputError, StoreError

_SPAN = re.compile(r"(\d{1,6})([mhd])")
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}


def new_key(
    folder: Path,
    scopes: Sequence[str],
    name: str,
    expires: str,
    rate: int,
    bounds: Mapping[str, Sequence[str]],
    *,
    as_json: bool,
) -> None:
    """Make one and print it. Surfaces and markets must be some of the settings'."""
    _check_names(_settings(folder), bounds)
    until = moment(expires) if expires else None
    text, key = Keys(folder).new(scopes, name=name, expires=until, rate=rate, **bounds)
    if as_json:
        screen.print_json({"key": text, **_told(key)})
        return
    screen.note(f"Key {key.id} may: {', '.join(key.scopes)}. This is the only time that it is shown:")
    print(text, flush=True)


def list_keys(folder: Path, *, as_json: bool) -> None:
    """A table of all keys."""
    _settings(folder)
    keys, faults = Keys(folder).all()
    for fault in faults:
        screen.note(fault)
    if as_json:
        screen.print_json([_told(key) for key in keys])
    elif not keys:
        screen.note(f"There are no keys: the service answers this machine alone. `wares keys new {folder}` makes one.")
    else:
        table = new_table("key", "name", "state", "may", "confined to")
        for column in (table.columns[0], table.columns[2]):
            column.no_wrap = True
        for key in keys:
            rate = [f"{key.rate:,} a minute"] if key.rate else []
            bounds = [*rate, *key.origins, *key.surfaces, *key.markets]
            table.add_row(
                key.id, screen.shown(key.name), _state(key), ", ".join(key.scopes), "\n".join(map(screen.shown, bounds))
            )
        screen.stdout().print(table)


def revoke_key(folder: Path, key_id: str, *, as_json: bool) -> None:
    """Revoke it; again is no fault."""
    _settings(folder)
    key = Keys(folder).revoke(key_id)
    if as_json:
        screen.print_json(_told(key))
        return
    screen.stdout().print(f"Key {key.id} is revoked. What it signed holds no more, either.")


def sign_token(
    folder: Path,
    key_id: str,
    shopper: str,
    expires: str,
    surfaces: Sequence[str],
    markets: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Sign one and print it."""
    if not shopper:
        raise InputError("Say for whom the token is: --shopper ID. A token without a shopper would narrow nothing.")
    _check_names(_settings(folder), {"surfaces": surfaces, "markets": markets})
    key = Keys(folder).find(key_id)
    if (state := key.state(datetime.now(UTC))) != "active":
        raise InputError(f"Key {key.id} is {state}: what it signs opens nothing.")
    until = moment(expires)
    if until.timestamp() > time.time() + LONGEST_S + 1:
        raise InputError(f"A token may hold for at most {LONGEST_S // _SECONDS['d']} days; {expires!r} is more.")
    try:
        claims = Claims(
            shopper=shopper, expires=int(until.timestamp()), surfaces=tuple(surfaces), markets=tuple(markets)
        )
    except ValidationError as error:
        raise InputError(f"The token cannot be made: {error.errors()[0]['msg']}.") from None
    try:
        token = make_token(key, claims)
    except Refused as refused:
        raise InputError(str(refused.detail)) from None
    if as_json:
        screen.print_json({"token": token, "key": key.id, "expires": until})
        return
    print(token, flush=True)


def moment(text: str) -> datetime:
    """ "90d", "12h", "30m" from now, or a date or time of ISO 8601 (without a zone: UTC)."""
    if span := _SPAN.fullmatch(text.strip()):
        seconds = int(span[1]) * _SECONDS[span[2]]
        try:
            return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
        except OverflowError:
            raise InputError(f"{text!r} lies too far ahead.") from None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{text[:40]!r} is no time. Write 30m, 12h, 90d, or a date as 2027-01-31.") from None
    return at.replace(tzinfo=at.tzinfo or UTC)


def _settings(folder: Path) -> Settings:
    if not (folder / "wares.sqlite").exists():
        raise StoreError(f"There is no shop in {folder}. `wares import` makes one.")
    return load_settings(folder)


def _check_names(settings: Settings, bounds: Mapping[str, Sequence[str]]) -> None:
    for surface in bounds.get("surfaces", ()):
        settings.profile(surface)
    for market in bounds.get("markets", ()):
        settings.market(market)


def _told(key: Key) -> dict[str, Any]:
    """Everything but what could open or sign something."""
    return key.model_dump(mode="json", exclude={"hash", "signing"}) | {"state": key.state(datetime.now(UTC))}


def _state(key: Key) -> str:
    now = datetime.now(UTC)
    state, day = key.state(now), key.revoked or key.expires
    return f"{state}{' until' * (state == 'active')} {day.astimezone(UTC):%Y-%m-%d}" if day else state
