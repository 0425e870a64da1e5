"""A sale price beside the regular one. A product has one price: what applies without dates is it, the rest is kept.

A sale without dates is what shoppers pay, so it becomes the price and the regular one the attribute `regular_price`. A
sale with dates is kept as the attributes `sale_price` and `sale_period`: the price stays the regular one, because a
price that ends by itself has no place in a product yet.
"""

import re
from datetime import datetime

from wares.feeds.amounts import read_amount
from wares.feeds.dialects.columns import add_attribute
from wares.feeds.readers import Row
from wares.feeds.report import Tally
from wares.feeds.values import is_missing, read_text

NOTED = (
    "Sale prices with dates are kept as the attributes 'sale_price' and 'sale_period'; the price is the regular one."
)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(.*)")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2}),?(.*)")
_CLOCK = re.compile(r"\s*(\d{1,2}):(\d{2})(?::\d{2})?\s*([AaPp][Mm])?")


def settle_sale(own: Row, tally: Tally, *, month_first: bool = True) -> Row:
    """The same row, with `sale_price`, `sale_from` and `sale_until` put where a product can hold them."""
    raw, begins, ends = own.pop("sale_price", None), own.pop("sale_from", None), own.pop("sale_until", None)
    if is_missing(raw) or not read_text(raw, 100):
        return own
    sale = read_amount(read_text(raw, 100), points_group=True)
    if sale is None or sale.value < 0:
        tally.repair("sale price is no amount: not used", "sale_price", raw, "Give an amount below the price, as 9.99.")
        return own
    regular = read_amount(read_text(own.get("price"), 100), points_group=True)
    if regular is not None and sale.value >= regular.value:
        fix = f"The price is {read_text(own.get('price'), 40)}. Give a lower sale price, or none."
        tally.repair("sale price is not below the price: not used", "sale_price", raw, fix)
        return own
    dates = [iso_date(read_text(date, 40), month_first=month_first) for date in (begins, ends)]
    for date, text, name in zip(dates, (begins, ends), ("sale_from", "sale_until"), strict=True):
        if not date and not is_missing(text):
            tally.repair("sale date is no date: not used", name, text, "Give dates as 2026-01-31 or 2026-01-31T12:00.")
    if any(not is_missing(date) for date in (begins, ends)):
        add_attribute(own, "sale_price", f"{sale.value:.10g}")
        if any(dates):
            add_attribute(own, "sale_period", "/".join(date or ".." for date in dates))
        tally.note(NOTED)
        return own
    if regular is not None:
        add_attribute(own, "regular_price", f"{regular.value:.10g}")
    own["price"] = raw
    return own


def iso_date(text: str, *, month_first: bool = True) -> str:
    """2026-01-31, 31.01.2026, 1/31/2026 or 1/31/26, 7:45 PM as ISO 8601; "" for what is no date.

    Of a date with slashes the first number is the month unless it cannot be, or unless `month_first` is False.
    """
    text = text.strip()
    try:
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
        return datetime(year, month, day, hour, minute).isoformat()
    except ValueError:
        return ""
