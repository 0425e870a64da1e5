"""Does it help a search to know the shopper? A word is asked, and what the shopper bought next is what it should find.

Each shopper's next basket (`splits.split_next_basket`) is turned into questions: every product of it is asked for by a
word of its own (its category, its kind, its whole title), and the hits that were bought under that word are wanted.
The same question is answered with and without the shopper; the difference is taken shopper by shopper, because the
questions of one person are not independent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.evaluation.metrics import ndcg, recall, reciprocal_rank
from wares.evaluation.splits import NextBasket
from wares.evaluation.table import EvaluationTable, table_of

Floats = NDArray[np.float64]
Hits = NDArray[np.signedinteger]
PLAIN, PERSONAL = "search", "search, shopper known"


@dataclass(frozen=True, slots=True)
class Question:
    """What one shopper asks. `wanted` (w,) are the hits (groups of variants) bought next under this query, growing;
    `fresh` (w,) says which of them the shopper had never bought before, in any variant."""

    place: int  # of the shopper in the split
    query: str
    wanted: NDArray[np.int64]
    fresh: NDArray[np.bool_]


def draw_questions(
    split: NextBasket,
    word_of: Mapping[int, str],
    groups: NDArray[np.int32],
    rng: np.random.Generator,
    at_most: int = 5,
) -> list[Question]:
    """At most `at_most` queries per shopper, chosen evenly. `word_of` names the products that are asked for: row ->
    query, those that are missing or "" are not; `groups` (n_products,) numbers the hits."""
    questions = []
    for place, (targets, history) in enumerate(zip(split.targets, split.histories, strict=True)):
        bought = np.unique(groups[history.of(EventKind.PURCHASE).rows])
        wanted: dict[str, set[int]] = {}
        for row in targets.tolist():
            if query := word_of.get(row, ""):
                wanted.setdefault(query, set()).add(int(groups[row]))
        asked = sorted(wanted)
        for chosen in np.sort(rng.permutation(len(asked))[:at_most]).tolist():
            hits = np.array(sorted(wanted[asked[chosen]]), np.int64)
            questions.append(Question(place, asked[chosen], hits, ~np.isin(hits, bought)))
    return questions


def measured(found: Hits, wanted: Hits, k: int = 10) -> tuple[float, float, float]:
    """MRR, nDCG@k and recall@k of an answer `found` (m,), distinct hits, best first; nan where nothing is wanted.

    >>> measured(np.array([5, 8, 3]), np.array([8, 9]), k=2)[0]
    0.5
    """
    right = np.isin(found, wanted)
    n_wanted = len(wanted)
    first = reciprocal_rank(right) if n_wanted else float("nan")
    return first, ndcg(right, np.ones(n_wanted), k), recall(right, n_wanted, k)


def personal_table(
    questions: Sequence[Question],
    plain: Sequence[Hits],
    personal: Sequence[Hits],
    rng: np.random.Generator,
    *,
    k: int = 10,
    fresh_only: bool = False,
) -> EvaluationTable:
    """Both answers of every question, each a list of distinct hits, measured and averaged within each shopper.

    Intervals and differences are over shoppers. `fresh_only`: only hits that the shopper had never bought are wanted,
    and questions without one are left out.
    """
    shoppers, owner = np.unique([question.place for question in questions], return_inverse=True)
    values = {}
    for name, answers in ((PLAIN, plain), (PERSONAL, personal)):
        each = [
            measured(found, question.wanted[question.fresh] if fresh_only else question.wanted, k)
            for question, found in zip(questions, answers, strict=True)
        ]
        values[name] = _means(np.array(each, np.float64).reshape(-1, 3), owner, len(shoppers))
    asked = ~np.isnan(values[PLAIN][:, 0])
    values = {name: found[asked] for name, found in values.items()}
    names = ("mrr", f"ndcg@{k}", f"recall@{k}")
    return table_of(names, values, rng, seconds=dict.fromkeys(values, 0.0), k=k, reference=PLAIN)


def _means(values: Floats, owner: NDArray[np.intp], n: int) -> Floats:
    """(q, m) -> (n, m): the mean of each owner's values that are not nan; nan for one without any."""
    known = ~np.isnan(values)
    sums, counts = np.zeros((n, values.shape[1])), np.zeros((n, values.shape[1]))
    np.add.at(sums, owner, np.where(known, values, 0.0))
    np.add.at(counts, owner, known)
    means: Floats = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return means
