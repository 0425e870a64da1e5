"""What is shown as matched, safely."""

import html
import re
import time
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.text import tokens
from wares.retrieval.highlight import highlight
from wares.retrieval.language.analyser import Analyser


def test_matched_words_are_marked_and_others_are_not() -> None:
    assert highlight("Whole milk, 1 gal", ["milk"]) == "Whole <mark>milk</mark>, 1 gal"


def test_a_word_is_marked_as_it_is_written() -> None:
    assert highlight("Crème BERRIES", ["creme", "berry"]) == "<mark>Crème</mark> <mark>BERRIES</mark>"


def test_a_word_within_a_word_is_not_marked() -> None:
    assert highlight("Buttermilk", ["milk"]) == ""


def test_nothing_is_said_of_a_text_without_a_match() -> None:
    assert highlight("Rye bread", ["milk"]) == ""
    assert highlight("", ["milk"]) == ""
    assert highlight("Rye bread", []) == ""


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert('milk')</script> milk",
        'milk" onmouseover="alert(1)',
        "<img src=x onerror=alert(1)> milk",
        "milk & <mark>honey</mark>",
        "&lt;b&gt; milk",
        "</mark><script>milk</script>",
        "milk <!-- ' -->",
    ],
)
def test_html_in_a_title_stays_text(text: str) -> None:
    marked = highlight(text, ["milk"])
    assert re.findall("<[^>]*>", marked) == ["<mark>", "</mark>"] * (len(re.findall("</?mark>", marked)) // 2)
    assert html.unescape(re.sub("</?mark>", "", marked)) == text
    assert '"' not in marked
    assert "'" not in marked


@given(
    st.text(alphabet="aàbc <>&\"'/牛奶茶🎂1.", max_size=60), st.lists(st.sampled_from(["a", "bc", "b", "牛奶", "1"]))
)
def test_any_text_comes_back_whole_with_only_matched_words_marked(text: str, words: list[str]) -> None:
    marked = highlight(text, words)
    if not marked:
        assert not set(tokens(text)) & set(words)
        return
    pieces = re.split("<mark>|</mark>", marked)
    assert html.unescape("".join(pieces)) == text
    for inside in pieces[1::2]:
        assert set(tokens(html.unescape(inside))) & set(words)


@given(st.lists(st.sampled_from(["milk", "oat", "-", "/", " ", "\t", "牛奶", "x" * 30]), max_size=12).map("".join))
def test_short_and_long_pieces_of_a_text_are_marked_alike(text: str) -> None:
    usual = highlight(text, ["milk", "牛奶"])
    with mock.patch("wares.retrieval.highlight._SHORT", 0):
        assert highlight(text, ["milk", "牛奶"]) == usual


def test_only_the_matched_part_of_a_chinese_text_is_marked() -> None:
    assert highlight("有机全脂牛奶一升", ["牛奶"]) == "有机全脂<mark>牛奶</mark>一升"
    assert highlight("有机全脂牛奶一升", tokens("全脂牛奶")) == "有机<mark>全脂牛奶</mark>一升"
    assert highlight("茶", ["茶"]) == "<mark>茶</mark>"


def test_words_are_marked_as_the_shops_language_reads_them() -> None:
    german = Analyser.of(["Damen Schuhe", "Schuhe Leder"] * 5, [], "de")
    for query in ("Damenschuhe", "damenschuh", "Schuhe"):
        assert highlight("Rote Damenschuhe", german.words(query), german.words) == "Rote <mark>Damenschuhe</mark>"
    assert highlight("Rote Schuhe", german.words("rot"), german.words) == "<mark>Rote</mark> Schuhe"
    assert highlight("Rote Schuhe", german.words("Damenschuhe")[:1], german.words) == ""


def test_chinese_words_are_marked_in_either_script() -> None:
    chinese = Analyser.of(["无线鼠标", "空气炸锅", "纯牛奶"], [], "zh")
    assert highlight("空气炸锅 大", ["空气炸锅"], chinese.words) == "<mark>空气炸锅</mark> 大"
    assert "<mark>" in highlight("無線滑鼠", chinese.words("无线鼠标"), chinese.words)
    assert highlight("纯牛奶饼干", ["牛奶"], chinese.words) == "纯<mark>牛奶</mark>饼干"


def test_of_a_very_long_text_only_the_start_is_shown() -> None:
    started = time.perf_counter()
    assert len(highlight("milk " + "x" * 10_000_000, ["milk"])) < 1100
    assert time.perf_counter() - started < 3
