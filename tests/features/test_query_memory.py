"""What earlier queries wanted, and that a query never sees its own answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wares.features.query_memory import NAMES, QueryMemory

Floats = NDArray[np.float32]


def unit(*numbers: float) -> Floats:
    vector = np.array(numbers, np.float32)
    return vector / np.float32(np.linalg.norm(vector))


PRODUCTS = np.stack([unit(1, 0.1, 0), unit(1, -0.1, 0), unit(0, 1, 0.1), unit(0.1, 0.9, -0.1), unit(0, 0, 1)])
QUERIES = ("red shoe", "crimson shoe", "garden hose")
VECTORS = np.stack([unit(1, 0.05, 0), unit(1, 0, 0.05), unit(0, 1, 0)])
ALL = np.arange(5, dtype=np.int32)
MEMORY = QueryMemory.of(
    QUERIES, VECTORS,
    np.array([0, 3, 5, 7]), np.array([0, 1, 4, 1, 4, 2, 3]), np.array([3.0, 1.0, 0.0, 3.0, 0.0, 3.0, 3.0]), PRODUCTS,
)  # fmt: skip


def remembered(
    query: str, vector: Floats, rows: NDArray[np.int32] = ALL, memory: QueryMemory = MEMORY
) -> dict[str, Floats]:
    found = memory.features(query, vector, rows, PRODUCTS[np.maximum(rows, 0)])
    assert found.shape == (len(rows), len(NAMES))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    return dict(zip(NAMES, found.T, strict=True))


def test_similar_queries_pass_on_what_they_found_worth() -> None:
    gain = remembered("scarlet shoe", unit(1, 0, 0))["asked_gain"]
    assert min(gain[0], gain[1]) > max(gain[2], gain[3]) > 0
    assert gain[4] == 0
    other = remembered("hose", unit(0.1, 1, 0))["asked_gain"]
    assert min(other[2], other[3]) > max(other[0], other[1])


def test_products_like_the_wanted_ones_are_found_likely_too() -> None:
    likeness = remembered("scarlet shoe", unit(1, 0, 0))["asked_likeness"]
    assert min(likeness[0], likeness[1]) > max(likeness[2], likeness[3], likeness[4])


def test_the_nearest_query_says_how_far_this_can_be_trusted() -> None:
    near = remembered("scarlet shoe", unit(1, 0.02, 0.02))["asked_nearest"]
    far = remembered("lamp", unit(0, 0, 1))["asked_nearest"]
    assert near[0] > 0.9 > far[0]


def test_a_remembered_query_does_not_see_its_own_judgements() -> None:
    own = remembered("red shoe", VECTORS[0])
    others = remembered("red shoe", VECTORS[0], memory=MEMORY.take(np.array([1, 2])))
    for name in NAMES:
        np.testing.assert_allclose(own[name], others[name], rtol=1e-5, atol=1e-6, err_msg=name)
    assert own["asked_gain"][0] == 0
    assert remembered("red shoes", VECTORS[0])["asked_gain"][0] > 0  # another query may see them


def test_a_product_that_came_later_is_not_taken_for_another() -> None:
    found = remembered("scarlet shoe", unit(1, 0, 0), np.array([-1, 0, -1], np.int32))
    assert found["asked_gain"][0] == found["asked_gain"][2] == 0
    assert found["asked_gain"][1] > 0


def test_rows_may_come_in_any_order() -> None:
    rows = np.array([4, 1, 3], np.int32)
    whole, some = remembered("hose", unit(0.2, 1, 0)), remembered("hose", unit(0.2, 1, 0), rows)
    for name in NAMES:
        np.testing.assert_allclose(some[name], whole[name][rows], rtol=1e-6, err_msg=name)


def test_a_memory_of_nothing_says_nothing() -> None:
    empty = MEMORY.take(np.empty(0, np.intp))
    assert not any(column.any() for column in remembered("lamp", unit(0, 0, 1), memory=empty).values())
    assert MEMORY.features("lamp", unit(0, 0, 1), np.empty(0, np.int32), PRODUCTS[:0]).shape == (0, len(NAMES))


def test_the_only_query_of_a_memory_learns_nothing_of_itself() -> None:
    found = remembered("garden hose", VECTORS[2], memory=MEMORY.take(np.array([2])))
    assert not any(found[name].any() for name in NAMES if name != "asked_nearest")


def test_a_stored_memory_answers_as_before() -> None:
    twin = QueryMemory.restore(MEMORY.state())
    assert twin.queries == MEMORY.queries
    for query, vector in (("hose", unit(0.2, 1, 0)), ("red shoe", VECTORS[0])):
        found, expected = remembered(query, vector, memory=twin), remembered(query, vector)
        for name in NAMES:  # vectors are stored in half precision
            np.testing.assert_allclose(found[name], expected[name], rtol=2e-2, atol=2e-3, err_msg=name)
    again = QueryMemory.restore(twin.state())
    assert all(np.array_equal(again.state()[key], value) for key, value in twin.state().items())


def test_gains_of_any_scale_count_the_same() -> None:
    starts, rows = np.array([0, 2]), np.array([0, 2])
    small = QueryMemory.of(("a",), VECTORS[:1], starts, rows, np.array([1.0, 0.5]), PRODUCTS)
    large = QueryMemory.of(("a",), VECTORS[:1], starts, rows, np.array([100.0, 50.0]), PRODUCTS)
    for name in NAMES:
        found = remembered("b", unit(1, 0, 0), memory=small)[name]
        np.testing.assert_allclose(found, remembered("b", unit(1, 0, 0), memory=large)[name], rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(2, 45))
def test_no_query_ever_sees_its_own_judgements(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    judged = [rng.choice(5, rng.integers(0, 5), replace=False) for _ in range(n)]
    starts = np.cumsum([0, *map(len, judged)])
    rows = np.concatenate(judged)
    memory = QueryMemory.of(
        tuple(f"q{i}" for i in range(n)), vectors, starts, rows, rng.integers(0, 4, len(rows)).astype(float), PRODUCTS
    )
    place = int(rng.integers(n))
    others = memory.take(np.flatnonzero(np.arange(n) != place))
    own = remembered(f"q{place}", vectors[place], memory=memory)
    unseen = remembered(f"q{place}", vectors[place], memory=others)
    for name in NAMES:
        np.testing.assert_allclose(own[name], unseen[name], rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("vector", [np.zeros(3, np.float32), unit(-1, -1, -1)])
def test_a_query_like_no_other_is_answered_too(vector: Floats) -> None:
    remembered("x", vector)
