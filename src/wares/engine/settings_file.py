"""Change single numbers of a settings file and leave every other line, comments included, as it is."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wares.engine.durable import replace_text
from wares.engine.settings import FILE_NAME, merged_over
from wares.errors import SettingsError

Value = int | float | str | Sequence[str]
_HEAD = re.compile(r"\s*\[{1,2}\s*([\w.\-\s]+?)\s*\]{1,2}\s*(#.*)?$")


def with_values(text: str, table: str, values: Mapping[str, Value]) -> str:
    """TOML `text` in which these keys of a table ("models.item_knn") have these values. A key that is there keeps its
    line and its comment, a new one stands at the table's end, a new table behind the table it belongs to.

    Raises SettingsError where the file says the same in a way that is not understood line by line.

    >>> print(with_values("[models.ease]\\nk = 10  # few\\n", "models.ease", {"k": 20}), end="")
    [models.ease]
    k = 20  # few
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    said = {key: f"{key} = {_value(value)}" for key, value in values.items()}
    heads = {i: found[1] for i, line in enumerate(lines) if (found := _HEAD.match(line))}
    start = next((i for i, name in heads.items() if name == table), None)
    if start is None:
        parent = next((i for i, name in heads.items() if name == table.rpartition(".")[0]), None)
        place = len(lines) if parent is None else _end(lines, heads, parent)
        changed = [*lines[:place], *([""] if place else []), f"[{table}]", *said.values(), *lines[place:]]
    else:
        stop, missing = _end(lines, heads, start), dict(said)
        changed = lines[:stop]
        for i in range(start + 1, stop):
            key = lines[i].partition("=")[0].strip().strip("\"'")
            if key in missing and "=" in lines[i]:
                comment = re.search(r"\s+#.*$", lines[i])
                changed[i] = missing.pop(key) + (comment[0] if comment else "")
        changed += [*missing.values(), *lines[stop:]]
    result = end.join(changed) + end
    _check(text, result, table, values, said)
    return result


def without_rules(text: str) -> tuple[str, str]:
    """(a settings file without its [[rules]], those rules), comments included.

    Raises SettingsError where they are written in a way that is not understood line by line.
    """
    lines = text.splitlines(keepends=True)
    heads = {i: found[1] for i, line in enumerate(lines) if (found := _HEAD.match(line.rstrip("\r\n")))}
    of_rules, stripped = set[int](), [line.rstrip() for line in lines]
    starts = [i for i, name in heads.items() if name.partition(".")[0].strip() == "rules"]
    for start in starts:
        following = min((i for i in heads if i > start), default=-1)  # comments between two rules are the rules'
        of_rules.update(range(start, following if following in starts else _end(stripped, heads, start)))
    rest = "".join(line for i, line in enumerate(lines) if i not in of_rules)
    rules = "".join(line for i, line in enumerate(lines) if i in of_rules)
    try:
        told = tomllib.loads(text)
        if tomllib.loads(rules) == {"rules": told.pop("rules")} and tomllib.loads(rest) == told:
            return rest, rules
    except (KeyError, tomllib.TOMLDecodeError):
        pass
    raise SettingsError(
        f"The rules cannot be taken out of {FILE_NAME} as it is written. Move them into a file of their own by hand, "
        "and publish that: `wares rules draft FOLDER FILE`, `wares rules publish FOLDER`."
    )


def write_values(folder: Path, tables: Mapping[str, Mapping[str, Value]]) -> None:
    """Write values of several tables into the shop's `wares.toml`, all or none; makes the file where there is none."""
    path = folder / FILE_NAME
    try:
        text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
        for table, values in tables.items():
            text = with_values(text, table, values)
        replace_text(path, text)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}).") from error


def _end(lines: list[str], heads: Mapping[int, str], start: int) -> int:
    """Behind the last line of the table at `start` that says something; what follows belongs to the next table."""
    stop = min((i for i in heads if i > start), default=len(lines))
    while stop > start + 1 and (not lines[stop - 1].strip() or lines[stop - 1].lstrip().startswith("#")):
        stop -= 1
    return stop


def _check(before: str, after: str, table: str, values: Mapping[str, Any], said: Mapping[str, str]) -> None:
    """Nothing but these values may have changed."""
    wanted: dict[str, Any] = dict(values)
    for name in reversed(table.split(".")):
        wanted = {name: wanted}
    try:
        if tomllib.loads(after) == merged_over(tomllib.loads(before), wanted):
            return
    except tomllib.TOMLDecodeError:
        pass
    by_hand = "\n".join([f"[{table}]", *said.values()])
    raise SettingsError(
        f"{FILE_NAME} cannot be changed by itself as it is written. Put this into it by hand:\n{by_hand}"
    )


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value) if isinstance(value, int | float) else f"[{', '.join(map(_value, value))}]"
