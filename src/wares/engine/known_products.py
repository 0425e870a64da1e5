"""A catalogue that remembers the products it has lately read, and forgets those that were changed since."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from threading import Lock

from wares.contracts import Catalogue
from wares.domain.product import Product

MOST_BYTES = 64 * 2**20  # some 60,000 products
_CHANGES = 64  # that one question looks through
_BARE_BYTES, _ATTRIBUTE_BYTES, _VALUE_BYTES = 550, 150, 60  # about what a product takes beside its longer texts


class KnownProducts:
    """Says the same as `catalogue` at any moment, whoever changes that. Any number of threads may share one.

    Every question looks first which products were changed since the last one. Where these are very many it asks the
    catalogue as if nothing were remembered; the next questions look through the rest.
    """

    def __init__(self, catalogue: Catalogue, last: int, most_bytes: int = MOST_BYTES) -> None:
        """`last`: the number of a change up to which nothing needs to be looked through."""
        self._catalogue, self._last, self._most_bytes, self._bytes = catalogue, last, most_bytes, 0
        self._known: OrderedDict[str, Product] = OrderedDict()  # longest unused first
        self._lock = Lock()

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        """The known ones of these."""
        changed = list(islice(self._catalogue.changes(self._last), _CHANGES))
        with self._lock:
            for change, _, product_id, _ in changed:
                self._forget(product_id)
                self._last = max(self._last, change)
            last, found = self._last, dict[str, Product]()
            for product_id in ids if len(changed) < _CHANGES else ():
                if (product := self._known.get(product_id)) is not None:
                    found[product_id] = product
                    self._known.move_to_end(product_id)
        if missing := [product_id for product_id in ids if product_id not in found]:
            read = self._catalogue.get(missing)
            found |= read
            with self._lock:
                if self._last == last:  # else what was read may be what somebody has just forgotten
                    self._remember(read)
        return found

    def _forget(self, product_id: str) -> None:
        if (product := self._known.pop(product_id, None)) is not None:
            self._bytes -= _bytes_of(product)

    def _remember(self, read: dict[str, Product]) -> None:
        for product_id, product in read.items():
            self._forget(product_id)
            self._known[product_id] = product
            self._bytes += _bytes_of(product)
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._known)))

    def put(self, products: Iterable[Product]) -> int:
        return self._catalogue.put(products)

    def delete(self, ids: Sequence[str]) -> int:
        return self._catalogue.delete(ids)

    def changes(self, after: int = 0) -> Iterator[tuple[int, int, str, Product | None]]:
        return self._catalogue.changes(after)


def _bytes_of(product: Product) -> int:
    """About what it takes: letters beyond Latin ones take two bytes each."""
    letters = len(product.title) + len(product.description)
    letters += sum(len(text.title) + len(text.description) for text in product.texts.values())
    values = [value for several in product.attributes.values() for value in several]  # of a spare part there are many
    letters += sum(map(len, values))
    named = len(product.attributes) + len(product.offers)
    return _BARE_BYTES + 2 * letters + _ATTRIBUTE_BYTES * named + _VALUE_BYTES * len(values)
