"""Is there enough here to learn from? What a shop knows, in figures, and whether more than popular products pays.

The question is put to the shop's own past: the last weeks are set aside, two quick models learn from what came before,
and both must foresee what shoppers bought next better than the list that everybody gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wares.domain.interactions import Interactions
from wares.domain.product import Product
from wares.engine.learnt import new_model
from wares.engine.settings import Settings
from wares.errors import InputError
from wares.evaluation.baselines import Popular
from wares.evaluation.intervals import Interval, paired_difference
from wares.evaluation.replay import asking, next_basket_table
from wares.evaluation.splits import DAY_MS, PURCHASE, split_next_basket
from wares.training.models import fit
from wares.training.progress import Tell, silent

Verdict = Literal["yes", "not yet", "cannot tell"]
LEAST_ASKED = 30  # shoppers below which no comparison is made
MOST_ASKED = 500
MOST_DAYS = 28.0  # that are set aside; a quarter of a shorter log
COMPARED = ("buy_again", "item_knn")
_HEAD = 0.01  # share of the catalogue that counts as its head


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model against popular products, on the same shoppers: means of `metric`, and the paired difference with an
    interval that stands at 95% for all comparisons together (Bonferroni)."""

    model: str
    metric: str
    popular: float
    learnt: float
    difference: Interval


@dataclass(frozen=True, slots=True)
class Readiness:
    """Shares lie in [0, 1]; nan where there is nothing to take a share of."""

    products: int
    products_met: int  # with at least one event
    events: int
    purchases: int
    anonymous: float  # share of the events that name no shopper
    shoppers: int
    visits: int  # days on which a shopper did something, over all shoppers
    returning: float  # share of shoppers with two visits or more
    repeats: float  # of what known shoppers bought after their first day: share that they had bought before
    days: float  # from the first event to the last
    coverage: Mapping[str, float]  # field -> share of products that have it
    head: float  # share of the events that are on the best-known 1% of the products
    half: int  # how few products make half of the events
    days_aside: float  # that were set aside for the comparison
    asked: int  # shoppers
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    why: str  # where it cannot be told

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; None for what is not defined."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def readiness(
    products: Sequence[Product], interactions: Interactions, settings: Settings, *, seed: int = 0, tell: Tell = silent
) -> Readiness:
    """Look at what the shop knows (`build.known`) and compare."""
    events, known = interactions.events, interactions.known()
    met = np.sort(np.bincount(events.rows, minlength=interactions.n_products))[::-1]
    visits = visits_of(interactions)
    span = float(events.times_ms.max() - events.times_ms.min()) / DAY_MS if len(events) else 0.0
    aside = min(MOST_DAYS, span / 4)
    comparisons, asked, why = _compared(interactions, settings, aside, np.random.default_rng(seed), tell)
    return Readiness(
        products=len(products),
        products_met=int(np.count_nonzero(met)),
        events=len(events),
        purchases=int((events.kinds == PURCHASE).sum()),
        anonymous=_share(len(events) - len(known.events), len(events)),
        shoppers=interactions.n_shoppers,
        visits=int(visits.sum()),
        returning=_share(int((visits >= 2).sum()), len(visits)),
        repeats=repeat_share(interactions),
        days=span,
        coverage=coverage_of(products),
        head=_share(int(met[: max(1, round(_HEAD * len(met)))].sum()), len(events)),
        half=int(np.searchsorted(np.cumsum(met), len(events) / 2) + 1) if len(events) else 0,
        days_aside=aside,
        asked=asked,
        comparisons=comparisons,
        verdict=_verdict(comparisons),
        why=why,
    )


def coverage_of(products: Sequence[Product]) -> dict[str, float]:
    """Which share of the products has a title, a description, ...; attributes are all but those."""
    has = {
        "title": sum(bool(p.title) for p in products),
        "description": sum(bool(p.description) for p in products),
        "brand": sum(bool(p.brand) for p in products),
        "category": sum(bool(p.category) for p in products),
        "price": sum(p.price_minor is not None for p in products),
        "attributes": sum(bool(p.attributes) for p in products),
        "picture": sum(bool(p.image_url) for p in products),
    }
    return {name: _share(count, len(products)) for name, count in has.items()}


