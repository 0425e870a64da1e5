"""Magento 2's (Adobe Commerce's) product CSV: simple products, and configurable ones that list their variants."""

import re
from collections.abc import Iterable, Iterator

from wares.feeds.dialects.columns import Dialect, Layouts, Naming, Numbered, Told, add_attribute, deepest, path_of
from wares.feeds.dialects.families import Families
from wares.feeds.dialects.sales import iso_date, with_sale_dates
from wares.feeds.readers import Row
from wares.feeds.report import LeftOut, Tally
from wares.feeds.values import read_number, read_text

NAMING = Naming(
    {
        "id": ("sku",),
        "title": ("name",),
        "description": ("description", "short_description"),
        "brand": ("brand", "manufacturer"),
        "price": ("price",),
        "sale_price": ("special_price",),
        "sale_from": ("special_price_from_date",),
        "sale_until": ("special_price_to_date",),
        "stock": ("qty",),
        "cost": ("cost",),
        "image_url": ("base_image", "image", "small_image"),
        "published": ("created_at",),
    },
    {"color": "color", "size": "size"},
    frozenset(
        (
            *("store_view_code", "product_type", "categories", "product_online", "visibility", "is_in_stock"),
            *("manage_stock", "use_config_manage_stock", "allow_backorders", "use_config_backorders"),
            *("additional_attributes", "configurable_variations", "associated_skus"),
        )
    ),
)
SIGNS = (
    frozenset(("sku", "product_type", "attribute_set_code")),
    frozenset(("sku", "store_view_code")),
    frozenset(("sku", "product_online", "categories")),
)
_ASSIGNED = re.compile(r"(?:^|,)([A-Za-z]\w*)=")
_OFF = ("0", "2", "no", "disabled", "0.0000", "2.0000")
_HIDDEN = "not visible individually"
_ROOT = "Default Category"


def translate(rows: Iterable[Numbered], tally: Tally) -> Iterator[Told]:
    """A product per row, but for configurable ones whose variants are in the feed. Rows of store views are left out."""
    layouts, families = Layouts(NAMING, tally), Families(tally)
    parent_of: dict[str, str] = {}  # a variant's sku -> its article's
    choices_of: dict[str, dict[str, str]] = {}  # a variant's sku -> what makes it this one
    for line, row in rows:
        tally.line = line
        if view := layouts.get(row, "store_view_code"):
            fix = "Nothing to do: a product has one text so far, that of the default view."
            tally.reject(LeftOut("a row of one store view", "store_view_code", view, fix), row)
            continue
        own = _product(row, layouts, tally)
        sku = read_text(own.get("id"))
        for variant in layouts.get(row, "configurable_variations").split("|"):
            told = assignments(variant)
            if (child := told.pop("sku", "")) and child != sku:
                parent_of[child], choices_of[child] = sku, told
        families.add((line, own, row), (sku,))
    for (line, own, raw), article, _ in families.told(parent_of):
        tally.line = line
        for name, value in choices_of.get(read_text(own.get("id")), {}).items():
            add_attribute(own, name, value)
        visibility = layouts.get(raw, "visibility")
        if article is None and visibility.lower() == _HIDDEN:
            fix = "Export the configurable product that lists it in configurable_variations."
            tally.repair("hidden, and of no article in the feed: not available", "visibility", visibility, fix)
            own["available"] = False
        yield line, with_sale_dates(own, midnight_is_day=True), raw
    layouts.note_unused()


def _product(row: Row, layouts: Layouts, tally: Tally) -> Row:
    own = layouts.own(row)
    paths = [path_of(path.strip(), "/") for path in layouts.get(row, "categories").split(",")]
    own["category"] = deepest(path.removeprefix(_ROOT).removeprefix(" > ") for path in paths)
    for name, value in assignments(layouts.get(row, "additional_attributes")).items():
        add_attribute(own, name, value.split("|") if "|" in value else value)
    online, in_stock = layouts.get(row, "product_online").lower(), layouts.get(row, "is_in_stock").lower()
    own["available"] = online not in _OFF and in_stock not in ("0", "no", "out of stock", "0.0000")
    uncounted = layouts.get(row, "manage_stock") == "0" and layouts.get(row, "use_config_manage_stock") in ("", "0")
    backorders = read_number(layouts.get(row, "allow_backorders")) > 0
    composed = layouts.get(row, "product_type").lower() in ("configurable", "bundle", "grouped")  # their parts count
    if uncounted or backorders or composed:
        own.pop("stock", None)
    if "published" in own:
        text = read_text(own["published"], 60)
        own["published"] = iso_date(text) or text
    if (picture := read_text(own.get("image_url"))) and not picture.startswith("http"):
        tally.note("Pictures are paths without the shop's address; they show where wares is served from there.")
    return own


def assignments(text: str) -> dict[str, str]:
    """ "color=Red,note=a, b" -> {"color": "Red", "note": "a, b"}: a comma counts where a name and = follow.

    >>> assignments("sku=shirt-red,color=Red")
    {'sku': 'shirt-red', 'color': 'Red'}
    """
    marks = list(_ASSIGNED.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    return {mark[1]: text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)}


DIALECT = Dialect("magento", "Magento 2's product CSV", SIGNS, translate)
