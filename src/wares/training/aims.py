"""What business aims bring and what they cost: pages of the past arranged by several weights, beside those without.

Each question is answered and scored once; only the arranging is done for every weight. Prices, costs and stock are
today's, since what they were is not known; sales and all that is learnt are those of the moment that is asked.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wares.domain.aims import AIMS, NEEDS
from wares.domain.cores import on_all_cores
from wares.domain.request import Request
from wares.domain.rule import Rule
from wares.domain.shopper import History
from wares.engine.assembly import Engine
from wares.engine.settings import Settings
from wares.engine.view import ShopView
from wares.errors import InputError
from wares.evaluation.intervals import Interval, mean_intervals
from wares.evaluation.judgements import Judged, ndcg_of
from wares.evaluation.metrics import recall
from wares.store.sqlite import Store
from wares.training.progress import Tell, silent
from wares.training.trial import past_of

K = 10
HOME, SEARCH = "home", "search"
NONE, OWN = "none", "yours"  # labels
WEIGHTS = (0.02, 0.05, 0.1, 0.2, 0.4)
MOST_DAYS = 365.0  # of cover and age: a year or more counts as a year in a mean, or one product would be all of it
_NEVER = 2**62  # above every sequence number

Mix = tuple[tuple[str, float], ...]  # (aim, weight)
Groups = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """One way to weigh the aims. `means`: of each aim over the first K hits, in its unit, nan = not known.
    `difference`: relevance less that without aims, paired. Of what was wanted and found: `found_margin`, the margin as
    a share of its price, and `found_profit_minor`, the margin in money for 100 pages; nan = not known."""

    label: str
    mix: Mix
    means: Mapping[str, float]
    relevance: Interval
    difference: Interval
    found_margin: float
    found_profit_minor: float


@dataclass(frozen=True, slots=True)
class AimsCost:
    """The lines of one surface: first the one without aims, then each aim by growing weight, then the shop's own mix.
    `unknown` are the aims of which no product tells anything."""

    surface: str
    measure: str
    asked: int
    lines: tuple[Line, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Questions:
    """`worth` (question, first hits) -> relevance; hits and `wanted` are groups of variants."""

    measure: str
    requests: Sequence[Request]
    histories: Sequence[History]
    worth: Callable[[int, Groups], float]
    wanted: Sequence[Groups]


def cost_on_home(
    folder: Path,
    store: Store,
    settings: Settings,
    rules: Sequence[Rule],
    now_ms: int,
    *,
    days: float = 28,
    weights: Sequence[float] = WEIGHTS,
    questions: int = 500,
    seed: int = 0,
    tell: Tell = silent,
) -> AimsCost:
    """The home page of at most so many shoppers, drawn evenly, against the first basket after the cut. `rules` are the
    shop's; the aims among them are the mix. Raises TrainingError, InputError like `trial.next_basket_trial`."""
    past = past_of(folder, store, settings, days=days, seed=seed, tell=tell)
    rng = np.random.default_rng(seed)
    split = past.split.take(np.sort(rng.permutation(len(past.split))[:questions]))
    engine = Engine(folder, settings, store, None, past.snapshot)
    engine.live.last_event = _NEVER  # the terms of today, nothing of what happened since
    engine.live.catch_up(store.catalogue, store.events)
    columns, ids = engine.live.state.columns, past.snapshot.columns.ids
    targets = [np.array([columns.row_of.get(ids[row], row) for row in one], np.int32) for one in split.targets]
    wanted = [np.unique(columns.groups[rows]) for rows in targets]

    def worth(i: int, hits: Groups) -> float:
        return recall(np.isin(hits, wanted[i]), len(wanted[i]), K)

    asked = _Questions(f"recall@{K}", [Request(HOME, split.cut_ms)] * len(split), split.histories, worth, wanted)
    return _cost(engine, HOME, asked, rules, now_ms, weights, rng, tell)


