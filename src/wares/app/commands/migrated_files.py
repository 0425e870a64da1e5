"""What a migration writes beside the products: settings, synonyms and a draft of rules. Nothing is overwritten."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wares.engine.durable import replace_text
from wares.engine.learnt import own_synonyms
from wares.engine.rules.book import FOLDER, RuleBook
from wares.engine.rules.settings import RuleSettings, read_rules
from wares.engine.settings import load_settings
from wares.engine.settings_file import write_values
from wares.errors import RulesError
from wares.feeds.migrations.found import RULES, SYNONYMS, Found, FoundRule, FoundWhen, plain
from wares.retrieval.language.synonyms.groups import Synonyms, key

_EVERYWHERE = ("search", "browse")  # what other engines answer
_REPLACED = "the query is not replaced: its own words count as well"


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting of the shop, as it is and as the export has it."""

    table: str
    key: str
    now: Any
    wanted: Any

    @property
    def line(self) -> str:
        """As it would stand in `wares.toml`."""
        return f"{self.table}.{self.key} = {json.dumps(self.wanted, ensure_ascii=False)}"


def differences(folder: Path, found: Found) -> list[Difference]:
    """What the export's settings would change of the shop's."""
    now = load_settings(folder).model_dump(mode="json")
    changed = []
    for table, values in found.settings.items():
        held: Any = now
        for name in table.split("."):
            held = held[name]
        changed += [Difference(table, k, held[k], value) for k, value in values.items() if held[k] != value]
    return changed


def write_settings(folder: Path, changed: Sequence[Difference]) -> None:
    """Put them into `wares.toml`, all or none."""
    tables: dict[str, dict[str, Any]] = {}
    for one in changed:
        tables.setdefault(one.table, {})[one.key] = one.wanted
    if tables:
        folder.mkdir(parents=True, exist_ok=True)
        write_values(folder, tables)


# -- synonyms ----------------------------------------------------------------------------------------------------------


def settle_synonyms(folder: Path, found: Found, language: str) -> list[str]:
    """The lines that the shop's synonyms do not say yet. Each synonym of the export is settled."""
    own = Synonyms.read(own_synonyms(folder), SYNONYMS, str.split, language=language).others
    known = {(word, key(other, language)) for word, others in own.items() for other in others}
    lines: list[str] = []
    for one in found.synonyms:
        said, dropped = _tellable(one.said, language)
        meant, more = _tellable(one.meant, language)
        lost = [*one.lost, *(f"left out, as no line can hold it: {plain(word)}" for word in (*dropped, *more))]
        others = meant if one.meant else said
        if not said or not others or (not one.meant and len(said) < 2):
            why = "words with ',', '#' or '=>', or without a letter: no line of synonyms can hold them"
            found.ledger.settle("synonyms", "not mapped", why=why, name=one.name)
            continue
        keys = {(key(a, language), key(b, language)) for a in said for b in others}
        pairs = {(a, b) for a, b in keys if a != b}
        told = "" if pairs else "to wares these are one word already"
        if pairs <= known:
            told = told or "the shop knows it already"
        else:
            known |= pairs
            lines.append(f"{', '.join(said)} => {', '.join(meant)}" if one.meant else ", ".join(said))
        why = "; ".join(lost) or told
        found.ledger.settle("synonyms", "in part" if lost else "mapped", SYNONYMS, why, one.name)
    return lines


def _tellable(words: Sequence[str], language: str) -> tuple[list[str], list[str]]:
    """Those that a line can hold, and the others."""
    told, dropped = list[str](), list[str]()
    for word in words:
        plain_word = " ".join(word.encode("utf-8", "replace").decode("utf-8").split())
        fits = not any(sign in plain_word for sign in (",", "#", "=>")) and plain_word.isprintable()
        (told if fits and key(plain_word, language) else dropped).append(plain_word)
    return list(dict.fromkeys(told)), dropped


# -- rules -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """The rules of an export that the shop does not have, as TOML. `products` are those that any of them names."""

    text: str
    products: frozenset[str]


