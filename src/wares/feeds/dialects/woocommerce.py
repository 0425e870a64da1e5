"""WooCommerce's product CSV, with its English, German or French header: simple, variable, variation and other rows."""

import re
from collections.abc import Iterable, Iterator

from wares.feeds.dialects.columns import Dialect, Layouts, Naming, Numbered, Told, add_attribute, deepest
from wares.feeds.dialects.families import Families
from wares.feeds.dialects.sales import with_sale_dates
from wares.feeds.readers import Row
from wares.feeds.report import RowFault, Tally

NAMING = Naming(
    {
        "number": ("id",),
        "sku": ("sku", "artikelnummer", "ugs"),
        "title": ("name", "nom"),
        "description": ("description", "beschreibung"),
        "short": ("short_description", "kurzbeschreibung", "description_courte"),
        "brand": ("brands", "brand", "marken", "marques"),
        "price": ("regular_price", "regulärer_preis", "tarif_régulier"),
        "sale_price": ("sale_price", "angebotspreis", "tarif_promo"),
        "sale_from": ("date_sale_price_starts", "datum,_an_dem_angebotspreis_beginnt", "date_de_début_de_promo"),
        "sale_until": ("date_sale_price_ends", "datum,_an_dem_angebotspreis_endet", "date_de_fin_de_promo"),
        "stock": ("stock", "lager", "bestand", "lagerbestand"),
    },
    {"gtin,_upc,_ean,_or_isbn": "gtin", "gtin,_upc,_ean_oder_isbn": "gtin"},
    frozenset(
        (
            *("type", "typ", "published", "veröffentlicht", "publié", "in_stock?", "vorrätig?", "en_stock_?"),
            *("backorders_allowed?", "lieferrückstand_erlaubt?", "categories", "kategorien", "catégories"),
            *("tags", "schlagwörter", "étiquettes", "images", "bilder", "parent", "übergeordnetes_produkt"),
            *("visibility_in_catalog", "sichtbarkeit_im_katalog", "external_url", "externe_url"),
        )
    ),
)
SIGNS = (
    frozenset(("type", "sku", "regular_price")),
    frozenset(("type", "visibility_in_catalog")),
    frozenset(("typ", "regulärer_preis")),
    frozenset(("type", "tarif_régulier")),
)
KINDS = {"variable", "variation", "simple", "grouped", "external", "virtual", "downloadable", "subscription"}
_NAMED = re.compile(r"(?:attribute|attribut)_(\d+)_(?:name|nom)|name_des_attributs_(\d+)|nom_de_l’attribut_(\d+)")
_VALUES = ("attribute_{}_value(s)", "attribut_{}_wert(e)", "wert(e)_des_attributs_{}", "attribut_{}_valeur(s)")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")


def translate(rows: Iterable[Numbered], tally: Tally) -> Iterator[Told]:
    """A product per row that can be bought; a variable one lends its variations what they lack."""
    layouts, families = Layouts(NAMING, tally), Families(tally)
    for line, row in rows:
        tally.line = line
        kind = layouts.get(row, "type", "typ").lower()
        kinds = {word.strip() for word in kind.split(",")}
        if kind and not kinds & KINDS:
            fix = "Use simple, variable, variation, grouped or external."
            tally.reject(RowFault("unknown type", layouts.column(row, "type", "typ"), kind, fix), row)
            continue
        own = _product(row, layouts, tally)
        parent = layouts.get(row, "parent", "übergeordnetes_produkt") if "variation" in kinds else ""
        number, sku = str(own.pop("number", "")).strip(), str(own.pop("sku", "")).strip()
        own["id"] = number or sku
        if sku and number:
            add_attribute(own, "sku", sku)
        if "variation" in kinds and not parent:
            fix = "Name the product above by its SKU, or as id:12. The variation stands alone until then."
            tally.repair("variation without parent: alone", layouts.column(row, "parent"), "", fix)
        families.add((line, own, row), (f"id:{number}" if number else "", sku), parent)
    yield from _settled(families, tally, layouts)
    layouts.note_unused()


def _settled(families: Families, tally: Tally, layouts: Layouts) -> Iterator[Told]:
    for (line, own, raw), article, parent in families.told():
        tally.line = line
        if parent and article is None:
            fix = "Export the variable product together with its variations."
            tally.repair("parent is not in the feed: alone", layouts.column(raw, "parent"), parent, fix)
            own["group_id"] = parent
        yield line, with_sale_dates(own, midnight_is_day=True), raw


def _product(row: Row, layouts: Layouts, tally: Tally) -> Row:
    own = layouts.own(row)
    short = own.pop("short", None)
    own.setdefault("description", short)
    paths = _UNESCAPED_COMMA.split(layouts.get(row, "categories", "kategorien", "catégories"))
    own["category"] = deepest(path.replace("\\,", ",") for path in paths)
    pictures = layouts.get(row, "images", "bilder").split(", ")
    own["image_url"] = pictures[0].strip()
    if tags := layouts.get(row, "tags", "schlagwörter", "étiquettes"):
        add_attribute(own, "tags", _listed(tags))
    own["available"] = _available(row, own, layouts, tally)
    for name in list(layouts.of(row).folded):
        if found := _NAMED.fullmatch(name):
            _attribute(own, row, layouts, name, next(number for number in found.groups() if number))
    return own


def _available(row: Row, own: Row, layouts: Layouts, tally: Tally) -> bool:
    """Published and in stock. What may be sold on backorder is not held back by its stock."""
    published = layouts.get(row, "published", "veröffentlicht", "publié")
    in_stock = layouts.get(row, "in_stock?", "vorrätig?", "en_stock_?").lower()
    backorders = layouts.get(row, "backorders_allowed?", "lieferrückstand_erlaubt?").lower()
    if published not in ("", "1", "0", "-1", "1.0", "0.0"):
        fix = "Use 1 for published, 0 for private, -1 for a draft."
        tally.repair("unclear whether published: available", layouts.column(row, "published"), published, fix)
    if in_stock == "backorder" or backorders in ("1", "notify", "yes"):
        own.pop("stock", None)
    return published not in ("0", "-1", "0.0") and in_stock not in ("0", "no", "false", "0.0")


def _attribute(own: Row, row: Row, layouts: Layouts, name_column: str, number: str) -> None:
    values_columns = [pattern.format(number) for pattern in _VALUES]
    name, values = layouts.get(row, name_column), layouts.get(row, *values_columns)
    if name and values:
        add_attribute(own, name, _listed(values))
    known = layouts.of(row).folded
    flags = [f"attribute_{number}_{what}" for what in ("visible", "global", "default")]
    layouts.seen(str(known[column]) for column in (name_column, *values_columns, *flags) if column in known)


def _listed(text: str) -> list[str]:
    return [part.replace("\\,", ",").strip() for part in _UNESCAPED_COMMA.split(text) if part.strip()]


DIALECT = Dialect("woocommerce", "WooCommerce's product CSV", SIGNS, translate)
