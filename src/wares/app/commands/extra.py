"""Installs an extra of wares, such as `train`, with pip; first it looks at what pip would fetch, and asks where that is
much: the same pin of torch is a small wheel for the processor on one machine and gigabytes of CUDA on another.
"""

import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, url2pathname, urlopen

import typer

from wares.app.commands import screen
from wares.errors import InputError

MUCH = 1_000_000_000  # bytes from which one is asked
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
_LOOK = ("install", "--dry-run", "--quiet", "--report", "-")
_CUDA = ("nvidia-", "cuda-", "triton")  # what only a build for NVIDIA's cards brings
_ASKED_S = 10.0

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
SizeOf = Callable[[str], int | None]


@dataclass(frozen=True)
class Part:
    """A package that pip would fetch; `size` in bytes, None = nobody said."""

    name: str
    version: str
    size: int | None


@dataclass(frozen=True)
class Fetch:
    """All that pip would fetch."""

    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes, of those whose size is known."""
        return sum(part.size or 0 for part in self.parts)

    @property
    def unknown(self) -> int:
        """Of how many the size is not known."""
        return sum(part.size is None for part in self.parts)

    @property
    def cuda(self) -> tuple[str, ...]:
        """Packages that only a CUDA build brings."""
        return tuple(part.name for part in self.parts if part.name.startswith(_CUDA) or "+cu" in part.version)

    @property
    def asks(self) -> bool:
        """Whether one should be asked before it."""
        return bool(self.cuda) or self.size >= MUCH

    def __str__(self) -> str:
        size = f"{self.size / 1e6:,.0f} MB" if self.size < MUCH else f"{self.size / 1e9:,.1f} GB"
        told = {0: size, len(self.parts): "of unknown size"}.get(self.unknown, f"at least {size}")
        cuda = f", a CUDA build with {len(self.cuda)} packages for NVIDIA's graphics cards" if self.cuda else ""
        return f"{len(self.parts)} packages, {told}{cuda}"


def requirements(extra: str, package: str = "wares") -> tuple[str, ...]:
    """What an extra of an installed package asks for, without its markers."""
    named = re.compile(rf"""extra\s*==\s*["']{re.escape(extra)}["']""")
    split = (line.partition(";") for line in importlib.metadata.requires(package) or ())
    return tuple(what.strip() for what, _, marker in split if named.search(marker))


def look(wanted: Sequence[str], run: "Run | None" = None, size_of: "SizeOf | None" = None) -> Fetch:
    """What pip would fetch for these requirements; nothing is installed. Raises InputError with pip's own words."""
    done = (run or _run)([*_PIP, *_LOOK, *wanted])
    if done.returncode:
        raise _failed("pip cannot find what to install", done.stderr, wanted)
    try:
        found = [
            (_canonical(one["metadata"]["name"]), str(one["metadata"]["version"]), str(one["download_info"]["url"]))
            for one in json.loads(done.stdout)["install"]
        ]
    except (ValueError, KeyError, TypeError):
        raise _failed("pip's report of what it would install cannot be read", done.stderr, wanted) from None
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(size_of or size_at, (url for _, _, url in found)))
    return Fetch(tuple(Part(name, version, size) for (name, version, _), size in zip(found, sizes, strict=True)))


def install(wanted: Sequence[str], *, yes: bool, run: "Run | None" = None, size_of: "SizeOf | None" = None) -> Fetch:
    """Look, ask where it is much (unless `yes`), install; what was fetched.

    Raises InputError where pip fails, where somebody says no, and where nobody can be asked.
    """
    screen.note(f"Looking at what pip would fetch for {', '.join(wanted)} ...")
    found = look(wanted, run, size_of)
    if not found.parts:
        return found
    if found.asks and not yes:
        _ask(found, wanted)
    screen.note(f"Installing {found}.")
    done = (run or _run)([*_PIP, "install", "--quiet", *wanted])
    if done.returncode:
        raise _failed("pip could not install", done.stderr, wanted)
    importlib.invalidate_caches()
    return found


def size_at(url: str) -> int | None:
    """Bytes of the file at an address, asked without fetching it; None = it does not say."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "file":
            return Path(url2pathname(unquote(parts.path))).stat().st_size
        if parts.scheme not in ("http", "https"):
            return None
        with urlopen(Request(url, method="HEAD"), timeout=_ASKED_S) as answer:  # noqa: S310 (the scheme is checked)
            return int(answer.headers["Content-Length"])
    except (OSError, URLError, ValueError, TypeError):
        return None


def _ask(found: Fetch, wanted: Sequence[str]) -> None:
    told = f"pip would fetch {found}."
    if not sys.stdin.isatty():
        raise InputError(
            f"{told} There is no terminal to ask at, so nothing was fetched. Say --yes to agree, or first install a "
            f"build of torch for the processor alone; PyTorch's own installation page names it."
        )
    screen.note(
        f"{told} A build of torch for the processor alone is smaller; PyTorch's own installation page names it."
    )
    if not typer.confirm("Fetch all that?", default=False, err=True):
        raise InputError(f"Nothing was fetched: {', '.join(wanted)}.")


def _failed(what: str, stderr: str, wanted: Sequence[str]) -> InputError:
    errors = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
    by_pip = [line for line in errors if line.startswith("ERROR")]
    said = (by_pip or errors or ["it gave no reason"])[-1][:300]
    names = " ".join(f"'{one}'" for one in wanted)
    return InputError(f"{what}: {said}. Where this machine has no pip or no network, install {names} another way.")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (pip with fixed words)
