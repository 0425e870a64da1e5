"""What aims bring and cost: one shop of the past, arranged by several weights."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from habit_shop import END_MS, goods, habits, made_shop
from typer.testing import CliRunner, Result

from wares.app.cli import app
from wares.domain.judgement import Judgement
from wares.domain.request import Request
from wares.domain.rule import Actions
from wares.engine.rules.settings import read_rules
from wares.errors import InputError, TrainingError
from wares.evaluation.charts import Step, path
from wares.evaluation.intervals import Interval
from wares.shop import Shop, open_shop
from wares.training.aims import NONE, OWN, AimsCost, Line, cost_in_search, cost_on_home

WEIGHTS = (0.05, 0.4, 1.0)
RULES = "[aims]\nmargin = 0.1\n[[rules]]\nwhen = { surface = 'search' }\naims = { margin = 0.5 }\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What people buy by habit has nothing to do with what it earns."""
    cost = np.random.default_rng(5).permutation(60)
    products = [replace(one, cost_minor=int(cost[i])) for i, one in enumerate(goods())]
    place = made_shop(tmp_path_factory.mktemp("aims") / "shop", habits(weeks=10), products, trained=True)
    with open_shop(place, create=False) as shop:
        shop.writer().judgements.put([Judgement("thing", f"p{i}", 1.0 + (i % 7)) for i in range(0, 60, 3)])
    return place


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder, create=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def home(folder: Path) -> AimsCost:
    rules = read_rules(RULES, "the rules").values()
    with open_shop(folder, create=False) as shop:
        return cost_on_home(folder, shop.store, shop.settings, rules, END_MS, weights=WEIGHTS)


def of_margin(found: AimsCost) -> list[Line]:
    """Without aims, then by growing weight."""
    return [line for line in found.lines if line.label != OWN and set(dict(line.mix)) <= {"margin"}]


def test_more_weight_brings_more_margin_and_costs_relevance(home: AimsCost) -> None:
    lines = of_margin(home)
    assert [line.mix for line in lines] == [(), *((("margin", weight),) for weight in WEIGHTS)]
    margins = [line.means["margin"] for line in lines]
    assert margins == sorted(margins) and margins[-1] > margins[0] + 0.1
    assert lines[0].relevance.mean > 0.5
    assert lines[0].difference == Interval(0.0, 0.0, 0.0)
    assert lines[-1].difference.below_zero
    for line in lines:
        assert line.difference.mean == pytest.approx(line.relevance.mean - lines[0].relevance.mean)
        assert 0 < line.found_margin < 1 and line.found_profit_minor > 0


def test_the_shops_own_mix_is_a_line_of_its_own(home: AimsCost) -> None:
    own = home.lines[-1]
    assert (own.label, own.mix) == (OWN, (("margin", 0.1),))
    by_margin = [line.means["margin"] for line in of_margin(home)]
    assert by_margin[0] <= own.means["margin"] <= by_margin[-1]


def test_aims_of_which_nothing_is_known_are_not_tried(home: AimsCost) -> None:
    assert home.unknown == ("stock_cover", "stock_age")
    assert all(np.isnan(line.means["stock_cover"]) for line in home.lines)


def test_the_same_seed_gives_the_same_figures(folder: Path, home: AimsCost) -> None:
    rules = read_rules(RULES, "the rules").values()
    with open_shop(folder, create=False) as shop:
        again = cost_on_home(folder, shop.store, shop.settings, rules, END_MS, weights=WEIGHTS)
    assert [(line.label, line.relevance, line.difference) for line in again.lines] == [
        (line.label, line.relevance, line.difference) for line in home.lines
    ]


def test_a_page_arranged_later_is_the_page_that_is_served(shop: Shop) -> None:
    engine = shop.engine
    history = engine.history("s3")[0]
    request = Request("home", END_MS)
    ways = [Actions(), Actions(aims=(("margin", 0.3),)), Actions(aims=(("margin", 1.0),))]
    for way, slate in zip(ways, engine.arranged(request, history, ways), strict=True):
        served = engine.answer(request, history, actions=way).slate
        np.testing.assert_array_equal(slate.rows, served.rows)
        np.testing.assert_array_equal(slate.priority, served.priority)


