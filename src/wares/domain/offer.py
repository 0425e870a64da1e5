"""An offer: on what terms a market sells a product, and what a shopper pays at a given moment."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Market:
    """A part of the shop with its own prices, availability and language. "" = the shop's own, from which what another
    market does not say is taken: titles, availability, and prices where both have one currency (`implies_prices`).

    `language` is that of its texts where they are not in the shop's own language, else "".
    """

    name: str = ""
    currency: str = ""
    language: str = ""
    implies_prices: bool = True


@dataclass(frozen=True, slots=True)
class Offer:
    """Terms of sale. Amounts count the currency's smallest unit; moments are Unix milliseconds; None = not said.

    The sale price holds from `sale_from_ms` until just before `sale_until_ms`; without dates always. `stock` None = not
    counted. What comes (back) into stock at `available_from_ms` cannot be bought before.
    """

    price_minor: int | None = None
    currency: str = ""
    sale_price_minor: int | None = None
    sale_from_ms: int | None = None
    sale_until_ms: int | None = None
    stock: int | None = None
    available: bool | None = None
    available_from_ms: int | None = None

    @property
    def is_timed(self) -> bool:
        """Whether what is paid, or whether it can be bought, is more than its price, stock and availability."""
        return self.sale_price_minor is not None or self.available_from_ms is not None

    def on_sale(self, now_ms: int) -> bool:
        """Whether the sale price holds; never one that is not below the price."""
        return (
            self.sale_price_minor is not None
            and (self.price_minor is None or self.sale_price_minor < self.price_minor)
            and (self.sale_from_ms is None or self.sale_from_ms <= now_ms)
            and (self.sale_until_ms is None or now_ms < self.sale_until_ms)
        )

    def price_at(self, now_ms: int) -> int | None:
        """What a shopper pays."""
        return self.sale_price_minor if self.on_sale(now_ms) else self.price_minor

    def sellable_at(self, now_ms: int) -> bool:
        """Whether a shopper could buy it."""
        ready = self.available_from_ms is None or self.available_from_ms <= now_ms
        return self.available is not False and self.stock != 0 and ready

    @property
    def says_something(self) -> bool:
        """Whether it differs from what is implied."""
        return self.says_stock or self.price_minor is not None or self.sale_price_minor is not None

    @property
    def says_stock(self) -> bool:
        """Whether it says anything about what can be bought."""
        return self.available is not None or self.stock is not None or self.available_from_ms is not None

    def in_market(self, market: Market, own: "Offer") -> "Offer":
        """This offer of `market`, with what it does not say taken from the shop's `own`."""
        offer = self
        if not self.says_stock:
            stocked = own.available_from_ms
            offer = replace(offer, stock=own.stock, available=own.available, available_from_ms=stocked)
        if self.price_minor is not None:
            return replace(offer, currency=self.currency or market.currency)
        return replace(
            offer,
            price_minor=own.price_minor,
            currency=own.currency,
            sale_price_minor=own.sale_price_minor,
            sale_from_ms=own.sale_from_ms,
            sale_until_ms=own.sale_until_ms,
        )


def offer_of(row: dict[str, Any]) -> Offer:
    """The offer of a JSON object as `told` wrote it."""
    return Offer(**row)


def told(offer: Offer) -> dict[str, Any]:
    """What an offer says beyond an empty one, as a JSON object."""
    return {name: value for name in Offer.__slots__ if (value := getattr(offer, name)) != getattr(_NOTHING, name)}


_NOTHING = Offer()
