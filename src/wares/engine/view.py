"""A view: the shop of one moment for one request. Taken once; remembers what it has computed for this request."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Space
from wares.domain.catalogue import Columns
from wares.domain.result import TextMatch
from wares.domain.shopper import History
from wares.engine.live import CatalogueState, Live
from wares.engine.snapshot import Snapshot
from wares.retrieval.vector_index import VectorIndex

Floats = NDArray[np.float32]


@dataclass
class _Remembering:
    """A vector space that answers the same question of one request once."""

    index: VectorIndex
    _scans: dict[bytes, tuple[Floats, float, float]] = field(default_factory=dict)

    def scan(self, vector: Floats) -> tuple[Floats, float, float]:
        key = vector.tobytes()
        if key not in self._scans:
            self._scans[key] = self.index.scan(vector)
        return self._scans[key]

    def vectors(self, rows: NDArray[np.int32]) -> Floats:
        return self.index.vectors(rows)


class ShopView:
    """Implements `contracts.View` over a snapshot and the catalogue state that Live had when it was taken."""

    def __init__(self, live: Live, now_ms: int) -> None:
        self.snapshot: Snapshot = live.snapshot
        self.state: CatalogueState = live.state
        self.now_ms = now_ms
        self._live = live
        self._matches: dict[tuple[tuple[str, ...], bool], TextMatch] = {}
        self._scores: dict[tuple[str, int], tuple[History, Floats]] = {}
        self._text = _Remembering(self.state.vectors)
        self._nowhere = _Remembering(VectorIndex.empty(len(self.state.columns)))

    @property
    def columns(self) -> Columns:
        return self.state.columns

    @cached_property
    def popularity(self) -> Floats:
        return self._live.purchases(self.now_ms)[: len(self.columns)]

    def text_match(self, words: Sequence[str], open_word: bool) -> TextMatch:
        key = (tuple(words), open_word)
        if key not in self._matches:
            self._matches[key] = self.state.text.match(words, open_word)
        return self._matches[key]

    def model_scores(self, model: str, history: History, now_ms: int) -> Floats:
        key = (model, id(history.rows))
        if key not in self._scores:
            self._scores[key] = (history, self._score(model, history, now_ms))  # holding it keeps its id its own
        return self._scores[key][1]

    def space(self, name: str) -> Space:
        return self._text if name == "text" else self._nowhere

    def fresh(self) -> "ShopView":
        """The same moment without what was remembered, to keep for a later page."""
        return ShopView.at(self._live, self.state, self.now_ms)

    @staticmethod
    def at(live: Live, state: CatalogueState, now_ms: int) -> "ShopView":
        view = ShopView(live, now_ms)
        view.state = state
        view._text = _Remembering(state.vectors)
        return view

    def _score(self, model: str, history: History, now_ms: int) -> Floats:
        n, learnt = len(self.columns), self.state.n_learnt
        if (fitted := self.snapshot.models.get(model)) is None:
            return np.zeros(n, np.float32)
        took_over = self.state.learnt_row
        scores = fitted.score(self._as_learnt(history), now_ms)  # (learnt,)
        if n == learnt:
            return scores
        later = np.where(took_over >= 0, scores[took_over], 0) if learnt else np.zeros(n - learnt)
        return np.concatenate([scores, later.astype(np.float32)])

    def _as_learnt(self, history: History) -> History:
        """The history in the rows that the models know: a rewritten product counts as what it was."""
        learnt = self.state.n_learnt
        later = history.rows >= learnt
        if not later.any():
            return history
        rows = history.rows.copy()
        rows[later] = self.state.learnt_row[rows[later] - learnt]
        return replace(history, rows=rows).take(rows >= 0)
