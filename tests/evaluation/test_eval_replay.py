"""Whole tables on small shops whose right answer is known."""

import json
import math
from collections.abc import Mapping

import numpy as np
import pytest
from eval_shop import DAY_MS, shop_of
from numpy.typing import NDArray

from wares.contracts import BehaviourModel
from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.errors import InputError, UnknownName
from wares.evaluation.baselines import PersonalFrequency, Popular, by_hand
from wares.evaluation.intervals import Interval
from wares.evaluation.ranking import Answer
from wares.evaluation.replay import (
    asking,
    cold_product_table,
    leave_one_out_table,
    next_basket_table,
)
from wares.evaluation.splits import NextBasket, split_cold_products, split_leave_one_out, split_next_basket

GOLDEN = split_next_basket(
    shop_of(
        [
            *[(0, 0, d, d) for d in (1, 2, 3)],
            (0, 1, 4, 4),
            (1, 2, 5, 5),
            *[(0, p, 50, 50) for p in (0, 3)],  # an old and a new product
            *[(1, p, 51, 51) for p in (2,)],  # an old one only
        ],
        n_shoppers=2,
        n_products=4,
    )
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def mean(found: Mapping[str, Interval], name: str) -> float:
    return found[name].mean


def test_golden_values_by_hand() -> None:
    # Scores 4 3 2 1. Shopper 0: targets 0 and 3 at ranks 1 and 4; shopper 1: target 2 at rank 3. k = 3.
    table = next_basket_table(
        {"fixed": lambda shopper, history: np.array([4, 3, 2, 1], np.float32)}, GOLDEN, rng(), k=3
    )
    found = table.line("fixed").metrics
    assert mean(found, "recall@3") == pytest.approx((1 / 2 + 1) / 2)
    assert mean(found, "ndcg@3") == pytest.approx((1 / (1 + 1 / math.log2(3)) + 1 / 2) / 2)
    assert mean(found, "hit@3") == 1
    assert mean(found, "mrr@3") == pytest.approx((1 + 1 / 3) / 2)
    assert mean(found, "new recall@3") == 1  # shopper 0 only: product 3 is second of the never bought 2 and 3
    assert mean(found, "coverage@3") == 3 / 4
    assert mean(found, "gini@3") == pytest.approx(1 / 4)  # shown 2 2 2 0


def test_new_recall_takes_what_was_bought_before_out_of_the_ranking() -> None:
    table = next_basket_table({"fixed": lambda s, h: np.array([4, 3, 1, 2], np.float32)}, GOLDEN, rng(), k=1)
    assert mean(table.line("fixed").metrics, "new recall@1") == 1  # 3 comes after 0 and 1, which are out


def test_a_slate_counts_like_the_scores_that_it_came_from() -> None:
    table = next_basket_table(
        {
            "scores": lambda s, h: np.array([4, 3, 2, 1], np.float32),
            "slate": lambda s, h: np.array([0, 1, 2, 3]),
        },
        GOLDEN,
        rng(),
        k=2,
    )
    assert all(i.mean == 0 for i in table.line("slate").differences.values())
    assert mean(table.line("slate").metrics, "gini@2") == mean(table.line("scores").metrics, "gini@2")


def test_a_slate_misses_what_it_does_not_hold() -> None:
    table = next_basket_table({"short": lambda s, h: np.array([2])}, GOLDEN, rng(), k=10)
    found = table.line("short").metrics
    assert mean(found, "recall@10") == 1 / 2
    assert mean(found, "new recall@10") == 0


def test_categories_add_a_column() -> None:
    table = next_basket_table(
        {"fixed": lambda s, h: np.array([4, 3, 2, 1], np.float32)},
        GOLDEN,
        rng(),
        k=2,
        categories=np.array([5, 5, 6, -1]),
    )
    assert mean(table.line("fixed").metrics, "category share") == 0.5


def repeat_shop(n_shoppers: int) -> NextBasket:
    """Everybody buys three own products again and again, and one at random."""
    chance = np.random.default_rng(3)
    lines = []
    for shopper in range(n_shoppers):
        own = chance.choice(50, 3, replace=False)
        for day in (1, 5, 9, 60):
            picked = {*chance.choice(own, 2, replace=False).tolist(), int(chance.integers(50))}
            lines += [(shopper, product, day, 100 * shopper + day) for product in picked]
    return split_next_basket(shop_of(lines, n_shoppers, 50))


def test_a_truly_better_system_is_above_zero_and_a_copy_is_not() -> None:
    split = repeat_shop(80)
    models: dict[str, BehaviourModel] = {
        "popular": Popular(),
        "personal": PersonalFrequency(fallback=True),
        "copy": Popular(),
    }
    for model in models.values():
        model.fit(split.train, split.cut_ms)
    table = next_basket_table({name: asking(model, split.cut_ms) for name, model in models.items()}, split, rng(), k=5)
    assert table.reference == "popular"
    assert table.line("personal").differences["recall@5"].above_zero
    same = table.line("copy").differences["recall@5"]
    assert (same.mean, same.low, same.high) == (0, 0, 0)


def test_the_order_in_which_products_are_stored_changes_nothing() -> None:
    split = repeat_shop(30)
    turned = np.random.default_rng(9).permutation(50)  # product p becomes turned[p]
    model = PersonalFrequency()
    model.fit(split.train, split.cut_ms)

    def straight(shopper: int, history: History) -> Answer:
        return model.score(history, split.cut_ms)

    def moved(shopper: int, history: History) -> Answer:
        scores: NDArray[np.float32] = np.empty(50, np.float32)
        scores[turned] = model.score(split.train.history(shopper), split.cut_ms)
        return scores

    events = split.train.events
    there = NextBasket(
        Interactions(
            History(turned[events.rows].astype(np.int32), events.times_ms, events.kinds, events.quantities),
            split.train.baskets,
            split.train.indptr,
            50,
        ),
        split.shoppers,
        tuple(turned[t].astype(np.int32) for t in split.targets),
        split.cut_ms,
    )
    first = next_basket_table({"x": straight}, split, rng(), k=5).line("x").metrics
    second = next_basket_table({"x": moved}, there, rng(), k=5).line("x").metrics
    for name in ("recall@5", "ndcg@5", "hit@5", "mrr@5", "new recall@5"):
        assert first[name].mean == pytest.approx(second[name].mean)


def test_progress_and_what_was_ranked_are_told() -> None:
    steps: list[int] = []
    ranked: list[tuple[str, int, list[int], list[float]]] = []
    next_basket_table(
        {"fixed": lambda s, h: np.array([4, 3, 2, 1], np.float32)},
        GOLDEN,
        rng(),
        k=2,
        on_progress=steps.append,
        on_ranked=lambda name, shopper, rows, scores: ranked.append((name, shopper, rows.tolist(), scores.tolist())),
    )
    assert steps == [1, 1]
    assert ranked == [("fixed", 0, [0, 1], [4, 3]), ("fixed", 1, [0, 1], [4, 3])]


@pytest.mark.parametrize(
    "answer",
    [
        np.zeros(3, np.float32),
        np.array([np.nan, 0, 0, 0]),
        np.array([0, 0]),
        np.array([4]),
        np.array([-1]),
        np.array([[1]]),
        np.array([True]),
    ],
    ids=["too few scores", "nan", "twice", "no such row", "a negative row", "a matrix", "truth values"],
)
def test_an_answer_that_cannot_be_ranked_names_its_system(answer: Answer) -> None:
    with pytest.raises(InputError, match="'faulty'"):
        next_basket_table({"faulty": lambda s, h: answer}, GOLDEN, rng())


def test_an_unknown_reference_is_refused() -> None:
    with pytest.raises(UnknownName, match="popular"):
        next_basket_table({"popular": lambda s, h: np.zeros(4)}, GOLDEN, rng(), reference="populr")


def test_leave_one_out_takes_out_what_was_seen_but_not_the_target() -> None:
    split = split_leave_one_out(shop_of([(0, p, d, -1) for d, p in enumerate([0, 1, 2, 3])], 1, 6))
    scores = np.array([9, 8, 7, 5, 6, 1], np.float32)  # of the unseen 3, 4, 5 the target 3 is second
    table = leave_one_out_table({"fixed": lambda s, h: scores}, split, rng(), k=2)
    found = table.line("fixed").metrics
    assert mean(found, "recall@2") == 1
    assert mean(found, "ndcg@2") == pytest.approx(1 / math.log2(3))
    assert mean(found, "mrr@2") == 0.5
    earlier = leave_one_out_table({"fixed": lambda s, h: scores}, split, rng(), k=2, ask_validation=True)
    assert mean(earlier.line("fixed").metrics, "mrr@2") == 1  # 0 and 1 are out: 2 is first


def test_cold_products_compete_only_with_each_other() -> None:
    shop = shop_of([(0, 0, 1, -1), (1, 0, 1, -1), (0, 1, 50, -1), (1, 2, 50, -1), (0, 3, 55, -1)], 2, 4)
    split = split_cold_products(shop)
    asked: list[int] = []

    def fixed(shopper: int, history: History) -> Answer:
        asked.append(shopper)
        return np.array([99, 3, 2, 2], np.float32)

    table = cold_product_table({"fixed": fixed, "slate": lambda s, h: np.array([0, 1])}, split, rng(), k=2)
    assert asked == [0, 1]
    assert table.asked == 3
    found = table.line("fixed").metrics
    assert mean(found, "recall@2") == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert mean(found, "mrr") == pytest.approx((1 + 2 * (1 / 2 + 1 / 3) / 2) / 3)
    assert mean(table.line("slate").metrics, "mrr") == pytest.approx(1 / 3)


def test_a_table_has_plain_forms() -> None:
    models = by_hand()
    for model in models.values():
        model.fit(GOLDEN.train, GOLDEN.cut_ms)
    table = next_basket_table({n: asking(m, 50 * DAY_MS) for n, m in models.items()}, GOLDEN, rng(), k=2)
    assert all(len(row) == len(table.header) for row in table.rows)
    frame = table.to_polars()
    assert frame.columns == list(table.header)
    assert frame["system"].to_list() == list(models)
    assert frame["coverage@2 low"].null_count() == len(models)
    assert "NaN" not in json.dumps(table.to_dict())
    with pytest.raises(UnknownName, match="popular"):
        table.line("populer")
