"""What is asked in a shopper's name, and how two answers to it are compared."""

import math

import numpy as np
import pytest
from eval_shop import shop_of

from wares.evaluation.personal import PERSONAL, PLAIN, Question, draw_questions, measured, personal_table
from wares.evaluation.splits import NextBasket, split_next_basket

GROUPS = np.array([0, 0, 1, 2, 3], np.int32)  # products 0 and 1 are variants of one hit
WORDS = {0: "milk", 1: "milk", 2: "milk", 3: "tea", 4: ""}
A_YEAR = [
    (0, 0, 10, 1),  # shopper 0 bought one variant of the milk ...
    (0, 1, 80, 2),  # ... and buys the other one, a milk of another kind, tea, and what has no word
    (0, 2, 80, 2),
    (0, 3, 80, 2),
    (0, 4, 80, 2),
    (1, 3, 60, 3),
    (1, 3, 100, 4),
]


def the_split() -> NextBasket:
    return split_next_basket(shop_of(A_YEAR, n_shoppers=2, n_products=5))


def asked(place: int, wanted: list[int], fresh: list[bool]) -> Question:
    return Question(place, "milk", np.array(wanted, np.int64), np.array(fresh, np.bool_))


def test_each_word_of_the_next_basket_is_asked_once_and_wants_every_hit_bought_under_it() -> None:
    questions = draw_questions(the_split(), WORDS, GROUPS, np.random.default_rng(0))
    assert [(q.place, q.query, q.wanted.tolist()) for q in questions] == [
        (0, "milk", [0, 1]),
        (0, "tea", [2]),
        (1, "tea", [2]),
    ]


def test_a_hit_is_new_to_the_shopper_only_if_no_variant_of_it_was_bought_before() -> None:
    questions = draw_questions(the_split(), WORDS, GROUPS, np.random.default_rng(0))
    assert [q.fresh.tolist() for q in questions] == [[False, True], [True], [False]]


def test_no_shopper_asks_more_than_the_limit_and_a_seed_repeats_the_choice() -> None:
    one = draw_questions(the_split(), WORDS, GROUPS, np.random.default_rng(1), at_most=1)
    again = draw_questions(the_split(), WORDS, GROUPS, np.random.default_rng(1), at_most=1)
    assert [q.place for q in one] == [0, 1]
    assert [q.query for q in one] == [q.query for q in again]


def test_an_answer_is_worth_the_place_of_what_was_bought() -> None:
    mrr, ndcg, recall = measured(np.array([7, 4, 9]), np.array([4, 5]), k=10)
    assert mrr == 0.5
    assert ndcg == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert recall == 0.5


def test_an_empty_answer_is_worth_nothing_and_a_question_that_wants_nothing_is_not_counted() -> None:
    assert measured(np.empty(0, np.int64), np.array([4])) == (0.0, 0.0, 0.0)
    assert all(math.isnan(value) for value in measured(np.array([4]), np.empty(0, np.int64)))


def test_shoppers_count_alike_however_much_they_ask() -> None:
    questions = [asked(0, [1], [True])] * 3 + [asked(1, [1], [True])]
    right, wrong = np.array([1, 2]), np.array([2, 1])
    table = personal_table(questions, [wrong] * 4, [right] * 3 + [wrong], np.random.default_rng(0))
    assert table.asked == 2
    assert table.line(PLAIN).metrics["mrr"].mean == 0.5
    assert table.line(PERSONAL).metrics["mrr"].mean == 0.75
    assert table.line(PERSONAL).differences["mrr"].mean == 0.25
    assert not table.line(PERSONAL).differences["mrr"].above_zero  # two shoppers prove nothing


def test_only_what_was_never_bought_before_is_wanted_where_that_is_asked() -> None:
    questions = [asked(0, [1, 2], [False, True]), asked(1, [1], [False])]
    found = [np.array([1, 2]), np.array([1, 2])]
    table = personal_table(questions, found, found, np.random.default_rng(0), fresh_only=True)
    assert table.asked == 1
    assert table.line(PLAIN).metrics["mrr"].mean == 0.5
