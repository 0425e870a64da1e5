"""Which products answer a query at all: by words or by meaning, the query alone deciding."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from search_words import terms_of

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Filter, NoneOf
from wares.domain.intent import Intent, Term
from wares.domain.product import Product
from wares.domain.request import Request, Sort
from wares.domain.result import TextMatch
from wares.domain.text import tokens
from wares.domain.wish import Wish, WishKind
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
    sold: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def popularity(self, rows: NDArray[np.int32] | None = None) -> Floats:
        return self.sold if rows is None else self.sold[rows]

    def text_match(self, terms: Sequence[Term]) -> TextMatch:
        return self.text.match(terms)

    def letters_match(self, text: str) -> Floats:
        return self.text.letters(text)

    def space(self, name: str) -> VectorIndex:
        assert name == "text"
        return self.vectors


def view(vectors: VectorIndex | None = None, without: Sequence[str] = ()) -> View:
    """The shop of `TITLES`; odd ones are of brand A, the others of B; `without` are ids that have left it."""
    products = [Product(f"p{i}", title, brand="A" if i % 2 else "B") for i, title in enumerate(TITLES)]
    n = len(products)
    columns = Columns.of(products, range(n)).without(without)
    space = vectors or VectorIndex.empty(n)
    found = FakeView(TextIndex.of(products, BOOSTS), space, columns, np.arange(n, dtype=np.float32))
    return cast(View, found)


def intent(query: str, vector: Floats | None = None, wanted: Filter | None = None, **more: Any) -> Intent:
    sort = more.pop("sort", Sort.PRICE_UP)
    request = Request("search", 0, query=query, filter=wanted or Filter(), sort=sort)
    words = tuple(tokens(query))
    vectors = {} if vector is None else {"text": vector}
    return Intent(request, words, query, tuple(terms_of(words)), vectors=vectors, **more)


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


def test_before_anything_is_encoded_words_alone_match() -> None:
    found = Matching().match(intent("milk", np.array([1, 0], np.float32)), view())
    assert matched(found) == matched(Matching().match(intent("milk"), view()))


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


# -- letters -----------------------------------------------------------------------------------------------------------


def test_letters_order_what_matches_and_let_nothing_in() -> None:
    loud = Matching(coverage=0.01, letters_weight=1.0)
    wished = replace(intent("milk"), text="chocolates")
    found = loud.match(wished, view())
    assert matched(found) == [0, 1, 2, 6]
    assert int(np.argmax(found.relevance)) == 6
    assert matched(loud.match(replace(intent("zzz"), text="chocolates"), view())) == []


# -- what is left out, and what is wished ------------------------------------------------------------------------------


def brand(name: str, *, strict: bool) -> Wish:
    return Wish(WishKind.BRAND, name, AnyOf("brand", (name,)), strict)


def test_what_the_query_excludes_does_not_match() -> None:
    assert matched(Matching(coverage=0.5).match(intent("milk", excluded=("chocolate", "oat")), view())) == [0, 1]


def test_a_near_meaning_is_no_way_around_an_exclusion() -> None:
    index, question = crowd()
    asked = intent("pumpernickel", question, excluded=("rye",))
    assert not Matching(meaning=3.0).match(asked, view(index)).matched.any()


def test_a_strict_wish_is_part_of_the_match_set() -> None:
    found = Matching().match(intent("milk", wishes=(brand("A", strict=True),)), view())
    assert matched(found) == [1]
    assert not found.relaxed
    assert not found.relevance[[0, 2, 6]].any()


def test_a_wish_that_is_not_strict_leaves_the_match_set_as_it_is() -> None:
    plain = Matching().match(intent("milk"), view())
    wished = Matching().match(intent("milk", wishes=(brand("A", strict=False),)), view())
    assert np.array_equal(plain.matched, wished.matched)


def test_several_strict_wishes_must_all_be_met() -> None:
    no_chocolate = Wish(WishKind.EXCLUSION, "no skim", NoneOf("id", ("p1",)), strict=True)
    found = Matching().match(intent("milk", wishes=(brand("A", strict=True), no_chocolate)), view())
    assert found.relaxed == "wishes"
    assert matched(found) == [0, 1, 2, 6]


def test_a_wish_that_nothing_meets_is_let_go_and_the_answer_says_so() -> None:
    found = Matching().match(intent("bread", wishes=(brand("C", strict=True),)), view())
    assert found.relaxed == "wishes"
    assert matched(found) == [3, 4]


def test_words_that_no_product_holds_together_are_relaxed_to_the_most_of_them() -> None:
    found = Matching(coverage=1.0).match(intent("whole oat carrot"), view())
    assert found.relaxed == "words"
    assert matched(found)
    assert found.matched.sum() < len(TITLES)
    plain = Matching(coverage=1.0).match(intent("whole milk"), view())
    assert (plain.relaxed, matched(plain)) == ("", [0])


def test_where_no_word_is_known_nothing_is_relaxed() -> None:
    found = Matching(coverage=1.0).match(intent("zebra"), view())
    assert (found.relaxed, matched(found)) == ("", [])


def test_a_product_that_left_keeps_no_query_from_being_relaxed() -> None:
    found = Matching(coverage=1.0).match(intent("carrot cake"), view(without=["p5"]))
    assert found.relaxed == "words"
    assert matched(found) == [6]
    wished = Matching().match(intent("milk", wishes=(brand("A", strict=True),)), view(without=["p1"]))
    assert wished.relaxed == "wishes"
    assert matched(wished) == [0, 2, 6]


@given(st.lists(words, min_size=1, max_size=4).map(" ".join), st.booleans(), st.sampled_from([(), ("milk",), ("oat",)]))
def test_strict_wishes_and_exclusions_narrow_or_are_said_to_be_relaxed(
    query: str, strict: bool, excluded: tuple[str, ...]
) -> None:
    plain = Matching().match(intent(query), view())
    found = Matching().match(intent(query, wishes=(brand("A", strict=strict),), excluded=excluded), view())
    if not found.relaxed:
        assert (found.matched <= plain.matched).all()
        assert not strict or not found.matched[::2].any()


# -- meaning -----------------------------------------------------------------------------------------------------------


def test_the_better_the_best_ones_are_the_more_a_meaning_has_to_reach() -> None:
    rng = np.random.default_rng(1)
    question = np.zeros(32, np.float32)
    question[0] = 1
    ordinary = rng.normal(size=(500, 32))
    ordinary[:, 0] *= 0.3
    near, half = ordinary[:15] * 0.05, ordinary[15:25] * 0.5
    near[:, 0], half[:, 0] = 1.0, 2.0
    vectors = np.concatenate([near, half, ordinary[25:]]).astype(np.float32)
    space = VectorIndex.of(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.arange(500, dtype=np.int32))
    products = [Product(f"p{i}", f"thing {i}") for i in range(500)]
    shop = cast(View, FakeView(TextIndex.of(products, BOOSTS), space, Columns.of(products, range(500))))
    asked = intent("nothing", question)
    wide = Matching(meaning_share=0.0).match(asked, shop)
    narrow = Matching(meaning_share=0.9).match(asked, shop)
    assert matched(narrow) == list(range(15))
    assert set(matched(wide)) > set(matched(narrow))


def test_the_weights_mix_words_and_meaning() -> None:
    index, question = crowd()
    asked = intent("whole bread", question)
    by_words = Matching(coverage=0.01, lexical_weight=1, letters_weight=0, meaning_weight=0).match(asked, view(index))
    by_meaning = Matching(coverage=0.01, lexical_weight=0, letters_weight=0, meaning_weight=1).match(asked, view(index))
    assert int(np.argmax(by_words.relevance)) == 0
    assert int(np.argmax(by_meaning.relevance)) == 3
