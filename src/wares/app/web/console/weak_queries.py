"""Searches that went badly: those without a hit, and those after which nothing was chosen."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from wares.evaluation.intervals import Floats
from wares.evaluation.satisfaction import Asks
from wares.retrieval.suggestions.privacy import LEAST_SHOPPERS, is_showable

MOST = 200  # of each kind


def weak_queries(asks: Asks, found: Mapping[str, Floats], least: int = LEAST_SHOPPERS) -> dict[str, Any]:
    """`no_result` and `low_click` queries with how many asks and shoppers each rests on, the costliest first.

    Only queries of at least `least` different shoppers that could name nobody are told; `hidden` counts the other ones.
    """
    of_query = defaultdict[str, list[int]](list)
    for ask, query in enumerate(asks.queries):
        if query:
            of_query[query].append(ask)
    no_result, low_click, hidden = list[dict[str, Any]](), list[dict[str, Any]](), 0
    for query, own in of_query.items():
        shoppers = len(np.unique(asks.shoppers[own]))
        empty = int(asks.empty[own].sum())
        chosen = int(found["success"][own].sum())
        if shoppers < least or not is_showable(query):
            hidden += 1
            continue
        told = {
            "query": query,
            "asks": len(own),
            "shoppers": shoppers,
            "empty": empty,
            "chosen": chosen,
            "reworded": int(np.nansum(found["reworded"][own])),
            "last_ms": int(asks.times_ms[own].max()),
        }
        if empty:
            no_result.append(told)
        if len(own) - empty > chosen:
            low_click.append(told)
    no_result.sort(key=lambda one: (-one["empty"], one["query"]))
    low_click.sort(key=lambda one: (one["chosen"] + one["empty"] - one["asks"], one["query"]))
    return {"no_result": no_result[:MOST], "low_click": low_click[:MOST], "hidden": hidden, "least_shoppers": least}
