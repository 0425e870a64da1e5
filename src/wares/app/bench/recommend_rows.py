"""What `wares bench recommend` compares: each row learns from a `Lesson` and scores histories in blocks of users.

The models are those that a shop trains. Their settings are fixed: what the validation of two public files chose
together, so that any other file is answered without looking at it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.app.bench.recommend_data import NOW_MS, Questions, Score
from wares.contracts import Floats
from wares.domain.interactions import Interactions
from wares.errors import InputError, UnknownName
from wares.models.als import ALS, solve_rows
from wares.models.blend import Blend, Choices, choice, fit_blend, standardised
from wares.models.collaborative import ItemKNN
from wares.models.ease import EASE
from wares.models.graph import Graph
from wares.models.memory import Sparse, sparse
from wares.models.popular import Popular
from wares.models.sequence import SequenceModel
from wares.models.taste import fading, preferences
from wares.models.transitions import Transitions
from wares.training.lessons import Lessons, attribute_codes
from wares.training.progress import Tell, silent
from wares.training.recipe import Recipe


@dataclass(frozen=True)
class Items:
    """What is known of the n items; `vectors` None = the file has no texts."""

    texts: tuple[str, ...]
    attributes: tuple[tuple[str, ...], ...]
    vectors: Floats | None  # (n, d) unit vectors of the texts, zeros where there is none


@dataclass(frozen=True)
class Fitted:
    """A row that has learnt. `chosen` is handed to the same row when it learns again without a validation; the cost of
    the rows named in `parts` counts as its own, too."""

    score: Score
    chosen: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """What a row may learn from."""

    train: Interactions  # one event a day, the last of each user at NOW_MS
    validation: Questions | None  # to choose settings, weights or the moment to stop; None = `chosen` says them
    items: Items
    seed: int = 0
    chosen: Mapping[str, Any] = field(default_factory=dict)  # what this row chose while it had the validation
    fitted: Mapping[str, Fitted] = field(default_factory=dict)  # the rows before this one, of this lesson and seed
    tell: Tell = silent


@dataclass(frozen=True)
class Row:
    """One line of the tables. A `random` one is fitted once for each seed; those that it `needs` learn before it; one
    of `one_table` stands in the first table alone."""

    name: str
    fit: Callable[[Lesson], Fitted]
    random: bool = False
    needs_texts: bool = False
    needs_torch: bool = False
    one_table: bool = False
    needs: tuple[str, ...] = ()


def faded(asked: Interactions, half_life_events: float) -> Sparse:
    """(b, n_products) what each event still counts, the last one 1; a product's events added up."""
    weights = fading(asked.events.times_ms, NOW_MS, half_life_events)
    counts = sparse(weights, asked.events.rows, asked.indptr, (len(asked.indptr) - 1, asked.n_products))
    counts.sum_duplicates()
    return counts


def directions(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9))
    return unit


def needed(rows: Sequence[Row], names: Sequence[str]) -> set[str]:
    """These names and those of the rows that they are made of. Raises UnknownName."""
    by_name = {row.name: row for row in rows}
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in by_name:
            raise UnknownName("row", name, by_name)
        if name not in found:
            found.add(name)
            waiting += by_name[name].needs
    return found


def _popular(lesson: Lesson) -> Fitted:
    model = Popular()
    model.fit(lesson.train, NOW_MS)
    return Fitted(lambda asked: np.tile(model.counts, (asked.n_shoppers, 1)))


def _linked(lesson: Lesson, make: Callable[[], ItemKNN | EASE]) -> Fitted:
    model = make()
    model.fit(lesson.train, NOW_MS)
    return Fitted(lambda asked: (preferences(asked, NOW_MS, model.half_life_days) @ model.links).toarray())


def _als(lesson: Lesson, make: Callable[..., ALS]) -> Fitted:
    model = make(seed=lesson.seed)
    model.fit(lesson.train, NOW_MS)
    return Fitted(partial(_solved, model))


def _solved(model: ALS, asked: Interactions) -> Floats:
    """`ALS.score` of b histories at once."""
    part = preferences(asked, NOW_MS, model.half_life_days)[:, model.products]
    liking = sparse(part.data, part.indices, part.indptr, part.shape)
    scores = np.zeros((asked.n_shoppers, model.n_products), np.float32)
    scores[:, model.products] = solve_rows(liking, model.vectors, model.alpha, model.penalty) @ model.vectors.T
    return scores


def _transitions(lesson: Lesson, make: Callable[[], Transitions]) -> Fitted:
    model = make()
    model.fit(lesson.train, NOW_MS)
    return Fitted(lambda asked: (faded(asked, model.half_life_events) @ model.links).toarray())


def _graph(lesson: Lesson, make: Callable[..., Graph]) -> Fitted:
    model = make(seed=lesson.seed)
    model.fit(lesson.train, NOW_MS)
    return Fitted(lambda asked: (faded(asked, model.half_life_events) @ model.sources) @ model.targets.T)


