"""How near a model holds two products: a row of its links, and the same as a whole score would say."""

import numpy as np
import pytest

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History
from wares.models.collaborative import ItemKNN
from wares.models.neighbours import linked, pointed_at

N = 40


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


def test_a_row_of_links_says_what_the_whole_score_says_but_for_one_factor(model: ItemKNN) -> None:
    others = np.arange(N, dtype=np.int32)
    for row in range(N):
        whole = pointed_at(model.links, np.array([row], np.int32), np.ones(1, np.float32))
        assert linked(model.links, row, others) == pytest.approx(whole.at(others))
        scored = model.score(History.bought_now(np.array([row], np.int32), 600), 600)
        assert np.argmax(scored) == np.argmax(linked(model.links, row, others))


def test_others_may_be_given_in_any_order_and_more_than_once(model: ItemKNN) -> None:
    others = np.array([7, 3, 7, 0], np.int32)
    found = linked(model.links, 5, others)
    assert found[0] == found[2]
    assert found == pytest.approx(linked(model.links, 5, np.arange(N, dtype=np.int32))[others])
