"""What products have in common, as codes, and how far a shopper leans to each: what interests are made of.

Four traits: the department (top level of the category), the category (deepest level), the brand, and the price band
among the products of the same category. Arithmetic on the columns of one moment, nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns, Labels
from wares.domain.shopper import History

Doubles = NDArray[np.float64]
Codes = NDArray[np.intp]

BANDS = ("cheap", "middle", "dear")  # thirds of a category's prices; the middle one holds the median
HALF_LIFE_DAYS = 60.0
_DAY_MS = 86_400_000
_FEWEST = 6  # priced products: the smaller categories of a department are compared with one another
_DOUBT = 5.0  # a shopper is judged as if so many ordinary purchases stood beside what they did
_SPREAD = 10.0  # purchases spread evenly over the catalogue, so that every value has a usual share
_LEAST_WEIGHT = 0.5  # in purchases: a glance or two are no interest
_LEAST_SHARE = 0.02
_LEAST_LIFT = {"price": 1.25}  # of three bands none can be far above usual
_LEAST_LIFT_OF_MANY = 1.5


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait of all products: `codes` (n,) are places in `values` (v,); v = the product does not have it."""

    values: tuple[str, ...]
    codes: Codes

    def sums(self, weights: Doubles) -> Doubles:
        """(n,) a weight of each product -> (v,) the sum for each value."""
        return _sums(self.codes, weights, len(self.values))


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits of every product. `department_of` (v,): the code of the department that each category lies in."""

    department: Trait
    category: Trait
    brand: Trait
    price: Trait
    department_of: Codes

    @staticmethod
    def of(columns: Columns) -> "Traits":
        paths, brands = columns.labels["category"], columns.labels["brand"]
        categories, departments = _deepest(paths), _first(paths)
        v = len(paths.values)
        department_of = np.full(v + 1, v, np.intp)
        department_of[categories] = departments
        return Traits(
            department=Trait(paths.values, departments),
            category=Trait(paths.values, categories),
            brand=Trait(brands.values, _deepest(brands)),
            price=Trait(BANDS, _bands(columns.numbers["price"], categories, departments, v)),
            department_of=department_of[:v],
        )


@dataclass(frozen=True, slots=True)
class Leaning:
    """How far a shopper leans to each value of one trait: parallel arrays (v,).

    `weight`: the interest of their events, in purchases, fading. `lift`: how many times as often as usual in this
    shop they choose the value; 1 = as everybody.
    """

    name: str
    trait: Trait
    weight: Doubles
    lift: Doubles

    def share(self, values: Codes) -> Doubles:
        """What part of the shopper's whole weight these values have."""
        return self.weight[values] / max(float(self.weight.sum()), 1e-12)

    def tells(self, values: Codes) -> Doubles:
        """How much these tell the shopper apart: their part of the divergence from the shop's average."""
        return self.share(values) * np.log(self.lift[values])

    def stands_out(self, values: Codes) -> NDArray[np.bool_]:
        """Whether these are an interest: enough of what the shopper does, and clearly more than everybody."""
        enough = (self.weight[values] >= _LEAST_WEIGHT) & (self.share(values) >= _LEAST_SHARE)
        return enough & (self.lift[values] >= _LEAST_LIFT.get(self.name, _LEAST_LIFT_OF_MANY))

    @property
    def interests(self) -> Codes:
        """The values that are an interest, the most telling first."""
        chosen = np.flatnonzero(self.weight)
        found = chosen[self.stands_out(chosen)]
        return found[np.argsort(-self.tells(found), kind="stable")]


@dataclass(frozen=True, slots=True)
class Leanings:
    """How far a shopper leans to what the products of the shop have in common. `bought` (n,): purchases of each by
    everybody, never quite 0."""

    bought: Doubles
    department: Leaning
    category: Leaning
    brand: Leaning
    price: Leaning

    @property
    def nowhere(self) -> bool:
        """Whether nothing that the shopper did speaks for any value."""
        return not any(leaning.weight.any() for leaning in (self.category, self.brand, self.price))

    def pull(self, weights: Mapping[str, float], rows: NDArray[np.int32] | None = None) -> NDArray[np.float32]:
        """(n,) or (len(rows),) the product of lift ^ weight over each product's traits; 1 = as everybody."""
        total = np.ones(len(self.bought) if rows is None else len(rows), np.float32)
        for name, weight in weights.items():
            leaning: Leaning = getattr(self, name)
            by_value = np.append(leaning.lift**weight, 1.0).astype(np.float32)
            codes = leaning.trait.codes if rows is None else leaning.trait.codes[rows]
            total *= by_value.take(codes, mode="clip")  # they are in range: clip spares the check
        return total


