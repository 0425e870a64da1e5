"""What is known of the shopper, let into a search where it can do no harm.

The behaviour models know what a shopper likes, not what the query means. So in a search their opinions count behind a
gate: only of products that hold as much of the query as any does, only as far as they match about as well as the best,
and where the query is the whole title of something, only of what bears that title. Within these the shopper's state
decides; a favourite never lifts a poor match over a good one. Without a history there is nothing to let in.

The bounds were chosen on four weeks of the groceries demo shop that no reported figure is measured on.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wares.domain.result import Candidates

Floats = NDArray[np.float32]
PERSONAL_FEATURES = ("buy_again", "item_knn", "ease", "als", "transitions", "graph", "sequence", "taste", "interests")
BESIDE_EVENTS = ("sequence",)  # these also read what stands beside a shopper's events on products
_CLOSED, _OPEN = 0.5, 0.8  # share of the best relevance up to which nothing counts, and from which everything does
_LEAST_NAME = 3  # words: fewer are the name of a kind as often as of a product
_ROUNDING = 1e-3


def gate(relevance: Floats, coverage: Floats, title_share: Floats, n_terms: int) -> Floats:
    """(n,) in [0, 1], how much the shopper's state counts for each candidate of a query of `n_terms` words.

    `relevance` (n,) from 0 without anything personal; `coverage` (n,) the share of the query's weight that the product
    holds, `title_share` (n,) the share of its title's words that the query says.
    """
    if not len(relevance):
        return relevance
    holds = coverage >= coverage.max() - _ROUNDING
    named = (coverage >= 1 - _ROUNDING) & (title_share >= 1 - _ROUNDING)
    if n_terms >= _LEAST_NAME and named.any():
        holds &= named
    best = max(float(relevance.max()), 1e-9)
    near = np.clip((relevance / np.float32(best) - _CLOSED) / (_OPEN - _CLOSED), 0, 1)
    return np.where(holds, near, 0).astype(np.float32)


def gated(candidates: Candidates, opened: Floats) -> Floats:
    """(n, s) what every source says, the shopper's own behind the gate `opened` (n,): each of those as a share in
    [0, 1] of its highest score among the products that are let in, times the gate."""
    by_source = candidates.by_source.copy()
    for column, name in enumerate(candidates.sources):
        if name in PERSONAL_FEATURES:
            liked = np.where(opened > 0, np.maximum(by_source[:, column], 0), np.float32(0))
            best = float(liked.max(initial=0.0))
            by_source[:, column] = liked / np.float32(best) * opened if best > 0 else 0
    return by_source


def favour(opinions: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats | None:
    """(n,) how much the shopper's state speaks for each product, whatever the query; None = it says nothing.

    Chooses between variants that match alike: the one that is bought stands for its group.
    """
    total: Floats | None = None
    for name in PERSONAL_FEATURES:
        weight = weights.get(name, 0.0)
        if weight > 0 and name in opinions and (best := float(opinions[name].max(initial=0.0))) > 0:
            share = opinions[name] * np.float32(weight / best)
            total = share if total is None else total + share
    return total
