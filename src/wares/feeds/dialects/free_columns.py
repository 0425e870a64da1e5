"""Columns that nobody has described: guessed from their names and values, and told as guesses before they are used."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from wares.feeds.amounts import CODES, SIGNS, read_amount
from wares.feeds.dialects.columns import Numbered, Told, add_attribute
from wares.feeds.dialects.free_names import FIELDS, NO_PRICE
from wares.feeds.dialects.sales import iso_date, with_sale_dates
from wares.feeds.readers import Row
from wares.feeds.report import Tally
from wares.feeds.values import is_missing, is_missing_word, read_number, read_text

SAMPLE = 200  # rows that are looked at
_ENOUGH = 0.6  # of the values must be what the field needs
_PICTURE = re.compile(r"https?://\S+\.(?:jpe?g|png|webp|gif|avif)(?:\?\S*)?", re.IGNORECASE)
_LINK = re.compile(r"(?:https?:)?//\S+", re.IGNORECASE)
_KEY = re.compile(r"[\w./#:-]{1,64}")
_LEVELS = re.compile(r"\s*[>›»|]\s*|\s+/\s+")
_MONEY = re.compile(r"\d+[.,]\d{2}\b|[€£¥$]")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column is taken for: a field of wares, or "" = an attribute; and what speaks for it."""

    column: str
    field: str
    why: str
    currency: str = ""  # that the column's name tells


def guess_columns(rows: Sequence[Row], chosen: Mapping[str, str] | None = None) -> tuple[Guess, ...]:
    """One guess per column of the rows, in their order. `chosen` maps fields to columns and goes before any guess."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    values = {column: _values(rows, column) for column in columns}
    by_field = {
        field: Guess(column, field, "as you said", _currency_in(column) if field.endswith("price") else "")
        for field, column in (chosen or {}).items()
    }
    taken = {guess.column for guess in by_field.values()}
    instead: dict[str, str] = {}  # column -> why it is not what its name says
    for score, _, place, field, why in _by_name(columns):
        column = columns[place]
        if column in taken:
            continue
        if field in by_field:
            instead.setdefault(column, f"{by_field[field].column!r} is the {field} already")
            continue
        if not _fits(field, values[column]):
            instead.setdefault(column, f"called {why!r}, but its values are no {field}")
            continue
        told = f"its name: {why}" if score == 0 else f"its name has {why!r} in it"
        by_field[field] = Guess(column, field, told, _currency_in(column) if field.endswith("price") else "")
        taken.add(column)
    for field in ("id", "image_url", "url", "price", "category", "title", "description"):
        if field in by_field:
            continue
        found = next((one for one in columns if one not in taken and _looks_like(field, one, values[one])), None)
        if found is not None:
            column = found
            by_field[field] = Guess(column, field, _LOOKS[field], _currency_in(column) if field == "price" else "")
            taken.add(column)
    of_column = {guess.column: guess for guess in by_field.values()}
    return tuple(
        of_column.get(column) or Guess(column, "", instead.get(column) or _why_not(rows, column, values[column]))
        for column in columns
    )


def suffices(guesses: Iterable[Guess]) -> bool:
    """Whether products can be made: an id and a title, and not both from values alone."""
    why = {guess.field: guess.why for guess in guesses if guess.field in ("id", "title")}
    return len(why) == 2 and not all(reason in _LOOKS.values() for reason in why.values())


def translate(rows: Iterable[Numbered], tally: Tally, guesses: Sequence[Guess]) -> Iterator[Told]:
    """Rows in wares' columns, as guessed; columns that no field wants become attributes."""
    field_of = {guess.column: guess.field for guess in guesses if guess.field}
    tally.names = {
        **tally.names,
        **{field: str(column) for column, field in field_of.items() if "#" not in str(column)},
    }
    priced = next((guess for guess in guesses if guess.field == "price" and guess.currency), None)
    currency = priced.currency if priced else ""
    if priced and "currency" not in tally.names:
        tally.names = {**tally.names, "currency": tally.names.get("price", "price")}
    for line, row in rows:
        tally.line = line
        own: Row = {}
        for column, value in row.items():
            if field := field_of.get(column):
                own[field] = value
            elif not is_missing(value) and not (isinstance(value, str) and is_missing_word(value.strip())):
                add_attribute(own, column, value)
        if currency and is_missing(own.get("currency")):
            own["currency"] = currency
        if not isinstance(path := own.get("category"), list | tuple) and not is_missing(path):
            own["category"] = " > ".join(_LEVELS.split(read_text(path)))
        if isinstance(date := own.get("published"), str):
            own["published"] = iso_date(date, month_first=False) or date
        yield line, with_sale_dates(own, month_first=False), row


