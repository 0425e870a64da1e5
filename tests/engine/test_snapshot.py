"""A snapshot comes back as it was, or says which file is damaged while the last good one serves."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from live_shop import NOW_MS, FakeEncoder, baskets, bought, learnt, product, products, settings_of

from wares.contracts import BehaviourModel
from wares.domain.request import Request
from wares.domain.result import Page
from wares.engine import snapshot as snapshots_module
from wares.engine.assembly import Engine
from wares.engine.learnt import SNAPSHOTS, current_snapshot, new_model
from wares.engine.manifest import sealed, sha256_of
from wares.engine.shelf import current_name, prune, snapshot_names
from wares.engine.snapshot import Snapshot, load_snapshot, write_snapshot
from wares.errors import SnapshotError
from wares.store.sqlite import Store
from wares.training.child import train_here

TRAINED = ("popular", "popular_lately", "buy_again", "co_bought", "item_knn", "ease", "als", "transitions", "graph")
TOML = f'[encoder]\nsource = "none"\n[models]\ntrain = {json.dumps(TRAINED)}\n'
BOOSTS = dict.fromkeys(("title", "brand", "category", "attributes", "description"), 1.0)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with two snapshots; a ninth product came before the second."""
    folder = tmp_path_factory.mktemp("two") / "shop"
    settings_of(folder, TOML)
    with Store.open(folder, "write") as store:
        store.catalogue.put(products())
        store.events.append([*baskets(), bought("", "p3", 3, basket_id="x")])
        train_here(folder, lambda *told: None)
        store.catalogue.put([product("n0", "goat milk", attributes={"colour": ("white", "牛奶")}, published_ms=1)])
        train_here(folder, lambda *told: None)
    return folder


@pytest.fixture
def shop(two: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(two, tmp_path / "shop"))


def models_of(folder: Path) -> Callable[[str], BehaviourModel]:
    chosen = settings_of(folder, TOML)
    return lambda name: new_model(name, chosen)


def answers(folder: Path) -> tuple[Page, list[str]]:
    """A home page from whatever serves, and the warnings."""
    with Store.open(folder, "read") as store:
        engine = Engine(folder, settings_of(folder, TOML), store, None)
        return engine.ask(Request("search", NOW_MS, query="milk")), engine.warnings


# -- round trip --------------------------------------------------------------------------------------------------------


def test_a_snapshot_comes_back_exactly(tmp_path: Path) -> None:
    chosen = settings_of(tmp_path, TOML)
    with Store.open(tmp_path, "write") as store:
        store.catalogue.put([*products(), product("n0", "牛奶", attributes={"colour": ("rød", "🎂")}, stock=0)])
        store.events.append([*baskets(), bought("", "p3", 3)])
        made = learnt(store, chosen, tmp_path, FakeEncoder())
    write_snapshot(made, tmp_path / SNAPSHOTS)
    back = load_snapshot(tmp_path / SNAPSHOTS / made.name, models_of(tmp_path), chosen.search.boosts.model_dump())
    assert_same(made, back)
    parts, again = snapshots_module._parts(made), snapshots_module._parts(back)
    assert parts.keys() == again.keys()
    for name, state in parts.items():
        assert state.keys() == again[name].keys()
        for key, array in state.items():
            assert array.dtype == again[name][key].dtype, (name, key)
            np.testing.assert_array_equal(array, again[name][key], err_msg=f"{name}.{key}")


def assert_same(made: Snapshot, back: Snapshot) -> None:
    for field in ("name", "last_event", "last_change", "encoder", "facts"):
        assert getattr(made, field) == getattr(back, field)
    assert made.columns.row_of == back.columns.row_of
    assert made.columns.group_of == back.columns.group_of
    assert made.columns.ids == back.columns.ids
    for model, fitted in made.models.items():
        history = made.history(int(made.shopper_keys[0]))
        assert len(history)
        np.testing.assert_array_equal(fitted.score(history, NOW_MS), back.models[model].score(history, NOW_MS))


