"""What goes through a pipe between two processes of one service: a JSON value, and parts of bytes behind it.

A frame is the number of its parts, their lengths (4 bytes each, little-endian), and the parts; the first one is JSON.
"""

import asyncio
import json
import struct
from collections.abc import Sequence
from io import FileIO
from typing import Any, BinaryIO

Frame = tuple[Any, list[bytes]]
_NUMBER = struct.Struct("<I")
_MOST_PARTS = 1_000  # more is no frame: somebody else wrote into the pipe


def packed(told: object, parts: Sequence[bytes] = ()) -> bytes:
    """The frame of a value that JSON can hold, and parts."""
    whole = [json.dumps(told, separators=(",", ":")).encode(), *parts]
    return b"".join((_NUMBER.pack(len(whole)), *(_NUMBER.pack(len(part)) for part in whole), *whole))


def read_frame(pipe: BinaryIO | FileIO) -> Frame | None:
    """The next one, waiting for it; None = there is none any more. EOFError for one that is cut."""
    first = pipe.read(_NUMBER.size) or b""
    if not first:
        return None
    first += _exactly(pipe, _NUMBER.size - len(first))
    sizes = _sizes(_exactly(pipe, _NUMBER.size * _many(first)))
    told, *parts = (_exactly(pipe, size) for size in sizes)
    return json.loads(told), parts


async def next_frame(pipe: asyncio.StreamReader) -> Frame:
    """The same in an event loop. IncompleteReadError = there is none any more, or it is cut."""
    sizes = _sizes(await pipe.readexactly(_NUMBER.size * _many(await pipe.readexactly(_NUMBER.size))))
    whole = await pipe.readexactly(sum(sizes))
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    told, *parts = (whole[end - size : end] for end, size in zip(ends, sizes, strict=True))
    return json.loads(told), parts


def _many(raw: bytes) -> int:
    (many,) = _NUMBER.unpack(raw)
    if not 1 <= many <= _MOST_PARTS:
        raise EOFError(f"{many} parts are no frame.")
    return int(many)


def _sizes(raw: bytes) -> list[int]:
    return [size for (size,) in _NUMBER.iter_unpack(raw)]


def _exactly(pipe: BinaryIO | FileIO, size: int) -> bytes:
    parts = list[bytes]()
    while size:
        if not (part := pipe.read(size)):  # of a bare file what is there may be less
            raise EOFError("The frame is cut.")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
