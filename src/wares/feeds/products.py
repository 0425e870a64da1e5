"""Rows -> products. What a feed gets wrong about a price or a date is unknown, not fatal; only the id is needed."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from wares.domain.money import scale_of
from wares.domain.product import PATH_SEPARATOR, Product
from wares.domain.text import MAX_TEXT
from wares.feeds.amounts import Amount, read_amount
from wares.feeds.dialects.product_feeds import OWN, check_names, read_feed, recognise
from wares.feeds.markup import has_markup, plain_text
from wares.feeds.readers import Row, Source, name_of, read_rows
from wares.feeds.report import Reading, RowFault, Tally
from wares.feeds.values import (
    DAY_MS,
    EARLIEST_MS,
    clock,
    is_missing,
    is_missing_cell,
    read_minor,
    read_number,
    read_text,
)

FIELDS = (
    *("id", "title", "description", "brand", "category", "price", "currency", "stock", "available"),
    *("group_id", "image_url", "url", "published", "attributes"),
)
ALIASES = {"item_group_id": "group_id", "product_id": "id", "image_link": "image_url", "link": "url"}
MAX_ID = 500  # characters
MAX_VALUE = 1000  # characters of one attribute value
MAX_STOCK = 10**12
_MAX_SHARED = 50_000  # values of which equal ones are kept once
T = TypeVar("T")
_TEXTS = ("id", "title", "description", "brand", "group_id", "image_url", "url")  # of a list the first one counts
# Words of availability, without blanks, hyphens and underscores; schema.org's without their address.
_YES = frozenset(
    (
        *(
            "true",
            "t",
            "1",
            "1.0",
            "yes",
            "y",
            "on",
            "active",
            "enabled",
            "instock",
            "available",
            "preorder",
            "presale",
        ),
        *("backorder", "limitedavailability", "onlineonly", "madetoorder", "lowstock", "ja", "auflager", "lieferbar"),
        *("sofortlieferbar", "vorrätig", "verfügbar", "aktiv", "vorbestellbar", "oui", "enstock", "disponible"),
        *("surcommande", "有货", "现货", "在售", "上架", "预售", "是", "有貨", "現貨"),
    )
)
_NO = frozenset(
    (
        *("false", "f", "0", "0.0", "no", "n", "off", "inactive", "disabled", "outofstock", "unavailable", "soldout"),
        *("discontinued", "instoreonly", "reserved", "nein", "nichtlieferbar", "nichtvorrätig", "nichtverfügbar"),
        *("nichtauflager", "ausverkauft", "vergriffen", "inaktiv", "non", "rupture", "rupturedestock", "épuisé"),
        *("indisponible", "nondisponible", "缺货", "无货", "售罄", "下架", "否", "缺貨", "無貨"),
    )
)


def read_products(
    source: Source,
    *,
    now_ms: int,
    currency: str = "",
    timezone: str = "UTC",
    rejects: Path | None = None,
    examples: int = 5,
    dialect: str = "",
    columns: Mapping[str, str] | None = None,
) -> Reading[Product]:
    """Products of a path, table or iterable of dicts, each id once: of two rows with one id the last wins.

    Prices are in major units of the currency that they name, the row's `currency` or the one given. Further columns
    become attributes. The catalogue is held in memory until the source ends. `rejects` names a JSONL file for rejected
    rows. `dialect` names the format (`product_feeds.NAMES`); without it a file's is recognised, and rows that are no
    file have wares' own columns. `columns` maps fields to the columns that they are in. Raises InputError for a source
    that cannot be read at all, UnknownName for a dialect, field or column that there is not.
    """
    tally = Tally(name_of(source), rejects, examples)
    check_names(dialect, columns)
    is_file = isinstance(source, str | Path)
    rows = read_feed(source, tally) if is_file else read_rows(source, tally)

    def products() -> Iterator[Product]:
        feed = recognise(rows, tally, dialect if is_file else dialect or OWN, columns)
        if feed.dialect != OWN:
            tally.note(f"Read as {feed.dialect}: {feed.why}.")
        for guess in feed.guesses:
            if guess.field:
                tally.note(f"The column {guess.column[:80]!r} was read as {guess.field} ({guess.why}).")
        maker = _Maker(tally, now_ms, currency.upper(), clock(timezone), foreign=feed.dialect != OWN)
        last: dict[str, Product] = {}
        for line, row, raw in feed.told(tally):
            tally.line = line
            try:
                product = maker.make(row)
            except RowFault as fault:
                tally.reject(fault, raw)
                continue
            tally.kept += 1
            if last.pop(product.id, None) is not None:
                tally.repair("repeated id: the last row counts", "id", product.id, "Give each product once.")
            last[product.id] = product
        yield from last.values()

    return Reading(products(), tally)


class _Maker:
    """Makes products of rows; remembers what each column name means.

    In a `foreign` feed titles may hold HTML too, and 1.299 may be a thousand.
    """

    def __init__(
        self,
        tally: Tally,
        now_ms: int,
        currency: str,
        time_of: Callable[[object], int | None],
        *,
        foreign: bool = False,
    ) -> None:
        self.tally, self.currency, self.time_of, self.foreign = tally, currency, time_of, foreign
        self.latest_ms = now_ms + 365 * DAY_MS  # a product may be announced, within reason
        self.meanings: dict[str, str] = {}  # column -> field, or "" for an attribute
        self.paths: dict[str, tuple[str, ...]] = {}  # category as it was told -> path
        self.known: dict[Any, Any] = {}  # brands and attribute values: equal ones of a million products are one object

    def make(self, row: Row) -> Product:
        """Raises RowFault for a row without an id."""
        known: dict[str, Any] = {}
        further: dict[str, Any] = {}
        for column, value in row.items():
            field = self.meanings.get(column)
            if field is None:
                field = self._meaning(column)
            if not field:
                further[str(column)] = value
                continue
            if isinstance(value, list) and field in _TEXTS:
                value = next((one for one in value if not is_missing(one)), None)
            if not is_missing(value) or field not in known:
                known[field] = value
        product_id = read_text(known.get("id"))
        if not product_id:
            raise RowFault("no id", "id", product_id, "Give each product its own 'id'.")
        if len(product_id) > MAX_ID:
            raise RowFault("id too long", "id", product_id, f"Use ids of at most {MAX_ID} characters.")
        currency, amount = self._money(known)
        attributes = known.get("attributes")
        if isinstance(attributes, str) and attributes.startswith("{"):
            attributes = _json(attributes)
        if isinstance(attributes, dict):
            further |= attributes
        return Product(
            id=product_id,
            title=self._text("title", known),
            description=self._text("description", known),
            brand=self._shared(read_text(known.get("brand"), MAX_VALUE)),
            category=self._category(known.get("category")),
            price_minor=self._price(known.get("price") if amount is None else amount.value, currency),
            currency=currency,
            stock=self._stock(known.get("stock")),
            available=self._available(known.get("available")),
            group_id=read_text(known.get("group_id")),
            image_url=read_text(known.get("image_url")),
            url=read_text(known.get("url")),
            published_ms=self._published(known.get("published")),
            attributes=self._attributes(further),
        )

    def _meaning(self, column: str) -> str:
        folded = str(column).strip().lower().replace(" ", "_")
        folded = ALIASES.get(folded, folded)
        meaning = folded if folded in FIELDS else ""
        if len(self.meanings) < 10_000:
            self.meanings[column] = meaning
        return meaning

    def _shared(self, value: T) -> T:
        """An equal value that was seen before, if any: most products share theirs with others."""
        if len(self.known) < _MAX_SHARED:
            return self.known.setdefault(value, value)  # type: ignore[no-any-return]
        return self.known.get(value, value)  # type: ignore[no-any-return]

    def _category(self, raw: object) -> tuple[str, ...]:
        if type(raw) is not str:
            return self._shared(_path(raw))
        path = self.paths.get(raw)
        if path is None:
            path = _path(raw)
            if len(self.paths) < _MAX_SHARED and len(raw) <= MAX_VALUE:
                self.paths[raw] = path
        return path

    def _text(self, field: str, known: dict[str, Any]) -> str:
        raw = known.get(field)
        if isinstance(raw, str) and (field == "description" or self.foreign) and has_markup(raw):
            self.tally.repair(f"HTML in the {field}: its text", field, raw[:100], "Give plain text, or leave it so.")
            raw = plain_text(raw)
        if isinstance(raw, str) and len(raw) > MAX_TEXT:
            self.tally.repair(f"{field} cut", field, raw[:100], f"Use at most {MAX_TEXT:,} characters.")
        text = read_text(raw, MAX_TEXT)
        if not text:
            self.tally.miss(field)
        return text

    def _money(self, known: dict[str, Any]) -> tuple[str, Amount | None]:
        """The currency, and the price where it is a text that names one or is written as people do ("12,50 €")."""
        told = read_text(known.get("currency")).upper()
        raw = known.get("price")
        if not isinstance(raw, str):
            return told or self.currency, None
        amount = read_amount(raw, told or self.currency, points_group=self.foreign)
        if amount is None:
            return told or self.currency, None
        if told and amount.currency and amount.currency != told:
            fix = f"The price names {amount.currency}, the currency is {told}. Give one of them."
            self.tally.repair("two currencies: that of the price", "currency", told, fix)
        if amount.doubtful:
            fix = "Write 1299.00 or 1,299.00 for a thousand, 1.30 for one."
            self.tally.repair("a point before three digits: thousands", "price", raw, fix)
        return amount.currency or told or self.currency, amount

    def _price(self, raw: object, currency: str) -> int | None:
        if is_missing_cell(raw):
            self.tally.miss("price")
            return None
        minor = read_minor(raw, scale_of(currency))
        if minor is None:
            self.tally.repair("price is no amount: unknown", "price", raw, "Give a price of at least 0, like 12.50.")
        return minor

    def _stock(self, raw: object) -> int | None:
        if is_missing(raw):
            return None
        stock = read_number(raw)
        if 0 <= stock <= MAX_STOCK:
            return int(stock)
        if stock < 0:
            self.tally.repair("negative stock: 0", "stock", raw, "Give the number of units at hand, at least 0.")
            return 0
        self.tally.repair("stock is no number: not counted", "stock", raw, "Give the number of units at hand.")
        return None

    def _available(self, raw: object) -> bool:
        if is_missing(raw):
            return True
        word = read_text(raw, 100).lower().rpartition("schema.org/")[2]
        word = word.replace(" ", "").replace("_", "").replace("-", "")
        if word not in _YES and word not in _NO:
            self.tally.repair("unclear availability: available", "available", raw, "Use true or false.")
        return word not in _NO

    def _published(self, raw: object) -> int | None:
        if is_missing(raw):
            return None
        time_ms = self.time_of(raw)
        if time_ms is not None and EARLIEST_MS <= time_ms <= self.latest_ms:
            return time_ms
        fix = "Use ISO 8601 (2026-01-31) or Unix seconds or ms, from 1990 to a year from now."
        self.tally.repair("published is no date: unknown", "published", raw, fix)
        return None

    def _attributes(self, further: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        attributes = {}
        for name, raw in further.items():
            raw = raw.tolist() if hasattr(raw, "tolist") else raw  # numpy, as pandas holds lists
            values = raw if isinstance(raw, list | tuple | set) else (raw,)
            texts = tuple(dict.fromkeys(text for value in values if (text := self._attribute(name, value))))
            if texts and (key := read_text(name, 100)):
                if key in FIELDS:
                    self.tally.note(f"An attribute may not be called {key!r}, which is a field; it is not used.")
                else:
                    attributes[key] = self._shared(texts)
        return attributes

    def _attribute(self, name: str, raw: object) -> str:
        if isinstance(raw, dict | list):
            self.tally.note(f"The attribute {name[:80]!r} holds nested values, which are not used.")
            return ""
        if isinstance(raw, str) and len(raw) > MAX_VALUE:
            self.tally.repair("attribute cut", name, raw[:100], f"Use at most {MAX_VALUE} characters.")
        return read_text(raw, MAX_VALUE)


def _path(raw: object) -> tuple[str, ...]:
    """ "A > B" or a list of levels -> the path, root first."""
    if raw is None:
        return ()
    levels = raw if isinstance(raw, list | tuple) else read_text(raw, MAX_TEXT).split(PATH_SEPARATOR.strip())
    return tuple(text for level in levels if (text := read_text(level, MAX_VALUE)))


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
