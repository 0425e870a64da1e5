"""An anonymous shopper logs in: two ids, one history. Nothing is rewritten, and it can be undone."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wares.errors
from wares.domain.event import Event, EventKind
from wares.domain.shopper import Login, Shopper
from wares.errors import AmbiguousShopper, InputError
from wares.store.schema import FILE, SCHEMA_VERSION, TABLES
from wares.store.sqlite import Store

SOURCE = str(Path(wares.errors.__file__).parents[1])
NOON_MS = 1_500_000_000_000
VIEW = Event(EventKind.VIEW, NOON_MS, "cookie", "loaf")
BOUGHT = Event(EventKind.PURCHASE, NOON_MS + 1, "anna", "jam")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, "write") as store:
        yield store


def join(shop: Store, anonymous: str, known: str) -> bool:
    return shop.aliases.join(Login(anonymous, known, consent=True), NOON_MS)


def written(folder: Path) -> list[tuple[object, ...]]:
    """The events as they lie on the disk."""
    with closing(sqlite3.connect(folder / FILE)) as file:
        return file.execute("SELECT * FROM events ORDER BY seq").fetchall()


def as_version_2(folder: Path) -> None:
    """What a wares wrote that knew no logins: the same tables without those of logins."""
    with closing(sqlite3.connect(folder / FILE)) as file:
        file.executescript(
            "DROP TABLE aliases; DROP INDEX events_simulated; ALTER TABLE events DROP COLUMN simulated;"
            " ALTER TABLE events DROP COLUMN impression; ALTER TABLE events DROP COLUMN position;"
            " UPDATE meta SET value = 2 WHERE name = 'schema_version';"
        )


def test_after_a_login_all_events_are_the_known_shoppers(shop: Store) -> None:
    shop.events.append([VIEW, BOUGHT])
    assert join(shop, "cookie", "anna")
    shop.events.append([replace(VIEW, time_ms=NOON_MS + 2)])  # the same device, before the next login
    known = shop.shoppers.key("anna")
    assert shop.shoppers.key("cookie") == known
    assert shop.events.read().shopper_keys.tolist() == [known] * 3
    assert shop.events.read(2).shopper_keys.tolist() == [known]


def test_no_event_is_rewritten_and_a_join_can_be_undone(shop: Store, tmp_path: Path) -> None:
    shop.events.append([VIEW, BOUGHT])
    before, keys = written(tmp_path), shop.events.read().shopper_keys.tolist()
    join(shop, "cookie", "anna")
    assert written(tmp_path) == before
    assert shop.aliases.part("cookie")
    assert shop.events.read().shopper_keys.tolist() == keys
    assert not shop.aliases.part("cookie")
    assert not shop.aliases.part("nobody")


def test_the_same_login_again_changes_nothing(shop: Store) -> None:
    assert join(shop, "cookie", "anna")
    assert not join(shop, "cookie", "anna")
    assert shop.aliases.count() == 1


def test_a_shopper_may_have_several_devices(shop: Store) -> None:
    shop.events.append([VIEW, replace(VIEW, shopper_id="phone"), BOUGHT])
    assert join(shop, "cookie", "anna") and join(shop, "phone", "anna")
    assert len(set(shop.events.read().shopper_keys.tolist())) == 1


def test_who_is_joined_to_a_device_is_joined_to_its_owner(shop: Store) -> None:
    shop.events.append([VIEW, replace(VIEW, shopper_id="phone"), BOUGHT])
    join(shop, "cookie", "anna")
    assert join(shop, "phone", "cookie")
    assert not join(shop, "phone", "anna")
    assert set(shop.events.read().shopper_keys.tolist()) == {shop.shoppers.key("anna")}


def test_a_device_of_somebody_else_is_not_joined(shop: Store) -> None:
    join(shop, "cookie", "anna")
    with pytest.raises(AmbiguousShopper, match="another known shopper already") as raised:
        join(shop, "cookie", "ben")
    assert "anna" not in str(raised.value) and "cookie" not in str(raised.value)
    assert shop.shoppers.key("ben") is None, "who is refused leaves no trace"
    assert shop.aliases.count() == 1


@pytest.mark.parametrize("known", ["ben", "cookie"])
def test_two_known_shoppers_are_never_joined(shop: Store, known: str) -> None:
    join(shop, "cookie", "anna")
    join(shop, "phone", "ben")
    with pytest.raises(AmbiguousShopper, match="never joined"):
        join(shop, "anna", known)


@pytest.mark.parametrize(("anonymous", "known"), [("", "anna"), ("cookie", ""), ("anna", "anna")])
def test_a_login_names_two_shoppers(shop: Store, anonymous: str, known: str) -> None:
    with pytest.raises(InputError):
        join(shop, anonymous, known)
    assert shop.shoppers.key("anna") is None


def test_what_the_known_shopper_did_not_tell_the_anonymous_one_may_have_told(shop: Store) -> None:
    shop.shoppers.put([Shopper("cookie", {"age": "18-24", "city": "Riga"}), Shopper("anna", {"age": "35-44"})])
    shop.shoppers.put([Shopper("ben", {"age": "65+"})])
    join(shop, "cookie", "anna")
    for name in ("anna", "cookie"):
        assert shop.shoppers.get(name) == Shopper(name, {"age": "35-44", "city": "Riga"})
    everybody = dict(shop.shoppers.all_attributes())
    assert everybody[shop.shoppers.key("anna") or 0] == {"age": "35-44", "city": "Riga"}
    assert len(everybody) == 2


def test_one_person_on_two_devices_is_one_who_searched(shop: Store) -> None:
    search = Event(EventKind.SEARCH, NOON_MS, "cookie", query="rye bread")
    shop.events.append([search, replace(search, shopper_id="anna"), replace(search, shopper_id="ben")])
    assert shop.events.typed_queries(3) == {"rye bread": 3}
    join(shop, "cookie", "anna")
    assert shop.events.typed_queries(3) == {}
    assert shop.events.typed_queries(2) == {"rye bread": 2}


def test_erasing_a_shopper_erases_all_their_devices(shop: Store, tmp_path: Path) -> None:
    shop.shoppers.put([Shopper("cookie", {"note": "peculiar-note"})])
    shop.events.append([VIEW, replace(VIEW, shopper_id="phone"), BOUGHT, replace(BOUGHT, shopper_id="ben")])
    join(shop, "cookie", "anna")
    join(shop, "phone", "anna")
    hashes = shop.shoppers.hashes_of("anna")
    assert set(hashes) == {shop.shoppers.hash(name) for name in ("anna", "cookie", "phone")}
    assert shop.events.erase("anna") == 3
    assert shop.aliases.count() == 0
    assert [shop.shoppers.key(name) for name in ("anna", "cookie", "phone")] == [None] * 3
    assert shop.events.read().shopper_keys.tolist() == [shop.shoppers.key("ben")]
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(one in left for one in hashes) and b"peculiar" not in left


def test_erasing_a_device_after_a_login_leaves_its_owner_the_rest(shop: Store) -> None:
    shop.events.append([VIEW, replace(VIEW, shopper_id="phone"), BOUGHT])
    join(shop, "cookie", "anna")
    join(shop, "phone", "anna")
    assert shop.shoppers.hashes_of("cookie") == (shop.shoppers.hash("cookie"),)
    assert shop.events.erase("cookie") == 1
    assert shop.shoppers.key("cookie") is None
    assert shop.events.read().shopper_keys.tolist() == [shop.shoppers.key("anna")] * 2
    shop.events.append([replace(VIEW, time_ms=NOON_MS + 5)])
    assert shop.shoppers.key("cookie") != shop.shoppers.key("anna"), "the device is a stranger again"


def test_many_logins_at_once_tell_who_was_refused(shop: Store) -> None:
    logins = [("cookie", "anna"), ("phone", "anna"), ("cookie", "ben"), ("cookie", "anna"), ("anna", "ben")]
    told = shop.aliases.join_all((Login(*one) for one in logins), NOON_MS)
    assert (told.new, told.repeated, [place for place, _ in told.refused]) == (2, 1, [2, 4])
    assert shop.shoppers.key("ben") is None


def test_a_shop_of_version_2_is_read_as_it_is_and_upgraded_by_the_first_writer(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as shop:
        shop.events.append([VIEW, BOUGHT])
        shop.shoppers.put([Shopper("anna", {"age": "35-44"})])
        keys = shop.events.read().shopper_keys.tolist()
    as_version_2(tmp_path)
    with Store.open(tmp_path, "read") as reader:
        assert reader.events.read().shopper_keys.tolist() == keys
        assert reader.shoppers.keys_of("anna") == (reader.shoppers.key("anna"),)
        assert reader.shoppers.hashes_of("anna") == (reader.shoppers.hash("anna"),)
        assert dict(reader.shoppers.all_attributes()) == {reader.shoppers.key("anna"): {"age": "35-44"}}
        assert (reader.aliases.count(), reader.events.typed_queries(1)) == (0, {})
        with Store.open(tmp_path, "write") as writer:
            assert join(writer, "cookie", "anna")
        assert reader.shoppers.key("cookie") == reader.shoppers.key("anna"), "a reader sees what a writer brought"
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert file.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone() == (SCHEMA_VERSION,)
        made = {sql for (sql,) in file.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    assert set(TABLES) <= made


JOINER = """
import itertools, sys
from pathlib import Path
from wares.domain.shopper import Login
from wares.store.sqlite import Store
with Store.open(Path(sys.argv[1]), "write") as shop:
    for one in itertools.count(int(sys.argv[2])):
        shop.aliases.join(Login(f"cookie{one}", f"anna{one}"), 1)
        print(one, flush=True)
