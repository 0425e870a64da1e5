"""What is found on the way and what is shown in the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from wares.domain.intent import Term
from wares.domain.product import Product
from wares.domain.rule import Banner
from wares.domain.sponsored import Sponsored
from wares.domain.wish import Wish

if TYPE_CHECKING:
    import polars as pl

Index = NDArray[np.intp] | NDArray[np.bool_] | slice
_ADJUSTMENT_BYTES = 200  # about what one takes with its words


@dataclass(frozen=True, slots=True)
class TextMatch:
    """What the terms of a query find. `coverage` is the share in [0, 1] of the query's weight that a product holds."""

    scores: NDArray[np.float32]  # (n,) BM25 over all fields, weighted by their boosts; 0 = no word
    coverage: NDArray[np.float32]  # (n,)
    by_field: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)  # field -> (n,) BM25, no boost
    terms: tuple[Term, ...] = ()  # the query's distinct terms
    read_as: tuple[tuple[str, ...], ...] = ()  # each of them -> the catalogue's words it was taken for
    holds: tuple[NDArray[np.bool_], ...] = ()  # each of them -> (n,) the rows that hold it
    weights: tuple[float, ...] = ()  # each of them -> its inverse document frequency, 0 = unknown


@dataclass(frozen=True, slots=True)
class TitleWords:
    """Titles in order, as seen by one query: word after word, the place of the term it stands for, else -1."""

    lengths: NDArray[np.int64]  # (n,) words of each title
    which: NDArray[np.int16]  # (sum of lengths,)
    heads: NDArray[np.int32]  # (n,) place in the title of the word that names the thing

    def take(self, index: NDArray[np.intp]) -> "TitleWords":
        ends = np.cumsum(self.lengths)
        starts, lengths = (ends - self.lengths)[index], self.lengths[index]
        new_ends = np.cumsum(lengths)
        places = np.arange(int(lengths.sum())) + np.repeat(starts - (new_ends - lengths), lengths)
        return TitleWords(lengths, self.which[places], self.heads[index])


@dataclass(frozen=True, slots=True)
class Candidates:
    """The merged candidates: each row once, with what every source says of it (0 = no opinion).

    `scores` is the fusion's own order, kept as fallback.
    """

    rows: NDArray[np.int32]  # (n,)
    by_source: NDArray[np.float32]  # (n, s)
    sources: tuple[str, ...]  # (s,)
    scores: NDArray[np.float32]  # (n,)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: Index) -> "Candidates":
        return Candidates(self.rows[index], self.by_source[index], self.sources, self.scores[index])


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One change of priority: which policy, by how much, and why in one word ("pin", "boost", "diversity")."""

    policy: str
    amount: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Slate:
    """An ordered list being arranged. `scores` stay the ranker's; policies write `priority` and leave their name.

    `candidates` run in parallel to the rows, so that a policy can see what each source said. `chances` say of each hit
    at which places (from 0) it could have stood and how likely, where chance had a part in the order; {} = it had
    none. They are true of this order alone: `take` drops them. `sponsored` tells of the rows whose place was paid for.
    """

    candidates: Candidates  # (n,)
    scores: NDArray[np.float32]  # (n,) the ranker's, untouched
    priority: NDArray[np.float32]  # (n,) what the order follows, higher first
    adjustments: tuple[tuple[Adjustment, ...], ...]  # (n,)
    chances: tuple[Mapping[int, float], ...] = ()  # (n,), or () = no hit was placed by chance; see Hit.chances
    sponsored: Mapping[int, Sponsored] = field(default_factory=dict)  # by row

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def rows(self) -> NDArray[np.int32]:
        return self.candidates.rows

    @property
    def nbytes(self) -> int:
        """About the memory that it takes."""
        found = self.candidates
        arrays = (found.rows, found.by_source, found.scores, self.scores, self.priority)
        return sum(one.nbytes for one in arrays) + _ADJUSTMENT_BYTES * sum(map(len, self.adjustments))

    def take(self, index: Index) -> "Slate":
        chosen = np.arange(len(self))[index]
        adjustments: tuple[tuple[Adjustment, ...], ...] = ((),) * len(chosen)
        if any(self.adjustments):
            adjustments = tuple([self.adjustments[i] for i in chosen.tolist()])
        candidates = self.candidates.take(chosen)
        return Slate(candidates, self.scores[chosen], self.priority[chosen], adjustments, sponsored=self.sponsored)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a product is shown, as a value: a code with its facts. Texts are made where people read them.

    Codes: matches_words, similar_meaning, bought_before, bought_together, like_your_purchases, like_this, popular,
    popular_lately, taste, your_interest, new, pinned, boosted, sponsored, recently_viewed, wish_listed. `about` names
    the product ids or words that the reason rests on, `shown` the same as people know them (titles instead of ids);
    `weight` orders the reasons of one hit.
    """

    code: str
    about: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    weight: float = 0.0


