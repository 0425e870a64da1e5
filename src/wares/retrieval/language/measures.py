"""Numbers and units: many ways of writing one measure become one.

'2 in.', '2-inch', '2"' and '2in' all read '2 in'; '0.5 l', '500ml' and '0.5升' all read '500 ml'. A unit counts as one
only behind a number, so that 'in white' and 'm size' stay what they are.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache

# canonical unit -> its names; a factor makes the metric ones comparable: (names, unit of the result, factor)
_UNITS: tuple[tuple[str, str, Fraction], ...] = (
    ("in inch inches zoll pouce pouces pulgada pulgadas pollice pollici 英寸 英吋 寸 吋", "in", Fraction(1)),
    ("ft foot feet pied pieds 英尺", "ft", Fraction(1)),
    ("yd yard yards", "yd", Fraction(1)),
    ("gal gallon gallons 加仑", "gal", Fraction(1)),
    ("qt quart quarts", "qt", Fraction(1)),
    ("pt pint pints", "pt", Fraction(1)),
    ("lb lbs pound pounds 磅", "lb", Fraction(1)),
    ("oz ounce ounces 盎司", "oz", Fraction(1)),
    ("ml milliliter milliliters millilitre millilitres 毫升", "ml", Fraction(1)),
    ("cl zentiliter centilitre centilitres", "ml", Fraction(10)),
    ("l liter liters litre litres litro litros litri litr litry litrów 升 公升", "ml", Fraction(1000)),
    ("mg milligram milligrams 毫克", "mg", Fraction(1)),
    ("g gr gram grams gramm gramme grammes gramo gramos grammi 克", "g", Fraction(1)),
    ("kg kilo kilos kilogram kilograms kilogramm 公斤 千克", "g", Fraction(1000)),
    ("斤", "g", Fraction(500)),
    ("mm millimeter millimeters millimetre millimetres 毫米", "mm", Fraction(1)),
    ("cm centimeter centimeters centimetre centimetres zentimeter 厘米 公分", "mm", Fraction(10)),
    ("m meter meters metre metres metro metros metri mètre mètres metr metry 米 公尺", "mm", Fraction(1000)),
    ("v volt volts volti 伏 伏特", "volt", Fraction(1)),
    ("w watt watts 瓦 瓦特", "watt", Fraction(1)),
    ("kw kilowatt kilowatts 千瓦", "watt", Fraction(1000)),
    ("amp amps ampere amperes", "amp", Fraction(1)),
    ("mah 毫安 毫安时", "mah", Fraction(1)),
    ("btu btus", "btu", Fraction(1)),
    ("hp", "hp", Fraction(1)),
    ("ga gauge", "ga", Fraction(1)),
    ("psi", "psi", Fraction(1)),
    ("pk pack packs", "pack", Fraction(1)),
    ("pc pcs piece pieces stk stück pièce pièces pezzi piezas szt stuks", "piece", Fraction(1)),
    ("ct count", "count", Fraction(1)),
    ("gb", "gb", Fraction(1)),
    ("tb", "gb", Fraction(1024)),
)
DECIMAL_COMMA = frozenset(["de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "nb", "fi", "cs", "ro"])

_FRACTION_SLASH = re.compile(r"(?<=\d)\s*[⁄∕]\s*(?=\d)")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3})((?:,\d{3})+)(?![\d,])")
_THOUSANDS_POINT = re.compile(r"(?<![\d.,])(\d{1,3})((?:\.\d{3})+)(?![\d.])")
_COMMA = re.compile(r"(?<=\d),(?=\d)")
_INCHES = re.compile(r"(?<=\d)\s*(?:[\"”″“]|''|´´)")
_FEET = re.compile(r"(?<=\d)\s*['’′](?![^\W\d_])")
_TIMES = re.compile(r"(?<=\d)\s*[x×*]\s*(?=\d)")
_NUMBER = r"\d+[ -]\d+/0*[1-9]\d*|\d+/0*[1-9]\d*|\d*\.\d+|\d+"
_LONGEST = 15  # signs of a number that is computed with; a longer one is a code


@cache
def _names() -> Mapping[str, tuple[str, Fraction]]:
    return {name: (unit, factor) for names, unit, factor in _UNITS for name in names.split()}


@cache
def _measure() -> re.Pattern[str]:
    names = sorted(_names(), key=len, reverse=True)
    latin = "|".join(re.escape(name) for name in names if name.isascii() or not _is_han(name))
    han = "|".join(re.escape(name) for name in names if _is_han(name))
    return re.compile(rf"(?<![\d.,/])({_NUMBER})\s*(?:-\s*)?(?:({latin})(?![^\W\d_])\.?|({han}))")


def _is_han(name: str) -> bool:
    return "\u4e00" <= name[0] <= "\u9fff"


def read_measures(text: str, decimal_comma: bool = False) -> str:
    """The text with every measure in one form. It must be casefolded, compatibility forms unified (NFKC)."""
    if not any(c.isdigit() for c in text):
        return text
    text = _FRACTION_SLASH.sub("/", text)
    if decimal_comma:
        text = _THOUSANDS_POINT.sub(lambda m: m[1] + m[2].replace(".", ""), text)
        text = _COMMA.sub(".", text)
    else:
        text = _THOUSANDS.sub(lambda m: m[1] + m[2].replace(",", ""), text)
    text = _FEET.sub(" ft ", _INCHES.sub(" in ", text))
    text = _TIMES.sub(" x ", text)
    return _measure().sub(_canonical, text)


def _canonical(match: re.Match[str]) -> str:
    number, name = match[1], match[2] or match[3]
    unit, factor = _names()[name]
    if (factor != 1 or "." in number) and len(number) <= _LONGEST:
        number = _plain(_value(number) * factor)
    return f" {number} {unit} "


def _value(number: str) -> Fraction:
    whole, _, part = number.replace("-", " ").rpartition(" ")
    return Fraction(f"0{part}" if part.startswith(".") else part) + (Fraction(whole) if whole else 0)


def _plain(value: Fraction) -> str:
    """'500', '0.5': without an exponent, at most 4 places."""
    return f"{float(value):.4f}".rstrip("0").rstrip(".")
