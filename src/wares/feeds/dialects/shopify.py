"""Shopify's product CSV: a row per variant; what all variants share stands in the first row of a handle only.

Both headers are read: "Variant Price", "Body (HTML)", and the one since 2024, "Price", "Description".
"""

import re
from collections.abc import Iterable, Iterator

from wares.feeds.dialects.columns import Dialect, Layouts, Naming, Numbered, Told, add_attribute
from wares.feeds.dialects.sales import with_sale_dates
from wares.feeds.readers import Row
from wares.feeds.report import RowFault, Tally
from wares.feeds.values import read_number

SHARED = ("title", "description", "brand", "category", "active", "visible", "picture")
NAMING = Naming(
    {
        "handle": ("handle", "url_handle"),
        "title": ("title",),
        "description": ("body_(html)", "description"),
        "brand": ("vendor",),
        "category": ("product_category", "google_shopping_/_google_product_category", "type"),
        "active": ("status",),
        "visible": ("published", "published_on_online_store"),
        "id": ("variant_sku", "sku"),
        "price": ("variant_price", "price"),
        "regular": ("variant_compare_at_price", "compare_at_price"),
        "stock": ("variant_inventory_qty", "inventory_quantity"),
        "cost": ("cost_per_item",),
        "image_url": ("variant_image", "variant_image_url"),
        "picture": ("image_src", "product_image_url"),
    },
    {
        "variant_barcode": "gtin",
        "barcode": "gtin",
        "google_shopping_/_gender": "gender",
        "google_shopping_/_age_group": "age_group",
        "google_shopping_/_condition": "condition",
        "google_shopping_/_mpn": "mpn",
    },
    frozenset(
        (
            *(f"option{i}_{what}" for i in (1, 2, 3) for what in ("name", "value")),
            *("tags", "variant_inventory_policy", "continue_selling_when_out_of_stock", "variant_inventory_tracker"),
            *("inventory_tracker", "image_position", "image_alt_text"),
        )
    ),
)
SIGNS = (
    frozenset(("handle", "variant_price")),
    frozenset(("handle", "variant_sku")),
    frozenset(("handle", "body_(html)")),
    frozenset(("url_handle", "option1_value")),
)
_METAFIELD = re.compile(r"(.+?)_\((product|variant)\.metafields\..+\)")
_OPTIONS = ("option1", "option2", "option3")


def translate(rows: Iterable[Numbered], tally: Tally) -> Iterator[Told]:
    """A product per variant, variants in one group. Rows with a picture only are kept and make no product."""
    layouts = Layouts(NAMING, tally)
    products: dict[str, _Shared] = {}
    pictures = 0
    for line, row in rows:
        tally.line = line
        own = layouts.own(row)
        handle = str(own.pop("handle", "")).strip()
        if not handle:
            tally.reject(RowFault("no handle", "handle", "", "Give each row the handle of its product."), row)
            continue
        shared = products.setdefault(handle, _Shared())
        shared.hear(own, layouts, row)
        if shared.fields and "picture" in own and not _is_variant(own, layouts, row):
            tally.kept += 1
            pictures += 1
            continue
        yield line, _variant(handle, own, shared, layouts, row, tally), row
    if pictures:
        tally.note(f"{pictures:,} rows with further pictures were read; a product shows its first one.")
    layouts.note_unused()


class _Shared:
    """What the rows of one handle have in common, as far as read."""

    def __init__(self) -> None:
        self.fields: Row = {}
        self.options: dict[str, str] = {}  # option1 -> its name
        self.attributes: Row = {}

    def hear(self, own: Row, layouts: Layouts, row: Row) -> None:
        first = not self.fields
        for name in SHARED:
            if name in own:
                self.fields.setdefault(name, own[name])
        for option in _OPTIONS:
            if name := layouts.get(row, f"{option}_name"):
                self.options[option] = name
        if first:
            if tags := layouts.get(row, "tags"):
                self.attributes["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
            for name, column in layouts.of(row).folded.items():
                if (found := _METAFIELD.fullmatch(name)) and (value := layouts.get(row, name)):
                    self.attributes[found[1].replace("_", " ")] = [part.strip() for part in value.split(";")]
                    layouts.seen((str(column),))


def _is_variant(own: Row, layouts: Layouts, row: Row) -> bool:
    named = any(layouts.get(row, f"{option}_value") for option in _OPTIONS)
    return named or any(name in own for name in ("id", "price", "title"))


def _variant(handle: str, own: Row, shared: _Shared, layouts: Layouts, row: Row, tally: Tally) -> Row:
    own = {**shared.fields, **own, "group_id": handle}
    own["attributes"] = {**shared.attributes, **own.get("attributes", {})}
    values = []
    for option in _OPTIONS:
        value, name = layouts.get(row, f"{option}_value"), shared.options.get(option, "")
        if value and value != "Default Title":
            values.append(value)
            add_attribute(own, name or option, value)
    if "id" not in own:
        own["id"] = "/".join([handle, *values])
        fix = "Give each variant its own SKU, the one that events name."
        tally.repair("no SKU: named by handle and options", layouts.column(row, "variant_sku", "sku"), "", fix)
    picture = own.pop("picture", None)
    own.setdefault("image_url", picture)
    active, visible = str(own.pop("active", "active")).lower(), str(own.pop("visible", "true")).lower()
    own["available"] = active in ("active", "") and visible in ("true", "1", "yes", "")
    policy = layouts.get(row, "variant_inventory_policy", "continue_selling_when_out_of_stock").lower()
    tracked = layouts.get(row, "variant_inventory_tracker", "inventory_tracker")
    oversold = policy in ("continue", "true") and not read_number(own.get("stock")) > 0
    if oversold or (not tracked and own.get("stock") in ("0", "")):  # sold though nothing is counted
        own.pop("stock", None)
    return _with_regular_price(own, tally)


def _with_regular_price(own: Row, tally: Tally) -> Row:
    """Shopify's price is the one that is paid; the other one, where it is higher, was the regular one."""
    regular = own.pop("regular", None)
    if regular is not None and "price" in own and read_number(regular) > read_number(own["price"]):
        own["sale_price"], own["price"] = own["price"], regular
        return with_sale_dates(own)
    return own


DIALECT = Dialect("shopify", "Shopify's product CSV", SIGNS, translate)
