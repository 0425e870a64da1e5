"""Texts into words: the same way for products and queries, whatever people write."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.text import MAX_TEXT, normalise, spans, stem, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2% Milk, 1 GAL", ["2", "milk", "1", "gal"]),
        ("Crème Brûlée", ["creme", "brulee"]),
        ("Cre\u0300me", ["creme"]),
        ("Ｍｉｌｋ１", ["milk", "1"]),
        ("Straße", ["strasse"]),
        ("İstanbul", ["istanbul"]),
        ("Ben & Jerry's", ["ben", "jerry"]),
        ("Ben & Jerry’s", ["ben", "jerry"]),
        ("1.5 L 3/4 inch", ["1.5", "l", "3/4", "inch"]),
        ("12oz", ["12", "oz"]),
        ("snake_case", ["snake", "case"]),
        ("молоко МОЛОКО", ["молоко", "молоко"]),
        ("牛奶", ["牛奶"]),
        ("有机牛奶", ["有机", "机牛", "牛奶"]),
        ("茶", ["茶"]),
        ("iPhone手机 case", ["iphone", "手机", "case"]),
        ("ミルク", ["ミル", "ルク"]),
        ("ﾐﾙｸ", ["ミル", "ルク"]),
        ("🎉🎂", []),
        ("🎂 cake", ["cake"]),
        ("", []),
        (" \t\n\u3000", []),
        ("\x00\ufeff\u200b", []),
        ("<b>milk</b>", ["b", "milk", "b"]),
    ],
)
def test_texts_become_these_words(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("berries", "berry"), ("boxes", "boxe"), ("bus", "bus"), ("glass", "glass"), ("oats", "oat"), ("gas", "gas")],
)
def test_only_english_plurals_are_cut(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_singular_and_plural_meet() -> None:
    for one, many in (("berry", "berries"), ("carrot", "carrots"), ("apple", "apples")):
        assert tokens(one) == tokens(many)


@given(st.text())
def test_any_text_has_words_and_nothing_else(text: str) -> None:
    found = tokens(text)
    assert all(found)
    assert not any(word.isspace() for word in found)


@given(st.text())
def test_case_and_compatibility_forms_do_not_matter(text: str) -> None:
    assert normalise(normalise(text)) == normalise(normalise(normalise(text)))


@given(st.text(alphabet="aàäbcč 1,9'ß牛奶🎂<&", max_size=40))
def test_spans_point_at_the_words_of_the_text(text: str) -> None:
    places = spans(text)
    assert all(0 <= start < stop <= len(text) for start, stop in places)
    assert all(stop <= start for (_, stop), (start, _) in pairwise(places))
    assert [word for start, stop in places for word in tokens(text[start:stop])] == tokens(text)


def test_a_text_of_ten_megabytes_is_read_at_its_start_only_and_fast() -> None:
    text = "milk " * 2_000_000
    started = time.perf_counter()
    assert len(tokens(text)) == MAX_TEXT // 5
    assert len(tokens("牛" * 10_000_000)) == MAX_TEXT - 1
    assert len(tokens("a" * 10_000_000)) == 1
    assert time.perf_counter() - started < 2
