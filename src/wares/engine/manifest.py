"""Manifests: JSON that names files with their SHA-256 and carries its own, so that nothing is altered unnoticed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SEAL = "sha256"
_CHECK = 12  # hex digits behind a name


def sealed(told: Mapping[str, Any]) -> str:
    """JSON text with its own checksum in it."""
    return json.dumps({**told, SEAL: _own(told)}, indent=1)


def read_sealed(path: Path) -> dict[str, Any]:
    """The JSON object of a file, with its seal. FileNotFoundError, OSError; ValueError for anything else."""
    try:
        told = json.loads(path.read_bytes().decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(told, dict):
        raise ValueError("it is no JSON object")
    return told


def is_whole(told: dict[str, Any]) -> bool:
    """Whether the object says what `sealed` was given; takes the seal out of it."""
    return bool(told.pop(SEAL, None) == _own(told))


def sha256_of(path: Path) -> str:
    """Of a file's content, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked_name(name: str) -> str:
    """A name with a checksum behind it: the content of a file that only says which one is meant."""
    return f"{name} {hashlib.sha256(name.encode()).hexdigest()[:_CHECK]}"


def read_checked_name(text: str) -> str:
    """The name of `checked_name`, or of a text without a checksum, as earlier versions wrote; "" = it was altered."""
    name, _, check = text.strip().partition(" ")
    return name if not check or text.strip() == checked_name(name) else ""


def _own(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
