"""The work of `wares rules`: show, draft, check, publish, undo, log, diff, move."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from wares.app.commands import screen
from wares.app.commands.rule_json import change_json, conflicts_json, entry_json, rule_json, version_json
from wares.app.commands.tables import new_table
from wares.engine.durable import replace_text
from wares.engine.rules.book import RuleBook, Version
from wares.engine.rules.changes import RuleChange, lines_of
from wares.engine.rules.merchandising import Check, where_of
from wares.engine.rules.settings import AimsSettings, RuleSettings, RulesFile
from wares.engine.settings import FILE_NAME
from wares.engine.settings_file import without_rules
from wares.errors import InputError
from wares.shop import open_shop

_SIGNS = {"added": "+", "changed": "~", "removed": "-", "moved": "↕"}


def number_of(text: str) -> int:
    """A version's number as people write it: "3" or "0003". Wrong usage (exit 2) for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise typer.BadParameter(
            f"{text!r} is no number of a version; `wares rules log` lists them.", param_hint="VERSION"
        )
    return int(text)


def show_rules(folder: Path, number: int | None, *, as_json: bool) -> None:
    """One version's rules as a table; without a number what serves."""
    with open_shop(folder, create=False) as shop:
        version = shop.rules.published if number is None else shop.rules.version(number)
        draft = shop.rules.draft is not None and number is None
    if as_json:
        screen.print_json(
            version_json(version)
            | {"rules": [rule_json(rule) for rule in version.rules], "aims": dict(version.file.aims.value())}
        )
        return
    console = screen.stdout()
    console.print(_headline(version), style="bold", soft_wrap=True)
    if aims := version.file.aims.value():
        console.print(f"Aims: {', '.join(f'{aim} {weight:g}' for aim, weight in aims)}.")
    if version.rules:
        console.print(_rules_table(version.rules))
    if draft:
        screen.note("There is a draft, too: `wares rules diff` shows what it changes.")


def open_draft(folder: Path, file: Path | None, *, discard: bool, as_json: bool) -> None:
    """The path of the draft on stdout; faults of a new one on stderr."""
    with open_shop(folder, create=False) as shop:
        rules = shop.rules
        if discard:
            rules.discard_draft()
        there = rules.draft is not None
        if file is not None or not there:
            try:
                text = file.read_bytes().decode("utf-8-sig") if file is not None else None
            except UnicodeDecodeError as error:
                raise InputError(f"{file}: must be UTF-8 text; byte {error.start} is not.") from None
            rules.begin_draft(text)
        draft, path, serving = rules.draft, rules.draft_path, rules.published.number
    based_on = draft.based_on if draft is not None else None
    if as_json:
        screen.print_json({"path": str(path), "based_on": based_on, "was_there": there})
        return
    print(path)
    if there and based_on is not None and based_on != serving:
        screen.note(f"This draft began as version {based_on}; version {serving} serves now. --discard begins anew.")


def check_rules(folder: Path, *, as_json: bool) -> int:
    """The exit code: 1 if something was found."""
    with open_shop(folder, create=False) as shop:
        what = "the draft" if shop.rules.draft is not None else f"version {shop.rules.published.number}, which serves"
        found = shop.rules.check()
    if as_json:
        screen.print_json({"faults": list(found.faults), "conflicts": conflicts_json(found)})
    else:
        _print_check(found, what)
    return int(bool(found.faults or found.conflicts))


def publish_draft(folder: Path, by: str, note: str, *, yes: bool, as_json: bool) -> None:
    """Publish, or say on stderr what speaks against it."""
    with open_shop(folder, create=False) as shop:
        before = shop.rules.published.file
        version = shop.rules.publish(by, note, anyway=yes)
    _say(version, f"Version {version.number} serves now, with {_counted(version.rules)}.", as_json)
    if _aims_of(version.file) != _aims_of(before):
        screen.note("It weighs aims anew: `wares rules aims` shows what they bring and what they cost in relevance.")


def _aims_of(file: RulesFile) -> list[AimsSettings]:
    return [file.aims, *(rule.aims for rule in file.rules if rule.aims.value())]


def undo_version(folder: Path, by: str, note: str, to: int | None, *, as_json: bool) -> None:
    """Publish a former version again."""
    with open_shop(folder, create=False) as shop:
        version = shop.rules.undo(by, note, to=to)
    told = f"version {version.same_as} again" if version.same_as else "no rules, as before the first version"
    _say(version, f"Version {version.number} serves now: {told}, with {_counted(version.rules)}.", as_json)


