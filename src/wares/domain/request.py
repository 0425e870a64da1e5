"""A request: what one surface of the shop asks for one shopper."""

from dataclasses import dataclass, field
from enum import StrEnum

from wares.domain.filter import Filter


class Sort(StrEnum):
    RELEVANCE = "relevance"
    PRICE_UP = "price"
    PRICE_DOWN = "-price"
    NEWEST = "newest"
    BEST_SELLING = "best_selling"


@dataclass(frozen=True, slots=True)
class Request:
    """One question. With a query it is a search; without one a recommendation. Both take the same walk.

    `surface` names the profile that answers. `seeds` are product ids on the page or in the cart. `k` is the page size
    (0 = only totals and facets are wanted); `cursor` continues an earlier answer, `offset` begins further down.
    `as_typed`: the query is not to be corrected; `without_wishes`: the keys of wishes in it that are not to be read.
    `explain`: say how the answer came about. `now_ms` is the moment of asking (Unix milliseconds).
    `market` says whose prices, availability and language are meant; "" = the shop's own. `simulated`: nobody asks; the
    shopper is played, and what they did as such counts for their answer. `organic`: no place of it is for sale.
    """

    surface: str
    now_ms: int
    query: str = ""
    shopper_id: str | None = None
    seeds: tuple[str, ...] = ()
    filter: Filter = field(default_factory=Filter)
    facets: tuple[str, ...] = ()
    sort: Sort = Sort.RELEVANCE
    k: int = 24
    cursor: str = ""
    as_typed: bool = False
    without_wishes: tuple[str, ...] = ()
    explain: bool = False
    market: str = ""
    offset: int = 0
    facet_values: int = 100  # most values of one facet
    simulated: bool = False
    organic: bool = False
