"""Which web pages of other origins may ask (CORS): none, but those that a key was made for."""

from collections.abc import Collection, Mapping

_HEADERS = (
    "authorization",
    "content-type",
    "idempotency-key",
    "x-algolia-api-key",
    "x-algolia-application-id",
    "x-algolia-agent",
)
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": ", ".join(_HEADERS),
    "access-control-max-age": "600",
}


def foreign_origin(headers: Mapping[str, str]) -> str:
    """The origin of the page that asks, where it is not this server's own; "" = its own, or a program."""
    origin = headers.get("origin", "").lower()
    return origin if origin and origin.partition("://")[2] != headers.get("host", "").lower() else ""


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks whether it may ask."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def cors_headers(origin: str, allowed: Collection[str], *, preflight: bool = False) -> dict[str, str]:
    """What lets the page read the answer; without the first header a browser keeps it from the page. Cookies are never
    taken, and nothing is allowed to every origin."""
    headers = {"vary": "Origin"} if allowed else {}
    if origin and origin in allowed:
        headers |= {"access-control-allow-origin": origin, "access-control-expose-headers": "retry-after, x-request-id"}
        headers |= _PREFLIGHT if preflight else {}
    return headers
