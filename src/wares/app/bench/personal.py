"""`wares bench personal`: does search find better what a shopper wants when it knows them, and what does that cost?

Everything is learnt from the events before the cut. Each shopper's next basket is then asked for product by product:
by its category, by its kind (the title up to the first comma), and by the whole titles of products that no other hit
shares. The same engine answers with the shopper's history and without.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.request import Request
from wares.domain.shopper import History
from wares.engine.assembly import Engine, new_encoder
from wares.engine.learnt import current_snapshot, new_model
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.errors import InputError, TrainingError
from wares.evaluation.personal import PERSONAL, PLAIN, Question, draw_questions, personal_table
from wares.evaluation.splits import NextBasket, split_next_basket
from wares.evaluation.table import EvaluationTable
from wares.features.personal import PERSONAL_FEATURES
from wares.shop import Shop
from wares.training.models import as_of, fit

Tell = Callable[[str, int, int], None]
Hits = NDArray[np.int32]
_DEPTH = 100
_UNKNOWN = 500  # questions for which an unknown shopper's answer is compared with that of a search that knows nobody


@dataclass(frozen=True)
class _Asked:
    """The hits found for every question without and with the shopper; and for every distinct query, how long an answer
    took without and with one."""

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
    plain_ms, personal_ms, every = list[float](), list[float](), set[str]()
    for kind, word_of in words.items():
        questions = draw_questions(split, word_of, groups, rng, per_shopper)
        asked = _ask(engine, split, questions, groups, rng, partial(tell, kind))
        figures[kind] = {"questions": len(questions), **_differing(asked)}
        for name, fresh in (("all", False), ("never bought before", True)):
            table = personal_table(questions, asked.plain, asked.personal, rng, fresh_only=fresh)
            figures[kind][name] = _plain_values(table)
        plain_ms += asked.plain_ms
        personal_ms += asked.personal_ms
        every |= {question.query for question in questions}
    figures["unknown shopper"] = _unknown(engine, shop, split, past, sorted(every), rng)
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
    category, leaf = columns.labels["category"], columns.labels["category"].last()
    titles: dict[int, str] = {}
    bearers: dict[str, set[int]] = {}  # title -> hits
    for _, _, product_id, product in shop.store.catalogue.changes():
        if product is not None and (row := columns.row_of.get(product_id)) is not None:
            titles[row] = product.title
            bearers.setdefault(product.title, set()).add(int(columns.groups[row]))
    rows = np.unique(np.concatenate(split.targets)).tolist()
    return {
        "category": {row: category.values[leaf[row]] for row in rows if leaf[row] >= 0},
        "kind": {row: titles[row].split(",")[0] for row in rows if row in titles},
        "title": {row: titles[row] for row in rows if row in titles and len(bearers[titles[row]]) == 1},
    }


def _ask(
    engine: Engine,
    split: NextBasket,
    questions: Sequence[Question],
    groups: NDArray[np.int32],
    rng: np.random.Generator,
    done: Callable[[int, int], None],
) -> _Asked:
    """A stranger's answer to a query is asked for once. Then both are timed, one right after the other in an order
    that chance decides, and after the encoder, which remembers queries, has read this one."""
    histories, strangers = split.histories, dict[str, Hits]()
    asked = _Asked([], [], [], [])
    for number, question in enumerate(questions):
        request = Request("search", split.cut_ms, query=question.query)

        def answered(history: History, request: Request = request) -> tuple[Hits, float]:
            started = time.perf_counter()
            order = engine.answer(request, history).order
            took_ms = (time.perf_counter() - started) * 1000
            return groups[order[:_DEPTH]], took_ms

        history = histories[question.place]
        if question.query in strangers:
            asked.personal.append(answered(history)[0])
        else:
            engine.answer(request, History.empty())
            first, second = (History.empty(), history) if rng.random() < 0.5 else (history, History.empty())
            one, two = answered(first), answered(second)
            (plain, plain_ms), (personal, personal_ms) = (one, two) if second is history else (two, one)
            strangers[question.query] = plain
            asked.personal.append(personal)
            asked.plain_ms.append(plain_ms)
            asked.personal_ms.append(personal_ms)
        asked.plain.append(strangers[question.query])
        done(number + 1, len(questions))
    return asked


def _unknown(
    engine: Engine, shop: Shop, split: NextBasket, past: Snapshot, queries: Sequence[str], rng: np.random.Generator
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
    chosen = [queries[i] for i in rng.permutation(len(queries))[:_UNKNOWN]]
    changed = 0
    for query in chosen:
        request = Request("search", split.cut_ms, query=query)
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
