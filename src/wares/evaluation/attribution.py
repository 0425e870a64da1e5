"""Which answer an event belongs to: the latest that showed its product to the same shopper, not long before."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.shopper import KIND_CODES

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


def chosen_lines(
    shown: tuple[Longs, Longs, Longs],
    names: Sequence[str],
    block: EventBlock,
    columns: Columns,
    *,
    kinds: Sequence[EventKind],
    window_ms: int,
    named: Mapping[int, str] | None = None,
) -> NDArray[np.bool_]:
    """(n,) whether an event of these kinds belongs to each of n shown lines, (shoppers, groups, times_ms) of the
    impressions `names`. `named` maps some events, by their number, to the impression that they name: such an event
    belongs to that, where it was shown to the same shopper before, or to none."""
    row_of_key = np.full(int(max(columns.keys.max(initial=0), block.product_keys.max(initial=0))) + 1, -1, np.int64)
    row_of_key[columns.keys] = np.arange(len(columns))
    rows = np.where(block.product_keys >= 0, row_of_key[block.product_keys], -1)
    meant = np.isin(block.kinds, [KIND_CODES[kind] for kind in kinds])
    events = np.flatnonzero(meant & (block.shopper_keys >= 0) & (rows >= 0))
    groups = columns.groups[rows[events]].astype(np.int64)
    lines = attributed(shown, (block.shopper_keys[events], groups, block.times_ms[events]), window_ms, columns.n_groups)
    if named:
        line_of = {met: at for at, met in enumerate(zip(names, shown[1].tolist(), strict=True))}
        for place, event in enumerate(events.tolist()):
            if name := named.get(int(block.seqs[event])):
                met = line_of.get((name, int(groups[place])), -1)
                own = met >= 0 and shown[0][met] == block.shopper_keys[event]
                late = own and 0 <= int(block.times_ms[event] - shown[2][met]) <= window_ms
                lines[place] = met if late else -1
    chosen = np.zeros(len(shown[0]), np.bool_)
    chosen[lines[lines >= 0]] = True
    return chosen