def test_search_is_measured_where_there_are_judgements(shop: Shop) -> None:
    rules = read_rules(RULES, "the rules").values()
    found = cost_in_search(shop.engine, rules, END_MS, weights=(1.0,))
    assert found is not None and (found.surface, found.measure, found.asked) == ("search", "ndcg@10", 1)
    assert found.lines[-1].mix == (("margin", 0.5),)
    assert found.lines[1].means["margin"] > found.lines[0].means["margin"]
    assert np.isnan(found.lines[0].found_margin)  # what was found was judged, not bought


def test_without_judgements_search_is_not_measured(tmp_path: Path) -> None:
    place = made_shop(tmp_path / "shop", [])
    with open_shop(place, create=False) as shop:
        assert cost_in_search(shop.engine, [], END_MS) is None
        with pytest.raises(TrainingError, match="wares train"):
            cost_on_home(place, shop.store, shop.settings, [], END_MS)


def test_a_surface_without_the_policy_is_named(tmp_path: Path) -> None:
    more = '[profiles.home]\npolicies = ["availability", "rules"]\n'
    place = made_shop(tmp_path / "shop", habits(10, weeks=8), more=more, trained=True)
    with open_shop(place, create=False) as shop, pytest.raises(InputError, match=r"profiles\.home\.policies lacks"):
        cost_on_home(place, shop.store, shop.settings, [], END_MS)


# -- the command -------------------------------------------------------------------------------------------------------


def wares_(*words: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, words)], prog_name="wares", env={"COLUMNS": "140"})


def test_the_command_prints_a_table_and_writes_a_page_with_a_chart_per_aim(folder: Path, tmp_path: Path) -> None:
    draft = tmp_path / "new.toml"
    draft.write_text(RULES)
    wares_("draft", folder, draft)
    page = tmp_path / "deep" / "aims.html"
    done = wares_("aims", folder, "--weights", "0.1,0,0.5", "--report", page)
    assert done.exit_code == 0, done.output
    assert "home: 60 questions" in done.stdout and "search: 1 questions" in done.stdout
    assert "yours: margin 0.1" in done.stdout and "yours: margin 0.5" in done.stdout
    assert "No product tells what stock_cover needs (stock)" in done.stderr
    html = page.read_text()
    assert html.count("<svg") == 2 and "<script" not in html
    assert "home: margin" in html and "margin 0.5" in html
    told: Any = json.loads(wares_("aims", folder, "--weights", "0.1,0.5", "--json").stdout)
    assert told["draft"] is True
    assert [way["label"] for way in told["surfaces"][0]["ways"]] == [NONE, "margin 0.1", "margin 0.5", OWN]
    assert told["surfaces"][0]["unknown"] == ["stock_cover", "stock_age"]
    assert told["surfaces"][0]["ways"][1]["means"]["stock_age"] is None
    published = wares_("publish", folder, "--by", "Ann")
    assert published.exit_code == 0 and "`wares rules aims` shows" in published.stderr
    shown = wares_("show", folder)
    assert "Aims: margin 0.1." in shown.stdout
    assert json.loads(wares_("show", folder, "--json").stdout)["aims"] == {"margin": 0.1}
    assert "+ [aims]" in wares_("log", folder).stdout


@pytest.mark.parametrize("weights", ["2", "-0.1", "much", "0.1,,0.2", "nan"])
def test_weights_that_are_none_are_named(folder: Path, weights: str) -> None:
    done = wares_("aims", folder, f"--weights={weights}")
    assert done.exit_code != 0
    assert "is no weight. Valid: 0 to 1" in done.output


def test_a_chart_tells_its_points_to_who_hears_it_and_stays_inside() -> None:
    steps = [Step("no aims", 30.0, Interval(0.0)), Step("0.1", 35.0, Interval(-2.0, -4.0, 0.5))]
    drawn = path("home: margin", [*steps, Step("lost", float("nan"), Interval(1.0))], "margin", "recall")
    assert 'aria-label="home: margin. no aims: 0 at 30; 0.1: -2 at 35"' in drawn
    assert drawn.count("<circle") == 2 and drawn.count("whisker") == 1
    assert "nan" not in path("empty", [], "x", "y")
