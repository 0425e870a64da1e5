"""Prefix completion: from the letters typed so far to whole suggestions, at any catalogue size within milliseconds."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State, pack, unpack
from wares.domain.suggestion import Suggestion, SuggestionKind
from wares.domain.text import stem
from wares.retrieval.suggestions.keys import FIRST_HAN, LAST_HAN, is_run, keys_of, typed_words, words_of
from wares.retrieval.suggestions.slips import slips_of

Span = tuple[int, int]  # a stretch of the sorted keys
Numbers = NDArray[np.int32]

MAX_TYPED = 100  # characters that are read
MOST_PRODUCTS = 3  # of one answer: products are many, and the page below the box shows them anyway
_MAX_WORDS = 8
_LOOKED_AT = 24  # suggestions of one tier that are weighed against those of the others
_LITERAL, _START, _WHOLE = 0.4, 0.3, 0.1  # added to the weight: the text begins with what is typed, with its first
# word, and what is typed ends where a word ends
_KINDS = tuple(SuggestionKind)
_POPULAR = (SuggestionKind.QUERY, SuggestionKind.CATEGORY)  # what is offered before anything is typed
_LAST = "\U0010ffff"


@dataclass(frozen=True)
class Suggestions:
    """n suggestions: first those that are not products, then the products, each by falling weight.

    `keys` are sorted; key i opens the suggestions `entries[indptr[i]:indptr[i + 1]]`, and `at_start` says whether it
    is where the text begins. `lines` are all normalised texts, sorted; suggestion e is `lines[places[e]]`.
    """

    suggestions: tuple[Suggestion, ...]
    lines: tuple[str, ...]  # (n,) distinct
    places: Numbers  # (n,)
    keys: tuple[str, ...]  # (m,)
    indptr: NDArray[np.int64]  # (m + 1,)
    entries: Numbers  # (nnz,)
    at_start: NDArray[np.bool_]  # (nnz,)

    @staticmethod
    def of(suggestions: Iterable[Suggestion]) -> "Suggestions":
        """Index them. Of equal normalised texts the one of the greatest weight stays."""
        kept: dict[str, Suggestion] = {}
        for one in sorted(suggestions, key=_in_order):
            if line := " ".join(words_of(one.text)):
                kept.setdefault(line, one)
        chosen = sorted(kept.items(), key=lambda item: _in_order(item[1]))
        codes: dict[str, int] = {}
        keyed: list[int] = []
        entries: list[int] = []
        at_start: list[bool] = []
        for entry, (line, _) in enumerate(chosen):
            for key, first in keys_of(line.split()):
                keyed.append(codes.setdefault(key, len(codes)))
                entries.append(entry)
                at_start.append(first)
        keys = sorted(codes)
        rank = np.empty(len(keys), np.int64)
        rank[[codes[key] for key in keys]] = np.arange(len(keys))
        ranks = rank[np.array(keyed, np.int64)]
        order = np.argsort(ranks, kind="stable")
        lines = sorted(kept)
        place_of = {line: place for place, line in enumerate(lines)}
        return Suggestions(
            suggestions=tuple(one for _, one in chosen),
            lines=tuple(lines),
            places=np.array([place_of[line] for line, _ in chosen], np.int32),
            keys=tuple(keys),
            indptr=np.searchsorted(ranks[order], np.arange(len(keys) + 1)).astype(np.int64),
            entries=np.array(entries, np.int32)[order],
            at_start=np.array(at_start, np.bool_)[order],
        )

    def __len__(self) -> int:
        return len(self.suggestions)

    def complete(self, prefix: str, k: int = 8, sells: Callable[[str], bool] | None = None) -> list[Suggestion]:
        """The k best continuations of what is typed, each text once; nothing typed = what is wanted most.

        Every typed word must begin a word of the suggestion, the start of the text being the best place. Where that
        leaves room, words of 4 letters or more may have one slip. `sells` says whether a product (by id) is still
        there: others are left out.
        """
        answer = _Answer(self, k, sells)
        typed = typed_words(prefix[:MAX_TYPED])[:_MAX_WORDS]
        if not typed:
            if not prefix.strip():
                first = range(self._n_others)  # each by falling weight
                answer.add(entry for entry in first if self.suggestions[entry].kind in _POPULAR)
            return answer.chosen
        exact = [[self._span(word)] for word in typed]
        answer.add(self._best(exact, " ".join(typed)))
        if not answer.full and self._has_pinyin and len(typed) > 1 and not any(is_run(word) for word in typed):
            answer.add(self._best([[self._span("".join(typed))]]))  # syllables typed apart
        if not answer.full:
            near = [
                spans + slips_of(word, self.keys, unknown=_is_empty(spans))
                for word, spans in zip(typed, exact, strict=True)
            ]
            if near != exact:
                answer.add(self._best(near))
        return answer.chosen

    def _best(self, readings: Sequence[Sequence[Span]], line: str = "") -> list[int]:
        """Entries that hold one of the keys of every reading, best first; `line` is what is typed, if read exactly."""
        holding, starting = self._opened(readings[0]), self._opened(readings[0], at_start=True)
        for spans in readings[1:]:
            holding &= self._opened(spans)
        found = np.flatnonzero(holding)
        low = high = whole = 0
        if line:
            low = bisect_left(self.lines, line)
            high = bisect_left(self.lines, line + _LAST, lo=low)
            whole = bisect_left(self.lines, line + "!", lo=low)  # "!" follows the space and precedes what words hold
        scored: list[tuple[float, int]] = []
        n_others = int(np.searchsorted(found, self._n_others))
        for part in (found[:n_others], found[n_others:]):
            places = self.places[part]
            literal = (places >= low) & (places < high)
            start = starting[part]
            for tier, bonus in ((literal, _LITERAL), (start & ~literal, _START), (~start & ~literal, 0.0)):
                for entry in part[tier][:_LOOKED_AT].tolist():
                    more = _WHOLE if low <= self.places[entry] < whole else 0.0
                    scored.append((self.suggestions[entry].weight + bonus + more, entry))
        return [entry for _, entry in sorted(scored, key=lambda pair: (-pair[0], pair[1]))]

    def _opened(self, spans: Sequence[Span], *, at_start: bool = False) -> NDArray[np.bool_]:
        """(n,) which suggestions the keys of these stretches open, at any place or only where the text begins."""
        opened = np.zeros(len(self), np.bool_)
        for low, high in spans:
            stretch = slice(self.indptr[low], self.indptr[high])
            entries = self.entries[stretch]
            opened[entries[self.at_start[stretch]] if at_start else entries] = True
        return opened

    def _span(self, prefix: str) -> Span:
        low = bisect_left(self.keys, prefix)
        return low, bisect_left(self.keys, prefix + _LAST, lo=low)

    @cached_property
    def _n_others(self) -> int:
        return bisect_left(self.suggestions, True, key=lambda one: one.kind is SuggestionKind.PRODUCT)

    @cached_property
    def _has_pinyin(self) -> bool:
        return bisect_left(self.keys, FIRST_HAN) < bisect_left(self.keys, LAST_HAN)

    def state(self) -> State:
        return {
            "kinds": np.array([_KINDS.index(one.kind) for one in self.suggestions], np.int8),
            "weights": np.array([one.weight for one in self.suggestions], np.float64),
            "places": self.places,
            "indptr": self.indptr,
            "entries": self.entries,
            "at_start": self.at_start,
            **pack("texts", [one.text for one in self.suggestions]),
            **pack("abouts", [one.about for one in self.suggestions]),
            **pack("lines", self.lines),
            **pack("keys", self.keys),
        }

    @staticmethod
    def restore(state: Mapping[str, NDArray[np.generic]]) -> "Suggestions":
        kinds, weights = state["kinds"].tolist(), state["weights"].tolist()
        each = zip(unpack("texts", state), kinds, weights, unpack("abouts", state), strict=True)
        return Suggestions(
            suggestions=tuple(Suggestion(text, _KINDS[kind], weight, about) for text, kind, weight, about in each),
            lines=unpack("lines", state),
            places=state["places"].astype(np.int32),
            keys=unpack("keys", state),
            indptr=state["indptr"].astype(np.int64),
            entries=state["entries"].astype(np.int32),
            at_start=state["at_start"].astype(np.bool_),
        )


class _Answer:
    """Collects the best first: each text once, in the singular or the plural, and not too many products."""

    def __init__(self, index: Suggestions, k: int, sells: Callable[[str], bool] | None) -> None:
        self.chosen: list[Suggestion] = []
        self._index, self._k, self._sells = index, k, sells
        self._products = 0
        self._said: set[tuple[str, ...]] = set()

    @property
    def full(self) -> bool:
        return len(self.chosen) >= self._k

    def add(self, entries: Iterable[int]) -> None:
        for entry in entries:
            if self.full:
                return
            one = self._index.suggestions[entry]
            is_product = one.kind is SuggestionKind.PRODUCT
            if is_product and (self._products == MOST_PRODUCTS or (self._sells and not self._sells(one.about))):
                continue
            said = tuple(stem(word) for word in self._index.lines[self._index.places[entry]].split())
            if said not in self._said:
                self._said.add(said)
                self.chosen.append(one)
                self._products += is_product


def _in_order(one: Suggestion) -> tuple[bool, float, int, str, str]:
    return one.kind is SuggestionKind.PRODUCT, -one.weight, len(one.text), one.text, one.about


def _is_empty(spans: Sequence[Span]) -> bool:
    return all(low == high for low, high in spans)
