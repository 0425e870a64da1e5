"""A query as the shop's shoppers mean it: wishes read, slips mended, and the way back from both."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from search_words import language_and_index

from wares.contracts import Progress
from wares.domain.catalogue import Columns
from wares.domain.filter import Between, NoneOf
from wares.domain.intent import Intent
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.shopper import History
from wares.domain.text import MAX_QUERY
from wares.domain.wish import WishKind
from wares.retrieval.understanding import Understanding
from wares.retrieval.wishes.values import ShopValues

PRODUCTS = [
    *(Product(f"l{i}", f"leather boots number {i}", brand="Northwind", category=("Shoes", "Boots"), price_minor=9000,
              attributes={"colour": ("red",), "material": ("leather",)}) for i in range(6)),
    *(Product(f"c{i}", f"canvas boots number {i}", brand="Southwind", category=("Shoes", "Boots"), price_minor=4000,
              attributes={"colour": ("blue",), "material": ("canvas",)}) for i in range(6)),
    *(Product(f"m{i}", "oat milk", brand="Acme", category=("Food",), price_minor=200) for i in range(12)),
    Product("s", "milkshake", brand="Acme", category=("Food",), price_minor=300),
]  # fmt: skip
LANGUAGE, INDEX = language_and_index(PRODUCTS)
COLUMNS = Columns.of(PRODUCTS, range(len(PRODUCTS)))
NO_SEEDS = np.empty(0, np.int32)


class Listening:
    """An encoder that remembers what it was asked."""

    fingerprint, dimension = "listening", 2

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        self.asked += [(text, kind) for text in texts]
        return np.tile(np.array([1, 0], np.float32), (len(texts), 1))


def understanding(encoder: Listening | None = None, *, spelling: bool = True) -> Understanding:
    return Understanding(LANGUAGE, INDEX, ShopValues.of(COLUMNS), COLUMNS, "USD", encoder, spelling)


def read(
    query: str, *, as_typed: bool = False, without: tuple[str, ...] = (), spelling: bool = True,
    encoder: Listening | None = None,
) -> Intent:  # fmt: skip
    request = Request("search", 0, query=query, as_typed=as_typed, without_wishes=without)
    intent, notes = understanding(encoder, spelling=spelling).read(request, History.empty(), NO_SEEDS)
    assert notes == []
    return intent


def said(intent: Intent) -> list[str]:
    return [term.said for term in intent.terms]


# -- spelling ----------------------------------------------------------------------------------------------------------


def test_a_slip_is_mended_and_the_answer_can_say_so() -> None:
    intent = read("lether boots")
    assert (intent.correction, intent.text) == ("leather boots", "leather boots")
    assert said(intent) == ["leather", "boot"]


def test_as_typed_is_as_typed() -> None:
    intent = read("lether boots", as_typed=True)
    assert (intent.correction, intent.text) == ("", "lether boots")
    assert said(intent) == ["lether", "boot"]


def test_a_shop_can_do_without_corrections() -> None:
    assert read("lether boots", spelling=False).correction == ""
    assert said(read("lether boots", spelling=False)) == ["lether", "boot"]


def test_words_that_the_catalogue_knows_are_left_alone() -> None:
    for query in ("leather boots", "canvas", "oat milk", ""):
        assert read(query).correction == ""


@pytest.mark.parametrize(
    ("query", "correction"),
    [
        ("lether boots under $50", "leather boots under $50"),
        ("under $50 lether boots", "under $50 leather boots"),
        ("lether under $50 nunber", "leather under $50 number"),
        ("Lether Boots", "Leather Boots"),
    ],
)
def test_a_correction_is_the_whole_query_with_its_wishes(query: str, correction: str) -> None:
    intent = read(query)
    assert intent.correction.casefold() == correction.casefold()
    again = read(intent.correction)
    assert (again.correction, said(again), again.wishes) == ("", said(intent), intent.wishes)


# -- wishes ------------------------------------------------------------------------------------------------------------


def test_a_price_in_words_becomes_a_wish_and_leaves_the_words() -> None:
    intent = read("boots under $50")
    (wish,) = (wish for wish in intent.wishes if wish.kind is WishKind.PRICE)
    assert (wish.clause, wish.strict) == (Between("price", None, 5000), True)
    assert intent.text.strip() == "boots"
    assert said(intent) == ["boot"]


def test_a_wish_that_the_shopper_took_back_is_ordinary_words() -> None:
    wished = read("boots under $50")
    (key,) = (wish.key for wish in wished.wishes if wish.kind is WishKind.PRICE)
    plain = read("boots under $50", without=(key,))
    assert all(wish.kind is not WishKind.PRICE for wish in plain.wishes)
    assert "50" in said(plain)


def test_a_brand_in_the_query_is_preferred_and_stays_a_word() -> None:
    intent = read("northwind boots")
    assert [(wish.kind, wish.strict) for wish in intent.wishes if wish.kind is WishKind.BRAND] == [
        (WishKind.BRAND, False)
    ]
    assert "northwind" in said(intent)


def test_what_the_query_excludes_is_known_as_words_of_the_index() -> None:
    intent = read("boots -leather")
    assert intent.excluded == ("leather",)
    (wish,) = (wish for wish in intent.wishes if wish.kind is WishKind.EXCLUSION)
    assert wish.strict
    assert wish.clause in (None, NoneOf("material", ("leather",)))
    assert said(intent) == ["boot"]


def test_an_exclusion_taken_back_excludes_nothing() -> None:
    (key,) = (wish.key for wish in read("boots -leather").wishes if wish.kind is WishKind.EXCLUSION)
    assert read("boots -leather", without=(key,)).excluded == ()


def test_a_query_of_nothing_but_a_wish_is_still_searched() -> None:
    intent = read("under $50")
    assert intent.wishes
    assert intent.text


# -- the last word -----------------------------------------------------------------------------------------------------


def test_the_last_word_may_be_unfinished_unless_a_space_or_a_wish_closes_it() -> None:
    def completed(query: str) -> bool:
        return any(reading.why == "prefix" for term in read(query).terms for reading in term.readings)

    assert completed("milksh")
    assert not completed("milksh ")
    assert not completed("milksh under $50")
    assert completed("under $50 milksh")


# -- meaning and the rest ----------------------------------------------------------------------------------------------


def test_the_meaning_is_that_of_the_corrected_words_without_the_wishes() -> None:
    encoder = Listening()
    intent = read("lether boots under $50", encoder=encoder)
    assert encoder.asked == [("leather boots", "query")]
    assert intent.vectors["text"].tolist() == [1, 0]


def test_without_an_encoder_there_is_no_meaning() -> None:
    assert dict(read("boots").vectors) == {}


@pytest.mark.parametrize("query", ["", " ", "\t\u3000\n"])
def test_a_blank_query_has_no_words_and_asks_no_encoder(query: str) -> None:
    encoder = Listening()
    intent = read(query, encoder=encoder)
    assert (intent.terms, intent.wishes, intent.text, encoder.asked) == ((), (), "", [])


def test_a_very_long_query_is_cut_and_the_answer_says_so() -> None:
    request = Request("search", 0, query="oat milk " * 200)
    intent, notes = understanding().read(request, History.empty(), NO_SEEDS)
    assert [f"first {MAX_QUERY} characters" in note for note in notes] == [True]
    assert len(intent.text) <= MAX_QUERY
    assert intent.request is request


def test_history_and_seeds_are_handed_on() -> None:
    seeds = np.array([3], np.int32)
    history = History.empty()
    for query in ("", "boots"):
        intent, _ = understanding().read(Request("search", 0, query=query), history, seeds)
        assert intent.seeds is seeds
        assert intent.history is history


pieces = st.sampled_from(
    ["lether", "boots", "under $50", "-leather", "northwind", "cheap", "红色", "200元以下", "2 in", "'"]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(pieces, max_size=5).map(" ".join) | st.text(max_size=30), st.booleans())
def test_any_query_is_understood_the_same_way_each_time(query: str, as_typed: bool) -> None:
    request = Request("search", 0, query=query, as_typed=as_typed)
    one, _ = understanding().read(request, History.empty(), NO_SEEDS)
    other, _ = understanding().read(request, History.empty(), NO_SEEDS)
    assert (one.text, one.terms, one.wishes, one.excluded, one.correction) == (
        other.text, other.terms, other.wishes, other.excluded, other.correction,
    )  # fmt: skip
    assert not (as_typed and one.correction)
    keys = tuple(wish.key for wish in one.wishes)
    without, _ = understanding().read(
        Request("search", 0, query=query, as_typed=as_typed, without_wishes=keys), History.empty(), NO_SEEDS
    )
    assert not set(keys) & {wish.key for wish in without.wishes}
