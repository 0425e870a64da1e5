"""Events on products that nobody knows yet: the feed may come behind the log, or never."""

MOST = 100_000  # about 35 MB where each is of another product

What = tuple[int, int, int, float]  # shopper, kind, time, quantity


class Waiting:
    """By the key of the product, up to `most` events; beyond that those of the product that waits longest go first, and
    come back with the next training. Who adds takes turns."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._n = most, 0
        self._of: dict[int, list[What]] = {}  # longest waiting first

    def __len__(self) -> int:
        """How many events wait."""
        return self._n

    def add(self, product: int, event: What) -> None:
        self._of.setdefault(product, []).append(event)
        self._n += 1
        while self._n > self._most:
            self.take(next(iter(self._of)))

    def take(self, product: int) -> list[What]:
        """Those of this product, which wait no more."""
        waited = self._of.pop(product, [])
        self._n -= len(waited)
        return waited
