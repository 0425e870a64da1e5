"""Any source -> rows with their line numbers. A row that cannot be read is counted in the tally; the rest goes on.

A source is a path (CSV, JSONL, Parquet; text files also as .gz), a table (polars, pandas, Arrow) or rows as mappings.
"""

import csv
import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from wares.errors import InputError
from wares.feeds.encodings import guess_encoding
from wares.feeds.json_documents import read_json
from wares.feeds.report import RowFault, Tally

Row = dict[str, Any]
Source = str | Path | Iterable[Mapping[str, Any]] | Any  # Any: tables of libraries that wares does not depend on
SLICE = 50_000  # rows of a Parquet file that are in memory at a time
MAX_LINES = 500  # lines that one quoted CSV record may span
ENDINGS = ".csv, .tsv, .txt, .jsonl, .ndjson, .json, .parquet, and the text ones with .gz"
_DELIMITERS = ",;\t|"  # of the header, the most frequent one counts; the first where there is none
_UNREADABLE = (OSError, EOFError, zlib.error)


def name_of(source: Source) -> str:
    """What messages call a source: the path, or "rows"."""
    return str(source) if isinstance(source, str | Path) else "rows"


def read_rows(source: Source, tally: Tally) -> Iterator[tuple[int, Row]]:
    """(line, row) of everything readable. CSV and JSONL lines count from 1 with the header, other rows from 1.

    Raises InputError for a file that is not there, an unknown ending, or a Parquet file that is none.
    """
    if isinstance(source, str | Path):
        return _read_file(Path(source), tally)
    return _read_mappings(_mappings(source), tally)


def _read_file(path: Path, tally: Tally) -> Iterator[tuple[int, Row]]:
    endings = [suffix.lower() for suffix in path.suffixes[-2:]]
    packed = bool(endings) and endings[-1] == ".gz"
    ending = (endings[:-1] if packed else endings)[-1:]
    known = {".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json"} | ({".parquet"} if not packed else set())
    if not ending or ending[0] not in known:
        raise InputError(f"{path}: the ending {''.join(endings[-1:])!r} is not known. Use one of {ENDINGS}.")
    if not path.is_file():
        raise InputError(f"There is no file {path}. Give the path of an existing file ({ENDINGS}).")
    if path.stat().st_size == 0:
        tally.note(f"{path} is empty.")
        return iter(())
    if ending[0] == ".parquet":
        return _read_parquet(path)
    if ending[0] == ".json":
        return _read_json(path, packed, tally)
    return (_read_jsonl if ending[0] in (".jsonl", ".ndjson") else _read_csv)(path, packed, tally)


def _open(path: Path, packed: bool) -> BinaryIO:
    try:
        return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}. Check its permissions.") from error


def _decoded(file: BinaryIO, encoding: str, tally: Tally) -> Iterator[str]:
    """Lines with their ends. Those that are not UTF-8 are read as what the first of them was guessed to be, and counted
    as repairs."""
    other = ""
    for line, raw in enumerate(file if encoding == "utf-8" else _utf16(file), 1):
        if line == 1 and raw.startswith(b"\xef\xbb\xbf"):
            raw = raw[3:]
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            other = other or guess_encoding(raw)
            text = raw.decode(other, "replace")
            tally.line = line
            tally.repair("not UTF-8", "", raw[error.start : error.start + 20], "Save the file as UTF-8.")
            tally.note(f"What is not UTF-8 was read as {other}.")
        yield text if "\r" not in text else text.replace("\r\n", "\n").replace("\r", "\n")


def _utf16(file: BinaryIO) -> Iterator[bytes]:
    """A UTF-16 file (Excel's "Unicode text") as UTF-8 lines; such files are read whole."""
    return iter(file.read().decode("utf-16", "replace").encode("utf-8").splitlines(keepends=True))


class _Lines:
    """Lines for one csv reader, which can go back to the start of a record that turned out to be broken."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: list[str] = []  # lines to be read once more, the next one last
        self.record: list[str] = []  # lines of the present record
        self.done = 0  # lines before the present record

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.record) >= MAX_LINES:
            raise StopIteration
        line = self._again.pop() if self._again else next(self._lines)
        self.record.append(line)
        return line

    def accept(self) -> None:
        self.done += len(self.record)
        self.record = []

    def again(self) -> None:
        """Read the present record once more."""
        self._again.extend(reversed(self.record))
        self.record = []

    def skip_one(self) -> str:
        """Give up the record's first line and read the others again."""
        first, *others = self.record
        self._again.extend(reversed(others))
        self.done += 1
        self.record = []
        return first


def _read_csv(path: Path, packed: bool, tally: Tally) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # the module's own limit of 128 KiB stops at a long title
    with _open(path, packed) as file:
        try:
            start = file.read(2)
            file.seek(0)
            wide = start in (b"\xff\xfe", b"\xfe\xff")
            if wide:
                tally.note(f"{path} is in UTF-16.")
            lines = _Lines(_decoded(file, "utf-16" if wide else "utf-8", tally))
            yield from _records(lines, tally)
        except _UNREADABLE as error:
            _cut_short(tally, error)


