"""The catalogue: what the shop sells, with a number for every change."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from typing import Any

from pydantic_core import from_json

from wares.domain.offer import offer_of, told
from wares.domain.product import Product, ProductText
from wares.store.connections import Connections
from wares.store.keys import AT_ONCE, intern_products, select_in

_CHUNK = 5_000  # products written at a time, within one transaction
_PUT = (
    "INSERT INTO products (key, change, row) VALUES (?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET change = excluded.change, row = excluded.row WHERE row IS NOT excluded.row"
)
_CHANGES = "SELECT change, key, id, row FROM products JOIN product_ids USING (key) WHERE change > ? ORDER BY change"
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_EMPTY = Product("")
_NOT_KEPT = ("id", "regular_price_minor")
_DEFAULTS = {name: getattr(_EMPTY, name) for name in (field.name for field in fields(Product)) if name not in _NOT_KEPT}


class SqliteCatalogue:
    """Products as JSON rows. A product put again unchanged is no change; a deleted one leaves a tombstone."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def put(self, products: Iterable[Product]) -> int:
        """Insert or replace, durably, all or none; the number of the last change. Of equal ids the last one stays.

        Raises StoreUnwritable, StoreError; DataError for a value that cannot be kept.
        """
        rest = iter(products)
        with self._connections.writing() as connection:
            last = _last(connection)
            while chunk := list(islice(rest, _CHUNK)):
                keys = intern_products(connection, (product.id for product in chunk))
                rows = ((keys[product.id], last + i, to_row(product)) for i, product in enumerate(chunk, 1))
                connection.executemany(_PUT, rows)
                last += len(chunk)
            return _last(connection)

    def delete(self, ids: Sequence[str]) -> int:
        """Durably; unknown ids are ignored. The number of the last change."""
        with self._connections.writing() as connection:
            last = _last(connection)
            known = select_in(
                connection, "SELECT key FROM products JOIN product_ids USING (key) WHERE row IS NOT NULL AND id IN", ids
            )
            rows = [(last + i, key) for i, (key,) in enumerate(sorted(set(known)), 1)]
            connection.executemany("UPDATE products SET change = ?, row = NULL WHERE key = ?", rows)
            return last + len(rows)

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        """The known ones of these."""
        with self._connections.reading(one=len(ids) <= AT_ONCE) as connection:
            known = list(  # read to the end before any is used: what is left half read keeps its moment
                select_in(
                    connection,
                    "SELECT id, row FROM products JOIN product_ids USING (key) WHERE row IS NOT NULL AND id IN",
                    ids,
                )
            )
        return {product_id: from_row(product_id, row) for product_id, row in known}

    def keyed(self, ids: Sequence[str], keys: Sequence[int] = ()) -> dict[int, Product]:
        """The known ones of these, whether named by id or by the key that events carry: key -> product."""
        asked = "SELECT key, id, row FROM products JOIN product_ids USING (key) WHERE row IS NOT NULL AND"
        with self._connections.reading() as connection:
            found = [*select_in(connection, f"{asked} id IN", ids), *select_in(connection, f"{asked} key IN", keys)]
        return {key: from_row(product_id, row) for key, product_id, row in found}

    def ids(self, market: str | None = None) -> list[str]:
        """Of all products that the shop has, in the order of their last change; with a `market` of those with an offer
        of it, of those that the shop itself sells for ""."""
        told = "SELECT id FROM products JOIN product_ids USING (key) WHERE row IS NOT NULL"
        asked: tuple[str, ...] = ()
        if market == "":
            told += " AND json_extract(row, '$.markets_only') IS NULL"
        elif market is not None:
            told, asked = told + " AND json_type(row, ?) IS NOT NULL", (f'$.offers."{market}"',)
        with self._connections.reading() as connection:
            return [product_id for (product_id,) in connection.execute(told + " ORDER BY change", asked)]

    def changes(self, after: int = 0) -> Iterator[tuple[int, int, str, Product | None]]:
        """(change number, product key, id, product or None if deleted) of each product's last change, in order.

        A stream over one moment of the catalogue; changes made while it runs come with the next call.
        """
        with self._connections.reading(one=True) as connection:
            for change, key, product_id, row in connection.execute(_CHANGES, (after,)):
                yield change, key, product_id, None if row is None else from_row(product_id, row)


def to_row(product: Product) -> str:
    """JSON of what differs from an empty product; the id stands elsewhere."""
    row = {name: value for name, default in _DEFAULTS.items() if (value := getattr(product, name)) != default}
    if "attributes" in row:
        row["attributes"] = dict(row["attributes"])
    if "offers" in row:
        row["offers"] = {market: told(offer) for market, offer in row["offers"].items()}
    if "texts" in row:
        row["texts"] = {language: [text.title, text.description] for language, text in row["texts"].items()}
    return _encoded(row)


def from_row(product_id: str, row: str) -> Product:
    """The product that `to_row` was given."""
    said: dict[str, Any] = from_json(row)  # what many say alike (a brand, a colour) is one text in memory
    if "category" in said:
        said["category"] = tuple(said["category"])
    if "attributes" in said:
        said["attributes"] = {name: tuple(values) for name, values in said["attributes"].items()}
    if "offers" in said:
        said["offers"] = {market: offer_of(offer) for market, offer in said["offers"].items()}
    if "texts" in said:
        said["texts"] = {language: ProductText(*text) for language, text in said["texts"].items()}
    return Product(product_id, **said)


def _last(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT ifnull(max(change), 0) FROM products").fetchone()[0])
