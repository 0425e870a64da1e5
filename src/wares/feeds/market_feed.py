"""Feeds of single markets: what one says of a product is that market's offer and text, beside what others said."""

from dataclasses import replace

from wares.domain.offer import Market
from wares.domain.product import Product, ProductText


def of_market(told: Product, known: Product | None, market: Market) -> Product:
    """The product to keep when a feed of `market` has told of it and the shop knew `known`.

    The shop's own feed (market "") replaces all but the offers and texts of markets of which it says nothing. A
    market's feed adds its offer, and its text where the market has a language of its own; of a product that the shop
    itself does not have everything is kept, and only that market sells it.
    """
    if not market.name:
        before = told if known is None else known
        offers = {**before.offers, **told.offers}
        said = {name: offer for name, offer in offers.items() if offer.says_something}
        return replace(told, offers=said, texts={**before.texts, **told.texts})
    offer = told.offers.get(market.name, told.offer)
    base = _without_terms(told) if known is None else known
    texts, text = base.texts, base.texts.get(market.language, ProductText())
    if market.language and (told.title or told.description):
        text = ProductText(told.title or text.title, told.description or text.description)
        texts = {**texts, market.language: text}
    offers = {**(base.offers if known is not None else {}), market.name: offer}
    return replace(base, offers=offers, texts=texts)


def without_market(product: Product, market: str) -> Product | None:
    """The product once this market ("" = the shop itself) sells it no more; None = then nobody does."""
    if not market:
        return _without_terms(product) if product.offers else None
    offers = {name: offer for name, offer in product.offers.items() if name != market}
    return replace(product, offers=offers) if offers or not product.markets_only else None


def _without_terms(product: Product) -> Product:
    """The same, sold in its markets only."""
    return replace(
        product, price_minor=None, sale_price_minor=None, sale_from_ms=None, sale_until_ms=None, stock=None,
        available=True, available_from_ms=None, cost_minor=None, markets_only=True,
    )  # fmt: skip
