"""The graph of what is visited after what: its information, its factors, and what they know that no pair shows."""

import numpy as np

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History
from wares.models.graph import Graph, factors, mutual_information
from wares.models.memory import Sparse, sparse
from wares.models.transitions import Transitions

NOW = 0


def visited(*rows: int, kind: EventKind = EventKind.PURCHASE) -> History:
    n = len(rows)
    kinds = np.full(n, KIND_CODES[kind], np.int8)
    return History(np.array(rows, np.int32), np.arange(n, dtype=np.int64) - n, kinds, np.ones(n, np.float32))


def shop(*walks: History, n_products: int) -> Interactions:
    owners = np.repeat(np.arange(len(walks)), [len(walk) for walk in walks]).astype(np.int64)
    rows, times_ms, kinds, quantities = (
        np.concatenate([getattr(walk, name) for walk in walks]) for name in ("rows", "times_ms", "kinds", "quantities")
    )
    joined = History(rows, times_ms, kinds, quantities)
    return Interactions.of(owners, joined, np.full(len(owners), -1, np.int64), len(walks), n_products)


def fitted(model: Graph, *walks: History, n_products: int) -> Graph:
    model.fit(shop(*walks, n_products=n_products), NOW)
    return model


def two_worlds(seed: int = 0, n: int = 20, held_out: tuple[int, int] = (0, 1)) -> list[History]:
    """Shoppers stay in the first half of the products or in the second; nobody visits the two held out together."""
    rng = np.random.default_rng(seed)
    walks: list[History] = []
    while len(walks) < 200:
        world = len(walks) % 2 * n // 2
        walk = world + rng.choice(n // 2, 4, replace=False)
        if not set(held_out) <= set(walk.tolist()):
            walks.append(visited(*walk.tolist()))
    return walks


def as_sparse(dense: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Sparse:
    rows, columns = np.nonzero(dense)
    return sparse(dense[rows, columns], columns, np.searchsorted(rows, np.arange(len(dense) + 1)), dense.shape)


def test_information_is_what_is_met_together_beyond_chance() -> None:
    counts = np.array([[0.0, 6.0, 1.0], [2.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    share = counts / counts.sum()
    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(share / np.outer(share.sum(axis=1), share.sum(axis=0))), 0)
    found = mutual_information(as_sparse(counts))
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-5)
    assert (found.data > 0).all()


def test_factors_are_the_best_ones_of_their_rank() -> None:
    rng = np.random.default_rng(2)
    dense = rng.random((90, 90)) * (rng.random((90, 90)) < 0.2)
    left, right = factors(as_sparse(dense), 20, np.random.default_rng(0))
    assert left.shape == right.shape == (90, 20)
    strength = np.linalg.svd(dense, compute_uv=False)
    error = np.linalg.norm(dense - left @ right.T)
    assert error < 1.01 * np.sqrt((strength[20:] ** 2).sum())
    np.testing.assert_allclose(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0), rtol=1e-3)


def test_the_graph_knows_pairs_that_nobody_visited_together() -> None:
    walks = two_worlds()
    graph = fitted(Graph(dimension=4), *walks, n_products=20)
    scores = graph.score(visited(0), NOW)
    assert scores[1] > scores[10:].max()  # one world has both, though nobody visited both
    pairs = Transitions(window=5)
    pairs.fit(shop(*walks, n_products=20), NOW)
    assert pairs.score(visited(0), NOW)[1] == 0


def test_the_graph_knows_the_direction_as_far_as_it_is_told_to() -> None:
    walks = [visited(*(np.arange(start, start + 6) % 12).tolist()) for start in range(12)]
    one_way = fitted(Graph(dimension=12, window=1, backward=0.0), *walks, n_products=12).score(visited(5), NOW)
    assert one_way.argmax() == 6
    assert abs(one_way[4]) < 0.01
    both_ways = fitted(Graph(dimension=12, window=1, backward=1.0), *walks, n_products=12).score(visited(5), NOW)
    np.testing.assert_allclose(both_ways[4], both_ways[6], rtol=1e-3)
    assert both_ways[4] > 0.5


def test_the_last_visit_speaks_loudest() -> None:
    graph = fitted(Graph(dimension=4), *two_worlds(), n_products=20)
    back_home = graph.score(visited(15, 2), NOW)
    assert back_home[:10].mean() > back_home[10:].mean()
    np.testing.assert_allclose(
        back_home, graph.score(visited(2), NOW) + 0.5 * graph.score(visited(15), NOW), rtol=1e-4, atol=1e-5
    )


def test_a_product_that_nobody_visited_has_no_opinion() -> None:
    graph = fitted(Graph(), visited(0, 1, 2), visited(1, 2, 0), n_products=5)
    assert not graph.score(visited(3), NOW).any()
    assert not graph.score(visited(0, 1), NOW)[3:].any()


def test_a_shop_without_visits_in_a_row_has_no_graph() -> None:
    walks = (visited(0), visited(1, 1), visited(2, 0, kind=EventKind.REFUND))
    assert not fitted(Graph(), *walks, n_products=3).score(visited(0), NOW).any()


def test_the_same_seed_gives_the_same_vectors() -> None:
    one, two = (fitted(Graph(dimension=4, seed=3), *two_worlds(), n_products=20) for _ in range(2))
    np.testing.assert_array_equal(one.sources, two.sources)
    np.testing.assert_array_equal(one.targets, two.targets)