def visits_of(interactions: Interactions) -> NDArray[np.int64]:
    """(n_shoppers,) the days (UTC) on which each known shopper did something."""
    known = interactions.known()
    day, owner = known.events.times_ms // DAY_MS, known.shoppers
    first = np.ones(len(day), np.bool_)
    first[1:] = (day[1:] != day[:-1]) | (owner[1:] != owner[:-1])
    return np.bincount(owner[first], minlength=known.n_shoppers).astype(np.int64)


def repeat_share(interactions: Interactions) -> float:
    """Of what known shoppers bought after their first day with a purchase: which share had they bought on an earlier
    day? A product counts once a day. nan where nobody came twice."""
    known = interactions.known()
    bought = known.events.kinds == PURCHASE
    owner = known.shoppers[bought].astype(np.int64)
    day, rows = known.events.times_ms[bought] // DAY_MS, known.events.rows[bought]
    lines = np.unique(np.stack([owner, rows, day]), axis=1)  # (3, n) sorted by shopper, product, day
    if not lines.shape[1]:
        return float("nan")
    again = np.zeros(lines.shape[1], np.bool_)
    again[1:] = (lines[0, 1:] == lines[0, :-1]) & (lines[1, 1:] == lines[1, :-1])
    first_day = np.full(known.n_shoppers, np.iinfo(np.int64).max)
    np.minimum.at(first_day, owner, day)
    later = lines[2] > first_day[lines[0]]
    return _share(int((again & later).sum()), int(later.sum()))


def _compared(
    interactions: Interactions, settings: Settings, days: float, rng: np.random.Generator, tell: Tell
) -> tuple[tuple[Comparison, ...], int, str]:
    """The comparisons, how many shoppers were asked, and why there is none."""
    if not (interactions.events.kinds == PURCHASE).any():
        return (), 0, "There is no purchase in the log, so nobody can say what was bought next."
    if days <= 0:
        return (), 0, "All events carry one time, so there is no earlier and no later."
    try:
        split = split_next_basket(interactions, days)
    except InputError as error:
        return (), 0, str(error)
    asked = len(split)
    if asked < LEAST_ASKED:
        some = f"Only {asked} shoppers who were known before bought something in the last {days:.0f} days"
        return (), asked, f"{some}; a comparison needs {LEAST_ASKED}."
    split = split.take(np.sort(rng.permutation(asked)[:MOST_ASKED]))
    popular = Popular()
    popular.fit(split.train, split.cut_ms)
    models = fit({name: new_model(name, settings) for name in COMPARED}, split.train, split.cut_ms, tell)
    done, total = 0, len(split) * (1 + len(models))

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell("Asking", done, total)

    systems = {name: asking(model, split.cut_ms) for name, model in {"popular": popular, **models}.items()}
    table = next_basket_table(systems, split, rng, on_progress=more)
    found = []
    for name in COMPARED:
        for metric in ("recall@10", "new recall@10"):
            column = table.metrics.index(metric)
            own, base = table.values[name][:, column], table.values["popular"][:, column]
            there = ~np.isnan(own)
            if (name == "buy_again" and metric != "recall@10") or there.sum() < LEAST_ASKED:
                continue  # it has nothing to say of what was never bought
            level = 1 - 0.05 / 3  # three comparisons
            difference = paired_difference(own[there], base[there], rng, level=level)
            found.append(Comparison(name, metric, float(base[there].mean()), float(own[there].mean()), difference))
    return tuple(found), len(split), ""


def _verdict(comparisons: Sequence[Comparison]) -> Verdict:
    if not comparisons:
        return "cannot tell"
    return "yes" if any(one.difference.above_zero for one in comparisons) else "not yet"


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _plain(value: object) -> object:
    if isinstance(value, float):
        return None if value != value else value
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
