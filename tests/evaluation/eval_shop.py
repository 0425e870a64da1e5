"""A tiny shop written down as lines of (shopper, product, day, basket)."""

from collections.abc import Sequence

import numpy as np

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History

DAY_MS = 86_400_000
Line = tuple[int, int, float, int]


def shop_of(
    lines: Sequence[Line], n_shoppers: int, n_products: int, kinds: Sequence[EventKind] | None = None
) -> Interactions:
    """Purchases unless `kinds` says otherwise; shopper -1 is anonymous, basket -1 none."""
    shoppers, rows, days, baskets = (np.array(column) for column in zip(*lines, strict=True))
    codes = [KIND_CODES[kind] for kind in kinds or [EventKind.PURCHASE] * len(lines)]
    events = History(
        rows.astype(np.int32),
        (days * DAY_MS).astype(np.int64),
        np.array(codes, np.int8),
        np.ones(len(lines), np.float32),
    )
    return Interactions.of(shoppers.astype(np.int64), events, baskets.astype(np.int64), n_shoppers, n_products)
