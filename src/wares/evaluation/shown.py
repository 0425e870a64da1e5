"""What was shown and what followed, read from the store for counting: only the products that matter are loaded, so that
a process beside the server needs no snapshot."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from wares.domain.catalogue import Columns
from wares.domain.log import EventBlock
from wares.store.impressions import read_shown
from wares.store.sqlite import Store

_WITHOUT_KEY = 2**40  # above every key of the store

Impression = Mapping[str, Any]


class ShownLog:
    """The impressions and the events of one shop, of real shoppers or of `simulated` ones alone."""

    def __init__(self, folder: Path, store: Store, *, simulated: bool = False) -> None:
        self._folder, self._store, self._simulated = folder, store, simulated

    def answers(self, since_ms: int = 0, holding: str = "", most: int = 0) -> Iterator[tuple[int, Impression]]:
        """Impressions with the shopper's key (-1 = they gave no id), oldest first. Who was shown something
        and did nothing has no key yet, and counts as somebody of their own. The options are those of `read_shown`."""
        known = dict[bytes, int]()
        rows = read_shown(self._folder, simulated=self._simulated, since_ms=since_ms, holding=holding, most=most)
        for whose, impression in rows:
            shopper = -1
            if whose is not None:
                shopper = self._key_of.get(whose) or known.setdefault(whose, _WITHOUT_KEY + len(known))
            yield shopper, impression

    @cached_property
    def block(self) -> EventBlock:
        """Every event."""
        return self._store.events.read(simulated=self._simulated)

    @cached_property
    def named(self) -> Mapping[int, str]:
        """Sequence number of an event -> the impression that it names."""
        return {seq: name for seq, (name, _) in self._store.events.shown(simulated=self._simulated).items()}

    def columns(self, answers: Iterable[tuple[int, Impression]]) -> Columns:
        """The products that these answers showed, and those that their shoppers did something with, as columns."""
        ids, shoppers, first_ms = set[str](), set[int](), np.iinfo(np.int64).max
        for shopper, impression in answers:
            ids.update(hit["product"] for hit in impression["hits"])
            shoppers.add(shopper)
            first_ms = min(first_ms, int(impression["time_ms"]))
        own = np.isin(self.block.shopper_keys, np.array(sorted(shoppers), np.int64)) & (self.block.times_ms >= first_ms)
        keys = np.unique(self.block.product_keys[own & (self.block.product_keys >= 0)])
        products = self._store.catalogue.keyed(sorted(ids), keys.tolist())
        return Columns.of(list(products.values()), list(products))

    @cached_property
    def _key_of(self) -> Mapping[bytes, int]:
        return self._store.shoppers.keys()
