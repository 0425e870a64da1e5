"""Other words for the same thing."""

from pathlib import Path

import pytest

from wares.domain.intent import Reading, Term
from wares.errors import DataError
from wares.retrieval.language.analyser import Analyser
from wares.retrieval.language.chinese.cutter import Cutter, runs
from wares.retrieval.language.chinese.script import has_han
from wares.retrieval.language.synonyms.groups import Synonyms, key

FOLDER = Path(__file__).parents[2] / "src/wares/retrieval/language/synonyms"


def apart(text: str) -> list[str]:
    return text.lower().split()


def said(*words: str) -> list[Term]:
    return [Term(word, (Reading((word,)),)) for word in words]


def read(*lines: str) -> Synonyms:
    return Synonyms.read(lines, "shop.txt", apart)


def test_members_of_a_group_stand_for_one_another() -> None:
    synonyms = read("# lamps", "", "sofa, couch, settee  # to sit on")
    assert [r.words for r in synonyms.of(["couch"])] == [("sofa",), ("settee",)]
    assert all(r.why == "synonym" and 0 < r.weight < 1 for r in synonyms.of(["sofa"]))
    assert synonyms.of(["lamp"]) == ()


def test_an_arrow_goes_one_way() -> None:
    synonyms = read("drinks => cola, juice")
    assert [r.words for r in synonyms.of(["drink"])] == [("cola",), ("juice",)]
    assert synonyms.of(["cola"]) == ()


def test_a_member_of_several_words_is_found_among_the_terms() -> None:
    synonyms = read("hair dryer, blowdryer")
    terms = synonyms.expand(said("red", "hair", "dryer"))
    assert [term.said for term in terms] == ["red", "hairdryer"]
    assert terms[1].readings[0].words in {("hair", "dryer"), ("hairdryer",)}
    assert Reading(("blowdryer",), 0.8, "synonym") in terms[1].readings
    assert [r.words for r in synonyms.of(["blowdryer"])] == [("hair", "dryer")]


def test_terms_that_became_one_keep_the_synonyms_of_each() -> None:
    synonyms = read("desktop pc, workstation", "pc, computer")
    words = [r.words for r in synonyms.expand(said("desktop", "pc"))[0].readings]
    assert ("desktop", "computer") in words and ("workstation",) in words


def test_what_was_said_stays_the_best_reading() -> None:
    for term in read("sofa, couch").expand(said("sofa", "blue")):
        assert term.readings[0] == Reading((term.said,))


def test_writing_does_not_matter() -> None:
    assert key("Coca-Cola") == key("coca cola") == key("ＣＯＣＡ　ＣＯＬＡ")
    assert key("行動電源") == key("移动电源")


def test_members_are_known_in_the_endings_of_the_shops_language() -> None:
    analyser = Analyser.of([], [], "de")
    own = Synonyms.read(["Küchenuhr, Wanduhr"], "shop.txt", analyser.said_words, language="de-AT")
    asked = [term.said for stretch in analyser.terms("kuechenuhren") for term in stretch]
    assert [r.words for r in own.of(asked)] == [tuple(analyser.said_words("Wanduhr"))]


def test_one_word_of_a_merged_term_counts_a_little() -> None:
    (term,) = read("hair dryer, blowdryer").expand(said("hair", "dryer"))
    parts = [reading for reading in term.readings if reading.words in {("hair",), ("dryer",)}]
    assert len(parts) == 2 and all(reading.weight < 0.4 for reading in parts)


def test_the_shops_own_words_join_the_general_ones() -> None:
    both = read("sofa, couch").joined(Synonyms.read(["sofa, divan"], "own.txt", apart, weight=0.9))
    assert [(r.words, r.weight) for r in both.of(["sofa"])] == [(("divan",), 0.9), (("couch",), 0.8)]


@pytest.mark.parametrize("line", ["alone", "a,, b", "a => b => c", "=> b", "a =>"])
def test_a_faulty_line_is_named(line: str) -> None:
    with pytest.raises(DataError, match=r"shop\.txt:2"):
        read("fine, good", line)


