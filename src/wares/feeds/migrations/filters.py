"""Filters as other engines write them -> the values that a rule of wares chooses products by."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wares.feeds.migrations.found import Names, Untold, Where, plain, texts

MAX_FILTER = 20_000  # characters
_CHOOSABLE = "brand, category, price, id and any attribute"
_UNCHOOSABLE = ("title", "description", "url", "image_url", "published", "currency", "sale_price")
_ALGOLIA = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>AND|OR|NOT)\b
    |(?P<name>"[^"]*"|'[^']*'|[^\s()"':<>=!]+)\s*
     (?:(?P<op><=|>=|!=|:|=|<|>)\s*(?P<value>"[^"]*"|'[^']*'|[^\s()]+)(?:\s+TO\s+(?P<high>[-+.\d]+))?)?)""",
    re.VERBOSE,
)
_TYPESENSE = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>&&|\|\|)
    |(?P<name>[^\s():&|]+)\s*:\s*(?P<op>!=|<=|>=|=|!|<|>)?\s*
     (?P<value>\[[^\]]*\]|`[^`]*`|(?:[^&|()`]|&(?!&)|\|(?!\|))+))""",
    re.VERBOSE,
)
_ITEM = re.compile(r"\s*(`[^`]*`|[^,`]+)\s*")
_WORDS = {"&&": "AND", "||": "OR", "AND": "AND", "OR": "OR", "NOT": "NOT"}
_SCORE = re.compile(r"<score=[^<>]*>$")


@dataclass(frozen=True, slots=True)
class FilterClause:
    """A condition on one attribute, by the name that the other engine has for it."""

    name: str
    op: str  # = != < <= > >=
    values: tuple[str, ...]


FilterTree = FilterClause | tuple[str, tuple[Any, ...]]  # ("AND" | "OR", trees)


def algolia_tree(text: str) -> FilterTree:
    """A filter of Algolia as it is written, without asking what wares can do with it. Raises Untold for one that cannot
    be read."""
    return _parsed(_algolia_tokens(text), text)


def algolia_where(text: str, names: Names) -> tuple[Where, tuple[str, ...]]:
    """What a filter of Algolia chooses, and what of it is lost. Raises Untold where wares cannot say it."""
    return _where(algolia_tree(text), names)


def algolia_lists(told: object, names: Names, *, tags: bool = False) -> tuple[Where, tuple[str, ...]]:
    """facetFilters, numericFilters or tagFilters: a list whose members all hold; in a list within it one must."""
    groups: list[FilterTree] = []
    for one in told if isinstance(told, list) else [told]:
        members = tuple(_algolia_clause(text, tags) for text in texts(one))
        if len(members) > 1:
            groups.append(("OR", members))
        else:
            groups += members
    if not groups:
        raise Untold(f"no filter: {plain(told)}")
    return _where(("AND", tuple(groups)), names)


def algolia_choice(text: str, names: Names) -> tuple[Where, bool]:
    """One of the optionalFilters: what it prefers, and whether it is to be avoided ("category:-Movie")."""
    clause = _algolia_clause(_SCORE.sub("", text), tags=False)
    avoided = clause.op == "!="
    where, _ = _where(FilterClause(clause.name, "=", clause.values) if avoided else clause, names)
    return where, avoided


def typesense_where(text: str, names: Names) -> tuple[Where, tuple[str, ...]]:
    """The same of Typesense's filter_by."""
    return _where(_parsed(_typesense_tokens(text), text), names)


def category_page(where: Where, told: str, names: Names) -> str:
    """The category whose pages a condition is for. Raises Untold where it is for anything else."""
    if len(where) == 1:
        ((field, choice),) = where.items()
        wanted = choice.get("any", [])
        if "categor" in field.lower() and len(choice) == len(wanted) == 1:
            return names.category(wanted[0])
    raise Untold(f"it is for the filter {plain(told)}: wares' rules are for a category at most")


