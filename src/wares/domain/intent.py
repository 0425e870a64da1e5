"""An intent: what the shopper wishes, as far as it is understood. Every later stage reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.request import Request
from wares.domain.rule import NOTHING, Actions
from wares.domain.shopper import History
from wares.domain.sponsored import Bid
from wares.domain.wish import Wish

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a term of a query may stand for: words of the index, all of which a product must hold.

    `weight` in (0, 1]: 1 = as good as said. `why` is "" for the words as they were said, else how this reading came
    about: synonym, spelling, prefix, compound, pinyin.
    """

    words: tuple[str, ...]
    weight: float = 1.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """One unit of a query: as said (normalised), with its readings, best first; () = the catalogue has no such word."""

    said: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """`words` are the query's plain tokens as typed. `text` is the query as it was understood: corrected, without
    wishes that became filters; `terms` are its units.

    `correction` is the whole query as corrected, "" = as typed. `wishes` are what its words ask for beside the thing
    itself, and `excluded` the index words that a product must not hold. `vectors` maps a space ("text") to a unit
    vector (d,): spaces are never mixed. `feedback` (n,) tells for each product how near it is to the query and its best
    answers, once those are known. `history` is the shopper's, `seeds` the rows of the products on the page or in the
    cart. `actions` are what the shop's rules want of this request, `bids` what campaigns offer for a place in the
    answer.
    """

    request: Request
    words: tuple[str, ...] = ()
    text: str = ""
    terms: tuple[Term, ...] = ()
    correction: str = ""
    wishes: tuple[Wish, ...] = ()
    excluded: tuple[str, ...] = ()
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    history: History = field(default_factory=History.empty)
    seeds: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    feedback: Vector | None = None
    actions: Actions = NOTHING
    bids: tuple[Bid, ...] = ()
