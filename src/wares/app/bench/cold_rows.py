"""What `wares bench cold` compares: each row learns from what was known at the cut and scores every product for a
shopper, those that nobody has touched yet among them.

Nothing but a product's own words and its text tells of it, so each row says how these were read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from wares.app.bench.cold_dropout import DropoutNet
from wares.contracts import Floats
from wares.domain.catalogue import Columns
from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.domain.traits import Traits, leanings
from wares.evaluation.baselines import Popular
from wares.evaluation.splits import ColdProducts, split_cold_products
from wares.models.blend import Choices, fit_blend, standardised
from wares.models.ease import EASE
from wares.models.sequence import unit
from wares.models.taste import taste
from wares.retrieval.vector_index import VectorIndex
from wares.training.lessons import attribute_codes
from wares.training.progress import Tell, silent
from wares.training.recipe import Recipe
from wares.training.shopper_model import product_words, shopper_lessons

Rated = Callable[[int, History], Floats]  # (shopper, history) -> a score of every product (n,)
_DOUBT = 5.0  # a category is judged as if so many ordinary products stood in it besides its own
_WINDOWS = 3  # the weights of `wares` are learnt from so many windows before the cut, taken as one
_PULL = {"department": 1.0, "category": 1.0, "brand": 1.0, "price": 1.0}


@dataclass(frozen=True)
class ColdLesson:
    """What a row may learn from: everything before the cut, and the whole catalogue as it is written today."""

    split: ColdProducts
    columns: Columns
    index: VectorIndex
    days: float  # of the window
    seed: int = 0
    fitted: Mapping[str, Rated] = field(default_factory=dict)  # the rows before this one
    tell: Tell = silent

    @property
    def train(self) -> Interactions:
        return self.split.train

    @property
    def texts(self) -> Floats:
        """(n, d) unit vectors less their mean, for this encoder's all lean one way; zeros where a product has none."""
        vectors = self.index.vectors(np.arange(len(self.columns), dtype=np.int32))
        told: NDArray[np.bool_] = np.any(vectors, axis=1)
        centred: Floats = np.where(told[:, None], vectors - vectors[told].mean(axis=0), np.float32(0))
        return unit(centred)

    def before(self) -> "ColdLesson":
        """The same shop some windows earlier, asked for the products that came until this lesson's cut."""
        split = split_cold_products(self.train, _WINDOWS * self.days)
        return replace(self, split=split, fitted={})


@dataclass(frozen=True)
class ColdRow:
    """One line of the table. A `random` one is fitted once for each seed; those that it `needs` learn before it."""

    name: str
    fit: Callable[[ColdLesson], Rated]
    random: bool = False
    needs_texts: bool = False
    needs_torch: bool = False
    needs: tuple[str, ...] = ()


def _evenly(lesson: ColdLesson) -> Rated:
    """All alike: ties count at half, which is what chance gets on average."""
    nothing = np.zeros(len(lesson.columns), np.float32)
    return lambda shopper, history: nothing


def _category(lesson: ColdLesson) -> Rated:
    """How well what shares its category, brand and price band sold before the cut, per product; the mean over these on
    a logarithmic scale."""
    scores = category_popularity(product_words(lesson.columns), lesson.train, lesson.split.cut_ms)
    return lambda shopper, history: scores


def category_popularity(words: list[list[str]], train: Interactions, now_ms: int) -> Floats:
    """(n,) from the words of n products, of which those with events before `now_ms` teach."""
    popular = Popular()
    popular.fit(train, now_ms)
    known = np.bincount(train.events.rows, minlength=len(words)) > 0
    codes, names = attribute_codes(words)
    usual = float(popular.counts[known].mean()) if known.any() else 1.0
    row, place = np.nonzero((codes >= 0) & known[:, None])
    of = codes[row, place]
    sold = np.bincount(of, popular.counts[row], len(names))
    rate = np.log((sold + _DOUBT * usual) / (np.bincount(of, minlength=len(names)) + _DOUBT) + 1e-9)
    given = codes >= 0
    told = np.where(given, np.append(rate, 0.0)[codes], 0.0).sum(axis=1)
    scores: Floats = np.where(given.any(axis=1), told / np.maximum(given.sum(axis=1), 1), np.log(usual + 1e-9)).astype(
        np.float32
    )
    return scores


def _text(lesson: ColdLesson, half_life_days: float = 90.0) -> Rated:
    """Cosine with the faded mean of the texts that the shopper's history speaks for."""
    texts, now_ms = lesson.texts, lesson.split.cut_ms

    def score(shopper: int, history: History) -> Floats:
        rows, liking = taste(history, now_ms, half_life_days)
        return texts @ unit(liking @ texts[rows])

    return score


