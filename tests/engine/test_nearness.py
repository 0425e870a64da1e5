"""Which product a model holds nearest to another: told by a row of its links as the whole score would tell it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History
from wares.models.collaborative import ItemKNN
from wares.models.memory import sparse
from wares.models.neighbours import nearest_link, pointed_at

N = 40


def _marked(*columns: int, n: int = N) -> NDArray[np.bool_]:
    return np.isin(np.arange(n), columns)


@pytest.fixture
def model() -> ItemKNN:
    rng = np.random.default_rng(5)
    rows = rng.integers(0, N, 600).astype(np.int32)
    bought = np.full(600, KIND_CODES[EventKind.PURCHASE], np.int8)
    events = History(rows, np.arange(600, dtype=np.int64), bought, np.ones(600, np.float32))
    shoppers = np.sort(rng.integers(0, 60, 600)).astype(np.int32)
    indptr = np.searchsorted(shoppers, np.arange(61)).astype(np.int64)
    model = ItemKNN(k=10, shrink=1.0, min_shoppers=1)
    model.fit(Interactions(events, np.full(600, -1, np.int64), indptr, N), 600)
    return model


def test_the_nearest_is_what_the_whole_score_says_most_of(model: ItemKNN) -> None:
    rng, found = np.random.default_rng(1), 0
    for row in range(N):
        whole = pointed_at(model.links, np.array([row], np.int32), np.ones(1, np.float32)).all()
        scored = model.score(History.bought_now(np.array([row], np.int32), 600), 600)
        others = rng.choice(N, 6, replace=False)
        nearest = nearest_link(model.links, row, _marked(*others.tolist()))
        if nearest is None:
            assert not (whole[others] > 0).any()
        else:
            found += 1
            assert nearest in others
            assert whole[nearest] == whole[others].max()
            assert scored[nearest] == scored[others].max()
    assert found > N // 2


def test_among_nothing_and_among_what_nobody_links_nothing_is_nearest(model: ItemKNN) -> None:
    unlinked = set(range(N)) - set(model.links.indices[model.links.indptr[5] : model.links.indptr[6]].tolist())
    assert nearest_link(model.links, 5, _marked()) is None
    assert nearest_link(model.links, 5, _marked(*unlinked)) is None


def test_what_speaks_against_a_product_is_not_near_to_it() -> None:
    links = sparse(np.array([-3, 2, 1]), np.array([1, 2, 3]), np.array([0, 3, 3, 3, 3]), (4, 4))
    assert nearest_link(links, 0, _marked(1, n=4)) is None
    assert nearest_link(links, 0, _marked(1, 3, n=4)) == 3
    assert nearest_link(links, 0, _marked(1, 2, 3, n=4)) == 2