@final
class Served(Mapping[str, float]):
    """What the ranker was served of one hit: `numbers` in the order of `names`, which all hits of an answer share."""

    __slots__ = ("names", "numbers")

    def __init__(self, names: tuple[str, ...], numbers: list[float]) -> None:
        self.names, self.numbers = names, numbers

    def __getitem__(self, name: str) -> float:
        try:
            return self.numbers[self.names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, slots=True)
class Hit:
    """One shown product with everything that explains its place."""

    product: Product
    score: float
    priority: float
    reasons: tuple[Reason, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    variants: tuple[str, ...] = ()  # ids of the other products of this group that match, too
    highlights: Mapping[str, str] = field(default_factory=dict)  # field -> text with <mark>..</mark>, else escaped
    features: Mapping[str, float] = field(default_factory=dict)  # as served to the ranker
    parts: Mapping[str, float] = field(default_factory=dict)  # where explained: what each adds to the score, "" = base
    chances: Mapping[int, float] = field(default_factory=dict)  # place from 0 -> probability; {} = surely this place
    team: str = ""  # of an interleaved page: the variant that picked it
    sponsored: Sponsored | None = None  # somebody pays for this place; to be marked as such wherever it is shown


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: str
    count: int  # hits of the same query and filters with this value chosen
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one field over the match set, most frequent first; numbers have `low` and `high` instead."""

    field: str
    values: tuple[FacetValue, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an answer came about; what the score of each hit is made of stands in `Hit.parts`.

    `text` is the query as it was searched, `terms` its units with their readings, `excluded` the index words that no
    hit holds. `matched` counts the products of the match set before filters, rules and variants; None = there is none,
    the sources propose. `relaxed`: what was asked for less strictly, "words" or "wishes". `ranker` gave the scores:
    "learned", "formula" or the name of one of the shop's own; "" = the order is another one than the best match.
    `rules` are the names of the shop's rules that held.
    """

    ranker: str
    text: str = ""
    terms: tuple[Term, ...] = ()
    excluded: tuple[str, ...] = ()
    matched: int | None = None
    relaxed: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The answer: hits in order, the exact total of the match set in groups, facets, and how to go on.

    `notes` say in plain words what a person should know ("no shopper of this id yet"). `cursor` "" = last page.
    `correction`: the answer is to this query instead of the one as typed, "" = as typed. `wishes`: what was read in the
    query beside the thing itself. `explanation`: how the answer came about, where that was asked. `banners` and
    `redirect` (an address, "" = none) are the shop's own word to whoever asks so; the hits are given all the same.
    `experiment` and `variant`: what the shopper takes part in on this surface, "" = nothing. `written`: what
    was written of the page for somebody else, by currency, or for the log; it is shared by all that `replace` makes of
    the page.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: tuple[Facet, ...] = ()
    cursor: str = ""
    notes: tuple[str, ...] = ()
    correction: str = ""
    wishes: tuple[Wish, ...] = ()
    snapshot: str = ""
    impression_id: str = ""
    took_ms: float = 0.0
    explanation: Explanation | None = None
    banners: tuple[Banner, ...] = ()
    redirect: str = ""
    experiment: str = ""
    variant: str = ""
    written: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def to_polars(self) -> "pl.DataFrame":
        """One row per hit: rank from 1, id, title, brand, price_minor, currency, score, priority, reasons, variants."""
        import polars as pl

        schema: dict[str, Any] = {
            "rank": pl.Int64,
            **dict.fromkeys(("id", "title", "brand"), pl.String),
            "price_minor": pl.Int64,
            "currency": pl.String,
            **dict.fromkeys(("score", "priority"), pl.Float64),
            **dict.fromkeys(("reasons", "variants"), pl.List(pl.String)),
        }
        rows = [
            (
                *(rank, hit.product.id, hit.product.title, hit.product.brand, hit.product.price_minor),
                *(hit.product.currency, hit.score, hit.priority, [r.code for r in hit.reasons], list(hit.variants)),
            )
            for rank, hit in enumerate(self.hits, 1)
        ]
        return pl.DataFrame(rows, schema=schema, orient="row")
