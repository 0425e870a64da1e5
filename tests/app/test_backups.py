"""A backup is one moment of the shop, made while it serves; what is restored answers as the shop did."""

import json
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from served_shop import GOODS, Server, build
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.web.access.keys import Keys
from wares.engine.backup.making import backups_in, make_backup
from wares.engine.backup.manifest import SHOP, read_backup
from wares.engine.backup.restoring import restore, verified
from wares.engine.rules.book import RuleBook
from wares.errors import BackupError, InputError, SnapshotError, StoreError, StoreLocked, StoreUnwritable
from wares.shop import open_shop
from wares.store.sqlite import Store
from wares.training.child import train_here

NOW_MS = 1_790_000_000_000
RULES = '[[rules]]\nname = "jam first"\nwhen = { query = "oat" }\npin = { p2 = 1 }\n'


def silent(stage: str, done: int, total: int) -> None:
    pass


def opens(folder: Path) -> None:
    with open_shop(folder, create=False) as shop:
        shop.recommend(k=1)


def wares_(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def event(number: int) -> dict[str, Any]:
    return {"kind": "purchase", "shopper_id": "ann", "product_id": f"p{number % 3}", "time": 1_700_000_000 + number}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with events, two snapshots, rules, synonyms, a key, and impressions."""
    folder = build(tmp_path_factory.mktemp("built") / "shop")
    (folder / "synonyms.txt").write_text("spread => jam\n", encoding="utf-8")
    with open_shop(folder) as shop:
        shop.record([event(number) for number in range(20)])
        for _ in range(2):
            train_here(folder, silent)
        RuleBook(folder).publish(RULES, "Anna")
        shop.log_impressions()
        shop.search("oat")
    Keys(folder).new(["search"])
    return folder


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(built, tmp_path / "shop"))


def answers(folder: Path) -> list[Any]:
    """What shoppers see, but for what changes by itself with time."""
    with open_shop(folder, create=False) as shop:
        pages = [shop.search("oat"), shop.search("spread"), shop.recommend("ann"), shop.recommend(), shop.browse()]
        return [(page.snapshot, page.total, [hit.product for hit in page.hits]) for page in pages]


def test_a_restored_shop_gives_the_same_answers(shop: Path, tmp_path: Path) -> None:
    done = wares_("backup", shop, tmp_path / "backups", "--json")
    told = json.loads(done.stdout)
    assert (told["last_event"], told["events"], told["snapshot"], told["last_impression"]) == (20, 20, "000002", 1)
    assert wares_("restore", tmp_path / "backups", tmp_path / "again").exit_code == 0
    assert answers(tmp_path / "again") == answers(shop)
    assert answers(shop)[0][2][0].id == "p2", "the rule and the snapshot are part of it"
    assert [key.id for key in Keys(tmp_path / "again").all()[0]] == [key.id for key in Keys(shop).all()[0]]
    assert (tmp_path / "again" / "keys").stat().st_mode == (shop / "keys").stat().st_mode
    assert sorted(path.name for path in (tmp_path / "again" / "snapshots").iterdir()) == ["000002", "CURRENT"]
    with Store.open(tmp_path / "again", "write") as store:
        assert store.events.last() == 20


def test_all_takes_older_snapshots_too(shop: Path, tmp_path: Path) -> None:
    wares_("backup", shop, tmp_path / "backups", "--all")
    wares_("restore", tmp_path / "backups", tmp_path / "again")
    assert wares_("rollback", tmp_path / "again").exit_code == 0
    assert answers(tmp_path / "again")[0][0] == "000001"


def test_events_acknowledged_before_a_backup_began_are_in_it_while_others_come(shop: Path, tmp_path: Path) -> None:
    key, _ = Keys(shop).new(["events"], rate=1_000_000)
    server, acknowledged, stop = Server(shop), [0], threading.Event()

    def sell() -> None:
        for number in count():
            if stop.is_set():
                return
            status, said = server.ask("POST", "/v1/events", {"events": [event(100 + number)]}, key)
            assert (status, said["new"]) == (200, 1), said
            acknowledged[0] = number + 1

    seller = threading.Thread(target=sell)
    seller.start()
    try:
        for place in range(2):
            before = acknowledged[0]
            while acknowledged[0] < before + 3:  # they really come meanwhile
                assert seller.is_alive()
                time.sleep(0.01)
            before = acknowledged[0]
            made, _ = make_backup(shop, tmp_path / "backups", NOW_MS + place * 1000, silent)
            restore(made, tmp_path / f"again{place}", NOW_MS, silent, opens)
            with Store.open(tmp_path / f"again{place}", "read") as store:
                sold = [time_ms // 1000 - 1_700_000_100 for time_ms in store.events.read().times_ms.tolist()[20:]]
            assert len(sold) >= before
            assert sold == list(range(len(sold))), "whole up to one moment"
    finally:
        stop.set()
        seller.join()
        server.end(signal.SIGTERM)
    assert acknowledged[0] > before, "the server went on"


# -- damage ------------------------------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(bytes(data))


def remove(path: Path) -> None:
    path.unlink()


def stray(path: Path) -> None:
    (path.parent / f"{path.name}.more").write_bytes(b"x")


@pytest.mark.parametrize("damage", [cut, flip, remove, stray])
def test_any_damage_to_a_backup_is_found_and_nothing_is_restored(
    shop: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    made, backup = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    assert len(backup.files) > 15
    for name in [*backup.files, *(["../backup.json"] if damage is not stray else [])]:
        path = made / SHOP / name
        whole = path.read_bytes()
        damage(path)
        with pytest.raises(BackupError):
            verified(made, silent)
        with pytest.raises(BackupError):
            restore(made, tmp_path / "again", NOW_MS, silent, opens)
        assert not (tmp_path / "again").exists()
        path.write_bytes(whole)
        path.with_name(f"{path.name}.more").unlink(missing_ok=True)
    assert wares_("restore", made, tmp_path / "again").exit_code == 0


def test_verify_tells_which_backups_are_whole(shop: Path, tmp_path: Path) -> None:
    for second in range(2):
        make_backup(shop, tmp_path / "backups", NOW_MS + second * 1000, silent)
    assert wares_("backup", "--verify", tmp_path / "backups").exit_code == 0
    first, second_ = backups_in(tmp_path / "backups")
    flip(second_ / SHOP / "wares.sqlite")
    done = wares_("backup", "--verify", tmp_path / "backups", "--json")
    assert done.exit_code == 1
    assert [one["whole"] for one in json.loads(done.stdout)["backups"]] == [True, False]
    assert wares_("restore", tmp_path / "backups", tmp_path / "again").exit_code == 1, (
        "an older one is not taken unasked"
    )
    assert wares_("restore", first, tmp_path / "again").exit_code == 0


def test_a_manifest_cannot_name_files_elsewhere(shop: Path, tmp_path: Path) -> None:
    from wares.engine.manifest import SEAL, sealed

    made, _ = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    told = json.loads((made / "backup.json").read_text())
    told.pop(SEAL)
    for name in ("../../outside", "/etc/hostname"):
        (made / "backup.json").write_text(sealed(told | {"files": {**told["files"], name: [1, "0"]}}))
        with pytest.raises(BackupError, match="lies elsewhere"):
            read_backup(made)


def test_a_damaged_shop_is_not_backed_up_over_good_backups(shop: Path, tmp_path: Path) -> None:
    make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    data = bytearray((shop / "wares.sqlite").read_bytes())
    data[4096 * 3 : 4096 * 6] = bytes(4096 * 3)
    (shop / "wares.sqlite").write_bytes(bytes(data))
    with pytest.raises(StoreError, match=r"damaged|not a readable"):
        make_backup(shop, tmp_path / "backups", NOW_MS + 1000, silent)
    assert [place.name for place in (tmp_path / "backups").iterdir()] == ["20260921T141320Z"]


def test_of_a_damaged_snapshot_the_last_good_one_is_kept_and_that_is_said(shop: Path, tmp_path: Path) -> None:
    flip(shop / "snapshots" / "000002" / "text.npz")
    _, backup = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    assert backup.snapshot == "000001"
    assert any("000002" in note and "text.npz" in note for note in backup.notes)
    wares_("restore", tmp_path / "backups", tmp_path / "again")
    assert answers(tmp_path / "again")[0][0] == "000001"


# -- where it goes -----------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_empty_is_refused(shop: Path, tmp_path: Path) -> None:
    made, _ = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"not empty \(notes.txt\).*--replace"):
        restore(made, tmp_path / "again", NOW_MS, silent, opens)
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["notes.txt"]


def test_replacing_keeps_what_was_there(shop: Path, tmp_path: Path) -> None:
    make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    before = answers(shop)
    with open_shop(shop) as open_:
        open_.put([{"id": "new", "title": "Oat cake"}])
    for _ in range(2):  # what the first one kept is no part of the second
        done = wares_("restore", tmp_path / "backups", shop, "--replace", "--json")
        kept = Path(json.loads(done.stdout)["kept"])
        assert answers(shop) == before
    first = min(path for path in shop.iterdir() if path.name.startswith("before-restore-"))
    with open_shop(first, create=False) as old:
        assert old.knows("new")
    assert not list(kept.glob("before-restore-*"))
    _, backup = make_backup(shop, tmp_path / "backups", NOW_MS + 1000, silent)
    assert not [name for name in backup.files if name.startswith("before-restore-")]


def test_what_cannot_be_opened_leaves_the_old_shop_in_place(shop: Path, tmp_path: Path) -> None:
    made, _ = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    before, names = answers(shop), sorted(path.name for path in shop.iterdir())

    def refuses(folder: Path) -> None:
        opens(folder)
        raise SnapshotError("not today")

    with pytest.raises(SnapshotError, match="not today"):
        restore(made, shop, NOW_MS, silent, refuses, replace=True)
    assert sorted(path.name for path in shop.iterdir() if path.name != "writer.lock") == [
        name for name in names if name != "writer.lock"
    ]
    assert answers(shop) == before


@pytest.mark.parametrize("at", range(1, 9))
def test_a_move_that_fails_takes_back_those_before_it(
    shop: Path, tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    before, moved, rename = answers(shop), [0], Path.rename

    def failing(path: Path, goal: Path) -> Path:
        moved[0] += 1
        if moved[0] == at:
            raise OSError(5, "Input/output error", str(path))
        return rename(path, goal)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(StoreUnwritable, match="Nothing was restored"):
        restore(made, shop, NOW_MS, silent, opens, replace=True)
    monkeypatch.undo()
    assert answers(shop) == before
    assert not list(shop.glob("before-restore-*"))


def test_a_shop_that_is_being_served_is_not_replaced(shop: Path, tmp_path: Path) -> None:
    made, _ = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    with Store.open(shop, "write"), pytest.raises(StoreLocked):
        restore(made, shop, NOW_MS, silent, opens, replace=True)
    assert not list(shop.glob("before-restore-*"))


def test_a_target_in_the_shop_is_refused(shop: Path) -> None:
    for target in (shop, shop / "backups"):
        with pytest.raises(InputError, match="own folder"):
            make_backup(shop, target, NOW_MS, silent)


def test_there_is_nothing_to_restore_from_an_empty_folder(tmp_path: Path) -> None:
    for words in (("restore", tmp_path, tmp_path / "x"), ("backup", "--verify", tmp_path)):
        done = wares_(*words)
        assert done.exit_code == 1
        assert "There is no backup" in done.stderr
    assert "There is no shop" in wares_("backup", tmp_path / "none", tmp_path / "b").stderr


def test_keep_removes_the_oldest_and_never_the_new_one(shop: Path, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    for day in range(4):
        make_backup(shop, target, NOW_MS - day * 86_400_000, silent)
    made_2099, _ = make_backup(shop, target, 4_080_000_000_000, silent)  # the clock was wrong once
    (target / "20200101T000000Z").mkdir()  # says of itself nothing: it stays
    done = json.loads(wares_("backup", shop, target, "--keep", 2, "--json").stdout)
    assert len(done["removed"]) == 4
    left = backups_in(target)
    assert [place.name for place in left if place.name != "20200101T000000Z"] == sorted(
        [Path(done["backup"]).name, made_2099.name]
    )
    assert {path.name for path in target.iterdir()} == {place.name for place in left}


@pytest.mark.parametrize("at", [1, 5, 12])
def test_a_full_disk_leaves_no_half_backup(
    shop: Path, tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, copy2 = [0], shutil.copy2

    def full(source: str, target: str, **options: Any) -> str:
        copied[0] += 1
        if copied[0] == at:
            raise OSError(28, "No space left on device", str(target))
        return str(copy2(source, target, **options))

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(StoreUnwritable, match="No space left"):
        make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_database_of_another_kind_in_the_folder_comes_along(shop: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(shop / "mine.sqlite")) as mine:
        mine.execute("CREATE TABLE t (x)")
        mine.execute("INSERT INTO t VALUES (1)")
        mine.commit()
    made, _ = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    with closing(sqlite3.connect(made / SHOP / "mine.sqlite")) as copy:
        assert copy.execute("SELECT x FROM t").fetchall() == [(1,)]


def test_the_goods_are_those_of_the_feed(shop: Path, tmp_path: Path) -> None:
    made, _ = make_backup(shop, tmp_path / "backups", NOW_MS, silent)
    restore(made, tmp_path / "again", NOW_MS, silent, opens)
    with Store.open(tmp_path / "again", "read") as store:
        assert sorted(store.catalogue.ids()) == [good["id"] for good in GOODS]
