"""The terms of sale that a row gives: price, sale price with dates, stock, availability; of the shop or a market."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from wares.domain.money import scale_of
from wares.domain.offer import Offer
from wares.feeds.amounts import Amount, read_amount
from wares.feeds.report import Tally
from wares.feeds.values import EARLIEST_MS, is_missing, is_missing_cell, read_minor, read_number, read_text

FIELDS = (
    *("price", "currency", "sale_price", "sale_from", "sale_until"),
    *("stock", "available", "available_from"),
)
MAX_STOCK = 10**12
_DATES = "Give dates as 2026-01-31 (a last day counts whole) or 2026-01-31T12:00+01:00."
_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")
# Words of availability, without blanks, hyphens and underscores; schema.org's without their address.
_YES = frozenset(
    (
        *(
            "true",
            "t",
            "1",
            "1.0",
            "yes",
            "y",
            "on",
            "active",
            "enabled",
            "instock",
            "available",
            "preorder",
            "presale",
        ),
        *("backorder", "limitedavailability", "onlineonly", "madetoorder", "lowstock", "ja", "auflager", "lieferbar"),
        *("sofortlieferbar", "vorrätig", "verfügbar", "aktiv", "vorbestellbar", "oui", "enstock", "disponible"),
        *("surcommande", "有货", "现货", "在售", "上架", "预售", "是", "有貨", "現貨"),
    )
)
_NO = frozenset(
    (
        *("false", "f", "0", "0.0", "no", "n", "off", "inactive", "disabled", "outofstock", "unavailable", "soldout"),
        *("discontinued", "instoreonly", "reserved", "nein", "nichtlieferbar", "nichtvorrätig", "nichtverfügbar"),
        *("nichtauflager", "ausverkauft", "vergriffen", "inaktiv", "non", "rupture", "rupturedestock", "épuisé"),
        *("indisponible", "nondisponible", "缺货", "无货", "售罄", "下架", "否", "缺貨", "無貨"),
    )
)


class OfferReader:
    """Reads offers. In a `foreign` feed 1.299 may be a thousand. `currency_of` says which currency a market has."""

    def __init__(
        self,
        tally: Tally,
        currency: str,
        time_of: Callable[[object], int | None],
        currency_of: Mapping[str, str],
        latest_ms: int,
        *,
        foreign: bool,
    ) -> None:
        self.tally, self.currency, self.time_of, self.currency_of = tally, currency, time_of, currency_of
        self.latest_ms, self.foreign = latest_ms, foreign

    def read(self, known: Mapping[str, Any]) -> Offer:
        """The offer of a row's fields."""
        if is_missing_cell(known.get("price")):
            self.tally.miss("price")
        return self._read(known, self.currency)

    def read_cost(self, known: Mapping[str, Any], offer: Offer) -> int | None:
        """What a unit costs the shop, in the offer's currency: as the row says, or its price less its margin."""
        if not is_missing_cell(raw := known.get("cost")):
            amount = read_amount(raw, offer.currency, points_group=self.foreign) if isinstance(raw, str) else None
            cost = read_minor(raw if amount is None else amount.value, scale_of(offer.currency))
            if cost is not None and (amount is None or amount.currency in ("", offer.currency)):
                return cost
            fix = f"Give what a unit costs the shop, in {offer.currency or 'the currency of the price'}, like 7.50."
            self.tally.repair("cost is no such amount: unknown", "cost", raw, fix)
        if is_missing_cell(raw := known.get("margin")):
            return None
        text = read_text(raw, 100)
        share = read_number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if offer.price_minor is not None and -10 <= share <= 1:
            return round(offer.price_minor * (1 - share))
        fix = "Give (price - cost) / price, like 0.35 or 35%, of a product with a price; or give its cost."
        self.tally.repair("margin is no share of a price: unknown", "margin", raw, fix)
        return None

    def read_markets(self, by_market: object) -> dict[str, Offer]:
        """The offers that a row gives of single markets: {"ch": {"price": 9.50}}."""
        if is_missing(by_market):
            return {}
        offers: dict[str, Offer] = {}
        fix = 'Give {"ch": {"price": 9.50, "stock": 3}}, or columns such as price[ch].'
        if not isinstance(by_market, dict):
            self.tally.repair("markets are no object: not used", "markets", str(by_market)[:100], fix)
            return offers
        for name, told in by_market.items():
            if told is None:
                continue
            if name not in self.currency_of:
                known = ", ".join(self.currency_of) or "none"
                listed = f"Name it in [markets] of wares.toml (known: {known})."
                self.tally.repair("unknown market: not used", "markets", name, listed)
            elif not isinstance(told, dict):
                self.tally.repair("a market's offer is no object: not used", "markets", str(told)[:100], fix)
            else:
                offers[name] = self._read(told, self.currency_of[name])
        return offers

    def _read(self, known: Mapping[str, Any], currency: str) -> Offer:
        currency, amount = self._money(known, currency)
        price = self._price(known.get("price") if amount is None else amount.value, currency)
        sale, begins, ends = self._sale(known, currency, price)
        return Offer(
            price_minor=price,
            currency=currency,
            sale_price_minor=sale,
            sale_from_ms=begins,
            sale_until_ms=ends,
            stock=self._stock(known.get("stock")),
            available=self._available(known.get("available")),
            available_from_ms=self._moment("available_from", known),
        )

    def _sale(
        self, known: Mapping[str, Any], currency: str, price: int | None
    ) -> tuple[int | None, int | None, int | None]:
        """Sale price, first moment and first moment after; of a sale whose dates cannot be read nothing is used."""
        begins, ends = self._moment("sale_from", known), self._moment("sale_until", known, ends=True)
        if is_missing(raw := known.get("sale_price")):
            return None, begins, ends
        unread = [name for name, moment in (("sale_from", begins), ("sale_until", ends)) if moment is None]
        if any(not is_missing(known.get(name)) for name in unread):
            return None, None, None
        if begins is not None and ends is not None and ends <= begins:
            self.tally.repair("sale ends before it begins: not used", "sale_until", known["sale_until"], _DATES)
            return None, None, None
        return self._sale_price(raw, currency, price), begins, ends

    def _sale_price(self, raw: object, currency: str, price: int | None) -> int | None:
        amount = read_amount(raw, currency, points_group=self.foreign) if isinstance(raw, str) else None
        sale = read_minor(raw if amount is None else amount.value, scale_of(currency))
        if sale is None or (amount is not None and amount.currency not in ("", currency)):
            fix = "Give an amount below the price, of the same currency, as 9.99."
            self.tally.repair("sale price is no amount: not used", "sale_price", raw, fix)
            return None
        if price is not None and sale >= price:
            fix = f"The price is {price / scale_of(currency):g}. Give a lower sale price, or none."
            self.tally.repair("sale price is not below the price: not used", "sale_price", raw, fix)
            return None
        return sale

    def _moment(self, field: str, known: Mapping[str, Any], *, ends: bool = False) -> int | None:
        """Of a day without a time its first moment, of the last day of something the first moment of the next."""
        if is_missing(raw := known.get(field)):
            return None
        if ends:
            raw = _day_after(raw)
        time_ms = self.time_of(raw)
        if time_ms is not None and EARLIEST_MS <= time_ms <= self.latest_ms:
            return time_ms
        what = "sale date" if field.startswith("sale") else "available from"
        self.tally.repair(f"{what} is no date: not used", field, raw, _DATES)
        return None

    def _money(self, known: Mapping[str, Any], currency: str) -> tuple[str, Amount | None]:
        """The currency, and the price where it is a text that names one or is written as people do ("12,50 €")."""
        told = read_text(known.get("currency")).upper()
        raw = known.get("price")
        if not isinstance(raw, str):
            return told or currency, None
        amount = read_amount(raw, told or currency, points_group=self.foreign)
        if amount is None:
            return told or currency, None
        if told and amount.currency and amount.currency != told:
            fix = f"The price names {amount.currency}, the currency is {told}. Give one of them."
            self.tally.repair("two currencies: that of the price", "currency", told, fix)
        if amount.doubtful:
            fix = "Write 1299.00 or 1,299.00 for a thousand, 1.30 for one."
            self.tally.repair("a point before three digits: thousands", "price", raw, fix)
        return amount.currency or told or currency, amount

    def _price(self, raw: object, currency: str) -> int | None:
        if is_missing_cell(raw):
            return None
        minor = read_minor(raw, scale_of(currency))
        if minor is None:
            self.tally.repair("price is no amount: unknown", "price", raw, "Give a price of at least 0, like 12.50.")
        return minor

    def _stock(self, raw: object) -> int | None:
        if is_missing(raw):
            return None
        stock = read_number(raw)
        if 0 <= stock <= MAX_STOCK:
            return int(stock)
        if stock < 0:
            self.tally.repair("negative stock: 0", "stock", raw, "Give the number of units at hand, at least 0.")
            return 0
        self.tally.repair("stock is no number: not counted", "stock", raw, "Give the number of units at hand.")
        return None

    def _available(self, raw: object) -> bool | None:
        if is_missing(raw):
            return None
        word = read_text(raw, 100).lower().rpartition("schema.org/")[2]
        word = word.replace(" ", "").replace("_", "").replace("-", "")
        if word not in _YES and word not in _NO:
            self.tally.repair("unclear availability: available", "available", raw, "Use true or false.")
        return word not in _NO


def _day_after(raw: object) -> object:
    """A day that counts whole: the next one, where no time is said."""
    if isinstance(raw, str) and _DAY.fullmatch(raw.strip()):
        try:
            return (date.fromisoformat(raw.strip()) + timedelta(days=1)).isoformat()
        except (ValueError, OverflowError):
            return raw
    return raw + timedelta(days=1) if type(raw) is date and raw < date.max else raw
