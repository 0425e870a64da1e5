"""What to learn from this shop, on this machine, in this time: chosen by what the data supports, and said why."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from wares.engine.settings import Settings
from wares.errors import TrainingError
from wares.store.vector_cache import FILE as VECTORS
from wares.training.budget import gigabytes, spoken
from wares.training.costs import Cost, Facts, base_cost, ease_bytes, model_cost, sequence_cost
from wares.training.machine import Machine
from wares.training.recipe import SIZES, USABLE, Recipe
from wares.training.tuning import numbers_now

SEQUENCE = "sequence"
ORDER = (
    "popular",
    "popular_lately",
    "buy_again",
    "co_bought",
    "item_knn",
    "ease",
    SEQUENCE,
    "transitions",
    "als",
    "graph",
)
_CAREFUL = 0.8  # of the time: estimates are not sure
_LEAST_EASE, _LEAST_EVENTS, _LEAST_LEARNERS = 100, 2_000, 100
_SMALL_FROM, _BASE_FROM, _LARGE_FROM = 10_000, 200_000, 5_000_000  # events
_FEWEST_EPOCHS = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a training: whether it is done, why, and what it costs."""

    name: str
    chosen: bool
    why: str
    seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained. `numbers` are those that a model must have to fit in; `sequence` is the shopper model's recipe
    and `size` the name of its size. `seconds` and `bytes` are estimates of the whole, `bytes` at its highest."""

    models: tuple[str, ...]
    sequence: Recipe | None
    reasons: tuple[Step, ...]
    seconds: float
    bytes: int
    size: str = ""
    numbers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @staticmethod
    def from_json(text: str) -> "Plan":
        """What `json.dumps(plan.to_dict())` wrote."""
        told = json.loads(text)
        recipe = None if told["sequence"] is None else Recipe(**told["sequence"])
        steps = tuple(Step(**step) for step in told["reasons"])
        return Plan(**{**told, "models": tuple(told["models"]), "sequence": recipe, "reasons": steps})


def apply(plan: Plan, settings: Settings) -> Settings:
    """The shop's settings with what the plan decided."""
    models = settings.models
    changes: dict[str, Any] = {"train": plan.models}
    for name, numbers in plan.numbers.items():
        changes[name] = {**models.parameters(name), **numbers}
    if plan.sequence is not None:
        told = {"size": plan.size, "epochs": plan.sequence.epochs, "seconds": plan.sequence.seconds}
        changes[SEQUENCE] = models.sequence.model_copy(update=told)
    return settings.model_copy(update={"models": models.model_copy(update=changes)})


def make_plan(
    facts: Facts, machine: Machine, settings: Settings, budget_s: float | None = None, *, compares: bool = False
) -> Plan:
    """`budget_s` None = as long as it takes; `compares`: a snapshot serves already, with which the new one will be
    compared, for which both are fitted once more.

    Raises TrainingError, with the number, where not even the base fits into the time or the memory.
    """
    return _Planning(facts, machine, settings, budget_s, 3 if compares else 1).plan()


def vectors_known(folder: Path) -> int:
    """How many texts of the shop in `folder` have vectors already; 0 where that cannot be seen."""
    try:
        with closing(sqlite3.connect(f"file:{folder / VECTORS}?mode=ro", uri=True)) as cache:
            return int(cache.execute("SELECT count(*) FROM vectors").fetchone()[0])
    except sqlite3.Error:
        return 0


