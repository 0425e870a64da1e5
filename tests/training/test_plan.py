"""What is learnt from a shop, on a machine, in a time; and why."""

import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from habit_shop import habits, made_shop, seen
from typer.testing import CliRunner

from wares.app.cli import app
from wares.domain.event import Event, EventKind
from wares.engine.learnt import SNAPSHOTS, current_snapshot, new_model
from wares.engine.settings import ModelsSettings, Settings, load_settings
from wares.errors import InputError, TrainingError
from wares.models.ease import EASE
from wares.training.budget import seconds_of
from wares.training.child import train_here
from wares.training.costs import Facts, ease_bytes, facts_of, model_cost, sequence_cost
from wares.training.lessons import Lessons
from wares.training.machine import Machine, look_at_machine
from wares.training.plan import ORDER, Plan, apply, make_plan
from wares.training.progress import silent
from wares.training.recipe import SIZES, Recipe, memory_bytes, refuse_too_large
from wares.training.tuning import numbers_now

GB = 2**30
MACHINE = Machine(cores=2, memory_bytes=16 * GB, torch=True)
LARGE = Facts(
    products=90_000, products_met=68_000, events=1_500_000, purchases=1_500_000, shoppers=2_500, learners=2_400,
    longest=5_000, liked=800_000, shopper_pairs=500_000_000, basket_pairs=20_000_000, shared_baskets=200_000,
    repeats=0.4, texts=18_000, texts_waiting=18_000,
)  # fmt: skip
SMALL = replace(
    LARGE, products=60, products_met=60, events=500, purchases=500, shoppers=20, learners=20, liked=200,
    shopper_pairs=3_000, basket_pairs=900, shared_baskets=100, texts=60, texts_waiting=60,
)  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(tmp_path_factory.mktemp("none"))


def why(plan: Plan, name: str) -> str:
    return next(step.why for step in plan.reasons if step.name == name)


def test_every_model_that_can_be_trained_has_its_place_in_the_plan() -> None:
    assert set(ORDER) == set(ModelsSettings.model_fields) - {"train"}


def test_with_time_and_memory_everything_that_the_data_supports_is_learnt(settings: Settings) -> None:
    plan = make_plan(LARGE, MACHINE, settings)
    assert {"popular", "popular_lately", "buy_again", "co_bought", "item_knn", "ease", "sequence"} <= set(plan.models)
    assert plan.size == "base" and plan.sequence is not None and plan.sequence.seconds == 0
    assert plan.seconds == pytest.approx(sum(step.seconds for step in plan.reasons if step.chosen))


def test_a_shorter_budget_learns_less_and_stays_within_it(settings: Settings) -> None:
    learnt = []
    for budget in ("3m", "10m", "1h", "20h"):
        plan = make_plan(LARGE, MACHINE, settings, seconds_of(budget))
        assert plan.seconds <= seconds_of(budget)
        learnt.append(sum(step.seconds for step in plan.reasons if step.chosen))
        assert all(step.why for step in plan.reasons)
    assert learnt == sorted(learnt) and learnt[0] < learnt[-1]


def test_a_budget_that_the_texts_alone_use_up_is_refused_with_the_number(settings: Settings) -> None:
    with pytest.raises(TrainingError, match=r"takes about .* alone \(18,000 of 18,000 texts need a vector\)"):
        make_plan(LARGE, MACHINE, settings, 5.0)


def test_ease_takes_as_many_products_as_the_memory_holds(settings: Settings) -> None:
    base = make_plan(LARGE, MACHINE, settings).reasons[0].bytes
    tight = replace(MACHINE, memory_bytes=int((base + 0.6e9) / 0.8))
    plan = make_plan(LARGE, tight, settings)
    m = plan.numbers["ease"]["max_products"]
    assert 100 <= m < 5_000 and ease_bytes(m) <= 0.6e9
    assert f"{m:,} products" in why(plan, "ease") and "0.9 GB" in why(plan, "ease")
    assert plan.bytes <= 0.81 * tight.memory_bytes
    changed = new_model("ease", apply(plan, settings))
    assert isinstance(changed, EASE) and changed.max_products == m


def test_a_shopper_model_that_does_not_fit_is_replaced_by_a_smaller_one(settings: Settings) -> None:
    wide = replace(LARGE, products=2_000_000, products_met=1_900_000, texts=0, texts_waiting=0)
    base = make_plan(wide, replace(MACHINE, memory_bytes=10**12), settings).reasons[0].bytes
    sizes = {name: sequence_cost(wide, SIZES[name], MACHINE, with_texts=True).bytes for name in ("small", "base")}
    free = int((base + (sizes["small"] + sizes["base"]) / 2) / 0.8)
    plan = make_plan(wide, replace(MACHINE, memory_bytes=free), settings)
    assert plan.size == "small"
    assert "base takes" in why(plan, "sequence") and "GB" in why(plan, "sequence")


