"""How often products were shown and chosen, as a file that a counting process writes and a serving one follows."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wares.engine.durable import publish
from wares.policies.exploration import Exposures

FILE = "exposures.npz"


class _Counts(Mapping[str, tuple[float, float, float]]):
    """What is known of each product as a row of one array: a tuple for each had a server that reads the file stand
    still for a quarter of a second, most of it looking through them for garbage."""

    def __init__(self, rows: Mapping[str, int], counts: NDArray[np.float64]) -> None:
        self._rows, self._counts = rows, counts  # id -> row of (n, 3)

    def __getitem__(self, product_id: str) -> tuple[float, float, float]:
        shown, looks, clicks = self._counts[self._rows[product_id]].tolist()
        return shown, looks, clicks

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class ServingExposures:
    """`current` is what exploration goes by; nothing is known while there is no file."""

    def __init__(self, shop_folder: Path, warn: Callable[[str], None]) -> None:
        self._path, self._warn = shop_folder / FILE, warn
        self._known = Exposures()
        self._looked_for: tuple[int, int] | None = None
        self.follow()

    def current(self) -> Exposures:
        """As of the last look."""
        return self._known

    def follow(self) -> None:
        """Take up a newer file."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return
        seen = (stat.st_mtime_ns, stat.st_ino)
        if seen == self._looked_for:
            return
        self._looked_for = seen
        try:
            self._known = read_exposures(self._path)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            self._warn(f"{self._path}: cannot be read ({error}); exploration goes on with what it knew.")


def write_exposures(shop_folder: Path, found: Exposures) -> None:
    """The whole new file or the old one."""
    draft = shop_folder / f".{FILE}.part.npz"
    counts = np.array(list(found.of.values()), np.float64).reshape(-1, 3)
    arrays: Mapping[str, NDArray[np.generic]] = {
        "products": np.array(list(found.of), dtype=np.str_),
        "counts": counts,
        "categories": np.array(list(found.rates), dtype=np.str_),
        "rates": np.array(list(found.rates.values()), np.float64),
    }
    try:
        np.savez_compressed(draft, allow_pickle=False, **arrays)
        publish(draft, shop_folder / FILE)
    finally:
        draft.unlink(missing_ok=True)


def read_exposures(path: Path) -> Exposures:
    """Raises OSError, ValueError, KeyError or BadZipFile for a file that is cut or something else."""
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # NumPy leaves open what is no archive
        products: list[str] = file["products"].tolist()
        counts = file["counts"].astype(np.float64, casting="safe", copy=False)
        if counts.shape != (len(products), 3):
            raise ValueError(f"{len(products)} products and counts of shape {counts.shape}")
        of = _Counts({product_id: row for row, product_id in enumerate(products)}, counts)
        return Exposures(of, dict(zip(file["categories"].tolist(), file["rates"].tolist(), strict=True)))
