"""The terms of sale of a catalogue that go beyond a price and an availability, as parallel columns.

Most products have none, so they are kept sparse: entry i says what market `markets[market[i]]` makes of row `rows[i]`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.offer import Market, Offer
from wares.domain.product import Product
from wares.domain.strings import State, pack, unpack

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# In the order of the columns of `terms`; nan = not said.
_PRICE, _SALE, _SALE_FROM, _SALE_UNTIL, _READY_FROM = range(5)


@dataclass(frozen=True, slots=True)
class Offers:
    """`terms` (m, 5): price and sale price (minor units), the sale's first moment and the first one after, and the
    moment from which it can be bought (Unix ms). The market "" is the shop's own; an entry of it that says nothing of
    stock is of a product that the shop itself does not sell."""

    rows: NDArray[np.int32]  # (m,)
    market: NDArray[np.int16]  # (m,) index into markets
    terms: Floats  # (m, 5)
    says_stock: Bools  # (m,) whether it says anything about what can be bought
    sellable: Bools  # (m,) available and not out of stock
    markets: tuple[str, ...] = ()

    @staticmethod
    def none() -> "Offers":
        none = np.empty(0, np.bool_)
        return Offers(np.empty(0, np.int32), np.empty(0, np.int16), np.empty((0, 5)), none, none)

    def __len__(self) -> int:
        return len(self.rows)

    def with_products(self, products: Iterable[Product], rows: Sequence[int]) -> "Offers":
        """What these products say now instead of what was said of their rows."""
        code = {name: place for place, name in enumerate(self.markets)}
        told: list[tuple[int, int, tuple[float, ...], bool, bool]] = []
        for row, product in zip(rows, products, strict=True):
            own = product.offer
            of_shop = {"": Offer(available=None)} if product.markets_only else {"": own} if own.is_timed else {}
            of_markets = {name: offer for name, offer in product.offers.items() if offer.says_something}
            for name, offer in (of_shop | of_markets).items():
                sold = offer.available is not False and offer.stock != 0
                told.append((row, code.setdefault(name, len(code)), _terms(offer), offer.says_stock, sold))
        kept = ~np.isin(self.rows, np.fromiter(rows, np.int64, len(rows)))
        if not told and kept.all():
            return self
        new = list(zip(*told, strict=True)) or [()] * 5
        return Offers(
            np.concatenate([self.rows[kept], np.array(new[0], np.int32)]),
            np.concatenate([self.market[kept], np.array(new[1], np.int16)]),
            np.concatenate([self.terms[kept], np.array(new[2], np.float64).reshape(-1, 5)]),
            np.concatenate([self.says_stock[kept], np.array(new[3], np.bool_)]),
            np.concatenate([self.sellable[kept], np.array(new[4], np.bool_)]),
            tuple(code),
        )

    def moments(self) -> NDArray[np.float64]:
        """(b,) when something changes by itself, growing; what `at` gives holds from one up to the next."""
        dates = self.terms[:, [_SALE_FROM, _SALE_UNTIL, _READY_FROM]].ravel()
        return np.unique(dates[~np.isnan(dates)])

    def at(self, now_ms: int, market: Market, price: Floats, sellable: Bools) -> tuple[Floats, Bools, Bools]:
        """(n,) what shoppers in `market` pay for each row at that moment, (n,) what they can buy, and (n,) what is sold
        there at all; `price` and `sellable` (n,) are the shop's own without dates."""
        price, sellable, offered = price.copy(), sellable.copy(), np.ones(len(price), np.bool_)
        own = self._of("")
        self._charge(own, now_ms, price)
        self._stock(own[self.says_stock[own]], now_ms, sellable)
        offered[self.rows[own[~self.says_stock[own]]]] = False
        if market.name:
            entries = self._of(market.name)
            priced = entries[~np.isnan(self.terms[entries, _PRICE])]
            if not market.implies_prices:
                offered[:] = False
            offered[self.rows[priced]] = True
            self._charge(priced, now_ms, price)
            self._stock(entries[self.says_stock[entries]], now_ms, sellable)
        price[~offered] = np.nan
        return price, sellable & offered, offered

    def state(self) -> State:
        """Plain arrays from which `restore` makes the same."""
        arrays: State = {
            "rows": self.rows, "market": self.market, "terms": self.terms,
            "says_stock": self.says_stock, "sellable": self.sellable,
        }  # fmt: skip
        return arrays | pack("markets", self.markets)

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Offers":
        rows, market, terms = state["rows"], state["market"], state["terms"]
        return Offers(rows, market, terms, state["says_stock"], state["sellable"], unpack("markets", state))

    def _of(self, market: str) -> NDArray[np.intp]:
        if market not in self.markets:
            return np.empty(0, np.intp)
        return np.flatnonzero(self.market == self.markets.index(market))

    def _charge(self, entries: NDArray[np.intp], now_ms: int, price: Floats) -> None:
        terms, rows = self.terms[entries], self.rows[entries]
        holds = ~(terms[:, _SALE_FROM] > now_ms) & ~(terms[:, _SALE_UNTIL] <= now_ms) & ~np.isnan(terms[:, _SALE])
        holds &= ~(terms[:, _SALE] >= terms[:, _PRICE])
        price[rows] = np.where(holds, terms[:, _SALE], terms[:, _PRICE])

    def _stock(self, entries: NDArray[np.intp], now_ms: int, sellable: Bools) -> None:
        ready = ~(self.terms[entries, _READY_FROM] > now_ms)
        sellable[self.rows[entries]] = self.sellable[entries] & ready


def _terms(offer: Offer) -> tuple[float, ...]:
    said = (offer.price_minor, offer.sale_price_minor, offer.sale_from_ms, offer.sale_until_ms, offer.available_from_ms)
    return tuple(float("nan") if number is None else number for number in said)