def test_a_model_that_does_not_fit_is_refused_with_the_number_and_the_size_that_does() -> None:
    rows, nothing = np.zeros(2, np.int32), np.array([0, 2])
    lessons, recipe = Lessons(rows, nothing, n_products=1_000_000), SIZES["gpt2"]
    needed = memory_bytes(lessons, recipe)
    with pytest.raises(TrainingError, match=rf"about {needed / 1e9:.1f} GB .*Size 'large' fits"):
        refuse_too_large(lessons, recipe, int(needed * 1.2))
    with pytest.raises(TrainingError, match="No smaller size fits"):
        refuse_too_large(lessons, recipe, 10**6)
    refuse_too_large(lessons, recipe, 2 * needed)


def test_too_little_memory_for_anything_is_refused_with_the_number(settings: Settings) -> None:
    with pytest.raises(TrainingError, match=r"Reading the shop takes about \d+\.\d GB of memory alone, and 10 MB are"):
        make_plan(LARGE, replace(MACHINE, memory_bytes=10_000_000), settings)


def test_what_the_data_does_not_support_is_left_out_and_says_why(settings: Settings) -> None:
    strangers = replace(LARGE, repeats=math.nan, shared_baskets=0, liked=900, shopper_pairs=900, learners=0, events=900)
    plan = make_plan(strangers, MACHINE, settings)
    assert plan.models == ("popular", "popular_lately")
    assert "second time" in why(plan, "buy_again") and "two products" in why(plan, "co_bought")
    assert "too few" in why(plan, "sequence")
    empty = replace(strangers, events=0, purchases=0, liked=0, shopper_pairs=0)
    assert make_plan(empty, MACHINE, settings).models == ()


def test_without_torch_the_plan_names_the_extra(settings: Settings) -> None:
    plan = make_plan(LARGE, replace(MACHINE, torch=False), settings)
    assert "sequence" not in plan.models and plan.sequence is None
    assert "wares[train]" in why(plan, "sequence")


def test_models_that_no_surface_asks_for_are_learnt_only_where_the_shop_names_them(tmp_path: Path) -> None:
    assert "als" not in make_plan(LARGE, MACHINE, load_settings(tmp_path)).models
    (tmp_path / "wares.toml").write_text('[profiles.mine]\nsources = ["als"]\n[models]\ntrain = ["graph"]\n')
    models = make_plan(LARGE, MACHINE, load_settings(tmp_path)).models
    assert "als" in models and "graph" in models and "transitions" not in models


def test_more_events_teach_a_larger_model_and_a_gpu_the_largest(settings: Settings) -> None:
    def size(events: int, gpu: bool = False) -> str:
        facts = replace(LARGE, events=events, learners=1_000_000)
        return make_plan(facts, replace(MACHINE, gpu=gpu, memory_bytes=256 * GB), settings).size

    assert [size(5_000), size(50_000), size(1_000_000), size(9_000_000)] == ["tiny", "small", "base", "base"]
    assert size(9_000_000, gpu=True) == "large"


def test_a_plan_survives_the_way_to_the_child(settings: Settings) -> None:
    plan = make_plan(LARGE, replace(MACHINE, memory_bytes=3 * GB), settings, 900.0)
    again = Plan.from_json(json.dumps(plan.to_dict()))
    assert again == plan
    applied = apply(again, settings)
    assert applied.models.train == plan.models
    assert plan.sequence is not None and applied.models.sequence.epochs == plan.sequence.epochs
    assert applied.models.sequence.seconds == plan.sequence.seconds > 0


def test_a_snapshot_to_compare_with_makes_it_take_longer(settings: Settings) -> None:
    once, thrice = make_plan(LARGE, MACHINE, settings), make_plan(LARGE, MACHINE, settings, compares=True)
    assert thrice.seconds > once.seconds


def test_the_facts_are_those_of_the_shop(tmp_path: Path) -> None:
    events = [
        Event(EventKind.PURCHASE, 1_000 * day, shopper, product, basket_id=basket)
        for day, shopper, product, basket in (
            *((0, "ann", "p1", "x"), (0, "ann", "p2", "x"), (9 * 10**5, "ann", "p1", "y"), (0, "bob", "p1", "z")),
        )
    ]
    facts = facts_of(*seen(made_shop(tmp_path, events)), 10)
    assert (facts.events, facts.shoppers, facts.learners, facts.longest) == (4, 2, 1, 3)
    assert (facts.liked, facts.shopper_pairs, facts.basket_pairs, facts.shared_baskets) == (3, 5, 6, 1)
    assert (facts.products, facts.products_met, facts.texts, facts.texts_waiting) == (60, 2, 60, 50)
    assert facts.repeats == 1.0


