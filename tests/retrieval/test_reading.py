"""What the words of a query may stand for among the words that the shop's products hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_words import language_and_index, titled

from wares.domain.intent import Reading, Term
from wares.retrieval.reading import read_terms

SHOP = titled(
    *["couch grey", "sofa bed", "hair dryer", "Rust-Oleum paint", "milk", "milkshake", "cola sugar free", "cola"],
    *["chocolate bar", "chocolate milk", "chocolates", "deckover stain", "deckover paint", "deck over board"],
    *["over deck paint", "deck over stain", "rubber gloves"],
)
LANGUAGE, INDEX = language_and_index(SHOP)


def read(query: str, *, is_open: bool = False) -> tuple[Term, ...]:
    return read_terms(query, LANGUAGE, INDEX, is_open)


def ways(term: Term) -> dict[tuple[str, ...], str]:
    """The words of each reading and why it is one."""
    return {reading.words: reading.why for reading in term.readings}


def test_words_of_the_catalogue_are_read_as_they_were_said() -> None:
    assert read("Rubber GLOVES") == (
        Term("rubber", (Reading(("rubber",)),)),
        Term("glove", (Reading(("glove",)),)),
    )


def test_an_unknown_word_stays_a_term_without_readings() -> None:
    (known, unknown) = read("milk zzzz")
    assert known.readings
    assert unknown == Term("zzzz")


def test_a_synonym_is_read_below_the_word_itself() -> None:
    (term,) = read_terms("couch", LANGUAGE.with_synonyms(["couch, sofa"]), INDEX)
    assert term.readings[0] == Reading(("couch",))
    assert ways(term)[("sofa",)] == "synonym"
    assert all(reading.weight < 1 for reading in term.readings[1:])


def test_the_shopkeepers_synonyms_count_like_the_packaged_ones() -> None:
    own = LANGUAGE.with_synonyms(["brew => cola", "squeaker, rubber gloves"])
    (term,) = read_terms("brew", own, INDEX)
    assert ways(term) == {("cola",): "synonym"}
    (term,) = read_terms("squeaker", own, INDEX)
    assert ways(term) == {("rubber", "glove"): "synonym"}
    assert read("brew") == (Term("brew"),)


def test_a_synonym_that_the_shop_does_not_sell_is_no_reading() -> None:
    own = LANGUAGE.with_synonyms(["couch, settee, sofa cushion"])
    assert read_terms("couch", own, INDEX) == read("couch")


def test_two_words_that_the_shop_writes_as_one_are_read_both_ways() -> None:
    products = titled(*["deckover paint"] * 9, "deck over board", "deck over stain", "over deck", "deck over cover")
    language, index = language_and_index(products)
    (term,) = read_terms("deck over", language, index)
    assert ways(term) == {("deck", "over"): "", ("deckover",): "compound"}


def test_a_word_that_the_shop_writes_as_several_is_read_both_ways() -> None:
    products = titled("Winterstiefel", *["Winter Jacke"] * 5, *["Stiefel Leder"] * 5)
    language, index = language_and_index(products, "de")
    (term,) = read_terms("Winterstiefel", language, index)
    assert ways(term) == {tuple(language.analyser.words("Winterstiefel")[:1]): "", ("wint", "stiefel"): "compound"}


def test_a_word_without_the_hyphen_that_the_shop_writes_is_read_as_its_parts() -> None:
    (term,) = read("rustoleum")
    assert term.readings == (Reading(("rust", "oleum"), 1.0, "compound"),)


def test_the_last_word_may_still_be_being_typed() -> None:
    (term,) = read("choc", is_open=True)
    assert ways(term) == {("chocolate",): "prefix"}
    assert read("choc") == (Term("choc"),)


def test_only_the_last_word_is_completed() -> None:
    first, last = read("choc mil", is_open=True)
    assert first == Term("choc")
    assert set(ways(last).values()) == {"prefix"}


def test_a_completion_weighs_less_than_the_word_itself() -> None:
    (term,) = read("choco", is_open=True)
    assert all(reading.weight < 1 for reading in term.readings)


def test_a_word_that_the_catalogue_knows_well_stands_as_it_is() -> None:
    assert read("milk", is_open=True) == read("milk")


@pytest.mark.parametrize("typed", ["c", "", " ", "1"])
def test_too_little_to_go_by_is_not_completed(typed: str) -> None:
    assert all(reading.why != "prefix" for term in read(typed, is_open=True) for reading in term.readings)


def test_a_query_does_without_what_a_title_does_without() -> None:
    assert {term.said for term in read("cola without sugar")} == {term.said for term in read("sugar free cola")}


def test_another_language_is_read_as_the_shops_own() -> None:
    (term,) = read("牛奶")
    assert ("milk",) in ways(term)


def test_what_follows_many_words_says_nothing_new() -> None:
    assert len(read("milk couch " * 40)) == 32


@settings(deadline=None)
@given(st.lists(st.sampled_from(["milk", "couch", "deck", "over", "choc", "zz", "rustoleum", "2in"]), max_size=5))
def test_every_reading_is_held_by_some_product_and_the_best_comes_first(words: list[str]) -> None:
    for term in read(" ".join(words), is_open=True):
        weights = [reading.weight for reading in term.readings]
        assert weights == sorted(weights, reverse=True)
        assert all(INDEX.frequency(word) for reading in term.readings for word in reading.words)
