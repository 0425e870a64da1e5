"""The demo shop is built, learns, and shows what learning changed: on a made-up year of purchases."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from demo_files import HOUSEHOLDS, PRODUCTS, write_files
from rich.console import Console

import wares.errors
from wares.app.commands import extra
from wares.app.demo import build, model
from wares.app.demo.build import Clock, build_demo
from wares.app.demo.tour import print_tour, take_tour
from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.engine.settings import SequenceSettings, load_settings
from wares.errors import InputError, TrainingError
from wares.evaluation.splits import split_next_basket
from wares.ranking.boosted import Boosted
from wares.ranking.corrected import Corrected
from wares.shop import Shop, open_shop
from wares.training.early_model import before_windows, write_early_model
from wares.training.home_order import gather
from wares.training.model_file import copy_model, read_model
from wares.training.models import as_of
from wares.training.progress import Tell

SOURCE = str(Path(wares.errors.__file__).parents[1])
DAY_MS = 86_400_000
QUICK = SequenceSettings(size="tiny", dimension=8, epochs=2)
WORDS_ONLY = '\n[encoder]\nsource = "none"\n'
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


@pytest.fixture(scope="module", autouse=True)
def _no_meanings() -> Iterator[None]:
    """The demo's own settings, without the encoder, which takes its time."""
    settings, patch = build._settings, pytest.MonkeyPatch()
    patch.setattr(build, "_settings", lambda name: settings(name) + WORDS_ONLY)
    patch.setenv("PYTHONPATH", SOURCE)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def built(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo shop with the model that comes with wares."""
    folder = tmp_path_factory.mktemp("shops") / "groceries"
    assert build_demo("groceries", files, folder, Clock())
    return folder


def shipped_until_ms() -> int:
    with resources.as_file(resources.files("wares.weights") / "groceries" / model.FILE) as path:
        return read_model(path)[1].until_ms


def moved_ms(folder: Path) -> int:
    return int(json.loads((folder / "demo.json").read_text())["moved_ms"])


def test_the_model_that_comes_with_wares_is_small_and_has_a_card() -> None:
    folder = resources.files("wares.weights") / "groceries"
    with resources.as_file(folder / model.FILE) as path:
        assert path.stat().st_size <= 10_000_000
        ids, fitted = read_model(path)
        size = path.stat().st_size
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    assert len(ids) == fitted.n_products > 60_000
    assert f"{size:,} bytes" in card and "simulated" in card


def test_the_model_that_comes_with_wares_has_not_seen_the_last_two_windows() -> None:
    """The year of the Complete Journey ends with the first hours of 2018."""
    end_ms = 1_514_764_800_000
    assert end_ms - 300 * DAY_MS < shipped_until_ms() < end_ms - 55 * DAY_MS


def test_the_demo_takes_the_model_and_moves_its_dates_like_the_shops(built: Path) -> None:
    moved = moved_ms(built)
    assert moved > 0 and moved % (7 * DAY_MS) == 0
    assert read_model(built / model.FILE)[1].until_ms == shipped_until_ms() + moved
    assert not json.loads((built / "demo.json").read_text())["learned"]


def test_a_second_run_builds_nothing(built: Path, files: Path) -> None:
    assert not build_demo("groceries", files, built, Clock())


def test_a_model_that_learnt_from_later_events_than_the_shop_has_is_not_used(built: Path) -> None:
    """The made-up year ends in April, the model's events in November."""
    with open_shop(built, create=False) as shop:
        snapshot = shop.engine.live.snapshot
        assert "later events" in snapshot.facts["shopper_model"] and "sequence" not in snapshot.models


def test_a_copied_model_keeps_everything_but_its_dates(tmp_path: Path) -> None:
    with resources.as_file(resources.files("wares.weights") / "groceries" / model.FILE) as path:
        copy_model(path, tmp_path / "copy.npz", 1_000)
        (ids, before), (same, after) = read_model(path), read_model(tmp_path / "copy.npz")
    assert ids == same and after.until_ms == before.until_ms + 1_000
    assert all(np.array_equal(after.arrays[name], before.arrays[name]) for name in before.arrays if name != "until_ms")


# -- learning in the demo ----------------------------------------------------------------------------------------------


def quick(folder: Path, path: Path, options: SequenceSettings, tell: Tell) -> dict[str, Any]:
    assert options.seconds == model.LEARN_SECONDS == 480
    return write_early_model(folder, path, QUICK, tell)


@pytest.fixture(scope="module")
def taught(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo shop that trained its own model when it was built."""
    if find_spec("torch") is None:
        pytest.skip("torch is not installed")
    folder = tmp_path_factory.mktemp("shops") / "taught"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "learn_model", lambda folder, tell: model.learn_model(folder, tell, quick))
        assert build_demo("groceries", files, folder, Clock(), learn=True)
    return folder


def test_learning_in_the_demo_takes_the_place_of_the_model_that_comes_with_wares(taught: Path, files: Path) -> None:
    ids, fitted = read_model(taught / model.FILE)
    assert len(ids) == PRODUCTS and json.loads((taught / "demo.json").read_text())["learned"]
    with open_shop(taught, create=False) as shop:
        snapshot = shop.engine.live.snapshot
        assert snapshot.facts["shopper_model"] == f"from {model.FILE}" and "sequence" in snapshot.models
        latest = int(snapshot.interactions.events.times_ms.max())
        assert fitted.until_ms < latest - 56 * DAY_MS
    assert not build_demo("groceries", files, taught, Clock(), learn=True)  # once


def test_the_evaluation_has_a_row_for_the_shopper_model_though_nobody_has_torch(taught: Path, built: Path) -> None:
    rows = {
        folder: [
            one["system"]
            for one in json.loads(next((folder / "snapshots").glob("*.evaluation.json")).read_text())["systems"]
        ]
        for folder in (taught, built)
    }
    assert "shopper model" in rows[taught] and "shopper model" not in rows[built]


def test_what_was_learnt_in_the_demo_answers_about_the_window_before_the_last_two_as_well(taught: Path) -> None:
    """The order of the home page is learnt inside a trial of the past, where events are fewer still."""
    with open_shop(taught, create=False) as shop:
        once = split_next_basket(shop.engine.live.snapshot.interactions).train
        twice = split_next_basket(once).train
    assert read_model(taught / model.FILE)[1].until_ms == int(twice.events.times_ms.max())


@needs_torch
def test_a_finished_shop_can_still_learn(
    built: Path, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = tmp_path / "shop"
    shutil.copytree(built, folder)
    monkeypatch.setattr(build, "learn_model", lambda folder, tell: model.learn_model(folder, tell, quick))
    assert build_demo("groceries", files, folder, Clock(), learn=True)
    assert len(read_model(folder / model.FILE)[0]) == PRODUCTS
    assert not build_demo("groceries", files, folder, Clock(), learn=True)


def test_a_shop_whose_settings_take_no_model_is_not_taught(built: Path, tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text("[shop]\ntitle = 'Old'\n")
    with pytest.raises(InputError, match="does not say"):
        model.learn_model(tmp_path, lambda *_: None, quick)


def test_only_a_shop_with_a_place_for_a_model_learns() -> None:
    with pytest.raises(InputError, match="'gifts' has none"):
        model.be_ready_to_learn("gifts", yes=True)


def test_nothing_is_installed_where_torch_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "find_spec", lambda name: object())
    monkeypatch.setattr(extra, "install", lambda *_, **__: pytest.fail("nothing is missing"))
    model.be_ready_to_learn("groceries", yes=False)


def test_the_extra_is_installed_where_torch_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    there: list[str] = []
    monkeypatch.setattr(model, "find_spec", lambda name: object() if there else None)
    monkeypatch.setattr(extra, "install", lambda wanted, *, yes: there.extend(wanted))
    model.be_ready_to_learn("groceries", yes=True)
    assert any(one.startswith("torch==") for one in there)


def test_a_log_of_two_windows_leaves_nothing_to_learn_from() -> None:
    times = np.arange(50, dtype=np.int64) * DAY_MS
    events = History(np.zeros(50, np.int32), times, np.zeros(50, np.int8), np.ones(50, np.float32))
    short = Interactions.of(np.zeros(50, np.int64), events, np.full(50, -1, np.int64), 1, 1)
    with pytest.raises(TrainingError, match="nothing before its last 2 windows of 28 days"):
        before_windows(short)


@needs_torch
def test_training_ends_within_its_time(taught: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    options = SequenceSettings(size="tiny", dimension=8, epochs=1000, seconds=12)  # 10 of them are for writing it down
    figures = write_early_model(
        taught,
        tmp_path / "model.npz",
        options,
        lambda stage, done, total: told.append((done, total)) if "loss" in stage else None,
    )
    assert (figures["seconds"] < 30 and told[-1][0] == told[-1][1]) or told[-1][0] / told[-1][1] > 0.9


@needs_torch
def test_the_recipe_writes_the_dates_as_they_were_before_they_were_moved(taught: Path, tmp_path: Path) -> None:
    place = Path(__file__).resolve().parents[2] / "recipes" / "shopper_model" / "make.py"
    spec = importlib.util.spec_from_file_location("make_shopper_model", place)
    assert spec is not None and spec.loader is not None
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    figures = recipe.make(taught, tmp_path / "model.npz", QUICK)
    moved = read_model(taught / model.FILE)[1].until_ms
    assert read_model(tmp_path / "model.npz")[1].until_ms == moved - moved_ms(taught) == figures["until_ms"]
    assert figures["recipe"]["size"] == "tiny" and figures["bytes"] == (tmp_path / "model.npz").stat().st_size


# -- the tour ----------------------------------------------------------------------------------------------------------


def with_learned_order(shop: Shop) -> Shop:
    """The shop's home page ordered by trees that learnt what was not bought: no formula does that."""
    snapshot, settings = shop.engine.live.snapshot, load_settings(shop.folder)
    split = split_next_basket(snapshot.interactions)
    examples = gather(as_of(split.train, snapshot, snapshot.models), split, shop.folder, settings, shop.store)
    unwanted = (~examples.bought).astype(np.float32)
    trees = Boosted.fit(
        examples.features, unwanted, examples.sizes.tolist(), examples.names, rounds=20, min_data_in_leaf=5
    )
    order = Corrected({}, (0.0, 0.0), trees)
    trial = {
        "kept": True,
        "shoppers": HOUSEHOLDS,
        "recall_formula": 0.1,
        "recall_learned": 0.2,
        "gain": [0.1, 0.05, 0.15],
    }
    shop.engine.live.snapshot = replace(snapshot, home_order=order, facts={**snapshot.facts, "home_order": trial})
    return shop


def first_shopper(folder: Path) -> None:
    """The demo's shoppers are not among the made-up ones."""
    path = folder / "wares.toml"
    path.write_text(path.read_text().replace('"586"', '"900"', 1))


def test_the_tour_shows_what_the_learned_order_changed(taught: Path) -> None:
    first_shopper(taught)
    path = taught / "wares.toml"
    path.write_text(path.read_text().replace('ranker = "formula"', 'ranker = "learned"'))
    with open_shop(taught, create=False) as shop:
        tour = take_tour(with_learned_order(shop))
        evaluation = build.evaluation(shop)
    assert tour.learned is not None and tour.learned.shopper == "900"
    told = tour.to_dict()["learned_order"]
    assert list(told["hits"]) == ["formula", "learned", "shopper model"]
    assert all(len(hits) == 5 for hits in told["hits"].values())
    assert told["hits"]["formula"] != told["hits"]["learned"]
    shown = next(stop for stop in tour.stops if stop.name == "recommend").page
    assert [hit["id"] for hit in told["hits"]["learned"]] == [hit.product.id for hit in shown.hits]
    console = Console(width=160, record=True, file=None, force_terminal=False)
    with console.capture() as said:
        print_tour(console, tour, evaluation, taught)
    assert "The home page of shopper 900, ordered in other ways" in said.get()
    assert "20.0% as learnt, 10.0% by formula: +10.00% [+5.00%, +15.00%]" in said.get()


def test_without_a_learnt_order_the_tour_shows_what_the_shopper_model_alone_would(taught: Path) -> None:
    first_shopper(taught)
    with open_shop(taught, create=False) as shop:
        told = take_tour(shop).to_dict()["learned_order"]
    assert list(told["hits"]) == ["formula", "shopper model"] and told["trial"].get("gain") is None


def test_the_tour_claims_nothing_where_nothing_is_learnt(built: Path) -> None:
    first_shopper(built)
    with open_shop(built, create=False) as shop:
        tour = take_tour(shop)
    assert tour.learned is None and "learned_order" not in tour.to_dict()
