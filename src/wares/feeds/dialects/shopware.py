"""Shopware 6's product CSV (default profile): variants name their article by id and leave empty what they inherit."""

import re
from collections.abc import Iterable, Iterator

from wares.feeds.dialects.columns import Dialect, Layouts, Naming, Numbered, Told, add_attribute, deepest, path_of
from wares.feeds.dialects.families import Families
from wares.feeds.readers import Row
from wares.feeds.report import Tally
from wares.feeds.values import read_text

NAMING = Naming(
    {
        "key": ("id",),
        "parent": ("parent_id", "parentid"),
        "id": ("product_number", "productnumber"),
        "title": ("name", "translations.default.name"),
        "description": ("description", "translations.default.description"),
        "brand": ("manufacturer_name", "manufacturer"),
        "category": ("categories", "category"),
        "price": ("price_gross", "price.default.gross"),
        "net": ("price_net", "price.default.net"),
        "stock": ("available_stock", "stock"),
        "available": ("active",),
        "image_url": ("cover_media_url", "cover"),
        "published": ("release_date", "releasedate"),
    },
    {"ean": "gtin", "manufacturer_number": "mpn"},
    frozenset(("propertyids", "optionids", "properties", "options", "is_closeout")),
)
SIGNS = (
    frozenset(("product_number", "price_gross")),
    frozenset(("product_number", "price_net")),
    frozenset(("product_number", "parent_id")),
    frozenset(("product_number", "tax_rate")),
    frozenset(("productnumber", "parentid")),
)
_KEY = re.compile(r"[0-9a-f]{32}")


def translate(rows: Iterable[Numbered], tally: Tally) -> Iterator[Told]:
    """A product per row, but for articles with variants. `product_number` is the id; the price is the gross one."""
    layouts, families = Layouts(NAMING, tally), Families(tally)
    for line, row in rows:
        tally.line = line
        own = layouts.own(row)
        key, parent = (read_text(own.pop(name, None)) for name in ("key", "parent"))
        own.setdefault("id", key)
        _price(own, layouts, row, tally)
        _category(own, tally)
        _options(own, layouts, row, tally)
        families.add((line, own, row), (key, read_text(own["id"])), parent)
    for (line, own, raw), article, parent in families.told():
        tally.line = line
        if article is None and parent:
            fix = "Export the article together with its variants. The variant stands alone until then."
            column = layouts.column(raw, "parent_id", "parentid")
            tally.repair("parent is not in the feed: alone", column, parent, fix)
            own = {**own, "group_id": parent}
        yield line, own, raw
    layouts.note_unused()


def _price(own: Row, layouts: Layouts, row: Row, tally: Tally) -> None:
    net = own.pop("net", None)
    if "price" not in own and net is not None:
        fix = "Export price_gross: it is what shoppers pay."
        tally.repair("no gross price: the net price", layouts.column(row, "price_net"), net, fix)
        own["price"] = net


def _category(own: Row, tally: Tally) -> None:
    """The deepest of several; Shopware's own ids say nothing to a person."""
    if "category" not in own:
        return
    text = read_text(own["category"])
    paths = [path.strip() for path in text.split("|") if path.strip()]
    named = [path_of(path, "/") if ">" not in path else path for path in paths if not _KEY.fullmatch(path)]
    if paths and not named:
        fix = "Add the categories' names (their breadcrumb) to the export profile: Clothing > Shirts."
        tally.repair("the category is an id: unknown", "category", text, fix)
    own["category"] = deepest(named)


def _options(own: Row, layouts: Layouts, row: Row, tally: Tally) -> None:
    """ "color: red|size: L" as attributes; ids of options are left out."""
    for column in ("options", "properties", "optionids", "propertyids"):
        for part in layouts.get(row, column).split("|"):
            name, colon, value = part.partition(":")
            if colon and name.strip() and value.strip():
                add_attribute(own, name.strip(), value.strip())
            elif _KEY.fullmatch(part.strip()):
                tally.note("Options and properties that are given as Shopware's ids are not used: export their names.")


DIALECT = Dialect("shopware", "Shopware 6's product CSV", SIGNS, translate)
