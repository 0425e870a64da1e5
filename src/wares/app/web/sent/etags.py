"""Answers that clients may keep and ask about again: with an ETag, 304 where nothing has changed."""

import re
from hashlib import blake2b
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

_TAG = re.compile(r'(?:W/)?("[^"]*")')
_KEPT = {"cache-control": "private, no-cache"}  # keep it, but ask again each time


def tagged(request: Request, content: Any, headers: dict[str, str] | None = None) -> Response:
    """The content as JSON with a weak ETag of it, or 304 without it where the client has it."""
    answer = JSONResponse(content, headers={**_KEPT, **(headers or {})})
    tag = f'"{blake2b(bytes(answer.body), digest_size=12).hexdigest()}"'
    told = {"etag": f"W/{tag}", **_KEPT, **(headers or {})}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or tag in _TAG.findall(known):
        return Response(status_code=304, headers=told)
    answer.headers["etag"] = told["etag"]
    return answer
