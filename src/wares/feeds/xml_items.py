"""XML feeds -> rows, one per <item>, <entry>, <product>, <offer> or <SHOPITEM>, in constant memory.

Each item is parsed alone, so that a fault costs one item. A document type, which could declare entities that grow or
that read files, is refused; nothing outside the file is ever opened.
"""

import codecs
import re
from collections.abc import Iterator
from html.entities import html5
from typing import BinaryIO
from xml.parsers import expat

from wares.errors import DataError
from wares.feeds.encodings import guess_encoding
from wares.feeds.readers import Row
from wares.feeds.report import RowFault, Tally

MAX_ITEM = 2_000_000  # characters of one item; a longer one is rejected
BLOCK = 65_536  # bytes read at a time, fewer where a line ends
ITEMS = ("item", "entry", "product", "offer", "shopitem")
ENCODINGS = (
    "utf-8",
    "utf-16",
    "cp1252",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "koi8-r",
    "cp1250",
    "cp1251",
)
_SAME = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "utf-8", "gbk": "gb18030", "gb2312": "gb18030"}
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_NAME = "|".join(ITEMS)
_MARK = re.compile(
    rf"<!--|-->|<!\[CDATA\[|\]\]>|<!DOCTYPE|<(?:\w+:)?({_NAME})(?=[\s/>])|</(?:\w+:)?({_NAME})\s*>", re.IGNORECASE
)
_OVERLAP = 80  # characters that a mark may be long
_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)([A-Za-z][A-Za-z0-9]{1,30};)?")
_CDATA = re.compile(r"(<!\[CDATA\[.*?\]\]>)", re.DOTALL)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NEXT = "Write & as &amp;, < as &lt;, and close each element, or put texts into <![CDATA[...]]>."


def read_xml(file: BinaryIO, tally: Tally) -> Iterator[tuple[int, Row]]:
    """(line, row) of each item: name -> text, or a list where it comes several times. Of prefixes only g: stays.

    Elements within elements and attributes are left out, but for an Atom link's href. Raises DataError for a file
    that declares a document type.
    """
    found = False
    for line, text, whole in _items(_texts(file, tally), tally):
        found = True
        tally.line = line
        if not whole:
            tally.reject(RowFault("an item that is not closed", "", text[:200], _NEXT), text[:10_000])
            continue
        if len(text) > MAX_ITEM:
            fix = f"Give items of at most {MAX_ITEM:,} characters."
            tally.reject(RowFault("an item that is too long", "", text[:200], fix), None)
            continue
        try:
            row = _parsed(text)
        except expat.ExpatError as error:
            try:
                row = _parsed(_mended(text))
            except (expat.ExpatError, ValueError):
                shown = _around(text, error)
                tally.line = line + max(error.lineno - 1, 0)
                tally.reject(
                    RowFault("broken XML", "", shown, f"{expat.ErrorString(error.code)}. {_NEXT}"), text[:10_000]
                )
                continue
            tally.line = line + max(error.lineno - 1, 0)
            tally.repair("broken XML that could be mended", "", _around(text, error), _NEXT)
        yield line, row
    if not found:
        fix = f"Give products as one of the elements {', '.join(ITEMS)}."
        tally.line = 0
        tally.reject(RowFault("no items in the XML", "", "", fix), None)


def _texts(file: BinaryIO, tally: Tally) -> Iterator[str]:
    """The text in pieces, in the encoding that it begins with or declares. What is not UTF-8 is guessed."""
    start = file.read(1024)
    file.seek(0)
    encoding = _encoding(start, tally)
    if encoding != "utf-8":
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        while raw := file.read(BLOCK):
            yield decoder.decode(raw).lstrip("\ufeff")
        yield decoder.decode(b"", final=True)
        return
    rest, line, other = b"", 1, ""
    while raw := file.readline(BLOCK):
        raw = rest + raw
        rest = b""
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.end == len(raw) and len(raw) - error.start < 4 and len(raw) > BLOCK // 2:  # cut in a character
                raw, rest = raw[: error.start], raw[error.start :]
                text = raw.decode("utf-8", "replace")
            else:
                other = other or guess_encoding(raw)
                text = raw.decode(other, "replace")
                tally.line = line
                shown = raw[error.start : error.start + 20]
                tally.repair("not UTF-8", "", shown, "Save the file as UTF-8, or declare its encoding.")
        line += text.count("\n")
        yield text.lstrip("\ufeff")
    if rest:
        yield rest.decode(other or guess_encoding(rest), "replace")


def _encoding(start: bytes, tally: Tally) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        tally.note("The file is in UTF-16.")
        return "utf-16"
    declared = _DECLARED.search(start)
    if declared is None:
        return "utf-8"
    given = declared[1].decode("ascii").lower()
    name = _SAME.get(given, given)
    try:
        name = codecs.lookup(name).name
        known = next((one for one in ENCODINGS if codecs.lookup(one).name == name), "")
    except LookupError:
        known = ""
    if not known or known == "utf-16":  # UTF-16 would begin with its mark
        tally.note(f"The declared encoding {given!r} is not known or not what the file is in; read as UTF-8.")
        return "utf-8"
    if known != "utf-8":
        tally.note(f"The file declares the encoding {given}.")
    return known


