"""Which products answer a query at all: by words or by meaning, the query alone deciding."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Filter
from wares.domain.intent import Intent
from wares.domain.product import Product
from wares.domain.request import Request, Sort
from wares.domain.result import TextMatch
from wares.domain.text import tokens
from wares.retrieval.match_set import Matching, MatchSet
from wares.retrieval.text_index import TextIndex
from wares.retrieval.vector_index import VectorIndex

Floats = NDArray[np.float32]
TITLES = ("whole milk", "skim milk", "oat milk drink", "rye bread", "white bread", "carrot cake", "milk chocolate cake")
BOOSTS = dict.fromkeys(("title", "brand", "category", "attributes", "description"), 1.0)


@dataclass
class FakeView:
    """Only what matching may look at."""

    text: TextIndex
    vectors: VectorIndex
    columns: Columns
    popularity: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def text_match(self, words: tuple[str, ...], open_word: bool) -> TextMatch:
        return self.text.match(words, open_word)

    def space(self, name: str) -> VectorIndex:
        assert name == "text"
        return self.vectors


def view(vectors: VectorIndex | None = None) -> View:
    products = [Product(f"p{i}", title, brand="A" if i % 2 else "B") for i, title in enumerate(TITLES)]
    n = len(products)
    found = FakeView(
        TextIndex.of(products, BOOSTS), vectors or VectorIndex.empty(n), Columns.of(products, range(n)),
        np.arange(n, dtype=np.float32),
    )  # fmt: skip
    return cast(View, found)


def intent(query: str, vector: Floats | None = None, wanted: Filter | None = None, **more: object) -> Intent:
    request = Request("search", 0, query=query, filter=wanted or Filter(), sort=cast(Sort, more.get("sort", "price")))
    return Intent(request, tuple(tokens(query)), False, {} if vector is None else {"text": vector})


def matched(found: MatchSet) -> list[int]:
    return np.flatnonzero(found.matched).tolist()


def test_without_words_everything_matches_in_order_of_popularity() -> None:
    for query in ("", "   ", "\t\u3000"):
        found = Matching().match(intent(query), view())
        assert found.matched.all()
        assert np.argsort(-found.relevance).tolist() == list(range(len(TITLES)))[::-1]


def test_a_product_needs_enough_of_the_words() -> None:
    assert matched(Matching(coverage=1.0).match(intent("milk cake"), view())) == [6]
    assert matched(Matching(coverage=0.01).match(intent("milk cake"), view())) == [0, 1, 2, 5, 6]


def test_a_query_without_a_word_matches_nothing() -> None:
    for query in ("🎉🎂", "!!!", "___"):
        found = Matching(coverage=0.0).match(intent(query), view())
        assert not found.matched.any()
        assert not found.relevance.any()


@pytest.mark.parametrize("coverage", [0.0, 0.5, 0.6, 1.0])
def test_only_what_matches_is_relevant(coverage: float) -> None:
    found = Matching(coverage=coverage).match(intent("oat milk"), view())
    assert ((found.relevance > 0) <= found.matched).all()
    assert found.relevance.max() <= 1


def crowd() -> tuple[VectorIndex, Floats]:
    """100 texts that have nothing to do with the question; only the vector of row 3 is near to it."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(100, 32)).astype(np.float32)
    question = vectors[3] + 0.1 * rng.normal(size=32).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    text_of = np.array([0, 1, 2, 3, 4, -1, 6], np.int32)
    return VectorIndex.of(unit, text_of), (question / np.linalg.norm(question)).astype(np.float32)


def test_a_near_meaning_matches_without_a_common_word() -> None:
    index, question = crowd()
    found = Matching(meaning=3.0).match(intent("pumpernickel", question), view(index))
    assert matched(found) == [3]
    assert found.relevance[3] > 0


def test_with_too_few_products_to_compare_with_meaning_matches_nothing() -> None:
    index, question = crowd()
    few = VectorIndex.of(index.blocks[0][:7], np.arange(7, dtype=np.int32))
    assert not Matching(meaning=3.0).match(intent("pumpernickel", question), view(few)).matched.any()


words = st.sampled_from(["milk", "cake", "bread", "oat", "zebra", "whole"])
some_filters = st.sampled_from([Filter(), Filter((AnyOf("brand", ("A",)),)), Filter((AnyOf("brand", ("C",)),))])


@given(st.lists(words, max_size=4).map(" ".join), some_filters, st.sampled_from(list(Sort)), st.booleans())
def test_the_match_set_depends_on_the_query_alone(query: str, wanted: Filter, sort: Sort, by_meaning: bool) -> None:
    index, question = crowd()
    vector = question if by_meaning else None
    plain = Matching().match(intent(query, vector), view(index))
    asked = Matching().match(intent(query, vector, wanted, sort=sort), view(index))
    assert np.array_equal(plain.matched, asked.matched)
    assert np.array_equal(plain.relevance, asked.relevance)


@given(st.lists(words, min_size=1, max_size=4).map(" ".join), st.floats(0, 1), st.floats(0, 1))
def test_asking_for_more_coverage_only_narrows(query: str, one: float, other: float) -> None:
    strict, loose = max(one, other), min(one, other)
    narrow = Matching(coverage=strict).match(intent(query), view())
    wide = Matching(coverage=loose).match(intent(query), view())
    assert (narrow.matched <= wide.matched).all()
