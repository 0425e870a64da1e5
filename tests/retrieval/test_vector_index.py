"""Meanings: cosines of every row, rows without a vector, blocks that come later, and what is ordinary."""

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.retrieval import quantised
from wares.retrieval.vector_index import VectorIndex

Floats = NDArray[np.float32]


def unit(n: int, d: int = 8, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float32)
    return vectors / lengths


def rows(*places: int) -> NDArray[np.int32]:
    return np.array(places, np.int32)


def test_every_row_has_the_cosine_of_its_text() -> None:
    vectors = unit(3)
    index = VectorIndex.of(vectors, rows(2, 0, 0, 1))
    cosines, _, _ = index.scan(vectors[0])
    np.testing.assert_allclose(cosines, (vectors @ vectors[0])[[2, 0, 0, 1]], rtol=1e-6)
    assert len(index) == 4


def test_a_few_rows_can_be_asked_alone() -> None:
    vectors = unit(1_300)
    index = VectorIndex.of(vectors, np.append(np.arange(1_300), -1).astype(np.int32))
    asked = np.append(np.arange(1_200, 0, -1), 1_300).astype(np.int32)
    expected = np.append(vectors[asked[:-1]] @ vectors[7], 0)
    np.testing.assert_allclose(index.cosines(asked, vectors[7]), expected, rtol=1e-5, atol=1e-6)
    assert VectorIndex.empty(3).cosines(rows(0, 2), unit(1)[0]).tolist() == [0, 0]


def test_a_row_without_a_vector_is_as_far_as_can_be() -> None:
    vectors = unit(2)
    cosines, _, _ = VectorIndex.of(vectors, rows(0, -1, 1)).scan(vectors[1])
    assert cosines[1] == -1
    np.testing.assert_allclose(cosines[2], 1, rtol=1e-6)


def test_an_empty_space_answers_for_every_row() -> None:
    cosines, mean, deviation = VectorIndex.empty(3).scan(unit(1)[0])
    assert cosines.tolist() == [-1, -1, -1]
    assert (mean, deviation) == (0.0, 1.0)
    assert VectorIndex.empty(3).vectors(rows(0, 2)).shape == (2, 0)
    assert VectorIndex.empty(0).scan(unit(1)[0])[0].shape == (0,)


def test_later_blocks_answer_like_the_first() -> None:
    first, later, last = unit(4, seed=1), unit(2, seed=2), unit(1, seed=3)
    index = VectorIndex.of(first, rows(0, 1, 2, 3)).with_vectors(later, [1, -1, 0, 1]).with_vectors(last, [0])
    whole = np.concatenate([first, later, last])
    place = [0, 1, 2, 3, 5, -1, 4, 5, 6]
    question = unit(1, seed=4)[0]
    cosines, _, _ = index.scan(question)
    expected = np.array([-1 if p < 0 else whole[p] @ question for p in place], np.float32)
    np.testing.assert_allclose(cosines, expected, rtol=1e-5)
    np.testing.assert_array_equal(index.vectors(rows(4, 5, 8, 0)), [whole[5], np.zeros(8), whole[6], whole[0]])


def test_vectors_can_come_to_a_space_that_had_none() -> None:
    later = unit(2)
    index = VectorIndex.empty(2).with_vectors(later, [0, 1])
    cosines, _, _ = index.scan(later[1])
    assert cosines[:2].tolist() == [-1, -1]
    np.testing.assert_allclose(cosines[3], 1, rtol=1e-6)
    np.testing.assert_array_equal(index.vectors(rows(0, 3, 2)), [np.zeros(8), later[1], later[0]])


def test_rows_without_a_vector_add_no_block() -> None:
    index = VectorIndex.of(unit(2), rows(0, 1))
    grown = index.with_vectors(np.empty((0, 0), np.float32), [-1, -1])
    assert len(grown.blocks) == 1
    assert grown.blocks[0] is index.blocks[0]
    assert grown.scan(unit(1)[0])[0][2:].tolist() == [-1, -1]


def test_what_is_ordinary_is_told_by_the_snapshot_alone() -> None:
    vectors, question = unit(100), unit(1, seed=9)[0]
    index = VectorIndex.of(vectors, np.arange(100, dtype=np.int32))
    _, mean, deviation = index.scan(question)
    np.testing.assert_allclose(mean, (vectors @ question).mean(), rtol=1e-4)
    np.testing.assert_allclose(deviation, (vectors @ question).std(), rtol=1e-4)
    grown = index.with_vectors(np.repeat(question[None], 50, axis=0), list(range(50)))
    assert grown.scan(question)[1:] == (mean, deviation)
    for known in (index, grown):
        np.testing.assert_allclose(known.ordinary(question), (mean, deviation), rtol=1e-4)


def test_equal_vectors_have_a_deviation_above_zero() -> None:
    vectors = np.repeat(unit(1), 100, axis=0)
    _, mean, deviation = VectorIndex.of(vectors, np.arange(100, dtype=np.int32)).scan(vectors[0])
    assert mean > 0.999
    assert deviation > 0


