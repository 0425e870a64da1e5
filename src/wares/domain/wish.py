"""A wish: what some words of a query ask for beside the thing itself ("under $50", "红色", "without hood")."""

from dataclasses import dataclass
from enum import StrEnum

from wares.domain.filter import Single


class WishKind(StrEnum):
    PRICE = "price"
    CHEAP = "cheap"
    BRAND = "brand"
    CATEGORY = "category"
    COLOUR = "colour"
    GENDER = "gender"
    SIZE = "size"
    EXCLUSION = "exclusion"


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish, as the answer shows it and the shopper can take it back.

    `said`: the words of the query as they were typed. `clause` is what they mean for the catalogue's columns (prices
    in the currency's smallest unit); None = no column says it: a low price is a matter of degree (cheap), a price in
    another currency than the shop's is only noted, and an exclusion may go by text alone. `strict`: products that do
    not meet it are left out; otherwise those that do are preferred. `excluded`: the words that a product should not
    hold, unless negated ("without sugar" is no sugar).
    """

    kind: WishKind
    said: str
    clause: Single | None = None
    strict: bool = False
    excluded: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """By which a request names the wishes that it does without: the same for the same words."""
        return f"{self.kind}:{' '.join(self.said.casefold().split())}"
