"""A suggestion: how the words that a shopper has begun to type may go on."""

from dataclasses import dataclass
from enum import StrEnum


class SuggestionKind(StrEnum):
    """What a suggestion leads to. The values are the names used on the wire; stored codes are positions."""

    QUERY = "query"  # a search for its text
    CATEGORY = "category"  # the page of the category
    BRAND = "brand"  # a search for its text
    PRODUCT = "product"  # the page of the product


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` as it is shown. `about`: a product's id or a category's path ("Food > Bread"); "" for the other kinds.

    `weight` in [0, 1] says how likely shoppers are to want it, whatever they have typed.
    """

    text: str
    kind: SuggestionKind
    weight: float
    about: str = ""
