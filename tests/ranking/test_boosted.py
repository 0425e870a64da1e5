"""The learned order: what trees make of judged examples, and what happens where they cannot be used."""

import builtins
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.errors import RankerUnavailable
from wares.ranking.boosted import Boosted

Floats = NDArray[np.float32]
NAMES = ("words", "noise", "price")


def examples(queries: int = 60, size: int = 20, seed: int = 0) -> tuple[Floats, Floats, list[int]]:
    """Candidates whose gain grows with their words and, among those, falls with the price."""
    rng = np.random.default_rng(seed)
    features = rng.random((queries * size, 3)).astype(np.float32)
    gains = np.floor(3 * features[:, 0]) + (features[:, 2] < 0.5)
    return features, gains.astype(np.float32), [size] * queries


def fitted(**more: Any) -> Boosted:
    features, gains, sizes = examples()
    return Boosted.fit(features, gains, sizes, NAMES, **{"rounds": 40, "threads": 1, **more})


@pytest.fixture(scope="module")
def ranker() -> Boosted:
    return fitted()


def test_an_obvious_order_is_learnt(ranker: Boosted) -> None:
    features, gains, sizes = examples(seed=1)
    scores = ranker.score(features, NAMES)
    for start in range(0, len(scores), sizes[0]):
        place = slice(start, start + sizes[0])
        best = np.argsort(-scores[place])[:5]
        assert gains[place][best].mean() > np.sort(gains[place])[-5:].mean() - 0.5


def test_what_says_nothing_gains_nothing(ranker: Boosted) -> None:
    importance = ranker.importance()
    assert next(iter(importance)) == "words"
    assert importance["noise"] < 0.1 < importance["words"]
    assert sum(importance.values()) == pytest.approx(1)


def test_the_parts_sum_to_the_score(ranker: Boosted) -> None:
    features, *_ = examples(queries=3, seed=2)
    parts = ranker.parts(features, NAMES)
    assert tuple(parts) == (*NAMES, "")
    total = np.sum(list(parts.values()), axis=0)
    np.testing.assert_allclose(total, ranker.score(features, NAMES), rtol=1e-4, atol=1e-4)


def test_all_trees_judge_the_best_of_many_and_the_others_stay_below() -> None:
    ranker = fitted(rounds=150)
    features, *_ = examples(queries=1, size=400, seed=4)
    scores = ranker.score(features, NAMES)
    order = np.argsort(-scores, kind="stable")
    alone = ranker.score(features[order[:150]], NAMES)  # so few are judged by all trees
    np.testing.assert_allclose(scores[order[:150]], alone, rtol=1e-5)
    assert scores[order[150:]].max() <= scores[order[149]] + 1e-6
    parts = ranker.parts(features, NAMES)
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), scores, rtol=1e-4, atol=1e-4)


def test_features_are_found_by_name_whatever_their_order(ranker: Boosted) -> None:
    features, *_ = examples(queries=2)
    mixed = np.concatenate([np.full((len(features), 1), 7, np.float32), features[:, ::-1]], axis=1)
    names = ("of another kind", *NAMES[::-1])
    assert np.array_equal(ranker.score(mixed, names), ranker.score(features, NAMES))


def test_a_feature_that_is_not_there_counts_as_unknown(ranker: Boosted) -> None:
    features, *_ = examples(queries=2)
    without = ranker.score(features[:, :2], NAMES[:2])
    unknown = features.copy()
    unknown[:, 2] = np.nan
    assert np.isfinite(without).all()
    assert np.array_equal(without, ranker.score(unknown, NAMES))
    assert np.isfinite(ranker.score(np.empty((3, 0), np.float32), ())).all()


def test_no_candidates_have_no_scores(ranker: Boosted) -> None:
    found = ranker.score(np.empty((0, 3), np.float32), NAMES)
    assert found.shape == (0,)
    assert found.dtype == np.float32


def test_a_stored_ranker_scores_as_before(ranker: Boosted) -> None:
    features, *_ = examples(queries=4, seed=3)
    twin = Boosted.restore(ranker.state())
    assert twin == ranker
    assert np.array_equal(twin.score(features, NAMES), ranker.score(features, NAMES))


def test_the_same_examples_teach_the_same_order() -> None:
    assert fitted(seed=5) == fitted(seed=5)


def test_gains_of_any_scale_teach_the_same_order(ranker: Boosted) -> None:
    features, gains, sizes = examples()
    assert Boosted.fit(features, gains * 100, sizes, NAMES, rounds=40, threads=1) == ranker


def test_where_nothing_is_wanted_scores_tell_next_to_nothing() -> None:
    features, gains, sizes = examples(queries=20)
    scores = Boosted.fit(features, np.zeros_like(gains), sizes, NAMES, rounds=5, threads=1).score(features, NAMES)
    learnt = Boosted.fit(features, gains, sizes, NAMES, rounds=5, threads=1).score(features, NAMES)
    assert np.ptp(scores) < np.ptp(learnt) / 5


def unavailable(ranker: Boosted) -> str:
    features, gains, sizes = examples(queries=5)
    with pytest.raises(RankerUnavailable) as fault:
        Boosted.fit(features, gains, sizes, NAMES)
    with pytest.raises(RankerUnavailable):
        Boosted.restore(ranker.state())
    return str(fault.value)


def test_without_lightgbm_the_message_names_what_brings_it(ranker: Boosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # its import raises ImportError
    assert "apt install libgomp1" in unavailable(ranker)


def test_without_openmp_the_message_says_what_the_system_said(ranker: Boosted, monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file")
        return there(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    message = unavailable(ranker)
    assert "libgomp.so.1: cannot open" in message
    assert "declared formula" in message


def test_threads_that_ask_at_once_get_what_each_would_get_alone() -> None:
    learned = fitted(rounds=200)
    asked = [examples(queries=20, seed=seed)[0] for seed in range(8)]
    alone = [learned.score(features, NAMES) for features in asked]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            for expected, got in zip(alone, pool.map(lambda one: learned.score(one, NAMES), asked), strict=True):
                np.testing.assert_array_equal(got, expected)
