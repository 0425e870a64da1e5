"""Shoppers who are made up, with wishes that are known: what learning from clicks is proved on.

A session looks at a list from the top. Position-based: each place is looked at with its own probability, whatever
stands above (Joachims et al. 2017 use (place + 1) ** -1). Cascade: looks go on until somebody is content with what they
clicked (Craswell et al. 2008; the leaving chance after a click as in dependent click models, Guo, Liu and Wang 2009).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlantedShop:
    """q queries with n products each, whose relevance is known, and a first order that knows little of it."""

    relevance: Floats  # (q, n) the chance of a click on what is looked at
    features: NDArray[np.float32]  # (q, n, f) what a ranker would see; some of it tells of relevance
    scores: NDArray[np.float32]  # (q, n) of the first order


def plant(queries: int, products: int, rng: np.random.Generator, *, knowledge: float = 0.3) -> PlantedShop:
    """Relevance of .05 to .4 by grade. Two features follow it, a third is noise; the scores follow relevance by the
    share `knowledge` in [0, 1] and are noise for the rest."""
    chances = np.array([0.05, 0.1, 0.2, 0.4])
    grades = rng.choice(4, (queries, products), p=[0.4, 0.3, 0.2, 0.1])
    told = np.stack([grades + rng.normal(0, spread, grades.shape) for spread in (0.7, 1.0)], axis=-1)
    features = np.concatenate([told, rng.normal(size=(*grades.shape, 1))], axis=-1)
    scores = knowledge * grades / 3 + (1 - knowledge) * rng.random(grades.shape)
    return PlantedShop(chances[grades], features.astype(np.float32), scores.astype(np.float32))


def power_curve(k: int, steepness: float = 1.0) -> Floats:
    """(k,) the examination of each place: (place + 1) ** -steepness."""
    places: Floats = np.arange(1, k + 1).astype(np.float64)
    return np.power(places, -steepness)


def click_by_position(relevance: Floats, curve: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(s, k) relevance as listed, (k,) or (s, k) curve -> (s, k) clicks."""
    return rng.random(relevance.shape) < relevance * curve


def click_in_cascade(relevance: Floats, leaving: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(s, k) relevance as listed -> (s, k) clicks; after each the session ends with the chance `leaving`."""
    wished = rng.random(relevance.shape) < relevance
    ends = wished & (rng.random(relevance.shape) < leaving)
    ended_above = np.cumsum(ends, axis=1) - ends > 0
    return np.asarray(wished & ~ended_above, np.bool_)
