"""What a training made serves only if it is whole and about as good as what serves; else the old one goes on."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import wares.training.comparison as comparison
from wares.domain.event import Event, EventKind
from wares.domain.interactions import Interactions
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.scores import Scores
from wares.domain.shopper import History
from wares.engine.assembly import Engine
from wares.engine.learnt import SNAPSHOTS
from wares.engine.rules.book import RuleBook
from wares.engine.settings import load_settings
from wares.engine.shelf import current_name, go_back, kept_snapshots, make_current, prune, snapshot_names
from wares.errors import TrainingError
from wares.evaluation.intervals import Interval
from wares.models.buy_again import BuyAgain
from wares.models.popular import Popular
from wares.shop import open_shop
from wares.store.sqlite import Store
from wares.training.child import train_here
from wares.training.comparison import Pair
from wares.training.progress import silent
from wares.training.promotion import Guard, decide

DAY_MS = 86_400_000
START_MS = 1_760_000_000_000
N_PRODUCTS, N_SHOPPERS, FAVOURITES = 120, 80, 4
GOOD = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "popular_lately", "buy_again", "item_knn"]\n'
WORSE = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'  # the home page forgets who buys what


def week(number: int) -> Iterator[Event]:
    """Every shopper buys some of a few favourites, and now and then something else."""
    draw = random.Random(number)
    for shopper in range(N_SHOPPERS):
        favourites = random.Random(f"of {shopper}").sample(range(N_PRODUCTS), FAVOURITES)
        time_ms = START_MS + number * 7 * DAY_MS + draw.randrange(7 * DAY_MS)
        for product in {*draw.sample(favourites, 3), draw.randrange(N_PRODUCTS)}:
            yield Event(EventKind.PURCHASE, time_ms, f"s{shopper}", f"p{product}", basket_id=f"{shopper}-{number}")


def learn_weeks(folder: Path, *numbers: int) -> None:
    with Store.open(folder, "write") as store:
        for number in numbers:
            store.events.append(week(number))


def train(folder: Path, toml: str = GOOD) -> dict[str, Any]:
    """Train with these settings; the report."""
    (folder / "wares.toml").write_text(toml)
    name = train_here(folder, silent)
    report: dict[str, Any] = json.loads((folder / SNAPSHOTS / name / "promotion.json").read_text())
    assert report["snapshot"] == name
    return report


def states(folder: Path) -> dict[str, str]:
    return {one.name: one.state for one in kept_snapshots(folder / SNAPSHOTS)}


def served(folder: Path) -> str:
    """The snapshot that answers in a process that starts now."""
    with open_shop(folder, create=False) as shop:
        return shop.recommend("s1", k=5).snapshot


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight weeks, learnt once."""
    folder = tmp_path_factory.mktemp("promotion") / "shop"
    folder.mkdir()
    with Store.open(folder, "write") as store:
        store.catalogue.put(
            Product(f"p{i}", title=f"thing number {i}", currency="USD", published_ms=START_MS)
            for i in range(N_PRODUCTS)
        )
    learn_weeks(folder, *range(8))
    assert train(folder)["why"] == ["the first snapshot of this shop"]
    return folder


@pytest.fixture
def shop(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "shop"))


# -- the rule ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "fallen", "kept"),
    [
        (0.0, 1.0, False),
        (-0.00099, 1.0, False),
        (-0.00101, 1.0, True),
        (float("nan"), 1.0, True),
        (0.01, 0.951, False),
        (0.01, 0.949, True),
        (0.01, float("nan"), True),
    ],
)
def test_the_bound_and_each_guardrail_can_keep_a_snapshot_aside(low: float, fallen: float, kept: bool) -> None:
    guard = Guard("coverage", Pair(100, 100 * fallen))
    assert bool(decide(Interval(0.001, low, 0.01), 0.1, [guard], 0.01, 0.05)) is kept


def test_a_slower_page_is_worse_and_a_faster_one_better() -> None:
    slow, fast = (Guard("time of a page", Pair(10, ms), " ms", more_is_better=False) for ms in (10.6, 2))
    assert (round(slow.change, 6), fast.change) == (-0.06, 0.8)
    assert decide(Interval(0, 0, 0), 0.1, [slow], 0.01, 0.05) == (
        "time of a page gets 6.0% worse (from 10 ms to 10.6 ms; 5% are allowed)",
    )
    assert not decide(Interval(0, 0, 0), 0.1, [fast], 0.01, 0.05)


def test_what_was_zero_cannot_fall() -> None:
    assert Guard("cold", Pair(0, 0)).change == 0
    assert Guard("cold", Pair(0, 0.1)).change > 0


