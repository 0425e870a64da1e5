"""Which numbers suit this shop? A search over rolling windows of its own past.

The log is cut into windows of some days. The last is never looked at: it is left for `wares eval`. The one before it
is for the proof, and those before that are for choosing: for each, a model learns from everything earlier and must
foresee the first basket of each shopper in it. What was chosen is then compared with what is set now, on the window for
the proof, shopper by shopper.
"""

import importlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.engine.learnt import MODELS, new_model
from wares.engine.settings import Settings
from wares.errors import InputError, TrainingError, UnknownName
from wares.evaluation.intervals import Interval, mean_interval, paired_difference
from wares.evaluation.ranking import read
from wares.evaluation.splits import DAY_MS, NextBasket, split_next_basket
from wares.evaluation.ties import expected_ndcg, expected_recall
from wares.training.progress import Tell, silent
from wares.training.studies import Numbers, Studies, Trial

Metric = Literal["recall", "ndcg", "new-recall"]
Floats = NDArray[np.float64]
LEAST_ASKED = 20  # shoppers of a window below which nothing is chosen on it
MOST_DAYS = 28.0
_DIGITS = 3  # of a number that is tried: more would be read as if they meant something


@dataclass(frozen=True, slots=True)
class Range:
    """Where a number is looked for; `log` = the same effort for each doubling, `whole` = no fractions."""

    low: float
    high: float
    log: bool = True
    whole: bool = False

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


_HALF_LIFE, _LINKS = Range(2, 730), Range(20, 500, whole=True)
SPACES: Mapping[str, Mapping[str, Range]] = {
    "popular_lately": {"half_life_days": Range(0.5, 180)},
    "buy_again": {
        "visits": Range(1, 12, whole=True),
        "doubt": Range(0.5, 200),
        "doubt_offset": Range(0.1, 50),
        "ridge": Range(0.01, 100),
    },
    "item_knn": {
        "k": _LINKS,
        "shrink": Range(0.1, 500),
        "damping": Range(0, 1, log=False),
        "half_life_days": _HALF_LIFE,
        "min_shoppers": Range(1, 10, whole=True),
    },
    "ease": {"penalty": Range(1, 5_000), "k": _LINKS, "half_life_days": _HALF_LIFE},
    "als": {
        "factors": Range(16, 128, whole=True),
        "alpha": Range(0.1, 50),
        "penalty": Range(0.1, 500),
        "min_buyers": Range(1, 20, whole=True),
        "half_life_days": _HALF_LIFE,
    },
    "transitions": {
        "window": Range(1, 10, whole=True),
        "damping": Range(0.3, 1, log=False),
        "shrink": Range(0.1, 100),
        "half_life_events": Range(0.3, 30),
    },
    "graph": {
        "dimension": Range(16, 512, whole=True),
        "window": Range(1, 10, whole=True),
        "damping": Range(0.3, 1, log=False),
        "backward": Range(0, 1, log=False),
        "half_life_events": Range(0.3, 30),
    },
}


@dataclass(frozen=True, slots=True)
class Fold:
    """One window: q shoppers, what they had done and had bought before the cut, and what each is to be foreseen."""

    split: NextBasket
    histories: tuple[History, ...]  # (q,)
    bought: tuple[NDArray[np.int32], ...]  # (q,) distinct products, growing
    metric: Metric
    k: int

    def __len__(self) -> int:
        return len(self.split)

    def measure(self, name: str, settings: Settings) -> Floats:
        """(q,) how well a model with these settings foresees; nan for who bought nothing new, where that is asked."""
        model, split = new_model(name, settings), self.split
        model.fit(split.train, split.cut_ms)
        values = np.full(len(self), np.nan)
        for i, (history, targets, old) in enumerate(zip(self.histories, split.targets, self.bought, strict=True)):
            ranking = read(model.score(history, split.cut_ms), name, split.train.n_products)
            if self.metric == "new-recall":
                fresh = np.setdiff1d(targets, old)
                values[i] = expected_recall(ranking.places_without(fresh, old), self.k)
            else:
                worth = expected_recall if self.metric == "recall" else expected_ndcg
                values[i] = worth(ranking.places(targets), self.k)
        return values