@dataclass
class _Planning:
    """Goes through the models in order of worth and spends what is left."""

    facts: Facts
    machine: Machine
    settings: Settings
    budget_s: float | None
    fits: int  # how often each behaviour model is fitted
    spent: float = 0.0
    highest: int = 0
    base: int = 0
    together: int = 0  # bytes of the models chosen so far that are fitted at the same time, on all cores
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)

    def plan(self) -> Plan:
        base = base_cost(self.facts, self.machine)
        limit = math.inf if self.budget_s is None else self.budget_s
        texts = f"{self.facts.texts_waiting:,} of {self.facts.texts:,} texts need a vector"
        waiting = texts if self.facts.texts else "words alone"
        if base.seconds > limit:
            raise TrainingError(
                f"Reading the shop and encoding its texts takes about {spoken(base.seconds)} alone ({waiting}), more "
                f'than the {spoken(limit)} given. Give more time, or set [encoder] source = "none".'
            )
        if base.bytes > self.machine.memory_bytes:
            raise TrainingError(
                f"Reading the shop takes about {gigabytes(base.bytes)} of memory alone, and "
                f"{gigabytes(self.machine.memory_bytes)} are free. Close other programs or use a larger machine."
            )
        self.spent, self.base, self.highest = base.seconds, base.bytes, base.bytes
        steps = [Step("words and texts", True, waiting, base.seconds, base.bytes)]
        recipe, size = None, ""
        for name in ORDER:
            if name == SEQUENCE:
                step, recipe, size = self._sequence()
            else:
                step = self._model(name)
            steps.append(step)
            if step.chosen:
                self.spent += step.seconds
                if name != SEQUENCE and self.machine.cores > 1:
                    self.together += step.bytes
                self.highest = max(self.highest, self.base + max(step.bytes, self.together))
        chosen = tuple(step.name for step in steps[1:] if step.chosen)
        return Plan(chosen, recipe, tuple(steps), self.spent, self.highest, size, self.numbers)

    @property
    def left_s(self) -> float:
        return math.inf if self.budget_s is None else max(0.0, _CAREFUL * self.budget_s - self.spent)

    @property
    def usable_bytes(self) -> int:
        """For the shopper model, which is fitted when the others are done."""
        return max(0, int(USABLE * self.machine.memory_bytes) - self.base)

    @property
    def left_bytes(self) -> int:
        """For one more of the other models."""
        return max(0, self.usable_bytes - self.together)

    def _model(self, name: str) -> Step:
        if against := next(self._against(name), ""):
            return Step(name, False, against)
        why = _why(name, self.facts)
        numbers: dict[str, Any] = numbers_now(name, self.settings)
        if name == "ease":
            wanted = min(int(numbers["max_products"]), self.facts.products_met)
            fits = self._ease_products(numbers, wanted)
            if fits < min(_LEAST_EASE, wanted):
                needed = gigabytes(ease_bytes(wanted))
                return Step(name, False, f"{needed} for {wanted:,} products do not fit into memory and time")
            if fits < wanted:
                self.numbers["ease"] = {"max_products": fits}
                numbers = {**numbers, "max_products": fits}
                why = f"of the {fits:,} products with the most buyers; {wanted:,} take {gigabytes(ease_bytes(wanted))}"
        cost = self._cost(name, numbers)
        if cost.bytes > self.left_bytes:
            return Step(
                name, False, f"takes {gigabytes(cost.bytes)}, and {gigabytes(self.left_bytes)} are left", *_told(cost)
            )
        if cost.seconds > self.left_s:
            return Step(name, False, f"takes {spoken(cost.seconds)}, and {spoken(self.left_s)} are left", *_told(cost))
        return Step(name, True, why, *_told(cost))

    def _cost(self, name: str, numbers: dict[str, Any]) -> Cost:
        cost = model_cost(name, self.facts, numbers, self.machine)
        return replace(cost, seconds=cost.seconds * self.fits)

    def _ease_products(self, numbers: dict[str, Any], wanted: int) -> int:
        """How many products fit, in hundreds where not all do."""
        m = wanted
        while m > 0:
            cost = self._cost("ease", {**numbers, "max_products": m})
            if cost.bytes <= self.left_bytes and cost.seconds <= self.left_s:
                return m
            m = (m - 1) // 100 * 100
        return 0

    def _against(self, name: str) -> Iterator[str]:
        """What speaks against a model, whatever it costs."""
        facts = self.facts
        if not facts.events:
            yield "there is no event"
        if name == "buy_again" and not facts.repeats > 0:
            yield "nobody bought anything a second time on another day"
        if name == "co_bought" and not facts.shared_baskets:
            yield "no basket holds two products"
        if name in ("item_knn", "ease", "als") and facts.shopper_pairs <= facts.liked:
            yield "no shopper is known to like two products"
        if name in ("transitions", "graph") and not facts.learners:
            yield "no shopper has three events"
        if name in ("transitions", "graph", "als") and not self._wanted(name):
            yield "no surface asks for it: name it in a profile's sources or in models.train"

    def _wanted(self, name: str) -> bool:
        named = any(name in profile.sources for profile in self.settings.profiles.values())
        return named or name in self.settings.models.train

    def _sequence(self) -> tuple[Step, Recipe | None, str]:
        facts, own = self.facts, self.settings.models.sequence
        if own.fitted:
            return Step(SEQUENCE, True, f"taken from {own.fitted}, not trained", 1.0), None, ""
        if not self.machine.torch:
            return Step(SEQUENCE, False, "torch is not installed: pip install 'wares[train]'"), None, ""
        if facts.events < _LEAST_EVENTS or facts.learners < _LEAST_LEARNERS:
            few = f"{facts.events:,} events of {facts.learners:,} shoppers with three or more are too few; from "
            return Step(SEQUENCE, False, f"{few}{_LEAST_EVENTS:,} and {_LEAST_LEARNERS} on it pays"), None, ""
        texts, best = self.settings.encoder.source != "none", _size_for(facts, self.machine)
        given, why = own.model_dump(exclude={"device", "size"}), []
        for size in reversed(list(SIZES)[: list(SIZES).index(best) + 1]):
            recipe = Recipe.like(size, given)
            cost = sequence_cost(facts, recipe, self.machine, texts)
            if cost.bytes > self.usable_bytes:
                why.append(f"{size} takes {gigabytes(cost.bytes)}, and {gigabytes(self.usable_bytes)} are left")
                continue
            least = min(_FEWEST_EPOCHS, recipe.epochs)
            epochs = recipe.epochs
            while epochs > least and cost.seconds > self.left_s:
                epochs -= 1
                cost = sequence_cost(facts, replace(recipe, epochs=epochs), self.machine, texts)
            if cost.seconds > self.left_s:
                why.append(f"{size} takes {spoken(cost.seconds)}, and {spoken(self.left_s)} are left")
                continue
            limit = 0.0 if self.budget_s is None else round(self.left_s, 1)  # where the estimate was too low
            fewer = f", {epochs} of {recipe.epochs} epochs" if epochs < recipe.epochs else ""
            where = "on the GPU" if self.machine.gpu else "on the CPU"
            about = f"{facts.events:,} events: size {size}{fewer}, {where}"
            return (
                Step(SEQUENCE, True, "; ".join([about, *why]), *_told(cost)),
                replace(recipe, epochs=epochs, seconds=limit),
                size,
            )
        return Step(SEQUENCE, False, "; ".join(why)), None, ""


def _size_for(facts: Facts, machine: Machine) -> str:
    """The size that this many events can teach."""
    if facts.events < _SMALL_FROM:
        return "tiny"
    if facts.events < _BASE_FROM:
        return "small"
    return "large" if facts.events >= _LARGE_FROM and machine.gpu else "base"


def _why(name: str, facts: Facts) -> str:
    """What in this shop speaks for a model."""
    told = {
        "popular": f"{facts.events:,} events: what everybody gets who is not known",
        "popular_lately": "what sells now",
        "buy_again": f"{facts.repeats:.0%} of later purchases were bought before",
        "co_bought": f"{facts.shared_baskets:,} baskets hold two products or more",
        "item_knn": f"{facts.liked:,} pairs of shopper and product",
        "ease": f"{facts.products_met:,} products have events",
    }
    return told.get(name, "a surface asks for it")


def _told(cost: Cost) -> tuple[float, int]:
    return cost.seconds, cost.bytes
