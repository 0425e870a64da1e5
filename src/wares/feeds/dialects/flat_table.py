"""The flat table of the textbooks: one row per purchase, the shopper's and the product's facts side by side.

    user_id, age, gender, income, item_id, category, brand, price

Facts of one shopper or product that differ between rows are reported, and the last counts. What is missing of a
shopper is filled from the others (`feeds.missing`) and marked; what people see of a product is left unknown unless
asked for, since nobody should pay a guessed price.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from wares.domain.event import Event, EventKind
from wares.domain.money import scale_of
from wares.domain.product import PATH_SEPARATOR, Product
from wares.domain.shopper import Shopper
from wares.errors import InputError, UnknownName
from wares.feeds.filling import FILLED
from wares.feeds.missing import DEFAULT, LEAVE, Filled, Floats, Method, Way, column_of, fill, shares_of
from wares.feeds.readers import Row, Source, name_of, read_rows
from wares.feeds.report import ImportReport, RowFault, Tally
from wares.feeds.values import DAY_MS, EARLIEST_MS, clock, is_missing_cell, is_missing_word, read_minor, read_text

# What each column may be called, best name first. Only the two ids are needed.
NAMES: dict[str, tuple[str, ...]] = {
    "user_id": ("user_id", "shopper_id", "customer_id"),
    "age": ("age",),
    "gender": ("gender", "sex"),
    "income": ("income",),
    "item_id": ("item_id", "product_id"),
    "category": ("category",),
    "brand": ("brand",),
    "price": ("price",),
    "title": ("title", "item_name"),
    "time": ("time", "timestamp", "date"),
}
OF_SHOPPER = ("age", "gender", "income")
OF_PRODUCT = ("category", "brand", "price", "title")
MAX_ID = 500  # characters
MAX_VALUE = 200  # characters of a fact
_SECOND_MS = 1000


@dataclass(frozen=True, slots=True)
class _Line:
    """One usable row: where it stands, when, who, what, for how much, and the raw row."""

    number: int
    time_ms: int
    user: str
    item: str
    price_minor: int | None
    row: Row


class _Facts:
    """What the rows say of shoppers, or of products: id -> column -> text. An id keeps the place it came at first."""

    def __init__(self, whose: str, columns: tuple[str, ...], tally: Tally) -> None:
        self.whose, self.names, self.tally = whose, columns, tally
        self.of: dict[str, dict[str, str]] = {}
        self.place_of: dict[str, int] = {}

    def hear(self, id_: str, row: Row) -> None:
        known = self.of.setdefault(id_, {})
        self.place_of.setdefault(id_, len(self.place_of))
        for name in self.names:
            value = read_text(row.get(name), MAX_VALUE)
            if is_missing_word(value):
                continue
            if known.get(name, value) != value:
                fix = f"{self.whose} {id_[:40]!r} had {known[name][:40]!r} before. Give each {self.whose} one {name}."
                self.tally.repair(f"{self.whose}'s {name} differs: the last counts", name, value, fix)
            known[name] = value

    def filled(self, ways: Mapping[str, Way], beside: Floats | None = None) -> Filled:
        columns = [column_of(name, [facts.get(name) for facts in self.of.values()]) for name in self.names]
        return fill(columns, {name: ways[name] for name in self.names}, beside)


class FlatTable:
    """A flat table as a shop: `shoppers`, `products`, `events`, then `report`. Read once, when first asked; in memory.

    `ways` says how missing values of a column are filled: by default `missing.DEFAULT` for age, gender and income, and
    not at all for a product's columns. `timezone` counts for times without one; without a column `time` rows count in
    the order of the file. Raises UnknownName for a way of a column that is none, InputError for a source that cannot
    be read or has no ids.
    """

    def __init__(
        self,
        source: Source,
        *,
        now_ms: int,
        currency: str = "",
        timezone: str = "UTC",
        ways: Mapping[str, Way] | None = None,
        rejects: Path | None = None,
        examples: int = 5,
    ) -> None:
        self.source, self.now_ms, self.currency = source, now_ms, currency.upper()
        self._time_of = clock(timezone)
        self._tally = Tally(name_of(source), rejects, examples)
        for name in ways or {}:
            if name not in (*OF_SHOPPER, *OF_PRODUCT):
                raise UnknownName("column to fill", name, (*OF_SHOPPER, *OF_PRODUCT))
        self.ways = {**dict.fromkeys(OF_SHOPPER, DEFAULT), **dict.fromkeys(OF_PRODUCT, LEAVE), **(ways or {})}

    @property
    def report(self) -> ImportReport:
        """What became of each row, what was missing, and how it was filled."""
        _ = self._read
        return self._tally.report()

    def shoppers(self) -> Iterator[Shopper]:
        """Everyone of whom the table says something, with what was filled marked as such: "age_filled": "nearest"."""
        for id_, facts in self._read.shoppers.items():
            if facts:
                yield Shopper(id_, facts)

    def products(self) -> Iterator[Product]:
        """Every product once, in the order of the rows. Without titles each stands for itself, however alike."""
        scale = scale_of(self.currency)
        for id_, facts in self._read.products.items():
            yield Product(
                id_,
                title=facts.get("title", ""),
                brand=facts.get("brand", ""),
                category=_path(facts.get("category", "")),
                price_minor=read_minor(facts["price"], scale) if "price" in facts else None,
                currency=self.currency,
                group_id="" if "title" in facts else id_,
                attributes={name: (value,) for name, value in facts.items() if name.endswith(FILLED)},
            )

    def events(self) -> Iterator[Event]:
        """A purchase per row, oldest first. Rows without times have ids, so that a table that grew adds its end."""
        for line in self._read.lines:
            id_ = "" if self._read.timed else f"flat {line.number} {len(line.user)} {line.user} {line.item}"
            yield Event(EventKind.PURCHASE, line.time_ms, line.user, line.item, value_minor=line.price_minor, id=id_)

    @cached_property
    def _read(self) -> "_Read":
        tally = self._tally
        if tally.rejects is not None:
            tally.rejects.unlink(missing_ok=True)  # of an earlier import
        lines, timed = self._lines()
        present = {name for line in lines for name in line.row}
        users = _Facts("shopper", tuple(name for name in OF_SHOPPER if name in present), tally)
        items = _Facts("product", tuple(name for name in OF_PRODUCT if name in present), tally)
        for line in lines:
            tally.line = line.number
            users.hear(line.user, line.row)
            items.hear(line.item, line.row if line.price_minor is not None else {**line.row, "price": None})
        shoppers, products = users.filled(self.ways, _bought(lines, users, items)), items.filled(self.ways)
        left = [line for line in lines if self._keeps(line, users, shoppers) and self._keeps(line, items, products)]
        tally.kept = len(left)
        read = _Read(
            left,
            timed,
            self._facts(users, shoppers, {line.user for line in left}),
            self._facts(items, products, {line.item for line in left}),
        )
        tally.close()
        return read

    def _lines(self) -> tuple[list[_Line], bool]:
        """Every usable row in order of time, columns by their own names; whether there were times."""
        lines, columns, timed = list[_Line](), dict[tuple[str, ...], dict[str, str]](), False
        scale = scale_of(self.currency)
        for number, raw in read_rows(self.source, self._tally):
            self._tally.line = number
            shape = tuple(raw)
            if shape not in columns:
                columns[shape] = self._columns(shape)
            row = {name: raw[column] for name, column in columns[shape].items()}
            try:
                user, item = _id(row, "user_id"), _id(row, "item_id")
                time_ms = self._time(row["time"]) if "time" in row else -1
            except RowFault as fault:
                self._tally.reject(fault, raw)
                continue
            timed |= time_ms >= 0
            lines.append(_Line(number, time_ms, user, item, self._price(row.get("price"), scale), row))
        self._check(columns)
        if not timed:
            return self._in_order(lines), False
        for line in lines:
            if line.time_ms < 0:
                self._tally.line = line.number
                self._tally.reject(RowFault("no time", "time", None, "Give every row a time, or none."), line.row)
        return sorted((line for line in lines if line.time_ms >= 0), key=lambda line: line.time_ms), True

    def _columns(self, shape: tuple[str, ...]) -> dict[str, str]:
        """Our name -> the table's."""
        folded = {str(name).strip().lower().replace(" ", "_"): name for name in shape}
        for name in folded.keys() - {name for names in NAMES.values() for name in names}:
            self._tally.note(f"The column {name[:80]!r} is no part of a flat table and is not used.")
        return {ours: folded[name] for ours, names in NAMES.items() for name in names[::-1] if name in folded}

    def _check(self, shapes: Mapping[tuple[str, ...], Mapping[str, str]]) -> None:
        """Raises InputError where no row at all has one of the ids' columns."""
        for needed in ("user_id", "item_id") if shapes else ():
            if not any(needed in columns for columns in shapes.values()):
                has = ", ".join(map(str, next(iter(shapes))))[:200]
                raise InputError(f"{self._tally.source}: a flat table needs a column {needed!r}; it has {has}.")

    def _in_order(self, lines: list[_Line]) -> list[_Line]:
        """Times for rows that have none: yesterday from midnight, a second apart, or less where there are many."""
        if lines:
            self._tally.note("There is no column 'time': the rows count in the order of the file, as of yesterday.")
        start_ms = (self.now_ms // DAY_MS - 1) * DAY_MS
        apart = min(_SECOND_MS, DAY_MS / max(len(lines), 1))
        return [
            _Line(line.number, start_ms + int(i * apart), line.user, line.item, line.price_minor, line.row)
            for i, line in enumerate(lines)
        ]

    def _time(self, raw: object) -> int:
        time_ms = self._time_of(raw)
        if time_ms is None:
            reason = "no time" if is_missing_cell(raw) else "unreadable time"
            raise RowFault(reason, "time", raw, "Use ISO 8601 (2026-01-31T12:00:00Z) or Unix seconds, ms or µs.")
        if not EARLIEST_MS <= time_ms <= self.now_ms + DAY_MS:
            raise RowFault("before 1990 or in the future", "time", raw, "Check the unit and the time zone.")
        return time_ms

    def _price(self, raw: object, scale: int) -> int | None:
        if is_missing_cell(raw) or is_missing_word(read_text(raw, MAX_VALUE)):
            return None
        minor = read_minor(raw, scale)
        if minor is None:
            self._tally.repair("price is no amount: unknown", "price", raw, "Give a price of at least 0, like 12.50.")
        return minor

    def _keeps(self, line: _Line, facts: _Facts, filled: Filled) -> bool:
        """Whether no column with `drop` is missing in this row's facts; else the row is rejected."""
        place = facts.place_of[line.user if facts.whose == "shopper" else line.item]
        for column in filled.columns:
            if self.ways[column.name].method is Method.DROP and math.isnan(column.values[place]):
                self._tally.line = line.number
                fix = f"Give the {column.name}, or choose another way than drop."
                self._tally.reject(RowFault(f"{facts.whose} without {column.name}", column.name, "", fix), line.row)
                return False
        return True

    def _facts(self, facts: _Facts, filled: Filled, kept: set[str]) -> dict[str, dict[str, str]]:
        """id -> column -> text, filled ones marked; and what a person should know of it, as counts and notes."""
        told: dict[str, dict[str, str]] = {id_: {} for id_ in facts.of if id_ in kept}
        for column, marks in zip(filled.columns, filled.filled.T, strict=True):
            way, marked = self.ways[column.name].method, 0
            for (id_, known), text, mark in zip(facts.of.items(), column.texts(), marks.tolist(), strict=True):
                if id_ not in told:
                    continue
                if column.name not in known:
                    self._tally.miss(column.name)
                if value := known.get(column.name, text):
                    told[id_][column.name] = value
                if mark:
                    told[id_][column.name + FILLED] = way.value
                    marked += 1
            if marked:
                self._tally.note(f"{column.name}: {marked:,} of {len(told):,} {facts.whose}s filled by {way}.")
            elif told and column.missing.all():
                self._tally.note(f"The column {column.name!r} is empty: there is nothing to fill it from.")
        return told


@dataclass(frozen=True, slots=True)
class _Read:
    """What the table says once read: rows in order, and whether they had times; facts by id."""

    lines: list[_Line]
    timed: bool
    shoppers: dict[str, dict[str, str]]
    products: dict[str, dict[str, str]]


def _bought(lines: list[_Line], users: _Facts, items: _Facts) -> Floats | None:
    """How each shopper's purchases spread over categories, (shoppers, d); None where no product has one."""
    category_of = {id_: facts.get("category", "") for id_, facts in items.of.items()}
    place_of = {category: place for place, category in enumerate(dict.fromkeys(category_of.values()))}
    if len(place_of) < 2:
        return None
    rows = np.array([users.place_of[line.user] for line in lines], np.intp)
    places = np.array([place_of[category_of[line.item]] for line in lines], np.intp)
    return shares_of(rows, places, np.ones(len(lines)), len(users.of))


def _id(row: Row, name: str) -> str:
    text = read_text(row.get(name))
    if is_missing_word(text):
        what = "shopper" if name == "user_id" else "product"
        raise RowFault(f"no {what}", name, row.get(name), f"Give each row the {what}'s id as {name!r}.")
    if len(text) > MAX_ID:
        raise RowFault("id too long", name, text, f"Use ids of at most {MAX_ID} characters.")
    return text


def _path(text: str) -> tuple[str, ...]:
    return tuple(level.strip() for level in text.split(PATH_SEPARATOR.strip()) if level.strip())
