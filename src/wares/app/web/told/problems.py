"""Errors as RFC 9457 problem documents."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from wares.app.web.told.error_codes import type_of
from wares.app.web.watching.record import current
from wares.errors import (
    CursorExpired,
    DataError,
    InputError,
    SettingsError,
    StoreLocked,
    StoreUnwritable,
    UnknownName,
    WaresError,
)

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[WaresError], int], ...] = (
    (CursorExpired, 410),
    (UnknownName, 422),
    (DataError, 422),
    (InputError, 422),
    (StoreLocked, 409),
    (StoreUnwritable, 507),
    (SettingsError, 500),
)
_CODES = {
    401: "unauthorised",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """One problem document; `code` is stable, `detail` is for people."""
    body = {"type": type_of(code), "title": HTTPStatus(status).phrase, "status": status, "code": code}
    body |= {"detail": detail, **({"request_id": request_id} if (request_id := current().id) else {})}
    return JSONResponse(body | more, status, media_type=MEDIA_TYPE)


def explain_errors(app: FastAPI) -> None:
    """Let every foreseen error of this app answer with a problem document; the gate does so for all others."""
    app.add_exception_handler(WaresError, _wares)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def explained(error: WaresError | HTTPException) -> JSONResponse:
    """The problem document of what a route raises."""
    return told_of(error) if isinstance(error, WaresError) else _told_of_http(error)


def _wares(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, WaresError)
    return told_of(error)


def told_of(error: WaresError) -> JSONResponse:
    """The problem document of an error of the tree."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    more: dict[str, Any] = {}
    if isinstance(error, UnknownName):
        status = 404 if error.what in ("product", "shop", "error code") else 422
        more = {"what": error.what, "known": error.known[:100]}
    return problem(status, error.code, str(error), **more)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [
        {
            "field": ".".join(str(part) for part in fault["loc"][1:] if fault["type"] != "json_invalid"),
            "problem": fault["msg"],
        }
        for fault in error.errors()[:20]
    ]
    first = faults[0] if faults else {"field": "", "problem": "unreadable"}
    detail = f"The request cannot be read: {first['field'] or 'body'}: {first['problem']}"
    return problem(422, "invalid-request", detail, errors=faults)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _told_of_http(error)


def _told_of_http(error: HTTPException) -> JSONResponse:
    if error.status_code == 400 and not hasattr(error, "code"):  # the framework's word for bytes that are no text
        fault = {"field": "", "problem": "no JSON in UTF-8"}
        return problem(422, "invalid-request", "The request cannot be read: body: no JSON in UTF-8", errors=[fault])
    code = getattr(error, "code", _CODES.get(error.status_code, "http"))  # what is Refused has its own
    answer = problem(error.status_code, code, str(error.detail), **getattr(error, "more", {}))
    answer.headers.update(error.headers or {})
    return answer


def unforeseen() -> JSONResponse:
    """What is said of a fault in wares itself: nothing of the inside."""
    return problem(500, "internal", "Something went wrong inside wares. The server's log says more.")
