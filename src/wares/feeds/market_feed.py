"""Feeds of single markets: what one says of a product is that market's offer and text, beside what others said."""

from dataclasses import replace

from wares.domain.offer import Market
from wares.domain.product import Product, ProductText


def of_market(told: Product, known: Product | None, market: Market) -> Product:
    """The product to keep when a feed of `market` has told of it and the shop knew `known`.

    The shop's own feed (market "") replaces all but the offers and texts of markets, which stay unless it has some. A
    market's feed adds its offer, and its text where the market has a language of its own; of a product that the shop
    itself does not have everything is kept, and only that market sells it.
    """
    if not market.name:
        return (
            told
            if known is None
            else replace(told, offers=told.offers or known.offers, texts=told.texts or known.texts)
        )
    base = known
    if base is None:
        base = replace(
            told, price_minor=None, sale_price_minor=None, sale_from_ms=None, sale_until_ms=None,
            stock=None, available_from_ms=None, cost_minor=None, markets_only=True,
        )  # fmt: skip
    texts, before = base.texts, base.texts.get(market.language, ProductText())
    if market.language and (told.title or told.description):
        text = ProductText(told.title or before.title, told.description or before.description)
        texts = {**texts, market.language: text}
    return replace(base, offers={**base.offers, market.name: told.offer}, texts=texts)
