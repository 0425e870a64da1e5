"""What two spellings of a word still share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_words import BOOSTS, TITLE_ONLY, index, titled

from wares.domain.product import Product
from wares.retrieval.letters import triples_of
from wares.retrieval.text_index import TextIndex


@pytest.mark.parametrize(
    ("word", "triples"),
    [
        ("drill", ("^dr", "dri", "ril", "ill", "ll$")),
        ("at", ("^at", "at$")),
        ("a", ()),
        ("12", ()),
        ("4k", ()),
        ("1/2", ()),
        ("牛奶", ()),
        ("ミルク", ()),
        ("молоко", ("^мо", "мол", "оло", "лок", "око", "ко$")),
    ],
)
def test_a_word_has_these_triples(word: str, triples: tuple[str, ...]) -> None:
    assert triples_of(word) == triples


def test_a_near_spelling_finds_its_word_before_others() -> None:
    scores = index("cordless drill", "hammer", "rye bread").letters("dirll")
    assert scores[0] > scores[1] == scores[2] == 0


def test_a_word_inside_a_longer_one_is_found() -> None:
    scores = index("buttermilk", "rye bread").letters("milk")
    assert scores[0] > scores[1] == 0


def test_more_of_the_letters_score_higher() -> None:
    shop = index("strawberry jam", "straw hat", "hammer")
    scores = shop.letters("strawbery")
    assert scores[0] > scores[1] > scores[2]


def test_a_product_that_came_later_is_found_too() -> None:
    shop = index("hammer", "rye bread").with_products(titled("cordless drill"))
    assert (shop.letters("dirll") > 0).tolist() == [False, False, True]


def test_letters_of_very_many_titles_tell_nothing_of_later_products_either() -> None:
    shop = index(*["kettle"] * 60, "bulb").with_products(titled("kettle", "toaster"))
    assert not shop.letters("kettle").any()
    assert (shop.letters("toster") > 0).tolist() == [False] * 62 + [True]


def test_letters_of_other_fields_do_not_count() -> None:
    shop = TextIndex.of([Product("a", "lamp", brand="Zorro"), Product("b", "zorro mask")], TITLE_ONLY)
    assert (shop.letters("zoro") > 0).tolist() == [False, True]
    assert (shop.with_products(titled("zorro")).letters("zoro") > 0).tolist() == [False, True, True]


def test_a_query_without_letters_finds_nothing() -> None:
    for query in ("", "12", "牛奶", "!!!"):
        assert not index("drill 12", "牛奶").letters(query).any()
    assert index().letters("drill").shape == (0,)


words = st.text(alphabet="abcd", min_size=1, max_size=6)
titles = st.lists(st.lists(words, max_size=3).map(" ".join), max_size=5)


@settings(deadline=None)
@given(titles, titles, words)
def test_scores_are_finite_and_above_nothing_only_where_letters_are_shared(
    base: list[str], later: list[str], query: str
) -> None:
    shop = index(*base, boosts=BOOSTS).with_products(titled(*later))
    scores = shop.letters(query)
    assert np.isfinite(scores).all()
    own = {triple for word in shop.analyser.words(query) for triple in triples_of(word)}
    for score, title in zip(scores.tolist(), [*base, *later], strict=True):
        shared = own & {triple for word in shop.analyser.words(title) for triple in triples_of(word)}
        assert (score > 0) == bool(shared)
