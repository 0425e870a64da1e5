"""What each route of the service needs: the one table of it. One without an entry needs `admin`; a test names it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.routing import compile_path

from wares.app.web.access.caller import ScopeName

OPEN: Literal["open"] = "open"
UNKNOWN = "unknown"  # the name of what has no entry
ROUTE_IN_SCOPE = "wares.route"  # where the gate leaves the entry's name, in the ASGI scope
_OF_SHOP = re.compile(r"/v1/shops/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Need:
    """`of_own`: the scope that a shopper's token needs for what is about that very shopper; None = as anybody."""

    scope: ScopeName | Literal["open"]
    of_own: ScopeName | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is the entry of the table, which may be logged; the path itself may hold ids."""

    name: str
    need: Need


# Paths under /v1 hold under /v1/shops/{shop}, too.
NEEDS: Mapping[str, Need] = {
    "GET /healthz": Need(OPEN),
    "GET /readyz": Need(OPEN),
    "GET /metrics": Need("metrics"),
    "GET /": Need(OPEN),
    "GET /storefront/{path:path}": Need(OPEN),
    "GET /wares.js": Need(OPEN),
    "GET /console": Need(OPEN),
    "GET /console/": Need(OPEN),
    "GET /console/{path:path}": Need(OPEN),
    "GET /v1/errors/{code}": Need(OPEN),
    "GET /v1/openapi.json": Need("search"),
    "GET /v1/shop": Need("search"),
    "POST /v1/search": Need("search"),
    "POST /v1/browse": Need("search"),
    "POST /v1/recommend": Need("search"),
    "POST /v1/similar": Need("search"),
    "GET /v1/suggest": Need("search"),
    "GET /v1/products/{product_id:path}": Need("search"),
    "GET /v1/shoppers/{shopper_id:path}/interests": Need("admin", of_own="search"),
    "POST /v1/events": Need("events"),
    "POST /1/indexes/*/queries": Need("search"),
    "POST /1/indexes/*/recommendations": Need("search"),
    "POST /1/indexes/{index}/query": Need("search"),
    "POST /1/indexes/{index}/facets/{facet}/query": Need("search"),
    "GET /1/indexes/{index}/{object_id:path}": Need("search"),
    "POST /1/events": Need("events"),
    # Who is whom concerns two shoppers' histories: for the shop's backend, never for a key that lies in a page.
    "POST /v1/identify": Need("admin"),
    "DELETE /v1/identify/{anonymous:path}": Need("admin"),
    "DELETE /v1/shoppers/{shopper_id:path}": Need("admin"),
    "DELETE /v1/simulated": Need("admin"),
    # The operator's console: its files are open, what it asks is not.
    "GET /v1/console/about": Need("admin"),
    "GET /v1/console/overview": Need("admin"),
    "GET /v1/console/health": Need("admin"),
    "POST /v1/console/lab": Need("admin"),
    "GET /v1/console/interests": Need("admin"),
    "GET /v1/console/synonyms": Need("admin"),
    "GET /v1/console/rules": Need("admin"),
    "POST /v1/console/rules/check": Need("admin"),
    "POST /v1/console/rules/preview": Need("admin"),
    "GET /v1/console/imports": Need("admin"),
    "GET /v1/console/imports/{name}": Need("admin"),
    "GET /v1/console/snapshots": Need("admin"),
    "GET /v1/console/journal": Need("admin"),
    "PUT /v1/console/rules/draft": Need("admin"),
    "POST /v1/console/rules/discard": Need("admin"),
    "POST /v1/console/rules/publish": Need("admin"),
    "POST /v1/console/rules/undo": Need("admin"),
    "POST /v1/console/synonyms": Need("admin"),
    "POST /v1/console/snapshots/promote": Need("admin"),
    "POST /v1/console/snapshots/rollback": Need("admin"),
    "GET /v1/experiments": Need("admin"),
    "GET /v1/campaigns": Need("admin"),
    "POST /v1/campaigns": Need("admin"),
    "PUT /v1/products": Need("catalogue"),
    "PATCH /v1/products": Need("catalogue"),
    "DELETE /v1/products/{product_id:path}": Need("catalogue"),
}
ONCE = ("/v1/openapi.json", "/v1/errors/{code}")  # which are the same for all shops
_NO_ENTRY = Route(UNKNOWN, Need("admin"))


def route_of(method: str, path: str) -> tuple[Route, bool]:
    """The entry of a request, and whether its path is known with any method; as the service's own router finds it."""
    method, known = "GET" if method == "HEAD" else method, False
    if (plain := _PLAIN.get((method, path))) is not None:
        return plain, True
    for pattern, route, of in _COMPILED:
        if pattern.match(path):
            if of == method:
                return route, True
            known = True
    return _NO_ENTRY, known


def methods_of(path: str) -> list[str]:
    """The methods that a path takes, sorted; [] = there is no such path."""
    methods = {of for pattern, _, of in _COMPILED if pattern.match(path)}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def shop_in(path: str) -> str:
    """The shop that a path names; "" = none."""
    named = _OF_SHOP.match(path)
    return named[1] if named else ""


def _compiled() -> list[tuple[re.Pattern[str], Route, str]]:
    found = []
    for name, need in NEEDS.items():
        method, _, path = name.partition(" ")
        paths = [path]
        if path.startswith("/v1/") and path not in ONCE:
            paths.append("/v1/shops/{shop}" + path.removeprefix("/v1"))
        found += [(compile_path(one)[0], Route(name, need), method) for one in paths]
    return found


_COMPILED = _compiled()
_PLAIN: Mapping[tuple[str, str], Route] = {  # paths without a part that may be anything, and with one path to them
    (of, path): route
    for pattern, route, of in _COMPILED
    if "{" not in (path := route.name.partition(" ")[2]) and pattern.match(path)
}
