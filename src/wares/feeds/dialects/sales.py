"""The sale price of other systems' feeds: its dates in ISO 8601, a last day as a day that counts whole."""

import re
from datetime import date, datetime

from wares.feeds.readers import Row
from wares.feeds.values import is_missing, read_text

_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(.*)")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2}),?(.*)")
_CLOCK = re.compile(r"\s*(\d{1,2}):(\d{2})(?::\d{2})?\s*([AaPp][Mm])?")


def with_sale_dates(own: Row, *, month_first: bool = True, midnight_is_day: bool = False) -> Row:
    """The same row with `sale_from` and `sale_until` as ISO 8601 where they are dates, and without a sale that says
    nothing. `midnight_is_day`: a system that writes the last day as its midnight."""
    if is_missing(own.get("sale_price")) or not read_text(own["sale_price"], 100):
        for name in ("sale_price", "sale_from", "sale_until"):
            own.pop(name, None)
        return own
    for name in ("sale_from", "sale_until"):
        text = read_text(own.get(name), 40)
        if moment := iso_date(text, month_first=month_first):
            whole = midnight_is_day and name == "sale_until"
            own[name] = moment.removesuffix("T00:00:00") if whole else moment
        elif is_missing(own.get(name)) or not text:
            own.pop(name, None)
    return own


def iso_date(text: str, *, month_first: bool = True) -> str:
    """2026-01-31, 31.01.2026, 1/31/2026 or 1/31/26, 7:45 PM as ISO 8601; "" for what is no date.

    Of a date with slashes the first number is the month unless it cannot be, or unless `month_first` is False.
    """
    text = text.strip()
    try:
        if len(text) <= 10:
            return date.fromisoformat(text).isoformat()
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        pass
    if found := _DOTTED.fullmatch(text):
        day, month = int(found[1]), int(found[2])
    elif found := _SLASHED.fullmatch(text):
        month, day = int(found[1]), int(found[2])
        if month > 12 or (not month_first and day <= 12):
            month, day = day, month
    else:
        return ""
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
    hour = minute = 0
    if found[4].strip():
        clock = _CLOCK.fullmatch(found[4])
        if clock is None:
            return ""
        hour, minute = int(clock[1]), int(clock[2])
        if clock[3]:
            hour = hour % 12 + (12 if clock[3].lower() == "pm" else 0)
    try:
        moment = datetime(year, month, day, hour, minute)
        return moment.isoformat() if found[4].strip() else moment.date().isoformat()
    except ValueError:
        return ""
