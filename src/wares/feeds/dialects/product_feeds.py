"""Which dialect a product feed is written in, by its first bytes and its header, and its rows in wares' own columns."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from wares.errors import InputError, UnknownName
from wares.feeds.dialects import (
    free_columns,
    free_names,
    google_merchant,
    magento,
    schema_org,
    shopify,
    shopware,
    woocommerce,
)
from wares.feeds.dialects.columns import Dialect, Numbered, Told, folded
from wares.feeds.dialects.free_columns import SAMPLE, Guess, guess_columns, suffices
from wares.feeds.json_documents import read_json
from wares.feeds.readers import ENDINGS, Source, read_rows
from wares.feeds.report import RowFault, Tally
from wares.feeds.values import is_missing
from wares.feeds.xml_items import read_xml

OWN, FREE = "wares", "free"
ABOUT_OWN, ABOUT_FREE = "wares' own columns", "columns that are guessed from their names and values"
# In the order in which they are tried.
DIALECTS: tuple[Dialect, ...] = (
    *(schema_org.DIALECT, shopify.DIALECT, woocommerce.DIALECT),
    *(shopware.DIALECT, magento.DIALECT, google_merchant.DIALECT),
)
NAMES = (OWN, *(dialect.name for dialect in DIALECTS), FREE)
FIELDS = tuple(free_names.FIELDS)
_IDS = ("id", "product_id")
_UNREADABLE = (OSError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Feed:
    """A product feed that was recognised. `guesses` are of free columns; `chosen` maps fields to columns."""

    dialect: str
    why: str
    rows: Iterable[Numbered]
    guesses: tuple[Guess, ...] = ()
    chosen: Mapping[str, str] | None = None

    def told(self, tally: Tally) -> Iterator[Told]:
        """(line, row in wares' columns, row as it came)."""
        if self.guesses:
            return free_columns.translate(self.rows, tally, self.guesses)
        known = {dialect.name: dialect.translate for dialect in DIALECTS}
        if self.dialect in known:
            told = known[self.dialect](self.rows, tally)
            return _with_chosen(told, self.chosen) if self.chosen else told
        told = ((line, row, row) for line, row in self.rows)
        return _with_chosen(told, self.chosen) if self.chosen else told


def check_names(dialect: str, chosen: Mapping[str, str] | None) -> None:
    """Raises UnknownName for a dialect or field that there is not; says which there are."""
    if dialect and dialect not in NAMES:
        raise UnknownName("dialect of products", dialect, NAMES)
    for field in chosen or ():
        if field not in FIELDS:
            raise UnknownName("field of a product", field, FIELDS)


def read_feed(source: Source, tally: Tally) -> Iterator[Numbered]:
    """The rows of a product feed, whatever its form: (line, row). Raises InputError like `read_rows`."""
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            raise InputError(f"There is no file {path}. Give the path of an existing file ({ENDINGS}, .xml).")
        if form := form_of(path):
            return _packed(path, form, tally)
    return read_rows(source, tally)


def recognise(rows: Iterator[Numbered], tally: Tally, dialect: str, chosen: Mapping[str, str] | None) -> Feed:
    """Looks at the first rows. Without a name: by the header; own columns where they do, else a guess that suffices.

    Raises UnknownName for a chosen column that the feed does not have.
    """
    first = list(islice(rows, SAMPLE))
    sample, every = [row for _, row in first], chain(first, rows)
    if not sample:
        return Feed(dialect or OWN, "there are no rows", every)
    columns = list(dict.fromkeys(str(name) for row in sample for name in row))
    for column in (chosen or {}).values():
        if column not in columns:
            raise UnknownName("column", column, columns)
    if dialect and dialect != FREE:
        return Feed(dialect, "as you said", every, chosen=chosen)
    if not dialect and (found := by_header(columns)):
        return Feed(found[0], found[1], every, chosen=chosen)
    guesses = guess_columns(sample, chosen)
    if dialect == FREE or not _is_own(columns, guesses):
        if suffices(guesses):
            return Feed(FREE, "as you said" if dialect else "its columns are of no dialect", every, guesses)
        listed = ", ".join(columns[:20])[:300]
        tally.note(f"No id and title were recognised in the columns {listed}. Name them: --columns id=..,title=..")
    return Feed(OWN, "its columns", every, chosen=chosen)


def by_header(columns: Iterable[str]) -> tuple[str, str] | None:
    """The dialect that a header is written in, and the columns that say so."""
    plain = {folded(name) for name in columns}
    names = {google_merchant.fold(name) if ":" in name else name for name in plain}
    for dialect in DIALECTS:
        for sign in dialect.signs:
            if (sign <= names or sign <= plain) and dialect.never.isdisjoint(names):
                return dialect.name, "its columns " + ", ".join(sorted(sign))
    return None


def _is_own(columns: Sequence[str], guesses: Iterable[Guess]) -> bool:
    """Own columns have an id, and no other column that is plainly the title or the price that they lack."""
    names = {folded(name) for name in columns}
    if names.isdisjoint(_IDS):
        return False
    plain = free_columns.own_columns(guesses)
    return all(field in names or field not in plain for field in ("title", "price"))


def _with_chosen(told: Iterator[Told], chosen: Mapping[str, str]) -> Iterator[Told]:
    """Rows with some fields taken from the columns that a person chose."""
    for line, own, raw in told:
        taken = {field: raw[column] for field, column in chosen.items() if not is_missing(raw.get(column))}
        others = {name: value for name, value in own.items() if name not in taken}
        yield line, {**others, **taken}, raw  # last: of two columns for one field the later one counts


def form_of(path: Path) -> str:
    """ "xml", "json" or "" = what `read_rows` reads, by the first bytes; the ending counts where they say nothing."""
    endings = [suffix.lower() for suffix in path.suffixes[-2:]]
    packed = bool(endings) and endings[-1] == ".gz"
    ending = (endings[:-1] if packed else endings)[-1:]
    named = "xml" if ending[:1] == [".xml"] else ""
    if ending and ending[0] == ".parquet":
        return ""
    try:
        with _open(path, packed) as file:
            start = file.read(400)
    except _UNREADABLE:
        return named
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start[: len(start) // 2 * 2].decode("utf-16", "replace").encode()
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"<?xml", b"<rss", b"<feed")):
        return "xml"
    if ending and ending[0] in (".jsonl", ".ndjson") and start.startswith(b"["):
        return "json"
    return named


def _open(path: Path, packed: bool) -> BinaryIO:
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _packed(path: Path, form: str, tally: Tally) -> Iterator[Numbered]:
    try:
        with _open(path, path.suffix.lower() == ".gz") as file:
            yield from (read_xml if form == "xml" else read_json)(file, tally)
    except PermissionError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}. Check its permissions.") from error
    except _UNREADABLE as error:
        fix = "Copy or pack the file again; the rest is lost."
        tally.reject(RowFault("the file breaks off", "", str(error), fix), None)
