"""A view: the shop of one moment for one request. Taken once; remembers what it has computed for this request."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Space
from wares.domain.aims import aim_values, standing
from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.intent import Intent, Term
from wares.domain.offer import Market
from wares.domain.result import TextMatch, TitleWords
from wares.domain.scores import Scores
from wares.domain.shopper import KIND_CODES, History
from wares.domain.traits import Leanings, leanings
from wares.engine.live import CatalogueState, Live
from wares.engine.observer import Laps
from wares.engine.snapshot import Snapshot
from wares.models.buy_again import BuyAgain
from wares.models.collaborative import CoBought, ItemKNN
from wares.models.ease import EASE
from wares.models.neighbours import nearest_link
from wares.models.popular import Popular, PopularLately
from wares.models.sequence import SequenceModel
from wares.models.transitions import Transitions
from wares.retrieval.language.shop_language import Language
from wares.retrieval.vector_index import Begun, VectorIndex

Floats = NDArray[np.float32]
_HOME = Market()
_NOTHING = TextMatch(np.empty(0, np.float32), np.empty(0, np.float32))
_LINKED = (ItemKNN, CoBought, EASE, Transitions)  # what one product says of others is a row of links
_LENDING = (ItemKNN, CoBought, EASE)  # what these say of a product they say of one that is like it
_Known = tuple[NDArray[np.bool_], Mapping[int, int]]
_SAYING = (*_LINKED, BuyAgain, Popular, PopularLately)  # these know few products, or rank all of them once


@dataclass
class _Remembering:
    """A vector space that answers the same question of one request once."""

    index: VectorIndex
    _scans: dict[bytes, tuple[Floats, float, float]] = field(default_factory=dict)
    _begun: dict[bytes, Begun] = field(default_factory=dict)
    _gathered: dict[int, tuple[NDArray[np.int32], Floats]] = field(default_factory=dict)

    def begin(self, vector: Floats) -> None:
        """Other threads may have a first look while something else is done."""
        if (begun := self.index.begin(vector)) is not None:
            self._begun[vector.tobytes()] = begun

    def scan(self, vector: Floats) -> tuple[Floats, float, float]:
        key = vector.tobytes()
        if key not in self._scans:
            self._scans[key] = self.index.scan(vector, self._begun.pop(key, None))
        return self._scans[key]

    def ordinary(self, vector: Floats) -> tuple[float, float]:
        return self.index.ordinary(vector)

    def cosines(self, rows: NDArray[np.int32], vector: Floats) -> Floats:
        return self.index.cosines(rows, vector)

    def vectors(self, rows: NDArray[np.int32]) -> Floats:
        if id(rows) not in self._gathered:
            self._gathered[id(rows)] = (rows, self.index.vectors(rows))  # holding the rows keeps their id their own
        return self._gathered[id(rows)][1]


class ShopView:
    """Implements `contracts.View` over a snapshot and the catalogue state that Live had when it was taken, with the
    prices and the availability of that moment in one market."""

    def __init__(self, live: Live, now_ms: int, market: Market = _HOME, state: CatalogueState | None = None) -> None:
        self.snapshot: Snapshot = live.snapshot
        self.state: CatalogueState = live.state.seen(now_ms, market) if state is None else state
        self._sold = live.sold  # after the state: counts may be of more rows, never of fewer
        self.sales, self.events = live.sales, live.last_event
        self.now_ms, self.market = now_ms, market
        self.laps = Laps()
        self._live = live
        self._matches: dict[tuple[Term, ...], TextMatch] = {}
        self._asked: tuple[Sequence[Term] | None, TextMatch] = (None, _NOTHING)  # last
        self._letters: dict[str, Floats] = {}
        self._said: dict[tuple[str, int], tuple[History, Scores]] = {}
        self._leanings: tuple[History, Leanings] | None = None
        self._known: tuple[NDArray[np.int32], _Known | None] | None = None
        self._bought: tuple[History, Counter[int]] | None = None
        self._text = _Remembering(self.state.vectors)

    @property
    def columns(self) -> Columns:
        return self.state.columns

    @property
    def language(self) -> Language:
        return self.snapshot.language

    def popularity(self, rows: NDArray[np.int32] | None = None) -> Floats:
        return self._sold.values(self.now_ms, slice(len(self.columns)) if rows is None else rows)

    def published_after(self, time_ms: float) -> NDArray[np.int32]:
        return self.state.published_after(time_ms)

    def text_match(self, terms: Sequence[Term]) -> TextMatch:
        last, found = self._asked
        if terms is not last:  # comparing terms takes longer than the rest of a hit's reason
            key = tuple(terms)
            if key not in self._matches:
                self._matches[key] = self.state.text.match(key)
            found = self._matches[key]
            self._asked = (terms, found)
        return found

    def letters_match(self, text: str) -> Floats:
        if text not in self._letters:
            self._letters[text] = self.state.text.letters(text)
        return self._letters[text]

    def title_words(self, rows: NDArray[np.int32], terms: Sequence[Term]) -> TitleWords:
        return self.state.text.title_words(rows, self.text_match(terms).read_as)

    def model_scores(self, model: str, history: History, now_ms: int) -> Floats:
        return self.model_says(model, history, now_ms).all()

    def model_says(self, model: str, history: History, now_ms: int) -> Scores:
        key = (model, id(history.rows))
        if key not in self._said:
            self._said[key] = (history, self._says(model, history, now_ms))  # holding it keeps its id its own
        return self._said[key][1]

    def nearest(self, model: str, row: int, others: NDArray[np.int32], now_ms: int) -> int | None:
        fitted = self.snapshot.models.get(model)
        if isinstance(fitted, _LINKED):
            asked, known = self._known_row(row), self._as_known_again(others)
            if asked is not None and known is not None:
                found = nearest_link(fitted.links, asked, known[0])
                return None if found is None else known[1][found]
        said = self._says(model, History.bought_now(np.array([row], np.int32), now_ms), now_ms).at(others)
        said[others == row] = 0
        nearest = said.argmax()
        return int(others[nearest]) if said[nearest] > 0 else None

    def times_bought(self, row: int, history: History) -> int:
        if self._bought is None or self._bought[0] is not history:
            bought = history.rows[history.kinds == KIND_CODES[EventKind.PURCHASE]]
            self._bought = (history, Counter(self.columns.keys[bought].tolist()))  # a key outlives its rows
        return self._bought[1][int(self.columns.keys[row])]

    def leanings(self, history: History, now_ms: int) -> Leanings:
        if self._leanings is None or self._leanings[0] is not history:
            self._leanings = (history, leanings(history, self.state.traits, self.popularity(), now_ms))
        return self._leanings[1]

    def standing(self, aim: str, rows: NDArray[np.int32]) -> Floats:
        return standing(self.aim_values(aim, rows), self.state.aim_scale(aim, self._sold, self.now_ms))

    def aim_values(self, aim: str, rows: NDArray[np.int32]) -> NDArray[np.float64]:
        """(len(rows),) what these products have of a business aim, in its unit; nan = not known."""
        sold, now_ms = self._sold, self.now_ms
        return aim_values(aim, self.columns, rows, sold.values(now_ms, rows), sold.half_life_days, now_ms)

    def expect(self, intent: Intent) -> None:
        """What this intent will be asked of the vectors begins now."""
        if (vector := intent.vectors.get("text")) is not None:
            self._text.begin(vector)

    def space(self, name: str) -> Space:
        return self._text if name == "text" else _Remembering(VectorIndex.empty(len(self.columns)))

    def fresh(self) -> "ShopView":
        """The same moment without what was remembered, to keep for a later page."""
        return ShopView(self._live, self.now_ms, self.market, self.state)

    def _says(self, model: str, history: History, now_ms: int) -> Scores:
        n, learnt = len(self.columns), self.state.n_learnt
        if (fitted := self.snapshot.models.get(model)) is None:
            return Scores.none(n)
        took_over = self.state.learnt_row
        known = self._as_learnt(history)
        said = fitted.says(known, now_ms) if isinstance(fitted, _SAYING) else Scores.of_all(fitted.score(known, now_ms))
        if isinstance(fitted, _LENDING) and len(newcomers := self.snapshot.newcomers):
            said = said.plus(newcomers, self.snapshot.kin.lend(said.all()))
        if n == learnt:
            return said
        later = np.where(took_over >= 0, said.at(np.maximum(took_over, 0)), 0) if learnt else np.zeros(n - learnt)
        new = np.flatnonzero(took_over < 0)
        if isinstance(fitted, _LENDING):
            later += self.state.kin.lend(said.all())
        if isinstance(fitted, SequenceModel) and len(new):
            text = self.state.vectors.vectors((learnt + new).astype(np.int32))
            later[new] = fitted.score_new(known, text)
        return said.then(later.astype(np.float32))

    def _known_row(self, row: int) -> int | None:
        """`_as_known` of a single row."""
        learnt = row if row < self.state.n_learnt else int(self.state.learnt_row[row - self.state.n_learnt])
        newcomers = self.snapshot.newcomers
        return None if learnt < 0 or (len(newcomers) and (newcomers == learnt).any()) else learnt

    def _as_known_again(self, rows: NDArray[np.int32]) -> _Known | None:
        """`_as_known` of rows that are asked about for hit after hit."""
        if self._known is None or self._known[0] is not rows:
            self._known = (rows, self._as_known(rows))
        return self._known[1]

    def _as_known(self, rows: NDArray[np.int32]) -> _Known | None:
        """(n_learnt,) under which rows models know these, and the row now of each; None = of some they say only what
        kin lends."""
        learnt = self.learnt_rows(rows)
        if (learnt < 0).any() or (len(self.snapshot.newcomers) and np.isin(learnt, self.snapshot.newcomers).any()):
            return None
        known = np.zeros(self.state.n_learnt, np.bool_)
        known[learnt] = True
        return known, dict(zip(learnt.tolist(), rows.tolist(), strict=True))

    def learnt_rows(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        later = rows >= self.state.n_learnt
        if not later.any():
            return rows
        learnt = rows.copy()
        learnt[later] = self.state.learnt_row[rows[later] - self.state.n_learnt]
        return learnt

    def _as_learnt(self, history: History) -> History:
        """The history in the rows that the models know: a rewritten product counts as what it was."""
        rows = self.learnt_rows(history.rows)
        return history if rows is history.rows else replace(history, rows=rows).take(rows >= 0)
