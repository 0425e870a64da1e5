"""Their names and ours: what an index stands for, and which field of the catalogue an attribute is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from wares.domain.catalogue import Columns
from wares.domain.product import PATH_SEPARATOR
from wares.domain.request import Sort
from wares.errors import UnknownName
from wares.feeds.migrations.records import level_name
from wares.shop import Shop

LEVELS = "hierarchicalCategories"  # by which a record and the facet "*" name the levels of the category
SEPARATOR = "__"
SORTS: Mapping[str, Sort] = {
    "relevance": Sort.RELEVANCE,
    "price_asc": Sort.PRICE_UP,
    "price_desc": Sort.PRICE_DOWN,
    "newest": Sort.NEWEST,
    "best_selling": Sort.BEST_SELLING,
}
ALIASES: Mapping[str, str] = {"categories": "category", "objectID": "id"}
_GREATEST = 1e100  # JSON knows no infinity, and sums of these stay far below it
ALWAYS_MET = frozenset(("available", "stock"))  # wares knows by itself what can be bought


@dataclass(frozen=True, slots=True)
class Index:
    """What an index name stands for."""

    name: str
    shop: Shop
    market: str = ""
    sort: Sort = Sort.RELEVANCE

    @property
    def shop_name(self) -> str:
        return self.name.split(SEPARATOR)[0]

    @property
    def currency(self) -> str:
        return self.shop.settings.market(self.market).currency

    @property
    def columns(self) -> Columns:
        return self.shop.engine.live.state.columns


def find_index(name: str, shops: Mapping[str, Shop]) -> Index:
    """`<shop>[__<market>][__<sort>]`: "default", "default__ch", "default__price_asc", "default__ch__newest".

    What could be both is a market. Raises UnknownName with what there is.
    """
    called, *rest = name.split(SEPARATOR)
    if called not in shops:
        raise UnknownName("index", name, shops)
    shop, market, sort = shops[called], "", Sort.RELEVANCE
    if rest and rest[0] in shop.settings.markets:
        market = rest.pop(0)
    if rest and rest[0] in SORTS:
        sort = SORTS[rest.pop(0)]
    if rest:
        more = [*shop.settings.markets, *SORTS]
        raise UnknownName("index", name, [called, *(f"{called}{SEPARATOR}{word}" for word in more)])
    return Index(name, shop, market, sort)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute as they name it, and the field that it is. `level` from 0: only that level of the category."""

    name: str
    field: str
    level: int | None = None

    def has(self, value: str) -> bool:
        """Whether this value of the field is one of the attribute."""
        return self.level is None or value.count(PATH_SEPARATOR) == self.level


def attribute_of(name: str) -> Attribute:
    """ "hierarchicalCategories.lvl1" is level 1 of the category; other names mean the field that is called so."""
    if level_name(name) and (level := re.search(r"\d{1,2}$", name)):
        return Attribute(name, "category", int(level.group()))
    return Attribute(name, ALIASES.get(name, name))


def is_known(attribute: Attribute, columns: Columns) -> bool:
    """Whether any product of the shop could have it."""
    return attribute.field == "id" or attribute.field in columns.labels or attribute.field in columns.numbers


def every_attribute(columns: Columns) -> list[str]:
    """What the facet "*" stands for: each field that can be counted, the category also by level."""
    paths = columns.labels["category"].values
    depth = max((path.count(PATH_SEPARATOR) + 1 for path in paths), default=0)
    return [*columns.labels, "price", *(f"{LEVELS}.lvl{level}" for level in range(depth))]


@lru_cache(maxsize=256)
def as_numbers(values: tuple[str, ...]) -> Mapping[str, float] | None:
    """The values of a field as numbers; None where one is none: "XL", "inf", "7e308"."""
    try:
        numbers = {value: float(value) for value in values}
    except ValueError:
        return None
    return numbers if numbers and all(abs(number) <= _GREATEST for number in numbers.values()) else None


def numbers_of(field: str, columns: Columns) -> Mapping[str, float] | None:
    """The values of an attribute that holds nothing but numbers, as "rating" may; None = it is none."""
    labels = columns.labels.get(field)
    return None if labels is None else as_numbers(labels.values)
