"""The matrices behind the neighbours, against dense arithmetic."""

import numpy as np
import pytest

from wares.errors import TrainingError
from wares.models import neighbours
from wares.models.als import solve_rows
from wares.models.ease import autoencoder
from wares.models.memory import Sparse, no_links, sparse
from wares.models.neighbours import go_together, heaviest, pointed_at, strongest


def random_groups(n_groups: int, n: int, seed: int = 0) -> Sparse:
    random = np.random.default_rng(seed)
    dense = random.random((n_groups, n)) * (random.random((n_groups, n)) < 0.3)
    rows, columns = np.nonzero(dense)
    return sparse(dense[rows, columns], columns, np.searchsorted(rows, np.arange(n_groups + 1)), dense.shape)


@pytest.mark.parametrize("damping", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("block", [1, 100, 10**9])
def test_links_are_shrunk_cosines(damping: float, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK_LINKS", block)
    groups = random_groups(30, 12)
    x = groups.toarray().astype(np.float64)
    squares = (x**2).sum(axis=0)
    expected = x.T @ x / (np.outer(squares ** (1 - damping), squares**damping) + 2)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(go_together(groups, 12, 2.0, damping).toarray(), expected, rtol=1e-5)


def test_the_strongest_links_stay() -> None:
    links = sparse(np.array([1, -3, 2, 0, 5]), np.array([0, 1, 2, 3, 0]), np.array([0, 4, 4, 5]), (3, 4))
    np.testing.assert_array_equal(strongest(links, 2).toarray(), [[0, -3, 2, 0], [0, 0, 0, 0], [5, 0, 0, 0]])
    np.testing.assert_array_equal(strongest(links, 9).toarray(), links.toarray())
    assert strongest(no_links(3, 4), 2).shape == (3, 4)


def test_rows_point_at_their_weighted_sum() -> None:
    links = random_groups(6, 6)
    rows, weights = np.array([1, 4], np.int32), np.array([2.0, 0.5], np.float32)
    np.testing.assert_allclose(pointed_at(links, rows, weights).all(), weights @ links.toarray()[rows], rtol=1e-6)
    assert not pointed_at(links, np.array([99], np.int32), weights[:1]).all().any()  # a product newer than the model


def test_the_heaviest_of_a_long_history_stay() -> None:
    rows, weights = heaviest(np.arange(5, dtype=np.int32), np.array([1, 5, 2, 4, 3], np.float32), 2)
    assert set(rows.tolist()) == {1, 3}
    assert set(weights.tolist()) == {5, 4}


def test_ease_is_the_best_linear_autoencoder_without_itself() -> None:
    x = random_groups(50, 8).toarray()
    weights = autoencoder(x.T @ x, 3.0)
    assert not np.diag(weights).any()
    slope = x.T @ (x @ weights - x) + 3.0 * weights  # of the loss; 0 off the diagonal at the minimum
    np.fill_diagonal(slope, 0)
    np.testing.assert_allclose(slope, 0, atol=1e-4)


def test_ease_says_when_its_matrix_cannot_be_inverted() -> None:
    with pytest.raises(TrainingError, match="penalty"):
        autoencoder(np.ones((3, 3), np.float32), -1.0)


def test_als_solves_each_row_as_the_paper_says() -> None:
    liking = random_groups(20, 9, seed=2)
    y = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    solved = solve_rows(liking, y, 5.0, 0.7)
    dense = liking.toarray()
    for row in range(20):
        confidence = np.diag(1 + 5.0 * dense[row])
        left = y.T @ confidence @ y + 0.7 * np.eye(4)
        np.testing.assert_allclose(solved[row], np.linalg.solve(left, y.T @ confidence @ (dense[row] > 0)), atol=1e-4)
