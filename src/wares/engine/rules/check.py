"""Where rules stand in each other's way, mean something that is not there, or can never hold."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.aims import NEEDS
from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Between, Filter, NoneOf
from wares.domain.rule import Rule
from wares.domain.selection import passing
from wares.engine.rules.settings import RuleSettings, title_of
from wares.engine.settings import Settings
from wares.errors import UnknownName
from wares.retrieval.understanding import MAX_WORDS

_SHOWN = 3  # ids that a sentence names


@dataclass(frozen=True, slots=True)
class Conflict:
    """`rules` are the numbers (from 1) of those concerned; `kind` is stable, `text` is for people.

    Kinds: same-position, pinned-twice, pinned-and-hidden, boosted-and-buried, two-redirects, same-name, unknown, never,
    over.
    """

    kind: str
    rules: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Known:
    """What the rules may speak of. `attributes` of shoppers, name -> values, are asked for only where they matter;
    `holds` tells whether some product holds the words of a text."""

    settings: Settings
    columns: Columns
    attributes: Callable[[], Mapping[str, frozenset[str]]]
    holds: Callable[[str], bool]
    _values: dict[str, frozenset[str]] = field(default_factory=dict)
    _rows: dict[Filter, NDArray[np.uint8]] = field(default_factory=dict)

    def values(self, name: str) -> frozenset[str]:
        """The values that products have in a field."""
        if name not in self._values:
            labels = self.columns.labels.get(name)
            self._values[name] = frozenset(labels.values) if labels is not None else frozenset()
        return self._values[name]

    def rows(self, where: Filter) -> NDArray[np.uint8]:
        """(n / 8,) the living rows that pass, a bit each: rules are compared two by two."""
        if where not in self._rows:
            self._rows[where] = np.packbits(self.columns.alive & passing(where, self.columns))
        return self._rows[where]


def misnamed(rules: Sequence[RuleSettings], settings: Settings, where: str) -> list[str]:
    """Faults that only the settings can tell: surfaces and markets that do not exist."""
    faults = list[str]()
    for number, rule in enumerate(rules, 1):
        names: list[tuple[str, str, Mapping[str, object]]]
        names = [("surface", name, settings.profiles) for name in rule.when.surface]
        names += [("market", name, settings.markets) for name in rule.when.market if name]
        faults += [
            f"{where}: {title_of(number, rule.name)}, when.{key}: {UnknownName(key, name, known)}"
            for key, name, known in names
            if name not in known
        ]
    return faults


def conflicts_of(rules: Sequence[Rule], known: Known, now_ms: int) -> list[Conflict]:
    """Everything that a shopkeeper should look at before these rules serve."""
    found = list[Conflict]()
    names = dict[str, int]()
    for i, rule in enumerate(rules):
        number = i + 1
        found += [
            Conflict(kind, (number,), text) for kind, text in (*_alone(rule, known, now_ms), *_within(rule, known))
        ]
        if rule.name and (first := names.setdefault(rule.name, number)) != number:
            found.append(Conflict("same-name", (first, number), "the log cannot tell two rules of one name apart."))
        for j, earlier in enumerate(rules[:i]):
            if earlier.when.meets(rule.when):
                found += [Conflict(kind, (j + 1, number), text) for kind, text in _between(earlier, rule, known)]
    return found


# -- one rule ----------------------------------------------------------------------------------------------------------


def _alone(rule: Rule, known: Known, now_ms: int) -> Iterator[tuple[str, str]]:
    """What is not there, and when it cannot hold."""
    when, actions, columns = rule.when, rule.actions, known.columns
    ids = [product_id for product_id, _ in actions.pins] + list(actions.hide)
    if gone := [product_id for product_id in dict.fromkeys(ids) if product_id not in columns.row_of]:
        yield "unknown", f"no product has the id {_listed(gone)}."
    filters = [("filter", actions.filter)]
    filters += [("boost" if one.factor >= 1 else "bury", one.where) for one in actions.weightings]
    for key, wanted in filters:
        for told in _unknown_choices(wanted, known):
            yield "unknown", f"{key}: {told}"
    for one in actions.synonyms:
        if strange := [text for text in one.meant if not known.holds(text)]:
            yield "unknown", f"synonym: no product holds the words of {_listed(strange)}."
    if when.category and when.category not in known.values("category"):
        near = _hint(when.category, known.values("category"))
        yield "never", f"there is no category {_quoted(when.category)}, so it never holds.{near}"
    if when.segment:
        yield from (("never", told) for told in _unknown_segment(rule, known.attributes()))
    profiles = known.settings.profiles
    asked = [profiles[name] for name in when.surfaces if name in profiles] or list(profiles.values())
    if when.queries and all(len(words) > MAX_WORDS for words in when.queries):
        yield "never", f"of a query only the first {MAX_WORDS} words are read, so it never holds."
    if (when.queries or when.containing) and not any(profile.all_matches for profile in asked):
        yield "never", f"nobody types words on the surface {_listed(when.surfaces)}, so it never holds."
    orders = bool(actions.pins or actions.weightings)
    if orders and not any("rules" in profile.policies for profile in asked):
        yield (
            "never",
            f"{_listed(when.surfaces)} does not have the policy `rules`, so pin, boost and bury do nothing there.",
        )
    for aim, _ in actions.weighed_aims:
        if not (columns.alive & ~np.isnan(columns.trade[NEEDS[aim]])).any():
            yield "unknown", f"aims: no product tells its {NEEDS[aim]}, so {aim} moves nothing."
    if actions.weighed_aims and not any("aims" in profile.policies for profile in asked):
        told = "the policy `aims`, so aims do nothing there; put it first in the policies of wares.toml."
        yield "never", f"{_listed(when.surfaces)} does not have {told}" if when.surfaces else f"no surface has {told}"
    if when.until_ms is not None and when.until_ms <= now_ms:
        yield "over", "its last day is over."


def _unknown_choices(wanted: Filter, known: Known) -> Iterator[str]:
    columns = known.columns
    for clause in wanted.clauses:
        if isinstance(clause, Between) and clause.field not in columns.numbers:
            yield f"{_quoted(clause.field)} is no number; numbers are {_listed(columns.numbers)}."
        if not isinstance(clause, AnyOf | NoneOf):
            continue
        if clause.field == "id":
            strange, near = [value for value in clause.values if value not in columns.row_of], ""
        elif clause.field not in columns.labels:
            yield f"no product has the attribute {_quoted(clause.field)}.{_hint(clause.field, columns.labels)}"
            continue
        else:
            strange = [value for value in clause.values if value not in known.values(clause.field)]
            near = _hint(strange[0], known.values(clause.field)) if strange else ""
        if strange:
            yield f"no product has {clause.field} {_listed(strange)}.{near}"


def _unknown_segment(rule: Rule, attributes: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name, values in rule.when.segment:
        if name not in attributes:
            yield f"no shopper has the attribute {_quoted(name)}, so it never holds.{_hint(name, attributes)}"
        elif not attributes[name].intersection(values):
            near = _hint(values[0], attributes[name])
            yield f"no shopper has {name} {_listed(values)}, so it never holds.{near}"


def _within(rule: Rule, known: Known) -> Iterator[tuple[str, str]]:
    """Where a rule stands in its own way."""
    at: dict[int, list[str]] = {}
    for product_id, position in rule.actions.pins:
        at.setdefault(position, []).append(product_id)
    for position, ids in at.items():
        if len(ids) > 1:
            yield "same-position", f"{_listed(ids)} are pinned to position {position}; {_quoted(ids[0])} gets it."
    yield from _opposed(rule, rule, known)


# -- two rules that can hold at once -----------------------------------------------------------------------------------


def _between(first: Rule, second: Rule, known: Known) -> Iterator[tuple[str, str]]:
    pinned = dict(second.actions.pins)
    for product_id, position in first.actions.pins:
        if pinned.get(product_id, position) != position:
            told = f"{_quoted(product_id)} is pinned to {position} and to {pinned[product_id]}; the first one holds."
            yield "pinned-twice", told
        for other, place in second.actions.pins:
            if place == position and other != product_id:
                told = (
                    f"{_listed([product_id, other])} are pinned to position {position}; {_quoted(product_id)} gets it."
                )
                yield "same-position", told
    yield from _opposed(first, second, known)
    yield from _opposed(second, first, known)
    ours, theirs = first.actions.redirect, second.actions.redirect
    if ours and theirs and ours != theirs:
        yield "two-redirects", f"they send the shopper to {ours} and to {theirs}; {ours} holds."


def _opposed(one: Rule, other: Rule, known: Known) -> Iterator[tuple[str, str]]:
    """What the one shows or lifts and the other hides or buries."""
    columns = known.columns
    pinned = [product_id for product_id, _ in one.actions.pins if product_id in columns.row_of]
    rows = np.array([columns.row_of[product_id] for product_id in pinned], np.int32)
    passes = passing(other.actions.filter, columns, rows)
    hidden = [name for name, shown in zip(pinned, passes, strict=True) if name in other.actions.hide or not shown]
    if hidden:
        yield "pinned-and-hidden", f"{_listed(hidden)} is pinned, and hidden or filtered out; it will not be shown."
    for boost in (weighting for weighting in one.actions.weightings if weighting.factor > 1):
        for bury in (weighting for weighting in other.actions.weightings if weighting.factor < 1):
            shared = known.rows(boost.where) & known.rows(bury.where)
            if shared.any():
                both = np.flatnonzero(np.unpackbits(shared, count=len(columns)))
                some = _listed([columns.ids[row] for row in both[:_SHOWN].tolist()])
                more = f" and {len(both) - _SHOWN:,} more" if len(both) > _SHOWN else ""
                yield "boosted-and-buried", f"{some}{more}: boosted x{boost.factor:g} and buried x{bury.factor:g}."


# -- words -------------------------------------------------------------------------------------------------------------


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {_quoted(near[0])}?" if near else ""


def _quoted(text: str) -> str:
    return repr(text[:80])


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(_quoted, names[:_SHOWN])) + more
