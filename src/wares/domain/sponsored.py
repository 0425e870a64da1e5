"""Sponsored hits: what a campaign bids for a place in one answer, and what a hit tells that got one."""

from dataclasses import dataclass, field

from wares.domain.filter import Filter


@dataclass(frozen=True, slots=True)
class Bid:
    """What one campaign offers in one answer. Its products are those of `products` and those that meet `where`.

    `bid_minor`: the most it pays for a click now, in the smallest unit of the shop's currency. `rate` in (0, 1): how
    likely one of its hits is clicked where it is shown. `most`: how many hits of it this shopper may still see today.
    """

    campaign: str
    label: str
    bid_minor: int
    rate: float
    products: tuple[str, ...] = ()
    where: Filter = field(default_factory=Filter)
    most: int = 1

    @property
    def value(self) -> float:
        """What showing one of its hits is worth: bid x rate."""
        return self.bid_minor * self.rate


@dataclass(frozen=True, slots=True)
class Sponsored:
    """Money put this hit where it stands. `label` says whose. A click costs the campaign `price_minor`; `lost` in
    [0, 1] is how much less its score is than that of the hit it displaced, as a share of that."""

    campaign: str
    label: str
    price_minor: int
    lost: float
