"""What the export of another search engine holds, in wares' words; every thing that was read has one outcome."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wares.feeds.dialects.columns import Numbered
from wares.feeds.migrations.records import level_name
from wares.feeds.report import Tally

Outcome = Literal["mapped", "in part", "not mapped"]
OUTCOMES: tuple[Outcome, ...] = ("mapped", "in part", "not mapped")
Kind = Literal["records", "settings", "fields", "synonyms", "rules", "stop words"]
KINDS: tuple[Kind, ...] = ("records", "settings", "fields", "synonyms", "rules", "stop words")
MAX_NAMED = 5  # things of one line of the table that are named
MAX_SHOWN = 60  # characters of a name that are shown
SYNONYMS, RULES, PRODUCTS = "synonyms.txt", "rules", "products"
BUILT_IN = "built in"

Where = dict[str, dict[str, Any]]  # field -> any, not, low, high, as the rules of a shop choose products


class Untold(Exception):
    """Something that cannot be said in wares; its text says why and what to do. Readers of exports and filters catch
    it."""


@dataclass(slots=True)
class Line:
    """Things of one kind to which the same happened."""

    kind: Kind
    outcome: Outcome
    into: str
    why: str
    count: int = 0
    names: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        told = {"thing": self.kind, "count": self.count, "outcome": self.outcome, "into": self.into}
        return {**told, "why": self.why, "names": self.names}


class Ledger:
    """Counts what was read and what became of it, per kind: read == mapped + in part + not mapped."""

    def __init__(self) -> None:
        self.read: dict[Kind, int] = {}
        self._lines: dict[tuple[Kind, Outcome, str, str], Line] = {}

    def see(self, kind: Kind, count: int = 1) -> None:
        """So many things were read."""
        self.read[kind] = self.read.get(kind, 0) + count

    def settle(
        self, kind: Kind, outcome: Outcome, into: str = "", why: str = "", name: str = "", count: int = 1
    ) -> None:
        """What became of one of them (or `count`)."""
        key = (kind, outcome, into if outcome != "not mapped" else "", why)
        line = self._lines.setdefault(key, Line(*key))
        line.count += count
        if name and len(line.names) < MAX_NAMED:
            line.names.append(plain(name))

    @property
    def lines(self) -> list[Line]:
        """By kind, and what was mapped first."""
        return sorted(self._lines.values(), key=lambda line: (KINDS.index(line.kind), OUTCOMES.index(line.outcome)))

    def count(self, kind: Kind, outcome: Outcome) -> int:
        return sum(line.count for line in self._lines.values() if (line.kind, line.outcome) == (kind, outcome))

    def to_dict(self) -> dict[str, Any]:
        """kind -> read and each outcome."""
        return {
            kind: {"read": self.read[kind], **{outcome: self.count(kind, outcome) for outcome in OUTCOMES}}
            for kind in KINDS
            if kind in self.read
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of an export: a setting, a synonym, a rule, as the engine writes it."""

    kind: Kind
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class FoundSynonym:
    """Words that stand for one another; one way: who says one of `said` is served by `meant` as well."""

    name: str
    said: tuple[str, ...]
    meant: tuple[str, ...] = ()  # () = all of `said` stand for one another
    lost: tuple[str, ...] = ()  # what of it cannot be said in wares


@dataclass(frozen=True, slots=True)
class FoundWhen:
    """Which requests a rule is for. Without words, category and surface: every search and every category page."""

    query: str = ""
    contains: bool = False  # the words may stand among others
    category: str = ""
    surface: str = ""
    from_ms: int | None = None
    until_ms: int | None = None  # first moment after


@dataclass(frozen=True, slots=True)
class FoundRule:
    """One rule, for any of several requests. An empty `whens` means every search and every category page."""

    name: str
    whens: tuple[FoundWhen, ...] = ()
    pin: Mapping[str, int] = field(default_factory=dict)  # product -> position from 1
    hide: tuple[str, ...] = ()
    boost: tuple[tuple[Where, float], ...] = ()
    bury: tuple[tuple[Where, float], ...] = ()
    filter: Where = field(default_factory=dict)
    redirect: str = ""
    banner: Mapping[str, str] = field(default_factory=dict)
    meant: str = ""  # the words to search for instead
    lost: tuple[str, ...] = ()

    @property
    def does_something(self) -> bool:
        acts = (self.pin, self.hide, self.boost, self.bury, self.filter, self.redirect, self.banner, self.meant)
        return any(acts)


@dataclass(frozen=True, slots=True)
class Found:
    """Everything of an export but its records. `settings`: table -> key -> value of `wares.toml`."""

    ledger: Ledger
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    synonyms: list[FoundSynonym] = field(default_factory=list)
    rules: list[FoundRule] = field(default_factory=list)

    def set(self, table: str, key: str, value: Any) -> None:
        self.settings.setdefault(table, {})[key] = value


@dataclass(frozen=True, slots=True)
class Names:
    """What the engine's attributes are called in wares: by the columns that the records were read as.

    `fields` maps columns to wares' fields, `columns` are all that the records have; empty where there are no records.
    `paths` maps the name of a category to its path, or to "" where several are called so.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)
    scale: int = 100  # smallest units of the shop's currency

    def of(self, attribute: str) -> str:
        """wares' field, or the attribute's own name."""
        return self.fields.get(attribute) or ("category" if level_name(attribute) else attribute)

    def knows(self, attribute: str) -> bool:
        """Whether the records have it, or there are none to tell."""
        if not self.columns:
            return True
        found = self.fields.get(attribute) or ("category" if level_name(attribute) else "")
        return attribute in self.columns or (bool(found) and (found in self.columns or found in self.fields.values()))

    def category(self, value: str) -> str:
        """A category as its path. Raises Untold where several paths end with it."""
        levels = [level.strip() for level in value.split(">")]
        path = " > ".join(level for level in levels if level)
        if len(levels) > 1 or not self.paths:
            return path
        found = self.paths.get(path, path)
        if not found:
            raise Untold(f"several categories are called {plain(path)}: write its path")
        return found


@dataclass(frozen=True, slots=True)
class Engine:
    """How one engine writes its exports.

    `parts` takes a document of an export apart; a record is a part, too. `records` yields the flat rows of a file of
    records. `columns` says which of the records' columns hold a field, by the settings. `settle` reads one part (no
    record) into what was found; `finish` what needs all of them. `never` are things that no export holds.
    """

    name: str
    title: str
    parts: Callable[[Mapping[str, Any]], Iterator[Part]]
    records: Callable[[Iterable[Numbered], Tally], Iterator[Numbered]]
    columns: Callable[[Sequence[Part]], dict[str, str]]
    settle: Callable[[Part, Found, Names], None]
    finish: Callable[[Sequence[Part], Found, Names], None]
    never: tuple[tuple[str, str], ...] = ()


def plain(value: object) -> str:
    """A name or value as one short line."""
    text = " ".join(str(value).encode("utf-8", "replace").decode("utf-8").split())
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def texts(value: object) -> list[str]:
    """The texts and numbers of a list, or the one that stands alone; without blanks around, none empty."""
    listed = value if isinstance(value, list) else [value]
    found = (str(one).strip() for one in listed if isinstance(one, str | int | float) and not isinstance(one, bool))
    return [text for text in found if text]


def mappings(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """The text or number, else ""."""
    found = texts(value) if not isinstance(value, list) else []
    return found[0] if found else ""


def seconds_to_ms(value: object) -> int | None:
    """A Unix time in seconds as milliseconds; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return None
    return int(value * 1000)
