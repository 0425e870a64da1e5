"""A change of some fields of a product the shop knows: what it does not name stays as it is."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from wares.domain.offer import Offer
from wares.domain.product import Product, ProductText
from wares.feeds.products import field_of, named_parts
from wares.feeds.values import is_missing_cell

_KEPT_AS = {
    **{name: f"{name}_minor" for name in ("price", "sale_price", "cost")},
    "margin": "cost_minor",
    **{name: f"{name}_ms" for name in ("published", "sale_from", "sale_until", "available_from", "stock_since")},
}
_OF_OFFER = {f.name for f in fields(Offer)} - {"currency"}
_MERGED_FIELDS = {f.name for f in fields(Product)} - {
    "id",
    "attributes",
    "offers",
    "texts",
    "regular_price_minor",
    "markets_only",
}


def merged(old: Product, new: Product, row: Mapping[str, Any]) -> Product:
    """`old` with the fields that the change names, of a market or a language, too: an empty one is emptied; a price,
    stock or date that cannot be read stays what it was."""
    named = {field_of(name): value for name, value in row.items()}
    plain = _changes(new, named, _MERGED_FIELDS)
    if old.markets_only and plain.get("price_minor") is not None:
        plain["markets_only"] = False  # the shop itself sells it now
    offers = dict(old.offers)
    for market, told in named_parts(row, "markets").items():
        if told is None:
            offers.pop(market, None)
        elif (read := new.offers.get(market)) is not None:
            changes = _changes(read, told, _OF_OFFER)
            if changes.get("price_minor") is not None:
                changes["currency"] = read.currency
            offers[market] = replace(offers.get(market, Offer(currency=read.currency)), **changes)
    texts = dict(old.texts)
    for language, told in named_parts(row, "texts").items():
        before, read_text = texts.get(language, ProductText()), new.texts.get(language, ProductText())
        said = ProductText() if told is None else replace(before, **{name: getattr(read_text, name) for name in told})
        texts[language] = said
    return replace(
        old,
        **plain,
        attributes={**old.attributes, **new.attributes},
        offers={name: offer for name, offer in offers.items() if offer.says_something},
        texts={name: text for name, text in texts.items() if text.title or text.description},
    )


def _changes(read: Product | Offer, told: Mapping[str, Any], fields_of: Collection[str]) -> dict[str, Any]:
    """What a change tells of these fields: as it was read, or None where the cell is empty."""
    return {
        name: value
        for field, raw in told.items()
        if (name := _KEPT_AS.get(field, field)) in fields_of
        if (value := getattr(read, name)) is not None or is_missing_cell(raw)
    }
