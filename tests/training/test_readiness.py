"""Is there enough in this shop to learn from?"""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from habit_shop import DAY_MS, END_MS, goods, habits, made_shop, seen
from typer.testing import CliRunner

from wares.app.cli import app
from wares.domain.event import Event, EventKind
from wares.engine.settings import load_settings
from wares.training.readiness import Readiness, readiness


def of(folder: Path, events: Sequence[Event]) -> Readiness:
    place = made_shop(folder, events)
    return readiness(*seen(place), load_settings(place))


def test_a_shop_of_loyal_shoppers_is_ready(tmp_path: Path) -> None:
    found = of(tmp_path, habits())
    assert found.verdict == "yes"
    assert found.asked == 60
    best = found.comparisons[0]
    assert best.model == "buy_again"
    assert best.learnt > best.popular + 0.2
    assert best.difference.low > 0


def test_where_chance_shops_nothing_learnt_beats_popular_products(tmp_path: Path) -> None:
    found = of(tmp_path, habits(loyal=False))
    assert found.verdict == "not yet"
    assert not any(one.difference.above_zero for one in found.comparisons)


def test_five_shoppers_are_too_few_to_tell(tmp_path: Path) -> None:
    found = of(tmp_path, habits(5))
    assert found.verdict == "cannot tell"
    assert "Only 5 shoppers" in found.why and "30" in found.why


def test_a_log_of_one_moment_an_empty_log_and_one_without_purchases_say_why(tmp_path: Path) -> None:
    once = [replace(event, time_ms=END_MS) for event in habits()]
    assert "one time" in of(tmp_path / "once", once).why
    views = [replace(event, kind=EventKind.VIEW, basket_id="") for event in habits()]
    assert "no purchase" in of(tmp_path / "views", views).why
    nothing = of(tmp_path / "nothing", [])
    assert nothing.verdict == "cannot tell" and math.isnan(nothing.returning)
    json.dumps(nothing.to_dict(), allow_nan=False)


def test_the_figures_are_those_of_the_shop(tmp_path: Path) -> None:
    def bought(shopper: str, product: str, day: int) -> Event:
        return Event(EventKind.PURCHASE, END_MS + day * DAY_MS, shopper, product)

    events = [
        *(bought("ann", "p1", 0), bought("ann", "p2", 0), bought("ann", "p1", 3), bought("ann", "p3", 3)),
        *(bought("bob", "p1", 1), bought("", "p1", 4)),
    ]
    found = of(tmp_path, events)
    assert (found.events, found.purchases, found.products, found.products_met) == (6, 6, 60, 3)
    assert (found.shoppers, found.visits, found.returning) == (2, 3, 0.5)
    assert found.repeats == 0.5  # of p1 and p3, which Ann bought on her second day, she had had p1
    assert found.anonymous == pytest.approx(1 / 6)
    assert found.days == 4
    assert found.half == 1 and found.head == pytest.approx(4 / 6)
    assert found.coverage["description"] == pytest.approx(20 / 60)
    assert found.coverage["attributes"] == 0.5 and found.coverage["price"] == 1 and found.coverage["picture"] == 0


def test_what_is_bought_twice_on_one_day_is_not_bought_again(tmp_path: Path) -> None:
    twice = [Event(EventKind.PURCHASE, END_MS + hour * 3_600_000, "ann", "p1") for hour in (0, 1)]
    assert math.isnan(of(tmp_path, twice).repeats)


def test_the_command_speaks_to_a_shopkeeper_and_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    place = made_shop(tmp_path, habits(), goods())
    told = CliRunner().invoke(app, ["ready", str(place)])
    assert told.exit_code == 0, told.output
    assert "Ready:" in told.stdout and "ten popular ones" in told.stdout
    answer = json.loads(CliRunner().invoke(app, ["ready", str(place), "--json"]).stdout)
    assert answer["verdict"] == "yes" and len(answer["comparisons"]) == 2  # too few bought something new
    assert any("description" in line for line in answer["advice"])