"""


def test_no_acknowledged_login_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    chance, acknowledged = random.Random(7), -1
    for _ in range(int(os.environ.get("WARES_KILLS", "5")) // 2 or 1):
        with subprocess.Popen(
            [sys.executable, "-c", JOINER, str(tmp_path), str(acknowledged + 1)],
            env={**os.environ, "PYTHONPATH": SOURCE},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            said = [process.stdout.readline()]
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
            said += process.stdout
        acknowledged = max([acknowledged, *(int(line) for line in said if line.endswith("\n"))])
        with Store.open(tmp_path, "write") as shop:
            assert shop.aliases.count() in (acknowledged + 1, acknowledged + 2)
            for one in range(acknowledged + 1):
                assert shop.shoppers.key(f"cookie{one}") == shop.shoppers.key(f"anna{one}")
            assert set(shop.shoppers.keys().values()) == {
                shop.shoppers.key(f"anna{one}") for one in range(shop.aliases.count())
            }, "a login is half-done"


NAMES = ("a", "b", "c", "d", "e")
LOGINS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(logins=LOGINS, erased=st.sampled_from((*NAMES, "nobody")))
def test_whatever_logs_in_everybody_has_one_key_and_there_are_no_chains(
    tmp_path_factory: pytest.TempPathFactory, logins: list[tuple[str, str]], erased: str
) -> None:
    folder = tmp_path_factory.mktemp("shop")
    owner: dict[str, str] = {}  # by the rule, in plain words
    with Store.open(folder, "write") as shop:
        shop.events.append(Event(EventKind.VIEW, i, name, "loaf") for i, name in enumerate(NAMES))
        for anonymous, known in logins:
            theirs = owner.get(known, known)
            allowed = anonymous != known and owner.get(anonymous, theirs) == theirs and anonymous not in owner.values()
            try:
                assert join(shop, anonymous, known) == (anonymous not in owner)
                assert allowed
                owner[anonymous] = theirs
            except InputError:
                assert not allowed
        keys = {name: shop.shoppers.key(name) for name in NAMES}
        assert shop.events.read().shopper_keys.tolist() == [keys[owner.get(name, name)] for name in NAMES]
        assert [key for key, *_ in map(shop.shoppers.keys_of, NAMES)] == [keys[name] for name in NAMES]
        gone = {erased} | {name for name in NAMES if owner.get(name) == erased}
        assert shop.events.erase(erased) == len(gone & set(NAMES))
        left = [name for name in NAMES if name not in gone]
        assert shop.events.read().shopper_keys.tolist() == [keys[owner.get(name, name)] for name in left]
        assert np.all(shop.events.read().shopper_keys >= 0)
