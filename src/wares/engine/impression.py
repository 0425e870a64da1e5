"""An impression: what one page showed to whom, with the features as they were served, for later learning."""

import json
import secrets
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from pydantic_core import to_json

from wares.domain.request import Request
from wares.domain.result import Hit, Page, Served
from wares.domain.sponsored import Sponsored
from wares.policies.exploration import NAME as EXPLORATION

_SHOWN = "shown"  # among what was written of a page; no currency is called so


class Impressions(Protocol):
    """Who takes down what was shown: the log itself, or what hands it on to the process that has the log."""

    dropped: int  # lost, because the disk refused

    @property
    def waiting(self) -> int: ...

    def steady_ms(self) -> int: ...

    def record(
        self, impression: Mapping[str, object] | str, shopper_hash: bytes | None = None, *, simulated: bool = False
    ) -> None: ...


def new_id() -> str:
    """A fresh name for one shown page."""
    return secrets.token_urlsafe(12)


def impression_of(page: Page, request: Request, offset: int, took_ms: float = 0.0) -> dict[str, Any]:
    """Plain values for the impression log; the shopper is added there as a keyed hash.

    `position` counts from 0 over all pages of the answer; `propensity` is the probability that this hit stood there,
    None on an interleaved page, where nobody worked it out; there `team` is the variant that picked the hit, and hits
    of a variant that lacks some of the `features` have no `values`.
    `chances` are the probabilities of all places that chance could have sent it to, only where chance had a part.
    `explored`: a new product that exploration brought up. `sponsored`: whose money put it there, what a click costs
    them, and the share of relevance that it cost. `took_ms`: how long the engine took for the page.
    """
    return {**_asked(page, request, took_ms), **_shown(page, offset)}


def impression_json(page: Page, request: Request, offset: int, took_ms: float = 0.0) -> str:
    """The same as JSON. The hits of a page that many get are written once."""
    if (shown := page.written.get(_SHOWN)) is None:
        told = to_json(_shown(page, offset), inf_nan_mode="constants")  # nan stays, as the standard library has it
        shown = page.written[_SHOWN] = told.decode()
    asked = json.dumps(_asked(page, request, took_ms), separators=(",", ":"))  # whatever was typed: it is escaped
    return f"{asked[:-1]},{shown[1:]}"


def _asked(page: Page, request: Request, took_ms: float) -> dict[str, Any]:
    return {
        "id": page.impression_id,
        "time_ms": request.now_ms,
        "surface": request.surface,
        "query": request.query[:500],
        "sort": request.sort.value,
        "filtered": bool(request.filter.clauses),
        "snapshot": page.snapshot,
        "total": page.total,
        "took_ms": round(took_ms, 2),
        **({"experiment": page.experiment, "variant": page.variant} if page.experiment else {}),
    }


def _shown(page: Page, offset: int) -> dict[str, Any]:
    names = tuple(next((hit.features for hit in page.hits if hit.features), {}))
    served = [_in_order(hit.features, names) for hit in page.hits]
    rounded = iter(np.round([values for values in served if values], 6).tolist())
    each = zip(page.hits, served, strict=True)
    hits = [_hit(hit, offset + place, next(rounded) if values else []) for place, (hit, values) in enumerate(each)]
    return {"features": names, "hits": hits}


def _in_order(features: Mapping[str, float], names: tuple[str, ...]) -> list[float]:
    """By these names; [] where one is missing: of two orders each may know others."""
    if isinstance(features, Served) and features.names == names:
        return features.numbers
    return [features[name] for name in names] if features.keys() >= set(names) else []


def _hit(hit: Hit, position: int, values: list[float]) -> dict[str, Any]:
    told = {
        "product": hit.product.id,
        "position": position,
        "propensity": None if hit.team else round(hit.chances.get(position, 1.0), 6),
        "score": round(hit.score, 6),
        "values": values,
    }
    if hit.chances:
        told["chances"] = {str(at): round(p, 6) for at, p in hit.chances.items()}
        if _explored(hit, position):
            told["explored"] = True
    if hit.team:
        told["team"] = hit.team
    if hit.sponsored:
        told["sponsored"] = _paid(hit.sponsored)
    return told


def _paid(paid: Sponsored) -> dict[str, Any]:
    return {"campaign": paid.campaign, "price": paid.price_minor, "lost": round(paid.lost, 6)}


def _explored(hit: Hit, position: int) -> bool:
    """Whether exploration moved it up; all others that it moves go down, and equal scores are told apart by traces."""
    own = next(iter(hit.chances))
    return own > position and any(one.policy == EXPLORATION for one in hit.adjustments)