def _records(lines: _Lines, tally: Tally) -> Iterator[tuple[int, Row]]:
    header: list[str] = []
    width = rows = 0
    first = next(lines, "")
    lines.again()
    bare = re.sub(r'"[^"]*"', "", first)
    delimiter = max(_DELIMITERS, key=bare.count)
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    while True:
        fault = None
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            fault, cells = str(error), []
        line = lines.done + 1
        if not fault and not cells:  # a blank line
            lines.accept()
            continue
        if not header and not fault:
            header, width = _header(cells, tally), len(cells)
            lines.accept()
            continue
        if fault or len(cells) != width:
            tally.line = line
            raw = lines.skip_one() if lines.record else ""
            if not fault or "unexpected end" not in fault:
                reason = "broken quoting" if fault else "wrong number of cells"
            else:
                reason = "a quote that is never closed"
            fix = 'Quote a cell that holds a delimiter, line end or quote, and double the quotes in it: "12"" ruler".'
            if not fault:
                fix = f"The header has {width} columns, this row {len(cells)}. " + fix
            tally.reject(RowFault(reason, "", raw.rstrip("\n"), fix), raw[:10_000])
            reader = csv.reader(lines, strict=True, delimiter=delimiter)
            continue
        rows += 1
        lines.accept()
        yield line, dict(zip(header, cells, strict=True))
    if not rows and not tally.rejected:
        tally.note(f"{tally.source} has a header only." if header else f"{tally.source} is empty.")


def _header(cells: list[str], tally: Tally) -> list[str]:
    names = [cell.strip() or f"column {i}" for i, cell in enumerate(cells, 1)]
    for name in {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ():
        tally.note(f"The header names the column {name[:80]!r} more than once; the last one counts.")
    return names


def _read_jsonl(path: Path, packed: bool, tally: Tally) -> Iterator[tuple[int, Row]]:
    rows = line = 0
    with _open(path, packed) as file:
        try:
            for line, raw in enumerate(file, 1):
                if line == 1 and raw.startswith(b"\xef\xbb\xbf"):
                    raw = raw[3:]
                if not raw.strip():
                    continue
                rows += 1
                try:
                    row = json.loads(raw)
                except (ValueError, RecursionError) as error:
                    tally.line = line
                    shown = raw[:10_000].decode("utf-8", "replace").rstrip()
                    fix = f"Write one JSON object per line, in UTF-8 ({error})."
                    tally.reject(RowFault("broken JSON", "", shown, fix[:300]), shown)
                    continue
                if isinstance(row, dict):
                    yield line, row
                else:
                    tally.line = line
                    tally.reject(RowFault("not an object", "", row, 'Write {"id": ...} on each line.'), row)
        except _UNREADABLE as error:
            tally.line = line + 1
            _cut_short(tally, error)
    if not rows and not tally.rejected:
        tally.note(f"{path} is empty.")


def _read_json(path: Path, packed: bool, tally: Tally) -> Iterator[tuple[int, Row]]:
    """Exports call JSON Lines .json, too. What is one list of objects, or one object over many lines, is read whole."""
    with _open(path, packed) as file:
        try:
            lines = (line.strip() for line in file if line.strip())
            start, further = next(lines, b"").removeprefix(b"\xef\xbb\xbf"), next(lines, b"")
            if not (further and start.startswith(b"{") and start.endswith(b"}")):
                file.seek(0)
                yield from read_json(file, tally)
                return
        except _UNREADABLE as error:
            _cut_short(tally, error)
            return
    yield from _read_jsonl(path, packed, tally)


def _cut_short(tally: Tally, error: BaseException) -> None:
    tally.reject(
        RowFault("the file breaks off", "", str(error), "Copy or pack the file again; the rest is lost."), None
    )


def _read_parquet(path: Path) -> Iterator[tuple[int, Row]]:
    import polars as pl

    try:
        table = pl.scan_parquet(path, glob=False)
        height = table.select(pl.len()).collect().item()
        starts = range(0, height, SLICE)
        for start in starts:
            yield from enumerate(table.slice(start, SLICE).collect().iter_rows(named=True), start + 1)
    except (pl.exceptions.PolarsError, OSError) as error:
        problem = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be read as Parquet: {problem}. Write it again.") from error


def _mappings(source: Any) -> Iterable[Any]:
    if hasattr(source, "collect_schema") and hasattr(source, "collect"):  # a polars LazyFrame, or a DataFrame
        source = source.collect() if not hasattr(source, "iter_rows") else source
    if hasattr(source, "iter_rows") and hasattr(source, "columns"):
        return source.iter_rows(named=True)  # type: ignore[no-any-return]
    if hasattr(source, "itertuples") and hasattr(source, "columns"):  # pandas
        names = [str(name) for name in source.columns]
        return (dict(zip(names, cells, strict=True)) for cells in source.itertuples(index=False, name=None))
    if hasattr(source, "__arrow_c_stream__"):
        import polars as pl

        return pl.DataFrame(source).iter_rows(named=True)
    if isinstance(source, Mapping) or not isinstance(source, Iterable):
        kind = type(source).__name__
        raise InputError(f"A {kind} is no source of rows. Give a path, a table or an iterable of dicts.")
    return source


def _read_mappings(rows: Iterable[Any], tally: Tally) -> Iterator[tuple[int, Row]]:
    line = 0
    for line, row in enumerate(rows, 1):
        if type(row) is dict:  # the common case, quickly
            yield line, row
        elif isinstance(row, Mapping):
            yield line, dict(row)
        else:
            tally.line = line
            tally.reject(RowFault("not an object", "", row, "Give each row as a dict: {'id': ...}."), row)
    if not line:
        tally.note(f"{tally.source} is empty.")
