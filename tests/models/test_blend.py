"""One order out of several models' scores."""

import numpy as np
import pytest

from wares.errors import TrainingError
from wares.models.blend import Blend, Choices, candidates, choice, fit_blend, standardised

N_PRODUCTS = 40


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def shoppers_who_follow(rng: np.random.Generator, n: int, trust: tuple[float, float]) -> list[tuple[np.ndarray, int]]:
    """Scores (2, products) of two models and what was taken: the best by `trust` in each, with some noise."""
    asked = []
    for _ in range(n):
        scores = rng.normal(size=(2, N_PRODUCTS)) * [[1.0], [100.0]]
        wish = trust[0] * scores[0] + trust[1] * scores[1] / 100 + 0.3 * rng.normal(size=N_PRODUCTS)
        asked.append((scores, int(wish.argmax())))
    return asked


def fitted(asked: list[tuple[np.ndarray, int]], seen: np.ndarray | None = None) -> Blend:
    none = np.empty(0, np.int64) if seen is None else seen
    return fit_blend(("first", "second"), Choices.join([choice(scores, taken, none, top=8) for scores, taken in asked]))


def test_scales_of_models_do_not_count(rng: np.random.Generator) -> None:
    scores = rng.normal(size=(3, N_PRODUCTS))
    assert standardised(scores * 1000 + 7) == pytest.approx(standardised(scores), abs=1e-4)


def test_a_model_without_an_opinion_adds_nothing() -> None:
    assert standardised(np.full((2, 5), 3.0)).tolist() == [[0.0] * 5] * 2


def test_the_model_that_foresees_what_is_taken_gets_the_weight(rng: np.random.Generator) -> None:
    weights = fitted(shoppers_who_follow(rng, 300, trust=(1.0, 0.0))).weights
    assert weights[0] + weights[2] > 5 * abs(weights[1] + weights[3])


def test_two_models_together_foresee_more_than_either(rng: np.random.Generator) -> None:
    blend = fitted(shoppers_who_follow(rng, 300, trust=(1.0, 1.0)))
    asked = shoppers_who_follow(rng, 300, trust=(1.0, 1.0))
    alone = [np.mean([scores[i].argmax() == taken for scores, taken in asked]) for i in range(2)]
    together = [blend.score({"first": scores[0], "second": scores[1]}).argmax() == taken for scores, taken in asked]
    assert np.mean(together) > max(alone) + 0.2


def test_a_model_that_is_missing_today_is_left_out(rng: np.random.Generator) -> None:
    blend = fitted(shoppers_who_follow(rng, 200, trust=(1.0, 1.0)))
    scores = rng.normal(size=N_PRODUCTS)
    alone = blend.score({"first": scores})
    assert alone.argmax() == scores.argmax()
    assert blend.score({"first": scores, "new": rng.normal(size=N_PRODUCTS)}).tolist() == alone.tolist()


def test_without_any_score_there_is_no_order() -> None:
    assert len(Blend(("first",), np.ones(2, np.float32)).score({})) == 0


def test_candidates_are_the_best_of_each_model_without_what_was_seen() -> None:
    z = np.array([[5.0, 4, 3, 2, 1], [1.0, 2, 3, 4, 5]], np.float32)
    assert candidates(z, np.array([0]), top=2).tolist() == [1, 2, 3, 4]
    assert candidates(z, np.array([1, 2, 3]), top=9).tolist() == [0, 4]


def test_what_was_bought_before_may_be_taken_again(rng: np.random.Generator) -> None:
    scores = rng.normal(size=(2, N_PRODUCTS))
    best = int(scores[0].argmax())
    z, taken = choice(scores, best, np.array([best, 3]), top=5)
    assert taken >= 0 and z[taken, 0] == standardised(scores)[0, best]


def test_a_choice_that_nobody_proposed_is_no_lesson(rng: np.random.Generator) -> None:
    asked = shoppers_who_follow(rng, 20, trust=(1.0, 0.0))
    worst = [(scores, int(scores.max(axis=0).argmin())) for scores, _ in asked]
    with pytest.raises(TrainingError, match="nothing to learn"):
        fitted(worst)
    odd = [choice(scores, taken, np.empty(0, np.int64), top=1) for scores, taken in asked + worst]
    plain = [choice(scores, taken, np.empty(0, np.int64), top=1) for scores, taken in asked]
    names = ("first", "second")
    assert fit_blend(names, Choices.join(odd)).weights == pytest.approx(fit_blend(names, Choices.join(plain)).weights)


def test_a_blend_comes_back_from_its_arrays(rng: np.random.Generator) -> None:
    blend, back = fitted(shoppers_who_follow(rng, 50, trust=(1.0, 1.0))), Blend()
    back.restore(blend.state())
    scores = {"first": rng.normal(size=N_PRODUCTS), "second": rng.normal(size=N_PRODUCTS)}
    assert back.score(scores).tolist() == blend.score(scores).tolist()
