"""A product: what the shop sells, as its feed describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wares.domain.offer import Market, Offer

PATH_SEPARATOR = " > "


_HOME, _NO_OFFER = Market(), Offer()


@dataclass(frozen=True, slots=True)
class ProductText:
    """Title and description in one language; "" = not said."""

    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """One sellable article. `id` is the shop's own; equal `group_id` marks variants of one article.

    `price_minor` counts the currency's smallest unit (cents); None = unknown. `stock` None = not counted. Prices, dates
    and availability are those of an `Offer`: the shop's own in these fields, a market's in `offers`. `texts` are title
    and description in other languages than the shop's ("fr" -> ...). `category` is a path, root first. `attributes`
    maps a name to one or more values ("colour" -> ("red", "blue")). `published_ms` is when the product first went on
    sale, in Unix milliseconds; None = unknown. `markets_only`: the shop itself does not sell it, only the markets with
    an offer do. `regular_price_minor` is only in what `seen` gives: the price that a sale price took the place of.
    `cost_minor`, what a unit costs the shop, and `stock_since_ms`, since when the stock
    at hand lies there, are the shop's secrets: they count for its aims, and no answer holds them.
    """

    id: str
    title: str = ""
    description: str = ""
    brand: str = ""
    category: tuple[str, ...] = ()
    price_minor: int | None = None
    currency: str = ""
    stock: int | None = None
    available: bool = True
    group_id: str = ""
    image_url: str = ""
    url: str = ""
    published_ms: int | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sale_price_minor: int | None = None
    sale_from_ms: int | None = None
    sale_until_ms: int | None = None
    available_from_ms: int | None = None
    offers: Mapping[str, Offer] = field(default_factory=dict)
    texts: Mapping[str, ProductText] = field(default_factory=dict)
    markets_only: bool = False
    regular_price_minor: int | None = None
    cost_minor: int | None = None
    stock_since_ms: int | None = None

    @property
    def category_levels(self) -> tuple[str, ...]:
        """Every level of the path, each with its ancestors: ("Food", "Food > Bread")."""
        return tuple(PATH_SEPARATOR.join(self.category[: i + 1]) for i in range(len(self.category)))

    @property
    def passage(self) -> str:
        """The text that stands for this product before an encoder (equal passages share one vector).

        Title, brand, category from the leaf up, start of the description; what was said already is not repeated.
        """
        said = ""
        for part in (self.title, self.brand, *reversed(self.category), self.description[:500]):
            if part and part.casefold() not in said.casefold():
                said = f"{said}. {part}" if said else part
        return said

    @property
    def offer(self) -> Offer:
        """On what terms the shop itself sells it."""
        return Offer(
            self.price_minor, self.currency, self.sale_price_minor, self.sale_from_ms, self.sale_until_ms,
            self.stock, self.available, self.available_from_ms,
        )  # fmt: skip

    def offer_in(self, market: Market) -> Offer:
        """On what terms this market sells it; where it does not, without a price and not available."""
        if not self.offered_in(market):
            return Offer(currency=market.currency, available=False)
        own = _NO_OFFER if self.markets_only else self.offer
        return self.offers.get(market.name, _NO_OFFER).in_market(market, own) if market.name else own

    def offered_in(self, market: Market) -> bool:
        """Whether this market sells it at all."""
        own_price = market.name and self.offers.get(market.name, _NO_OFFER).price_minor is not None
        return bool(own_price) or (not self.markets_only and market.implies_prices)

    def seen(self, now_ms: int, market: Market = _HOME) -> "Product":
        """The product as a shopper in `market` sees it at that moment: its price is what they pay, its texts are in the
        market's language where there are such."""
        if self._is_plain and not market.name:
            return self
        offer = self.offer_in(market)
        text = self.texts.get(market.language)
        if not market.name and not offer.is_timed and text is None and not self.markets_only:
            return self
        ready = offer.available_from_ms is None or offer.available_from_ms <= now_ms
        return replace(
            self,
            title=text.title or self.title if text else self.title,
            description=text.description or self.description if text else self.description,
            price_minor=offer.price_at(now_ms),
            currency=offer.currency,
            stock=offer.stock,
            available=offer.available is not False and ready,
            regular_price_minor=offer.price_minor if offer.on_sale(now_ms) else None,
        )

    @property
    def _is_plain(self) -> bool:
        """Whether the shop's own market sees it as it is, whatever the moment and the language."""
        timed = self.sale_price_minor is not None or self.available_from_ms is not None
        return not (timed or self.texts or self.markets_only)

    @property
    def sellable(self) -> bool:
        """Whether it can be bought, dates aside: available and not out of stock, or that is for markets to say."""
        return self.markets_only or (self.available and self.stock != 0)
