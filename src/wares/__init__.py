"""One engine for a shop's search and recommendations.

>>> import wares                             # doctest: +SKIP
>>> shop = wares.open("my-shop")             # doctest: +SKIP
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

_HOMES = {
    "Event": "wares.domain.event",
    "EventKind": "wares.domain.event",
    "Page": "wares.domain.result",
    "Product": "wares.domain.product",
    "Shop": "wares.shop",
    "Shopper": "wares.domain.shopper",
    "WaresError": "wares.errors",
    "open": "wares.shop",
}


def __getattr__(name: str) -> Any:
    """Each name is loaded when it is first asked for, so that `wares --help` does not wait for the engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'wares' has no attribute {name!r}; it has {', '.join(__all__)}")
    found = getattr(import_module(_HOMES[name]), "open_shop" if name == "open" else name)
    globals()[name] = found
    return found
