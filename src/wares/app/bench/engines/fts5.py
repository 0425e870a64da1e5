"""SQLite's full-text search: in memory, Porter stems, bm25() over any word. It cannot cut '2x4' apart."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from wares.app.bench.engines.contract import Floats, MissingPackage, Ranking, best_first

_CREATE = """create virtual table products using fts5(
    text, content='', tokenize='porter unicode61 remove_diacritics 2')"""  # only the index: the rows are known
_RANK = "select rowid, -rank from products where products match ? order by rank limit ?"
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Fts5:
    """Every word of the query stands in quotes, so that none is an operator."""

    name: ClassVar[str] = "sqlite-fts5"
    connection: sqlite3.Connection

    @classmethod
    def of(cls, texts: Sequence[str], vectors: Floats | None) -> Self:
        connection = sqlite3.connect(":memory:")
        engine = cls(connection)
        try:
            connection.execute(_CREATE)
        except sqlite3.OperationalError as cause:
            raise MissingPackage(cls.name, "a SQLite with FTS5") from cause
        connection.executemany("insert into products(rowid, text) values (?, ?)", enumerate(texts))
        connection.execute("insert into products(products) values ('optimize')")
        connection.commit()
        return engine

    def rank(self, query: str, vector: Floats | None, k: int) -> Ranking:
        words = dict.fromkeys(_WORD.findall(query))
        match = " OR ".join(f'"{word}"' for word in words)
        found = self.connection.execute(_RANK, (match, k)).fetchall() if words else []
        rows, scores = np.array(found, np.float64).reshape(-1, 2).T
        return best_first(rows, scores, k)

    def __del__(self) -> None:
        self.connection.close()