# -- reading -----------------------------------------------------------------------------------------------------------


def _algolia_clause(text: str, tags: bool) -> FilterClause:
    if tags and ":" not in text:
        return FilterClause("_tags", "!=" if text.startswith("-") else "=", (text.removeprefix("-"),))
    found = list(_algolia_tokens(text)) if not re.match(r"[^:<>=]+:-?[^\d]", text) else []
    if len(found) == 1 and isinstance(found[0], FilterClause):
        return found[0]
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not value.strip():
        raise Untold(f"no filter that is understood: {plain(text)}")
    value = value.strip()
    return FilterClause(name.strip(), "!=" if value.startswith("-") else "=", (value.removeprefix("-"),))


def _algolia_tokens(text: str) -> Iterator[str | FilterClause]:
    for found in _scanned(_ALGOLIA, text):
        if sign := found["open"] or found["close"]:
            yield sign
        elif found["word"]:
            yield _WORDS[found["word"]]
        elif not found["op"]:
            yield FilterClause("_tags", "=", (_bare(found["name"]),))
        elif found["high"]:
            yield FilterClause(_bare(found["name"]), ">=", (_bare(found["value"]),))
            yield "AND"
            yield FilterClause(_bare(found["name"]), "<=", (found["high"],))
        else:
            op = "=" if found["op"] == ":" else found["op"]
            yield FilterClause(_bare(found["name"]), op, (_bare(found["value"]),))


def _typesense_tokens(text: str) -> Iterator[str | FilterClause]:
    for found in _scanned(_TYPESENSE, text):
        if sign := found["open"] or found["close"]:
            yield sign
        elif found["word"]:
            yield _WORDS[found["word"]]
        else:
            value, op = found["value"].strip(), found["op"] or "="
            if value.startswith("["):
                value = value[1:-1]
                low, dots, high = value.partition("..")
                if dots and "," not in value and op == "=":
                    yield FilterClause(found["name"], ">=", (low.strip(),))
                    yield "AND"
                    yield FilterClause(found["name"], "<=", (high.strip(),))
                    continue
            values = (
                tuple(one.strip().strip("`") for one in _ITEM.findall(value))
                if found["value"][0] == "["
                else (value.strip("`"),)
            )
            yield FilterClause(found["name"], "!=" if op == "!" else op, values)


