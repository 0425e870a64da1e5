"""Products that are remembered are as the catalogue has them at any moment."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from wares.contracts import Catalogue
from wares.domain.product import Product
from wares.engine.known_products import KnownProducts
from wares.store.sqlite import Store

IDS = [f"p{i}" for i in range(40)]


class Counting:
    """Counts what is read of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue, self.read = catalogue, list[str]()

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        self.read += ids
        return self._catalogue.get(ids)

    def put(self, products: Iterable[Product]) -> int:
        return self._catalogue.put(products)

    def delete(self, ids: Sequence[str]) -> int:
        return self._catalogue.delete(ids)

    def changes(self, after: int = 0) -> Iterator[tuple[int, int, str, Product | None]]:
        return self._catalogue.changes(after)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Store.open(tmp_path, "write") as store:
        store.catalogue.put(Product(one, f"Title of {one}", description="d" * 50) for one in IDS)
        yield store.catalogue


def test_what_is_asked_again_is_not_read_again(catalogue: Catalogue) -> None:
    counting = Counting(catalogue)
    known = KnownProducts(counting, 0)
    assert known.get(["p1"]) == catalogue.get(["p1"])  # the first question looks through what was put
    assert known.get(["p1", "p2", "nobody"]) == catalogue.get(["p1", "p2"])
    assert known.get(["p2", "p1"]) == catalogue.get(["p2", "p1"])
    assert counting.read == ["p1", "p2", "nobody"]


def test_whoever_changes_a_product_it_is_read_anew(catalogue: Catalogue) -> None:
    known = KnownProducts(catalogue, 0)
    rng = np.random.default_rng(2)
    for turn in range(200):
        some = rng.choice(IDS, int(rng.integers(1, 30))).tolist()
        if turn % 3 == 0:
            catalogue.put(Product(one, f"{one} of turn {turn}") for one in some)
        elif turn % 3 == 1:
            catalogue.delete(some[:3])
        asked = rng.choice(IDS, 20, replace=False).tolist()
        assert known.get(asked) == catalogue.get(asked)


def test_many_changes_are_looked_through_by_and_by(catalogue: Catalogue) -> None:
    counting = Counting(catalogue)
    known = KnownProducts(counting, 0)
    known.get(IDS)
    catalogue.put(Product(f"q{i}", "New") for i in range(500))
    catalogue.put([Product("p1", "Last of all")])
    for _ in range(12):
        assert known.get(["p1", "p2"]) == catalogue.get(["p1", "p2"])
    counting.read.clear()
    assert known.get(["p1", "p2"])["p1"].title == "Last of all"
    assert not counting.read


def test_no_more_is_remembered_than_there_is_room_for(catalogue: Catalogue) -> None:
    counting = Counting(catalogue)
    known = KnownProducts(counting, 0, most_bytes=3_000)
    for asked in (["p1"], ["p2"], ["p1"], ["p3"], ["p4"], ["p5"], ["p1"], ["p2"]):
        assert known.get(asked) == catalogue.get(asked)
    assert counting.read == ["p1", "p2", "p3", "p4", "p5", "p2"]  # of four the longest unused went first


def test_a_product_of_many_values_takes_the_room_that_they_take(catalogue: Catalogue) -> None:
    fits = tuple(f"model {i:020d}" for i in range(300))
    catalogue.put(Product(one, "A part", attributes={"fits": fits}) for one in IDS)
    counting = Counting(catalogue)
    known = KnownProducts(counting, 0, most_bytes=10 * sum(map(sys.getsizeof, fits)))
    known.get(IDS)
    counting.read.clear()
    known.get(IDS[::-1])
    assert len(IDS) - len(counting.read) <= 10
