"""What a feed's data look like as a whole: what is missing, how values spread, which are far from the others.

All is counted while rows stream by, in memory that does not grow with them (`feeds.counts` says how exactly).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wares.domain.event import Event, EventKind
from wares.domain.money import scale_of
from wares.domain.product import PATH_SEPARATOR, Product
from wares.feeds.counts import ZERO, Group, Names, Shoppers, Spread, bin_of, count, quantile_bin, size_of
from wares.feeds.values import DAY_MS

FENCES = 3.0  # interquartile ranges beyond a quartile from which a size is far from the others
LEAST_RANGE = 10  # bins that count as the interquartile range where it is narrower: a factor of 1.24
LEAST_JUDGED = 20  # sizes of a group from which its far ones are told
MAX_LABEL = 100  # characters of a name
MAX_GROUPS = 1_000  # categories whose prices are judged
EXAMPLES = 10
PRICE_RULE = (
    "Price more than 3 interquartile ranges beyond a quartile of its category, on a logarithmic scale; categories with "
    "at least 20 prices."
)
VALUE_RULE = (
    "Value of a purchase line more than 3 interquartile ranges beyond a quartile of all, on a logarithmic scale."
)
SHOPPER_RULE = (
    "Shoppers with more events than 3 interquartile ranges above the upper quartile of all, on a logarithmic scale: "
    "often programs, or one id for many people."
)


@dataclass(frozen=True, slots=True)
class Far:
    """One value that is far from the others of its group, whose usual values lie between `low` and `high`."""

    id: str
    label: str
    value: float
    group: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outliers:
    """How many of the `judged` values are far from the others by a `rule`, and the farthest."""

    what: str
    rule: str
    judged: int
    found: int
    examples: tuple[Far, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """Of all rows of one kind ("products", "events") of one import.

    `missing`: field -> (rows without it, rows that could have it).
    """

    kind: str
    rows: int
    missing: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    outliers: tuple[Outliers, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """What the next import compares itself with, ready for JSON: no example, nothing of a single shopper."""
        spreads = {
            name: {"scale": one.scale, "counts": {str(k): n for k, n in one.counts.items()}, "rest": one.rest}
            | {"unit": one.unit}
            for name, one in self.spreads.items()
        }
        return {"kind": self.kind, "rows": self.rows, "missing": dict(self.missing), "spreads": spreads}

    @staticmethod
    def from_dict(told: Mapping[str, Any]) -> "Profile":
        """What `to_dict` told. Raises KeyError, TypeError, ValueError or AttributeError for anything else."""
        spreads = {}
        for name, one in told["spreads"].items():
            as_key = int if one["scale"] == "size" else str
            counts = {as_key(k): int(n) for k, n in one["counts"].items()}
            spreads[name] = Spread(one["scale"], counts, int(one["rest"]), one["unit"])
        missing = {name: (int(n), int(of)) for name, (n, of) in told["missing"].items()}
        return Profile(str(told["kind"]), int(told["rows"]), missing, spreads)


class ProductProfiler:
    """Sees products; `profile` tells of all it saw."""

    def __init__(self) -> None:
        self._rows = 0
        self._missing = dict.fromkeys(
            ("title", "description", "brand", "category", "price", "stock", "image_url", "url", "published"), 0
        )
        self._prices: dict[str, dict[int, int]] = {}
        self._groups: dict[tuple[str, str], Group] = {}
        self._ungrouped = 0
        self._stock: dict[int, int] = {}
        self._categories, self._brands = Names(), Names()

    def watching(self, products: Iterable[Product]) -> Iterator[Product]:
        """The same products, seen as they pass."""
        for product in products:
            self.see(product)
            yield product

    def see(self, product: Product) -> None:
        self._rows += 1
        missing = self._missing
        for name in ("title", "description", "brand", "category", "image_url", "url"):
            if not getattr(product, name):
                missing[name] += 1
        if product.published_ms is None:
            missing["published"] += 1
        category = PATH_SEPARATOR.join(product.category)[:MAX_LABEL]
        if category:
            self._categories.add(category)
        if product.brand:
            self._brands.add(product.brand[:MAX_LABEL])
        if product.stock is None:
            missing["stock"] += 1
        else:
            count(self._stock, bin_of(product.stock))
        if product.price_minor is None:
            missing["price"] += 1
        else:
            self._see_price(product, category, product.price_minor / scale_of(product.currency))

    def _see_price(self, product: Product, category: str, price: float) -> None:
        currency = product.currency[:3]
        if currency not in self._prices and len(self._prices) >= MAX_GROUPS:
            currency = ""
        count(self._prices.setdefault(currency, {}), bin_of(price))
        group = self._groups.get((currency, category))
        if group is None:
            if len(self._groups) >= MAX_GROUPS:
                self._ungrouped += 1
                return
            group = self._groups[currency, category] = Group()
        group.add(price, product.id, product.title[:MAX_LABEL])

    def profile(self) -> Profile:
        currencies = sorted(self._prices, key=lambda one: -sum(self._prices[one].values()))
        spreads = {
            (f"price, {one}" if one else "price"): Spread("size", self._prices[one], unit=one) for one in currencies[:5]
        }
        if self._stock:
            spreads["stock"] = Spread("size", self._stock)
        spreads |= {"category": self._categories.spread(), "brand": self._brands.spread()}
        many = len(currencies) > 1
        told = {
            (f"{category or 'no category'}{f', {currency}' if many else ''}"): group
            for (currency, category), group in self._groups.items()
        }
        notes = []
        if self._ungrouped:
            notes.append(f"{self._ungrouped:,} prices of categories beyond the first {MAX_GROUPS:,} were not judged.")
        outliers = (_judged("price", PRICE_RULE, told),)
        shown = {name: spread for name, spread in spreads.items() if spread.total}
        missing = {name: (n, self._rows) for name, n in self._missing.items()}
        return Profile("products", self._rows, missing, shown, outliers, tuple(notes))


class EventProfiler:
    """Sees events; `profile` tells of all it saw. Values are in `currency`."""

    def __init__(self, currency: str = "") -> None:
        self._currency, self._scale = currency, scale_of(currency)
        self._rows = 0
        self._missing = {"shopper_id": 0, "value of a purchase": 0, "basket_id of a purchase": 0}
        self._kinds: dict[str, int] = {}
        self._days: dict[int, int] = {}
        self._values = Group()
        self._shoppers = Shoppers()

    def watching(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events, seen as they pass."""
        for event in events:
            self.see(event)
            yield event

    def see(self, event: Event) -> None:
        self._rows += 1
        count(self._kinds, event.kind.value)
        count(self._days, event.time_ms // DAY_MS)
        if event.shopper_id:
            self._shoppers.add(event.shopper_id)
        else:
            self._missing["shopper_id"] += 1
        if event.kind is EventKind.PURCHASE:
            if not event.basket_id:
                self._missing["basket_id of a purchase"] += 1
            if event.value_minor is None:
                self._missing["value of a purchase"] += 1
            else:
                value = event.value_minor / self._scale
                self._values.add(value, event.product_id or "", _day(event.time_ms // DAY_MS))

    def profile(self) -> Profile:
        days = {_day(day): n for day, n in sorted(self._days.items())}
        per_shopper = self._shoppers.spread()
        spreads = {
            "kind": Spread("name", dict(sorted(self._kinds.items(), key=lambda pair: -pair[1]))),
            "events per day": Spread("day", days),
            "events per shopper": per_shopper,
            "value of a purchase line": Spread("size", self._values.bins, unit=self._currency),
        }
        judged = [_judged("value", VALUE_RULE, {"all purchases": self._values})]
        fences = _fences(per_shopper.counts)
        if fences is not None:
            far = sum(n for place, n in per_shopper.counts.items() if place > fences[1])
            times = self._shoppers.times
            judged.append(Outliers("events of a shopper", SHOPPER_RULE, per_shopper.total * times, far * times))
        notes = []
        if self._shoppers.times > 1:
            notes.append(
                f"Events per shopper are those of a sample of {per_shopper.total:,} shoppers, about one in "
                f"{self._shoppers.times:,}; each is counted whole."
            )
        shown = {name: spread for name, spread in spreads.items() if spread.total}
        bought = self._kinds.get(EventKind.PURCHASE.value, 0)
        missing = {name: (n, self._rows if name == "shopper_id" else bought) for name, n in self._missing.items()}
        return Profile("events", self._rows, missing, shown, tuple(judged), tuple(notes))


def _fences(counts: Mapping[int, int]) -> tuple[int, int] | None:
    """The lowest and the highest bin that is not far from the others; None for too few sizes above 0."""
    above = {place: n for place, n in counts.items() if place != ZERO}
    if sum(above.values()) < LEAST_JUDGED:
        return None
    lower, upper = quantile_bin(above, 0.25), quantile_bin(above, 0.75)
    reach = round(FENCES * max(upper - lower, LEAST_RANGE))
    return lower - reach, upper + reach


def _judged(what: str, rule: str, groups: Mapping[str, Group]) -> Outliers:
    judged = found = 0
    examples: list[tuple[int, Far]] = []  # how many bins beyond the fence
    for name, group in groups.items():
        fences = _fences(group.bins)
        if fences is None:
            continue
        low, high = fences
        above = {place: n for place, n in group.bins.items() if place != ZERO}
        judged += sum(above.values())
        found += sum(n for place, n in above.items() if not low <= place <= high)
        for size, id_, label in group.extremes:
            place = bin_of(size)
            if place != ZERO and not low <= place <= high:
                far = Far(id_, label, size, name, size_of(low), size_of(high))
                examples.append((max(low - place, place - high), far))
    examples.sort(key=lambda pair: (-pair[0], pair[1].id))
    return Outliers(what, rule, judged, found, tuple(far for _, far in examples[:EXAMPLES]))


def _day(days: int) -> str:
    return datetime.fromtimestamp(days * DAY_MS / 1000, UTC).date().isoformat()