def _items(pieces: Iterator[str], tally: Tally) -> Iterator[tuple[int, str, bool]]:
    """(line, text, whether it was closed) of each item. The first item's name is that of all."""
    name = within = ""  # within: "-->" or "]]>" while that is waited for
    hidden = 0  # the line on which that began
    parts: list[str] | None = None  # of the item that is open
    size = line = start = 0
    line, rest = 1, ""
    for last, piece in _with_last(pieces):
        text, done = rest + piece, 0
        limit = len(text) if last else max(len(text) - _OVERLAP, 0)
        for mark in _MARK.finditer(text):
            if mark.start() >= limit:
                break
            sign = mark[0].lower()
            if within:
                within = "" if sign == within else within
                continue
            if sign in ("<!--", "<![cdata["):
                within = "-->" if sign == "<!--" else "]]>"
                hidden = line + text.count("\n", done, mark.start())
                continue
            if sign == "<!doctype":
                at = line + text.count("\n", done, mark.start())
                problem = (
                    "the XML declares a document type, which is refused: it may hold entities. Remove <!DOCTYPE ...>"
                )
                raise DataError(problem, file=tally.source, line=at)
            opened, closed = (mark[1] or "").lower(), (mark[2] or "").lower()
            if opened and (not name or opened == name):
                name = opened
                before, done, line = _passed(text, done, mark.start(), line)
                if parts is not None:
                    yield start, "".join([*parts, before]), False
                parts, size, start = [], 0, line
            elif closed and closed == name and parts is not None:
                before, done, line = _passed(text, done, mark.end(), line)
                yield start, "".join([*parts, before]), True
                parts = None
        before, done, line = _passed(text, done, max(limit, done), line)
        rest = text[done:]
        if parts is not None and size <= MAX_ITEM:
            parts.append(before)
            size += len(before)
    if parts is not None:
        yield start, "".join(parts), False
    elif within:
        fix = f"Close it with {within}: nothing behind this place was read."
        tally.line = hidden
        tally.reject(RowFault("a comment or CDATA that is not closed", "", "", fix), None)


def _with_last(pieces: Iterator[str]) -> Iterator[tuple[bool, str]]:
    """The pieces, and after them an empty one that is marked as the last."""
    for piece in pieces:
        if piece:
            yield False, piece
    yield True, ""


def _passed(text: str, done: int, until: int, line: int) -> tuple[str, int, int]:
    before = text[done:until]
    return before, until, line + before.count("\n")


def _parsed(text: str) -> Row:
    """An item's elements. Raises ExpatError for what is no XML."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    found: dict[str, dict[int, str | list[str]]] = {}
    depth = 0
    name = ""
    texts: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, name
        depth += 1
        if depth == 2:
            name = _local(tag)
            texts.clear()
            if name == "link" and "href" in attributes:  # Atom
                texts.append(attributes["href"])
        elif depth > 2:
            name = ""  # a structure, such as shipping

    def end(tag: str) -> None:
        nonlocal depth, name
        if depth == 2 and name:
            _add(found.setdefault(name, {}), _rank(tag), "".join(texts).strip())
        depth -= 1

    def characters(data: str) -> None:
        if depth == 2 and name:
            texts.append(data)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    parser.Parse(text, True)
    best = ((name, min(told), told) for name, told in found.items())
    return {f"g:{name}" if rank == 0 else name: told[rank] for name, rank, told in best}


def _rank(tag: str) -> int:
    """Of g:title, title and media:title the first one counts."""
    prefix, colon, _ = tag.rpartition(":")
    return 1 if not colon else 0 if prefix == "g" else 2


def _add(told: dict[int, str | list[str]], rank: int, text: str) -> None:
    """One more element of a name; several of one rank are a list."""
    known = told.get(rank)
    if isinstance(known, list):
        known.append(text)
    else:
        told[rank] = text if known is None else [known, text]


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _mended(text: str) -> str:
    """With bare & and HTML's entities as XML, outside of CDATA, and without characters that XML forbids."""
    parts = _CDATA.split(_FORBIDDEN.sub("", text))
    return "".join(part if part.startswith("<![CDATA[") else _BARE.sub(_entity, part) for part in parts)


def _entity(found: re.Match[str]) -> str:
    known = html5.get(found[1] or "")
    if known is None or known in "&<>\"'":
        return "&amp;" + (found[1] or "")
    return known


def _around(text: str, error: expat.ExpatError) -> str:
    lines = text.split("\n")
    at = lines[min(max(error.lineno - 1, 0), len(lines) - 1)]
    return at[max(error.offset - 30, 0) : error.offset + 30].strip()
