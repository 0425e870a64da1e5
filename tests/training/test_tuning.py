"""A search for the numbers that suit a shop: chosen on past windows, proven on a later one, and resumed."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from habit_shop import DAY_MS, END_MS, habits, made_shop, seen
from typer.testing import CliRunner

from wares.app.cli import app
from wares.domain.event import Event, EventKind
from wares.engine.settings import load_settings
from wares.errors import InputError, TrainingError, UnknownName
from wares.training.studies import FILE_NAME, Studies
from wares.training.tuning import SPACES, Tuned, cut_folds, tune


def fading(n_shoppers: int = 40, weeks: int = 30) -> list[Event]:
    """Everybody buys the same five products of the week, and every week others: what sold long ago says nothing."""
    return [
        Event(EventKind.PURCHASE, END_MS - (7 * (weeks - 1 - week) + day) * DAY_MS, f"s{shopper}", f"p{row}")
        for shopper in range(n_shoppers)
        for week in range(weeks)
        for day in (shopper % 3, 3 + shopper % 3)
        for row in range(5 * week % 60, 5 * week % 60 + 5)
    ]


SLOW = "[models.popular_lately]\nhalf_life_days = 170.0  # far too slow\n"


def searched(folder: Path, names: tuple[str, ...] = ("popular_lately",), **options: Any) -> list[Tuned]:
    return list(tune(folder, seen(folder)[1], load_settings(folder), names, **{"trials": 8, "days": 7.0, **options}))


def test_a_planted_need_to_forget_is_found_and_proven(tmp_path: Path) -> None:
    made_shop(tmp_path, fading(), more=SLOW)
    (found,) = searched(tmp_path)
    assert found.now == {"half_life_days": 170.0}
    assert found.best["half_life_days"] < 30
    assert found.is_better and found.difference.low > 0
    assert found.proof_best.mean - found.proof_now.mean == pytest.approx(found.difference.mean)
    assert found.trials == 8 and found.resumed == 0


def test_the_last_window_is_never_looked_at(tmp_path: Path) -> None:
    _, interactions = seen(made_shop(tmp_path, habits()))
    folds = cut_folds(interactions, 7.0, 2, 100, "recall", 10, 0)
    last = int(interactions.events.times_ms.max()) - 7 * DAY_MS
    for fold in (folds.proof, *folds.choosing):
        assert fold.split.cut_ms + 7 * DAY_MS <= last
        assert int(fold.split.train.events.times_ms.max()) < fold.split.cut_ms
    assert len({fold.split.cut_ms for fold in (folds.proof, *folds.choosing)}) == 3
    assert folds.proof.split.cut_ms == max(fold.split.cut_ms for fold in (folds.proof, *folds.choosing))


def test_a_search_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    made_shop(tmp_path, fading(), more=SLOW)

    def stop(stage: str, done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, tell=stop)
    kept = json.loads((tmp_path / FILE_NAME).read_text())["studies"]["popular_lately"]["trials"]
    assert len(kept) == 4
    (found,) = searched(tmp_path)
    assert (found.trials, found.resumed) == (8, 4)
    after = json.loads((tmp_path / FILE_NAME).read_text())["studies"]["popular_lately"]["trials"]
    assert after[:4] == kept
    assert len({trial["numbers"]["half_life_days"] for trial in after}) == 8  # nothing is tried twice


def test_trials_of_another_question_or_of_older_data_do_not_count(tmp_path: Path) -> None:
    made_shop(tmp_path, fading(), more=SLOW)
    searched(tmp_path, trials=3)
    assert searched(tmp_path, trials=3, metric="ndcg")[0].resumed == 0
    made_shop(tmp_path, [Event(EventKind.PURCHASE, END_MS, "new", "p1")], more=SLOW)
    assert searched(tmp_path, trials=3, metric="ndcg")[0].resumed == 0


def test_a_file_of_trials_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    made_shop(tmp_path, fading(), more=SLOW)
    for text in ("{", '{"format": 1, "studies": {"popular_lately": {"trials": 3}}}', "[]"):
        (tmp_path / FILE_NAME).write_text(text)
        assert Studies(tmp_path).trials("popular_lately", {}) == []
    assert searched(tmp_path, trials=2)[0].trials == 2


def test_a_budget_ends_the_search(tmp_path: Path) -> None:
    made_shop(tmp_path, habits(), more=SLOW)
    found = searched(tmp_path, ("item_knn", "ease"), trials=None, budget_s=2.0)
    assert [one.model for one in found] == ["item_knn", "ease"]
    assert all(one.trials >= 1 for one in found)
    assert sum(one.seconds for one in found) < 6


def test_what_is_set_outside_the_space_is_still_compared(tmp_path: Path) -> None:
    made_shop(tmp_path, fading(), more="[models.popular_lately]\nhalf_life_days = 5000.0\n")
    assert searched(tmp_path, trials=3)[0].now == {"half_life_days": 5000.0}


@pytest.mark.parametrize("name", list(SPACES))
def test_every_model_can_be_tuned(name: str, tmp_path: Path) -> None:
    made_shop(tmp_path, habits(30))
    (found,) = searched(tmp_path, (name,), trials=3)
    assert set(found.now) == set(SPACES[name]) == set(found.best)
    assert found.chosen_best >= found.chosen_now
    assert np.isfinite([found.proof_now.mean, found.proof_best.mean, found.difference.mean]).all()


def test_too_little_to_choose_on_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="5 shoppers who were known before bought something; 20 are needed"):
        searched(made_shop(tmp_path / "few", habits(5)))
    with pytest.raises(InputError, match="one time"):
        searched(made_shop(tmp_path / "once", [Event(EventKind.PURCHASE, END_MS, "a", "p1")]), days=None)
    with pytest.raises(UnknownName, match="item_knn"):
        searched(made_shop(tmp_path / "name", habits(30)), ("item_kn",))


def test_without_optuna_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_shop(tmp_path, fading())
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(TrainingError, match=r"wares\[train\]"):
        searched(tmp_path)


def test_the_command_writes_what_is_better_and_keeps_the_comments(tmp_path: Path) -> None:
    place = made_shop(tmp_path, fading(), more=SLOW)
    words = ["tune", str(place), "--models", "popular_lately,buy_again", "--trials", "6", "--days", "7"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "better" in told.stdout and "170" in told.stdout
    assert load_settings(place).models.parameters("popular_lately") == {"half_life_days": 170.0}
    answer = json.loads(CliRunner().invoke(app, [*words, "--write", "--json"]).stdout)
    best = answer["models"][0]["best"]["half_life_days"]
    assert answer["written"][0] == "popular_lately" and answer["models"][0]["resumed"] == 6
    text = (place / "wares.toml").read_text()
    assert tomllib.loads(text)["models"]["popular_lately"]["half_life_days"] == best
    assert "# far too slow" in text


def test_a_budget_that_is_no_time_and_an_unknown_metric_are_explained(tmp_path: Path) -> None:
    place = made_shop(tmp_path, fading())
    wrong = CliRunner().invoke(app, ["tune", str(place), "--budget", "soon"])
    assert wrong.exit_code == 1 and "90s, 10m, 2h" in wrong.output
    wrong = CliRunner().invoke(app, ["tune", str(place), "--metric", "recal"])
    assert wrong.exit_code == 1 and "Did you mean 'recall'?" in wrong.output
