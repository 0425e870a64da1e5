"""A price as people write it -> a number and a currency: "12,50 €", "1.299,00 EUR", "USD 12.50", "CHF 1'299.–"."""

import re
from dataclasses import dataclass

from wares.domain.money import scale_of

MAX_LENGTH = 60  # characters; longer cells are no amount
CODES = frozenset(
    (
        *("AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD"),
        *("BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP"),
        *("CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR"),
        *("FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG"),
        *("HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF"),
        *("KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA"),
        *("MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO"),
        *("NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD"),
        *("RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN"),
        *("SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX"),
        *("USD", "UYU", "UZS", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW"),
        "ZWL",
    )
)
# Signs and words; "" = money, but of several countries: the shop's currency counts.
_SIGNS_OF = {
    "EUR": ("€", "EURO"),
    "GBP": ("£",),
    "USD": ("US$",),
    "AUD": ("A$",),
    "CAD": ("C$",),
    "HKD": ("HK$",),
    "BRL": ("R$",),
    "INR": ("₹",),
    "": ("RS", "RS.", "$", "¥", "￥", "KR", "KR."),
    "KRW": ("₩",),
    "PLN": ("ZŁ",),
    "CZK": ("KČ",),
    "TRY": ("₺",),
    "RUB": ("₽",),
    "VND": ("₫",),
    "CHF": ("FR", "FR.", "SFR", "SFR."),
    "CNY": ("元", "人民币", "RMB"),
    "JPY": ("円",),
    "ILS": ("₪",),
    "THB": ("฿",),
    "UAH": ("₴",),
    "RON": ("LEI",),
    "HUF": ("FT",),
}
SIGNS = {sign: code for code, signs in _SIGNS_OF.items() for sign in signs}
_COMMON = re.compile(r"(\d+(?:\.\d\d?)?)(?: ([A-Z]{3}))?")
_BLANKS = re.compile(r"[\s'’]+")
_NUMBER = re.compile(r"\d+([.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Amount:
    """What a price says. `currency` is "" where it names none. `doubtful`: 1.299 was read as 1299."""

    value: float
    currency: str = ""
    doubtful: bool = False


def read_amount(text: str, currency: str = "", *, points_group: bool = False) -> Amount | None:
    """A price in major units; None if it is no amount. `currency` counts where the text names none.

    Of two marks the last is the decimal one; one that comes several times, and a comma before three digits, groups.
    With `points_group` so does a point before three digits, unless the currency has three decimals.

    >>> read_amount("1.299,00 EUR")
    Amount(value=1299.0, currency='EUR', doubtful=False)
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        return None
    common = _COMMON.fullmatch(text)
    if common and text.isascii() and (not common[2] or common[2] in CODES):
        return Amount(float(common[1]), common[2] or "")
    digits = [i for i, sign in enumerate(text) if sign in "0123456789"]
    if not digits:
        return None
    before, number, after = text[: digits[0]], text[digits[0] : digits[-1] + 1], text[digits[-1] + 1 :]
    if before[-1:] in (".", ",") and before[-2:-1] in ("", " ", "-", "€", "$", "£"):  # .50
        before, number = before[:-1], f"0{before[-1]}{number}"
    before, after = before.strip(), after.strip().lstrip(".,-–— ")
    sign = -1 if before.startswith("-") or before.endswith("-") else 1
    words = [word for word in (before.strip("+- "), after) if word]
    codes = [_currency(word) for word in words]
    if None in codes:
        return None
    named = next((code for code in codes if code), "")
    number = _BLANKS.sub("", number)
    if not _NUMBER.fullmatch(number):
        return None
    plain, doubtful = _plain(number, points_group and scale_of(named or currency) != 1000)
    return Amount(sign * float(plain), named, doubtful)


def _currency(word: str) -> str | None:
    """A code or sign -> the currency's code, "" for one of several countries; None for what is neither."""
    word = word.upper().strip()
    return word if word in CODES else SIGNS.get(word)


def _plain(number: str, points_group: bool) -> tuple[str, bool]:
    """Digits with marks -> the number with a point at most, and whether a point may have been meant otherwise."""
    points, commas = number.count("."), number.count(",")
    if points and commas:
        decimal, other = (".", ",") if number.rfind(".") > number.rfind(",") else (",", ".")
        if number.count(decimal) > 1:  # 1.299,000,50: whatever it means, not decimals
            return number.replace(".", "").replace(",", ""), True
        return number.replace(other, "").replace(decimal, "."), False
    if points > 1 or commas > 1:
        return number.replace(".", "").replace(",", ""), False
    mark = "." if points else ","
    whole, _, rest = number.partition(mark)
    groups = len(rest) == 3 and 1 <= len(whole) <= 3 and whole != "0"
    if groups and (commas or points_group):
        return whole + rest, bool(points)
    return number.replace(",", "."), False
