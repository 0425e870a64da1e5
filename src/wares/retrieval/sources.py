"""The sources of candidates. Each scores every product for one intent and can say why it names one.

Search sources read words and meaning; behaviour sources read the shopper's history or, on a product page or cart,
the seeds. A shop adds its own by naming a class with these two methods in its settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Source, View
from wares.domain.filter import Filter
from wares.domain.intent import Intent
from wares.domain.product import PATH_SEPARATOR
from wares.domain.result import Reason
from wares.domain.scores import Scores
from wares.domain.selection import passing
from wares.domain.shopper import History
from wares.domain.wish import WishKind
from wares.retrieval.own_lists import Hidden, RecentlyViewed, WishList
from wares.retrieval.substitutes import Substitutes

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Lexical:
    """The query's words (BM25 over all fields)."""

    name: str = "lexical"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        return _of(view.text_match(intent.terms).scores, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        match = view.text_match(intent.terms)
        held = tuple(term.said for term, holds in zip(match.terms, match.holds, strict=True) if holds[row])
        return Reason("matches_words", held, held) if held else None


@dataclass(frozen=True, slots=True)
class Letters:
    """The query's letters, three by three: near spellings, and words inside longer ones."""

    name: str = "letters"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        return _of(view.letters_match(intent.text), rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return None


@dataclass(frozen=True, slots=True)
class Meaning:
    """The query's meaning: how far the cosine stands above that of ordinary products."""

    name: str = "meaning"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        if (vector := intent.vectors.get("text")) is None:
            return _nothing(view, rows)
        return _above_ordinary(vector, view, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return Reason("similar_meaning", (intent.request.query,), (intent.request.query,))


@dataclass(frozen=True, slots=True)
class Feedback:
    """The meaning of what answers best: how near a product is to the query and to its best answers."""

    name: str = "feedback"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        return _nothing(view, rows) if intent.feedback is None else _of(intent.feedback, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return None


@dataclass(frozen=True, slots=True)
class Wished:
    """What the query asks for beside the thing itself and no filter demands: a brand, a colour, a low price."""

    name: str = "wished"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        scores = _nothing(view, rows)
        for wish in intent.wishes:
            if wish.kind is WishKind.CHEAP:
                scores += _of(_cheapness(view.columns.numbers["price"]), rows)
            elif wish.clause is not None and not wish.strict:
                scores += passing(Filter((wish.clause,)), view.columns, rows)
        return scores

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return None


@dataclass(frozen=True, slots=True)
class Learnt:
    """A behaviour model, asked about the shopper's history or about the seeds of the page."""

    name: str
    about: Literal["history", "seeds"] = "history"
    why: str = "like_your_purchases"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        said = self.says(intent, view)
        return said.all() if rows is None else said.at(rows)

    def says(self, intent: Intent, view: View) -> Scores:
        asked = seeds_as_history(intent) if self.about == "seeds" else intent.history
        return view.model_says(self.name, asked, intent.request.now_ms)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        if self.why == "bought_before":
            times = view.times_bought(row, intent.history)
            return Reason("bought_before", (view.columns.ids[row],), (str(times),)) if times else None
        if self.why in ("popular", "popular_lately"):
            return Reason(self.why)
        return self._because_of(row, intent, view)

    def _because_of(self, row: int, intent: Intent, view: View) -> Reason | None:
        """The product of the history or page that the model holds nearest to this row."""
        others = intent.seeds if self.about == "seeds" else intent.history.rows
        if not len(others):
            return None
        nearest = view.nearest(self.name, row, others, intent.request.now_ms)
        return None if nearest is None else Reason(self.why, (view.columns.ids[nearest],))


@dataclass(frozen=True, slots=True)
class Taste:
    """Products whose texts are near to what the shopper lately bought: finds new ones that nobody has bought yet."""

    name: str = "taste"
    half_life_days: float = 30.0
    recent: int = 200

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        history = intent.history.take(slice(-self.recent, None))
        ages = (intent.request.now_ms - history.times_ms) / _DAY_MS
        weights = history.interest * np.exp2(-np.maximum(ages, 0) / self.half_life_days).astype(np.float32)
        return _above_ordinary(weights @ view.space("text").vectors(history.rows), view, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return _nearest(row, intent.history.rows[-self.recent :], "taste", view)


@dataclass(frozen=True, slots=True)
class Interests:
    """What sells, bent towards the categories, brands and price bands that the shopper chooses more than everybody.

    The score is purchases x lift of the category ^ 0.5 x lift of the brand ^ 0.125 x lift of the price band ^ 0.5. What
    nobody has bought yet stands behind all else; somebody who leans nowhere gets nothing.
    """

    name: str = "interests"
    category: float = 0.5
    brand: float = 0.125
    price: float = 0.5

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        leanings = view.leanings(intent.history, intent.request.now_ms)
        if leanings.nowhere:
            return _nothing(view, rows)
        weights = {"category": self.category, "brand": self.brand, "price": self.price}
        return leanings.pull(weights, rows) * _of(leanings.bought, rows).astype(np.float32)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        """The interest that tells most of the shopper; of a category the deepest level is shown."""
        leanings = view.leanings(intent.history, intent.request.now_ms)
        best, why = 0.0, None
        for leaning in (leanings.category, leanings.department, leanings.brand):
            value = leaning.trait.codes[[row]]
            if value[0] == len(leaning.trait.values) or not leaning.stands_out(value)[0]:
                continue
            if (tells := float(leaning.tells(value)[0])) > best:
                name = leaning.trait.values[value[0]]
                shown = name if leaning is leanings.brand else name.rpartition(PATH_SEPARATOR)[2]
                best, why = tells, Reason("your_interest", (name,), (shown,))
        return why


@dataclass(frozen=True, slots=True)
class Alike:
    """Products whose texts are near to the seeds'."""

    name: str = "alike"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        return _above_ordinary(view.space("text").vectors(intent.seeds).sum(axis=0), view, rows)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return _nearest(row, intent.seeds, "like_this", view)


@dataclass(frozen=True, slots=True)
class New:
    """Products that lately came into the shop."""

    name: str = "new"
    half_life_days: float = 21.0

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        said = self.says(intent, view)
        return said.all() if rows is None else said.at(rows)

    def says(self, intent: Intent, view: View) -> Scores:
        published, now_ms = view.columns.numbers["published"], intent.request.now_ms
        half_life_ms = self.half_life_days * _DAY_MS
        known = view.published_after(now_ms - 3.3 * half_life_ms)  # before that less than a tenth is left
        lately = known[published[known] <= now_ms]
        return Scores(len(published), np.exp2((published[lately] - now_ms) / half_life_ms).astype(np.float32), lately)

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        return Reason("new")


def built_in_sources() -> Mapping[str, Source]:
    """Every source that a profile can name."""
    sources: list[Source] = [
        Lexical(),
        Letters(),
        Meaning(),
        Feedback(),
        Wished(),
        Learnt("popular", why="popular"),
        Learnt("popular_lately", why="popular_lately"),
        Learnt("buy_again", why="bought_before"),
        Learnt("item_knn"),
        Learnt("ease"),
        Learnt("als"),
        Learnt("transitions"),
        Learnt("graph"),
        Learnt("sequence"),
        Learnt("co_bought", about="seeds", why="bought_together"),
        Taste(),
        Interests(),
        Alike(),
        New(),
        Substitutes(),
        RecentlyViewed(),
        WishList(),
        Hidden(),
    ]
    return {source.name: source for source in sources}


def seeds_as_history(intent: Intent) -> History:
    return History.bought_now(intent.seeds, intent.request.now_ms)


def _nothing(view: View, rows: Rows | None) -> Floats:
    return np.zeros(len(view.columns) if rows is None else len(rows), np.float32)


def _of(scores: NDArray[Any], rows: Rows | None) -> NDArray[Any]:
    return scores if rows is None else scores[rows]


def _above_ordinary(direction: Floats, view: View, rows: Rows | None) -> Floats:
    """Standard deviations above the ordinary similarity to a direction (d,); zeros for no direction."""
    length = float(np.linalg.norm(direction))
    if length == 0:
        return _nothing(view, rows)
    is_unit = abs(length - 1) < 1e-5  # then the very same vector, which the view remembers
    vector = direction if is_unit else (direction / np.float32(length)).astype(np.float32)
    cosines, mean, deviation = view.space("text").scan(vector)
    above: Floats = (_of(cosines, rows) - np.float32(mean)) / np.float32(deviation)
    return np.maximum(above, np.float32(0))


def _cheapness(prices: NDArray[np.float64]) -> Floats:
    """(n,) in (0, 1], halved by each doubling of the price above the catalogue's lowest tenth; 0 = unknown."""
    known = prices[np.isfinite(prices) & (prices > 0)]
    if not len(known):
        return np.zeros(len(prices), np.float32)
    low = float(np.quantile(known, 0.1))
    return np.nan_to_num(low / np.maximum(prices, low), nan=0.0).astype(np.float32)


def _nearest(row: int, others: NDArray[np.int32], code: str, view: View) -> Reason | None:
    others = others[others != row]
    if not len(others):
        return None
    own = view.space("text").vectors(np.array([row], np.int32))[0]
    about = int(others[int(np.argmax(view.space("text").vectors(others) @ own))])
    return Reason(code, (view.columns.ids[about],))
