"""What the service writes about itself, a line of JSON for each thing. Never a key, a token, a shopper's words or ids:
a fault's message may hold them, so only its kind and its place in the code are told."""

import json
import logging
import sys
import time
import traceback
from typing import Any, Literal, TextIO

from wares.app.web.watching.record import current

Form = Literal["auto", "json", "text"]
_log = logging.getLogger("wares")
_access = logging.getLogger("wares.access")
_OTHERS = ("uvicorn", "py.warnings")  # whose lines are to have the same form


def tell(event: str, **told: Any) -> None:
    """Something happened to the service itself: it started, a snapshot was taken up."""
    _log.info("%s", event, extra={"wares_event": event, "told": told})


def tell_fault(fault: BaseException) -> None:
    """A fault nobody foresaw: kinds and places, from the outermost call to where it happened, causes last."""
    places, record = "; caused by ".join(_places(one) for one in _chain(fault)), current()
    told = {"id": record.id, "places": places} if record.id else {"places": places}
    _log.error("A fault inside wares: %s", places, extra={"wares_event": "fault", "told": told})


def tell_access(**told: Any) -> None:
    """One line for one request."""
    _access.info("request", extra={"wares_event": "request", "told": told})


def begin_log(form: Form = "auto", stream: TextIO | None = None) -> None:
    """From now on all goes to `stream` (none = stderr) as JSON, or as text for people; "auto": text on a terminal."""
    stream = sys.stderr if stream is None else stream
    as_text = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_AsText() if as_text else _AsJson())
    for name in ("wares", *_OTHERS):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    _log.setLevel(logging.INFO)
    logging.captureWarnings(True)


class _AsJson(logging.Formatter):
    """{"time", "level", "event", ...}. A line without fields of its own has its text in `text`."""

    def format(self, record: logging.LogRecord) -> str:
        told = {"time": round(record.created, 3), "level": record.levelname.lower(), **_told(record)}
        return json.dumps(told, ensure_ascii=False)


class _AsText(logging.Formatter):
    """`12:03:44 request POST /v1/search 200 4.1 ms id=...`."""

    def format(self, record: logging.LogRecord) -> str:
        told = _told(record)
        event = told.pop("event")
        if event == "request":
            said = f"{told.pop('status')} {told.pop('ms'):8.1f} ms  {told.pop('route')}"
        else:
            said = told.pop("text", event)
        more = "".join(f"  {name}={value}" for name, value in told.items() if value not in ("", False))
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        mark = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
        return "".join(c if c.isprintable() else " " for c in f"{at} {mark}{said}{more}")


def _told(record: logging.LogRecord) -> dict[str, Any]:
    """Of other people's lines the text alone: a traceback of theirs ends in a message."""
    if (event := getattr(record, "wares_event", "")) and isinstance(told := getattr(record, "told", None), dict):
        return {"event": event, **told}
    told = {"event": "note" if record.levelno <= logging.INFO else "warning", "text": record.getMessage()}
    if record.exc_info and record.exc_info[1] is not None:
        told["places"] = "; caused by ".join(_places(one) for one in _chain(record.exc_info[1]))
    return told


def _chain(fault: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while fault is not None and fault not in chain:
        chain.append(fault)
        fault = fault.__cause__ or fault.__context__
    return chain


def _places(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return " < ".join([type(fault).__name__, *(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))])