def cost_in_search(
    engine: Engine,
    rules: Sequence[Rule],
    now_ms: int,
    *,
    weights: Sequence[float] = WEIGHTS,
    questions: int = 500,
    seed: int = 0,
    tell: Tell = silent,
) -> AimsCost | None:
    """Search as it serves now, against judgements; None where there are none that the catalogue knows."""
    columns = engine.live.state.columns
    group_of = {product_id: int(columns.groups[row]) for product_id, row in columns.row_of.items()}
    judged = Judged.of(engine.store.judgements.read(), group_of)
    useful = [i for i in range(len(judged)) if judged.gains[judged.of_query(i)].any()]
    if not useful:
        return None
    rng = np.random.default_rng(seed)
    judged = judged.take(sorted(rng.permutation(useful)[:questions].tolist()))

    def worth(i: int, hits: Groups) -> float:
        own = judged.of_query(i)
        return ndcg_of(hits, judged.rows[own], judged.gains[own], K)

    requests = [Request(SEARCH, now_ms, query) for query in judged.queries]
    nothing = np.empty(0, np.int32)
    asked = _Questions(f"ndcg@{K}", requests, [History.empty()] * len(requests), worth, [nothing] * len(requests))
    return _cost(engine, SEARCH, asked, rules, now_ms, weights, rng, tell)


def _cost(
    engine: Engine,
    surface: str,
    asked: _Questions,
    rules: Sequence[Rule],
    now_ms: int,
    weights: Sequence[float],
    rng: np.random.Generator,
    tell: Tell,
) -> AimsCost:
    if "aims" not in engine.settings.profile(surface).policies:
        raise InputError(f"profiles.{surface}.policies lacks `aims`, so aims do nothing there. Put it first.")
    columns = engine.live.state.columns
    has = {aim: bool((columns.alive & ~np.isnan(columns.trade[NEEDS[aim]])).any()) for aim in AIMS}
    mixes: dict[str, Mix] = {NONE: ()}
    mixes |= {
        f"{aim} {weight:g}": ((aim, weight),) for aim in AIMS if has[aim] for weight in sorted(set(weights)) if weight
    }
    own = engine.rules.actions(Request(surface, now_ms), engine.store.shoppers, rules).weighed_aims
    if own:
        mixes[OWN] = own
    view = ShopView(engine.live, asked.requests[0].now_ms)
    rows = np.arange(len(columns), dtype=np.int32)
    values = np.stack([view.aim_values(aim, rows) for aim in AIMS])  # (3, n)
    values[1:] = np.minimum(values[1:], MOST_DAYS)
    worth, means, found = (np.full((len(asked.requests), len(mixes), m), np.nan) for m in (1, len(AIMS), 2))
    ways = list(mixes.values())

    def ask(i: int) -> list[tuple[float, Floats, Floats]]:
        request = asked.requests[i]
        actions = engine.rules.actions(request, engine.store.shoppers, rules)
        pages = engine.arranged(request, asked.histories[i], [replace(actions, aims=mix) for mix in ways])
        told = []
        for page in pages:
            hits = page.rows[:K]
            groups = columns.groups[hits]
            right = hits[np.isin(groups, asked.wanted[i])]
            margin, price = values[0, right], view.columns.numbers["price"][right]
            known = ~np.isnan(margin)
            money = np.array([(margin * price)[known].sum(), price[known].sum()])
            told.append((asked.worth(i, groups), _mean(values[:, hits]), money))
        return told

    for i, told in enumerate(on_all_cores(ask, len(asked.requests))):
        for j, (one, mean, money) in enumerate(told):
            worth[i, j], means[i, j], found[i, j] = one, mean, money
        tell(f"Arranging: {surface}", i + 1, len(asked.requests))
    relevance = mean_intervals(worth[:, :, 0], rng)
    differences = mean_intervals(worth[:, :, 0] - worth[:, :1, 0], rng)
    profit, revenue = found.sum(axis=0).T  # (w,) each
    page_means = _mean(means.transpose(1, 2, 0))  # (w, 3)
    lines = [
        Line(
            label,
            mix,
            dict(zip(AIMS, page_means[j].tolist(), strict=True)),
            relevance[j],
            differences[j],
            float(profit[j] / revenue[j]) if revenue[j] > 0 else math.nan,
            float(100 * profit[j] / len(worth)) if revenue[j] > 0 else math.nan,
        )
        for j, (label, mix) in enumerate(mixes.items())
    ]
    return AimsCost(surface, asked.measure, len(worth), tuple(lines), tuple(aim for aim in AIMS if not has[aim]))


def _mean(values: Floats) -> Floats:
    """(..., k) -> (...) the mean of what is known; nan where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(known, values, 0).sum(axis=-1) / known.sum(axis=-1)
    return means
