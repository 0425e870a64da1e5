"""The formula, corrected by trees: what it gets wrong is put right, what it gets right stays."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.ranking.boosted import Boosted
from wares.ranking.corrected import Corrected
from wares.ranking.formula import Formula, Term

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
NAMES = ("liked", "out_of_season", "noise")
FORMULA = Formula({"liked": 1.0, "noise": Term(0.0, "log")}, NAMES)
SIZE = 40


def shelf(requests: int, seed: int) -> tuple[Floats, Bools, Floats]:
    """What is liked is taken, unless it is out of season; the formula knows nothing of seasons."""
    rng = np.random.default_rng(seed)
    features = rng.random((requests * SIZE, 3)).astype(np.float32)
    features[:, 1] = features[:, 1] < 0.3
    chance = np.where(features[:, 1] > 0, 0.02, features[:, 0] ** 3)
    scores = np.concatenate([FORMULA.score(own, NAMES) for own in np.split(features, requests)])
    return features, rng.random(len(features)) < chance, scores


def learnt(requests: int = 100, rounds: int = 60) -> Corrected:
    features, taken, scores = shelf(requests, 0)
    how = {"rounds": rounds, "threads": 1, "min_data_in_leaf": 50}
    return Corrected.learn(FORMULA, features, taken, np.ones(len(taken)), scores, NAMES, **how)


@pytest.fixture(scope="module")
def order() -> Corrected:
    return learnt()


def first(scores: Floats) -> NDArray[np.intp]:
    return np.argsort(-scores)[:5]


def test_what_the_formula_cannot_know_is_put_right(order: Corrected) -> None:
    features, taken, scores = shelf(60, 1)
    asked = np.split(features, 60)
    by_order = [first(order.score(own, NAMES)) + SIZE * i for i, own in enumerate(asked)]
    by_formula = [first(own) + SIZE * i for i, own in enumerate(np.split(scores, 60))]
    assert taken[np.concatenate(by_order)].mean() > 1.2 * taken[np.concatenate(by_formula)].mean()
    assert features[np.concatenate(by_order), 1].mean() < 0.05 < 0.2 < features[np.concatenate(by_formula), 1].mean()


def test_where_nothing_can_be_learnt_the_formulas_order_stays() -> None:
    order = learnt(rounds=1)
    features, _, scores = shelf(1, 2)
    season = features.copy()
    season[:, 1] = 0
    assert order.odds[1] > 0
    one = Corrected(order.terms, order.odds, Boosted.restore(order.trees.state()))
    assert np.argmax(one.score(season, NAMES)) == np.argmax(scores)


def test_without_trees_the_log_odds_are_those_of_what_happened() -> None:
    features, taken, scores = shelf(200, 3)
    order = Corrected.learn(FORMULA, features, taken, np.ones(len(taken)), scores, NAMES, rounds=1, learning_rate=1e-6)
    log_odds = np.concatenate([order.score(own, NAMES) for own in np.split(features, 200)])
    assert float((1 / (1 + np.exp(-log_odds))).mean()) == pytest.approx(taken.mean(), rel=0.1)


def test_examples_that_count_more_are_learnt_more_from() -> None:
    features, taken, scores = shelf(100, 4)
    weights = np.where(taken, 20.0, 1.0)
    how = {"rounds": 20, "threads": 1}
    plain = Corrected.learn(FORMULA, features, taken, np.ones(len(taken)), scores, NAMES, **how)
    keen = Corrected.learn(FORMULA, features, taken, weights, scores, NAMES, **how)
    assert (keen.score(features[:SIZE], NAMES) > plain.score(features[:SIZE], NAMES)).all()


def test_the_parts_sum_to_the_score(order: Corrected) -> None:
    features, *_ = shelf(1, 5)
    parts = order.parts(features, NAMES)
    assert tuple(parts) == (*NAMES, "")
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), order.score(features, NAMES), rtol=1e-4, atol=1e-4)


def test_of_many_candidates_the_formulas_favourites_are_looked_at_with_all_trees(order: Corrected) -> None:
    """The cascade cuts by start and trees together: what the formula holds best is not lost to it."""
    features = np.zeros((400, 3), np.float32)
    features[:, 0] = np.linspace(0, 1, 400)
    assert np.argmax(order.score(features, NAMES)) > 360


def test_it_comes_back_from_plain_arrays_as_it_was(order: Corrected) -> None:
    back = Corrected.restore(order.state())
    features, *_ = shelf(1, 6)
    assert back == order and back.terms["noise"] == Term(0.0, "log")
    assert np.array_equal(back.score(features, NAMES), order.score(features, NAMES))


def test_nothing_asked_is_no_trouble(order: Corrected) -> None:
    assert order.score(np.empty((0, 3), np.float32), NAMES).shape == (0,)