def _alike(lesson: ColdLesson, k: int = 20, half_life_days: float = 90.0) -> Rated:
    """What the k products of the nearest texts that have events get from EASE, weighed by their cosines."""
    model = EASE(half_life_days=half_life_days)
    model.fit(lesson.train, lesson.split.cut_ms)
    texts, cold = lesson.texts, lesson.split.products
    warm = np.flatnonzero(np.bincount(lesson.train.events.rows, minlength=len(texts)))
    k = min(k, len(warm))
    cosines = texts[cold] @ texts[warm].T  # (c, d) @ (d, w) -> (c, w)
    near = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    weights = np.maximum(np.take_along_axis(cosines, near, axis=1), 0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)

    def score(shopper: int, history: History) -> Floats:
        found = np.zeros(len(texts), np.float32)
        found[cold] = (model.score(history, lesson.split.cut_ms)[warm[near]] * weights).sum(axis=1)
        return found

    return score


def _interests(lesson: ColdLesson) -> Rated:
    """How many times as often as everybody the shopper chooses what the product is (`domain/traits.py`)."""
    traits = Traits.of(lesson.columns)
    now_ms = lesson.split.cut_ms
    popular = Popular()
    popular.fit(lesson.train, now_ms)
    bought = popular.counts.astype(np.float64)
    return lambda shopper, history: np.log(leanings(history, traits, bought, now_ms).pull(_PULL))


def _dropout_net(lesson: ColdLesson) -> Rated:
    codes, _ = attribute_codes(product_words(lesson.columns))
    model = DropoutNet.fitted(lesson.train, lesson.split.cut_ms, lesson.texts, codes, lesson.seed)
    return lambda shopper, history: model.score(history)


def _shopper_model(lesson: ColdLesson, recipe: Recipe) -> Rated:
    from wares.training.sequence import fit_sequence

    lessons, _ = shopper_lessons(lesson.train, lesson.columns, lesson.index)
    model = fit_sequence(lessons, replace(recipe, seed=lesson.seed), lesson.tell).model
    return lambda shopper, history: model.score(history, lesson.split.cut_ms)


def _wares(lesson: ColdLesson) -> Rated:
    """All of them as one, by weights learnt from what was bought of the products that were new before the cut."""
    parts = tuple(name for name in BLENDED if name in lesson.fitted)
    before, rows = lesson.before(), {row.name: row for row in ROWS}
    systems: dict[str, Rated] = {}
    for name in parts:
        systems[name] = rows[name].fit(replace(before, fitted=dict(systems)))
    choices = Choices.join(_choices(before.split, [systems[name] for name in parts]))
    blend = fit_blend(parts, choices, _RIDGE)
    fitted = [lesson.fitted[name] for name in parts]
    cold = lesson.split.products

    def score(shopper: int, history: History) -> Floats:
        found = np.zeros(len(lesson.columns), np.float32)
        told = [system(shopper, history)[cold] for system in fitted]
        found[cold] = blend.score(dict(zip(parts, told, strict=True)))
        return found

    return score


def _choices(split: ColdProducts, systems: list[Rated]) -> list[tuple[Floats, int]]:
    """What each purchase was chosen among, (c, k) standardised scores of the new products, and which it was."""
    choices, told = [], dict[int, Floats]()
    for shopper, target in zip(split.shoppers.tolist(), split.targets.tolist(), strict=True):
        if shopper not in told:
            history = split.train.history(shopper)
            scores = np.stack([system(shopper, history)[split.products] for system in systems])  # (k, c)
            told[shopper] = standardised(scores).T
        choices.append((told[shopper], int(np.searchsorted(split.products, target))))
    return choices


_RIDGE = 3e-3
SHOPPER_MODEL, WARES = "shopper model", "wares"
BLENDED = (SHOPPER_MODEL, "text", "its likes", "category popularity", "interests")

ROWS: tuple[ColdRow, ...] = (
    ColdRow("random", _evenly),
    ColdRow("category popularity", _category),
    ColdRow("interests", _interests),
    ColdRow("text", _text, needs_texts=True),
    ColdRow("its likes", _alike, needs_texts=True),
    ColdRow("DropoutNet", _dropout_net, random=True, needs_torch=True),
    ColdRow(
        SHOPPER_MODEL,
        partial(_shopper_model, recipe=Recipe(dimension=64, blocks=1, dropout=0.3, id_dropout=0.5, epochs=4)),
        random=True,
        needs_torch=True,
    ),
    ColdRow(WARES, _wares, random=True, needs=BLENDED),
)