def _text(lesson: Lesson, half_life_events: float) -> Fitted:
    """Cosine with the faded mean of the history, of vectors less their mean (this encoder's all lean one way)."""
    vectors = lesson.items.vectors
    if vectors is None:
        raise InputError("The row 'text' needs texts: give an items file.")
    told: NDArray[np.bool_] = np.abs(vectors).max(axis=1) > 0
    centred = np.where(told[:, None], directions(vectors - vectors[told].mean(axis=0)), np.float32(0))
    return Fitted(lambda asked: directions(faded(asked, half_life_events) @ centred) @ centred.T)


def _sequence(lesson: Lesson, recipe: Recipe, *, ids_alone: bool = False) -> Fitted:
    """The shopper model; told of products by their ids alone it is a SASRec."""
    from wares.training.sequence import fit_sequence

    items, events = lesson.items, lesson.train.known()
    codes, words = attribute_codes(items.attributes)
    lessons = Lessons(events.events.rows, events.indptr, events.n_products)
    if not ids_alone:
        lessons = replace(lessons, text=items.vectors, codes=codes if words else None)
    model = fit_sequence(lessons, replace(recipe, seed=lesson.seed), lesson.tell).model
    return Fitted(partial(_rated, model))


def _rated(model: SequenceModel, asked: Interactions) -> Floats:
    return model.rate(model.embed_all(asked))


def _wares(lesson: Lesson, without: str = "") -> Fitted:
    """All of them as one, by weights that are learnt from what users of the validation took next."""
    parts = tuple(name for name in BLENDED if name in lesson.fitted and name != without)
    scores = {name: lesson.fitted[name].score for name in parts}
    if lesson.validation is not None:
        questions = lesson.validation.some(_TAUGHT, np.random.default_rng(lesson.seed))
        choices = []
        for asked, targets in questions.blocks():
            told = np.stack([scores[name](asked) for name in parts], axis=1)  # (b, k, n)
            choices += [
                choice(told[i], int(target), asked.history(i).rows) for i, target in enumerate(targets.tolist())
            ]
        weights = fit_blend(parts, Choices.join(choices)).weights
    else:
        weights = lesson.chosen["weights"]
    return Fitted(partial(_blended, Blend(parts, weights), scores), {"weights": weights}, parts)


def _blended(blend: Blend, scores: Mapping[str, Score], asked: Interactions) -> Floats:
    """`Blend.score` of b histories at once. A few of them at a time: all together took thirteen times as long."""
    total = np.zeros((asked.n_shoppers, asked.n_products), np.float32)
    for name, (plain, bent) in blend.by_name().items():
        part = scores[name](asked)
        for start in range(0, len(total), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            z = standardised(part[some])
            total[some] += plain * z
            np.copysign(np.log(1 + np.abs(z)), z, out=z)
            z *= bent
            total[some] += z
    return total


_SASREC = Recipe(dimension=64, dropout=0.4, input_dropout=0.1, rate=4e-3, epochs=40)  # ids alone learn slowly
_AT_ONCE = 16
_TAUGHT = 6_000  # users of the validation that the weights of the blend are learnt from
SHOPPER_MODEL = "shopper model"
BLENDED = ("ItemKNN", "EASE", "iALS", "transitions", "graph", "text", SHOPPER_MODEL)

ROWS: tuple[Row, ...] = (
    Row("popular", _popular),
    Row(
        "ItemKNN",
        partial(_linked, make=partial(ItemKNN, k=300, shrink=10, damping=0.3, half_life_days=1.5, min_shoppers=1)),
    ),
    Row("EASE", partial(_linked, make=partial(EASE, max_products=15_000, penalty=60, k=300, half_life_days=1.5))),
    Row(
        "iALS",
        partial(_als, make=partial(ALS, factors=128, alpha=100, penalty=10, min_buyers=1, half_life_days=0.7)),
        random=True,
    ),
    Row("transitions", partial(_transitions, make=partial(Transitions, shrink=5.0, k=300))),
    Row("graph", partial(_graph, make=Graph), random=True),
    Row("text", partial(_text, half_life_events=1.5), needs_texts=True),
    Row(
        "SASRec",
        partial(_sequence, recipe=_SASREC, ids_alone=True),
        random=True,
        needs_torch=True,
    ),
    Row(SHOPPER_MODEL, partial(_sequence, recipe=Recipe()), random=True, needs_torch=True),
    Row("wares", _wares, random=True, needs=BLENDED),
)

# What each part of `wares` adds to it, and the head of the shopper model that is a small network. What more data adds
# is not their question.
ABLATION: tuple[Row, ...] = (
    Row(
        f"{SHOPPER_MODEL} with MLP head",
        partial(_sequence, recipe=Recipe(head="mlp")),
        random=True,
        needs_torch=True,
        one_table=True,
    ),
    *(
        Row(
            f"wares without {part}",
            partial(_wares, without=part),
            random=True,
            one_table=True,
            needs=tuple(name for name in BLENDED if name != part),
        )
        for part in BLENDED
    ),
)