def test_a_stored_space_answers_nearly_the_same() -> None:
    index = VectorIndex.of(unit(50), np.arange(50, dtype=np.int32)).with_vectors(unit(2, seed=5), [1, -1])
    twin = VectorIndex.restore(index.state())
    question = unit(1, seed=9)[0]
    np.testing.assert_allclose(twin.scan(question)[0], index.scan(question)[0], atol=1e-3)


# -- a large catalogue -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many() -> Floats:
    """10,000 texts of 50 kinds: some lie close together, as those of a shop do."""
    vectors = np.repeat(unit(50, 64, seed=1), 200, axis=0) + 0.8 * unit(10_000, 64, seed=2)
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / lengths).astype(np.float32)


def all_of(vectors: Floats) -> VectorIndex:
    return VectorIndex.of(vectors, np.arange(len(vectors), dtype=np.int32))


def test_in_a_large_catalogue_the_nearest_are_exact_and_the_others_nearly(many: Floats) -> None:
    index = all_of(many)
    held = many.astype(np.float16).astype(np.float32)
    for question in unit(5, 64, seed=3):
        cosines, _, _ = index.scan(question)
        exact = held @ question
        nearest = np.argsort(-exact, kind="stable")[:500]
        np.testing.assert_allclose(cosines[nearest], exact[nearest], atol=1e-6)
        np.testing.assert_allclose(cosines, exact, atol=0.01)
        assert np.argsort(-cosines, kind="stable")[:100].tolist() == nearest[:100].tolist()


def test_a_large_catalogue_answers_the_same_question_the_same(many: Floats) -> None:
    question = unit(1, 64, seed=3)[0]
    index = all_of(many)
    once = index.scan(question)
    index.scan(unit(1, 64, seed=4)[0])
    again = index.scan(question)
    np.testing.assert_array_equal(once[0], again[0])
    assert once[1:] == again[1:]


def test_what_is_ordinary_in_a_large_catalogue_is_told_by_exact_vectors(many: Floats) -> None:
    question = unit(1, 64, seed=3)[0]
    _, mean, deviation = all_of(many).scan(question)
    spread = many.astype(np.float16).astype(np.float32)[::5] @ question  # 2,000 of 10,000
    np.testing.assert_allclose((mean, deviation), (spread.mean(), spread.std()), rtol=1e-5)


def test_variants_and_later_rows_of_a_large_catalogue_answer_too(many: Floats) -> None:
    later, text_of = unit(2, 64, seed=5), np.repeat(np.arange(len(many), dtype=np.int32), 2)
    index = VectorIndex.of(many, text_of).with_vectors(later, [1, -1, 0])
    alone = all_of(many).scan(later[0])[0]
    cosines, _, _ = index.scan(later[0])
    np.testing.assert_array_equal(cosines[:20_000:2], alone)
    np.testing.assert_array_equal(cosines[1:20_000:2], alone)
    np.testing.assert_allclose(cosines[20_000:], [later[1] @ later[0], -1, 1], rtol=1e-5)
    np.testing.assert_allclose(index.vectors(rows(7, 20_002)), [many[3], later[0]], atol=1e-3)


def test_a_stored_large_space_answers_exactly_the_same(many: Floats) -> None:
    index, question = all_of(many), unit(1, 64, seed=3)[0]
    np.testing.assert_array_equal(VectorIndex.restore(index.state()).scan(question)[0], index.scan(question)[0])


@pytest.mark.parametrize(("bits", "most"), [(8, 0.002), (4, 0.03)])
def test_fewer_bits_estimate_well(
    bits: Literal[4, 8], most: float, many: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantised, "_ROWS", 3000)  # several graphs, the last one shorter
    question = unit(1, 64, seed=3)[0]
    estimates = quantised.Quantised.of(many.astype(np.float16), bits).products(question)
    assert len(estimates) == len(many)
    assert (estimates - many @ question).std() < most


def test_cores_that_share_a_scan_find_the_same(many: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    question = unit(1, many.shape[1], seed=5)[0]
    alone = all_of(many).scan(question)
    monkeypatch.setattr(quantised, "_ROWS", 2000)
    monkeypatch.setattr(quantised, "n_cores", lambda: 2)
    shared = all_of(many)
    assert shared.quantised is not None and shared.quantised.is_shared
    begun = [shared.begin(one) for one in unit(8, many.shape[1], seed=6)]  # others ask meanwhile
    for answer in (shared.scan(question), shared.scan(question, shared.begin(question))):
        np.testing.assert_allclose(answer[0], alone[0], atol=1e-6)
    assert all(one is not None and len(one()) == len(many) for one in begun)


def test_sixteen_bits_become_thirty_two_without_loss() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = every[np.isfinite(every)].reshape(-1, 64)
    np.testing.assert_array_equal(quantised.widened(halves), halves.astype(np.float32))
