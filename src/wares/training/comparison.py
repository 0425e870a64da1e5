"""Two snapshots asked the same: the one that serves, and the one that was just made. Which foresees better?

Fair means that neither has seen the answers. Where the serving snapshot is older than enough of them, it answers as it
is, and the new one's models are fitted anew without them. Else both recipes (the models and their numbers) are fitted
anew on everything before the last four weeks. Both answer with today's settings, which serve whatever snapshot there
is; what is compared is what was learnt.
"""

import dataclasses
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.contracts import BehaviourModel, Encoder
from wares.domain.interactions import Interactions
from wares.domain.request import Request
from wares.domain.shopper import History
from wares.engine.assembly import Engine
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.errors import TrainingError
from wares.evaluation.metrics import recall
from wares.evaluation.splits import DAY_MS, ColdProducts, NextBasket, split_cold_products, split_next_basket
from wares.store.sqlite import Store
from wares.training.models import as_of
from wares.training.progress import Tell, silent

K, COLD_K = 10, 20  # places of the home page that count; among new products
LEAST = 50  # questions below which a bound means nothing
AS_IT_IS = "serving as it is"
BOTH_ANEW = "both fitted anew"
_DAYS = 28
_DEEP = 1000  # hits of a page that are looked at
_TIMED = 30  # pages whose time is taken: the shortest of ...
_FEW_ROUNDS, _ROUNDS = 3, 9  # ... so many, and of so many where the new one seems slower
_LOOKED_AT = 3  # shoppers
_NEVER = 2**62  # above every sequence number

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]
Refit = Callable[[BehaviourModel, Interactions, int], BehaviourModel]  # (a fitted one, what to learn from, now) -> anew


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of both."""

    serving: float
    candidate: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was asked and what came of it. Recalls (q,) are of each question, paired; `made` (t,) are those of the new
    snapshot as it will serve, on the first t of the questions. It has seen their answers."""

    how: str
    cut_ms: int
    serving: Floats
    candidate: Floats
    made: Floats
    coverage: Pair  # distinct hits among the first K of all pages
    latency_ms: Pair  # median time of the processor for a home page, of both snapshots as they serve
    cold: Pair | None  # recall of products that came after the cut, among such products; None = too few were bought
    cold_questions: int
    left_out: tuple[str, ...]  # models that can only be fitted elsewhere: neither side used them


def fitted_anew(model: BehaviourModel, interactions: Interactions, now_ms: int) -> BehaviourModel:
    """A model with the same numbers, fitted on these events. Raises TrainingError where that is not possible."""
    twin: BehaviourModel = type(model)(**_numbers(model))
    twin.fit(interactions, now_ms)
    return twin


def _numbers(model: BehaviourModel) -> dict[str, Any]:
    """What its constructor was given."""
    if not dataclasses.is_dataclass(model):
        raise TrainingError(f"{type(model).__name__} does not tell its numbers.")
    return {f.name: getattr(model, f.name) for f in dataclasses.fields(model) if f.init}


def _same_recipe(a: BehaviourModel, b: BehaviourModel) -> bool:
    """Whether both become the same model where they are fitted on the same events."""
    if type(a) is not type(b):
        return False
    numbers, others = _numbers(a), _numbers(b)
    return all(isinstance(value, int | float) and value == others[name] for name, value in numbers.items())


@dataclass(frozen=True, slots=True)
class Both:
    """The serving snapshot and the new one, and what they answer with: the shop as it is today."""

    serving: Snapshot
    candidate: Snapshot
    folder: Path
    store: Store
    settings: Settings
    encoder: Encoder | None

    def home_of(self, snapshot: Snapshot) -> "Home":
        """The page of a snapshot of the new one's catalogue."""
        return Home(Engine(self.folder, self.settings, self.store, self.encoder, snapshot))

    def home_as_it_is(self, models: Mapping[str, BehaviourModel], *, ordered: bool = True) -> "Home":
        """The serving snapshot's page with these of its models and the catalogue of today, but none of the events that
        came since; without the order that it learnt unless `ordered`."""
        encoder, asked = self.encoder, replace(self.serving, models=models)
        if encoder is not None and self.serving.encoder not in ("", encoder.fingerprint):
            encoder = None  # vectors of two encoders are never mixed
        if not ordered:
            asked = replace(asked, home_order=None)
        engine = Engine(self.folder, self.settings, self.store, encoder, asked)
        engine.live.last_event = _NEVER
        engine.live.catch_up(self.store.catalogue, self.store.events)
        return Home(engine, *_rows_by_key(self.candidate.columns.keys, engine.live.state.columns.keys))