def test_the_estimates_are_of_the_right_order(tmp_path: Path) -> None:
    """Generous, since the machine may be busy: never ten times too low, plus a second."""
    place = made_shop(tmp_path, habits(100, 12))
    products, interactions = seen(place)
    loaded, facts = load_settings(place), facts_of(products, interactions)
    for name in ("buy_again", "co_bought", "item_knn", "ease", "als", "transitions", "graph"):
        cost = model_cost(name, facts, numbers_now(name, loaded), Machine(1, GB))
        model, started = new_model(name, loaded), time.process_time()
        model.fit(interactions, int(interactions.events.times_ms.max()))
        assert time.process_time() - started < 10 * cost.seconds + 1, name


def test_looking_at_the_machine_does_not_load_torch() -> None:
    before = "torch" in sys.modules
    machine = look_at_machine()
    assert machine.cores >= 1 and machine.memory_bytes > 0 and 0 < machine.speed <= 4
    assert ("torch" in sys.modules) == before


def test_a_time_is_written_with_its_unit() -> None:
    assert [seconds_of(text) for text in ("90s", "10m", "2h", " 1.5 H ")] == [90, 600, 7200, 5400]
    for wrong in ("", "10", "m", "-3m", "0s", "10 minutes"):
        with pytest.raises(InputError, match="90s, 10m, 2h"):
            seconds_of(wrong)


def test_the_dry_run_only_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    place = made_shop(tmp_path, habits(40))
    told = CliRunner().invoke(app, ["train", str(place), "--budget", "10m", "--dry-run"])
    assert told.exit_code == 0, told.output
    assert "bought before" in told.stdout and "of 10m" in told.stdout and "words alone" in told.stdout
    answer = json.loads(CliRunner().invoke(app, ["train", str(place), "--dry-run", "--json"]).stdout)
    assert answer["plan"]["models"][:2] == ["popular", "popular_lately"] and answer["machine"]["cores"] >= 1
    assert not (place / SNAPSHOTS).exists()


def test_the_plan_is_what_is_learnt(tmp_path: Path) -> None:
    place = made_shop(tmp_path, habits(40))
    products, interactions = seen(place)
    facts = replace(facts_of(products, interactions), shared_baskets=0)
    plan = make_plan(facts, replace(MACHINE, torch=False), load_settings(place), 60.0)
    train_here(place, silent, plan)
    snapshot, _ = current_snapshot(place, load_settings(place))
    assert tuple(snapshot.models) == plan.models
    assert "co_bought" not in snapshot.models and "buy_again" in snapshot.models


def test_the_command_trains_by_the_plan_in_its_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = str(Path(sys.modules["wares"].__file__ or "").parents[1])
    monkeypatch.setenv("PYTHONPATH", source)
    place = made_shop(tmp_path, habits(40, 4))  # too few events for the shopper model
    result = CliRunner().invoke(app, ["train", str(place), "--budget", "2m", "--json"])
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    snapshot, _ = current_snapshot(place, load_settings(place))
    assert list(snapshot.models) == facts["plan"]["models"]
    assert "co_bought" in snapshot.models  # which the settings do not name


def test_a_shopper_model_keeps_to_its_time() -> None:
    pytest.importorskip("torch")
    from wares.training.lessons import Lessons
    from wares.training.sequence import fit_sequence

    rng = np.random.default_rng(0)
    rows, indptr = rng.integers(0, 50, 4_000).astype(np.int32), np.arange(0, 4_001, 10).astype(np.int64)
    lessons = Lessons(rows, indptr, 50)
    recipe = Recipe(dimension=16, blocks=1, epochs=100_000, seconds=1.0)
    started = time.monotonic()
    fitted = fit_sequence(lessons, recipe)
    assert time.monotonic() - started < 30  # a step and the export, on a busy machine
    assert 1 <= len(fitted.losses) < 100_000
    assert all(np.isfinite(value).all() for value in fitted.model.arrays.values() if value.dtype.kind == "f")


def test_models_that_are_fitted_at_the_same_time_must_fit_into_the_memory_together(settings: Settings) -> None:
    def taken(cores: int) -> tuple[int, list[int]]:
        plan = make_plan(LARGE, replace(MACHINE, cores=cores), settings)
        return plan.bytes, [step.bytes for step in plan.reasons if step.chosen and step.name != "sequence"]

    (alone, (base, *each)), (together, _) = taken(1), taken(2)
    assert together == base + sum(each) > alone
    tight = replace(MACHINE, memory_bytes=int((base + sum(each) / 2) / 0.8))
    assert make_plan(LARGE, tight, settings).bytes <= 0.81 * tight.memory_bytes