def leanings(
    history: History,
    traits: Traits,
    purchases: NDArray[np.floating],
    now_ms: int,
    half_life_days: float = HALF_LIFE_DAYS,
) -> Leanings:
    """What a history says of its shopper. `purchases` (n,): how much each product is bought by everybody.

    Events fade by half per `half_life_days` before the shopper's last one: who stays away keeps their interests. With
    W the shopper's whole weight, w that of a value and q its share of the shop's purchases,
    lift = (w / q + doubt x the lift of what the value lies in) / (W + doubt); a category lies in its department, and
    other values in nothing, which has lift 1.
    """
    moment = min(now_ms, int(history.times_ms.max(initial=0)))
    ages_days = np.maximum(moment - history.times_ms, 0) / _DAY_MS
    weights = history.interest.astype(np.float64) * np.exp2(-ages_days / half_life_days)
    bought: Doubles = np.asarray(purchases, np.float64) + _SPREAD / max(len(purchases), 1)

    def leaning(name: str, trait: Trait, bought: Doubles, wider: Doubles | float = 1.0) -> Leaning:
        weight = _sums(trait.codes[history.rows], weights, len(trait.values))
        usual = bought / max(float(bought.sum()), 1e-12)
        times = np.divide(weight, usual, out=np.zeros(len(weight)), where=usual > 0)
        return Leaning(name, trait, weight, (times + _DOUBT * wider) / (weight.sum() + _DOUBT))

    of_category = traits.category.sums(bought)
    of_department = _sums(traits.department_of, of_category, len(of_category))
    department = leaning("department", traits.department, of_department)
    wider = np.append(department.lift, 1.0)[traits.department_of]
    return Leanings(
        bought=bought,
        department=department,
        category=leaning("category", traits.category, of_category, wider),
        brand=leaning("brand", traits.brand, traits.brand.sums(bought)),
        price=leaning("price", traits.price, traits.price.sums(bought)),
    )


def _sums(codes: Codes, weights: Doubles, v: int) -> Doubles:
    """(v,) the sum of the weights of each code; v itself stands for none."""
    return np.bincount(codes, weights, v + 1)[:v].astype(np.float64, copy=False)


def _deepest(labels: Labels) -> Codes:
    last = labels.last().astype(np.intp)
    last[last < 0] = len(labels.values)
    return last


def _first(labels: Labels) -> Codes:
    has = labels.indptr[1:] > labels.indptr[:-1]
    first = np.full(len(has), len(labels.values), np.intp)
    first[has] = labels.codes[labels.indptr[:-1][has]]
    return first


def _bands(prices: Doubles, categories: Codes, departments: Codes, v: int) -> Codes:
    """(n,) places in BANDS, by the share of the category's prices that lie below; equal prices share a band."""
    bands = np.full(len(prices), len(BANDS), np.intp)
    known = np.flatnonzero(np.isfinite(prices))
    many = np.bincount(categories[known], minlength=v + 1)[categories[known]] >= _FEWEST
    among = np.where(many, categories[known], v + 1 + departments[known])
    order = np.lexsort((prices[known], among))
    among, price = among[order], prices[known][order]
    new_group = np.append(True, among[1:] != among[:-1])[: len(order)]
    new_price = new_group | np.append(True, price[1:] != price[:-1])[: len(order)]
    start, size = _runs(new_group)
    first, equal = _runs(new_price)
    below = (first - start + equal / 2) / size  # in (0, 1): the middle of those that are equal
    bands[known[order]] = np.searchsorted([1 / 3, 2 / 3], below)
    return bands


def _runs(starts: NDArray[np.bool_]) -> tuple[Codes, Codes]:
    """(m,) where the run of each element begins, and how long that run is."""
    begin = np.flatnonzero(starts)
    length = np.diff(np.append(begin, len(starts)))
    return np.repeat(begin, length), np.repeat(length, length)