def test_an_empty_shop_has_a_snapshot_like_any_other(tmp_path: Path) -> None:
    chosen = settings_of(tmp_path, TOML)
    with Store.open(tmp_path, "write") as store:
        made = learnt(store, chosen, tmp_path)
    write_snapshot(made, tmp_path / SNAPSHOTS)
    back = load_snapshot(tmp_path / SNAPSHOTS / made.name, models_of(tmp_path), BOOSTS)
    assert len(back.columns) == 0
    assert back.facts["products"] == 0


# -- damage ------------------------------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    place = next((i for i in range(len(data) // 2, len(data)) if data[i] > 0x20), len(data) - 1)
    data[place] ^= 0x01
    path.write_bytes(bytes(data))


def garble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 0x80
    path.write_bytes(bytes(data))


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut, empty, flip, garble, remove])
def test_damage_to_any_file_is_named_and_the_last_good_snapshot_serves(
    two: Path, shop: Path, damage: Callable[[Path], None]
) -> None:
    told = "promotion.json"  # how it was compared: nothing depends on it
    names = sorted(path.name for path in (two / SNAPSHOTS / "000002").iterdir() if path.name != told)
    assert {"manifest.json", "columns.npz", "kin.npz", "text.npz", "vectors.npz"} <= set(names)
    assert len(names) == 9 + len(TRAINED)
    for name in names:
        path = shop / SNAPSHOTS / "000002" / name
        whole = path.read_bytes()
        damage(path)
        chosen = settings_of(shop, TOML)
        with pytest.raises(SnapshotError, match=r"000002.*Run `wares train`") as caught:
            load_snapshot(shop / SNAPSHOTS / "000002", models_of(shop), BOOSTS)
        assert name.removesuffix(".json") in str(caught.value)
        serving, warnings = current_snapshot(shop, chosen)
        assert serving.name == "000001", name
        assert len(warnings) == 1
        path.write_bytes(whole)
    assert current_snapshot(shop, chosen)[0].name == "000002"


@pytest.mark.parametrize("damage", [cut, empty, flip, garble])
def test_damage_to_the_name_of_the_current_snapshot_is_survived_with_a_warning(
    shop: Path, damage: Callable[[Path], None]
) -> None:
    damage(shop / SNAPSHOTS / "CURRENT")
    page, warnings = answers(shop)
    assert page.snapshot == "000002"
    assert len(warnings) == 1
    assert {hit.product.id for hit in page.hits} == {"p0", "p1", "n0"}


def test_what_came_after_the_last_good_snapshot_is_not_lost(shop: Path) -> None:
    flip(shop / SNAPSHOTS / "000002" / "text.npz")
    page, warnings = answers(shop)
    assert page.snapshot == "000001"
    assert "text.npz was cut or altered" in warnings[0]
    assert {hit.product.id for hit in page.hits} == {"p0", "p1", "n0"}


def test_with_no_good_snapshot_the_shop_still_answers_from_its_data(shop: Path) -> None:
    for name in ("000001", "000002"):
        empty(shop / SNAPSHOTS / name / "manifest.json")
    page, warnings = answers(shop)
    assert page.snapshot == ""
    assert len(warnings) == 2
    assert {hit.product.id for hit in page.hits} == {"p0", "p1", "n0"}


def test_a_damaged_snapshot_is_not_read_again_at_every_look(shop: Path) -> None:
    empty(shop / SNAPSHOTS / "000002" / "manifest.json")
    with Store.open(shop, "read") as store:
        engine = Engine(shop, settings_of(shop, TOML), store, None)
        live = engine.live
        engine.refresh()
        assert engine.live is live