@dataclass(frozen=True, slots=True)
class Folds:
    """The windows, each of `days`; `proof` lies between those for choosing and the last one, which nobody touched."""

    proof: Fold
    choosing: tuple[Fold, ...]
    days: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """One model: the numbers set now and the best ones found, with their means where they were chosen and in the
    proof, and there their paired difference (best - now) with its 95% interval."""

    model: str
    now: Numbers
    best: Numbers
    chosen_now: float
    chosen_best: float
    proof_now: Interval
    proof_best: Interval
    difference: Interval
    trials: int
    resumed: int  # of the trials, those that an earlier run had made
    seconds: float

    @property
    def changed(self) -> Numbers:
        """What would have to be written."""
        return {name: value for name, value in self.best.items() if self.now[name] != value}

    @property
    def is_better(self) -> bool:
        """Whether the proof leaves no doubt."""
        return bool(self.changed) and self.difference.above_zero


def tune(
    folder: Path,
    interactions: Interactions,
    settings: Settings,
    names: Sequence[str],
    *,
    trials: int | None = None,
    budget_s: float | None = None,
    days: float | None = None,
    folds: int = 2,
    questions: int = 500,
    metric: Metric = "recall",
    k: int = 10,
    seed: int = 0,
    tell: Tell = silent,
) -> Iterator[Tuned]:
    """Search for each model in turn; `trials` in all for each (20 unless there is a budget), or what `budget_s` holds,
    shared evenly. Trials of an interrupted run for the same question on the same data are taken over.

    Raises TrainingError without optuna, UnknownName, and InputError where the log is too short or too thin.
    """
    optuna = load_optuna()
    for name in names:
        if name not in SPACES:
            raise UnknownName("model to tune", name, SPACES)
    cut = cut_folds(interactions, days, folds, questions, metric, k, seed)
    studies, ends = Studies(folder), time.monotonic() + (budget_s or 0.0)
    for place, name in enumerate(names):
        question = {
            "events": len(interactions.events),
            "until_ms": int(interactions.events.times_ms.max()),
            "shoppers": interactions.n_shoppers,
            "products": interactions.n_products,
            "windows": [cut.days, folds, questions, metric, k, seed],
            "fixed": {key: value for key, value in numbers_now(name, settings).items() if key not in SPACES[name]},
            "space": {key: [r.low, r.high, r.log, r.whole] for key, r in SPACES[name].items()},
        }
        share = None if budget_s is None else max(0.0, ends - time.monotonic()) / (len(names) - place)
        limit = trials if trials is not None else (None if budget_s is not None else 20)
        yield _Search(optuna, name, settings, cut, studies, question, seed, tell).run(limit, share)


def cut_folds(
    interactions: Interactions, days: float | None, folds: int, questions: int, metric: Metric, k: int, seed: int
) -> Folds:
    """The windows, each with at most `questions` shoppers, drawn evenly. `days` None: 28, less for a short log."""
    times = interactions.events.times_ms
    span = float(times.max() - times.min()) / DAY_MS if len(times) else 0.0
    days = min(MOST_DAYS, round(span / (folds + 4), 2)) if days is None else days
    if days <= 0:
        raise InputError("All events carry one time: there is no past to choose on.")
    rng = np.random.default_rng(seed)
    cut = []
    for earlier in range(1, folds + 2):
        split = split_next_basket(interactions, days, earlier)
        split = split.take(np.sort(rng.permutation(len(split))[:questions]))
        histories = tuple(split.histories)
        bought = tuple(np.unique(history.of(EventKind.PURCHASE).rows) for history in histories)
        asked = len(split)
        if metric == "new-recall":
            asked = sum(bool(len(np.setdiff1d(new, old))) for new, old in zip(split.targets, bought, strict=True))
        if asked < LEAST_ASKED:
            what = "something new" if metric == "new-recall" else "something"
            raise InputError(
                f"In the window of {days:g} days that ends {earlier * days:g} days before the last event, {asked} "
                f"shoppers who were known before bought {what}; {LEAST_ASKED} are needed. Try fewer --folds, or "
                f"other --days (the log spans {span:.0f} days)."
            )
        cut.append(Fold(split, histories, bought, metric, k))
    return Folds(cut[0], tuple(cut[1:]), days)


def numbers_now(name: str, settings: Settings) -> Numbers:
    """Every number of a model as it is set: its defaults with the shop's own over them."""
    model = MODELS[name]()
    fields: Mapping[str, Any] = model.__dataclass_fields__  # type: ignore[attr-defined]
    defaults = {key: getattr(model, key) for key, field in fields.items() if field.init}
    return {**defaults, **settings.models.parameters(name)}


def with_numbers(settings: Settings, name: str, numbers: Mapping[str, int | float]) -> Settings:
    """The same settings with these numbers of one model changed."""
    changed = {**settings.models.parameters(name), **numbers}
    return settings.model_copy(update={"models": settings.models.model_copy(update={name: changed})})


