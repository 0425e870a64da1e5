"""Rows of `wares bench recommend` that were measured before, so that a run that was cut goes on where it was.

A row is kept under a digest of all that it follows from: the code of wares and of what it computes with, the events
that it learns from and is asked about, what is known of the items, what it chose before, and the seed. What it has
learnt is not kept, since that is far larger: who is made of rows that are here makes them learn again.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

import wares
from wares.app.bench.recommend_cost import Cost
from wares.app.bench.recommend_data import Questions
from wares.app.bench.recommend_rows import Items, Row
from wares.contracts import Floats
from wares.domain.interactions import Interactions
from wares.engine.durable import publish

At = tuple[str, int]  # the name of a row, and the seed

_LIBRARIES = ("numpy", "scipy", "torch")


@dataclass(frozen=True)
class Measured:
    """What one row with one seed came to."""

    values: NDArray[np.float64]  # (s, 2) recall@10 and ndcg@10 of each user
    valid: NDArray[np.float64] | None  # the same of the validation
    cost: Cost
    chosen: Mapping[str, Any] = field(default_factory=dict)
    ranked: tuple[list[NDArray[np.int64]], list[Floats]] | None = None  # of each user, where that was asked for


@dataclass(frozen=True)
class KeptRows:
    """The rows in a folder; what cannot be read there has not been measured."""

    folder: Path

    def read(self, key: str) -> Measured | None:
        try:
            with self._path(key).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                told = {name: file[name] for name in file.files}
            more = json.loads(told["more"].item())
            ranked = None
            if "ranked" in told:
                ends = told["lengths"].cumsum()[:-1]
                ranked = (np.split(told["ranked"], ends), np.split(told["scores"], ends))
            chosen = {name: told[f"chosen {name}"] for name in more["arrays"]} | more["chosen"]
            return Measured(told["values"], told.get("valid"), Cost(**more["cost"]), chosen, ranked)
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
            return None

    def keep(self, key: str, row: Measured) -> None:
        """A folder that cannot be written is done without."""
        arrays = {name: one for name, one in row.chosen.items() if isinstance(one, np.ndarray)}
        more = {
            "cost": vars(row.cost),
            "arrays": list(arrays),
            "chosen": {name: one for name, one in row.chosen.items() if name not in arrays},
        }
        state = {"values": row.values, "more": np.array(json.dumps(more))}
        state |= {f"chosen {name}": one for name, one in arrays.items()}
        if row.valid is not None:
            state["valid"] = row.valid
        if row.ranked is not None and row.ranked[0]:
            rows, scores = row.ranked
            lengths = np.array([len(one) for one in rows])
            state |= {"ranked": np.concatenate(rows), "scores": np.concatenate(scores), "lengths": lengths}
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(path.name + ".part")
            with draft.open("wb") as file:
                np.savez_compressed(file, allow_pickle=False, **state)
            publish(draft, path)
        except OSError:
            return

    def _path(self, key: str) -> Path:
        return self.folder / "rows" / f"{key}.npz"


def code_digest() -> str:
    """Of every line of wares, and of the versions of what it computes with: a changed line measures anew."""
    digest = hashlib.sha256()
    root = Path(wares.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\n".encode())
        digest.update(path.read_bytes())
    for name in _LIBRARIES:
        try:
            digest.update(f"{name} {version(name)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"no {name}\n".encode())
    return digest.hexdigest()


def lesson_digest(train: Interactions, validation: Questions | None, test: Questions, items: Items) -> str:
    """Of what every row of a table learns from and is asked."""
    digest = hashlib.sha256(f"{train.n_products} {validation is None}\n".encode())
    parts: list[Interactions] = [train, test.asked]
    targets = [test.targets]
    if validation is not None:
        parts.append(validation.asked)
        targets.append(validation.targets)
    for part in parts:
        for array in (part.events.rows, part.events.times_ms, part.indptr):
            digest.update(array.tobytes())
    for array in targets:
        digest.update(array.tobytes())
    digest.update(json.dumps([items.texts, items.attributes]).encode())
    digest.update(b"" if items.vectors is None else items.vectors.tobytes())
    return digest.hexdigest()


def row_key(code: str, lesson: str, row: Row, there: Iterable[str], seed: int, chosen: Mapping[str, Any]) -> str:
    """`there`: the rows of the table, since one that is made of others takes those that there are."""
    told = {name: one.tolist() if isinstance(one, np.ndarray) else one for name, one in chosen.items()}
    parts = sorted(set(row.needs) & set(there))
    return hashlib.sha256(json.dumps([code, lesson, row.name, parts, seed, told]).encode()).hexdigest()


def learning(rows: Sequence[Row], seeds: Sequence[int], missing: Collection[At]) -> set[At]:
    """Who has to learn: the missing rows, and those that they are made of; each row stands behind those that it needs.

    What a row without chance learnt from the first seed holds for all.
    """
    found = set[At]()
    for seed in seeds:
        names = {name for name, own in missing if own == seed}
        for row in reversed(rows):
            if row.name in names:
                names.update(row.needs)
                found.add((row.name, seed if row.random else seeds[0]))
    return found
