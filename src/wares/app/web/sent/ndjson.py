"""JSON lines in: a body is cut into lines as it arrives, and a line that cannot be read is refused alone."""

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic_core import from_json

from wares.app.web.limits import Limits
from wares.app.web.told.refusals import Refused

MEDIA_TYPE = "application/x-ndjson"
MEDIA_TYPES = frozenset((MEDIA_TYPE, "application/ndjson", "application/jsonl"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line, counted from 1 in what was sent. `reason` and the rest: why it cannot be used."""

    line: int
    status: Literal["kept", "repeated", "refused"]
    reason: str = ""
    field: str = ""
    value: str = ""
    fix: str = ""


@dataclass(slots=True)
class Rows:
    """Of a body: the rows that can be read, where each stood, and what became of the other lines."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)


async def cut_lines(chunks: AsyncIterable[bytes], limits: Limits) -> list[bytes | None]:
    """The lines of a body; None = longer than a record may be, and let go of as it came. Refused for too many records,
    or more empty lines than there may be records: a million of them are a small body, and cost as much as any others.
    """
    lines: list[bytes | None] = []
    most_lines = 2 * limits.records
    count, open_line, too_long = 0, bytearray(), False

    def end_line() -> None:
        nonlocal count, open_line, too_long
        line = None if too_long or len(open_line) > limits.record_bytes else bytes(open_line)
        lines.append(line)
        count += line is None or bool(line.strip())
        if count > limits.records or len(lines) > most_lines:
            detail = f"More than {limits.records:,} records are too many. Send smaller batches."
            raise Refused(413, "too-many-records", detail)
        open_line, too_long = bytearray(), False

    async for chunk in chunks:
        first, *rest = chunk.split(b"\n", most_lines + 1 - len(lines))  # what lies behind is not even cut
        open_line += first
        for piece in rest:
            end_line()
            open_line += piece
        if len(open_line) > limits.record_bytes:
            open_line, too_long = bytearray(), True
    if open_line or too_long:
        end_line()
    return lines


def read_lines(lines: Iterable[bytes | None], limits: Limits) -> Rows:
    """A JSON object of each line. Empty lines are passed over, but counted."""
    found = Rows()
    for number, line in enumerate(lines, 1):
        if line is None:
            fix = f"Give a record of at most {limits.record_bytes:,} bytes."
            found.refused.append(Outcome(number, "refused", "too long", fix=fix))
            continue
        if not line or line.isspace():
            continue
        try:
            row = from_json(line, allow_inf_nan=False)
        except ValueError as error:
            fix = "Write one JSON object on each line, in UTF-8."
            found.refused.append(Outcome(number, "refused", "no JSON", value=str(error)[:80], fix=fix))
            continue
        if type(row) is dict:
            found.rows.append(row)
            found.lines.append(number)
        else:
            fix = "Give each row as a JSON object: {...}."
            found.refused.append(Outcome(number, "refused", "not an object", value=type(row).__name__, fix=fix))
    return found
