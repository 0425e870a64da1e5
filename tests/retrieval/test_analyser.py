"""Texts and queries become the same words of the index, whatever the scripts they mix."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wares.domain.intent import Term
from wares.retrieval.language.analyser import Analyser, prepared
from wares.retrieval.language.european.words import LANGUAGES

GERMAN = Analyser.of(["Winterstiefel Damen", "Stiefel schwarz", "Winter Jacke", "Schuhe Damen"] * 3, [], "de-AT")
ENGLISH = Analyser.of(["Rust-Oleum paint", "type-c cable", "oat milk", "牛奶", "手机壳"], ["Acme"], "en")


def said(analyser: Analyser, query: str) -> list[str]:
    """What a query says, unit by unit."""
    return [term.said for stretch in analyser.terms(query) for term in stretch]


def wanted(analyser: Analyser, query: str) -> list[Term]:
    return [term for stretch in analyser.terms(query) for term in stretch]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Oat Milk", ["oat", "milk"]),
        ("Crème brûlée", ["creme", "brulee"]),
        ("Ｏａｔ　Ｍｉｌｋ", ["oat", "milk"]),
        ("oats &amp; milk", ["oat", "milk"]),
        ("milk &lt;b&gt;", ["milk", "b"]),
        ("Kid's 3/4 bed", ["kid", "3/4", "bed"]),
        ("2-inch pipe", ["2", "in", "pipe"]),
        ("500ML", ["500", "ml"]),
        ("молоко", ["молоко"]),
        ("ミルク", ["ミル", "ルク"]),
        ("ミルク 500ml", ["ミル", "ルク", "500", "ml"]),
        ("🎂", []),
        ("", []),
    ],
)
def test_a_text_has_these_words(text: str, words: list[str]) -> None:
    assert ENGLISH.words(text) == words


def test_each_script_of_a_text_is_cut_in_its_own_way() -> None:
    found = ENGLISH.words("iPhone手机壳 case 500ml")
    assert found[0] == "iphone"
    assert "手机壳" in found
    assert found[-3:] == ["case", "500", "ml"]
    assert said(ENGLISH, "iPhone手机壳 case") == ["iphone", "手机壳", "case"]


def test_traditional_and_simplified_characters_meet() -> None:
    assert ENGLISH.words("無糖飲料") == ENGLISH.words("无糖饮料")
    assert said(ENGLISH, "無糖飲料") == said(ENGLISH, "无糖饮料")


def test_a_title_in_german_holds_the_parts_of_its_compounds() -> None:
    assert GERMAN.words("Damenwinterstiefel")[0] == "damenwinterstiefel"
    for part in ("Damen", "Winter", "Stiefel"):
        assert set(GERMAN.words(part)) <= set(GERMAN.words("Damenwinterstiefel")), part


def test_a_query_in_german_asks_for_the_compound_itself() -> None:
    assert said(GERMAN, "Damenwinterstiefel") == ["damenwinterstiefel"]
    assert GERMAN.parts("damenwinterstiefel") == ("dame", *GERMAN.words("Winter"), "stiefel")
    assert GERMAN.parts("stiefel") == ()


def test_a_title_in_english_holds_its_words_and_no_parts() -> None:
    english = Analyser.of(["deckover paint", "deck over", "paint over deck"] * 5, [], "en")
    assert english.words("deckover") == ["deckover"]


def test_what_the_shop_writes_with_a_hyphen_may_be_said_in_one_word() -> None:
    assert ENGLISH.words("Rust-Oleum") == ["rust", "oleum"]
    assert ENGLISH.parts("rustoleum") == ("rust", "oleum")
    assert ENGLISH.parts("typec") == ("type", "c")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sugar free cola", "sugar-free cola"),
        ("sugar free cola", "no sugar cola"),
        ("cola without sugar", "cola no sugar"),
        ("无糖 cola", "無糖 cola"),
    ],
)
def test_what_a_text_does_without_is_one_word_of_its_own(one: str, other: str) -> None:
    assert ENGLISH.words(one) == ENGLISH.words(other)
    assert not {"sugar", "糖"} & set(ENGLISH.words(one))
    assert "cola" in ENGLISH.words(one)


def test_a_german_text_says_in_one_word_what_it_does_without() -> None:
    assert GERMAN.words("zuckerfrei") == GERMAN.words("ohne Zucker")
    assert GERMAN.words("zuckerfrei") != GERMAN.words("Zucker")


@pytest.mark.parametrize(
    "text", ["Oat Milk", "2-inch PVC pipe", "sugar free cola", "Crème", "ミルク", "iPhone case 128gb", "3/4 in. bolts"]
)
def test_a_title_typed_as_a_query_asks_for_its_own_words(text: str) -> None:
    asked = {word for term in wanted(ENGLISH, text) for word in term.readings[0].words}
    assert asked <= set(ENGLISH.words(text))


def test_a_stored_analyser_reads_as_before() -> None:
    for analyser in (GERMAN, ENGLISH):
        twin = Analyser.restore(analyser.state())
        for text in ("Damenwinterstiefel", "rustoleum", "手机壳 无糖", "zuckerfrei 2 Zoll"):
            assert twin.words(text) == analyser.words(text)
            assert twin.terms(text) == analyser.terms(text)


mixed = st.text(max_size=40) | st.text(alphabet="aäß牛奶无糖ミー 1½/.,'\"-&;#x升斤éıİ", max_size=40)


@settings(deadline=None)
@given(mixed, st.sampled_from([GERMAN, ENGLISH]))
def test_any_text_has_words_and_always_the_same(text: str, analyser: Analyser) -> None:
    found = analyser.words(text)
    assert found == analyser.words(text)
    assert all(found)
    assert not any(c.isspace() for word in found for c in word)


@settings(deadline=None)
@given(mixed, st.sampled_from([GERMAN, ENGLISH]))
def test_any_query_has_terms_with_what_was_said_among_their_readings(text: str, analyser: Analyser) -> None:
    for term in wanted(analyser, text):
        assert term.said
        assert term.readings
        assert all(reading.words and 0 < reading.weight <= 1 for reading in term.readings)


@settings(deadline=None)
@given(st.text(alphabet="abcäöüßéñł -'", max_size=30), st.sampled_from(LANGUAGES))
def test_case_never_matters(text: str, language: str) -> None:
    analyser = Analyser.of([], [], language)
    assert analyser.words(text) == analyser.words(text.upper().lower())


def test_entities_width_case_and_script_are_brought_to_one_form() -> None:
    assert prepared("A&amp;B Ｍｉｌｋ 飲料 1,5 L", "de").split() == ["a&b", "milk", "饮料", "1500", "ml"]
