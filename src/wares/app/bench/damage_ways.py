"""Ways in which the files of a shop get damaged, one at a time, and how each is mended again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from wares.engine.manifest import SEAL, sealed, sha256_of
from wares.engine.rules.book import FOLDER as RULES
from wares.engine.settings import FILE_NAME
from wares.engine.snapshot_manifest import MANIFEST

Rng = np.random.Generator
Undo = Callable[[], None]
_TOLD = {"promotion.json"}  # only shown to people; no answer depends on it
_ODD: tuple[Any, ...] = (None, 3, -1, 1e300, "x", "../000001", [], {}, [1], {"a": 1}, True, "\u0000")


def damaged(folder: Path, snapshot: Path, rng: Rng) -> tuple[str, Path, Undo]:
    """Damage one thing of the shop in `folder`, mostly of its newest snapshot; (kind, file, how to mend it)."""
    files = sorted(path for path in snapshot.iterdir() if path.name not in _TOLD)
    parts = [path for path in files if path.name != MANIFEST]
    turn = int(rng.integers(10))
    if turn == 0:
        first, second = (files[int(i)] for i in rng.choice(len(files), 2, replace=False))
        return "two files exchanged", first, _exchange(first, second)
    if turn == 1:
        undo = _remembered(snapshot / MANIFEST)
        _say_otherwise(snapshot / MANIFEST, rng)
        return "manifest altered, its checksum right", snapshot / MANIFEST, undo
    if turn == 2:
        path = parts[int(rng.integers(len(parts)))]
        undo = _remembered(path, snapshot / MANIFEST)
        _nonsense(path, snapshot / MANIFEST, rng)
        return "content altered, its checksum right", path, undo
    newest_rules = max((folder / RULES).glob("0*.toml"))
    chosen = files if turn < 7 else [[folder / FILE_NAME], [snapshot.parent / "CURRENT"], [newest_rules]][turn - 7]
    path = chosen[int(rng.integers(len(chosen)))]
    kind, way = list(_WAYS.items())[int(rng.integers(len(_WAYS)))]
    undo = _remembered(path)
    path.chmod(0o644)
    way(path, rng)
    return kind, path, undo


def _remembered(*paths: Path) -> Undo:
    before = [(path, path.read_bytes(), path.stat().st_mode) for path in paths]

    def undo() -> None:
        for path, content, mode in before:
            if path.exists():
                path.chmod(0o644)
            path.write_bytes(content)
            path.chmod(mode)

    return undo


def _flip_byte(path: Path, rng: Rng) -> None:
    data = bytearray(path.read_bytes())
    data[int(rng.integers(len(data)))] ^= int(rng.integers(1, 256))
    path.write_bytes(bytes(data))


def _flip_bit(path: Path, rng: Rng) -> None:
    data = bytearray(path.read_bytes())
    data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(bytes(data))


def _cut(path: Path, rng: Rng) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(rng.integers(len(data)))])


def _empty(path: Path, rng: Rng) -> None:
    path.write_bytes(b"")


def _zeros(path: Path, rng: Rng) -> None:
    path.write_bytes(bytes(len(path.read_bytes())))  # what some file systems leave after a power cut


def _append(path: Path, rng: Rng) -> None:
    path.write_bytes(path.read_bytes() + bytes(rng.integers(33, 127, int(rng.integers(1, 30)), np.uint8)))


def _remove(path: Path, rng: Rng) -> None:
    path.unlink()


_WAYS: dict[str, Callable[[Path, Rng], None]] = {
    "a byte altered": _flip_byte,
    "a bit altered": _flip_bit,
    "cut": _cut,
    "emptied": _empty,
    "filled with zeros": _zeros,
    "something appended": _append,
    "removed": _remove,
}


def _exchange(first: Path, second: Path) -> Undo:
    undo = _remembered(first, second)
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    return undo


def _say_otherwise(path: Path, rng: Rng) -> None:
    """Another value somewhere in the manifest, sealed as if wares had written it."""
    told = json.loads(path.read_text(encoding="utf-8"))
    told.pop(SEAL)
    name = ("name", "last_event", "last_change", "encoder", "models", "facts", "files", "format")[int(rng.integers(8))]
    if name == "files" and rng.random() < 0.5:
        told["files"].pop(sorted(told["files"])[int(rng.integers(len(told["files"])))])
    elif rng.random() < 0.2:
        del told[name]
    else:
        odd = [one for one in _ODD if type(one) is not type(told[name]) or name in ("name", "format", "models")]
        told[name] = odd[int(rng.integers(len(odd)))]
    path.write_text(sealed(told), encoding="utf-8")


def _nonsense(path: Path, manifest: Path, rng: Rng) -> None:
    """Another content of a part, whose checksum the manifest then gives."""
    data = path.read_bytes()
    turn = int(rng.integers(4))
    if turn == 0:
        data = bytes(rng.integers(0, 256, 500, np.uint8))
    elif turn == 1:
        data = data[: len(data) // 2]
    elif turn == 2:
        data = b""
    else:
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, other=np.arange(3))
        data = path.read_bytes()
    path.write_bytes(data)
    told = json.loads(manifest.read_text(encoding="utf-8"))
    told.pop(SEAL)
    told["files"][path.name] = sha256_of(path)
    manifest.write_text(sealed(told), encoding="utf-8")
