"""The files of an export: which hold records and which other things, told by what is in them."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from wares.errors import InputError
from wares.feeds.dialects.columns import Numbered
from wares.feeds.dialects.free_columns import SAMPLE, Guess
from wares.feeds.dialects.free_names import FIELDS
from wares.feeds.dialects.product_feeds import FREE, read_feed, recognise
from wares.feeds.migrations import algolia, elasticsearch, typesense
from wares.feeds.migrations.found import Engine, Kind, Ledger, Names, Part, plain
from wares.feeds.report import Tally

ENGINES: dict[str, Engine] = {one.name: one for one in (algolia.ENGINE, elasticsearch.ENGINE, typesense.ENGINE)}
ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_WORDS_OF_FILES: tuple[tuple[str, Kind], ...] = (
    *(("synonym", "synonyms"), ("rule", "rules"), ("override", "rules"), ("curation", "rules")),
    *(("setting", "settings"), ("mapping", "fields"), ("schema", "fields"), ("stop", "stop words")),
)
RENAMED = {"objectID": "id", "_id": "id", "_tags": "tags"}


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export. `parts` is empty where it holds records, which are read as a stream."""

    path: Path
    holds: str  # for people
    parts: tuple[Part, ...] = ()
    has_records: bool = False


def files_in(paths: Sequence[Path], engine: Engine) -> list[Path]:
    """The files themselves, and those in the folders, by name. InputError where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.is_file() and _ending(one) in _known(engine))
            if not inside:
                raise InputError(f"{path} holds no file of an export ({', '.join(_known(engine))}, or with .gz).")
            found += inside
        elif path.is_file():
            if _ending(path) not in _known(engine):
                raise InputError(f"{path}: an export is {', '.join(_known(engine))}, or one with .gz.")
            found.append(path)
        else:
            raise InputError(f"There is no file {path}. Nothing was migrated.")
    return list(dict.fromkeys(found))


def sort_file(path: Path, engine: Engine, ledger: Ledger) -> ExportFile:
    """What a file holds, by its first document. Documents that cannot be read are settled as not mapped."""
    if _ending(path) == ".txt":
        parts = tuple(Part("synonyms", f"line {line}", text) for line, text in _lines(path))
        return _sorted(path, parts, ledger)
    tally = Tally(str(path))
    rows = read_feed(path, tally)
    first = next(rows, None)
    if first is None and tally.rejected:
        kind = next((kind for word, kind in _WORDS_OF_FILES if word in path.name.lower()), None)
        if kind is not None:
            _lost(path, tally, kind, ledger)
            return ExportFile(path, f"{kind}, all unreadable")
    told = list(engine.parts(first[1])) if first is not None else []
    if first is None or (told and told[0].kind == "records"):
        return ExportFile(path, "records", has_records=True)
    told += _parts((row for _, row in rows), engine)
    _lost(path, tally, told[0].kind if told else "settings", ledger)
    return _sorted(path, tuple(told), ledger)


def _parts(documents: Iterable[Mapping[str, Any]], engine: Engine) -> Iterator[Part]:
    for document in documents:
        yield from engine.parts(document)


def _sorted(path: Path, parts: tuple[Part, ...], ledger: Ledger) -> ExportFile:
    counts: dict[str, int] = {}
    for part in parts:
        ledger.see(part.kind)
        counts[part.kind] = counts.get(part.kind, 0) + 1
        if part.kind == "records":
            why = f"a record within {plain(path.name)}: put records into a file of their own"
            ledger.settle("records", "not mapped", why=why, name=part.name)
    told = ", ".join(f"{n:,} {kind}" for kind, n in counts.items())
    return ExportFile(path, told or "nothing", tuple(part for part in parts if part.kind != "records"))


def _lost(path: Path, tally: Tally, kind: Kind, ledger: Ledger) -> None:
    """Documents that the reader refused."""
    for finding in tally.report().rejections:
        ledger.see(kind, finding.count)
        line = f" (line {finding.examples[0].line})" if finding.examples and finding.examples[0].line else ""
        ledger.settle(kind, "not mapped", why=f"{finding.rule} in {plain(path.name)}{line}", count=finding.count)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the columns of the first records are taken for; `chosen` maps wares' fields to them, for all files alike.

    `currency` is the one that all of them name, or "".
    """

    names: Names
    guesses: tuple[Guess, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""


def read_sample(
    paths: Sequence[Path], engine: Engine, chosen: Mapping[str, str], suggested: Mapping[str, str]
) -> Sample:
    """`chosen` columns hold their fields because a person said so, `suggested` ones because the export does.

    Raises UnknownName for a chosen column that the records do not have.
    """
    sample: list[Numbered] = []
    if paths:
        tally = Tally(str(paths[0]))
        sample = list(islice(engine.records(read_feed(paths[0], tally), tally), SAMPLE))
    if not sample:
        return Sample(Names(fields=RENAMED), chosen=chosen)
    columns = dict.fromkeys(str(name) for _, row in sample for name in row)
    told = {**{name: column for name, column in suggested.items() if column in columns}, **chosen}
    feed = recognise(iter(sample), tally, FREE, told)
    fields = {guess.column: guess.field for guess in feed.guesses if guess.field}
    if not feed.guesses:
        fields = {name: name for name in columns if name in FIELDS} | {column: name for name, column in told.items()}
    paths_of: dict[str, str] = {}
    currencies = set[str]()
    for _, own, _ in feed.told(tally):
        currencies.add(str(own.get("currency", "")).upper())
        levels = path.split(" > ") if isinstance(path := own.get("category"), str) else []
        for depth, level in enumerate(levels, 1):
            whole = " > ".join(levels[:depth])
            paths_of[level] = whole if paths_of.get(level, whole) == whole else ""
    renamed = {theirs: ours for theirs, ours in RENAMED.items() if ours in columns}
    names = Names({**renamed, **fields}, frozenset(columns), paths_of)
    by_field = {guess.field: guess.column for guess in feed.guesses if guess.field}
    currency = currencies.pop() if len(currencies) == 1 else ""
    is_code = len(currency) == 3 and currency.isascii() and currency.isalpha()
    return Sample(names, feed.guesses, {**told, **by_field}, currency if is_code else "")


def with_columns(rows: Iterator[Numbered], columns: Iterable[str]) -> Iterator[Numbered]:
    """The first row names all of these columns, so that they are known where the first records lack them."""
    for line, row in rows:
        yield line, {**dict.fromkeys(columns), **row}
        break
    yield from rows


def _known(engine: Engine) -> tuple[str, ...]:
    """Elasticsearch reads synonyms from text files."""
    return (*ENDINGS, ".txt") if engine.name == "elasticsearch" else ENDINGS


def _ending(path: Path) -> str:
    endings = [suffix.lower() for suffix in path.suffixes[-2:]]
    if endings and endings[-1] == ".gz":
        endings.pop()
    return endings[-1] if endings else ""


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that say something."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}). Copy it again.") from error
    for line, text in enumerate(raw.decode("utf-8-sig", "replace").splitlines(), 1):
        if text.strip() and not text.lstrip().startswith("#"):
            yield line, text.strip()
