"""A full feed: all that the shop sells now. What is not in it any more leaves the shop, if that is believable."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wares.domain.product import Product
from wares.errors import TooManyGone
from wares.feeds.report import ImportReport, Reading

AT_MOST = 0.2  # of the catalogue that may leave it at once without a question


@dataclass(frozen=True)
class FullFeed:
    """The products of a feed, and the ids `gone`: those `known` to the shop that are not among them."""

    products: tuple[Product, ...]
    gone: tuple[str, ...]
    known: int
    report: ImportReport

    @staticmethod
    def of(reading: Reading[Product], known: Iterable[str]) -> "FullFeed":
        """Reads the feed to its end; nothing is written."""
        products = tuple(reading)
        before = set(known)
        fed = {product.id for product in products}
        return FullFeed(products, tuple(sorted(before - fed)), len(before), reading.report)

    def check(self, at_most: float = AT_MOST) -> None:
        """Raises TooManyGone where more than this share of the shop would leave it, or where rows could not be read:
        what they were about would count as gone."""
        if not self.gone:
            return
        share = len(self.gone) / self.known
        told = f"{len(self.gone):,} of {self.known:,} products ({share:.1%}) are not in this feed and would leave"
        if self.report.unreadable:
            raise TooManyGone(
                f"{told}, but {self.report.unreadable:,} rows of it could not be read and may be about some of them. "
                "Nothing was changed. Repair those rows, or confirm with --yes."
            )
        if share > at_most:
            raise TooManyGone(
                f"{told}: more than {at_most:.0%}. Nothing was changed. If that is meant, confirm with --yes."
            )

    def told(self) -> ImportReport:
        """The feed's report, with what left the shop."""
        if not self.gone:
            note = "Every product of the shop is in this feed."
        elif len(self.gone) == 1:
            note = "One product of the shop is absent from this feed and leaves it."
        else:
            note = f"{len(self.gone):,} products of the shop are absent from this feed and leave it."
        return replace(self.report, notes=(*self.report.notes, note))
