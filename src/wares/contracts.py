"""Every contract between the stages on one page. A stage implements or uses these and imports no other stage."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import Event
from wares.domain.intent import Intent, Term
from wares.domain.interactions import Interactions
from wares.domain.log import EventBlock
from wares.domain.product import Product
from wares.domain.result import Reason, Slate, TextMatch, TitleWords
from wares.domain.scores import Scores
from wares.domain.shopper import History, Shopper
from wares.domain.traits import Leanings

Floats = NDArray[np.float32]
Progress = Callable[[int], None]  # called with how many more are done


class Catalogue(Protocol):
    """What the shop sells. Every change gets a growing sequence number."""

    def put(self, products: Iterable[Product]) -> int:
        """Insert or replace, durably, all or none; the number of the last change."""

    def delete(self, ids: Sequence[str]) -> int:
        """Durably; unknown ids are ignored. The number of the last change."""

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        """The known ones of these."""

    def changes(self, after: int = 0) -> Iterator[tuple[int, int, str, Product | None]]:
        """(change number, product key, id, product or None if deleted) of each product's last change, in order."""


class EventLog(Protocol):
    """What happened. Appending is durable when it returns; an event with a known id counts once."""

    def append(self, events: Iterable[Event]) -> tuple[int, int]:
        """One feed of any length in one call; (number of new events, number of repeated ones)."""

    def read(self, after: int = 0, *, simulated: bool = False) -> EventBlock:
        """Every real event, or every simulated one, with a sequence number above `after`."""

    def last(self) -> int:
        """The last sequence number; 0 = no event yet."""

    def erase(self, shopper_id: str) -> int:
        """Forget a shopper: their events and attributes. The number of events erased."""


class Shoppers(Protocol):
    """Who the shop knows. Ids are kept as keyed hashes; `key` is the small integer that events carry.

    An anonymous shopper whom a login joined to a known one is that one, here and in the event log."""

    def put(self, shoppers: Iterable[Shopper]) -> int: ...

    def get(self, shopper_id: str) -> Shopper | None: ...

    def key(self, shopper_id: str) -> int | None: ...

    def keys_of(self, shopper_id: str) -> tuple[int, ...]:
        """`key` first, then the keys that were joined to it; () = never heard of."""


class Encoder(Protocol):
    """Texts -> unit vectors of one space. `fingerprint` changes with anything that changes a vector."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> Floats:
        """(n, dimension), each row of length 1."""


class BehaviourModel(Protocol):
    """What is learnt from behaviour. Score 0 = no opinion; higher is better; scales differ between models."""

    def fit(self, interactions: Interactions, now_ms: int) -> None: ...

    def score(self, history: History, now_ms: int) -> Floats:
        """(n_products,) for one shopper, or for the seeds of a page given as a history."""

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays that `restore` understands."""

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None: ...


class Space(Protocol):
    """Vectors of one meaning for all products."""

    def scan(self, vector: Floats) -> tuple[Floats, float, float]:
        """(n,) cosines of `vector` (d,) with every product, -1 where it has none; mean and standard deviation of the
        cosines with a fixed sample of the catalogue, which tell what an ordinary similarity is."""

    def ordinary(self, vector: Floats) -> tuple[float, float]:
        """Mean and standard deviation of the cosines of `vector` (d,) with that sample alone."""

    def cosines(self, rows: NDArray[np.int32], vector: Floats) -> Floats:
        """(len(rows),) exact cosines of these products with `vector` (d,); 0 where a product has none."""

    def vectors(self, rows: NDArray[np.int32]) -> Floats:
        """(len(rows), d) unit vectors of products; zeros where a product has none."""


class View(Protocol):
    """The shop of one moment, as one request sees it: taken once, never changing under the request."""

    @property
    def columns(self) -> Columns: ...

    def popularity(self, rows: NDArray[np.int32] | None = None) -> Floats:
        """(n,) purchases of every row, or of `rows` alone, with old ones fading; new rows start at 0."""

    def learnt_rows(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """The rows under which the snapshot's models know these products; -1 = they came later."""

    def published_after(self, time_ms: float) -> NDArray[np.int32]:
        """The rows of products that went on sale after this time, growing."""

    def text_match(self, terms: Sequence[Term]) -> TextMatch:
        """What these terms find among all rows."""

    def letters_match(self, text: str) -> Floats:
        """(n,) how much of the letters of a text each title shares: near spellings and parts of words count, too."""

    def title_words(self, rows: NDArray[np.int32], terms: Sequence[Term]) -> TitleWords:
        """The titles of these rows in order, as seen by a query of these terms."""

    def model_scores(self, model: str, history: History, now_ms: int) -> Floats:
        """(n,) scores of a fitted model; zeros for rows it does not know and for a model that is not there."""

    def model_says(self, model: str, history: History, now_ms: int) -> Scores:
        """The same scores, told by the products of which the model says something."""

    def nearest(self, model: str, row: int, others: NDArray[np.int32], now_ms: int) -> int | None:
        """Which of these rows, `row` itself apart, a fitted model holds nearest to it: of which it says most to a
        shopper who has just bought that one and nothing else. None = it says nothing of them."""

    def times_bought(self, row: int, history: History) -> int:
        """How many purchases of this product a history holds."""

    def leanings(self, history: History, now_ms: int) -> Leanings:
        """How far a shopper with this history leans to departments, categories, brands and price bands."""

    def standing(self, aim: str, rows: NDArray[np.int32]) -> Floats:
        """(len(rows),) in [-1, 1]: how far these products serve a business aim (`domain.aims.AIMS`) beside the rest of
        the shop; 0 = as the middle one does, or nothing is known."""

    def space(self, name: str) -> Space:
        """Where vectors of this name live ("text"); an unknown one is empty."""


class Source(Protocol):
    """A wish -> candidate products. Its `name` appears in profiles, features and reasons."""

    @property
    def name(self) -> str: ...

    def score(self, intent: Intent, view: View, rows: NDArray[np.int32] | None = None) -> Floats:
        """(n,) for every row of the view, or (len(rows),) for these alone; above 0 = a candidate, higher is better, on
        the source's own scale."""

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        """Why this source names this row, for a person; None = nothing worth saying."""


class SayingSource(Source, Protocol):
    """A source that knows few products and can name them. Then nothing is done for all the others."""

    def says(self, intent: Intent, view: View) -> Scores:
        """What `score` says of every row of the view."""


class Ranker(Protocol):
    """Features -> scores."""

    def score(self, features: Floats, names: Sequence[str]) -> Floats:
        """(n, f) -> (n,), higher is better."""


class Policy(Protocol):
    """What the shop wants beyond relevance. It may reorder, drop and insert; it leaves its name."""

    @property
    def name(self) -> str: ...

    def arrange(self, slate: Slate, intent: Intent, view: View) -> Slate: ...
