"""`wares bench clicks`: can an order be learnt from clicks? On made-up shoppers whose wishes are known.

The sessions are turned into impressions and events, and go the way that a shop's own go (`training.clicks`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.product import Product
from wares.domain.shopper import KIND_CODES
from wares.evaluation.click_simulator import PlantedShop, click_by_position, click_in_cascade, plant, power_curve
from wares.evaluation.examination import (
    Examination,
    Shown,
    examination_by_em,
    examination_from_swaps,
    relevance_of,
)
from wares.evaluation.intervals import Interval, mean_interval, paired_difference
from wares.evaluation.metrics import ndcg
from wares.policies.swaps import Swaps, draw_order, place_chances
from wares.training.clicks import STRENGTH, Exposures, join

Floats = NDArray[np.float64]
SHOWN = 10  # hits of a list
MODELS = ("position", "cascade")
_PAUSE_MS = 3_600_000  # between two sessions of one shopper: no click can be taken for another session's


@dataclass(frozen=True, slots=True)
class Sessions:
    """s sessions: which query, what stood where, how likely each hit was to stand elsewhere, what was clicked."""

    query: NDArray[np.int64]  # (s,)
    listed: NDArray[np.int64]  # (s, SHOWN) products of the query
    chances: NDArray[np.float64]  # (s, SHOWN, SHOWN); zeros = no exchanges
    clicked: NDArray[np.bool_]  # (s, SHOWN)


def click_figures(
    *,
    queries: int,
    sessions: int,
    swaps: float,
    steepness: float,
    seeds: int,
    models: Sequence[str] = MODELS,
    tell: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """nDCG against the planted relevance by system, and how far the examination curve is off, over all seeds."""
    told: dict[str, Any] = {}
    settings = {"queries": queries, "sessions": sessions, "swaps": swaps, "steepness": steepness, "seeds": seeds}
    done = 0
    for model in models:
        found, errors = dict[str, list[Floats]](), dict[str, list[float]]()
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            shop = plant(queries, SHOWN + 5, rng)
            curve = power_curve(SHOWN, steepness)
            lived = live(shop, sessions, swaps, curve if model == "position" else None, rng)
            for name, (values, examination) in _systems(shop, lived, curve if model == "position" else None).items():
                found.setdefault(name, []).append(values)
                if examination is not None and model == "position":
                    errors.setdefault(name, []).append(_log_error(examination, curve))
            done += 1
            if tell:
                tell("Sessions", done, len(models) * seeds)
        told[model] = _table(found, errors)
    return {"settings": settings, "clicks_per_session": _cost(queries, swaps, steepness, seeds), "rows": told}


def _cost(queries: int, swaps: float, steepness: float, seeds: int) -> dict[str, float]:
    """Expected clicks of a session, position-based, with and without exchanges."""
    curve, plain, drawn = power_curve(SHOWN, steepness), list[float](), list[float]()
    for seed in range(seeds):
        shop = plant(queries, SHOWN + 5, np.random.default_rng(seed))
        best = np.argsort(-shop.scores, axis=1, kind="stable")[:, :SHOWN]
        relevance = np.take_along_axis(shop.relevance, best, axis=1)  # (q, SHOWN)
        plain.append(float((relevance @ curve).mean()))
        drawn.append(float((relevance @ place_chances(SHOWN, swaps, Swaps(swaps).reach) @ curve).mean()))
    return {"as ordered": round(float(np.mean(plain)), 4), "with exchanges": round(float(np.mean(drawn)), 4)}


def live(shop: PlantedShop, sessions: int, swaps: float, curve: Floats | None, rng: np.random.Generator) -> Sessions:
    """Sessions of random queries: the first order's best, exchanged by chance. `curve` None = cascade."""
    q = len(shop.relevance)
    query = rng.integers(q, size=sessions)
    best = np.argsort(-shop.scores, axis=1, kind="stable")[:, :SHOWN]
    chances = np.zeros((sessions, SHOWN, SHOWN))
    orders = np.tile(np.arange(SHOWN), (sessions, 1))
    if swaps > 0:
        reach = Swaps(swaps).reach
        orders = np.stack([draw_order(SHOWN, swaps, reach, rng) for _ in range(sessions)])
        chances = place_chances(SHOWN, swaps, reach)[orders]
    listed = np.take_along_axis(best[query], orders, axis=1)
    relevance = np.take_along_axis(shop.relevance[query], listed, axis=1)
    clicked = click_in_cascade(relevance, 0.8, rng) if curve is None else click_by_position(relevance, curve, rng)
    return Sessions(query, listed, chances, clicked)


