"""One raw cell -> text, number, money, time. What cannot be read is told apart from what is missing."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from wares.errors import InputError

MAX_MINOR = 10**15  # larger amounts are a fault of the feed
EARLIEST_MS = 631_152_000_000  # 1990-01-01
DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1)  # without a zone: differences of wall times are exact
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PLAIN_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+")
_SIGNS = "$€£¥₩₹ \u00a0\u202f"
_MISSING_WORDS = frozenset(("", "na", "n/a", "nan", "null", "unknown", "none/unknown", "undefined", "-", "?"))


def is_missing_cell(value: object) -> bool:
    """None or an empty text: what a person leaves empty. A nan is something that went wrong."""
    return value is None or (isinstance(value, str) and not value)


def is_missing(value: object) -> bool:
    """None, an empty text, and the empty values of numpy and pandas (nan, NaT, NA)."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value
    if isinstance(value, float):
        return value != value
    return type(value).__name__ in ("NAType", "NaTType")


def is_missing_word(text: str) -> bool:
    """Whether the text only says that nothing is known ("NA", "unknown")."""
    return len(text) <= 12 and text.casefold() in _MISSING_WORDS


def read_text(value: object, limit: int = 1_000_000) -> str:
    """A cell as text without blanks around it, at most `limit` characters read; missing -> "".

    A whole number read as a float (an id in a column with gaps) has no ".0". Halves of surrogate pairs, which no
    store can write, become "?".
    """
    if type(value) is str:
        text = value[:limit].strip() if len(value) > limit else value.strip()
        return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    if value is None:
        return ""
    if type(value) is int:
        return str(value) if abs(value) < 10**30 else f"{Decimal(value):.6e}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_missing(value):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    return read_text(str(value), limit)


def read_number(value: object) -> float:
    """A cell as a number: 12.5, "12.5", "1,299.00", "12,50", "$12"; nan if it is none."""
    if type(value) is float:
        return value
    if isinstance(value, str):
        return _number_in(value)
    if is_missing(value) or isinstance(value, list | dict | tuple):
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _number_in(text: str) -> float:
    if len(text) > 60:
        return math.nan
    text = text.strip(_SIGNS)
    if not _PLAIN_NUMBER.fullmatch(text):
        if "," in text and ("." in text or _GROUPED.fullmatch(text)):  # the last sign is the decimal one
            text = text.replace(",", "") if text.rfind(".") > text.rfind(",") or "." not in text else _swap(text)
        else:
            text = text.replace(",", ".")
        text = text.replace("\u00a0", "").replace("\u202f", "")
    try:
        return float(text)
    except ValueError:
        return math.nan


def _swap(text: str) -> str:
    return text.replace(".", "").replace(",", ".")


def read_minor(value: object, scale: int) -> int | None:
    """An amount in major units -> the currency's smallest unit; None if it is no amount from 0 to 10^15."""
    amount = read_number(value)
    if not 0 <= amount * scale <= MAX_MINOR:  # also false for nan
        return None
    return math.floor(amount * scale + 0.5 + 1e-7)


@lru_cache(64)  # it names itself, and would be garbage after each request that brings an event
def clock(timezone: str) -> Callable[[object], int | None]:
    """A reader of times: ISO text, Unix seconds, ms, µs or ns (told by size), datetime or date -> Unix milliseconds.

    Times without a zone are wall times of `timezone`. The reader answers None for what is no time.
    """
    zone = _zone(timezone)
    utc = zone is UTC

    def read(value: object) -> int | None:
        kind = type(value)
        if kind is int or kind is float:
            return _from_number(value)  # type: ignore[arg-type]
        try:
            if isinstance(value, str):
                text = value[:64].strip()
                # eight digits are a date: 20260131
                if text[4:5] != "-" and _PLAIN_NUMBER.fullmatch(text) and len(text) != 8:
                    return _from_number(float(text))
                moment = datetime.fromisoformat(text)
            elif isinstance(value, datetime):
                moment = value
            elif isinstance(value, date):
                moment = datetime(value.year, value.month, value.day)
            elif hasattr(value, "item"):  # a numpy scalar
                plain = value.item()
                return None if type(plain) is kind else read(plain)
            else:
                return _from_number(read_number(value))
            if moment.tzinfo is UTC:
                return (moment - _EPOCH_UTC) // _MILLISECOND
            if moment.tzinfo is None:
                if utc:
                    return (moment - _EPOCH) // _MILLISECOND
                moment = moment.replace(tzinfo=zone)
            return (moment.astimezone(UTC).replace(tzinfo=None) - _EPOCH) // _MILLISECOND
        except (ValueError, OverflowError, TypeError):
            return None

    return read


def _from_number(value: float) -> int | None:
    size = abs(value)
    if not size < 1e20:  # also nan
        return None
    if size < 1e11:
        return round(value * 1000)
    return int(value) if size < 1e14 else int(value // 1000) if size < 1e17 else int(value // 1_000_000)


def _zone(name: str) -> tzinfo:
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        example = "'UTC', 'Europe/Berlin' or 'Asia/Shanghai'"
        raise InputError(
            f"There is no time zone {name[:80]!r} on this machine. Use a name such as {example}."
        ) from error