# -- what serves -------------------------------------------------------------------------------------------------------


def test_a_level_snapshot_is_promoted_and_its_report_says_how_it_was_compared(shop: Path) -> None:
    learn_weeks(shop, 8)
    report = train(shop)
    assert report["promoted"] and report["compared"]
    assert (report["how"], report["serving"], report["questions"]) == ("serving as it is", "000001", N_SHOPPERS)
    assert report["recall@10"]["difference"] == pytest.approx(0, abs=0.005)
    assert report["recall@10"]["serving"] > 0.3
    assert set(report["guardrails"]) == {"coverage", "time of a page"}
    assert states(shop) == {"000001": "older", "000002": "current"}
    assert served(shop) == "000002"


def test_the_serving_snapshot_answers_what_it_has_not_seen_and_the_new_one_learns_without_the_answers(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt_until: list[int] = []
    fit = BuyAgain.fit

    def spy(model: BuyAgain, interactions: Interactions, now_ms: int) -> None:
        learnt_until.append(int(interactions.events.times_ms.max()))
        fit(model, interactions, now_ms)

    monkeypatch.setattr(BuyAgain, "fit", spy)
    learn_weeks(shop, 8)
    report = train(shop)
    whole, without = learnt_until
    assert without < report["cut_ms"] <= START_MS + 8 * 7 * DAY_MS <= whole


def test_without_enough_new_events_both_recipes_learn_anew_without_the_last_four_weeks(shop: Path) -> None:
    report = train(shop, GOOD + "[models.popular_lately]\nhalf_life_days = 8\n")
    assert (report["how"], report["compared"]) == ("both fitted anew", True)
    assert report["cut_ms"] < START_MS + 5 * 7 * DAY_MS
    assert report["promoted"], report["why"]


def test_what_both_recipes_share_is_fitted_anew_only_once(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[str] = []
    anew = comparison.fitted_anew

    def refit(model: Any, interactions: Interactions, now_ms: int) -> Any:
        fitted.append(type(model).__name__)
        return anew(model, interactions, now_ms)

    monkeypatch.setattr("wares.training.refit.fitted_anew", refit)
    assert train(shop, GOOD + "[models.popular_lately]\nhalf_life_days = 8\n")["how"] == "both fitted anew"
    assert sorted(fitted) == ["BuyAgain", "ItemKNN", "Popular", "PopularLately", "PopularLately"]


def test_a_worse_snapshot_is_kept_aside_with_its_report_and_the_old_one_goes_on_serving(shop: Path) -> None:
    for weeks, how in (((8,), "serving as it is"), ((), "both fitted anew")):
        learn_weeks(shop, *weeks)
        if not weeks:
            train(shop)
        before = current_name(shop / SNAPSHOTS)
        report = train(shop, WORSE)
        assert (report["promoted"], report["how"]) == (False, how)
        assert report["recall@10"]["high"] < 0
        assert report["why"][0].startswith("recall@10 may be too much worse: the difference is -0.")
        assert states(shop)[report["snapshot"]] == "kept aside"
        assert current_name(shop / SNAPSHOTS) == before
        (shop / "wares.toml").write_text(GOOD)
        assert served(shop) == before


def test_a_guardrail_alone_keeps_aside(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new snapshot is as good, but a page takes ten times as long."""
    timed = comparison._timed

    def slower(*asked: Any) -> tuple[Pair, NDArray[np.float64]]:
        latency, made = timed(*asked)
        return Pair(latency.serving, latency.serving * 10), made

    monkeypatch.setattr(comparison, "_timed", slower)
    learn_weeks(shop, 8)
    report = train(shop)
    assert report["recall@10"]["low"] >= -0.01 * report["recall@10"]["serving"]
    assert len(report["why"]) == 1
    assert report["why"][0].startswith("time of a page gets 900.0% worse")
    assert states(shop) == {"000001": "current", "000002": "kept aside"}


def test_coverage_is_guarded_where_recall_is_not_asked_for(shop: Path) -> None:
    """One page for everybody: with a margin that allows anything, the guardrail alone speaks against it."""
    learn_weeks(shop, 8)
    report = train(shop, WORSE + "[promotion]\nmargin = 1\n")
    assert not report["promoted"]
    assert [reason.split()[0] for reason in report["why"]] == ["coverage"]


def test_recall_of_new_products_is_measured_where_enough_of_them_were_bought(shop: Path) -> None:
    with Store.open(shop, "write") as store:
        now_ms = START_MS + 8 * 7 * DAY_MS
        store.catalogue.put(Product(f"n{i}", title=f"new {i}", currency="USD", published_ms=now_ms) for i in range(30))
        store.events.append(
            Event(EventKind.PURCHASE, now_ms + DAY_MS, f"s{i}", f"n{i % 30}", basket_id=f"n{i}") for i in range(60)
        )
    report = train(shop)
    cold = report["guardrails"]["recall of new products"]
    assert report["cold_questions"] == 60
    assert cold["serving"] == cold["candidate"] > 0
    assert report["promoted"], report["why"]


def test_products_that_came_and_went_do_not_confuse_the_rows_of_the_old_snapshot(shop: Path) -> None:
    with Store.open(shop, "write") as store:
        store.catalogue.delete([f"p{i}" for i in range(20)])
        changed = [Product(f"p{i}", title=f"another name {i}", currency="USD") for i in range(50, 70)]
        store.catalogue.put([Product(f"a{i}", title=f"early {i}", currency="USD") for i in range(20)] + changed)
    learn_weeks(shop, 8)
    report = train(shop)
    assert report["compared"] and report["promoted"], report["why"]
    assert report["recall@10"]["difference"] == pytest.approx(0, abs=0.01)
    assert report["recall@10"]["serving"] > 0.3


def test_few_shoppers_are_not_compared_and_the_report_says_so(tmp_path: Path) -> None:
    with Store.open(tmp_path, "write") as store:
        store.catalogue.put(Product(f"p{i}", title=f"thing {i}", currency="USD") for i in range(9))
        for day in range(40):
            store.events.append([Event(EventKind.PURCHASE, START_MS + day * DAY_MS, "ann", f"p{day % 9}")])
    train(tmp_path)
    report = train(tmp_path)
    assert (report["promoted"], report["compared"]) == (True, False)
    assert report["why"] == ["not compared with 000001: fewer than 50 shoppers could be asked"]
    RuleBook(tmp_path).publish('[[rules]]\nhide = ["p0"]\n', "Ann")
    assert train(tmp_path, GOOD + '[profiles.home]\nsources = ["buy_again"]\n')["promoted"]


def test_the_comparison_can_be_switched_off(shop: Path) -> None:
    learn_weeks(shop, 8)
    report = train(shop, WORSE + "[promotion]\ncompare = false\n")
    assert report["promoted"] and not report["compared"]
    assert report["why"] == ["not compared: the settings say so"]


def test_at_most_so_many_are_asked_and_the_same_ones_again(shop: Path) -> None:
    learn_weeks(shop, 8)
    first, second = (train(shop, WORSE + "[promotion]\nquestions = 50\n") for _ in range(2))
    assert first["questions"] == second["questions"] == 50
    assert first["recall@10"] == second["recall@10"]


def test_a_model_that_only_others_can_fit_is_left_out_on_both_sides(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn_weeks(shop, 8)
    anew = comparison.fitted_anew

    def refit(model: Any, interactions: Interactions, now_ms: int) -> Any:
        if isinstance(model, BuyAgain):
            raise TrainingError("It is fitted elsewhere.")
        return anew(model, interactions, now_ms)

    monkeypatch.setattr("wares.training.refit.fitted_anew", refit)
    report = train(shop)
    assert report["left_out"] == ["buy_again"]
    assert report["recall@10"]["difference"] == pytest.approx(0, abs=0.01)


# -- damage ------------------------------------------------------------------------------------------------------------


def nan_scores(model: Popular, history: History, now_ms: int) -> NDArray[np.float32]:
    return np.full(N_PRODUCTS, np.nan, np.float32)


def test_a_model_of_nan_keeps_the_last_good_snapshot(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Popular, "score", nan_scores)
        report = train(shop)
    assert report["why"] == ["the model popular is damaged: some of its scores are no numbers"]
    assert states(shop) == {"000001": "current", "000002": "kept aside"}
    assert served(shop) == "000001"


def test_a_first_model_of_nan_serves_nobody(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(shop / SNAPSHOTS)
    with monkeypatch.context() as patch:
        patch.setattr(Popular, "score", nan_scores)
        assert not train(shop)["promoted"]
    assert states(shop) == {"000001": "kept aside"}
    assert served(shop) == ""


def test_a_model_that_was_fitted_wrongly_this_once_is_found_though_its_recipe_is_good(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe fitted anew is as good as before; the planted model, which has seen the answers, is not."""
    fit, fitted = BuyAgain.fit, []

    def once_wrongly(model: BuyAgain, interactions: Interactions, now_ms: int) -> None:
        fitted.append(model)
        fit(model, interactions, now_ms)
        if len(fitted) == 1:
            model.planted = True  # type: ignore[attr-defined]

    says = BuyAgain.says

    def said(model: BuyAgain, history: History, now_ms: int) -> Scores:
        found = says(model, history, now_ms)
        return Scores.of_all(found.all().max() - found.all()) if getattr(model, "planted", False) else found

    learn_weeks(shop, 8)
    with monkeypatch.context() as patch:
        patch.setattr(BuyAgain, "fit", once_wrongly)
        patch.setattr(BuyAgain, "says", said)
        report = train(shop)
    assert report["recall@10"]["difference"] == pytest.approx(0, abs=0.005)
    assert report["why"][-1].startswith("it is damaged: as it was made it answers less than half as well")
    assert states(shop) == {"000001": "current", "000002": "kept aside"}


@pytest.mark.parametrize("fault", [TrainingError("The loss is no number."), MemoryError(), KeyboardInterrupt()])
def test_a_failed_training_keeps_the_last_good_snapshot(
    shop: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    def fail(model: Popular, interactions: Interactions, now_ms: int) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(Popular, "fit", fail)
        with pytest.raises(type(fault)):
            train(shop)
    assert states(shop) == {"000001": "current"}
    assert served(shop) == "000001"


def test_a_comparison_that_fails_keeps_what_was_learnt_aside(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*asked: Any, **more: Any) -> None:
        raise TrainingError("a plugin is broken")

    monkeypatch.setattr("wares.training.promotion.compare", fail)
    learn_weeks(shop, 8)
    assert train(shop)["why"] == ["it could not be compared: a plugin is broken"]
    assert states(shop) == {"000001": "current", "000002": "kept aside"}


# -- going back --------------------------------------------------------------------------------------------------------


def home(engine: Engine) -> str:
    engine.refresh()
    return engine.ask(Request("home", START_MS)).snapshot


def test_going_back_changes_what_a_running_engine_serves_and_what_a_new_one_does(shop: Path) -> None:
    learn_weeks(shop, 8)
    train(shop)
    with Store.open(shop, "read") as store:
        running = Engine(shop, load_settings(shop), store, None)
        assert home(running) == "000002"
        go_back(shop / SNAPSHOTS, "000001")
        assert home(running) == home(running) == "000001"
        assert home(Engine(shop, load_settings(shop), store, None)) == "000001"
    assert states(shop) == {"000001": "current", "000002": "kept aside"}


def test_after_going_back_a_training_is_kept_aside_until_a_person_promotes_one(shop: Path) -> None:
    learn_weeks(shop, 8)
    train(shop)
    go_back(shop / SNAPSHOTS, "000001")
    report = train(shop)
    assert report["why"] == [
        "the shop went back to 000001 by hand, and stays there until a snapshot is promoted by hand"
    ]
    assert served(shop) == "000001"
    make_current(shop / SNAPSHOTS, report["snapshot"])
    assert served(shop) == "000003"
    assert train(shop)["promoted"]


@pytest.mark.parametrize("damaged", ["CURRENT", "000001/manifest.json"])
def test_what_was_kept_aside_never_serves_by_accident(shop: Path, damaged: str) -> None:
    learn_weeks(shop, 8)
    train(shop)
    learn_weeks(shop, 9)
    train(shop, WORSE)
    go_back(shop / SNAPSHOTS, "000001")
    (shop / SNAPSHOTS / damaged).write_text("")
    assert snapshot_names(shop / SNAPSHOTS) == ["000001"]
    (shop / "wares.toml").write_text(GOOD)
    assert served(shop) == ("000001" if damaged == "CURRENT" else "")


def test_a_hand_on_the_snapshots_during_a_training_has_the_last_word(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn_weeks(shop, 8)
    train(shop)
    fit = Popular.fit

    def meanwhile(model: Popular, interactions: Interactions, now_ms: int) -> None:
        go_back(shop / SNAPSHOTS, "000001")
        fit(model, interactions, now_ms)

    monkeypatch.setattr(Popular, "fit", meanwhile)
    assert not train(shop)["promoted"]
    assert served(shop) == "000001"


def test_trainings_that_are_kept_aside_do_not_push_out_what_could_serve_again(shop: Path) -> None:
    learn_weeks(shop, 8)
    train(shop)
    for _ in range(4):
        last = train(shop, WORSE)["snapshot"]
    assert last == "000006"
    assert states(shop) == {"000001": "older", "000002": "current", "000006": "kept aside"}
    prune(shop / SNAPSHOTS, keep=1)
    assert states(shop) == {"000002": "current", "000006": "kept aside"}