def compare(both: Both, *, tell: Tell = silent, refit: Refit = fitted_anew, seed: int = 0) -> Comparison | None:
    """Ask both; None where fewer than `LEAST` questions can be asked."""
    serving, candidate = both.serving, both.candidate
    questions = _questions(serving, candidate, both.settings.promotion.questions, seed)
    if questions is None:
        return None
    split, cold_split, how = questions
    before: Mapping[str, BehaviourModel] = serving.models
    learnt, left_out = _anew(candidate.models, split.train, split.cut_ms, refit, tell)
    if how == BOTH_ANEW:
        known = {name: model for name, model in before.items() if name in learnt}
        shared = {name: learnt[name] for name, model in known.items() if _same_recipe(model, candidate.models[name])}
        others, more = _anew(_without(before, shared), split.train, split.cut_ms, refit, tell)
        before, left_out = shared | others, tuple(dict.fromkeys([*left_out, *more]))
    learnt, before = _without(learnt, left_out), _without(before, left_out)
    new = both.home_of(as_of(split.train, candidate, learnt))
    old = (
        both.home_as_it_is(before, ordered=False)
        if how == AS_IT_IS
        else both.home_of(as_of(split.train, candidate, before))
    )
    groups = candidate.columns.groups
    n_cold = len(np.unique(cold_split.shoppers)) if len(cold_split) >= LEAST else 0
    steps = _Steps(tell, 2 * (len(split) + n_cold) + min(len(split), _TIMED))
    recalls, coverage = _ask_all(old, new, split, groups, steps)
    cold = _cold(old, new, cold_split, groups, steps) if n_cold else None
    as_it_is = how == AS_IT_IS and not left_out and serving.home_order is None
    whole = old if as_it_is else both.home_as_it_is(serving.models)
    latency, as_made = _timed(whole, both.home_of(candidate), split, groups, steps)
    return Comparison(how, split.cut_ms, *recalls, as_made, coverage, latency, cold, len(cold_split), left_out)


def goes_dark(both: Both) -> bool:
    """Whether the new home page is empty for everybody asked, while the serving one is not."""
    now_ms = int(both.candidate.facts.get("made_ms", 0))
    new, old = both.home_of(both.candidate), both.home_as_it_is(both.serving.models)
    asked = few_histories(both.candidate)
    shown, before = (any(len(home.ask(history, now_ms)) for history in asked) for home in (new, old))
    return before and not shown


def few_histories(snapshot: Snapshot) -> list[History]:
    """That of nobody, and those of the busiest shoppers."""
    known = snapshot.interactions
    lengths = np.diff(known.indptr)[: known.n_shoppers]
    return [History.empty(), *(known.history(int(s)) for s in np.argsort(-lengths, kind="stable")[:_LOOKED_AT])]


def _questions(
    serving: Snapshot, candidate: Snapshot, at_most: int, seed: int
) -> tuple[NextBasket, ColdProducts, str] | None:
    """First baskets after the cut, drawn evenly, purchases of what was new then, and how both can be asked fairly."""
    known = candidate.interactions
    if not len(known.events) or not len(serving.interactions.events):
        return None
    latest, seen = int(known.events.times_ms.max()), int(serving.interactions.events.times_ms.max())
    for days, how in (((latest - seen - 1) / DAY_MS, AS_IT_IS), (_DAYS, BOTH_ANEW)):
        if days <= 0:
            continue
        split = split_next_basket(known, days)
        if len(split) < LEAST:
            continue
        rng = np.random.default_rng(seed)
        drawn = np.sort(rng.permutation(len(split))[:at_most])
        return split.take(drawn), _some(split_cold_products(known, days), at_most, rng), how
    return None


def _some(split: ColdProducts, at_most: int, rng: np.random.Generator) -> ColdProducts:
    """What at most so many of its shoppers bought."""
    shoppers = np.unique(split.shoppers)
    kept = np.isin(split.shoppers, rng.permutation(shoppers)[:at_most])
    return replace(split, shoppers=split.shoppers[kept], targets=split.targets[kept], times_ms=split.times_ms[kept])


def _anew(
    models: Mapping[str, BehaviourModel], interactions: Interactions, now_ms: int, refit: Refit, tell: Tell
) -> tuple[dict[str, BehaviourModel], tuple[str, ...]]:
    """The models fitted on these events, and the names of those that cannot be."""
    fitted, left_out = {}, []
    for done, (name, model) in enumerate(models.items()):
        tell("Learning without the answers", done, len(models))
        try:
            fitted[name] = refit(model, interactions, now_ms)
        except TrainingError:
            left_out.append(name)
    tell("Learning without the answers", len(models), len(models))
    return fitted, tuple(left_out)


def _without(models: Mapping[str, BehaviourModel], names: Collection[str]) -> dict[str, BehaviourModel]:
    return {name: model for name, model in models.items() if name not in names}