def settle_rules(folder: Path, found: Found, title: str, now_ms: int) -> RuleDraft:
    """Each rule of the export is settled."""
    current, _ = RuleBook(folder).current()
    texts: list[str] = []
    called: dict[str, int] = {}
    named = set[str]()
    for rule in found.rules:
        blocks, lost = _blocks(rule, called, now_ms)
        named.update(product for _, one in blocks for product in (*one.pin, *one.hide))
        new = [text for text, one in blocks if one not in current.rules]
        if new:
            missing = f"; not in it: {'; '.join(lost)}" if lost else ""
            texts.append(f"{_comment(f'From {title}, {plain(rule.name)}{missing}')}\n" + "\n\n".join(new))
        if not blocks:
            why = "; ".join(lost) or "nothing of it is left"
            found.ledger.settle("rules", "not mapped", why=why, name=rule.name)
        else:
            why = "; ".join(lost) or ("" if new else "the shop has it already")
            found.ledger.settle("rules", "in part" if lost else "mapped", RULES, why, rule.name)
    return RuleDraft("\n\n".join(texts) + "\n" if texts else "", frozenset(named))


def write_rules(folder: Path, rules: RuleDraft, title: str) -> Path:
    """A new draft: the rules that serve, and behind them these. Where there is a draft already, a file beside it."""
    book = RuleBook(folder)
    current, _ = book.current()
    if book.draft() is None:
        return book.begin_draft(f"{current.text}\n{rules.text}" if current.number else rules.text)
    path = folder / FOLDER / f"from-{title.lower()}.toml"
    replace_text(path, rules.text)
    return path


def _blocks(rule: FoundRule, called: dict[str, int], now_ms: int) -> tuple[list[tuple[str, RuleSettings]], list[str]]:
    """The [[rules]] of one rule, and what of it is lost. An action that wares refuses costs itself, not the rule.

    `called` counts the names that were given, so that no two rules have the same.
    """
    lost = list(rule.lost)
    grouped: dict[tuple[Any, ...], list[str]] = {}
    for when in rule.whens or (FoundWhen(),):
        if when.until_ms and when.until_ms <= now_ms:
            lost.append("a time that is over")
            continue
        queries = grouped.setdefault((when.contains, when.category, when.surface, when.from_ms, when.until_ms), [])
        queries += [when.query] * (bool(when.query) and when.query not in queries)
    blocks = []
    for (contains, category, surface, start, end), queries in grouped.items():
        when_told: dict[str, Any] = {"query_contains" if contains else "query": queries} if queries else {}
        if not (queries or category):
            when_told["surface"] = [surface] if surface else list(_EVERYWHERE)
        further = {"category": category, "from": _moment(start), "until": _moment(end)}
        when_told |= {name: value for name, value in further.items() if value}
        kept: dict[str, Any] = {}
        for name, value in _actions(rule).items():
            if fault := _fault(when_told, {name: value}):
                lost.append(f"{name}: {fault}")
            else:
                kept[name] = value
                lost += [_REPLACED] * (name == "synonym")
        if kept:
            name = plain(rule.name)
            called[name] = called.get(name, 0) + 1
            text = _toml(f"{name} {called[name]}" if called[name] > 1 else name, when_told, kept)
            blocks.append((text, read_rules(text, "the rule").rules[0]))
    return blocks, list(dict.fromkeys(lost))


def _actions(rule: FoundRule) -> dict[str, Any]:
    told = {
        "pin": dict(rule.pin),
        "hide": list(rule.hide),
        "boost": [{"where": where, "factor": factor} for where, factor in rule.boost],
        "bury": [{"where": where, "factor": factor} for where, factor in rule.bury],
        "filter": rule.filter,
        "synonym": [rule.meant] if rule.meant else [],
        "banner": dict(rule.banner),
        "redirect": rule.redirect,
    }
    return {name: value for name, value in told.items() if value}


def _fault(when: Mapping[str, Any], actions: Mapping[str, Any]) -> str:
    """What wares has against such a rule; "" = nothing."""
    try:
        read_rules(_toml("", when, actions), "")
    except RulesError as error:
        return plain(str(error).partition(": ")[2] or error)
    return ""


def _toml(name: str, when: Mapping[str, Any], actions: Mapping[str, Any]) -> str:
    told = {"name": name, **({"when": when} if when else {}), **actions}
    return "\n".join(["[[rules]]", *(f"{name} = {_value(value)}" for name, value in told.items())])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(name))} = {_value(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return _text(value) if isinstance(value, str) else repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]+", name) else _text(name)


def _text(text: str) -> str:
    """A TOML string; halves of surrogate pairs become "?"."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "# " + "".join(sign if sign.isprintable() else " " for sign in text)


def _moment(time_ms: int | None) -> datetime | None:
    return datetime.fromtimestamp(time_ms / 1000, UTC) if time_ms else None