@pytest.mark.parametrize("damage", [cut, empty, flip, garble, remove])
def test_training_again_repairs_the_shop(shop: Path, damage: Callable[[Path], None]) -> None:
    damage(shop / SNAPSHOTS / "000002" / "manifest.json")
    name = train_here(shop, lambda *told: None)
    page, warnings = answers(shop)
    assert (page.snapshot, warnings) == (name, [])


def test_a_snapshot_of_another_format_says_so(shop: Path) -> None:
    path = shop / SNAPSHOTS / "000002" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(SnapshotError, match=r"has format 99, this version reads \d+\. Run `wares train`"):
        load_snapshot(path.parent, models_of(shop), BOOSTS)
    assert answers(shop)[0].snapshot == "000001"


@pytest.mark.parametrize("text", ["[]", "null", "3", '{"files": 3}', '"x"', "{"])
def test_a_manifest_that_is_something_else_is_refused(shop: Path, text: str) -> None:
    path = shop / SNAPSHOTS / "000002" / "manifest.json"
    path.write_text(text)
    with pytest.raises(SnapshotError):
        load_snapshot(path.parent, models_of(shop), BOOSTS)


@pytest.mark.parametrize(("own_is_there", "fault"), [(True, "wrong list of files"), (False, "text.npz is missing")])
def test_a_manifest_cannot_name_files_elsewhere(shop: Path, own_is_there: bool, fault: str) -> None:
    path, elsewhere = shop / SNAPSHOTS / "000002" / "manifest.json", "../000001/text.npz"
    manifest = json.loads(path.read_text())
    manifest.pop("sha256")
    manifest["files"].pop("text.npz")
    manifest["files"][elsewhere] = sha256_of(path.parent / elsewhere)
    path.write_text(sealed(manifest))
    if not own_is_there:
        (path.parent / "text.npz").unlink()
    with pytest.raises(SnapshotError, match=fault):
        load_snapshot(path.parent, models_of(shop), BOOSTS)
    assert answers(shop)[0].snapshot == "000001"


# -- writing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device"), MemoryError])
def test_an_interrupted_write_leaves_no_half_snapshot(
    shop: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    written = []

    def savez(file: object, **state: object) -> None:
        written.append(file)
        if len(written) == 4:
            raise fault

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(fault if isinstance(fault, type) else type(fault)):
        train_here(shop, lambda *told: None)
    assert sorted(path.name for path in (shop / SNAPSHOTS).iterdir()) == ["000001", "000002", "CURRENT"]
    assert current_name(shop / SNAPSHOTS) == "000002"


def test_what_a_killed_training_left_behind_is_no_snapshot(shop: Path) -> None:
    (shop / SNAPSHOTS / ".000003.1.part").mkdir()
    (shop / SNAPSHOTS / ".000003.1.part" / "manifest.json").write_text("{}")
    assert snapshot_names(shop / SNAPSHOTS) == ["000001", "000002"]
    assert train_here(shop, lambda *told: None) == "000003"


def test_old_snapshots_go_and_the_current_one_stays(shop: Path) -> None:
    for _ in range(3):
        newest = train_here(shop, lambda *told: None)
    assert newest == "000005"
    assert snapshot_names(shop / SNAPSHOTS) == ["000003", "000004", "000005"]
    (shop / SNAPSHOTS / "CURRENT").write_text("000003")
    prune(shop / SNAPSHOTS, keep=1)
    assert snapshot_names(shop / SNAPSHOTS) == ["000003", "000005"]


def test_a_new_snapshot_takes_over_with_what_came_since(shop: Path) -> None:
    with Store.open(shop, "write") as store:
        engine = Engine(shop, settings_of(shop, TOML), store, None)
        store.catalogue.put([product("n1", "sheep milk")])
        name = train_here(shop, lambda *told: None)
        store.catalogue.put([product("n2", "almond milk")])
        engine.refresh()
        page = engine.ask(Request("search", NOW_MS, query="milk"))
        assert page.snapshot == name
        assert {hit.product.id for hit in page.hits} == {"p0", "p1", "n0", "n1", "n2"}
