"""Which rows are of one product, and which are variants: old rows, those that took over, and new ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from live_shop import NO_ENCODER, NOW_MS, learnt, product, settings_of

from wares.domain.request import Request
from wares.engine.assembly import Engine
from wares.engine.live import Live
from wares.engine.same_products import of_products, same_group
from wares.engine.view import ShopView
from wares.store.sqlite import Store

N = 12


@pytest.fixture(params=[True, False], ids=["learnt", "nothing learnt"])
def view(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ShopView]:
    """Products in groups; some were rewritten into another group, some of them twice, some left, some are new."""
    settings = settings_of(tmp_path)
    with Store.open(tmp_path, "write") as store:
        if not request.param:
            live = Live(learnt(store, settings, tmp_path), None)
        store.catalogue.put(product(f"p{i}", group_id=f"g{i // 3}") for i in range(N))
        if request.param:
            live = Live(learnt(store, settings, tmp_path), None)
        for change in range(3):
            store.catalogue.put(
                product(f"p{i}", f"new title {change}", group_id=f"g{i % 5}") for i in range(change, N, 4)
            )
            store.catalogue.put(product(f"q{i}", group_id=f"g{i}") for i in range(change, change + 2))
            store.catalogue.delete([f"p{change + 7}"])
            live.catch_up(store.catalogue, store.events)
        yield ShopView(live, NOW_MS)


def test_no_row_of_a_product_or_its_variants_is_overlooked(view: ShopView) -> None:
    columns = view.columns
    assert len(columns) > N + 8
    rng = np.random.default_rng(4)
    for some in (0, 1, 1, 1, 2, 5, len(columns)):
        rows = rng.choice(len(columns), some, replace=False).astype(np.int32)
        same = np.isin(columns.keys, columns.keys[rows])
        for found, asked in ((same_group(rows, view), rows), (of_products(rows, view), np.flatnonzero(same))):
            expected = np.flatnonzero(np.isin(columns.groups, columns.groups[asked]))
            assert sorted(found.tolist()) == expected.tolist()


def test_variants_that_are_hits_of_their_own_name_each_other_once(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, NO_ENCODER + '[profiles.each]\nsources = ["new"]\npolicies = []\nfold_variants = false\n'
    )
    with Store.open(tmp_path, "write") as store:
        store.catalogue.put(product(f"p{i}", group_id=f"g{i // 3}", published_ms=NOW_MS) for i in range(5))
        engine = Engine(tmp_path, settings, store, None, learnt(store, settings, tmp_path))
        page = engine.ask(Request(surface="each", now_ms=NOW_MS))
    told = {hit.product.id: hit.variants for hit in page.hits}
    assert told == {"p0": ("p1", "p2"), "p1": ("p0", "p2"), "p2": ("p0", "p1"), "p3": ("p4",), "p4": ("p3",)}
