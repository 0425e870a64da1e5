"""One engine for a shop's search and recommendations.

>>> import wares
>>> shop = wares.open("my-shop")  # doctest: +SKIP
>>> shop.search("whole milk").hits  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wares.domain.event import Event, EventKind
    from wares.domain.product import Product
    from wares.domain.result import Page
    from wares.domain.shopper import Shopper
    from wares.errors import WaresError
    from wares.shop import Shop
    from wares.shop import open_shop as open  # noqa: A004

__all__ = ["Event", "EventKind", "Page", "Product", "Shop", "Shopper", "WaresError", "open"]

# Loaded when first asked for, so that `wares --help` does not wait for numpy and its like.
_HOMES = {
    "Event": ("wares.domain.event", "Event"),
    "EventKind": ("wares.domain.event", "EventKind"),
    "Page": ("wares.domain.result", "Page"),
    "Product": ("wares.domain.product", "Product"),
    "Shop": ("wares.shop", "Shop"),
    "Shopper": ("wares.domain.shopper", "Shopper"),
    "WaresError": ("wares.errors", "WaresError"),
    "open": ("wares.shop", "open_shop"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'wares' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
