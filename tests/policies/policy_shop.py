"""A shop small enough to read, and slates over it; shared by the tests of the policies."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.aims import DAY_MS, aim_values, scale_of, standing
from wares.domain.catalogue import Columns
from wares.domain.filter import Filter
from wares.domain.intent import Intent
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.result import Candidates, Slate
from wares.domain.rule import NOTHING, Actions
from wares.domain.text import tokens
from wares.policies.priority import opened

BRANDS = ("Acme", "Apex", "Bolt", "")
KINDS = (("Food", "Bread"), ("Food", "Milk"), ("Tools",))
N = 24
NOW_MS = 1_790_000_000_000


@dataclass(frozen=True)
class FakeView:
    """Only what policies may look at."""

    columns: Columns

    def standing(self, aim: str, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Nobody has bought anything yet."""
        every = np.arange(len(self.columns), dtype=np.int32)
        values = aim_values(aim, self.columns, every, np.zeros(len(every)), 60.0, NOW_MS)
        return standing(values[rows], scale_of(values, self.columns.alive & self.columns.sellable))


def product(i: int) -> Product:
    """p0..p23: brands and categories take turns; every fifth product is sold out; p20 and p21 are variants. Of
    every fourth nobody knows the cost."""
    return Product(
        f"p{i}",
        title=f"Product {i}",
        brand=BRANDS[i % 4],
        category=KINDS[i % 3],
        price_minor=100 * i,
        cost_minor=None if i % 4 == 3 else (31 * i) % 100 * i,
        stock_since_ms=NOW_MS - (7 * i) % 30 * DAY_MS,
        stock=0 if i % 5 == 4 else None,
        group_id="twins" if i in (20, 21) else "",
        attributes={"colour": ("red", "blue")[: i % 3]},
    )


def view(products: list[Product] | None = None) -> View:
    products = [product(i) for i in range(N)] if products is None else products
    return cast(View, FakeView(Columns.of(products, range(len(products)))))


SHOP = view()


def slate(scores: list[float], rows: list[int] | None = None) -> Slate:
    """As the engine opens it: the priority is the score."""
    values = np.array(scores, np.float32)
    found = np.arange(len(scores), dtype=np.int32) if rows is None else np.array(rows, np.int32)
    candidates = Candidates(found, np.zeros((len(scores), 1), np.float32), ("lexical",), values.copy())
    return opened(candidates, values)


def intent(
    query: str = "",
    surface: str = "search",
    chosen: Filter | None = None,
    now_ms: int = 0,
    actions: Actions = NOTHING,
) -> Intent:
    request = Request(surface, now_ms, query=query, filter=chosen or Filter())
    return Intent(request, tuple(tokens(query)), actions=actions)


def ids(arranged: Slate) -> list[str]:
    return [f"p{row}" for row in arranged.rows]


@st.composite
def slates(draw: st.DrawFn) -> Slate:
    """Any distinct rows of the shop with any scores, ties likely."""
    rows = draw(st.lists(st.integers(0, N - 1), unique=True, max_size=N))
    score = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(-50, 50, width=32))
    return slate(draw(st.lists(score, min_size=len(rows), max_size=len(rows))), rows)


def assert_honest(before: Slate, after: Slate) -> None:
    """What every policy owes: no row twice, scores as they were, order by priority, every change explained."""
    assert len(set(after.rows.tolist())) == len(after)
    score_of = dict(zip(before.rows.tolist(), before.scores.tolist(), strict=True))
    for i, row in enumerate(after.rows.tolist()):
        assert after.scores[i] == score_of.get(row, 0.0)
        explained = float(after.scores[i]) + sum(one.amount for one in after.adjustments[i])
        assert abs(explained - float(after.priority[i])) < 1e-4
        assert all(one.policy and one.why and one.amount for one in after.adjustments[i])
    order = np.lexsort((after.rows, -after.scores, -after.priority))
    assert order.tolist() == list(range(len(after)))
