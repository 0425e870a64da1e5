"""What the search box offers while a shopper types."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.product import Product
from wares.domain.suggestion import Suggestion, SuggestionKind
from wares.retrieval.suggestions.entries import entries_of
from wares.retrieval.suggestions.index import MOST_PRODUCTS, Suggestions
from wares.retrieval.suggestions.phrases import phrases_of
from wares.retrieval.suggestions.privacy import is_showable

QUERY, CATEGORY, BRAND, PRODUCT = SuggestionKind


def offering(*texts: str) -> Suggestions:
    """Past queries, the first the most wanted."""
    return Suggestions.of(Suggestion(text, QUERY, 0.5 - place / 100) for place, text in enumerate(texts))


def offered(shop: Suggestions, typed: str, k: int = 8) -> list[str]:
    return [one.text for one in shop.complete(typed, k)]


SHOES = offering("running shoes", "leather shoes", "shoe rack", "crème brûlée", "men's belt", "leather sofa")


# -- what matches ------------------------------------------------------------------------------------------------------


def test_a_beginning_finds_what_begins_with_it() -> None:
    assert offered(SHOES, "run") == ["running shoes"]


def test_words_may_be_begun_in_the_middle_of_a_text_but_its_start_comes_first() -> None:
    assert offered(SHOES, "shoe") == ["shoe rack", "running shoes", "leather shoes"]


@pytest.mark.parametrize("typed", ["lea sho", "leather sh", "sho lea", "LEATHER  SHO", "leather-sho"])
def test_each_typed_word_may_be_unfinished(typed: str) -> None:
    assert offered(SHOES, typed) == ["leather shoes"]


def test_what_goes_on_as_typed_comes_before_the_same_words_elsewhere() -> None:
    shop = offering("brown leather case for shoes", "shoes of leather", "leather shoes")
    assert offered(shop, "leather sho")[0] == "leather shoes"


def test_a_whole_word_comes_before_a_longer_one_of_like_weight() -> None:
    assert offered(offering("hammer", "ham sandwich"), "ham") == ["ham sandwich", "hammer"]


@pytest.mark.parametrize("typed", ["creme bru", "CRÈME BRÛ", "crème"])
def test_accents_and_case_do_not_matter(typed: str) -> None:
    assert offered(SHOES, typed) == ["crème brûlée"]


@pytest.mark.parametrize("typed", ["men's", "mens b", "men’s belt", "men"])
def test_an_apostrophe_does_not_matter(typed: str) -> None:
    assert offered(SHOES, typed) == ["men's belt"]


@pytest.mark.parametrize("typed", ["laether", "lether", "leatther", "lwather", "lea sheos", "keath"])
def test_one_slip_is_forgiven(typed: str) -> None:
    assert "leather shoes" in offered(SHOES, typed)


def test_a_slip_in_a_short_word_is_not_forgiven() -> None:
    assert offered(SHOES, "lae") == []


def test_slips_only_fill_the_room_that_exact_words_leave() -> None:
    shop = offering("wildcat toy", "mild cheese", "milder soap")
    assert offered(shop, "mild") == ["mild cheese", "milder soap"], "a word of the shop has no slip"
    assert offered(shop, "wilde") == ["wildcat toy", "milder soap"], "two readings of one slip"
    assert offered(shop, "milde") == ["milder soap"], "the last letter of a known beginning is no slip"


def test_nothing_is_offered_for_what_the_shop_does_not_have() -> None:
    assert offered(SHOES, "zzqqx") == []
    assert offered(SHOES, "shoes zzqqx") == []
    assert offered(SHOES, "?!") == []
    assert offered(Suggestions.of([]), "shoes") == []


# -- Chinese -----------------------------------------------------------------------------------------------------------

PHONES = offering("手机壳", "透明手机支架", "连衣裙", "長袖襯衫", "iPhone 充电器")


@pytest.mark.parametrize("typed", ["手", "手机", "shouj", "shouji", "sj", "sjk", "shou ji", "手機", "shou'ji"])
def test_chinese_is_found_by_characters_pinyin_and_initials(typed: str) -> None:
    assert offered(PHONES, typed)[0] == "手机壳"


def test_a_word_inside_a_compound_is_found() -> None:
    assert offered(PHONES, "支架") == offered(PHONES, "zhij") == ["透明手机支架"]


def test_pinyin_follows_the_reading_of_the_whole_word() -> None:
    assert offered(PHONES, "cx") == ["長袖襯衫"], "长 of 长袖 is chang"
    assert offered(PHONES, "zx") == [], "and not zhang, as in 成长"


def test_two_scripts_in_one_text_are_both_found() -> None:
    assert offered(PHONES, "iphone充") == offered(PHONES, "iph chongd") == ["iPhone 充电器"]


def test_a_run_longer_than_any_key_is_found() -> None:
    long = "透明防摔磨砂全包手机保护壳"
    assert offered(offering(long, "透明防摔磨砂全包围裙"), long[:11]) == [long]


# -- what is shown of it -----------------------------------------------------------------------------------------------


def test_equal_texts_are_offered_once() -> None:
    both = [Suggestion("Chocolate", CATEGORY, 0.9, "Food > Chocolate"), Suggestion("chocolate", QUERY, 0.3)]
    shop = Suggestions.of([*both, Suggestion("chocolates", QUERY, 0.2)])
    assert shop.complete("choc") == both[:1]


def test_products_never_fill_the_list() -> None:
    titles = [Suggestion(f"milk number {i}", PRODUCT, 0.4, f"p{i}") for i in range(50)]
    shop = Suggestions.of([*titles, Suggestion("condensed milk", QUERY, 0.1)])
    kinds = [one.kind for one in shop.complete("milk")]
    assert kinds.count(PRODUCT) == MOST_PRODUCTS
    assert QUERY in kinds


def test_products_that_have_left_are_not_offered() -> None:
    shop = Suggestions.of(Suggestion(f"milk number {i}", PRODUCT, 0.4, f"p{i}") for i in range(5))
    assert {one.about for one in shop.complete("milk", sells=lambda product_id: product_id != "p0")} == {
        "p1",
        "p2",
        "p3",
    }


def test_nothing_typed_offers_what_is_wanted_most() -> None:
    shop = Suggestions.of(
        [
            Suggestion("Rye bread", PRODUCT, 0.99, "p"),
            Suggestion("Acme", BRAND, 0.98),
            Suggestion("oat milk", QUERY, 0.3),
            Suggestion("Dairy", CATEGORY, 0.6, "Dairy"),
        ]
    )
    assert offered(shop, "") == offered(shop, "  ") == ["Dairy", "oat milk"]
    assert offered(shop, "", k=1) == ["Dairy"]


def test_no_more_are_offered_than_asked_for() -> None:
    assert len(offered(SHOES, "sho", k=2)) == 2
    assert offered(SHOES, "sho", k=0) == []


@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=12))
def test_any_text_can_be_offered_and_any_text_typed(texts: list[str], typed: str) -> None:
    shop = offering(*texts)
    assert set(offered(shop, typed)) <= set(texts)
    for text in texts:
        if any(c.isalnum() for c in text):
            assert shop.complete(text)


def test_the_stored_index_answers_the_same() -> None:
    stored = Suggestions.restore(SHOP.state())
    assert stored.suggestions == SHOP.suggestions
    for typed in ("", "m", "milk", "mikl", "food", "燕麦", "ym"):
        assert stored.complete(typed) == SHOP.complete(typed)


# -- what a shop offers ------------------------------------------------------------------------------------------------

GOODS = [
    Product("m1", "Whole milk 1 l", brand="Meadow Lane", category=("Food", "Milk")),
    Product("m2", "Organic whole milk 2 l", brand="Meadow Lane", category=("Food", "Milk")),
    Product("m3", "Fresh whole milk, 500 ml", brand="Meadow Lane", category=("Food", "Milk")),
    Product("m4", "Oat drink 燕麦奶", brand="Northfarm", category=("Food", "Milk")),
    Product("m5", "Oat drink 燕麦奶", brand="Northfarm", category=("Food", "Milk")),
    Product("t1", "Toy cow", category=("Toys", "Animals")),
    Product("t2", "Bowl for animals", category=("Pets", "Animals")),
]
BOUGHT = np.array([3.0, 0, 0, 0, 5, 0, -1])
TYPED = {"milk for coffee": 9, "my secret wish": 4, "anna@example.com": 50, "call 0170 1234567": 50}
SHOP = Suggestions.of(entries_of(GOODS, TYPED, BOUGHT))


def test_a_query_is_offered_once_five_shoppers_typed_it() -> None:
    assert offered(SHOP, "milk for") == ["milk for coffee"]
    assert offered(SHOP, "my sec") == []


def test_what_could_name_a_person_is_never_offered() -> None:
    assert offered(SHOP, "anna") == offered(SHOP, "call") == offered(SHOP, "0170") == []


def test_a_category_leads_to_its_page() -> None:
    found = [one for one in SHOP.complete("foo") if one.kind is CATEGORY]
    assert [(one.text, one.about) for one in found] == [("Food", "Food")]
    assert "Food > Milk" in [one.about for one in SHOP.complete("mil")]


def test_categories_of_one_name_are_told_apart() -> None:
    found = {one.text: one.about for one in SHOP.complete("ani") if one.kind is CATEGORY}
    assert found == {"Toys > Animals": "Toys > Animals", "Pets > Animals": "Pets > Animals"}


def test_a_brand_is_offered_alone_and_with_what_it_makes() -> None:
    found = SHOP.complete("mead")
    assert [(one.text, one.kind) for one in found[:2]] == [("Meadow Lane", BRAND), ("meadow lane milk", QUERY)]
    assert offered(SHOP, "northfarm m") == [], "two products are too few"


def test_a_phrase_of_several_titles_is_offered_before_the_titles() -> None:
    assert offered(SHOP, "who") == [
        "whole milk",
        "Whole milk 1 l",
        "Organic whole milk 2 l",
        "Fresh whole milk, 500 ml",
    ]


def test_a_title_leads_to_the_product_of_it_that_is_bought_most() -> None:
    found = [one for one in SHOP.complete("oat dr") if one.kind is PRODUCT]
    assert [(one.text, one.about) for one in found] == [("Oat drink 燕麦奶", "m5")]


def test_the_unit_of_the_purchases_does_not_matter() -> None:
    few, many = entries_of(GOODS, TYPED, BOUGHT * 1e-12), entries_of(GOODS, TYPED, BOUGHT * 1e6)
    assert [one.text for one in few] == [one.text for one in many]
    assert np.allclose([one.weight for one in few], [one.weight for one in many])
    assert all(0 < one.weight <= 1 for one in few)


def test_a_shop_without_anything_offers_nothing() -> None:
    assert entries_of([], {}, np.empty(0)) == []


def test_phrases_begin_and_end_with_words_that_carry_them() -> None:
    titles = [
        f"{colour} tin of royal gala apples, bag with {n} pieces" for n, colour in enumerate(("Red", "Blue", "Old"))
    ]
    assert phrases_of(titles, 3) == {"royal gala apples": 3}


def test_a_phrase_does_not_swallow_its_more_general_end() -> None:
    titles = [f"{n} hole {size} bowl kitchen sink" for n in (1, 2) for size in ("single", "double", "round")]
    assert phrases_of([*titles, "kitchen sink"], 3)["kitchen sink"] == 7


def test_how_many_titles_begin_is_a_phrase() -> None:
    titles = [f"Lunch bag {pattern} design" for pattern in ("dotted", "striped", "plain")]
    assert phrases_of(titles, 3) == {"lunch bag": 3}
    makers = [f"Old Mill House {goods} jar" for goods in ("tea", "flour", "sugar")]
    assert phrases_of(makers, 3) == {"old mill house": 3}, "nothing goes on differently after two words"


def test_chinese_phrases_end_with_a_noun() -> None:
    found = phrases_of(["透明手机壳防摔", "苹果手机壳透明", "黑色手机壳"], 3)
    assert "手机壳" in found
    assert "防摔" not in found


# -- what is never shown to others -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "anna@example.com", "anna @ example", "ａｎｎａ＠example.com", "mail to anna.b@shop", "example.com", "www.shop",
        "https://shop/x", "shop.co.uk/order", "4111 1111 1111 1111", "4111-1111-1111-1111", "5500000000000004",
        "+49 170 1234567", "(030) 123 45 67", "030/1234567", "138 0013 8000", "１３８００１３８０００", "12345678",
        "order 1234567", "DE89 3704 0044 0532 0130 00", "1985-04-12", "tea\u200b1", "x" * 61, "", "  ",
    ],
)  # fmt: skip
def test_addresses_numbers_and_hidden_characters_are_not_showable(query: str) -> None:
    assert not is_showable(query)


@pytest.mark.parametrize(
    "query",
    ["milk", "iphone 15 128 gb", "2x4 8 ft", "usb 3.0", "500 ml", "size 42.5", "st. john", "手机壳", "crème brûlée",
     "wd-40", "1/2 in pipe", "7up 330ml", "no.1 tea", "dr.martens", "9 mm bit", "ps5"],
)  # fmt: skip
def test_ordinary_queries_are_showable(query: str) -> None:
    assert is_showable(query)


# -- speed -------------------------------------------------------------------------------------------------------------


def test_short_beginnings_are_fast_in_a_shop_of_many() -> None:
    """A guard against a scan per keystroke, with much room for slow machines."""
    draw = np.random.default_rng(0)
    words = ["".join(draw.choice(list("aeioklmnrst"), 5)) for _ in range(2000)]
    titles = (" ".join(words[i] for i in row) for row in draw.integers(0, 2000, (10_000, 6)))
    shop = Suggestions.of(Suggestion(title, PRODUCT, 0.3, title) for title in titles)
    started = time.perf_counter()
    for letter in "aeioklmnrst":
        assert shop.complete(letter)
    assert (time.perf_counter() - started) / 11 < 0.2
