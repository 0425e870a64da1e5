"""Columns of a foreign product feed -> wares' own: which name means which field, as data; what is not used is said."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wares.feeds.readers import Row
from wares.feeds.report import Tally
from wares.feeds.values import is_missing, read_text

Numbered = tuple[int, Row]  # a row of the feed with its line
Told = tuple[int, Row, Row]  # the line, the row in wares' columns, and the row as it came
Translate = Callable[[Iterable[Numbered], Tally], Iterator[Told]]
MAX_LAYOUTS = 1000
_LISTED = 25  # unused columns that are named


@dataclass(frozen=True, slots=True)
class Dialect:
    """A foreign format. A header is of it that has all columns of one of `signs` (folded names) and none of `never`."""

    name: str
    about: str
    signs: tuple[frozenset[str], ...]
    translate: Translate
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Naming:
    """Field -> the folded names of its columns, best first; the folded names of attributes -> what wares calls them."""

    fields: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()  # read by the dialect itself


@dataclass(frozen=True, slots=True)
class _Layout:
    """What rows of one shape have."""

    fields: tuple[tuple[str, tuple[str, ...]], ...]
    attributes: tuple[tuple[str, str], ...]
    folded: dict[str, str]  # folded name -> column


class Layouts:
    """Reads rows by a `Naming`, one layout per shape of row. Tells the tally what the feed calls wares' fields."""

    def __init__(self, naming: Naming, tally: Tally, fold: Callable[[str], str] | None = None) -> None:
        self.naming, self.tally, self.fold = naming, tally, fold or folded
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._unused: dict[str, None] = {}

    def own(self, row: Row) -> Row:
        """The fields that the row fills, in wares' names, and its "attributes"."""
        layout = self.of(row)
        known: Row = {}
        for name, columns in layout.fields:
            for column in columns:
                if not is_missing(row[column]):
                    known[name] = row[column]
                    break
        if layout.attributes:
            told = {name: row[column] for name, column in layout.attributes if not is_missing(row[column])}
            if told:
                known["attributes"] = told
        return known

    def of(self, row: Row) -> _Layout:
        shape = tuple(row)
        return self._layouts.get(shape) or self._layout(shape)

    def get(self, row: Row, *names: str) -> str:
        """The text of the first of these folded columns that says something, else ""."""
        known = self.of(row).folded
        for name in names:
            if name in known and (text := read_text(row[known[name]])):
                return text
        return ""

    def column(self, row: Row, *names: str) -> str:
        """What the feed calls the first of these folded columns that it has."""
        known = self.of(row).folded
        return next((known[name] for name in names if name in known), names[0])

    def note_unused(self) -> None:
        """To be called at the end of the feed."""
        if self._unused:
            listed = ", ".join(name[:60] for name in list(self._unused)[:_LISTED])
            more = f" and {len(self._unused) - _LISTED} more" if len(self._unused) > _LISTED else ""
            self.tally.note(f"Columns that are not used: {listed}{more}.")

    def _layout(self, shape: tuple[str, ...]) -> _Layout:
        if len(self._layouts) >= MAX_LAYOUTS:
            self._layouts.clear()
        known = {self.fold(str(name)): name for name in reversed(shape)}  # the first of two equal ones counts
        naming = self.naming
        fields = tuple(
            (name, columns)
            for name, names in naming.fields.items()
            if (columns := tuple(known[one] for one in names if one in known))
        )
        attributes = tuple((ours, known[name]) for name, ours in naming.attributes.items() if name in known)
        used = {column for _, columns in fields for column in columns} | {column for _, column in attributes}
        used |= {known[name] for name in naming.ignored if name in known}
        if len(self._unused) < MAX_LAYOUTS:
            self._unused |= dict.fromkeys(str(name) for name in shape if name not in used)
        names = {name: str(columns[0]) for name, columns in fields if "#" not in str(columns[0])}
        self.tally.names = {**self.tally.names, **names}
        layout = _Layout(fields, attributes, known)
        self._layouts[shape] = layout
        return layout

    def seen(self, names: Iterable[str]) -> None:
        """The dialect has read these columns itself."""
        for name in names:
            self._unused.pop(name, None)


def folded(name: str) -> str:
    """A column's name without regard to case, with underscores for blanks and hyphens.

    >>> folded(" Item group-ID ")
    'item_group_id'
    """
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def add_attribute(own: Row, name: str, value: object) -> None:
    """One more attribute of a row in wares' columns, unless nothing is said."""
    if not is_missing(value) and value != []:
        own.setdefault("attributes", {})[name] = value


def path_of(text: str, *separators: str) -> str:
    """A category in another notation ("Default Category/Gear") as "Default Category > Gear"."""
    for separator in separators:
        if separator in text:
            return " > ".join(level.strip() for level in text.split(separator))
    return text


def deepest(paths: Iterable[str]) -> str:
    """Of several categories in wares' notation the one with the most levels, the first of equal ones."""
    return max((path.strip() for path in paths if path.strip()), key=lambda path: path.count(">"), default="")
