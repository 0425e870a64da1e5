"""Compounds are split and joined by what the shop sells, and words that only look like compounds are left alone."""

import time

import numpy as np
import pytest

from wares.retrieval.language.european.compounds import Compounds
from wares.retrieval.language.european.words import stemmer

SOLD = (
    "handy hülle damen herren kinder winter stiefel schuh schuhe leder jacke regen tisch decke holz lampe tee kanne "
    "kaffee maschine wolle socken schule buch bücher küche schrank tür bad teppich kabel band hand baum bild schirm "
    "kuchen form "
    "wein glas gläser fahrrad helm hund futter stuhl garten wasser kocher seide schal sitz auto spiel zeug arbeit hose "
    "kissen bezug geburtstag karte blume topf sonne brille"
)
GERMAN = dict.fromkeys(SOLD.split(), 40) | {
    "kaff": 2,
    "pich": 2,
    "tep": 2,
    "fee": 8,
    "best": 30,
    "eck": 9,
    "sand": 20,
    "ale": 8,
    "besteck": 60,
    "sandale": 90,
}
GERMAN |= {"tel": 5, "ton": 8, "kar": 3, "karton": 50, "spiegel": 80, "rat": 4, "matratze": 70, "handyhülle": 300}
GERMAN |= {
    "damenwinterstiefel": 3,
    "handschuh": 30,
    "baumwolle": 90,
    "bildschirm": 50,
    "teekanne": 20,
    "winterstiefel": 9,
}
GERMAN |= {
    "hut": 9,
    "park": 4,
    "mode": 40,
    "kom": 6,
    "kommode": 50,
    "kab": 3,
    "gard": 3,
    "gardine": 20,
    "mar": 4,
    "eis": 9,
}
GERMAN |= {"eisen": 30, "kinder": 200, "kind": 60, "rasen": 5, "kartoffel": 5, "stabe": 2, "wagen": 9, "koffer": 60}
NO_COMPOUNDS = (
    "kaffee teppich kabel besteck sandale karton spiegel matratze kommode gardine eisen rasen wagen koffer handschuh "
    "baumwolle bildschirm handschuhe kinder schuhe jacken teller sessel regal marmelade parkett tapete hosen gläser "
    "lampen stiefeln xyzhülle handyxyz"
)


@pytest.fixture(scope="module")
def german() -> Compounds:
    return Compounds.of(GERMAN, "de")


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("handyhülle", "handy hulle"),
        ("Handyhuelle".casefold(), "handy hulle"),
        ("handyhüllen", "handy hullen"),
        ("damenwinterstiefel", "damen winter stiefel"),
        ("winterstiefel", "winter stiefel"),
        ("lederjacke", "leder jacke"),
        ("lederjacken", "leder jacken"),
        ("regenjacke", "regen jacke"),
        ("holztisch", "holz tisch"),
        ("tischlampe", "tisch lampe"),
        ("teekanne", "tee kanne"),
        ("kaffeemaschine", "kaffee maschine"),
        ("wollsocken", "wolle socken"),
        ("schulbücher", "schule bucher"),
        ("küchenschrank", "kuchen schrank"),
        ("schranktür", "schrank tur"),
        ("badteppich", "bad teppich"),
        ("weingläser", "wein glaser"),
        ("fahrradhelm", "fahrrad helm"),
        ("hundefutter", "hund futter"),
        ("gartenstuhl", "garten stuhl"),
        ("wasserkocher", "wasser kocher"),
        ("seidenschal", "seide schal"),
        ("kindersitz", "kinder sitz"),
        ("arbeitshose", "arbeit hose"),
        ("kissenbezug", "kissen bezug"),
        ("geburtstagskarte", "geburtstag karte"),
        ("blumentopf", "blume topf"),
        ("sonnenbrille", "sonne brille"),
        ("lederhandschuh", "leder handschuh"),
        ("ledersitz", "leder sitz"),
        ("kuchenform", "kuchen form"),
        ("autokindersitz", "auto kinder sitz"),
    ],
)
def test_a_german_compound_holds_the_words_of_the_shop(german: Compounds, word: str, parts: str) -> None:
    assert german.split(word) == tuple(parts.split())


@pytest.mark.parametrize("word", NO_COMPOUNDS.split())
def test_a_german_word_that_only_looks_like_a_compound_is_left_alone(german: Compounds, word: str) -> None:
    assert german.split(word) is None


def test_a_query_for_the_head_shares_a_stem_with_the_compound(german: Compounds) -> None:
    stem = stemmer("de")
    for query, word in (("stiefel", "damenwinterstiefel"), ("hülle", "handyhüllen"), ("glas", "weingläser")):
        assert stem(query) in {stem(part) for part in german.split(word) or ()}


def test_german_words_side_by_side_are_joined_to_the_shops_word(german: Compounds) -> None:
    assert german.join("handy", "hülle") == "handyhulle"
    assert german.join("handy", "hüllen") == "handyhulle"
    assert german.join("winter", "stiefel") == "winterstiefel"
    assert german.join("hand", "schuhe") == "handschuh"
    assert german.join("tep", "pich") is None  # the shop knows both
    assert german.join("tepp", "ich") == "teppich"  # nobody sells a 'tepp'
    assert german.join("leder", "hülle") is None