# -- asking ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Home:
    """A home page that is asked and answers in rows of the new snapshot. `own` (n,) are its own rows of those, `common`
    (m,) the other way round, -1 = none; None = they are the same."""

    engine: Engine
    own: Rows | None = None
    common: Rows | None = None

    def ask(self, history: History, now_ms: int) -> Rows:
        """At most `_DEEP` products, best first."""
        if self.own is not None:
            rows = self.own[history.rows]
            history = replace(history, rows=rows).take(rows >= 0)
        order = self.engine.answer(Request("home", now_ms), history).order[:_DEEP]
        if self.common is None:
            return order
        rows = self.common[order]
        return rows[rows >= 0]


def _rows_by_key(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[Rows, Rows]:
    """(the first row in b of each key of a, the row in a of each key of b); -1 = none. The keys a are distinct."""
    size = int(max(a.max(initial=0), b.max(initial=0))) + 1
    in_a, in_b = np.full(size, -1, np.int32), np.full(size, -1, np.int32)
    in_a[a] = np.arange(len(a), dtype=np.int32)
    in_b[b[::-1]] = np.arange(len(b) - 1, -1, -1, dtype=np.int32)
    return in_b[a], in_a[b]


def _ask_all(
    old: Home, new: Home, split: NextBasket, groups: Rows, steps: "_Steps"
) -> tuple[tuple[Floats, Floats], Pair]:
    """Recall@K of each question by both, and the number of distinct hits that both show."""
    found, shown = [np.empty(len(split)), np.empty(len(split))], [set[int](), set[int]()]
    for i, (history, targets) in enumerate(zip(split.histories, split.targets, strict=True)):
        for side, home in enumerate((old, new)):
            hits = _hits(home.ask(history, split.cut_ms), groups)[:K]
            found[side][i] = _recall(hits, targets, groups)
            shown[side].update(hits.tolist())
            steps.done()
    return (found[0], found[1]), Pair(len(shown[0]), len(shown[1]))


def _cold(old: Home, new: Home, split: ColdProducts, groups: Rows, steps: "_Steps") -> Pair:
    """The share of purchases of new products that stand among the first COLD_K new ones of the buyer's page, as of the
    first of them: before that the product may not have been for sale."""
    is_cold = np.zeros(split.train.n_products, np.bool_)
    is_cold[split.products] = True
    found = np.zeros(2)
    for shopper in np.unique(split.shoppers).tolist():
        own = split.shoppers == shopper
        wanted, now_ms = groups[split.targets[own]], int(split.times_ms[own].min())
        for side, home in enumerate((old, new)):
            rows = home.ask(split.train.history(shopper), now_ms)
            found[side] += np.isin(wanted, _hits(rows[is_cold[rows]], groups)[:COLD_K]).sum()
            steps.done()
    return Pair(*(found / len(split)).tolist())


def _timed(old: Home, made: Home, split: NextBasket, groups: Rows, steps: "_Steps") -> tuple[Pair, Floats]:
    """Median ms of the processor for a page of both, asked in turns (so that other work on this machine counts little);
    and the recall of the second on these questions."""
    some = split.take(range(min(len(split), _TIMED)))
    took, recalls = np.full((2, len(some)), np.inf), np.empty(len(some))
    for i, (history, targets) in enumerate(zip(some.histories, some.targets, strict=True)):
        recalls[i] = _recall(_hits(made.ask(history, some.cut_ms), groups)[:K], targets, groups)  # warms up, too
        steps.done()
    for turn in range(_ROUNDS):
        if turn == _FEW_ROUNDS and np.median(took[1]) <= np.median(took[0]):
            break
        for i, history in enumerate(some.histories):
            for side in ((0, 1), (1, 0))[turn % 2]:
                started = time.process_time()
                (old, made)[side].ask(history, some.cut_ms)
                took[side, i] = min(took[side, i], (time.process_time() - started) * 1000)
    return Pair(*np.median(took, axis=1).tolist()), recalls


def _hits(rows: Rows, groups: Rows) -> Rows:
    """The distinct hits (groups of variants) of a list of products, in its order."""
    own = groups[rows]
    _, first = np.unique(own, return_index=True)
    return own[np.sort(first)]


def _recall(hits: Rows, targets: Rows, groups: Rows) -> float:
    wanted = np.unique(groups[targets])
    return recall(np.isin(hits, wanted), len(wanted), K)


class _Steps:
    """Counts what was asked, for the bar."""

    def __init__(self, tell: Tell, total: int) -> None:
        self._tell, self._total, self._done = tell, total, 0

    def done(self) -> None:
        self._done += 1
        self._tell("Comparing with what serves", self._done, self._total)
