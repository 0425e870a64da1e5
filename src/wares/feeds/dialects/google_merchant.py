"""A Google Merchant feed, as TSV, CSV, RSS or Atom: https://support.google.com/merchants/answer/7052112."""

from collections.abc import Iterable, Iterator

from wares.feeds.dialects.columns import Dialect, Layouts, Naming, Numbered, Told, add_attribute, deepest, folded
from wares.feeds.dialects.sales import with_sale_dates
from wares.feeds.readers import Row
from wares.feeds.report import Tally
from wares.feeds.values import read_text

NAMING = Naming(
    {
        "id": ("id", "offer_id"),
        "title": ("title", "structured_title"),
        "description": ("description", "summary", "content"),
        "brand": ("brand",),
        "price": ("price",),
        "sale_price": ("sale_price",),
        "available": ("availability",),
        "stock": ("sell_on_google_quantity", "quantity", "inventory"),
        "group_id": ("item_group_id",),
        "cost": ("cost_of_goods_sold",),
        "image_url": ("image_link",),
        "url": ("link", "canonical_link", "mobile_link"),
        "published": ("published",),
    },
    {
        **{name: name for name in ("color", "size", "gender", "age_group", "material", "pattern", "condition", "gtin")},
        **{
            name: name
            for name in ("mpn", "size_type", "size_system", "energy_efficiency_class", "unit_pricing_measure")
        },
    },
    frozenset(("product_type", "google_product_category", "sale_price_effective_date", "product_detail")),
)
SIGNS = (
    *(frozenset((name,)) for name in ("g:id", "g:title", "g:price")),
    *(
        frozenset(("id", name))
        for name in ("availability", "google_product_category", "product_type", "sale_price_effective_date")
    ),
)
# Columns of wares' own that Google's feeds do not have: with one of them, what is not known is an attribute.
NEVER = frozenset(("category", "stock", "available", "group_id", "image_url", "attributes"))
_SEVERAL = ("color", "material", "size")  # one value per slash: "Red/Green"


def fold(name: str) -> str:
    """Without the namespace, which each feed may call as it likes."""
    return folded(name.rpartition(":")[2])


def translate(rows: Iterable[Numbered], tally: Tally) -> Iterator[Told]:
    """Prices carry their currency; the shop's own `product_type` is the category before Google's."""
    layouts = Layouts(NAMING, tally, fold)
    for line, row in rows:
        tally.line = line
        yield line, _product(row, layouts, tally), row
    layouts.note_unused()


def _product(row: Row, layouts: Layouts, tally: Tally) -> Row:
    own: Row = {name: _first(value) if name != "attributes" else value for name, value in layouts.own(row).items()}
    names = layouts.of(row).folded
    own["category"] = _category(row, names, tally)
    for name in _SEVERAL:
        text = own.get("attributes", {}).get(name)
        if isinstance(text, str) and "/" in text and len(text) < 200:
            own["attributes"][name] = [part.strip() for part in text.split("/") if part.strip()]
    for detail in _several(row, names, "product_detail"):  # section:name:value
        parts = [part.strip() for part in detail.split(":", 2)]
        if len(parts) == 3 and parts[1]:
            add_attribute(own, parts[1], parts[2])
    period = layouts.get(row, "sale_price_effective_date")
    if period:
        begins, slash, ends = period.partition("/")
        tally.names = {**tally.names, "sale_from": (named := layouts.column(row, "sale_price_effective_date"))}
        tally.names = {**tally.names, "sale_until": named}
        own["sale_from"], own["sale_until"] = begins, (ends if slash else "")
    return with_sale_dates(own)


def _category(row: Row, names: dict[str, str], tally: Tally) -> str:
    if paths := [path for path in _several(row, names, "product_type") if path]:
        return deepest(paths)
    google = next(iter(_several(row, names, "google_product_category")), "")
    if google.isdigit():  # a number of Google's taxonomy
        fix = "Give the path itself (Apparel & Accessories > Clothing), or the shop's own as product_type."
        tally.repair("the category is a number: unknown", names["google_product_category"], google, fix)
        return ""
    return google


def _several(row: Row, names: dict[str, str], name: str) -> list[str]:
    """What an attribute that may be repeated says."""
    value = row.get(names[name]) if name in names else None
    texts = [read_text(one) for one in (value if isinstance(value, list) else (value,))]
    return [text for text in texts if text]


def _first(value: object) -> object:
    """Of an attribute that came several times the first: pictures are listed best first."""
    return next(iter(value), None) if isinstance(value, list) else value


DIALECT = Dialect("google-merchant", "a Google Merchant feed (TSV, CSV, RSS or Atom)", SIGNS, translate, NEVER)
