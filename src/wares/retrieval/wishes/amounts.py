"""Amounts of money as people write them: '$1,299.00', '49,90 €', '两百五', '1.5万'."""

import re
from collections.abc import Mapping
from functools import cache

from wares.domain.money import scale_of
from wares.retrieval.wishes.vocabulary import END, fold, one_of, vocabulary

NUMBER = r"(?:[0-9]{1,3}(?:[.,' ][0-9]{3})+|[0-9]{1,7})(?:[.,][0-9]{1,2})?(?![0-9]|[.,/][0-9])"
_DIGITS = "零一二三四五六七八九"
_UNITS = {"十": 10, "百": 100, "千": 1000}
HAN_NUMBER = f"[{_DIGITS}〇两兩十百千万萬]+"


@cache
def currencies() -> Mapping[str, frozenset[str]]:
    """What is said -> the currencies (ISO 4217) that it may mean."""
    return {fold(said): frozenset(codes.split()) for said, codes in vocabulary()["currencies"].items()}


def amount(place: int) -> str:
    """The pattern of an amount, with the groups pre, num, kilo and post of this place; the currency may be missing."""
    symbol = one_of(currencies())
    return (
        rf"(?:(?P<pre{place}>{symbol})\s*)?(?<![0-9.,/])(?P<num{place}>{NUMBER})(?P<kilo{place}>k{END})?"
        rf"(?:\s*(?P<post{place}>{symbol}){END})?"
    )


def minor(number: str, currency: str, kilo: bool = False) -> int:
    """A written number -> the currency's smallest unit; a last part of three digits is thousands, of one or two cents.

    >>> minor("1.299,90", "EUR"), minor("1,299", "USD"), minor("两百五", "CNY")
    (129990, 129900, 25000)
    """
    value = _han_value(number) if re.match(f"[{_DIGITS}〇两兩十百千万萬]", number) else _latin_value(number)
    return round(value * (1000 if kilo else 1) * scale_of(currency))


def _latin_value(number: str) -> float:
    factor = 1.0
    if number[-1] in "百千万萬":
        number, factor = number[:-1], {"百": 100.0, "千": 1000.0}.get(number[-1], 10_000.0)
    whole, _, cents = re.fullmatch(r"(.*?)(?:([.,])([0-9]{1,2}))?", number).groups()  # type: ignore[union-attr]
    return (float(re.sub(r"\D", "", whole)) + (float(cents) / 10 ** len(cents) if cents else 0.0)) * factor


def _han_value(number: str) -> float:
    total, section, digit, unit = 0, 0, 0, 1
    for char in number.replace("〇", "零").replace("两", "二").replace("兩", "二"):
        if char in _DIGITS:
            digit = _DIGITS.index(char)
            unit = 10 if char == "零" else unit  # after 零 a last digit counts ones
        elif char in "万萬":
            total, section, digit, unit = (total + section + digit) * 10_000 or 10_000, 0, 0, 10_000
        else:
            section += max(digit, 1) * _UNITS[char]
            digit, unit = 0, _UNITS[char]
    return float(total + section + digit * max(unit // 10, 1))  # 两百五 = 250
