"""Records of a search engine as flat rows: nested objects become columns, the levels of a category its path."""

import re
from collections.abc import Mapping
from typing import Any

from wares.feeds.report import Tally
from wares.feeds.values import read_number

MAX_DEPTH = 6
MAX_COLUMNS = 2000  # of one record
_VECTOR = 20  # numbers of a list from which it is an embedding
_LEVEL = re.compile(r"(?P<name>.+)[._]lvl_?(?P<level>\d{1,2})", re.IGNORECASE)
_PRICE = re.compile(r"(?:.*[._])?(?:sale_?)?(?:price|preis|prix)(?:[._].*)?", re.IGNORECASE)
_LIST = "a list of categories was read as levels from the root"


def level_name(attribute: str) -> str:
    """What levels of a path are called without them: "categories.lvl0" -> "categories"; "" where it is none."""
    found = _LEVEL.fullmatch(attribute)
    return found["name"] if found else ""


def flat_row(record: Mapping[str, Any], own_id: object, tally: Tally) -> dict[str, Any]:
    """One record as a row. `own_id` is the engine's name of it, which rules and events use; None = none is told."""
    flat: dict[str, Any] = {}
    levels: dict[str, dict[int, Any]] = {}
    _flatten(record, "", flat, levels, tally, 0)
    row: dict[str, Any] = {}
    if own_id is not None:
        row["id"] = own_id
        if "id" in flat and flat["id"] != own_id:
            flat["record_id"] = flat.pop("id")
        flat.pop("id", None)
    if path := _path(levels, tally):
        if "category" in flat:
            flat["category_name"] = flat.pop("category")
        row["category"] = path
    elif isinstance(listed := flat.get("category", flat.get("categories")), list) and len(listed) > 1:
        name = "category" if "category" in flat else "categories"
        if paths := [one for one in listed if isinstance(one, str) and ">" in one]:
            flat[name] = max(paths, key=lambda one: one.count(">"))
        else:
            tally.remark(_LIST, name, ", ".join(map(str, listed[:5])), "If it is none: --columns category=COLUMN.")
    row |= flat
    _settle_prices(row, tally)
    return row


def _flatten(
    value: Mapping[str, Any],
    before: str,
    flat: dict[str, Any],
    levels: dict[str, dict[int, Any]],
    tally: Tally,
    depth: int,
) -> None:
    for key, one in value.items():
        name = f"{before}.{key}" if before else str(key)
        if len(flat) >= MAX_COLUMNS or depth > MAX_DEPTH:
            tally.note(f"Records with more than {MAX_COLUMNS:,} columns or {MAX_DEPTH} levels were not read whole.")
            return
        if found := _LEVEL.fullmatch(name):
            levels.setdefault(found["name"], {})[int(found["level"])] = one
        elif isinstance(one, Mapping):
            _flatten(one, name, flat, levels, tally, depth + 1)
        elif isinstance(one, list):
            if len(one) >= _VECTOR and all(isinstance(n, int | float) for n in one):
                tally.note(f"{name[:80]!r} holds long lists of numbers, as vectors are; it is not used.")
            elif any(isinstance(n, Mapping) for n in one):
                _flatten(_columns_of(one), name, flat, levels, tally, depth + 1)
            else:
                flat[name] = [n for n in one if n is not None]
        else:
            flat[name] = one


def _columns_of(objects: list[Any]) -> dict[str, Any]:
    """[{"size": "S", "price": 1}, {"size": "M", "price": 1}] -> {"size": ["S", "M"], "price": 1}."""
    columns: dict[str, list[Any]] = {}
    for one in objects:
        if isinstance(one, Mapping):
            for key, value in one.items():
                values = columns.setdefault(str(key), [])
                values += [v for v in (value if isinstance(value, list) else [value]) if v is not None]
    return {
        key: values[0] if len(values) == 1 or _equal(values) else _distinct(values)
        for key, values in columns.items()
        if values
    }


def _equal(values: list[Any]) -> bool:
    return all(type(one) is type(values[0]) and one == values[0] for one in values)


def _distinct(values: list[Any]) -> list[Any]:
    if any(isinstance(one, Mapping | list) for one in values):
        return values
    return list(dict.fromkeys(values))


def _path(levels: Mapping[str, Mapping[int, Any]], tally: Tally) -> str:
    """The deepest level that says something, of the attribute that is called most like a category."""
    best = ""
    for name in sorted(levels, key=lambda name: ("categor" not in name.lower(), name)):
        for level in sorted(levels[name], reverse=True):
            told = levels[name][level]
            paths = [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, str) and one]
            if paths:
                if len(paths) > 1:
                    tally.remark("several categories: the first counts", name, ", ".join(paths[:5]), "Nothing to do.")
                best = best or paths[0]
                break
    return best


def _settle_prices(row: dict[str, Any], tally: Tally) -> None:
    """Several prices, as of variants: the lowest one counts."""
    for name in [name for name in row if isinstance(row[name], list) and _PRICE.fullmatch(name)]:
        numbers = [number for one in row[name] if (number := read_number(one)) == number]
        if numbers:
            tally.remark("several prices: the lowest counts", name, row[name], "Give each variant a record of its own.")
            row[name] = min(numbers)
