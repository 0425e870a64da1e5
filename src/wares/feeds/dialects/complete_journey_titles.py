"""Titles for products that have none: type, category, size and brand of the Complete Journey in readable English.

What the abbreviations mean stands in the TOML file of the same name.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from wares.feeds.dialects.readable import sentence_case

BRANDS = {"National": "National brand", "Private": "Store brand"}
_SAYS_NOTHING = ("COUPON/MISC ITEMS", "MISCELLANEOUS")  # categories that a title does not need
_UNITS = {
    "GA": "gal",
    "DOZ": "dozen",
    "DZ": "dozen",
    "Z": "oz",
    "OZS": "oz",
    "LRT": "L",
    "LTR": "L",
    "LT": "L",
    "L": "L",
}
_UNITS |= {"LDS": "loads", "LD": "loads", "LOAD": "loads", "PCS": "pc", "PCK": "pk", "P": "pk", "CN": "can", "GM": "g"}
_UNITS |= {"BTL": "bottle"}
_LONE = {"LB": "per lb", "CTN": "carton", "PT": "1 pt", "QT": "1 qt", "GAL": "1 gal", "L": "large", "MED": "medium"}
_LONE |= {"DZ": "1 dozen", "DOZ": "1 dozen", "PK": "pack", "PCK": "pack", "HALF GAL": "1/2 gal", "KIT": "kit"}
_CODE = re.compile(r"^(?:[A-Z]{1,4}(?: [A-Z]+)?|\d{3,6})\s+(?=[\d.]*\d\s+[A-Z])|\*$")
_DEGREE = re.compile(r"\s*\([^()]*(?:\d+ ?%|PROOF|LBS|BULK|EX |LESS|EXC)[^()]*\)|\s*\([^()]*$")


def title_of(row: Mapping[str, Any]) -> str:
    """Type, category, size and brand of one row of the product table, in readable English without repeated words."""
    kind = readable(row["product_type"])
    category = "" if kind and row["product_category"] in _SAYS_NOTHING else readable(row["product_category"])
    said, wider = _stems(kind), _stems(category)
    if not kind or said <= wider:
        name = category
    elif not category or any(_stems(part) <= said for part in re.split("[,/&]", category)):
        name = kind
    else:
        follows = (
            category if category.split()[0] in _words()["proper"].values() else category[:1].lower() + category[1:]
        )
        tells_which = " ".join(row["product_type"].split()) in _words()["qualities"]["words"]
        name = f"{kind} {follows}" if tells_which else f"{kind}, {follows}"
    name = name or f"Other item, {department_of(row).lower()}"
    brand = BRANDS.get(row["brand"], row["brand"] or "")
    return ", ".join(part for part in (name, size_of(row["package_size"]), brand.lower()) if part)


def category_of(row: Mapping[str, Any]) -> list[str]:
    """Department and category, both readable; a category that repeats its department is left out."""
    department, category = department_of(row), readable(row["product_category"])
    return [department] if not category or category.lower() == department.lower() else [department, category]


def department_of(row: Mapping[str, Any]) -> str:
    raw = row["department"] or "MISCELLANEOUS"
    return str(_words()["departments"].get(raw) or sentence_case(raw, _words()["proper"]))


@cache
def readable(raw: str | None) -> str:
    """A type or category in readable words: "FRZN MULTI SERVE ENTREES ALL" -> "Frozen multi-serve entrees"."""
    tables = _words()
    text = " ".join((raw or "").split())
    if phrase := tables["phrases"].get(text):
        return str(phrase)
    text = (
        _DEGREE.sub("", text)
        .replace("&", " & ")
        .replace(" AND ", " & ")
        .replace("W/O ", "WITHOUT ")
        .replace("W/", "WITH ")
    )
    text = re.sub(r"\bW/O ?", "WITHOUT ", text)
    text = re.sub(r"\bW/ ?", "WITH ", text)
    text = re.sub(r"^(.*)-MAGAZINE$", r"\1 MAGAZINE", text)
    text = re.sub(r"\s*:\s*", ": ", re.sub(r"\s*\((COLD|HOT)\)$", r", \1", text))
    text = re.sub(r"\s+-\s*|(?<=[A-Z]{3})-\s+", ", ", text)  # "VITAMIN - MINERALS"
    words = tables["words"]
    parts = re.split(r"([\s/,:()&-]+)", text)
    text = "".join(words.get(part, part) for part in parts)
    text = re.sub(r"\s*,(\s*,)*\s*", ", ", re.sub(r"[/\s]+$|^[/\s,]+|\(\s*\)|,\s*$", "", " ".join(text.split())))
    return sentence_case(text.strip(" ,&/-"), tables["proper"])


@cache
def size_of(raw: str | None) -> str:
    """A package size in readable units, without the feed's codes: "AB    8 OZ" -> "8 oz", ".5 L" -> "0.5 L"."""
    text = " ".join(_CODE.sub("", " ".join((raw or "").split())).split())
    if not any(char.isdigit() for char in text):
        return _LONE.get(text.strip("."), text.lower())

    def number(match: re.Match[str]) -> str:
        whole, part = match.group(1) or "0", (match.group(2) or "").rstrip("0")
        return f"{whole}.{part}" if part else whole

    text = re.sub(r"(?<!\d)(\d*)\.(\d+)", number, text)
    return re.sub(r"[A-Z]+", lambda unit: _UNITS.get(unit.group(), unit.group().lower()), text)


def _stems(text: str) -> set[str]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {word[:-3] + "y" if word.endswith("ies") else word.rstrip("s") for word in words} - {"and", "other", ""}


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
