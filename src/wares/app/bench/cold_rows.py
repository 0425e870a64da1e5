"""What `wares bench cold` compares: each row learns from what was known at the cut and scores every product for a
shopper, those that nobody has touched yet among them.

Nothing but a product's own words and its text tells of it, so each row says how these were read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product

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
from wares.evaluation.ties import credit, places_of
from wares.models.blend import standardised
from wares.models.ease import EASE
from wares.models.sequence import unit
from wares.models.taste import taste
from wares.retrieval.kin import Kin
from wares.retrieval.vector_index import VectorIndex
from wares.training.lessons import attribute_codes
from wares.training.progress import Tell, silent
from wares.training.recipe import Recipe
from wares.training.shopper_model import product_words, shopper_lessons

Rated = Callable[[int, History], Floats]  # (shopper, history) -> a score of every product (n,)
_DOUBT = 5.0  # a category is judged as if so many ordinary products stood in it besides its own
_WINDOWS = 3  # before the cut, from which the weights of `wares` are learnt
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

    def before(self, earlier: int) -> "ColdLesson":
        """The same shop asked for the products that came in a window before this lesson's cut, 0 = the last."""
        return replace(self, split=split_cold_products(self.train, self.days, earlier), fitted={})


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


def _alike(lesson: ColdLesson, half_life_days: float = 90.0) -> Rated:
    """What their kin, the products of the nearest texts that have events, get from EASE: what a running shop says of a
    product that came after the last training."""
    model = EASE(half_life_days=half_life_days)
    model.fit(lesson.train, lesson.split.cut_ms)
    n, cold = len(lesson.columns), lesson.split.products
    kin = Kin.of(lesson.index, cold, np.bincount(lesson.train.events.rows, minlength=n) > 0)

    def score(shopper: int, history: History) -> Floats:
        found = np.zeros(n, np.float32)
        found[cold] = kin.lend(model.score(history, lesson.split.cut_ms))
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
    """All of them as one. The weights are those under which the worst of the windows before the cut gains most over
    text alone: shops have seasons, and what told in one may mislead in the next."""
    parts = tuple(name for name in BLENDED if name in lesson.fitted)
    windows = []
    for earlier in range(_WINDOWS):
        before = lesson.before(earlier)
        if len(before.split) >= _LEAST:
            windows.append(_Window.of(before, parts, len(before.split.products) / len(lesson.split.products)))
    weights = _robust(parts, windows)
    fitted = [lesson.fitted[name] for name in parts]
    cold = lesson.split.products

    def score(shopper: int, history: History) -> Floats:
        found = np.zeros(len(lesson.columns), np.float32)
        found[cold] = weights @ standardised(np.stack([system(shopper, history)[cold] for system in fitted]))
        return found

    return score


@dataclass(frozen=True)
class _Window:
    """An earlier window: its purchases, and what the k parts said to each buyer of its c new products."""

    split: ColdProducts
    told: Mapping[int, Floats]  # shopper -> (k, c), standardised
    places: int  # that count

    @staticmethod
    def of(lesson: ColdLesson, parts: tuple[str, ...], share: float) -> "_Window":
        """`share`: how many new products it has for each of the window that is asked; as many places count for each."""
        rows, split = {row.name: row for row in ROWS}, lesson.split
        systems: dict[str, Rated] = {}
        for name in parts:
            systems[name] = rows[name].fit(replace(lesson, fitted=dict(systems)))
        told = {}
        for shopper in np.unique(split.shoppers).tolist():
            history = split.train.history(shopper)
            told[shopper] = standardised(np.stack([systems[name](shopper, history)[split.products] for name in parts]))
        return _Window(split, told, max(round(PLACES * share), 1))

    def recall(self, weights: Floats) -> float:
        """Of its purchases, with these weights (k,) of the parts."""
        found = []
        for shopper, z in self.told.items():
            wanted = np.searchsorted(self.split.products, self.split.targets[self.split.shoppers == shopper])
            found.append(credit(places_of(weights @ z, wanted), self.places))
        return float(np.concatenate(found).mean())


def _robust(parts: tuple[str, ...], windows: Sequence[_Window]) -> Floats:
    """(k,) each 0, 1/2 or 1; text and its likes alike where there is no window to learn from."""
    alone = np.array([name == "text" for name in parts], np.float32)
    best, weights = 0.0, np.array([name in ("text", "its likes") for name in parts], np.float32)
    base = [max(window.recall(alone), 1e-6) for window in windows]
    for one in product((0.0, 0.5, 1.0), repeat=len(parts)) if windows else ():
        tried = np.array(one, np.float32)
        gain = min(window.recall(tried) / least for window, least in zip(windows, base, strict=True))
        if max(one) == 1 and gain > best:
            best, weights = gain, tried
    return weights


PLACES = 20  # of the new products, that count
_LEAST = 50  # purchases of a window from which something is learnt
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
