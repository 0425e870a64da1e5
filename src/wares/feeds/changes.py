"""A change of some fields of a product the shop knows: what it does not name stays as it is."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from wares.domain.offer import Offer
from wares.domain.product import Product, ProductText
from wares.feeds.products import field_of
from wares.feeds.values import is_missing_cell

T = TypeVar("T", Offer, ProductText)
_KEPT_AS = {
    **{name: f"{name}_minor" for name in ("price", "sale_price", "cost")},
    "margin": "cost_minor",
    **{name: f"{name}_ms" for name in ("published", "sale_from", "sale_until", "available_from", "stock_since")},
}
_MERGED_FIELDS = {f.name for f in fields(Product)} - {"id", "attributes", "offers", "texts", "regular_price_minor"}


def merged(old: Product, new: Product, row: Mapping[str, Any]) -> Product:
    """`old` with the fields that the change names, of a market or a language, too; a price, stock or date that cannot
    be read stays what it was."""
    named = {field_of(name): value for name, value in row.items()}
    plain = {
        name: value
        for field, raw in named.items()
        if (name := _KEPT_AS.get(field, field)) in _MERGED_FIELDS
        if (value := getattr(new, name)) is not None or is_missing_cell(raw)
    }
    offers = {market: _joined(old.offers.get(market, Offer()), offer) for market, offer in new.offers.items()}
    texts = {language: _joined(old.texts.get(language, ProductText()), text) for language, text in new.texts.items()}
    gone = {name for name, offer in _object(named.get("markets")).items() if offer is None}
    return replace(
        old,
        **plain,
        attributes={**old.attributes, **new.attributes},
        offers={name: offer for name, offer in {**old.offers, **offers}.items() if name not in gone},
        texts={**old.texts, **texts},
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _joined(old: T, new: T) -> T:
    """`old` with what `new` says."""
    said = {f.name: value for f in fields(new) if (value := getattr(new, f.name)) not in (None, "")}
    return replace(old, **said)
