"""`wares bench personal`: does search find better what a shopper wants when it knows them, and what does that cost?

Everything is learnt from the events before the cut. Each shopper's next basket is then asked for product by product:
by its category, by its kind (the title up to the first comma), and by the whole titles of products that no other hit
shares. The same engine answers with the shopper's history and without.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.request import Request
from wares.domain.shopper import History
from wares.engine.assembly import Engine, current_snapshot, new_encoder, new_model
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.errors import InputError, TrainingError
from wares.evaluation.personal import PERSONAL, PLAIN, Question, draw_questions, personal_table
from wares.evaluation.splits import NextBasket, split_next_basket
from wares.evaluation.table import EvaluationTable
from wares.features.personal import PERSONAL_FEATURES
from wares.shop import Shop
from wares.training.build import fit
from wares.training.trial import as_of

Tell = Callable[[str, int, int], None]
Hits = NDArray[np.int32]
_DEPTH = 100
_UNKNOWN = 500  # questions for which an unknown shopper's answer is compared with that of a search that knows nobody


@dataclass(frozen=True)
class _Asked:
    """Every question once without and once with the shopper: the hits found, and how long each answer took."""

    plain: list[Hits]
    personal: list[Hits]
    plain_ms: list[float]
    personal_ms: list[float]


def personal_figures(
    shop: Shop, *, days: int, earlier: int, n_shoppers: int, per_shopper: int, seed: int, tell: Tell
) -> dict[str, Any]:
    """One table per kind of question, those of products never bought before apart; and the time of both answers.

    `earlier=1` asks about the window before the last, for choosing settings. Raises TrainingError without a snapshot,
    InputError where nobody with a history bought in the window.
    """
    snapshot, _ = current_snapshot(shop.folder, shop.settings)
    if not snapshot.name:
        raise TrainingError("Nothing is learnt yet. Run `wares train` first.")
    rng = np.random.default_rng(seed)
    split = split_next_basket(snapshot.interactions, days, earlier)
    if not len(split):
        raise InputError(f"No known shopper with a history bought anything in the {days} days after the cut.")
    split = split.take(np.sort(rng.permutation(len(split))[:n_shoppers]))
    past = _past(split, snapshot, shop.settings, tell)
    engine = _engine(shop, shop.settings, past)
    groups, words = snapshot.columns.groups, _words(shop, snapshot, split)
    figures: dict[str, Any] = {"shoppers": len(split), "days": days, "earlier": earlier, "seed": seed}
    plain_ms, personal_ms, every = list[float](), list[float](), list[Question]()
    for kind, word_of in words.items():
        questions = draw_questions(split, word_of, groups, rng, per_shopper)
        asked = _ask(engine, split, questions, groups, rng, lambda done, total, kind=kind: tell(kind, done, total))
        figures[kind] = {"questions": len(questions), **_differing(asked)}
        for name, fresh in (("all", False), ("never bought before", True)):
            table = personal_table(questions, asked.plain, asked.personal, rng, fresh_only=fresh)
            figures[kind][name] = _plain_values(table)
        plain_ms += asked.plain_ms
        personal_ms += asked.personal_ms
        every += questions
    figures["unknown shopper"] = _unknown(engine, shop, past, every, rng)
    figures["time"] = {PLAIN: _times(plain_ms), PERSONAL: _times(personal_ms)}
    return figures


def _past(split: NextBasket, snapshot: Snapshot, settings: Settings, tell: Tell) -> Snapshot:
    """With those models alone that the search asks."""
    names = [name for name in settings.models.train if name in settings.profile("search").sources]
    models = fit({name: new_model(name, settings) for name in names}, split.train, split.cut_ms, tell)
    return as_of(split.train, snapshot, models)


def _engine(shop: Shop, settings: Settings, past: Snapshot) -> Engine:
    return Engine(shop.folder, settings, shop.store, new_encoder(settings, shop.folder), past)


def _words(shop: Shop, snapshot: Snapshot, split: NextBasket) -> Mapping[str, Mapping[int, str]]:
    """How each bought product is asked for: kind of question -> row -> query."""
    columns = snapshot.columns
    rows = np.unique(np.concatenate(split.targets)).tolist()
    products = shop.store.catalogue.get([columns.ids[row] for row in rows])
    titles = {row: products[columns.ids[row]].title for row in rows if columns.ids[row] in products}
    category, leaf = columns.labels["category"], columns.labels["category"].last()
    return {
        "category": {row: category.values[leaf[row]] for row in rows if leaf[row] >= 0},
        "kind": {row: title.split(",")[0] for row, title in titles.items()},
        "title": titles,
    }


def _ask(
    engine: Engine,
    split: NextBasket,
    questions: Sequence[Question],
    groups: NDArray[np.int32],
    rng: np.random.Generator,
    done: Callable[[int, int], None],
) -> _Asked:
    """Which of the two answers comes first is chance, so that neither profits from a warm machine."""
    histories = split.histories
    asked = _Asked([], [], [], [])
    for number, question in enumerate(questions):
        request = Request("search", split.cut_ms, query=question.query)
        engine.answer(request, History.empty())  # the encoder remembers queries: neither answer shall pay for it
        ways = [(asked.plain, asked.plain_ms, History.empty())]
        ways.append((asked.personal, asked.personal_ms, histories[question.place]))
        for found, took_ms, history in ways if rng.random() < 0.5 else ways[::-1]:
            started = time.perf_counter()
            order = engine.answer(request, history).order
            took_ms.append((time.perf_counter() - started) * 1000)
            found.append(groups[order[:_DEPTH]])
        done(number + 1, len(questions))
    return asked


def _unknown(
    engine: Engine, shop: Shop, past: Snapshot, questions: Sequence[Question], rng: np.random.Generator
) -> dict[str, int]:
    """Does a search that can be personal answer a stranger like one that cannot?"""
    search = shop.settings.profile("search")
    impersonal = search.model_copy(
        update={
            "sources": tuple(name for name in search.sources if name not in PERSONAL_FEATURES),
            "formula": {name: term for name, term in search.formula.items() if name not in PERSONAL_FEATURES},
        }
    )
    profiles = {**shop.settings.profiles, "search": impersonal}
    other = _engine(shop, shop.settings.model_copy(update={"profiles": profiles}), past)
    queries = sorted({question.query for question in questions})
    chosen = [queries[i] for i in rng.permutation(len(queries))[:_UNKNOWN]]
    changed = 0
    for query in chosen:
        request = Request("search", int(past.facts["made_ms"]), query=query)
        one, two = (each.answer(request, History.empty()).order for each in (engine, other))
        changed += not np.array_equal(one, two)
    return {"asked": len(chosen), "answered otherwise than by a search that knows nobody": changed}


def _differing(asked: _Asked) -> dict[str, float]:
    """The share of answers whose first hit, and whose first ten, are others for the shopper."""
    pairs = list(zip(asked.plain, asked.personal, strict=True))
    first = np.mean([not np.array_equal(one[:1], two[:1]) for one, two in pairs])
    ten = np.mean([not np.array_equal(one[:10], two[:10]) for one, two in pairs])
    return {"first hit differs": round(float(first), 4), "first ten differ": round(float(ten), 4)}


def _plain_values(table: EvaluationTable) -> dict[str, Any]:
    """Measure -> both means and the paired difference with its interval."""
    plain, personal = table.line(PLAIN), table.line(PERSONAL)
    return {"shoppers": table.asked} | {
        name: {
            PLAIN: _rounded(plain.metrics[name].mean),
            PERSONAL: _rounded(personal.metrics[name].mean),
            "difference": _rounded(difference.mean),
            "low": _rounded(difference.low),
            "high": _rounded(difference.high),
        }
        for name, difference in personal.differences.items()
    }


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def _times(took_ms: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(took_ms, (50, 95)) if took_ms else (0.0, 0.0)
    return {"asked": len(took_ms), "p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}
