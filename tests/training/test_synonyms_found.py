"""Words that may stand for one another, found in what shoppers did, asked for, and in what titles say."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.contracts import Progress
from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.product import Product
from wares.domain.shopper import KIND_CODES
from wares.retrieval.language.shop_language import Language
from wares.training.company import Company
from wares.training.synonyms import Proposal, propose

COLOURS = ("red", "blue", "grey", "green", "brown", "black")
TITLES = (
    *(f"Florp {colour} with soft seat" for colour in COLOURS),
    *(f"Wendle {colour} with soft seat" for colour in COLOURS),
    *(f"Garden hammock {colour}, cotton" for colour in COLOURS),
    *(f"Steel kettle {size} litre whistling" for size in range(1, 30)),
    *(f"Paper lantern {size} candles" for size in range(1, 30)),
)
LANGUAGE = Language.of([Product(str(i), title) for i, title in enumerate(TITLES)], "en")
COLUMNS = Columns.of([Product(str(i), title) for i, title in enumerate(TITLES)], range(len(TITLES)))
HAMMOCKS, KETTLES = range(12, 18), range(18, 24)

Choice = tuple[int, str, int]  # shopper, query, product


class Likeness:
    """An encoder for which the words of a group mean nearly the same."""

    fingerprint, dimension = "by hand", 64

    def __init__(self, *groups: str) -> None:
        self.group = {word: i for i, group in enumerate(groups) for word in group.split()}

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        rng = np.random.default_rng(0)
        vectors = rng.normal(size=(len(texts), self.dimension))
        for row, text in enumerate(texts):
            if text in self.group:
                vectors[row] = 0.2 * vectors[row] + np.random.default_rng(1 + self.group[text]).normal(
                    size=self.dimension
                )
        unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return unit


def chosen(*choices: Choice, kind: EventKind = EventKind.CLICK) -> EventBlock:
    n = len(choices)
    return EventBlock(
        seqs=np.arange(1, n + 1),
        times_ms=np.arange(n, dtype=np.int64),
        kinds=np.full(n, KIND_CODES[kind], np.int8),
        shopper_keys=np.array([shopper for shopper, _, _ in choices], np.int64),
        product_keys=np.array([product for _, _, product in choices], np.int64),
        quantities=np.ones(n, np.float32),
        values_minor=np.full(n, np.nan),
        basket_keys=np.full(n, -1, np.int64),
        queries={i: query for i, (_, query, _) in enumerate(choices)},
    )


def after(query: str, shoppers: range, products: range) -> list[Choice]:
    return [(shopper, query, product) for shopper in shoppers for product in products]


def found(
    *choices: Choice,
    queries: dict[str, int] | None = None,
    encoder: Likeness | None = None,
    language: Language = LANGUAGE,
) -> list[Proposal]:
    return propose(TITLES, COLUMNS, language, chosen(*choices), queries or {}, encoder)


def lines(proposals: list[Proposal]) -> list[str]:
    return [one.line for one in proposals]


SAME = (*after("cotton hammock", range(6), HAMMOCKS), *after("swingbed outside", range(6, 12), HAMMOCKS))


def test_queries_that_lead_different_shoppers_to_the_same_products_are_proposed() -> None:
    best = found(*SAME)[0]
    assert best.line == "swingbed outside => cotton hammock"
    assert (best.sign, best.evidence["shoppers"], best.evidence["products"]) == ("behaviour", 12, 6)
    assert set(best.titles) <= set(TITLES[12:18]) and best.titles


def test_the_same_shoppers_in_other_words_prove_nothing() -> None:
    same = (*after("cotton hammock", range(6), HAMMOCKS), *after("swingbed outside", range(6), HAMMOCKS))
    assert "swingbed outside => cotton hammock" not in lines(found(*same))


def test_queries_that_lead_elsewhere_are_not_proposed() -> None:
    assert not found(*after("steel kettle", range(6), KETTLES), *after("hammock", range(6, 12), HAMMOCKS))


def test_a_query_of_few_shoppers_stays_their_own() -> None:
    few = (*after("cotton hammock", range(6), HAMMOCKS), *after("swingbed outside", range(6, 10), HAMMOCKS))
    assert not [line for line in lines(found(*few)) if "swingbed" in line]


def test_what_could_name_a_person_is_never_shown() -> None:
    private = (*after("cotton hammock", range(6), HAMMOCKS), *after("anna@example.com", range(6, 12), HAMMOCKS))
    assert not [line for line in lines(found(*private)) if "anna" in line]


def test_one_word_that_differs_needs_two_contexts() -> None:
    once = (*after("steel kettle", range(6), KETTLES), *after("whistling kettle", range(6, 12), KETTLES))
    assert lines(found(*once)) == ["steel kettle, whistling kettle"]
    more = range(24, 30)
    twice = (*once, *after("steel litre", range(6), more), *after("whistling litre", range(6, 12), more))
    assert lines(found(*twice)) == ["steel, whistling"]


def test_two_names_of_which_titles_say_none_serve_nobody() -> None:
    both = (*after("comfy swingbed", range(6), HAMMOCKS), *after("outdoor lounger", range(6, 12), HAMMOCKS))
    assert all(one.meant in {"hammock", "garden", "cotton"} for one in found(*both))


def test_what_the_chosen_titles_do_not_say_leads_to_the_word_that_they_do() -> None:
    (best,) = found(*after("swingbed", range(8), HAMMOCKS))
    assert best.one_way and best.meant in {"hammock", "garden", "cotton"}
    assert best.evidence["share"] == 1.0 and best.evidence["shoppers"] == 8
    assert not found(*after("porch hammock", range(8), HAMMOCKS))  # a porch is no hammock


def test_a_word_of_longer_queries_needs_two_of_them() -> None:
    once = after("comfy swingbed", range(8), HAMMOCKS)
    assert [one.said for one in found(*once)] == ["comfy swingbed"]
    twice = (*once, *after("cheap swingbed", range(8), HAMMOCKS))
    assert {one.said for one in found(*twice) if one.one_way} == {"comfy swingbed", "cheap swingbed", "swingbed"}


def test_what_the_shop_knows_already_is_not_proposed() -> None:
    taught = LANGUAGE.with_synonyms(["swingbed outside => cotton hammock"])
    assert "swingbed outside => cotton hammock" not in lines(found(*SAME, language=taught))


def test_views_without_words_and_refunds_do_not_count() -> None:
    block = chosen(*SAME, kind=EventKind.REFUND)
    assert not propose(TITLES, COLUMNS, LANGUAGE, block, {}, None)


def test_words_of_near_meaning_in_like_titles_are_proposed_with_titles_of_both() -> None:
    (best,) = found(encoder=Likeness("florp wendle"))
    assert (best.line, best.sign) == ("florp, wendle", "meaning")
    assert best.evidence["titles"] == best.evidence["titles of the other"] == 6
    assert any("Florp" in title for title in best.titles) and any("Wendle" in title for title in best.titles)


@pytest.mark.parametrize("group", ["soft seat", "red blue", "florp kettle"])
def test_words_of_one_title_colours_and_words_in_other_company_are_not(group: str) -> None:
    assert not found(encoder=Likeness(group))


def test_a_word_searched_in_vain_leads_to_the_nearest_that_the_shop_knows() -> None:
    (best,) = found(queries={"teakettle": 9, "zzz": 1}, encoder=Likeness("teakettle lantern"))
    assert (best.line, best.sign, best.evidence["shoppers"]) == ("teakettle => lantern", "unknown", 9)


def test_without_an_encoder_only_behaviour_speaks() -> None:
    assert not found(queries={"teakettle": 9})


def test_company_counts_titles_and_shows_words_as_titles_write_them() -> None:
    company = Company.of(TITLES, LANGUAGE.analyser)
    candle = company.places["candle"]
    assert company.shown["candle"] == "candles" and company.counts[candle] == 29
    florp, wendle = company.places["florp"], company.places["wendle"]
    assert company.likeness(florp, wendle) > 0.5
    assert company.likeness(florp, company.places["seat"]) == 0.0
    assert company.examples(florp, 1) == (TITLES[0],)
