"""What is published by a rename was on disk before, and its new name is before anybody is told: shown by the calls."""

import ast
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_shop import baskets, products, settings_of

import wares
from wares.app.commands.synonyms import append_lines
from wares.app.web.access.keys import Keys
from wares.domain.strings import pack
from wares.engine import durable
from wares.engine.backup.making import make_backup
from wares.engine.learnt import SNAPSHOTS
from wares.engine.rules.book import RuleBook
from wares.engine.settings_file import write_values
from wares.engine.shelf import go_back, make_current
from wares.store.sqlite import Store
from wares.training.child import train_here
from wares.training.model_file import _write
from wares.training.studies import Studies

TOML = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'


class Calls:
    """The system calls that publish, in order: ("fsync", path), ("rename", from, to), ("link", from, to)."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, ...]] = []
        fsync = os.fsync

        def synced(descriptor: int) -> None:
            self.made.append(("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
            fsync(descriptor)

        patched.setattr(os, "fsync", synced)
        for name in ("rename", "replace", "link"):
            patched.setattr(os, name, self._moved(name, getattr(os, name)))

    def _moved(self, name: str, really: Callable[..., None]) -> Callable[..., None]:
        def moved(source: Any, target: Any, **more: Any) -> None:
            self.made.append(("link" if name == "link" else "rename", str(source), str(target)))
            really(source, target, **more)

        return moved


def unsafe(calls: list[tuple[str, ...]], files_of: dict[str, list[str]]) -> list[str]:
    """What is wrong with a record: something got its name before it was on disk, or the name was not waited for."""
    faults = []
    for place, call in enumerate(calls):
        if call[0] == "fsync":
            continue
        _, source, target = call
        synced = {path for what, path, *_ in calls[:place] if what == "fsync"}
        faults += [
            f"{path} was named {target} before fsync" for path in files_of.get(source, [source]) if path not in synced
        ]
        if ("fsync", str(Path(target).parent)) not in calls[place:]:
            faults.append(f"the folder of {target} was not synced")
    return faults


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two snapshots of a small shop."""
    folder = tmp_path / "shop"
    settings_of(folder, TOML)
    with Store.open(folder, "write") as store:
        store.catalogue.put(products())
        store.events.append(baskets())
        for _ in range(2):
            train_here(folder, lambda *told: None)
    return folder


WAYS: dict[str, Callable[[Path], object]] = {
    "a snapshot": lambda shop: train_here(shop, lambda *told: None),
    "a promotion": lambda shop: make_current(shop / SNAPSHOTS, "000001"),
    "a rollback": lambda shop: go_back(shop / SNAPSHOTS, "000001"),
    "rules": lambda shop: RuleBook(shop).publish('[[rules]]\nname = "a"\nhide = ["p1"]\n', "Anna"),
    "a draft of rules": lambda shop: RuleBook(shop).begin_draft(),
    "settings": lambda shop: write_values(shop, {"models.popular": {"half_life_days": 9.0}}),
    "a key": lambda shop: Keys(shop).new(["search"]),
    "synonyms": lambda shop: append_lines(shop, ["a, b"]),
    "trials": lambda shop: Studies(shop).keep("ease", {}, []),
    "a shopper model": lambda shop: _write(shop / "model.npz", dict(pack("ids", ["a"]))),
    "a backup": lambda shop: make_backup(shop, shop.parent / "backups", 1_790_000_000_000, lambda *told: None),
}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to know what was synced")
@pytest.mark.parametrize("what", WAYS)
def test_nothing_gets_its_name_before_it_is_on_disk(shop: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, files_of = Calls(monkeypatch), dict[str, list[str]]()
    whole = durable.publish_folder

    def publish_folder(draft: Path, place: Path) -> None:
        files_of[str(draft)] = [str(draft), *(str(path) for path in draft.rglob("*"))]
        whole(draft, place)

    for module in ("wares.engine.snapshot", "wares.engine.backup.making"):
        monkeypatch.setattr(f"{module}.publish_folder", publish_folder)
    WAYS[what](shop)
    moved = [call for call in calls.made if call[0] != "fsync"]
    assert moved
    assert unsafe(calls.made, files_of) == []
    if what in ("a snapshot", "a backup"):
        assert len(files_of[moved[0][1] if what == "a snapshot" else moved[-1][1]]) > 8


def test_the_record_tells_when_a_sync_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    (tmp_path / "draft").write_text("x")
    (tmp_path / "draft").replace(tmp_path / "whole")
    assert len(unsafe(calls.made, {})) == 2


def test_files_are_renamed_in_one_place_alone() -> None:
    """Whoever publishes uses `engine/durable.py`; a restore moves what is on disk already, retention what is to go."""
    allowed = {"engine/durable.py", "engine/backup/restoring.py", "engine/backup/making.py"}
    root, found = Path(str(wares.__file__)).parent, set[str]()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            name, of = node.func.attr, getattr(node.func.value, "id", "")
            is_move = of in ("os", "shutil") and name in ("rename", "replace", "link", "move")
            is_path = name in ("rename", "replace", "hardlink_to") and len(node.args) == 1 and not node.keywords
            if is_move or (is_path and isinstance(node.args[0], ast.Name | ast.Attribute | ast.BinOp)):
                found.add(path.relative_to(root).as_posix())
    assert found - allowed == set()
    assert "engine/durable.py" in found
