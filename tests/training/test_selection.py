"""Which features earn their place, and which know what they cannot know."""

import json
from pathlib import Path

import numpy as np
import pytest
from habit_shop import habits, made_shop
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.commands.features import features_html
from wares.errors import InputError
from wares.training.selection import METHODS, Bools, Floats, Groups, Selection, l1_path, leaking, select, t_statistics

NAMES = ("habit", "popular", "useless", "useless of the shopper", "leak", "constant")


def made(seed: int = 0, n_shoppers: int = 60, each: int = 40) -> tuple[Floats, Bools, Groups, Bools]:
    """Bought by habit, and a little by what is popular. The leak is the label with noise."""
    rng = np.random.default_rng(seed)
    n, groups = n_shoppers * each, np.repeat(np.arange(n_shoppers), each)
    habit, popular, useless = rng.normal(size=(3, n))
    own, mood = rng.normal(size=(2, n_shoppers))
    chance = 1 / (1 + np.exp(2.5 - 1.5 * habit - 0.8 * popular - 0.4 * mood[groups]))
    bought, before = rng.random((2, n)) < chance
    leak = bought + rng.normal(0, 0.05, n)
    return np.stack([habit, popular, useless, own[groups], leak, np.ones(n)], axis=1), bought, groups, before


@pytest.fixture(scope="module")
def chosen() -> Selection:
    x, bought, groups, before = made()
    return select(x, bought, groups, NAMES, np.random.default_rng(0), before)


def test_all_four_methods_drop_a_useless_feature_and_keep_a_useful_one(chosen: Selection) -> None:
    kept = {one.name: one.keeps for one in chosen.features}
    assert kept["habit"] == kept["popular"] == METHODS
    assert kept["useless"] == kept["constant"] == ()


def test_a_feature_that_encodes_the_label_is_caught_and_left_out(chosen: Selection) -> None:
    flagged = [one for one in chosen.features if one.leaks]
    assert [one.name for one in flagged] == ["leak"]
    assert flagged[0].auc > 0.99 and flagged[0].auc_before < 0.7 and flagged[0].keeps == ()
    assert "leak" not in chosen.path_names


def test_a_leak_is_caught_even_where_nothing_is_known_of_the_past() -> None:
    x, bought, groups, _ = made()
    found = select(x, bought, groups, NAMES, np.random.default_rng(0))
    assert [one.name for one in found.features if one.leaks] == ["leak"]


def test_a_leak_that_points_the_other_way_is_one_too_and_a_strong_honest_feature_is_none() -> None:
    alone, before = np.array([0.01, 0.97, 0.95]), np.array([0.4, 0.98, 0.8])
    assert leaking(alone, before).tolist() == [True, False, True]


def test_useless_features_are_rarely_kept_whatever_chance_does() -> None:
    kept = dict.fromkeys(METHODS, 0)
    for seed in range(4):
        x, bought, groups, before = made(seed, n_shoppers=40)
        for one in select(x, bought, groups, NAMES, np.random.default_rng(seed), before).features:
            for method in one.keeps if one.name.startswith("useless") else ():
                kept[method] += 1
    assert max(kept.values()) <= 1  # of eight


def test_the_path_begins_with_nothing_and_follows_the_conditions_of_the_minimum() -> None:
    x, bought, groups, _ = made(n_shoppers=30)
    x = x[:, :4]
    path = l1_path(x, bought, groups, np.random.default_rng(0))
    assert not path.weights[0].any()
    for penalty, w in zip(path.penalties[::7], path.weights[::7], strict=True):
        constants = np.linspace(-6, 2, 4001)  # the best constant for these weights
        scores = x @ w
        losses = [np.mean(np.logaddexp(0, scores + c) - bought * (scores + c)) for c in constants[::40]]
        near = constants[::40][int(np.argmin(losses))]
        fine = constants[np.abs(constants - near) < 0.1]
        c = fine[int(np.argmin([np.mean(np.logaddexp(0, scores + c) - bought * (scores + c)) for c in fine]))]
        slope = x.T @ (bought - 1 / (1 + np.exp(-(scores + c)))) / len(x)
        assert np.abs(slope[w == 0]).max(initial=0) <= penalty + 2e-3
        assert np.allclose(slope[w != 0], penalty * np.sign(w[w != 0]), atol=2e-3)


def test_with_a_shopper_for_each_example_t_is_the_textbook_value() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    y = rng.random(4000) < 0.5 + 0.1 * np.tanh(x[:, 0])
    design = np.column_stack([x, np.ones(4000)])
    inverse = np.linalg.inv(design.T @ design)
    weights = inverse @ design.T @ y
    left = y - design @ weights
    textbook = weights[:2] / np.sqrt(left @ left / (4000 - 3) * np.diag(inverse)[:2])
    assert t_statistics(x, y, np.arange(4000)) == pytest.approx(textbook, rel=0.05, abs=0.05)


def test_copies_of_one_shopper_do_not_make_a_feature_surer() -> None:
    x, bought, groups, _ = made(n_shoppers=30)
    once = t_statistics(x[:, :3], bought, groups)
    five_times = t_statistics(np.tile(x[:, :3], (5, 1)), np.tile(bought, 5), np.tile(groups, 5))
    assert five_times == pytest.approx(once)


def test_labels_of_one_class_and_a_handful_of_shoppers_are_refused() -> None:
    x, bought, groups, _ = made()
    with pytest.raises(InputError, match="alike"):
        select(x, np.zeros(len(x), np.bool_), groups, NAMES, np.random.default_rng(0))
    with pytest.raises(InputError, match="2 shoppers are too few"):
        select(x[:80], bought[:80], groups[:80], NAMES, np.random.default_rng(0))


def test_the_plot_has_a_chart_for_each_method_and_names_the_leak(chosen: Selection) -> None:
    html = features_html(chosen, "Corner & Sons")
    assert html.count("<svg") == len(METHODS) + 1
    assert "Corner &amp; Sons" in html and "leak leaks and was left out" in html
    assert "nan" not in html


def test_the_command_asks_an_earlier_window_and_finds_the_habit(tmp_path: Path) -> None:
    place = made_shop(tmp_path / "shop", habits(40), trained=True)
    words = ["features", str(place), "--days", "14", "--plot", str(tmp_path / "plots" / "f.html"), "--json"]
    answer = json.loads(CliRunner().invoke(app, words).stdout)
    by_name = {one["name"]: one for one in answer["features"]}
    assert by_name["buy_again"]["auc"] > 0.8 and not any(one["leaks"] for one in answer["features"])
    assert "permutation" in by_name["buy_again"]["kept_by"] or "permutation" in by_name["relevance"]["kept_by"]
    assert by_name["sellable"]["kept_by"] == []
    assert answer["shoppers"] == 40 and 0 < answer["bought"] < answer["candidates"]
    assert (tmp_path / "plots" / "f.html").read_text().startswith("<!doctype html>")
    told = CliRunner().invoke(app, words[:4]).stdout
    assert "buy_again" in told and "AUC" in told


def test_a_shop_that_has_learnt_nothing_is_told_to_train(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["features", str(made_shop(tmp_path, habits(30)))])
    assert result.exit_code == 1 and "wares train" in result.output
