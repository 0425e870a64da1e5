"""What the service writes about itself. Never a key, a token, a shopper's words or ids: a fault's message may hold
them, so only its kind and its place in the code are told."""

import json
import logging
import sys
import time
import traceback
from typing import Any

_log = logging.getLogger("wares")
_access = logging.getLogger("wares.access")


def tell_fault(fault: BaseException) -> None:
    """A fault nobody foresaw: kinds and places, from the outermost call to where it happened, causes last."""
    _log.error("A fault inside wares: %s", "; caused by ".join(_places(one) for one in _chain(fault)))


def tell_access(**told: Any) -> None:
    """One line of JSON for one request."""
    _access.info("%s", json.dumps({"time": round(time.time(), 3), **told}))


def begin_access_log() -> None:
    """From now on, on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _access.handlers, _access.propagate = [handler], False
    _access.setLevel(logging.INFO)


def _chain(fault: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while fault is not None and fault not in chain:
        chain.append(fault)
        fault = fault.__cause__ or fault.__context__
    return chain


def _places(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return " < ".join([type(fault).__name__, *(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))])
