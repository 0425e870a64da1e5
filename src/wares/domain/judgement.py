"""A judgement: how well one product answers one query, as a person said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judgement:
    """`relevance` is the gain of showing the product: 0 = worth nothing, and more is better, on the shop's own scale.

    A file may count otherwise: where its lowest grade is 1, that one is subtracted while it is read
    (`feeds.judgements`). `product_id` may name a product that the catalogue does not know.
    """

    query: str
    product_id: str
    relevance: float
