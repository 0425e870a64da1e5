"""Lines of a log that say exactly what an earlier one said. Two loaves of one basket are two equal lines, and so is a
click that a page told twice: nobody can know which it was, so they count unless asked otherwise, and are told."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from wares.domain.event import Event
from wares.domain.ordinals import Ordinals
from wares.feeds.report import LeftOut, Tally

RULE = "equal to an earlier line"
_AT_ONCE = 10_000


def told_equal(events: Iterator[Event], tally: Tally, *, drop: bool = False) -> Iterator[Event]:
    """The same events, each that equals an earlier one of this feed in all that it says remarked; `drop`: without them.

    Events with ids of their own are not looked at: of those with one id the first counts anyway.
    """
    seen = Ordinals()
    while chunk := [(event, tally.line) for event in islice(events, _AT_ONCE)]:
        counts = seen.count(np.fromiter((_hashed(event) for event, _ in chunk), np.uint64, len(chunk)))
        for (event, line), before in zip(chunk, counts.tolist(), strict=True):
            if before and not event.id:
                tally.line = line
                if drop:
                    tally.kept -= 1
                    fix = "Nothing to do: you asked for equal lines to count once."
                    tally.reject(LeftOut(RULE, "kind", event.kind.value, fix), None)
                    continue
                fix = "Both count. If your log tells things twice, import it with --drop-equal-lines."
                tally.remark(RULE, "kind", event.kind.value, fix)
            yield event


def _hashed(event: Event) -> int:
    """64 bits of all that it says, of this process."""
    said = (event.kind, event.time_ms, event.shopper_id, event.product_id, event.quantity, event.value_minor)
    return hash((*said, event.basket_id, event.query, event.id)) & 0xFFFF_FFFF_FFFF_FFFF
