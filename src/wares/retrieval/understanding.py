"""A request's words -> an intent: wishes, spelling, terms and meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder
from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Filter
from wares.domain.intent import Intent, Term, Vector
from wares.domain.request import Request
from wares.domain.rule import NOTHING, Actions
from wares.domain.selection import passing
from wares.domain.shopper import History
from wares.domain.text import MAX_QUERY, tokens
from wares.domain.wish import Wish, WishKind
from wares.retrieval.language.chinese.negation import excluded
from wares.retrieval.language.shop_language import Language
from wares.retrieval.language.synonyms.groups import Synonyms
from wares.retrieval.reading import read_terms
from wares.retrieval.spelling.speller import Correction
from wares.retrieval.text_index import TextIndex
from wares.retrieval.wishes.exclusion import NEGATED
from wares.retrieval.wishes.read import read_wishes
from wares.retrieval.wishes.values import ShopValues

MAX_WORDS = 32  # of a query; what follows says nothing new
Shares = dict[tuple[str, str, tuple[str, ...]], float]  # (phrase, field, values) -> `Understanding._share`
_MOST_SHARES, _MOST_LETTERS = 2_000, 60  # that are remembered; of a phrase that others may say, too


@dataclass(frozen=True)
class Understanding:
    """What it takes to read a query as this shop's shoppers mean it. `spelling`: correct what the shop's words deny.
    `shares`: what is remembered of this catalogue, for the next queries."""

    language: Language
    index: TextIndex
    values: ShopValues
    columns: Columns
    currency: str
    encoder: Encoder | None
    spelling: bool = True
    shares: Shares = field(default_factory=dict)

    def read(
        self, request: Request, history: History, seeds: NDArray[np.int32], actions: Actions = NOTHING
    ) -> tuple[Intent, list[str]]:
        """The intent, and notes for the shopper about what was not read as written. `actions` are the rules' of the
        shop; words that they give a synonym are not corrected."""
        notes = []
        if len(request.query) > MAX_QUERY:
            notes.append(f"The query is very long: only its first {MAX_QUERY} characters were read.")
        query = request.query[:MAX_QUERY]
        if not query.strip():
            return Intent(request, history=history, seeds=seeds, actions=actions), notes
        words = words_of(query)
        rest, wishes = read_wishes(query, self.values, self.currency, request.without_wishes, share=self._share)
        text = self._with_taken_back(rest if rest.strip() else query, query, request.without_wishes)
        is_open, correction = not text[-1:].isspace(), ""  # a wish behind a word closes it
        also, kept = self._synonyms(actions, text) if actions.synonyms else (None, set[str]())
        found = self.language.speller.correct(text) if self.spelling and not request.as_typed else None
        if found and kept <= set(tokens(found.query)):
            correction = _corrected(query, text, found)
            text = found.query
        terms = read_terms(text, self.language, self.index, is_open, also)
        notes.extend(self._also_searched(terms, also) if also else ())
        vectors: Mapping[str, Vector] = {}
        if self.encoder is not None:
            vectors = {"text": self.encoder.encode([text.strip()], "query")[0]}
        denied = tuple(dict.fromkeys((*excluded(terms), *self._denied(wishes))))
        intent = Intent(request, words, text, terms, correction, wishes, denied, vectors, history, seeds)
        return (replace(intent, actions=actions) if actions is not NOTHING else intent), notes

    def _synonyms(self, actions: Actions, text: str) -> tuple[Synonyms, set[str]]:
        """The synonyms that rules give to words of this text, and the words that get some."""
        said = set(tokens(text))
        pairs = [
            (phrase, one.meant)
            for one in actions.synonyms
            for phrase in one.said or (text.strip(),)
            if set(tokens(phrase)) <= said
        ]
        analyser = self.language.analyser
        also = Synonyms.one_way(pairs, analyser.said_words, analyser.language)
        return also, {word for phrase, _ in pairs for word in tokens(phrase)}

    def _also_searched(self, terms: tuple[Term, ...], also: Synonyms) -> list[str]:
        """A note on those of the synonyms that some product holds."""
        readings = {reading.words for term in terms for reading in term.readings}
        meant = dict.fromkeys(word for others in also.others.values() for word in others)
        used = [text for text in meant if also.words_of(text) in readings]
        return [f"Also searched for: {', '.join(used)}."] if used else []

    def _with_taken_back(self, text: str, query: str, removed: tuple[str, ...]) -> str:
        """Of an exclusion that the shopper took back the thing itself stays: 'milk without chocolate' is both."""
        if not removed:
            return text
        for wish in read_wishes(query, self.values, self.currency, share=self._share)[1]:
            if wish.kind is WishKind.EXCLUSION and wish.key in removed:
                text = text.replace(wish.said, " ".join(wish.excluded))
        return text

    def _share(self, phrase: str, field: str, values: tuple[str, ...]) -> float:
        """Of the products that hold the phrase, the share that have one of these values. Many queries end alike."""
        asked = (phrase, field, values)
        if (share := self.shares.get(asked)) is None:
            rows = self.index.holding(read_terms(phrase, self.language, self.index)).astype(np.int32)
            share = float(passing(Filter((AnyOf(field, values),)), self.columns, rows).mean()) if len(rows) else 0.0
            if len(phrase) <= _MOST_LETTERS:
                if len(self.shares) >= _MOST_SHARES:
                    self.shares.clear()
                self.shares[asked] = share
        return share

    def _denied(self, wishes: tuple[Wish, ...]) -> list[str]:
        """The index words of what the wishes exclude."""
        words = [word for wish in wishes for said in wish.excluded for word in self.language.analyser.words(said)]
        return [word for word in words if not word.startswith(NEGATED)]


def words_of(query: str) -> tuple[str, ...]:
    """The plain tokens of a query as typed."""
    return tuple(tokens(query[:MAX_QUERY])[:MAX_WORDS])


def _corrected(query: str, text: str, found: Correction) -> str:
    """The whole query with the corrections of `text`, which is what is left of it without some of its wishes."""
    if text.strip() in query:
        return query.replace(text.strip(), found.query.strip(), 1)
    for change in found.changes:
        query = query.replace(change.said, change.meant, 1)
    return query
