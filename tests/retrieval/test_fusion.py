"""Several opinions into one list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.retrieval.fusion import fuse, one_per_group

N = 12
scores_of = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 7.0]), min_size=N, max_size=N)


def test_convex_fusion_adds_weighted_shares_of_the_best() -> None:
    rows = np.array([0, 2, 3], np.int32)
    opinions = {"words": np.array([4, 2, 0], np.float32), "meaning": np.array([0, 1, 5], np.float32)}
    found = fuse(rows, opinions, {"words": 0.7, "meaning": 0.3}, "convex")
    np.testing.assert_allclose(found.scores, [0.7, 0.7 * 0.5 + 0.3 * 0.2, 0.3], rtol=1e-6)
    assert found.sources == ("words", "meaning")
    assert found.by_source.tolist() == [[4, 0], [2, 1], [0, 5]]


def test_reciprocal_rank_fusion_adds_by_place() -> None:
    rows = np.array([0, 1, 2], np.int32)
    opinions = {"a": np.array([9, 1, 0], np.float32), "b": np.array([0, 3, 2], np.float32)}
    found = fuse(rows, opinions, {"b": 2.0}, "rrf")
    np.testing.assert_allclose(found.scores, [1 / 61, 1 / 62 + 2 / 61, 2 / 62], rtol=1e-6)


@pytest.mark.parametrize("how", ["convex", "rrf"])
def test_what_no_source_names_scores_zero(how: str) -> None:
    found = fuse(np.array([1], np.int32), {"a": np.array([-3], np.float32)}, {}, how)
    assert found.scores.tolist() == [0.0]


@pytest.mark.parametrize("how", ["convex", "rrf"])
def test_no_rows_or_no_sources_make_an_empty_opinion(how: str) -> None:
    assert len(fuse(np.empty(0, np.int32), {"a": np.empty(0, np.float32)}, {}, how)) == 0
    found = fuse(np.array([0, 1], np.int32), {}, {}, how)
    assert found.by_source.shape == (2, 0)
    assert found.scores.tolist() == [0.0, 0.0]


@given(scores_of, scores_of, st.sampled_from(["convex", "rrf"]), st.randoms())
def test_the_order_of_rows_does_not_change_a_score(a: list[float], b: list[float], how: str, draw: object) -> None:
    opinions = {"a": np.array(a, np.float32)} if how == "rrf" else {
        "a": np.array(a, np.float32), "b": np.array(b, np.float32)
    }  # fmt: skip
    rows = np.arange(N, dtype=np.int32)
    if how == "rrf" and len(set(a)) < N:  # ties go to the row that stands first
        return
    turned = {name: scores[::-1] for name, scores in opinions.items()}
    forward, backward = fuse(rows, opinions, {}, how), fuse(rows[::-1].copy(), turned, {}, how)
    np.testing.assert_allclose(forward.scores, backward.scores[::-1], rtol=1e-6)


@given(st.lists(st.integers(0, 4), min_size=N, max_size=N), st.permutations(range(N)), st.sampled_from([5, 1_000]))
def test_one_row_stays_of_each_group_and_it_is_the_first(groups: list[int], order: list[int], n_groups: int) -> None:
    kept = [order[place] for place in one_per_group(np.array(groups, np.int32)[order], n_groups).tolist()]
    seen: dict[int, int] = {}
    for row in order:
        seen.setdefault(groups[row], row)
    assert kept == list(seen.values())