NO_ENGLISH_COMPOUNDS = "carpet dresser hardware button season flooring legend manhattan mushroom target counter palace"
ENGLISH = {"deck": 300, "over": 250, "deckover": 20, "car": 90, "pet": 80, "carpet": 900, "dress": 60, "dresser": 100}
ENGLISH |= {"bath": 400, "room": 300, "bathroom": 500, "tool": 300, "box": 500, "toolbox": 60, "hard": 90, "ware": 3}
ENGLISH |= {"hardware": 800, "but": 20, "ton": 30, "button": 200, "sea": 30, "son": 12, "season": 90, "wifi": 40}
ENGLISH |= {"tshirt": 30, "shirt": 90, "floor": 400, "ing": 9, "flooring": 300, "legend": 12, "end": 60, "leg": 30}
ENGLISH |= {"man": 20, "hat": 30, "tan": 20, "mush": 1, "mushroom": 30, "pan": 40, "target": 20, "tar": 9, "get": 20}
ENGLISH |= {"counter": 90, "rest": 20, "under": 60, "stand": 90, "understand": 9, "pal": 3, "ace": 40, "palace": 9}
BESIDE = {("deck", "over"): 6, ("tool", "box"): 90, ("bath", "room"): 40, ("car", "pet"): 2, ("pet", "car"): 3}


@pytest.fixture(scope="module")
def english() -> Compounds:
    return Compounds.of(ENGLISH, "en", BESIDE)


@pytest.mark.parametrize(
    ("word", "parts"), [("deckover", "deck over"), ("toolbox", "tool box"), ("bathroom", "bath room")]
)
def test_an_english_word_is_split_where_the_shop_also_writes_it_apart(
    english: Compounds, word: str, parts: str
) -> None:
    assert english.split(word) == tuple(parts.split())


@pytest.mark.parametrize("word", NO_ENGLISH_COMPOUNDS.split())
def test_an_english_word_that_only_looks_like_a_compound_is_left_alone(english: Compounds, word: str) -> None:
    assert english.split(word) is None


def test_english_words_side_by_side_are_joined_with_care(english: Compounds) -> None:
    assert english.join("deck", "over") == "deckover"
    assert english.join("tool", "box") == "toolbox"
    assert english.join("wi", "fi") == "wifi"
    assert english.join("t", "shirts") == "tshirt"
    assert english.join("car", "pet") is None
    assert english.join("but", "ton") is None
    assert english.join("red", "deck") is None
    assert english.join("2", "over") is None


def test_without_neighbours_english_needs_frequent_parts() -> None:
    alone = Compounds.of(ENGLISH, "en")
    assert alone.split("deckover") == ("deck", "over")
    assert alone.split("toolbox") is None
    assert alone.split("hardware") is None


@pytest.mark.parametrize(
    ("language", "words", "whole", "parts"),
    [
        ("nl", "dames winter laarzen telefoon hoesje", "dameswinterlaarzen", "dames winter laarzen"),
        ("nl", "telefoon hoesje", "telefoonhoesje", "telefoon hoesje"),
        ("nl", "varken vlees", "varkensvlees", "varken vlees"),
        ("nl", "schoen poets", "schoenpoets", "schoen poets"),
        ("nl", "boek kast", "boekenkast", "boek kast"),
        ("nl", "hand schoen", "handschoen", None),
        ("nl", "tafel laken", "tafellakens", "tafel lakens"),
        ("sv", "arbete byxor", "arbetsbyxor", None),
        ("sv", "barn skor", "barnskor", "barn skor"),
        ("sv", "kvalitet kniv", "kvalitetskniv", "kvalitet kniv"),
        ("sv", "kök handduk", "kökshandduk", "kok handduk"),
        ("sv", "flicka klänning", "flickklänning", "flicka klanning"),
        ("da", "arbejde sko børne køkken bord", "køkkenbord", "kokken bord"),
        ("da", "arbejd bukser", "arbejdsbukser", "arbejd bukser"),
        ("nb", "barn bukse", "barnebukse", "barn bukse"),
        ("fr", "porte feuille", "portefeuille", None),
        ("es", "para guas", "paraguas", None),
        ("fi", "keittiö pöytä", "keittiöpöytä", "keittio poyta"),
    ],
)
def test_other_languages_link_parts_in_their_own_way(language: str, words: str, whole: str, parts: str | None) -> None:
    compounds = Compounds.of(dict.fromkeys(words.split(), 20) | {"portefeuille": 50, "paraguas": 50}, language)
    assert compounds.split(whole) == (tuple(parts.split()) if parts else None)


def test_restored_compounds_answer_the_same(german: Compounds, english: Compounds) -> None:
    for before in (german, english):
        state = before.state()
        assert all(isinstance(array, np.ndarray) and array.dtype != object for array in state.values())
        after = Compounds.restore(state)
        assert after == before
        assert [after.split(word) for word in before.words] == [before.split(word) for word in before.words]


def test_a_shop_without_words_splits_nothing() -> None:
    empty = Compounds.restore(Compounds.of({}, "de").state())
    assert empty.split("handyhülle") is None
    assert empty.join("handy", "hülle") is None


def test_a_long_word_does_not_hold_up_the_shop() -> None:
    compounds = Compounds.of({"aaa" + "a" * i: 50 for i in range(40)}, "de")
    start = time.perf_counter()
    compounds.split("a" * 39)
    compounds.split("a" * 400)
    assert time.perf_counter() - start < 2