def _scanned(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    if len(text) > MAX_FILTER:
        raise Untold(f"a filter of more than {MAX_FILTER:,} characters")
    at, text = 0, text.rstrip()
    while at < len(text):
        found = pattern.match(text, at)
        if found is None or found.end() == at:
            raise Untold(f"a filter that is not understood: {plain(text[at:])}")
        at = found.end()
        yield found


def _parsed(tokens: Iterator[str | FilterClause], text: str) -> FilterTree:
    """AND binds closer than OR."""
    waiting = list(tokens)
    tree, at = _either(waiting, 0, text, 0)
    if at < len(waiting):
        raise Untold(f"a filter that is not understood: {plain(text)}")
    return tree


def _either(tokens: Sequence[str | FilterClause], at: int, text: str, depth: int) -> tuple[FilterTree, int]:
    found = []
    while True:
        tree, at = _both(tokens, at, text, depth)
        found.append(tree)
        if at >= len(tokens) or tokens[at] != "OR":
            return (found[0] if len(found) == 1 else ("OR", tuple(found))), at
        at += 1


def _both(tokens: Sequence[str | FilterClause], at: int, text: str, depth: int) -> tuple[FilterTree, int]:
    found = []
    while True:
        tree, at = _one(tokens, at, text, depth)
        found.append(tree)
        if at >= len(tokens) or tokens[at] != "AND":
            return (found[0] if len(found) == 1 else ("AND", tuple(found))), at
        at += 1


def _one(tokens: Sequence[str | FilterClause], at: int, text: str, depth: int) -> tuple[FilterTree, int]:
    first = tokens[at] if at < len(tokens) else ""
    if depth > 20:
        raise Untold(f"a filter that is nested too deep: {plain(text)}")
    if isinstance(first, FilterClause):
        return first, at + 1
    if first == "(":
        tree, at = _either(tokens, at + 1, text, depth + 1)
        if at < len(tokens) and tokens[at] == ")":
            return tree, at + 1
    elif first == "NOT":
        tree, at = _one(tokens, at + 1, text, depth + 1)
        if isinstance(tree, FilterClause) and tree.op in ("=", "!="):
            return FilterClause(tree.name, "!=" if tree.op == "=" else "=", tree.values), at
    raise Untold(f"a filter that is not understood: {plain(text)}")


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else text


# -- telling -----------------------------------------------------------------------------------------------------------


def _where(tree: FilterTree, names: Names) -> tuple[Where, tuple[str, ...]]:
    where: Where = {}
    lost: dict[str, None] = {}
    for clause in _clauses(tree):
        field = names.of(clause.name)
        if field in ("available", "stock"):
            lost["whether something is in stock: wares knows by itself what can be bought"] = None
            continue
        if field in _UNCHOOSABLE:
            raise Untold(f"no rule can choose products by {plain(clause.name)}; it can by {_CHOOSABLE}")
        if not names.knows(clause.name):
            raise Untold(f"no record has {plain(clause.name)}")
        _add(where.setdefault(field, {}), field, clause, names)
    if not where:
        raise Untold(next(iter(lost), "an empty filter"))
    return where, tuple(lost)


def _clauses(tree: FilterTree) -> Iterator[FilterClause]:
    """The clauses that must all hold. Several of which one must hold are one, where they are of one attribute."""
    if isinstance(tree, FilterClause):
        yield tree
    elif tree[0] == "AND":
        for one in tree[1]:
            yield from _clauses(one)
    else:
        parts = tree[1]
        if any(not isinstance(one, FilterClause) or one.op != "=" or one.name != parts[0].name for one in parts):
            raise Untold("OR between different attributes: write a rule for each, or an attribute that says both")
        yield FilterClause(parts[0].name, "=", tuple(value for one in parts for value in one.values))


def _add(choice: dict[str, Any], field: str, clause: FilterClause, names: Names) -> None:
    values = [value for value in clause.values if value]
    if not values or any("{" in value for value in values):
        raise Untold(f"values that are taken from the query or empty: {plain(clause.name)}")
    if clause.op in ("=", "!=") and field != "price":
        told = [names.category(value) for value in values] if field == "category" else values
        key = "any" if clause.op == "=" else "not"
        if key == "any" and "any" in choice:
            raise Untold(f"two wanted values of {plain(clause.name)} at once: write a rule for each")
        choice[key] = [*choice.get(key, []), *dict.fromkeys(told)]
        return
    low, high = _bounds(field, clause.op, values, names)
    if low is not None:
        choice["low"] = max(low, choice.get("low", low))
    if high is not None:
        choice["high"] = min(high, choice.get("high", high))
    if choice.get("low", 0) > choice.get("high", float("inf")):
        raise Untold(f"no number is in this range: {plain(clause.name)}")


def _bounds(field: str, op: str, values: list[str], names: Names) -> tuple[int | None, int | None]:
    """In the currency's smallest unit, as rules have it."""
    if field != "price":
        raise Untold(
            f"{plain(field)} {op} {plain(values[0])}: a rule has ranges of the price only; use a list of values"
        )
    try:
        minor = float(values[0]) * names.scale
        if len(values) > 1 or op == "!=" or not abs(minor) < 1e15:
            raise ValueError
    except ValueError:
        raise Untold(f"a price that is not understood: {op} {plain(', '.join(values))}") from None
    nearest = round(minor)
    low = {">": nearest + 1, ">=": nearest, "=": nearest}.get(op)
    return low, {"<": nearest - 1, "<=": nearest, "=": nearest}.get(op)
