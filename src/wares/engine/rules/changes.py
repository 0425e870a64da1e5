"""What differs between two versions of the rules, rule by rule, in the words of whoever wrote them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from wares.engine.rules.settings import AIMS_TITLE, AimsSettings, RuleSettings, RulesFile, title_of


@dataclass(frozen=True, slots=True)
class RuleChange:
    """`title` names the rule; `before` and `after` hold what it says, a line a key (of a changed rule only those lines
    that differ); `numbers` are its places from 1 in either version, 0 = it is not there, as [aims] never is."""

    kind: Literal["added", "changed", "removed", "moved"]
    title: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    numbers: tuple[int, int]


def all_changes(before: RulesFile, after: RulesFile) -> list[RuleChange]:
    """What became of the aims, then what became of the rules."""
    old, new = _lines_of_aims(before.aims), _lines_of_aims(after.aims)
    kind: Literal["added", "changed", "removed"] = "added" if not old else "changed" if new else "removed"
    gone, come = (tuple(line for line in one if line not in other) for one, other in ((old, new), (new, old)))
    aims = [RuleChange(kind, AIMS_TITLE, gone, come, (0, 0))] if gone or come else []
    return aims + changes_between(before.rules, after.rules)


def _lines_of_aims(aims: AimsSettings) -> tuple[str, ...]:
    return tuple(f"{aim} = {weight:g}" for aim, weight in aims.value())


def changes_between(before: Sequence[RuleSettings], after: Sequence[RuleSettings]) -> list[RuleChange]:
    """What was added, changed, removed, or only stands before or behind other rules now; in the order of `after`."""
    pairs = _pairs(before, after)
    found = list[RuleChange]()
    furthest = -1
    for i, j in sorted((i, j) for j, i in pairs.items()):
        old, new = lines_of(before[i]), lines_of(after[j])
        kind: Literal["changed", "moved"] | None = "changed" if old != new else "moved" if j < furthest else None
        if kind:
            only_old = tuple(line for line in old if line not in new)
            only_new = tuple(line for line in new if line not in old)
            found.append(RuleChange(kind, title_of(j + 1, after[j].name), only_old, only_new, (i + 1, j + 1)))
        furthest = max(furthest, j)
    for j, rule in enumerate(after):
        if j not in pairs:
            found.append(RuleChange("added", title_of(j + 1, rule.name), (), lines_of(rule), (0, j + 1)))
    kept = set(pairs.values())
    for i, rule in enumerate(before):
        if i not in kept:
            found.append(RuleChange("removed", title_of(i + 1, rule.name), lines_of(rule), (), (i + 1, 0)))
    return sorted(found, key=lambda change: (change.numbers[1] or len(after) + change.numbers[0], change.numbers[0]))


def lines_of(rule: RuleSettings) -> tuple[str, ...]:
    """A rule as its author wrote it, a line a key."""
    told = rule.model_dump(by_alias=True, exclude_unset=True)
    return tuple(f"{name} = {_value(value)}" for name, value in told.items())


def _pairs(before: Sequence[RuleSettings], after: Sequence[RuleSettings]) -> dict[int, int]:
    """Place in `after` -> place in `before` of the same rule: equal ones, then those of one name, then those for the
    same requests."""
    pairs, free = dict[int, int](), dict.fromkeys(range(len(before)))
    for alike in (_equal, _of_one_name, _for_one_request):
        for j, new in enumerate(after):
            if j not in pairs and (i := next((i for i in free if alike(before[i], new)), None)) is not None:
                pairs[j] = i
                del free[i]
    return pairs


def _equal(old: RuleSettings, new: RuleSettings) -> bool:
    return old == new


def _of_one_name(old: RuleSettings, new: RuleSettings) -> bool:
    return bool(new.name) and old.name == new.name


def _for_one_request(old: RuleSettings, new: RuleSettings) -> bool:
    return not (old.name and new.name) and old.when == new.when


def _value(value: Any) -> str:
    """As TOML writes it on one line."""
    if isinstance(value, Mapping):
        if set(value) == {"any"}:
            return _value(value["any"])
        return "{ " + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return (
            _value(value[0]) if len(value) == 1 and isinstance(value[0], str) else f"[{', '.join(map(_value, value))}]"
        )
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
