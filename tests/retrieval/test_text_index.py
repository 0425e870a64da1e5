"""Words of the catalogue: scores by hand, coverage, readings, titles in order, and rows that come later."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_words import BOOSTS, TITLE_ONLY, index, terms_of, titled

from wares.domain.intent import Reading, Term
from wares.domain.product import Product
from wares.domain.result import TextMatch
from wares.retrieval.text_index import FIELDS, TextIndex, field_texts

K1, B = 0.8, 0.4


def found_by(shop: TextIndex, *words: str) -> TextMatch:
    return shop.match(terms_of(words))


def test_scores_are_bm25_as_worked_out_by_hand() -> None:
    shop = index("whole milk", "skim milk milk carton", "rye bread")
    found = shop.match(terms_of(["milk"]))
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = (2 + 4 + 2) / 3
    first = idf * 1 * (K1 + 1) / (1 + K1 * (1 - B + B * 2 / mean))
    second = idf * 2 * (K1 + 1) / (2 + K1 * (1 - B + B * 4 / mean))
    np.testing.assert_allclose(found.scores, [first, second, 0], rtol=1e-5)


def test_words_in_several_fields_add_up_by_their_boosts() -> None:
    products = [Product("a", title="oat milk"), Product("b", title="oat bar", brand="milk")]
    scores = TextIndex.of(products, BOOSTS).match(terms_of(["milk"])).scores
    both = TextIndex.of(products, {**BOOSTS, "brand": 3.0, "title": 1.5}).match(terms_of(["milk"])).scores
    assert scores[0] > scores[1] > 0
    assert both[1] > both[0] > 0


def test_a_field_boosted_by_zero_covers_but_does_not_score() -> None:
    found = TextIndex.of([Product("a", title="bar", brand="milk")], TITLE_ONLY).match(terms_of(["milk"]))
    assert found.scores.tolist() == [0.0]
    assert found.coverage.tolist() == [1.0]


def test_coverage_is_the_share_of_the_weight_of_the_words() -> None:
    shop = index("whole milk", "skim milk", "rye bread")
    common, rare = (math.log(1 + (3 - df + 0.5) / (df + 0.5)) for df in (2, 1))
    found = shop.match(terms_of(["whole", "milk"]))
    np.testing.assert_allclose(found.coverage, [1, common / (common + rare), 0], rtol=1e-5)


def test_a_word_nobody_has_does_not_count_against_the_others() -> None:
    found = index("whole milk", "rye bread", fuzzy=False).match(terms_of(["milk", "zzzz"]))
    assert found.coverage.tolist() == [1.0, 0.0]
    assert found.read_as == (("milk",), ())


def test_a_repeated_word_counts_once() -> None:
    shop = index("whole milk", "rye bread")
    once, thrice = shop.match(terms_of(["milk"])), shop.match(terms_of(["milk"] * 3))
    assert np.array_equal(once.scores, thrice.scores)
    assert np.array_equal(once.coverage, thrice.coverage)


def test_a_word_still_being_typed_finds_its_completions() -> None:
    shop = index("chocolate bar", "chocolates", "cheese", "bread")
    found = shop.match(terms_of(["choc"]))
    assert (found.scores > 0).tolist() == [True, True, False, False]
    assert found.read_as == (("chocolate",),)
    assert not shop.match(terms_of(["choc"])).scores.any()


def test_only_the_last_word_is_completed() -> None:
    found = index("chocolate bar", "barley", fuzzy=False).match(terms_of(["choc", "barl"]))
    assert found.read_as == ((), ("barley",))


def test_a_completion_scores_below_the_word_itself() -> None:
    shop = index("milk", "milkshake", "milkman", "milkmaid", *["milkweed"] * 20)
    scores = shop.match(terms_of(["milk"])).scores
    assert scores[0] > scores[1] > 0


def test_one_slip_is_forgiven_and_two_in_long_words() -> None:
    shop = index("strawberry jam", "spinach", "oats")
    assert shop.match(terms_of(["spinnach"])).read_as == (("spinach",),)
    assert shop.match(terms_of(["strawbery"])).scores[0] > 0
    assert shop.match(terms_of(["stawbery"])).scores[0] > 0
    assert not shop.match(["spinahc"[:6] + "xx"], False).scores.any()
    assert shop.match(terms_of(["oat"])).scores[2] > 0  # the plural's stem, not a slip
    assert not shop.match(terms_of(["oet"])).scores.any()  # three letters say too little


def test_a_word_that_is_known_is_never_taken_for_another() -> None:
    assert index("breed", "bread").match(terms_of(["breed"])).read_as == (("breed",),)


def test_near_spellings_can_be_switched_off() -> None:
    assert not index("spinach", fuzzy=False).match(terms_of(["spinnach"])).scores.any()


def test_every_field_of_a_product_is_found() -> None:
    product = Product(
        "a", title="one", brand="two", category=("three", "four"), description="five", attributes={"x": ("six",)}
    )
    shop = TextIndex.of([product], BOOSTS)
    assert len(FIELDS) == 5
    for word in ("one", "two", "three", "four", "five", "six"):
        assert shop.match(terms_of([word])).coverage.tolist() == [1.0], word


def test_an_empty_index_finds_nothing() -> None:
    shop = index()
    assert len(shop) == 0
    assert shop.match(terms_of(["milk"])).scores.shape == (0,)
    assert shop.match(terms_of([])).coverage.shape == (0,)


def test_products_without_any_text_are_rows_like_others() -> None:
    shop = index("", "milk", "")
    assert shop.match(terms_of(["milk"])).scores.astype(bool).tolist() == [False, True, False]


def test_a_product_that_comes_later_is_found_at_once() -> None:
    before = index("whole milk")
    after = before.with_products(titled("oat milk", "lait entier"))
    assert after.match(terms_of(["lait"])).scores.astype(bool).tolist() == [False, False, True]
    assert after.match(terms_of(["milk"])).scores.astype(bool).tolist() == [True, True, False]
    assert len(before) == 1
    assert before.match(terms_of(["lait"])).coverage.tolist() == [0.0]  # the old index is as it was


def test_the_first_segment_is_shared_when_rows_are_appended() -> None:
    before = index("whole milk")
    assert before.with_products(titled("rye")).segments[0] is before.segments[0]


words = st.sampled_from(["milk", "whole", "oat", "rye", "bread", "cake", "jam", "tea"])
titles = st.lists(words, min_size=1, max_size=5).map(" ".join)


@given(base=st.lists(titles, min_size=1, max_size=6), later=st.lists(titles, max_size=5), query=st.lists(words))
def test_rows_in_two_segments_score_as_if_indexed_together(base: list[str], later: list[str], query: list[str]) -> None:
    grown = index(*base)
    for title in later:
        grown = grown.with_products(titled(title))
    whole = index(*base, *later)
    same = replace(whole, segments=(type(whole.segments[0]).of(  # with the statistics that the grown one has
        [(title, "", "", "", "") for title in (*base, *later)], 0, grown.segments[0].mean_lengths),))  # fmt: skip
    found, expected = grown.match(terms_of(query)), same.match(terms_of(query))
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)
    np.testing.assert_allclose(found.coverage, expected.coverage, rtol=1e-5)
    assert found.read_as == expected.read_as


@given(base=st.lists(titles, min_size=1, max_size=6))
def test_an_equal_text_scores_the_same_in_either_segment(base: list[str]) -> None:
    grown = index(*base).with_products(titled(base[0]))
    scores = grown.match(terms_of(shop.analyser.words(base[0]))).scores
    assert scores[0] == pytest.approx(scores[-1])


@given(rows=st.lists(titles, max_size=6), query=st.lists(words, max_size=4), is_open=st.booleans())
def test_a_stored_index_answers_as_before(rows: list[str], query: list[str], is_open: bool) -> None:
    shop = index(*rows)
    twin = TextIndex.restore(shop.state(), TITLE_ONLY)
    found, expected = twin.match(terms_of(query)), shop.match(terms_of(query))
    assert np.array_equal(found.scores, expected.scores)
    assert np.array_equal(found.coverage, expected.coverage)
    assert found.read_as == expected.read_as


@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=30), st.booleans())
def test_no_text_and_no_query_break_the_index(rows: list[str], query: str, is_open: bool) -> None:
    found = index(*rows).match(terms_of(shop.analyser.words(query)))
    assert np.isfinite(found.scores).all()
    assert ((found.coverage >= 0) & (found.coverage <= 1 + 1e-6)).all()
    assert ((found.scores > 0) == (found.coverage > 0)).all()


def test_chinese_words_are_found_inside_a_compound() -> None:
    shop = index("有机全脂牛奶", "牛肉", "奶酪")
    assert (shop.match(terms_of(shop.analyser.words("牛奶"))).coverage > 0).tolist() == [True, False, False]
