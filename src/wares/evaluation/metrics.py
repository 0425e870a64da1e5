"""How good is it? One formula per function: arrays in, one number out, nothing remembered.

Three families. Of one *ranked list*: `hits` (n,) says for each place, best first, whether what stands there is
relevant; `gains` (n,) says how much. Of *predictions*: labels against scores. Of the *shop*: what all lists together
show. Where scores can tie, see `ties`. A metric that is not defined (no relevant product, no list) is nan, so that
means can leave it out instead of counting a made-up 0.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wares.errors import InputError


def discounts(n: int) -> NDArray[np.float64]:
    """What a place is worth: 1 / log2(place + 1) for places 1..n.

    >>> discounts(3).round(3).tolist()
    [1.0, 0.631, 0.5]
    """
    return 1 / np.log2(np.arange(2, n + 2))


def ndcg(gains: ArrayLike, judged: ArrayLike, k: int) -> float:
    """Normalised discounted cumulative gain of the first k places, in [0, 1]; linear gains.

    DCG = sum over places p <= k of gain(p) / log2(p + 1), divided by the DCG of the best order of *all* judged gains.
    Source: Järvelin and Kekäläinen (2002), with the linear gain of trec_eval. (n,), (m,) -> number

    >>> round(ndcg(gains=[0, 2, 0], judged=[2, 1], k=3), 4)
    0.4796
    """
    found, ideal = _column(gains)[:k], np.sort(_column(judged))[::-1][:k]
    if (found < 0).any() or (ideal < 0).any():
        raise InputError("A gain is below 0. Valid are gains of 0 and more; shift your grades first.")
    best = float(ideal @ discounts(len(ideal)))
    return float(found @ discounts(len(found))) / best if best > 0 else math.nan


def recall(hits: ArrayLike, n_relevant: int, k: int) -> float:
    """Which share of the relevant products stands in the first k places, in [0, 1]. (n,) -> number

    >>> recall([True, False, True], n_relevant=4, k=3)
    0.5
    """
    return float(_column(hits)[:k].sum()) / n_relevant if n_relevant else math.nan


def precision(hits: ArrayLike, k: int) -> float:
    """Which share of the first k places is relevant, in [0, 1]; places that stay empty count as misses. (n,) -> number

    >>> precision([True, False, True], k=4)
    0.5
    """
    return float(_column(hits)[:k].sum()) / _places(k)


def hit_rate(hits: ArrayLike, k: int) -> float:
    """1 if any of the first k places is relevant, else 0 (its mean over lists is the hit rate). (n,) -> number

    >>> hit_rate([False, True], k=1), hit_rate([False, True], k=2)
    (0.0, 1.0)
    """
    return float(_column(hits)[:k].any())


def average_precision(hits: ArrayLike, n_relevant: int, k: int | None = None) -> float:
    """Mean of the precision at each relevant place, in [0, 1]; its mean over lists is MAP.

    AP = 1 / n_relevant * sum over relevant places p (<= k) of precision@p. Relevant products that are missing from
    the list count as 0. Source: trec_eval's map. (n,) -> number

    >>> round(average_precision([True, False, True], n_relevant=2), 4)
    0.8333
    """
    seen = _column(hits)[:k]
    if not n_relevant:
        return math.nan
    return float(seen @ (np.cumsum(seen) / np.arange(1, len(seen) + 1))) / n_relevant


def reciprocal_rank(hits: ArrayLike, k: int | None = None) -> float:
    """1 / the first relevant place, 0 if there is none (within k); its mean over lists is MRR. (n,) -> number

    >>> reciprocal_rank([False, False, True, True]), reciprocal_rank([False, True], k=1)
    (0.3333333333333333, 0.0)
    """
    found = np.flatnonzero(_column(hits)[:k])
    return 1 / (int(found[0]) + 1) if len(found) else 0.0


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a positive scores above a negative, a tie counting half, in [0, 1]. (n,), (n,) -> number

    AUC = (sum of the positives' ranks - P (P + 1) / 2) / (P N), equal scores sharing their mean rank: the statistic of
    Mann and Whitney (1947).

    >>> auc([1, 0, 1, 0], [0.9, 0.1, 0.5, 0.5])
    0.875
    """
    positive, values = _pairs(labels, scores)
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return math.nan
    return float(ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def accuracy(labels: ArrayLike, guesses: ArrayLike) -> float:
    """Share of guesses that equal their label, in [0, 1]. Any kind of values: (n,), (n,) -> number

    >>> accuracy(["a", "b", "b", "c"], ["a", "b", "c", "c"])
    0.75
    """
    truth, guessed = np.asarray(labels), np.asarray(guesses)
    if truth.shape != guessed.shape:
        raise InputError(f"{truth.shape} labels but {guessed.shape} guesses: both must have one shape.")
    return float((truth == guessed).mean()) if truth.size else math.nan


def log_loss(labels: ArrayLike, chances: ArrayLike) -> float:
    """Mean surprise in nats at what happened, 0 and up; 0.693 is a coin. (n,), (n,) -> number

    -mean(y ln p + (1 - y) ln(1 - p)); p is kept 1e-15 away from 0 and 1, so that one sure mistake costs about 35.

    >>> round(log_loss([1, 0], [0.5, 0.5]), 3)
    0.693
    """
    truth, given = _pairs(labels, chances)
    if ((given < 0) | (given > 1)).any():
        raise InputError("A chance lies outside [0, 1]. Turn scores into probabilities first.")
    p = np.clip(given, 1e-15, 1 - 1e-15)
    return float(-np.log(np.where(truth, p, 1 - p)).mean()) if len(p) else math.nan


def exposure(lists: ArrayLike, n_products: int) -> NDArray[np.int64]:
    """How often each product was shown: rows of products, -1 = an empty place. (s, k) -> (n_products,)

    >>> exposure([[0, 2], [2, -1]], n_products=4).tolist()
    [1, 0, 2, 0]
    """
    shown = np.asarray(lists, np.int64).ravel()
    return np.bincount(shown[shown >= 0], minlength=n_products).astype(np.int64)


def coverage(shown: ArrayLike) -> float:
    """Share of the catalogue that was shown at least once, in [0, 1]. Takes an `exposure`: (n_products,) -> number

    >>> coverage([1, 0, 2, 0])
    0.5
    """
    counts = _column(shown)
    return float((counts > 0).mean()) if len(counts) else math.nan


def gini(shown: ArrayLike) -> float:
    """How unequal exposure is: 0 = every product alike, 1 - 1/n = one product has it all. (n_products,) -> number

    G = sum over i of (2 i - n - 1) x_i / (n sum x), the x sorted upwards and i from 1: Gini (1912) as used by Fleder
    and Hosanagar (2009) for recommenders.

    >>> gini([3, 3, 3]), gini([0, 0, 0, 5])
    (0.0, 0.75)
    """
    x = np.sort(_column(shown))
    n, total = len(x), float(x.sum())
    return float((2 * np.arange(1, n + 1) - n - 1) @ x) / (n * total) if total > 0 else math.nan


def surprise(sales: ArrayLike) -> NDArray[np.float64]:
    """Self-information of each product in bits: -log2 of its share of all sales. (n,) -> (n,)

    One is added to every count, so that a product never sold is very surprising rather than infinitely so.

    >>> surprise([7, 3, 1, 1]).tolist()
    [1.0, 2.0, 3.0, 3.0]
    """
    counts = _column(sales) + 1
    return np.asarray(-np.log2(counts / counts.sum()), np.float64)


def novelty(rows: ArrayLike, surprises: ArrayLike) -> float:
    """Mean self-information of a list, in bits: how far it is from best-sellers. (k,), (n_products,) -> number

    Source: Zhou et al. (2010), with `surprise` as the information of one product.

    >>> novelty([0, 2], surprise([7, 3, 1, 1]))
    2.0
    """
    shown = np.asarray(rows, np.int64)
    return float(_column(surprises)[shown].mean()) if len(shown) else math.nan


def diversity(vectors: ArrayLike) -> float:
    """1 - the mean cosine of all pairs of a list, in [0, 2]; 0 = all alike. (k, d) -> number

    With unit vectors u the mean over pairs is (|sum u|^2 - k) / (k (k - 1)); a zero vector is alike to nothing.
    Source: intra-list similarity of Ziegler et al. (2005).

    >>> diversity([[1, 0], [0, 2]]), diversity([[1, 1], [2, 2]])
    (1.0, 0.0)
    """
    v = np.asarray(vectors, np.float64)
    if len(v) < 2:
        return math.nan
    lengths = np.linalg.norm(v, axis=1, keepdims=True)
    unit = np.divide(v, lengths, out=np.zeros_like(v), where=lengths > 0)
    together = float(np.square(unit.sum(axis=0)).sum() - np.square(unit).sum())  # over ordered pairs
    return round(1 - together / (len(v) * (len(v) - 1)), 12) + 0.0


def distinct_share(codes: ArrayLike) -> float:
    """Number of distinct categories / number of products in the list, in (0, 1]; -1 = unknown, left out. (k,) -> number

    >>> distinct_share([4, 4, 7, -1])
    0.6666666666666666
    """
    known = np.asarray(codes, np.int64)
    known = known[known >= 0]
    return len(np.unique(known)) / len(known) if len(known) else math.nan


def _column(values: ArrayLike) -> NDArray[np.float64]:
    column = np.asarray(values, np.float64)
    if column.ndim != 1 or np.isnan(column).any():
        raise InputError(f"Expected numbers in one row without nan, got shape {column.shape}.")
    return column


def _pairs(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = _column(labels), _column(scores)
    if len(truth) != len(values) or not np.isin(truth, (0, 1)).all():
        raise InputError(f"Expected labels of 0 and 1 and as many scores, got {len(truth)} and {len(values)}.")
    return truth > 0, values


def _places(k: int) -> int:
    if k < 1:
        raise InputError(f"k is {k}. Valid is 1 and more.")
    return k
