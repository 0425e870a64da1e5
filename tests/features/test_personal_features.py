"""The gate before what is known of the shopper: who gets through, and what is counted of it."""

import numpy as np
import pytest

from wares.domain.result import Candidates
from wares.features.personal import favour, gate, gated


def floats(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_products_that_match_about_as_well_as_the_best_are_let_in_and_poor_matches_are_not() -> None:
    opened = gate(floats(2.0, 1.7, 1.3, 1.0, 0.2), np.ones(5, np.float32), np.zeros(5, np.float32), n_terms=1)
    assert opened.tolist() == pytest.approx([1, 1, 0.5, 0, 0], abs=1e-6)


def test_what_holds_less_of_the_query_than_another_product_is_shut_out() -> None:
    opened = gate(floats(1.0, 0.99), floats(0.6, 1.0), floats(0.2, 0.2), n_terms=2)
    assert opened.tolist() == [0, 1]


def test_where_nothing_holds_the_whole_query_what_holds_most_of_it_is_let_in() -> None:
    assert gate(floats(1.0, 1.0), floats(0.5, 0.4), floats(0.2, 0.2), n_terms=3).tolist() == [1, 0]


def test_a_whole_title_as_query_lets_in_nothing_but_what_bears_it() -> None:
    opened = gate(floats(1.0, 0.95, 1.0), np.ones(3, np.float32), floats(1.0, 0.8, 1.0), n_terms=4)
    assert opened.tolist() == [1, 0, 1]


def test_a_short_query_names_a_kind_even_if_a_title_says_nothing_else() -> None:
    opened = gate(floats(1.0, 0.95), np.ones(2, np.float32), floats(1.0, 0.4), n_terms=2)
    assert opened.tolist() == [1, 1]


def test_no_candidates_need_no_gate() -> None:
    assert len(gate(floats(), floats(), floats(), n_terms=1)) == 0


def test_behind_the_gate_stand_shares_of_the_most_liked_product_that_is_let_in() -> None:
    scores = np.array([[3.0, 0.2], [1.0, 0.9], [1.0, 0.1], [1.0, 0.0]], np.float32)
    candidates = Candidates(np.arange(4, dtype=np.int32), scores, ("lexical", "buy_again"), scores[:, 0])
    behind = gated(candidates, floats(1.0, 0.0, 0.5, 1.0))
    assert behind[:, 0].tolist() == [3, 1, 1, 1]  # what words say is not the gate's business
    assert behind[:, 1].tolist() == pytest.approx([1, 0, 0.25, 0])
    assert candidates.by_source[1, 1] == pytest.approx(0.9)  # what the sources said stays


def test_a_dislike_does_not_count_against_a_product_that_answers_the_query() -> None:
    scores = np.array([[-0.4], [-0.1]], np.float32)
    candidates = Candidates(np.arange(2, dtype=np.int32), scores, ("ease",), np.ones(2, np.float32))
    assert gated(candidates, floats(1.0, 1.0)).tolist() == [[0], [0]]


def test_favour_weighs_what_the_models_say_and_is_nothing_where_they_say_nothing() -> None:
    opinions = {"lexical": floats(9.0, 0.0), "buy_again": floats(0.1, 0.2), "ease": floats(4.0, 0.0)}
    weights = {"lexical": 1.0, "buy_again": 0.6, "ease": 0.2}
    liked = favour(opinions, weights)
    assert liked is not None
    assert liked.tolist() == pytest.approx([0.5, 0.6])
    assert favour({"buy_again": floats(0.0, 0.0)}, weights) is None
    assert favour(opinions, {"lexical": 1.0}) is None
