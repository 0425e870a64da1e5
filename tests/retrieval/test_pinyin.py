"""Pinyin, and characters that sound or look like the right ones."""

import pytest

from wares.domain.intent import Term
from wares.retrieval.language.chinese.cutter import Cutter, runs
from wares.retrieval.language.chinese.pinyin import Pinyin, fold, syllables
from wares.retrieval.language.chinese.typos import HanTypos

TITLES = [
    "手机壳透明",
    "真皮手机壳",
    "蓝牙耳机降噪",
    "羽绒服女冬季",
    "洗面奶保湿",
    "电动剃须刀",
    "保温杯大容量",
    "绿茶罐装",
    "经典款手表",
    "高跟鞋女",
    "木纹书桌",
    "西安凉皮",
]


@pytest.fixture(scope="module")
def cutter() -> Cutter:
    return Cutter.of(TITLES, [])


@pytest.fixture(scope="module")
def pinyin(cutter: Cutter) -> Pinyin:
    cut = [run for title in TITLES for run in runs(title)]
    return Pinyin.of([cutter.cut(run) for run in cut], [word for run in cut for word in cutter.inner_words(run)])


def spelt(pinyin: Pinyin, *tokens: str) -> list[str]:
    """The first reading of each term."""
    return ["".join(term.readings[0].words) for term in pinyin.read(tokens)]


@pytest.mark.parametrize(
    ("tokens", "meant"),
    [
        (["shouji", "ke"], ["手机壳"]),
        (["shoujike"], ["手机壳"]),
        (["shou", "ji", "ke"], ["手机壳"]),
        (["baowenbei"], ["保温杯"]),
        (["lanyaerji"], ["蓝牙耳机"]),
        (["lvcha"], ["绿茶"]),
        (["xi'an"], ["西安"]),
        (["sjk"], ["手机壳"]),
    ],
)
def test_letters_become_words_of_the_catalogue(pinyin: Pinyin, tokens: list[str], meant: list[str]) -> None:
    assert spelt(pinyin, *tokens) == meant


def test_pinyin_never_counts_as_much_as_characters(pinyin: Pinyin) -> None:
    for token in ("baowenbei", "sjk"):
        for term in pinyin.read([token]):
            assert all(r.weight <= 0.5 and r.why == "pinyin" for r in term.readings)


@pytest.mark.parametrize("token", ["leather", "ke", "xqz", "usb3", "sj", ""])
def test_what_spells_nothing_of_the_catalogue_is_not_read(pinyin: Pinyin, token: str) -> None:
    assert pinyin.read([token]) == []


def test_a_long_stretch_of_letters_ends_in_time(pinyin: Pinyin) -> None:
    assert pinyin.read(["shouji" * 80]) == []


def test_it_is_the_same_after_a_restart(pinyin: Pinyin) -> None:
    again = Pinyin.restore(pinyin.state())
    assert again.read(["sjk"]) == pinyin.read(["sjk"])
    assert again.phrases == pinyin.phrases


def test_syllables_that_many_speakers_do_not_tell_apart_have_one_key() -> None:
    assert syllables("绿茶") == ("lv", "cha")
    assert fold(("zhang", "shi")) == fold(("zan", "si"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("耳鸡", "耳机"),
        ("蓝压耳机", "蓝牙耳机"),
        ("羽绒伏", "羽绒服"),
        ("洗面乃", "洗面奶"),
        ("手机客", "手机壳"),
        ("剃须到", "剃须刀"),
        ("保文杯", "保温杯"),
        ("书卓", "书桌"),
    ],
)
def test_a_slip_is_read_as_a_word_of_the_catalogue(cutter: Cutter, pinyin: Pinyin, typed: str, meant: str) -> None:
    terms = HanTypos(pinyin).repair(cutter.query_terms(typed))
    assert "".join("".join(term.readings[0].words) for term in terms) == meant
    slips = [reading for term in terms for reading in term.readings if reading.why == "spelling"]
    assert slips and all(reading.weight <= 0.5 for reading in slips)


@pytest.mark.parametrize("typed", ["景点", "公式", "耳机", "手机壳", "书桌", "女", "攻势"])
def test_a_right_word_is_never_merged_with_what_sounds_like_it(cutter: Cutter, pinyin: Pinyin, typed: str) -> None:
    terms: list[Term] = cutter.query_terms(typed)
    assert HanTypos(pinyin).repair(terms) == terms


def test_a_stray_character_beside_a_right_word_is_no_slip(cutter: Cutter, pinyin: Pinyin) -> None:
    terms = cutter.query_terms("手机鹅")
    assert HanTypos(pinyin).repair(terms) == terms


def test_what_is_excluded_is_not_respelt(cutter: Cutter, pinyin: Pinyin) -> None:
    terms = cutter.query_terms("不带耳鸡")
    assert HanTypos(pinyin).repair(terms) == terms