def show_log(folder: Path, *, as_json: bool) -> None:
    """Every version with what it changed, the newest first."""
    with open_shop(folder, create=False) as shop:
        entries = shop.rules.log()
    if as_json:
        screen.print_json(list(map(entry_json, entries)))
        return
    if not entries:
        print("No rule was published yet. `wares rules draft` begins a draft.")
        return
    table = new_table("version", "when (UTC)", "by", "note", "what changed", right=(0,))
    for entry in entries:
        version = entry.version
        changed = [f"{_SIGNS[one.kind]} {screen.shown(one.title)}" for one in entry.changes]
        told = "\n".join(changed) or ("damaged" if entry.damaged else "nothing")
        table.add_row(str(version.number), _when(version), *map(screen.shown, (version.by, version.note)), told)
    screen.stdout().print(table)
    screen.note("+ added, ~ changed, - removed, ↕ moved. `wares rules diff --from N --to M` shows the lines.")


def show_diff(folder: Path, before: int | None, after: int | None, *, as_json: bool) -> None:
    """Rule by rule, line by line."""
    with open_shop(folder, create=False) as shop:
        changes = shop.rules.diff(before, after)
    if as_json:
        screen.print_json(list(map(change_json, changes)))
        return
    if not changes:
        print("Nothing differs.")
    for change in changes:
        _print_change(change)


def move_rules(folder: Path, by: str, *, as_json: bool) -> None:
    """Publish what an older settings file says of rules, then take it out of there."""
    path = folder / FILE_NAME
    rest, rules = without_rules(path.read_bytes().decode("utf-8-sig"))
    version = RuleBook(folder).publish(rules, by, f"moved out of {FILE_NAME}")
    replace_text(path, rest)
    _say(version, f"{_counted(version.rules)} moved out of {path}; version {version.number} serves now.", as_json)


# -- how it is shown ---------------------------------------------------------------------------------------------------


def _say(version: Version, words: str, as_json: bool) -> None:
    if as_json:
        screen.print_json(version_json(version))
    else:
        print(f"{words} A running server takes it up by itself.")


def _headline(version: Version) -> str:
    if not version.number:
        return "No rule was published yet."
    note = f": {version.note}" if version.note else ""
    repeats = f", which repeats version {version.same_as}" if version.same_as not in (0, version.number) else ""
    told = f"Version {version.number}{repeats}, {_counted(version.rules)}, by {version.by}, {_when(version)} UTC{note}"
    return screen.shown(told)


def _counted(rules: Sequence[RuleSettings]) -> str:
    return f"{len(rules):,} rule{'s' * (len(rules) != 1)}"


def _when(version: Version) -> str:
    return version.at.strftime("%Y-%m-%d %H:%M:%S") if version.at else ""


def _rules_table(rules: Sequence[RuleSettings]) -> Any:
    table = new_table("#", "name", "when", "then", right=(0,))
    for number, rule in enumerate(rules, 1):
        told = lines_of(rule)
        when = next((line.removeprefix("when = ") for line in told if line.startswith("when = ")), "always")
        then = "\n".join(line for line in told if not line.startswith(("when = ", "name = ")))
        table.add_row(str(number), *map(screen.shown, (rule.name, when.strip("{} "), then)))
    return table


def _print_check(found: Check, what: str) -> None:
    console = screen.stdout()
    for fault in found.faults:
        console.print(f"fault: {screen.shown(fault)}", soft_wrap=True)
    if found.conflicts:
        table = new_table("rules", "conflict", "what", "since")
        for one in found.conflicts:
            since = "new" if one in found.new else "serves already"
            table.add_row(screen.shown(where_of(one, found.rules)), one.kind, screen.shown(one.text), since)
        console.print(table)
    if not (found.faults or found.conflicts):
        console.print(f"Nothing stands against {what}: {_counted(found.rules)}.")


def _print_change(change: RuleChange) -> None:
    console = screen.stdout()
    console.print(f"{_SIGNS[change.kind]} {screen.shown(change.title)}: {change.kind}", style="bold", soft_wrap=True)
    for sign, lines in (("-", change.before), ("+", change.after)):
        for line in lines:
            console.print(f"    {sign} {screen.shown(line)}", soft_wrap=True)