def own_columns(guesses: Iterable[Guess]) -> frozenset[str]:
    """The fields that were found by their column's name."""
    return frozenset(guess.field for guess in guesses if guess.field and guess.why not in _LOOKS.values())


def _by_name(columns: Sequence[str]) -> list[tuple[int, int, int, str, str]]:
    """(0 = the very name, 1 = a part of it; its rank; the column's place; field; name) of all that fits, best first."""
    found = []
    for place, column in enumerate(columns):
        name = plain_name(column)
        words = name.split()
        for known, field, rank in _known_names():
            priced = field in ("price", "sale_price")
            if name == known:
                found.append((0, rank, place, field, known))
            elif field == "cost" or (priced and not NO_PRICE.isdisjoint(words)):
                continue
            elif _within(known, name) and len(words) <= 6:
                found.append((1, rank, place, field, known))
    return sorted(found)


def _within(known: str, name: str) -> bool:
    """Whether the known name is a part of the column's: whole words, or anywhere in Chinese."""
    if not known.isascii():
        return known in name and not any(word in name for word in NO_PRICE if not word.isascii())
    return len(known) > 2 and f" {known} " in f" {name} "


@lru_cache(maxsize=1)
def _known_names() -> tuple[tuple[str, str, int], ...]:
    return tuple((plain_name(name), field, rank) for field, names in FIELDS.items() for rank, name in enumerate(names))


def plain_name(column: str) -> str:
    """Lower case, no accents, no signs, camelCase taken apart: "Verkaufs-Preis (EUR)" -> "verkaufs preis eur"."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(column)[:200])
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


def _currency_in(column: str) -> str:
    """EUR of "Preis (EUR)" or "Preis €"; "" where the name tells none."""
    for word in re.split(r"[\s()\[\]/_:.-]+", str(column)):
        if word in CODES:
            return word
        if word.upper() in SIGNS and len(word) == 1:
            return SIGNS[word.upper()]
    return ""


def _values(rows: Sequence[Row], column: str) -> list[str]:
    texts = (read_text(value, 5_000) for row in rows if not isinstance(value := row.get(column), list | dict))
    return [text for text in texts if text and not is_missing_word(text)]


def _share(values: Sequence[str], fits: Iterable[bool]) -> float:
    return sum(fits) / len(values) if values else 0.0


def _fits(field: str, values: Sequence[str]) -> bool:
    """Whether the values can be this field's. A column without values fits."""
    if not values:
        return True
    if field in ("price", "sale_price", "cost"):
        return _share(values, (read_amount(value) is not None for value in values)) >= _ENOUGH
    if field == "stock":
        return _share(values, (read_number(value) == read_number(value) for value in values)) >= _ENOUGH
    if field in ("url", "image_url"):
        return _share(values, ("/" in value or "." in value for value in values)) >= _ENOUGH
    if field == "id":
        return len(set(values)) >= _ENOUGH * len(values) and max(map(len, values)) <= 200
    if field in ("title", "brand", "category"):
        return _share(values, (read_amount(value) is None for value in values)) >= _ENOUGH
    return True


_LOOKS = {
    "id": "values: short and all different",
    "title": "values: words, nearly all different",
    "price": "values: amounts with decimals or a currency",
    "image_url": "values: addresses of pictures",
    "url": "values: addresses",
    "category": "values: paths with >",
    "description": "values: long texts",
}


def _looks_like(field: str, column: str, values: Sequence[str]) -> bool:
    """Whether the values alone speak for this field."""
    if len(values) < 2:
        return False
    if field == "id":
        return len(set(values)) == len(values) and all(_KEY.fullmatch(value) for value in values)
    if field == "title":
        worded = _share(values, (any(sign.isalpha() for sign in value) for value in values))
        different = len(set(values)) / len(values)
        return worded > 0.9 and different > 0.8 and 5 <= sum(map(len, values)) / len(values) <= 150
    if field == "price":
        if not NO_PRICE.isdisjoint(plain_name(column).split()):
            return False
        money = (bool(_MONEY.search(value)) and read_amount(value) is not None for value in values)
        return _share(values, money) > 0.8
    if field == "image_url":
        return _share(values, (bool(_PICTURE.fullmatch(value)) for value in values)) > 0.8
    if field == "url":
        return _share(values, (bool(_LINK.fullmatch(value)) for value in values)) > 0.8
    if field == "category":
        return _share(values, (">" in value for value in values)) > 0.5
    return sum(map(len, values)) / len(values) > 80


def _why_not(rows: Sequence[Row], column: str, values: Sequence[str]) -> str:
    if not values:
        return "lists of values" if any(isinstance(row.get(column), list) for row in rows) else "nothing in it"
    if not NO_PRICE.isdisjoint(plain_name(column).split()):
        return "a price that is not what shoppers pay"
    return "no field is called so"
