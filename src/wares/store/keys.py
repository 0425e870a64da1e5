"""What stands for ids inside the shop: small integers for products and shoppers, keyed hashes for secrets."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, TypeVar

from wares.domain.event import Event

Hashed = TypeVar("Hashed", str, bytes)

AT_ONCE = 500  # values in one IN (...)
_GIVEN, _DERIVED = b"\1", b"\0"
_SIMULATED = b"\xff"  # in no text's UTF-8


class Hashes:
    """Keyed hashes: who does not know the shop's secret cannot try out ids. Each purpose has a space of its own."""

    def __init__(self, secret: bytes) -> None:
        self._shopper = blake2b(key=secret, digest_size=16, person=b"shopper")
        self._basket = blake2b(key=secret, digest_size=8, person=b"basket")
        self._given = blake2b(key=secret, digest_size=15, person=b"event id")
        self._derived = blake2b(key=secret, digest_size=9, person=b"event")

    def shopper(self, shopper_id: str) -> bytes:
        """16 bytes."""
        hasher = self._shopper.copy()
        hasher.update(_bytes(shopper_id))
        return hasher.digest()

    def basket(self, shopper: bytes | None, basket_id: str) -> int:
        """63 bits: the same basket id of two shoppers is two baskets."""
        hasher = self._basket.copy()
        hasher.update((shopper or bytes(16)) + _bytes(basket_id))
        return int.from_bytes(hasher.digest(), "big") >> 1

    def given(self, event_id: str, simulated: bool = False) -> bytes:
        """The 16 bytes that make an event with this id unique; a simulated one never takes the place of a real one."""
        hasher = self._given.copy()
        hasher.update(_bytes(event_id) + _SIMULATED * simulated)
        return _GIVEN + hasher.digest()

    def derived(self, event: Event) -> bytes:
        """The 16 bytes that make an event without an id unique: its time, then a hash of all that it says
        but for the answer in which its product was met: a feed that tells that later repeats the same events.

        Time comes first so that a feed in order of time touches few pages of the index.
        """
        shopper, product, basket = event.shopper_id or "", event.product_id or "", event.basket_id
        said = (
            f"{event.kind} {event.time_ms} {float(event.quantity)} {event.value_minor}"
            f" {len(shopper)} {len(product)} {len(basket)} {shopper}{product}{basket}{event.query}"
        )
        hasher = self._derived.copy()
        hasher.update(_bytes(said) + _SIMULATED * event.simulated)
        return _DERIVED + (event.time_ms & 0xFFFF_FFFF_FFFF).to_bytes(6, "big") + hasher.digest()

    def again(self, key: bytes, ordinal: int) -> bytes:
        """The key of the event that equals the one of `key` and is its `ordinal`-th repetition in a feed."""
        hasher = self._derived.copy()
        hasher.update(key + ordinal.to_bytes(8, "big"))
        return key[:7] + hasher.digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # whether a text is valid is the database's question


def intern_products(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, int]:
    """id -> key, where an id seen for the first time gets one. Needs a transaction."""
    return _intern(
        connection, "SELECT id, key FROM product_ids WHERE id IN", "INSERT INTO product_ids (id) VALUES (?)", ids
    )


def intern_shoppers(connection: sqlite3.Connection, hashes: Iterable[bytes]) -> dict[bytes, int]:
    """hash -> key, where a hash seen for the first time gets one. Needs a transaction."""
    return _intern(
        connection, "SELECT hash, key FROM shoppers WHERE hash IN", "INSERT INTO shoppers (hash) VALUES (?)", hashes
    )


def _intern(connection: sqlite3.Connection, ask: str, insert: str, values: Iterable[Hashed]) -> dict[Hashed, int]:
    wanted = list(dict.fromkeys(values))
    known: dict[Hashed, int] = dict(select_in(connection, ask, wanted))
    missing = [value for value in wanted if value not in known]
    connection.executemany(insert, ((value,) for value in missing))
    known.update(select_in(connection, ask, missing))
    return known


def select_in(
    connection: sqlite3.Connection, sql: str, values: Sequence[str] | Sequence[bytes] | Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    """The rows of `sql`, which ends in "IN", for any number of values: asked for some at a time."""
    rest = iter(values)
    while some := list(islice(rest, AT_ONCE)):
        yield from connection.execute(f"{sql} ({','.join('?' * len(some))})", some)
