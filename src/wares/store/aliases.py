"""Anonymous shoppers who turned out to be known ones: two ids, one history. Nothing is rewritten; it can be undone."""

import sqlite3
from collections.abc import Iterable
from itertools import islice

from wares.domain.shopper import Joined, Login
from wares.errors import AmbiguousShopper, InputError
from wares.store.connections import Connections
from wares.store.keys import Hashes, intern_shoppers
from wares.store.schema import is_since

CHUNK = 10_000  # logins per transaction
_SINCE = 3  # the schema version that brought the table
_FIND = "SELECT key FROM shoppers WHERE hash = ?"
_KNOWN_OF = "SELECT known FROM aliases WHERE shopper = ?"
_JOINED_TO = "SELECT shopper FROM aliases WHERE known = ? ORDER BY shopper"
_PUT = "INSERT INTO aliases (shopper, known, time_ms, consent) VALUES (?, ?, ?, ?)"


class SqliteAliases:
    """Events keep the key they were written with; whoever reads events or shoppers sees one shopper."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._hashes = Hashes(connections.secret)

    def join(self, login: Login, time_ms: int) -> bool:
        """Let the anonymous shopper's history be the known one's, durably; False = it was already.

        Raises AmbiguousShopper for one who is known, too, or belongs to somebody else; InputError for an empty id, or
        the same twice.
        """
        with self._connections.writing() as connection:
            return self._join(connection, login, time_ms)

    def join_all(self, logins: Iterable[Login], time_ms: int) -> Joined:
        """Any number of them, durably, 10,000 at a time all or none; who is refused stays apart."""
        rest, new, repeated, place = iter(logins), 0, 0, 0
        refused: list[tuple[int, str]] = []
        while some := list(islice(rest, CHUNK)):
            with self._connections.writing() as connection:
                for login in some:
                    try:
                        joined = self._join(connection, login, time_ms)
                    except InputError as error:
                        refused.append((place, str(error)))
                    else:
                        new, repeated = new + joined, repeated + (not joined)
                    place += 1
        return Joined(new, repeated, refused=tuple(refused))

    def part(self, anonymous_id: str) -> bool:
        """Undo a join, durably: both have their own events again. False = this shopper was joined to nobody."""
        with self._connections.writing() as connection:
            found = connection.execute(_FIND, (self._hashes.shopper(anonymous_id),)).fetchone()
            return found is not None and connection.execute("DELETE FROM aliases WHERE shopper = ?", found).rowcount > 0

    def has(self, login: Login) -> bool:
        """Whether these two are one shopper already."""
        with self._connections.reading() as connection:
            if not has_some(connection):
                return False
            mine, theirs = (_key(connection, self._hashes.shopper(id_)) for id_ in (login.anonymous_id, login.known_id))
            if mine is None or theirs is None or mine == theirs:
                return False
            return resolved(connection, mine) == resolved(connection, theirs)

    def count(self) -> int:
        with self._connections.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM aliases").fetchone()[0]) if has_some(connection) else 0

    def _join(self, connection: sqlite3.Connection, login: Login, time_ms: int) -> bool:
        if not (login.anonymous_id and login.known_id):
            raise InputError("A login needs two ids: the anonymous one and the known one. One of them is empty.")
        if login.anonymous_id == login.known_id:
            raise InputError("The anonymous and the known id of this login are the same: there is nothing to join.")
        mine, theirs = self._hashes.shopper(login.anonymous_id), self._hashes.shopper(login.known_id)
        anonymous, known = _key(connection, mine), _key(connection, theirs)
        before = connection.execute(_KNOWN_OF, (anonymous,)).fetchone()
        if before is not None and known is not None and before[0] == resolved(connection, known):
            return False
        if before is not None:
            raise AmbiguousShopper(
                "The anonymous shopper of this login belongs to another known shopper already. Two people may share a "
                "device: give it a new anonymous id after each login, or undo the first join."
            )
        if connection.execute(_JOINED_TO, (anonymous,)).fetchone() is not None:
            raise AmbiguousShopper(
                "The shopper named as anonymous in this login is a known one: others were joined to them. Two known "
                "shoppers are never joined. Name the anonymous id first, the known one second."
            )
        keys = intern_shoppers(connection, (mine, theirs))  # a login may come before any event of either
        connection.execute(_PUT, (keys[mine], resolved(connection, keys[theirs]), time_ms, login.consent))
        return True


def has_table(connection: sqlite3.Connection) -> bool:
    """Whether anybody can be joined to anybody."""
    return is_since(connection, _SINCE)


def has_some(connection: sqlite3.Connection) -> bool:
    """Whether anybody is joined to anybody; who reads events need not look for it otherwise."""
    return has_table(connection) and connection.execute("SELECT 1 FROM aliases LIMIT 1").fetchone() is not None


def resolved(connection: sqlite3.Connection, key: int) -> int:
    """The key of the known shopper that this one was joined to, or their own. Needs the table."""
    found = connection.execute(_KNOWN_OF, (key,)).fetchone()
    return int(found[0]) if found is not None else key


def _key(connection: sqlite3.Connection, shopper: bytes) -> int | None:
    """None = never heard of."""
    found = connection.execute(_FIND, (shopper,)).fetchone()
    return int(found[0]) if found is not None else None


def joined_to(connection: sqlite3.Connection, key: int) -> list[int]:
    """The keys that were joined to this one. Needs the table."""
    return [shopper for (shopper,) in connection.execute(_JOINED_TO, (key,))]
