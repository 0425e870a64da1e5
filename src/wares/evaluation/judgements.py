"""How good is a search? What people judged, as arrays; answers measured against it; folds that part queries.

The whole catalogue counts: a product that nobody judged for a query is worth 0 there. A query for which a measure is
not defined (nothing that the catalogue holds is wanted) is nan and takes part in no mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.domain.judgement import Judgement
from wares.domain.text import normalise
from wares.errors import InputError
from wares.evaluation.intervals import Interval, mean_intervals
from wares.evaluation.metrics import ndcg, recall

Rows = NDArray[np.signedinteger]
Floats = NDArray[np.float64]
RELEVANT_SHARE = 0.65  # of the highest gain: of grades 0..3 the upper two, of a relevance 1..3 whatever is 2.3 or more
DEPTH = 100  # places that recall looks at
NO_RESULTS = "no results"
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Judged:
    """q queries, growing, each with its judged products: query i has places `starts[i]` to `starts[i + 1]`, best first.

    `rows` are whatever integers stand for what an answer lists: rows of the catalogue, or its groups of variants. Of
    several products with one row the best judged counts, and `ids` names it.
    """

    queries: tuple[str, ...]  # (q,)
    starts: NDArray[np.int64]  # (q + 1,)
    rows: NDArray[np.int64]  # (n,) distinct within a query
    gains: Floats  # (n,) 0 or more
    ids: tuple[str, ...]  # (n,) product ids
    missing: tuple[str, ...] = ()  # ids of judged products that have no row; they are left out

    @staticmethod
    def of(judgements: Iterable[Judgement], row_of: Mapping[str, int]) -> "Judged":
        """Judgements in any order. A query stays even if none of its products has a row.

        >>> judged = Judged.of([Judgement("tea", "a", 1), Judgement("tea", "b", 2)], {"a": 0, "b": 7})
        >>> judged.queries, judged.rows.tolist(), judged.gains.tolist()
        (('tea',), [7, 0], [2.0, 1.0])
        """
        best: dict[str, dict[int, tuple[float, str]]] = {}
        missing: dict[str, None] = {}
        for one in judgements:
            of_query = best.setdefault(one.query, {})
            row = row_of.get(one.product_id)
            if row is None:
                missing[one.product_id] = None
            elif row not in of_query or of_query[row][0] < one.relevance:
                of_query[row] = (one.relevance, one.product_id)
        queries = sorted(best)
        entries = [
            sorted(((row, gain, product_id) for row, (gain, product_id) in best[query].items()), key=_best_first)
            for query in queries
        ]
        flat = [entry for of_query in entries for entry in of_query]
        return Judged(
            queries=tuple(queries),
            starts=np.concatenate([[0], np.cumsum([len(of_query) for of_query in entries])]).astype(np.int64),
            rows=np.array([row for row, _, _ in flat], np.int64),
            gains=np.array([gain for _, gain, _ in flat], np.float64),
            ids=tuple(product_id for _, _, product_id in flat),
            missing=tuple(missing),
        )

    def __len__(self) -> int:
        return len(self.queries)

    def of_query(self, place: int) -> slice:
        """Where the judged products of a query stand in `rows`, `gains` and `ids`."""
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def take(self, keep: Sequence[int] | NDArray[np.intp]) -> "Judged":
        """Some of the queries, by place, in the given order; of one fold, say."""
        chosen = np.asarray(keep, np.intp)
        sizes = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.repeat(self.starts[chosen] - starts[:-1], sizes) + np.arange(starts[-1])
        return Judged(
            queries=tuple(self.queries[i] for i in chosen),
            starts=starts,
            rows=self.rows[places],
            gains=self.gains[places],
            ids=tuple(self.ids[i] for i in places),
            missing=self.missing,
        )

    @property
    def relevant_from(self) -> float:
        """The gain from which a product counts as relevant, unless somebody says otherwise; 0 = nothing is wanted."""
        return RELEVANT_SHARE * float(self.gains.max(initial=0.0))


@dataclass(frozen=True, slots=True)
class Measured:
    """What the answers of one system are worth: a value per query and measure, nan = not defined."""

    queries: tuple[str, ...]  # (q,)
    ndcg: Floats  # (q,) in the first k places
    recall: Floats  # (q,) in the first 100
    empty: Floats  # (q,) 1 = the answer held nothing
    wanted: Floats  # (q,) the sum of all gains that were there to be found
    k: int

    @property
    def names(self) -> tuple[str, ...]:
        return (f"ndcg@{self.k}", f"recall@{DEPTH}", NO_RESULTS)

    @property
    def columns(self) -> Floats:
        """(q, 3), in the order of `names`."""
        return np.column_stack([self.ndcg, self.recall, self.empty])


def folds(queries: Sequence[str], n: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """The fold 0..n-1 of each query; the folds differ by at most one distinct query in size. (q,) -> (q,)

    Queries that differ in case, width, accents or blanks alone are one, so that none is learnt from in one fold and
    asked in another. The order of the queries does not matter.

    >>> folds(["tea", "green tea", " Tea", "coffee"], n=2).tolist()
    [1, 0, 1, 0]
    """
    read = [" ".join(normalise(query).split()) for query in queries]
    distinct = sorted(set(read))
    if not 2 <= n <= len(distinct):
        raise InputError(f"{len(distinct)} distinct queries cannot be parted into {n} folds. Valid is 2 to that many.")
    fold_of = dict(zip(distinct, (np.random.default_rng(seed).permutation(len(distinct)) % n).tolist(), strict=True))
    return np.array([fold_of[query] for query in read], np.int64)


def gains_of(ranking: Rows, rows: Rows, gains: Floats) -> Floats:
    """The gain of each ranked row: as judged, else 0. (m,), (j,), (j,) -> (m,)

    Raises InputError for a ranking with a row twice, which would be paid twice.
    """
    if len(np.unique(ranking)) < len(ranking):
        raise InputError("A ranking holds a row twice. Give each once, at its best place.")
    if not len(rows):
        return np.zeros(len(ranking))
    order = np.argsort(rows)
    places = order[np.searchsorted(rows, ranking, sorter=order).clip(max=len(rows) - 1)]
    return np.where(rows[places] == ranking, gains[places], 0.0)


def ndcg_of(ranking: Rows, rows: Rows, gains: Floats, k: int = 10) -> float:
    """`metrics.ndcg` with linear gains against all that was judged; unjudged = 0. (m,), (j,), (j,) -> number

    >>> round(ndcg_of(np.array([5, 9, 2]), rows=np.array([2, 9]), gains=np.array([1.0, 2.0])), 4)
    0.6697
    """
    return ndcg(gains_of(ranking[:k], rows, gains), gains, k)


def recall_of(ranking: Rows, rows: Rows, gains: Floats, k: int = DEPTH, *, relevant_from: float) -> float:
    """Which share of the products with at least this gain stands in the first k places. (m,), (j,), (j,) -> number

    With a relevance of 1 to 3 whose 1 is worth nothing, "2.33 and more" is a gain from 1.33.

    >>> recall_of(np.array([5, 9]), rows=np.array([2, 9, 5]), gains=np.array([1.4, 2.0, 0.5]), relevant_from=1.33)
    0.5
    """
    if relevant_from <= 0:
        raise InputError(f"Products are to count from a gain of {relevant_from}. Valid is a number above 0.")
    least = relevant_from - _ROUNDING
    return recall(gains_of(ranking[:k], rows, gains) >= least, int((gains >= least).sum()), k)


def measure(judged: Judged, rankings: Sequence[Rows], *, k: int = 10, relevant_from: float | None = None) -> Measured:
    """One ranking per query of `judged`, in its order: distinct rows, best first; 100 places of it are read.

    `relevant_from` is `judged.relevant_from` unless given.
    """
    if len(rankings) != len(judged):
        raise InputError(f"{len(rankings)} rankings for {len(judged)} queries. Give one per query, empty where it is.")
    least = judged.relevant_from if relevant_from is None else relevant_from
    lines = []
    for place, ranking in enumerate(rankings):
        of_query = judged.of_query(place)
        rows, gains = judged.rows[of_query], judged.gains[of_query]
        found = recall_of(ranking, rows, gains, relevant_from=least) if least > 0 else np.nan
        lines.append((ndcg_of(ranking, rows, gains, k), found, float(not len(ranking)), float(gains.sum())))
    values = np.array(lines, np.float64).reshape(-1, 4).T
    return Measured(judged.queries, values[0], values[1], values[2], values[3], k)


def summary(measured: Measured, rng: np.random.Generator) -> dict[str, Interval]:
    """The mean of each measure over the queries, with its bootstrap interval, by name."""
    return dict(zip(measured.names, mean_intervals(measured.columns, rng), strict=True))


def differences(a: Measured, b: Measured, rng: np.random.Generator) -> dict[str, Interval]:
    """The means of a - b over the same queries, with their intervals, by name; an interval above 0 = a has more."""
    if a.queries != b.queries or a.names != b.names:
        raise InputError("Two systems can be compared on the same queries and measures alone; these differ.")
    return dict(zip(a.names, mean_intervals(a.columns - b.columns, rng), strict=True))


def worst(measured: Measured, n: int) -> list[int]:
    """Places of the n queries with the lowest nDCG, lowest first; of equal ones first where more was to be found."""
    order = np.lexsort([-measured.wanted, measured.ndcg])  # nan sorts last
    return [int(place) for place in order[~np.isnan(measured.ndcg[order])][:n]]


def _best_first(entry: tuple[int, float, str]) -> tuple[float, int]:
    row, gain, _ = entry
    return (-gain, row)
