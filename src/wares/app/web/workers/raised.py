"""An error of the tree, a refusal, or that something failed, as a value that another process can raise again."""

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.exceptions import HTTPException

from wares.app.web.told.refusals import Refused
from wares.errors import WaresError

_REFUSED, _FAULT = "Refused", "fault"


class FaultElsewhere(Exception):
    """A fault that nobody foresaw, in a process that answers: its own log line tells where, with the same id."""


def told_of(error: Exception) -> dict[str, Any]:
    """All that is seen of it: of one that nobody foresaw nothing."""
    if isinstance(error, Refused):
        headers = dict(error.headers or {})
        return {"kind": _REFUSED, "more": [error.status_code, error.code, error.detail, headers], "fields": error.more}
    if not isinstance(error, WaresError):
        return {"kind": _FAULT}
    fields = {name: value for name, value in vars(error).items() if _is_plain(value)}
    return {"kind": type(error).__name__, "said": str(error), "fields": fields}


def raised(told: Mapping[str, Any]) -> WaresError | HTTPException | FaultElsewhere:
    """The error that `told_of` told of."""
    if told["kind"] == _FAULT:
        return FaultElsewhere()
    if told["kind"] == _REFUSED:
        status, code, detail, headers = told["more"]
        return Refused(status, code, detail, headers, **told["fields"])
    kind = {kind.__name__: kind for kind in _kinds(WaresError)}.get(told["kind"], WaresError)
    error = kind.__new__(kind, told["said"])
    Exception.__init__(error, told["said"])
    vars(error).update(told["fields"])
    return error


def _kinds(kind: type[WaresError]) -> Iterator[type[WaresError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | None) or (
        isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    )