@pytest.fixture(scope="module")
def general() -> Synonyms:
    cutter = Cutter.of([], [])

    def index_words(text: str) -> list[str]:
        found = [word for run in runs(text) for word in cutter.words(run)]
        return found or text.split()

    return Synonyms.packaged(index_words)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("土豆", "马铃薯"),
        ("单车", "自行车"),
        ("移动电源", "充电宝"),
        ("洗面奶", "洁面乳"),
        ("耐克", "nike"),
        ("nike", "耐克"),
        ("乐高", "lego"),
        ("肥宅快乐水", "可乐"),
        ("雨伞", "umbrella"),
        ("umbrella", "雨伞"),
    ],
)
def test_the_package_knows_what_shops_sell(general: Synonyms, word: str, other: str) -> None:
    assert (other,) in [reading.words for reading in general.of([word])]


@pytest.mark.parametrize("word", ["笔记本", "苹果", "小米"])
def test_words_that_need_their_context_get_no_thing_of_another_kind(general: Synonyms, word: str) -> None:
    others = {"".join(reading.words) for reading in general.of([word])}
    assert not others & {"笔记本电脑", "记事本", "红富士", "手机", "大米"}


def test_the_package_knows_many_groups_and_brands() -> None:
    lines = (FOLDER / "zh.txt").read_text("utf-8").splitlines()
    brands = lines.index("# Brands in both scripts")
    groups = [line for line in lines if line and not line.startswith("#")]
    assert len(groups) > 600
    assert (
        sum(any(has_han(c) for c in line) and any(c.isascii() and c.isalpha() for c in line) for line in lines[brands:])
        > 150
    )


@pytest.mark.parametrize(
    ("language", "query", "other"),
    [
        ("en", "couch", "sofa"),
        ("en-GB", "diapers", "nappy"),
        ("en", "aluminium", "aluminum"),
        ("en", "hair dryer", "blow dryer"),
        ("de", "Handys", "Smartphone"),
        ("fr", "réfrigérateur", "frigo"),
        ("es", "ordenador", "computadora"),
        ("it", "frigorifero", "frigo"),
        ("nl", "koelkast", "ijskast"),
        ("pl", "kanapa", "sofa"),
    ],
)
def test_each_language_has_its_own_everyday_words(language: str, query: str, other: str) -> None:
    analyser = Analyser.of([], [], language)
    asked = [term.said for stretch in analyser.terms(query) for term in stretch]
    found = Synonyms.packaged(analyser.said_words, language).of(asked)
    assert tuple(analyser.said_words(other)) in [reading.words for reading in found]


def test_words_of_another_language_stay_out() -> None:
    assert Synonyms.packaged(apart, "de").of(["nappy"]) == ()
    assert ("sofa",) not in [reading.words for reading in Synonyms.packaged(apart, "zh").of(["couch"])]


@pytest.mark.parametrize("word", ["torch", "flashlight"])
def test_a_word_of_two_meanings_goes_one_way(word: str) -> None:
    found = [reading.words for reading in Synonyms.packaged(apart, "en").of([word])]
    assert (("flashlight",) in found) == (word == "torch") and ("torch",) not in found


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pl"])
def test_every_packaged_group_can_be_asked_for(language: str) -> None:
    """Read as a query, each member becomes the key under which its others stand."""
    analyser = Analyser.of([], [], language)
    general = Synonyms.packaged(analyser.said_words, language)
    lines = (FOLDER / f"{language}.txt").read_text("utf-8").splitlines()
    groups = [line for line in lines if line and not line.startswith("#")]
    assert len(groups) >= (400 if language == "en" else 45)
    for group in groups:
        for member in group.partition("=>")[0].split(","):
            asked = [term.said for stretch in analyser.terms(member) for term in stretch]
            assert general.of(asked), f"{member.strip()!r} of {group!r}"
