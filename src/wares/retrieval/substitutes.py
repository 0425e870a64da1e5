"""What a shopper may take instead: products of the same kind, near in what they are and near in price."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wares.contracts import View
from wares.domain.intent import Intent
from wares.domain.result import Reason
from wares.domain.selection import codes_of

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]
_LEAST = 0.05  # what a text counts that is no nearer than any other, so that kind and price still order
_SAME_KIND = 0.6
_UNPRICED = 0.5  # as twice or half the price


@dataclass(frozen=True, slots=True)
class Substitutes:
    """The score is nearness of text x kind^2 x nearness of price to the seeds, best of them for each product.

    Nearness of text is 1 for the same text and 0.05 where it is no nearer than ordinary ones; without an encoder it
    is 1. Kind is the share of the seed's levels of category that the product has; below 0.6 it is another kind and no
    substitute: no cheese stands for milk. Of a seed without category all are of one kind. Nearness of price is the
    lower price / the higher one.
    """

    name: str = "substitutes"

    def score(self, intent: Intent, view: View, rows: Rows | None = None) -> Floats:
        best = np.zeros(len(view.columns), np.float32)
        for seed in intent.seeds.tolist():
            np.maximum(best, _nearness(seed, view), out=best)
        return best if rows is None else best[rows]

    def reason(self, row: int, intent: Intent, view: View) -> Reason | None:
        if not len(intent.seeds):
            return None
        space = view.space("text")
        near = space.vectors(intent.seeds) @ space.vectors(np.array([row], np.int32))[0]  # (s, d) @ (d,) -> (s,)
        return Reason("like_this", (view.columns.ids[int(intent.seeds[int(np.argmax(near))])],))


def _nearness(seed: int, view: View) -> Floats:
    return (_of_text(seed, view) * _of_kind(seed, view) ** 2 * _of_price(seed, view)).astype(np.float32)


def _of_text(seed: int, view: View) -> Floats:
    vector = view.space("text").vectors(np.array([seed], np.int32))[0]
    if not vector.any():
        return np.ones(len(view.columns), np.float32)
    cosines, ordinary, _ = view.space("text").scan(vector)
    share: Floats = (cosines - np.float32(ordinary)) / np.float32(max(1 - ordinary, 1e-6))
    return np.clip(share, np.float32(_LEAST), np.float32(1))


def _of_kind(seed: int, view: View) -> Floats:
    """(n,) the share of the seed's levels of category that each product has; 0 = another kind."""
    labels, n = view.columns.labels["category"], len(view.columns)
    levels = codes_of(labels, np.array([seed], np.int32))[1]
    if not len(levels):
        return np.ones(n, np.float32)
    wanted = np.zeros(len(labels.values), np.float32)
    wanted[levels] = 1 / len(levels)
    share = np.bincount(labels.rows, wanted[labels.codes], minlength=n).astype(np.float32)
    return np.where(share < _SAME_KIND, np.float32(0), share)


def _of_price(seed: int, view: View) -> Floats:
    prices = view.columns.numbers["price"]
    own = prices[seed]
    if not own > 0:  # nan, too
        return np.ones(len(prices), np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        nearness = np.minimum(prices / own, own / prices)
    return np.where(prices > 0, nearness, _UNPRICED).astype(np.float32)