def load_optuna() -> Any:
    """The optuna module, silent. Raises TrainingError that names the extra where it is missing."""
    try:
        optuna = importlib.import_module("optuna")
    except ImportError as error:
        problem = "Searching for settings needs optuna, which is not installed. Install it: pip install 'wares[train]'"
        raise TrainingError(problem) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class _Search:
    """The search for one model."""

    def __init__(
        self,
        optuna: Any,
        name: str,
        settings: Settings,
        folds: Folds,
        studies: Studies,
        question: Mapping[str, Any],
        seed: int,
        tell: Tell,
    ) -> None:
        self.optuna, self.name, self.settings, self.folds = optuna, name, settings, folds
        self.studies, self.question, self.tell = studies, question, tell
        self.space = {key: _distribution(optuna, found) for key, found in SPACES[name].items()}
        self.done = studies.trials(name, question)
        self.resumed = len(self.done)
        # A search that goes on must not begin with the very numbers by chance that it began with the first time.
        self.study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed + self.resumed)
        )
        for trial in self.done:
            self._remember(trial)

    def run(self, limit: int | None, share_s: float | None) -> Tuned:
        started = time.monotonic()
        stage = f"Tuning: {self.name}"
        now = {key: value for key, value in numbers_now(self.name, self.settings).items() if key in self.space}
        if not any(trial.numbers == now for trial in self.done):
            first = self._tried(now)
            self._keep(first)
            self._remember(first)
        longest = max(trial.seconds for trial in self.done)
        while limit is None or len(self.done) < limit:
            spent = time.monotonic() - started
            total = limit or len(self.done) + max(0, int((share_s or 0.0) - spent) // max(1, round(longest)))
            self.tell(stage, len(self.done), max(total, len(self.done)))
            if share_s is not None and spent + longest > share_s:
                break
            asked = self.study.ask(self.space)
            trial = self._tried({key: _rounded(value) for key, value in asked.params.items()})
            self.study.tell(asked, trial.value)
            self._keep(trial)
            longest = max(longest, trial.seconds)
        self.tell(stage, len(self.done), len(self.done))
        best = max(self.done, key=lambda trial: trial.value)
        chosen_now = next(trial.value for trial in self.done if trial.numbers == now)
        if best.value <= chosen_now:
            best = next(trial for trial in self.done if trial.numbers == now)
        return self._proven(now, best, chosen_now, time.monotonic() - started)

    def _proven(self, now: Numbers, best: Trial, chosen_now: float, seconds: float) -> Tuned:
        rng = np.random.default_rng(0)
        old = self.folds.proof.measure(self.name, self.settings)
        new = old if best.numbers == now else self._measured(self.folds.proof, best.numbers)
        return Tuned(
            self.name, now, best.numbers, chosen_now, best.value, mean_interval(old, rng), mean_interval(new, rng),
            paired_difference(new, old, rng), len(self.done), self.resumed, seconds,
        )  # fmt: skip

    def _tried(self, numbers: Numbers) -> Trial:
        """One trial; numbers that the model cannot be fitted with are worth nothing."""
        started = time.monotonic()
        try:
            value = float(np.mean([np.nanmean(self._measured(fold, numbers)) for fold in self.folds.choosing]))
        except (TrainingError, np.linalg.LinAlgError):
            value = 0.0
        return Trial(numbers, value, time.monotonic() - started)

    def _measured(self, fold: Fold, numbers: Numbers) -> Floats:
        return fold.measure(self.name, with_numbers(self.settings, self.name, numbers))

    def _keep(self, trial: Trial) -> None:
        self.done.append(trial)
        self.studies.keep(self.name, self.question, self.done)

    def _remember(self, trial: Trial) -> None:
        """Let the study know of a trial; numbers outside the space (the shop may have set such) teach it nothing."""
        if all(SPACES[self.name][key].holds(value) for key, value in trial.numbers.items()):
            self.study.add_trial(
                self.optuna.trial.create_trial(params=trial.numbers, distributions=self.space, value=trial.value)
            )


def _distribution(optuna: Any, found: Range) -> Any:
    if found.whole:
        return optuna.distributions.IntDistribution(int(found.low), int(found.high), log=found.log)
    return optuna.distributions.FloatDistribution(found.low, found.high, log=found.log)


def _rounded(value: float) -> int | float:
    """
    >>> _rounded(0.123456), _rounded(77)
    (0.123, 77)
    """
    return value if isinstance(value, int) else float(f"{value:.{_DIGITS}g}")
