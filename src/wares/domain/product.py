"""A product: what the shop sells, as its feed describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PATH_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class Product:
    """One sellable article. `id` is the shop's own; equal `group_id` marks variants of one article.

    `price_minor` counts the currency's smallest unit (cents); None = unknown. `stock` None = not counted.
    `category` is a path, root first. `attributes` maps a name to one or more values ("colour" -> ("red", "blue")).
    `published_ms` is when the product first went on sale, in Unix milliseconds; None = unknown.
    """

    id: str
    title: str = ""
    description: str = ""
    brand: str = ""
    category: tuple[str, ...] = ()
    price_minor: int | None = None
    currency: str = ""
    stock: int | None = None
    available: bool = True
    group_id: str = ""
    image_url: str = ""
    url: str = ""
    published_ms: int | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def category_levels(self) -> tuple[str, ...]:
        """Every level of the path, each with its ancestors: ("Food", "Food > Bread")."""
        return tuple(PATH_SEPARATOR.join(self.category[: i + 1]) for i in range(len(self.category)))

    @property
    def passage(self) -> str:
        """The text that stands for this product before an encoder (equal passages share one vector).

        Title, brand, category from the leaf up, start of the description; what was said already is not repeated.
        """
        said = ""
        for part in (self.title, self.brand, *reversed(self.category), self.description[:500]):
            if part and part.casefold() not in said.casefold():
                said = f"{said}. {part}" if said else part
        return said

    @property
    def sellable(self) -> bool:
        """Whether a shopper could buy it now."""
        return self.available and self.stock != 0
