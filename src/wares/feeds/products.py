"""Rows -> products. What a feed gets wrong about a price or a date is unknown, not fatal; only the id is needed."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from wares.domain.money import scale_of
from wares.domain.product import PATH_SEPARATOR, Product, ProductText
from wares.domain.text import MAX_TEXT
from wares.feeds.dialects.columns import Numbered
from wares.feeds.dialects.product_feeds import OWN, check_names, read_feed, recognise
from wares.feeds.filling import FILLED, Known, complete
from wares.feeds.markup import has_markup, plain_text
from wares.feeds.missing import Way
from wares.feeds.offers import FIELDS as OFFER_FIELDS
from wares.feeds.offers import OfferReader
from wares.feeds.readers import Row, Source, name_of, read_rows
from wares.feeds.report import Reading, RowFault, Tally
from wares.feeds.values import DAY_MS, EARLIEST_MS, clock, is_missing, read_minor, read_text

FIELDS = (
    *("id", "title", "description", "brand", "category", *OFFER_FIELDS),
    *("cost", "margin", "stock_since"),
    *("group_id", "image_url", "url", "published", "attributes", "markets", "texts"),
)
ALIASES = {"item_group_id": "group_id", "product_id": "id", "image_link": "image_url", "link": "url"}
MAX_ID = 500  # characters
MAX_VALUE = 1000  # characters of one attribute value
_FORESEEN_DAYS = 20_000  # of sale dates: 2099-12-31 is how many systems say "always"
_MAX_SHARED = 50_000  # values of which equal ones are kept once
# price[ch] is the price in the market ch, title[fr] the title in French.
_SEVERAL = "\x1f"  # stands between several values of one attribute that is filled
_OF_PART = re.compile(r"(\w+)\[([A-Za-z0-9_-]{1,40})\]")
T = TypeVar("T")
Unfold = Callable[[Iterator[Numbered], Tally], Iterator[Numbered]]
_OF_TEXT = ("title", "description")
_TEXTS = ("id", "title", "description", "brand", "group_id", "image_url", "url")  # of a list the first one counts


def read_products(
    source: Source,
    *,
    now_ms: int,
    currency: str = "",
    timezone: str = "UTC",
    markets: Mapping[str, str] | None = None,
    rejects: Path | None = None,
    examples: int = 5,
    dialect: str = "",
    columns: Mapping[str, str] | None = None,
    unfold: Unfold | None = None,
    market: str = "",
    fill: Mapping[str, Way] | None = None,
) -> Reading[Product]:
    """Products of a path, table or iterable of dicts, each id once: of two rows with one id the last wins.

    Prices are in major units of the currency that they name, the row's `currency` or the one given. Further columns
    become attributes. `timezone` counts for times without one; `markets` names those of the shop, each with its
    currency. The catalogue is held in memory until the source ends. `rejects` names a JSONL file for rejected rows.
    `dialect` names the format (`product_feeds.NAMES`); without it a file's is recognised, and rows that are no file
    have wares' own columns. `columns` maps fields to the columns that they are in. `unfold` makes the rows of what the
    source holds. `market`: whose feed this is; what rows say of price and stock is then its offer, too. `fill` says how
    missing values of brand, category, price, stock or an attribute are filled, and marks them. Raises InputError for a
    source that cannot be read at all, UnknownName for a dialect, field or column that there is not.
    """
    tally = Tally(name_of(source), rejects, examples)
    check_names(dialect, columns)
    is_file = isinstance(source, str | Path)
    rows = read_feed(source, tally) if is_file else read_rows(source, tally)
    if unfold is not None:
        rows = unfold(rows, tally)

    def products() -> Iterator[Product]:
        feed = recognise(rows, tally, dialect if is_file else dialect or OWN, columns)
        if feed.dialect != OWN:
            tally.note(f"Read as {feed.dialect}: {feed.why}.")
        for guess in feed.guesses:
            if guess.field:
                tally.note(f"The column {guess.column[:80]!r} was read as {guess.field} ({guess.why}).")
        of_market, foreign = markets or {}, feed.dialect != OWN
        maker = _Maker(tally, now_ms, currency.upper(), clock(timezone), of_market, market, foreign=foreign)
        last: dict[str, Product] = {}
        known: dict[str, Known] = {}
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
            if fill:
                known[product.id] = Known(line, raw, _facts(product, maker.offers.currency), product.title)
        if not fill:
            yield from last.values()
            return
        told = complete([known[id_] for id_ in last], fill, "product", tally)
        for product, facts in zip(last.values(), told, strict=True):
            if facts is not None:
                yield _with_facts(product, facts, maker.offers.currency)

    return Reading(products(), tally)


def field_of(column: str) -> str:
    """The field that a column of wares' own names, or its name in small letters.

    >>> field_of("Image Link")
    'image_url'
    """
    folded = column.strip().lower().replace(" ", "_")
    return ALIASES.get(folded, folded)


def named_parts(row: Mapping[str, Any], whole: str) -> dict[str, dict[str, Any] | None]:
    """Which fields a row names of which market (`whole` "markets") or language ("texts"), with what stands there; None
    = the whole part is empty."""
    wanted = _OF_TEXT if whole == "texts" else OFFER_FIELDS
    parts: dict[str, dict[str, Any] | None] = {}
    told = next((_json(value) for name, value in row.items() if field_of(str(name)) == whole), None)
    for name, part in told.items() if isinstance(told, dict) else ():
        parts[str(name)] = {str(k).lower(): v for k, v in part.items()} if isinstance(part, dict) else None
    for column, value in row.items():
        found = _OF_PART.fullmatch(str(column).strip())
        if found and (field := found[1].lower()) in wanted:
            parts[found[2]] = {**(parts.get(found[2]) or {}), field: value}
    return {
        name: part if part is None else {field: value for field, value in part.items() if field in wanted}
        for name, part in parts.items()
    }


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
        markets: Mapping[str, str],
        market: str = "",
        *,
        foreign: bool = False,
    ) -> None:
        self.tally, self.time_of, self.foreign, self.market = tally, time_of, foreign, market
        self.latest_ms = now_ms + 365 * DAY_MS  # a product may be announced, within reason
        self.offers = OfferReader(tally, currency, time_of, markets, now_ms + _FORESEEN_DAYS * DAY_MS, foreign=foreign)
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
            if field[-1] == "]":
                self._put_part(field, value, known)
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
        offer = self.offers.read(known)
        attributes = _json(known.get("attributes"))
        if isinstance(attributes, dict):
            further |= attributes
        return Product(
            id=product_id,
            title=self._text("title", known),
            description=self._text("description", known),
            brand=self._shared(read_text(known.get("brand"), MAX_VALUE)),
            category=self._category(known.get("category")),
            price_minor=offer.price_minor,
            currency=offer.currency,
            stock=offer.stock,
            available=offer.available is not False,
            group_id=read_text(known.get("group_id")),
            image_url=read_text(known.get("image_url")),
            url=read_text(known.get("url")),
            published_ms=self._date("published", known.get("published")),
            attributes=self._attributes(further),
            sale_price_minor=offer.sale_price_minor,
            sale_from_ms=offer.sale_from_ms,
            sale_until_ms=offer.sale_until_ms,
            available_from_ms=offer.available_from_ms,
            offers={self.market: offer} if self.market else self.offers.read_markets(_json(known.get("markets"))),
            texts=self._texts(_json(known.get("texts"))),
            cost_minor=self.offers.read_cost(known, offer),
            stock_since_ms=self._date("stock_since", known.get("stock_since")),
        )

    @staticmethod
    def _put_part(column: str, value: object, known: dict[str, Any]) -> None:
        """What a column such as price[ch] or title[fr] says becomes part of `markets` or `texts`; an empty cell says
        that there is nothing of its own."""
        field, _, name = column.removesuffix("]").partition("[")
        whole = "texts" if field.lower() in _OF_TEXT else "markets"
        said = _json(known.get(whole))
        said = said if isinstance(said, dict) else {}
        part = said.get(name)
        part = part if isinstance(part, dict) else {}
        known[whole] = {**said, name: part if is_missing(value) else {**part, field.lower(): value}}

    def _texts(self, by_language: object) -> dict[str, ProductText]:
        """{"fr": {"title": ..., "description": ...}} as texts; what is no such object is not used."""
        if is_missing(by_language) or by_language == {}:
            return {}
        texts: dict[str, ProductText] = {}
        for language, said in by_language.items() if isinstance(by_language, dict) else [("", None)]:
            if not isinstance(said, dict):
                fix = 'Give {"fr": {"title": "...", "description": "..."}}, or columns such as title[fr].'
                self.tally.repair("texts of a language are no object: not used", "texts", str(said)[:100], fix)
                continue
            title, description = (read_text(self._plain(name, said.get(name)), MAX_TEXT) for name in _OF_TEXT)
            if title or description:
                texts[str(language)] = ProductText(title, description)
        return texts

    def _meaning(self, column: str) -> str:
        named = field_of(str(column))
        meaning = named if named in FIELDS else ""
        if (part := _OF_PART.fullmatch(str(column).strip())) and part[1].lower() in (*OFFER_FIELDS, *_OF_TEXT):
            meaning = part[0]
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
        text = read_text(self._plain(field, known.get(field)), MAX_TEXT)
        if not text:
            self.tally.miss(field)
        return text

    def _plain(self, field: str, raw: object) -> object:
        if isinstance(raw, str) and (field == "description" or self.foreign) and has_markup(raw):
            self.tally.repair(f"HTML in the {field}: its text", field, raw[:100], "Give plain text, or leave it so.")
            raw = plain_text(raw)
        if isinstance(raw, str) and len(raw) > MAX_TEXT:
            self.tally.repair(f"{field} cut", field, raw[:100], f"Use at most {MAX_TEXT:,} characters.")
        return raw

    def _date(self, field: str, raw: object) -> int | None:
        if is_missing(raw):
            return None
        time_ms = self.time_of(raw)
        if time_ms is not None and EARLIEST_MS <= time_ms <= self.latest_ms:
            return time_ms
        fix = "Use ISO 8601 (2026-01-31) or Unix seconds or ms, from 1990 to a year from now."
        self.tally.repair(f"{field} is no date: unknown", field, raw, fix)
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


def _facts(product: Product, currency: str) -> dict[str, str]:
    """What may be filled, and what tells of it, as text; prices in whole units of `currency`, others by themselves."""
    facts = {name: _SEVERAL.join(values) for name, values in product.attributes.items()}
    facts |= {"brand": product.brand, "category": PATH_SEPARATOR.join(product.category)}
    if product.price_minor is not None:
        name = "price" if product.currency == currency else f"price in {product.currency}"
        facts[name] = f"{product.price_minor / scale_of(product.currency):.15g}"
    if product.stock is not None:
        facts["stock"] = str(product.stock)
    return {name: text for name, text in facts.items() if text}


def _with_facts(product: Product, facts: Mapping[str, str], currency: str) -> Product:
    """The product with what was filled, and the marks as attributes. A price of another currency is none to be filled
    in `currency`."""
    foreign = ("price" + FILLED,) if product.currency != currency else ()
    marks = {name: (way,) for name, way in facts.items() if name.endswith(FILLED) and name not in foreign}
    filled = {name: facts[name] for mark in marks if (name := mark.removesuffix(FILLED)) in facts}
    fields: dict[str, Any] = {}
    for name in ("brand", "category", "price", "stock"):
        if (text := filled.pop(name, None)) is None:
            continue
        if name == "price":
            fields["price_minor"] = read_minor(text, scale_of(product.currency))
        else:
            fields[name] = _path(text) if name == "category" else int(float(text)) if name == "stock" else text
    own = {name: tuple(text.split(_SEVERAL)) for name, text in filled.items()}
    return replace(product, **fields, attributes={**product.attributes, **own, **marks})


def _path(raw: object) -> tuple[str, ...]:
    """ "A > B" or a list of levels -> the path, root first."""
    if raw is None:
        return ()
    levels = raw if isinstance(raw, list | tuple) else read_text(raw, MAX_TEXT).split(PATH_SEPARATOR.strip())
    return tuple(text for level in levels if (text := read_text(level, MAX_VALUE)))


def _json(value: object) -> object:
    """What a JSON object in a cell says; anything else as it is."""
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
