"""An impression: what one page showed to whom, with the features as they were served, for later learning."""

import secrets
from typing import Any

from wares.domain.request import Request
from wares.domain.result import Page


def new_id() -> str:
    """A fresh name for one shown page."""
    return secrets.token_urlsafe(12)


def impression_of(page: Page, request: Request, offset: int) -> dict[str, Any]:
    """Plain values for the impression log; the shopper is added there as a keyed hash.

    `position` counts from 0 over all pages of the answer; `propensity` is the probability that this hit stood there.
    `chances` are the probabilities of all places that chance could have sent it to, only where chance had a part.
    """
    names = list(next((hit.features for hit in page.hits if hit.features), {}))
    return {
        "id": page.impression_id,
        "time_ms": request.now_ms,
        "surface": request.surface,
        "query": request.query[:500],
        "sort": request.sort.value,
        "filtered": bool(request.filter.clauses),
        "snapshot": page.snapshot,
        "total": page.total,
        "features": names,
        "hits": [
            {
                "product": hit.product.id,
                "position": offset + place,
                "propensity": round(hit.chances.get(offset + place, 1.0), 6),
                "score": round(hit.score, 6),
                "values": [round(hit.features[name], 6) for name in names] if hit.features else [],
                **({"chances": {str(at): round(p, 6) for at, p in hit.chances.items()}} if hit.chances else {}),
            }
            for place, hit in enumerate(page.hits)
        ],
    }