def exposures_of(shop: PlantedShop, lived: Sessions) -> Exposures:
    """The sessions as impressions and events of a shop, joined as a shop's own are."""
    q, n = shop.relevance.shape
    columns = Columns.of(
        [Product(f"{i}-{j}", title=f"thing {i} {j}") for i in range(q) for j in range(n)], range(q * n)
    )
    return join(_impressions(shop, lived), _events(lived, n), columns)


def _impressions(shop: PlantedShop, lived: Sessions) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for s, (query, listed) in enumerate(zip(lived.query.tolist(), lived.listed.tolist(), strict=True)):
        drawn = lived.chances[s]
        hits: list[dict[str, Any]] = [
            {"product": f"{query}-{product}", "position": place, "values": shop.features[query, product].tolist()}
            for place, product in enumerate(listed)
        ]
        if drawn.any():
            for place, hit in enumerate(hits):
                hit["chances"] = {str(i): drawn[place, i] for i in np.flatnonzero(drawn[place]).tolist()}
        impression = {"surface": "search", "query": f"query {query}", "sort": "relevance", "time_ms": s * _PAUSE_MS}
        yield s % 1000, {**impression, "features": ["told", "hinted", "noise"], "hits": hits}


def _events(lived: Sessions, n: int) -> EventBlock:
    session, place = np.nonzero(lived.clicked)
    m = len(session)
    return EventBlock(
        seqs=np.arange(1, m + 1),
        times_ms=session * _PAUSE_MS + 1000 * (place + 1),
        kinds=np.full(m, KIND_CODES[EventKind.CLICK], np.int8),
        shopper_keys=session % 1000,
        product_keys=lived.query[session] * n + lived.listed[session, place],
        quantities=np.ones(m, np.float32),
        values_minor=np.full(m, np.nan),
        basket_keys=np.full(m, -1, np.int64),
        queries={},
    )


def _systems(shop: PlantedShop, lived: Sessions, curve: Floats | None) -> dict[str, tuple[Floats, Examination | None]]:
    """System -> (nDCG per query of the order that it learnt of the products ever shown, its curve)."""
    exposures = exposures_of(shop, lived)
    shown = exposures.shown
    flat = Examination(np.ones(SHOWN), np.zeros(SHOWN), "none")
    first = -np.bincount(shown.pairs, shown.positions) / np.bincount(shown.pairs)
    found: dict[str, tuple[Floats, Examination | None]] = {
        "first order": (_ndcg(shop, exposures, first), None),
        "clicks as they are": (_ndcg(shop, exposures, _relevance(shown, flat)), None),
    }
    learnt = {"exchanges": examination_from_swaps(shown), "regression EM": examination_by_em(shown)}
    if curve is not None:
        learnt["true curve"] = Examination(curve, np.zeros(SHOWN), "known")
    for name, examination in learnt.items():
        if examination is not None:
            found[name] = (_ndcg(shop, exposures, _relevance(shown, examination)), examination)
    return found


def _relevance(shown: Shown, examination: Examination) -> Floats:
    return relevance_of(shown, examination.at(shown.positions), STRENGTH)[0]


def _ndcg(shop: PlantedShop, exposures: Exposures, worth: Floats) -> Floats:
    """(q,) nDCG@10 of the shown products in order of `worth`, against the best order of the same products."""
    by_query: dict[int, list[tuple[float, float]]] = {}
    for product, value in zip(exposures.products, worth.tolist(), strict=True):
        query, place = map(int, product.split("-"))
        by_query.setdefault(query, []).append((value, float(shop.relevance[query, place])))
    lines = []
    for query in sorted(by_query):
        ranked = [truth for _, truth in sorted(by_query[query], key=lambda pair: -pair[0])]
        lines.append(ndcg(ranked, ranked, SHOWN))
    return np.array(lines)


def _log_error(examination: Examination, curve: Floats) -> float:
    """Mean absolute error of the logarithm: .1 = places are a tenth too high or too low."""
    places = np.arange(SHOWN)
    return float(np.abs(np.log(examination.at(places)) - np.log(curve)).mean())


def _table(found: Mapping[str, list[Floats]], errors: Mapping[str, list[float]]) -> dict[str, dict[str, Any]]:
    rng, reference = np.random.default_rng(0), np.concatenate(found["clicks as they are"])
    table = {}
    for name, per_seed in found.items():
        values = np.concatenate(per_seed)
        table[name] = {"ndcg@10": _plain(mean_interval(values, rng))}
        if name != "clicks as they are":
            table[name]["against clicks as they are"] = _plain(paired_difference(values, reference, rng))
        if name in errors and name != "true curve":
            table[name]["curve error"] = {
                "mean": round(float(np.mean(errors[name])), 4),
                "worst": round(max(errors[name]), 4),
            }
    return table


def _plain(interval: Interval) -> dict[str, float]:
    return {name: round(getattr(interval, name), 4) for name in ("mean", "low", "high")}
