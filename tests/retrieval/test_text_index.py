"""Words of the catalogue: scores by hand, coverage, readings, titles in order, and rows that come later."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
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
    found = found_by(shop, "milk")
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
    found = found_by(shop, "whole", "milk")
    np.testing.assert_allclose(found.coverage, [1, common / (common + rare), 0], rtol=1e-5)


def test_a_word_nobody_has_does_not_count_against_the_others() -> None:
    found = index("whole milk", "rye bread").match(terms_of(["milk", "zzzz"]))
    assert found.coverage.tolist() == [1.0, 0.0]
    assert found.read_as == (("milk",), ())


def test_a_repeated_word_counts_once() -> None:
    shop = index("whole milk", "rye bread")
    once, thrice = found_by(shop, "milk"), shop.match(terms_of(["milk"] * 3))
    assert np.array_equal(once.scores, thrice.scores)
    assert np.array_equal(once.coverage, thrice.coverage)


def test_a_term_counts_by_its_best_reading_in_each_product() -> None:
    shop = index("sofa", "couch", "rye bread", "couch sofa")
    term = Term("couch", (Reading(("couch",)), Reading(("sofa",), 0.5, "synonym")))
    found = shop.match([term])
    said, other = found_by(shop, "couch").scores, found_by(shop, "sofa").scores
    idf = math.log(1 + (4 - 2 + 0.5) / (2 + 0.5))
    once = np.minimum(other, idf)  # a word that stands for another counts at most as if it stood once
    np.testing.assert_allclose(found.scores, np.maximum(said, 0.5 * once), rtol=1e-5)
    assert found.read_as == (("couch", "sofa"),)
    assert found.holds[0].tolist() == [True, True, False, True]


def test_a_reading_of_several_words_takes_a_product_with_all_of_them() -> None:
    shop = index("hair dryer", "hair gel", "clothes dryer", "dryer for hair")
    found = shop.match([Term("hairdryer", (Reading(("hair", "dryer"), 0.8, "compound"),))])
    assert (found.scores > 0).tolist() == [True, False, False, True]
    assert found.coverage.tolist() == [1, 0, 0, 1]


def test_a_weak_reading_covers_its_term_only_in_part() -> None:
    shop = index("milk", "milkshake", "milkman")
    term = Term("milk", (Reading(("milk",)), Reading(("milkshake",), 0.8), Reading(("milkman",), 0.3)))
    np.testing.assert_allclose(shop.match([term]).coverage, [1, 1, 0.3], rtol=1e-6)


def test_a_reading_that_no_product_holds_does_not_count() -> None:
    shop = index("whole milk", "rye bread")
    term = Term("milk", (Reading(("milk",)), Reading(("almond", "milk"), 0.9), Reading(("lait",), 0.7)))
    found, plain = shop.match([term]), found_by(shop, "milk")
    assert np.array_equal(found.scores, plain.scores)
    assert found.weights == plain.weights
    assert found.read_as == (("milk",),)


def test_what_a_query_does_without_lifts_a_product_but_is_not_asked_of_it() -> None:
    shop = index("cola sugar free", "cola", "lemonade")
    found = found_by(shop, *shop.analyser.words("cola sugar free"))
    assert found.scores[0] > found.scores[1] > 0
    assert found.coverage.tolist() == [1, 1, 0]


def test_a_word_weighs_as_much_as_it_is_rare() -> None:
    found = found_by(index("whole milk", "skim milk", "rye bread"), "milk", "rye", "zzzz")
    common, rare, unknown = found.weights
    assert rare > common > unknown == 0


def test_the_words_that_begin_like_what_is_typed_are_known_with_their_frequency() -> None:
    shop = index("chocolate bar", "chocolate milk", "cheese").with_products(titled("chock", "chocolate"))
    assert shop.starting_with("choc") == {"chocolate": 3, "chock": 1}
    assert shop.starting_with("x") == {}


def test_a_near_spelling_is_not_a_word() -> None:
    assert not found_by(index("spinach"), "spinnach").scores.any()


# -- titles in order ---------------------------------------------------------------------------------------------------


def said_in(shop: TextIndex, rows: list[int], *words: str) -> list[list[int]]:
    """For each row its title as places of the words, -1 = another word."""
    found = shop.title_words(np.array(rows, np.int32), [(word,) for word in words])
    return [part.tolist() for part in np.split(found.which, np.cumsum(found.lengths)[:-1])]


def test_titles_come_in_the_order_of_the_rows_and_their_words() -> None:
    shop = index("oat milk drink", "", "milk", "drink of oat")
    assert said_in(shop, [3, 0, 1, 2], "oat", "milk") == [[-1, -1, 0], [0, 1, -1], [], [1]]


def test_a_word_of_two_terms_stands_for_the_first() -> None:
    shop = index("oat milk")
    found = shop.title_words(np.array([0], np.int32), [("milk", "oat"), ("milk",)])
    assert found.which.tolist() == [0, 0]


def test_rows_of_both_segments_are_read_in_the_order_asked() -> None:
    shop = index("oat milk", "rye bread").with_products(titled("goat milk", "milk bread"))
    assert said_in(shop, [2, 0, 3, 1], "milk", "goat") == [[1, 0], [-1, 0], [0, -1], [-1, -1]]
    assert said_in(shop, [3, 3, 0], "milk") == [[0, -1], [0, -1], [-1, 0]]


@pytest.mark.parametrize(
    ("title", "head"),
    [
        ("wire shelf in white", 1),
        ("wire shelf", 1),
        ("lamp with shade for desk", 0),
        ("with shade", 1),
        ("milk", 0),
        ("Regal mit Glas", 0),
        ("lampe pour bureau", 0),
        ("2 in. pipe", 2),
        ("pipe 2 in. in white", 2),
    ],
)
def test_the_head_is_the_word_before_what_only_describes(title: str, head: int) -> None:
    shop = index("other thing", title)
    assert shop.title_words(np.array([1, 0], np.int32), []).heads.tolist() == [head, 1]


def test_the_head_of_a_later_row_is_known_too() -> None:
    shop = index("a b c").with_products(titled("wire shelf in white", "lamp"))
    assert shop.title_words(np.array([2, 1, 0], np.int32), []).heads.tolist() == [0, 1, 2]


title_lists = st.lists(st.lists(st.sampled_from(["oat", "milk", "rye"]), max_size=4).map(" ".join), max_size=4)


@settings(deadline=None)
@given(base=title_lists, later=title_lists, draw=st.data())
def test_every_title_is_read_as_it_is_written(base: list[str], later: list[str], draw: st.DataObject) -> None:
    titles = [*base, *later]
    shop = index(*base).with_products(titled(*later))
    rows = draw.draw(st.lists(st.integers(0, len(titles) - 1), max_size=6)) if titles else []
    found = shop.title_words(np.array(rows, np.int32), [("milk",), ("rye",)])
    expected = [{"milk": 0, "rye": 1}.get(word, -1) for row in rows for word in titles[row].split()]
    assert found.which.tolist() == expected
    assert found.lengths.tolist() == [len(titles[row].split()) for row in rows]


# -- whatever is indexed -----------------------------------------------------------------------------------------------


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
    assert found_by(shop, "milk").scores.shape == (0,)
    assert shop.match(terms_of([])).coverage.shape == (0,)


def test_products_without_any_text_are_rows_like_others() -> None:
    shop = index("", "milk", "")
    assert found_by(shop, "milk").scores.astype(bool).tolist() == [False, True, False]


def test_a_product_that_comes_later_is_found_at_once() -> None:
    before = index("whole milk")
    after = before.with_products(titled("oat milk", "lait entier"))
    assert found_by(after, "lait").scores.astype(bool).tolist() == [False, False, True]
    assert found_by(after, "milk").scores.astype(bool).tolist() == [True, True, False]
    assert len(before) == 1
    assert found_by(before, "lait").coverage.tolist() == [0.0]  # the old index is as it was


def test_the_first_segment_is_shared_when_rows_are_appended() -> None:
    before = index("whole milk")
    assert before.with_products(titled("rye")).segments[0] is before.segments[0]


words = st.sampled_from(["milk", "whole", "oat", "rye", "bread", "cake", "jam", "tea"])
titles = st.lists(words, min_size=1, max_size=5).map(" ".join)


@settings(deadline=None)
@given(base=st.lists(titles, min_size=1, max_size=6), later=st.lists(titles, max_size=5), query=st.lists(words))
def test_rows_in_two_segments_score_as_if_indexed_together(base: list[str], later: list[str], query: list[str]) -> None:
    grown = index(*base)
    for title in later:
        grown = grown.with_products(titled(title))
    whole = index(*base, *later)
    same = replace(whole, segments=(type(whole.segments[0]).of(  # with the statistics that the grown one has
        [(title, "", "", "", "") for title in (*base, *later)], FIELDS, whole.analyser.words, 0,
        grown.segments[0].mean_lengths),))  # fmt: skip
    found, expected = found_by(grown, *query), found_by(same, *query)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)
    np.testing.assert_allclose(found.coverage, expected.coverage, rtol=1e-5)
    assert found.read_as == expected.read_as


@settings(deadline=None)
@given(base=st.lists(titles, min_size=1, max_size=6))
def test_an_equal_text_scores_the_same_in_either_segment(base: list[str]) -> None:
    grown = index(*base).with_products(titled(base[0]))
    scores = found_by(grown, *base[0].split()).scores
    assert scores[0] == pytest.approx(scores[-1])


@settings(deadline=None)
@given(rows=st.lists(titles, max_size=6), query=st.lists(words, max_size=4))
def test_a_stored_index_answers_as_before(rows: list[str], query: list[str]) -> None:
    shop = index(*rows)
    twin = TextIndex.restore(shop.state(), TITLE_ONLY, shop.analyser)
    found, expected = found_by(twin, *query), found_by(shop, *query)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-3)  # weights are stored in half precision
    assert np.array_equal(found.coverage, expected.coverage)
    assert found.read_as == expected.read_as
    np.testing.assert_allclose(twin.letters("mlik brd"), shop.letters("mlik brd"), rtol=2e-3)
    everything = np.arange(len(rows), dtype=np.int32)
    assert np.array_equal(twin.title_words(everything, []).heads, shop.title_words(everything, []).heads)


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=30))
def test_no_text_and_no_query_break_the_index(rows: list[str], query: str) -> None:
    shop = index(*rows)
    found = found_by(shop, *shop.analyser.words(query))
    assert np.isfinite(found.scores).all()
    assert ((found.coverage >= 0) & (found.coverage <= 1 + 1e-6)).all()
    assert ((found.coverage > 0) <= (found.scores > 0)).all()


def test_chinese_words_are_found_inside_a_compound() -> None:
    shop = index("有机全脂牛奶", "牛肉", "奶酪")
    assert (found_by(shop, "牛奶").coverage > 0).tolist() == [True, False, False]


def test_what_a_product_says_of_itself_is_the_text_of_five_fields() -> None:
    product = Product("a", "one", "five", "two", ("three", "four"), attributes={"x": ("six", "seven"), "y": ("eight",)})
    assert field_texts(product) == ("one", "two", "three four", "five", "six seven eight")


said_words = st.sampled_from(["oat", "milk", "bar", "rye", "zzzz", "¬milk"])
term_readings = st.builds(
    lambda words, weight: Reading(tuple(words), weight),
    st.lists(said_words, min_size=1, max_size=2),
    st.sampled_from([1.0, 0.8, 0.4, 0.3]),
)
spoken_terms = st.builds(
    lambda said, readings: Term(said, tuple(readings)), said_words, st.lists(term_readings, max_size=3)
)


@given(
    st.lists(st.lists(st.sampled_from(["oat", "milk", "bar", "rye", "milk-free"]), max_size=4), min_size=1, max_size=6),
    st.lists(spoken_terms, max_size=3),
    st.integers(0, 3),
)
def test_the_rows_that_hold_all_terms_are_those_that_a_match_covers_wholly(
    titles: list[list[str]], terms: list[Term], since: int
) -> None:
    products = [
        Product(str(i), title=" ".join(words), brand=words[0] if words else "") for i, words in enumerate(titles)
    ]
    shop = TextIndex.of(products, BOOSTS).with_products(products[:since])
    assert shop.holding(terms).tolist() == np.flatnonzero(shop.match(terms).coverage >= 1 - 1e-6).tolist()
