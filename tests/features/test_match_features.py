"""How well words match, worked out by hand on a shop of four products."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.catalogue import Columns
from wares.domain.intent import Intent, Reading, Term
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.result import Candidates, TextMatch, TitleWords
from wares.features.match import PAIR_FEATURES, QUERY_FEATURES, match_features, names_of
from wares.features.query_memory import NAMES as MEMORY_FEATURES
from wares.features.query_memory import QueryMemory
from wares.features.table import PRODUCT_FEATURES, describe
from wares.retrieval.text_index import FIELDS, TextIndex
from wares.retrieval.vector_index import VectorIndex

Floats = NDArray[np.float32]
NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
PRODUCTS = [
    Product("a", "acme oat milk 500", price_minor=299, published_ms=NOW_MS),
    Product("b", "milk chocolate", published_ms=NOW_MS - 30 * DAY_MS),
    Product("c", "chocolate oat bar with milk", stock=0),
    Product("d", "rye bread"),
]
BOOSTS = dict.fromkeys(FIELDS, 1.0)


@dataclass
class TinyView:
    """Only what features may look at."""

    text: TextIndex
    vectors: VectorIndex
    columns: Columns
    sold: Floats = field(default_factory=lambda: np.array([0, 1, 3, 0], np.float32))
    came_later: int = -1  # a row that the snapshot does not know

    def popularity(self, rows: NDArray[np.int32] | None = None) -> Floats:
        return self.sold if rows is None else self.sold[rows]

    def text_match(self, terms: Sequence[Term]) -> TextMatch:
        return self.text.match(terms)

    def title_words(self, rows: NDArray[np.int32], terms: Sequence[Term]) -> TitleWords:
        return self.text.title_words(rows, self.text.match(terms).read_as)

    def space(self, name: str) -> VectorIndex:
        assert name == "text"
        return self.vectors

    def learnt_rows(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        return np.where(rows == self.came_later, -1, rows).astype(np.int32)


def view(products: list[Product] = PRODUCTS, vectors: Floats | None = None) -> TinyView:
    n = len(products)
    space = VectorIndex.empty(n) if vectors is None else VectorIndex.of(vectors, np.arange(n, dtype=np.int32))
    return TinyView(TextIndex.of(products, BOOSTS), space, Columns.of(products, range(n)))


def intent(*words: str, vector: Floats | None = None) -> Intent:
    terms = tuple(Term(word, (Reading((word,)),)) for word in words)
    vectors = {} if vector is None else {"text": vector}
    return Intent(Request("search", NOW_MS, query=" ".join(words)), words, " ".join(words), terms, vectors=vectors)


def candidates(rows: Sequence[int] = (0, 1, 2, 3), lexical: Sequence[float] = (4, 2, 2, 0)) -> Candidates:
    n = len(rows)
    by_source = np.array([lexical[:n], np.linspace(1, 0, n) if n else []], np.float32).T.reshape(n, 2)
    scores = np.linspace(1, 0.1, n, dtype=np.float32)
    return Candidates(np.array(rows, np.int32), by_source, ("lexical", "meaning"), scores)


def features(asked: Intent, found: Candidates | None = None, shop: TinyView | None = None) -> dict[str, list[float]]:
    found = found if found is not None else candidates()
    values = match_features(found, asked, cast(View, shop or view()))
    names = names_of(found.sources)
    assert values.shape == (len(found), len(names))
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    return {name: values[:, i].tolist() for i, name in enumerate(names)}


def idf(frequency: int, n: int = 4) -> float:
    return math.log(1 + (n - frequency + 0.5) / (frequency + 0.5))


OAT, MILK, FIVE_HUNDRED = idf(2), idf(3), idf(1)
ALL = OAT + MILK + FIVE_HUNDRED
QUERY = ("oat", "milk", "500")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("coverage", [1, MILK / ALL, (OAT + MILK) / ALL, 0]),
        ("terms_held", [3, 1, 2, 0]),
        ("terms_missed", [0, 2, 1, 3]),
        ("weight_missed", [0, OAT + FIVE_HUNDRED, FIVE_HUNDRED, ALL]),
        ("rarest_held", [FIVE_HUNDRED, MILK, OAT, 0]),
        ("rarest_missed", [0, FIVE_HUNDRED, FIVE_HUNDRED, FIVE_HUNDRED]),
        ("numbers_held", [1, 0, 0, 0]),
        ("numbers_missed", [0, 1, 1, 1]),
        ("order_kept", [2, 0, 0, 0]),  # oat milk, milk 500
        ("span", [1, 1, 2, 0]),  # 'oat bar with milk' has 4 words, 2 of them said
        ("first_word_held", [0, 1, 0, 0]),
        ("head_held", [1, 0, 0, 0]),  # 500, chocolate, bar, bread
        ("last_term_held", [1, 1, 1, 0]),  # milk is the last word of letters
        ("last_term_place", [2 / 3, 0, 1, -1]),
        ("title_length", [4, 2, 5, 2]),
        ("title_share", [3 / 4, 1 / 2, 2 / 5, 0]),
        ("best_likeness", [0, 0, 0, 0]),  # no vectors
        ("place", [0, 1, 2, 3]),
        ("lexical_share", [1, 0.5, 0.5, 0]),
        ("lexical_z", [math.sqrt(2), 0, 0, -math.sqrt(2)]),
        ("meaning_share", [1, 2 / 3, 1 / 3, 0]),
        ("query_terms", [3, 3, 3, 3]),
        ("query_numbers", [1, 1, 1, 1]),
        ("query_weight", [ALL] * 4),
        ("query_known", [1, 1, 1, 1]),
        ("best_lexical", [4, 4, 4, 4]),
        ("best_meaning", [1, 1, 1, 1]),
    ],
)
def test_a_feature_is_what_counting_by_hand_gives(name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(features(intent(*QUERY))[name], expected, rtol=1e-4, atol=1e-6)


def test_the_score_of_each_field_is_its_own() -> None:
    products = [
        Product("a", title="oat"), Product("b", brand="oat"), Product("c", category=("oat",)),
        Product("d", description="oat"), Product("e", attributes={"x": ("oat",)}),
    ]  # fmt: skip
    found = features(intent("oat"), candidates(range(5), [1] * 5), view(products))
    for place, name in enumerate(FIELDS):
        assert [score > 0 for score in found[f"bm25_{name}"]] == [row == place for row in range(5)]


def test_the_features_follow_the_rows_whatever_their_order() -> None:
    forward = match_features(candidates(), intent(*QUERY), cast(View, view()))
    back = replace(candidates(), rows=candidates().rows[::-1].copy())
    backward = match_features(back, intent(*QUERY), cast(View, view()))
    names = names_of(("lexical", "meaning"))
    for name in ("coverage", "order_kept", "span", "head_held", "title_length", "last_term_place"):
        column = names.index(name)
        assert np.array_equal(forward[:, column], backward[::-1, column])


def test_a_product_that_came_later_is_described_like_the_others() -> None:
    shop = view(PRODUCTS[:2])
    later = replace(view(), text=shop.text.with_products(PRODUCTS[2:]))
    found, whole = features(intent(*QUERY), shop=later), features(intent(*QUERY))
    for name in ("terms_held", "order_kept", "span", "head_held", "title_length", "last_term_place", "title_share"):
        assert found[name] == whole[name]


def test_a_synonym_in_the_title_holds_the_term() -> None:
    asked = replace(intent("porridge"), terms=(Term("porridge", (Reading(("oat",), 0.8, "synonym"),)),))
    assert features(asked)["terms_held"] == [1, 0, 1, 0]
    assert features(asked)["title_share"] == pytest.approx([1 / 4, 0, 1 / 5, 0])


def test_a_word_nobody_holds_is_missed_but_weighs_nothing() -> None:
    found = features(intent("milk", "zzzz"))
    assert found["query_known"] == [0.5] * 4
    assert found["terms_missed"] == [1, 1, 1, 2]
    np.testing.assert_allclose(found["weight_missed"], [0, 0, 0, MILK], rtol=1e-5)


def test_likeness_to_the_best_candidates_is_the_mean_cosine() -> None:
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    np.testing.assert_allclose(
        features(intent("milk"), shop=view(vectors=vectors))["best_likeness"], [0.75] * 3 + [0.25]
    )


def test_no_candidates_have_no_features_but_their_names() -> None:
    assert all(column == [] for column in features(intent("milk"), candidates(())).values())


def test_every_feature_has_a_name_of_its_own_that_lightgbm_can_read() -> None:
    names = (*names_of(("lexical", "letters", "meaning")), *PRODUCT_FEATURES, *MEMORY_FEATURES)
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    assert {*PAIR_FEATURES, *QUERY_FEATURES} <= set(names)
    assert "letters_share" not in names_of(("lexical",))


# -- the whole table ---------------------------------------------------------------------------------------------------


def table(asked: Intent, shop: TinyView | None = None, memory: QueryMemory | None = None) -> dict[str, list[float]]:
    found = describe(candidates(), asked, cast(View, shop or view()), memory)
    assert found.values.shape == (4, len(found.names))
    return {name: found.values[:, i].tolist() for i, name in enumerate(found.names)}


def test_a_recommendation_is_described_without_words() -> None:
    assert tuple(table(intent())) == ("lexical", "meaning", *PRODUCT_FEATURES)


def test_the_product_itself_is_described() -> None:
    found = table(intent())
    np.testing.assert_allclose(found["price"], [math.log(300), 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(found["popularity"], np.log1p([0, 1, 3, 0]), rtol=1e-6)
    np.testing.assert_allclose(found["freshness"], [1, 0.5, 0, 0], rtol=1e-6)
    assert found["sellable"] == [1, 1, 0, 1]
    np.testing.assert_allclose(found["relevance"], [1, 0.7, 0.4, 0.1], rtol=1e-6)


def test_a_search_is_described_by_its_words_too() -> None:
    found = table(intent(*QUERY))
    assert tuple(found) == ("lexical", "meaning", *PRODUCT_FEATURES, *names_of(("lexical", "meaning")))
    assert found["terms_held"] == features(intent(*QUERY))["terms_held"]


def test_earlier_queries_are_remembered_by_their_meaning() -> None:
    vectors = np.eye(4, dtype=np.float32)
    asked = np.array([1, 0, 0, 0], np.float32)
    memory = QueryMemory.of(
        ("oats", "loaf"), np.stack([asked, vectors[3]]), np.array([0, 1, 2]), np.array([0, 3]), np.ones(2), vectors
    )
    shop = view(vectors=vectors)
    found = table(intent("oat", vector=asked), shop, memory)
    assert set(MEMORY_FEATURES) <= set(found)
    assert found["asked_gain"][0] > found["asked_gain"][3] > found["asked_gain"][1] == 0
    assert not set(MEMORY_FEATURES) & set(table(intent("oat"), shop, memory))  # without a meaning
    late = table(intent("oat", vector=asked), replace(shop, came_later=0), memory)
    assert late["asked_gain"][:3] == [0, 0, 0]
