"""schema.org products as JSON-LD: a Product, a list, an @graph, an ItemList, or a ProductGroup with its variants."""

from collections.abc import Iterable, Iterator
from typing import Any

from wares.feeds.dialects.columns import Dialect, Numbered, Told, add_attribute, deepest
from wares.feeds.readers import Row
from wares.feeds.report import RowFault, Tally
from wares.feeds.values import is_missing, read_text

IDS = ("sku", "productID", "identifier", "gtin13", "gtin", "gtin14", "gtin12", "gtin8", "mpn", "@id", "url")
TEXTS = ("color", "size", "material", "pattern", "gtin13", "gtin", "mpn", "model", "itemCondition")
HOLDERS = ("@graph", "itemListElement", "item", "mainEntity", "hasVariant")
SIGNS = tuple(frozenset((name,)) for name in ("@context", "@graph", "@type"))
MAX_DEPTH = 16  # of structures that hold products
_PRODUCTS = ("Product", "IndividualProduct", "ProductModel", "SomeProducts", "Vehicle", "Book")
_GROUP = "ProductGroup"
# What the tally calls wares' fields.
_NAMES = {"id": "sku", "title": "name", "price": "offers.price", "currency": "offers.priceCurrency"}
_NAMES |= {"available": "offers.availability", "stock": "offers.inventoryLevel", "image_url": "image"}
_NAMES |= {"published": "releaseDate", "group_id": "inProductGroupWithID"}
_INHERITED = ("title", "description", "brand", "category", "image_url", "url")


def translate(rows: Iterable[Numbered], tally: Tally) -> Iterator[Told]:
    """A product per Product, wherever in a document it stands. A document without one is rejected."""
    tally.names = {**tally.names, **_NAMES}
    for line, row in rows:
        tally.line = line
        found = False
        for node, group in _products(row, None, 0):
            found = True
            yield line, _product(node, group, tally), node
            tally.line = line
        if not found:
            fix = 'Give objects with "@type": "Product".'
            kind = read_text(row.get("@type"), 100) or "nothing of a type"
            tally.reject(RowFault("no product in it", "@type", kind, fix), row)


def _products(node: object, group: Row | None, depth: int) -> Iterator[tuple[Row, Row | None]]:
    """Every Product in a structure, with the ProductGroup that it varies."""
    if depth > MAX_DEPTH:
        return
    if isinstance(node, list):
        for one in node:
            yield from _products(one, group, depth + 1)
        return
    if not isinstance(node, dict):
        return
    node = {str(name).removeprefix("schema:"): value for name, value in node.items()}
    kinds = {_local(kind) for kind in _listed(node.get("@type"))}
    if _GROUP in kinds and node.get("hasVariant"):
        yield from _products(node["hasVariant"], node, depth + 1)
    elif kinds & {*_PRODUCTS, _GROUP}:
        yield node, group
    else:
        for name in HOLDERS:
            if name in node:
                yield from _products(node[name], group, depth + 1)


def _product(node: Row, group: Row | None, tally: Tally) -> Row:
    own = _described(node)
    if "id" not in own:
        own["id"] = next((text for name in IDS if (text := _text(node.get(name)))), "")
    if group is not None:
        above = _described(group)
        own |= {
            name: above[name] for name in _INHERITED if is_missing(own.get(name)) and not is_missing(above.get(name))
        }
        key = _text(group.get("productGroupID")) or _text(group.get("sku")) or _text(group.get("@id"))
        own["group_id"] = key or own.get("group_id", "")
        node = {**group, **node}
    for name in TEXTS:
        if text := _local(_text(node.get(name))):
            add_attribute(own, name, text)
    for told in _listed(node.get("additionalProperty")):
        if isinstance(told, dict) and (name := _text(told.get("name"))):
            add_attribute(own, name, [_text(value) for value in _listed(told.get("value"))])
    _offer(own, _listed(node.get("offers")), tally)
    return own


def _described(node: Row) -> Row:
    paths = (_text(one) for one in _listed(node.get("category")))
    own: Row = {
        "title": _text(node.get("name")),
        "description": _text(node.get("description")),
        "brand": _text(node.get("brand")) or _text(node.get("manufacturer")),
        "category": deepest(path.replace(" / ", " > ") for path in paths),
        "image_url": next((text for one in _listed(node.get("image")) if (text := _text(one))), ""),
        "url": _text(node.get("url")) or _text(node.get("@id")),
        "group_id": _text(node.get("inProductGroupWithID")) or _text(node.get("isVariantOf")),
        "published": _text(node.get("releaseDate")),
    }
    return {name: value for name, value in own.items() if value}


def _offer(own: Row, offers: list[Any], tally: Tally) -> None:
    """The first offer with a price; an AggregateOffer's lowest. Several offers are noted."""
    told = [offer for offer in offers if isinstance(offer, dict)]
    told += [inner for offer in told for inner in _listed(offer.get("offers")) if isinstance(inner, dict)]
    priced = [(offer, price) for offer in told if (price := _price(offer))]
    if len(priced) > 1:
        tally.note("Some products have several offers; the first one with a price counts.")
    offer, price = priced[0] if priced else (told[0] if told else {}, {})
    own |= price
    if word := _local(_text(offer.get("availability"))):
        own["available"] = word
    level = offer.get("inventoryLevel")
    stock = level.get("value") if isinstance(level, dict) else level
    if not is_missing(stock):
        own["stock"] = stock


def _price(offer: Row) -> Row:
    places = [offer, *(one for one in _listed(offer.get("priceSpecification")) if isinstance(one, dict))]
    for place in places:
        for name in ("price", "lowPrice", "minPrice"):
            if not is_missing(raw := place.get(name)) and not isinstance(raw, dict | list):
                currency = _text(place.get("priceCurrency")) or _text(offer.get("priceCurrency"))
                return {"price": raw, "currency": currency} if currency else {"price": raw}
    return {}


def _text(value: object) -> str:
    """A value as text: itself, the first of a list, or the name (or the like) of a thing."""
    for _ in range(MAX_DEPTH):
        if isinstance(value, list):
            value = next((one for one in value if not is_missing(one)), None)
        elif isinstance(value, dict):
            known: Row = value
            names = ("@value", "name", "value", "productGroupID", "url", "contentUrl", "@id")
            value = next((known[name] for name in names if not is_missing(known.get(name))), None)
        else:
            return read_text(value)
    return ""


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _local(name: object) -> str:
    """ "https://schema.org/InStock", "schema:InStock" -> "InStock"; other texts stay."""
    text = read_text(name, 200)
    for prefix in ("https://schema.org/", "http://schema.org/", "https://www.schema.org/", "schema:"):
        text = text.removeprefix(prefix)
    return text


DIALECT = Dialect("schema-org", "schema.org products as JSON-LD", SIGNS, translate)
