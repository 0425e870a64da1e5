"""Which answer an event belongs to: the latest that showed its product to the same shopper, not long before."""

import numpy as np
from numpy.typing import NDArray

Longs = NDArray[np.int64]


def attributed(
    shown: tuple[Longs, Longs, Longs], events: tuple[Longs, Longs, Longs], window_ms: int, many: int
) -> Longs:
    """For each event (e,) the line that it belongs to, -1 = none.

    `shown` are n lines and `events` e events, both as (shoppers, products, times_ms); products lie in [0, many), and
    negative shoppers are nobody whose events could be told apart. An event belongs to the latest line of its shopper
    and product that is at most `window_ms` old; one of the same millisecond came after what showed it.
    """
    shoppers, products, times_ms = (np.concatenate(pair) for pair in zip(shown, events, strict=True))
    n = len(shown[0])
    keys = shoppers * max(many, 1) + products
    is_event = np.arange(len(keys)) >= n
    order = np.lexsort((is_event, times_ms, keys))
    latest = np.maximum.accumulate(np.where(is_event[order], -1, np.arange(len(order))))
    lines = np.full(len(events[0]), -1, np.int64)
    at = np.flatnonzero(is_event[order] & (latest >= 0))
    event, line = order[at], order[latest[at]]
    belongs = (keys[event] == keys[line]) & (shoppers[line] >= 0) & (times_ms[event] - times_ms[line] <= window_ms)
    lines[event[belongs] - n] = line[belongs]
    return lines
