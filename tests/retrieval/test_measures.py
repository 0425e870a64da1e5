"""Numbers and units: many ways of writing one measure meet, and what is none stays what it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wares.retrieval.language.analyser import prepared
from wares.retrieval.language.measures import DECIMAL_COMMA, read_measures


def read(text: str, language: str = "en") -> str:
    """As an index and a query read it, single-spaced."""
    return " ".join(prepared(text, language).split())


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        # inches and feet
        ("2 in.", "2 in"),
        ("2-inch", "2 in"),
        ('2"', "2 in"),
        ("2”", "2 in"),
        ("2''", "2 in"),
        ("2in", "2 in"),
        ("2 inches", "2 in"),
        ("2 Zoll", "2 in"),
        ("5英寸", "5 in"),
        ("6'", "6 ft"),
        ("6 feet", "6 ft"),
        ("6' 2\"", "6 ft 2 in"),
        ("5'11\"", "5 ft 11 in"),
        # fractions
        ("1/2 in", "1/2 in"),
        ('1/2"', "1/2 in"),
        ("½ in", "1/2 in"),
        ("¾-inch", "3/4 in"),
        ("1 1/2 in.", "1 1/2 in"),
        ("1 ½ in", "1 1/2 in"),
        ("1½ in", "1 1/2 in"),
        ("1½ kg", "1500 g"),
        ("1/2 l", "500 ml"),
        ("1 1/2 l", "1500 ml"),
        ("1-1/2 l", "1500 ml"),
        ("1/2", "1/2"),
        # volume and weight
        ("500ml", "500 ml"),
        ("500 ML", "500 ml"),
        ("0.5 l", "500 ml"),
        (".5 l", "500 ml"),
        ("50 cl", "500 ml"),
        ("0.5升", "500 ml"),
        ("５００ｍｌ", "500 ml"),
        ("5 gal", "5 gal"),
        ("5-gallon", "5 gal"),
        ("16 oz.", "16 oz"),
        ("2 lb. bag", "2 lb bag"),
        ("3kg", "3000 g"),
        ("3 公斤", "3000 g"),
        ("2斤", "1000 g"),
        ("半斤", "250 g"),
        ("250 克", "250 g"),
        ("0.25 kg", "250 g"),
        # lengths
        ("10cm", "100 mm"),
        ("3.5mm", "3.5 mm"),
        ("1 m", "1000 mm"),
        ("10米", "10000 mm"),
        # electricity and the like
        ("120v", "120 volt"),
        ("120-volt", "120 volt"),
        ("1,500 w", "1500 watt"),
        ("1.5kW", "1500 watt"),
        ("16GB", "16 gb"),
        ("1tb", "1024 gb"),
        # counts and products of sizes
        ("12pk", "12 pack"),
        ("12-pack", "12 pack"),
        ("6 ct", "6 count"),
        ("3 pieces", "3 piece"),
        ("3pcs", "3 piece"),
        ("2x4", "2 x 4"),
        ("2×4", "2 x 4"),
        ("2*4", "2 x 4"),
        ('12"x12"', "12 in x 12 in"),
        # thousands
        ("1,234", "1234"),
        ("1,234,567 g", "1234567 g"),
        ("1,23", "1,23"),
        ("1.5.2", "1.5.2"),
    ],
)
def test_a_measure_has_one_form(said: str, meant: str) -> None:
    assert read(said) == meant


@pytest.mark.parametrize(
    "text",
    [
        "in white", "m size", "l", "size l", "b12", "12b", "v8", "a4", "n95", "iphone 12", "4k tv", "2.4 ghz", "100%",
        "24/7", "3/4", "10.5", "size 12", "pack of 12", "grams", "g", "w 40", "route 66", "7up", "5 inmates", "2 glass",
        "8 mmx", "1/0 cm",
    ],
)  # fmt: skip
def test_what_is_no_measure_stays_as_it_is(text: str) -> None:
    assert read(text) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 in pipe", '2" pipe'),
        ("2 foot ladder", "2ft ladder"),
        ("0.5 l", "500 ml"),
        ("750 ml", "75cl"),
        ("0.5升", "500毫升"),
        ("1公斤", "2斤"),
        ("1 kg", "1000 grams"),
        ("2 m", "200 cm"),
        ("1kw heater", "1000 watts heater"),
        ("12 count", "12ct"),
    ],
)
def test_two_ways_of_saying_one_measure_meet(one: str, other: str) -> None:
    assert read(one) == read(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 in", "2 ft"),
        ("1½ in", "11/2 in"),
        ("500 ml", "500 mg"),
        ("5 l", "5 lb"),
        ("12 v", "12 w"),
        ("1.5 l", "15 l"),
        ("10 m", "10 mm"),
        ("l 5", "5 l"),
        ("1,5 l", "1.5 l"),
    ],
)
def test_measures_that_differ_stay_apart(one: str, other: str) -> None:
    assert read(one) != read(other)


@pytest.mark.parametrize("language", sorted(DECIMAL_COMMA))
def test_where_a_comma_parts_decimals_a_point_parts_thousands(language: str) -> None:
    assert read("1,5 l", language) == "1500 ml"
    assert read("1.299 g", language) == "1299 g"
    assert read("1.5 l", language) == "1500 ml"
    assert read("2,5 x 3,5 cm", language) == "2.5 x 35 mm"


def test_a_tag_of_a_country_is_read_by_its_language() -> None:
    assert read("1,5 l", "de-AT") == read("1,5 l", "de_CH") == "1500 ml"


def test_a_very_long_number_is_a_code_and_not_computed_with() -> None:
    assert read("9" * 5000 + " kg") == "9" * 5000 + " g"


@settings(deadline=None)
@given(st.text(alphabet="0123456789.,/ -x½\"'inftkglmlcv升斤٣", max_size=24), st.booleans())
def test_what_was_read_reads_the_same_again(text: str, decimal_comma: bool) -> None:
    once = read_measures(prepared(text), decimal_comma)
    assert read_measures(once).split() == once.split()


@settings(deadline=None)
@given(st.integers(1, 9999), st.sampled_from(["in", "inch", "inches", "-inch", " in.", '"', "”", " Zoll"]))
def test_every_number_of_inches_reads_the_same(number: int, unit: str) -> None:
    assert read(f"{number}{unit}") == f"{number} in"


@settings(deadline=None)
@given(st.integers(1, 999_999))
def test_grams_and_kilograms_are_one_scale(grams: int) -> None:
    assert read(f"{grams / 1000:.3f} kg") == f"{grams} g"
